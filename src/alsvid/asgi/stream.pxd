cdef class Stream:
    cdef public long long id
    cdef public str http_version
    cdef public bint is_paused

    cpdef send_headers(self, int status, object headers)
    cpdef send_data(self, bytes data, bint end_stream)
    cpdef bint expect_trailers(self) except -1
    cpdef send_trailers(self, object headers)
    cpdef send_informational(self, int status, object headers)
    cpdef declare_length(self, long long octets)
    cpdef bint withdraw(self) except -1
    cpdef reset(self)
    cpdef consume(self, long long octets)
    cpdef drain(self)
