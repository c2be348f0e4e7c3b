cimport cython

from alsvid.protocol.http.authority cimport is_host
from alsvid.protocol.http1.limits cimport Limits

cdef const unsigned char *_tchar
cdef const unsigned char *_field_value
cdef const unsigned char *_target
cdef dict _names
cdef dict _pairs
cdef tuple _NOTHING_SEEN
cdef Py_ssize_t _LONGEST_SEEN
cdef dict _methods
cdef int _no_body
cdef int _length
cdef int _chunked
cdef Py_ssize_t _LONGEST_METHOD
cdef bytes _VERSION

cdef class HeadParser:
    cdef Limits _limits
    cdef list _seen
    cdef bint _in_fields
    cdef bint _in_trailers
    cdef Py_ssize_t _size
    cdef Py_ssize_t _host_at
    cdef bytes _absolute
    cdef bint _keep_alive
    cdef bint _upgrade_named
    cdef bint _coded
    cdef public Py_ssize_t rest
    cdef public str method
    cdef public bint is_head
    cdef bint _is_refused
    cdef public bytes target
    cdef public Py_ssize_t query_at
    cdef public bint escaped
    cdef public int minor
    cdef public list headers
    cdef public int body
    cdef public long long content_length
    cdef public bint close
    cdef public bint expect_continue
    cdef public bint forwarded
    cdef public bint accepts_trailers
    cdef public bytes upgrade

    cpdef begin(self)
    cpdef begin_trailers(self)
    cpdef bint is_started(self)
    cpdef Py_ssize_t parse(self, bytes data, Py_ssize_t pos) except -2

    @cython.locals(p="const unsigned char *", n=Py_ssize_t, start=Py_ssize_t, target_at=Py_ssize_t,
                   query_at=Py_ssize_t, escaped=bint, c="unsigned char", method=bytes)
    cdef Py_ssize_t _parse_request_line(self, bytes data, Py_ssize_t i) except -2

    @cython.locals(k=Py_ssize_t, octet=int)
    cdef Py_ssize_t _parse_odd_version(self, bytes data, Py_ssize_t start, Py_ssize_t at) except -2
    cdef Py_ssize_t _unfinished_line(self, Py_ssize_t length) except -2
    cdef _parse_other_target(self)

    @cython.locals(p="const unsigned char *", n=Py_ssize_t, headers=list, start=Py_ssize_t, value_at=Py_ssize_t,
                   end=Py_ssize_t, index=Py_ssize_t, name=bytes, value=bytes, k=Py_ssize_t,
                   limits=Limits)
    cdef Py_ssize_t _parse_fields(self, bytes data, Py_ssize_t i) except -2

    @cython.locals(field_size=Py_ssize_t, head=Py_ssize_t)
    @cython.locals(p="const unsigned char *", q="const unsigned char *", m=Py_ssize_t, j=Py_ssize_t, spelling=bytes,
                   pair=tuple)
    cdef Py_ssize_t _end_of_seen(self, bytes data, Py_ssize_t start, Py_ssize_t index) except -2

    @cython.locals(pair=tuple, seen=tuple, lower=bytes)
    cdef bytes _name_of(self, bytes raw, Py_ssize_t index)

    cdef Py_ssize_t _unfinished_field(self, Py_ssize_t length) except -2
    cdef _note(self, bytes name, bytes value)
    cdef _note_host(self, bytes value)
    cdef _note_connection(self, bytes value)
    cdef _note_content_length(self, bytes value)
    cdef _note_transfer_encoding(self, bytes value)
    cdef _finish(self)

cdef bint _is_token(bytes value)
cdef object _too_long_line()
cdef object _too_large(str message, str limit)
cdef object _bad_name(int octet, bint at_start)
