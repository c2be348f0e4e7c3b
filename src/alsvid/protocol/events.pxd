cdef class Event:
    cdef public int kind
    cdef public long long stream_id

cdef class RequestReceived(Event):
    cdef public str method
    cdef public bytes target
    cdef public list headers
    cdef public bint end_stream
    cdef public Py_ssize_t query_at
    cdef public bint escaped
    cdef public str http_version
    cdef public bint forwarded
    cdef public bytes upgrade

cdef class DataReceived(Event):
    cdef public bytes data
    cdef public bint end_stream

cdef class Fault(Event):
    cdef public int status
    cdef public str message
    cdef public str limit
