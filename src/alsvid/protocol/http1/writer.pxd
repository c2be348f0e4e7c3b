cimport cython

cdef const unsigned char *_tchar
cdef const unsigned char *_field_value
cdef dict _status_lines
cdef list _lines
cdef Py_ssize_t _SCRATCH
cdef Py_ssize_t _MOST_FRAMINGS

cdef class HeadWriter:
    cdef bytearray _scratch
    cdef Py_ssize_t _used
    cdef bytes _extra
    cdef bytes _tail
    cdef dict _framings
    cdef public long long length
    cdef public bint close

    cpdef set_date(self, bytes line)
    @cython.locals(line=bytes)
    cpdef bytes write(self, int status, object headers)
    @cython.locals(line=bytes)
    cpdef bytes framing(self, long long length)
    cpdef bytes write_interim(self, int status, object headers)
    cpdef bytes write_error(self, int status, str message, bint is_head)
    cpdef bytes write_trailers(self, object headers)

    @cython.locals(out="unsigned char *")
    cdef bytes _taken(self)
    @cython.locals(n=Py_ssize_t, i=Py_ssize_t, j=Py_ssize_t, out="unsigned char *", p="const unsigned char *")
    cdef _copy(self, bytes octets)
    @cython.locals(grown=bytearray)
    cdef _reserve(self, Py_ssize_t size)
    @cython.locals(i=Py_ssize_t, j=Py_ssize_t, k=Py_ssize_t, n=Py_ssize_t, start=Py_ssize_t, name=bytes, value=bytes,
                   p="const unsigned char *", out="unsigned char *", capacity=Py_ssize_t, c="unsigned char",
                   dated=bint)
    cdef bint _write_fields(self, object headers, bint is_head) except -1
    @cython.locals(length="long long")
    cdef bint _note(self, bytes name, bytes value) except -1

cdef bytes _as_bytes(object value, str what)
