cimport cython

from alsvid.protocol.http1.limits cimport Limits

cdef const unsigned char *_hex
cdef const unsigned char *_tchar
cdef const unsigned char *_field_value
cdef int _MOST_DIGITS
cdef long long _MOST_OCTETS

cdef class ChunkedDecoder:
    cdef Limits _limits
    cdef bint _after_data
    cdef Py_ssize_t _extensions
    cdef public bint last
    cdef public long long remaining

    cpdef begin(self)

    @cython.locals(p="const unsigned char *", n=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, size="long long",
                   digit="unsigned char")
    cpdef Py_ssize_t parse_line(self, bytes data, Py_ssize_t pos) except -2

    @cython.locals(p="const unsigned char *", n=Py_ssize_t, start=Py_ssize_t)
    cdef Py_ssize_t _parse_extensions(self, bytes data, Py_ssize_t i) except -2

cdef object _too_much(str message, str limit)
