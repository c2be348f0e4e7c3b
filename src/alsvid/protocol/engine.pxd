cdef class Engine:
    cdef public bint close_expected
    cdef public bint discard_expected
    cdef public bint is_cut
    cdef public int phase

    cpdef list receive_data(self, bytes data)
    cpdef list receive_eof(self)
    cpdef send_headers(self, long long stream_id, int status, object headers, bint end_stream)
    cpdef send_data(self, long long stream_id, bytes data, bint end_stream)
    cpdef send_trailers(self, long long stream_id, object headers)
    cpdef send_informational(self, long long stream_id, int status, object headers)
    cpdef bint expect_trailers(self, long long stream_id) except -1
    cpdef flush_headers(self, long long stream_id)
    cpdef bint begin_raw(self, long long stream_id, long long octets) except -1
    cpdef end_raw(self, long long stream_id, long long octets, bint end_stream)
    cpdef declare_length(self, long long stream_id, long long octets)
    cpdef Py_ssize_t waiting_octets(self) except -1
    cpdef bint withdraw(self, long long stream_id) except -1
    cpdef reset_stream(self, long long stream_id, int code)
    cpdef consume(self, long long stream_id, long long octets)
    cpdef shutdown(self)
    cpdef list data_to_send(self)
