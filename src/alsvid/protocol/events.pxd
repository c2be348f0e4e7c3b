cimport cython

cdef int _request_received

# Events live for one turn and refer to nothing that refers back: the collector need not know them.
@cython.no_gc
cdef class Event:
    cdef public int kind
    cdef public long long stream_id

@cython.no_gc
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

@cython.locals(event=RequestReceived)
cpdef RequestReceived new_request(long long stream_id, str method, bytes target, list headers, bint end_stream)

@cython.no_gc
cdef class DataReceived(Event):
    cdef public bytes data
    cdef public bint end_stream

@cython.no_gc
cdef class Fault(Event):
    cdef public int status
    cdef public str message
    cdef public str limit
