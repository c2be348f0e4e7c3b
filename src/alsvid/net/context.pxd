from alsvid.asgi.service cimport Service
from alsvid.protocol.http1.limits cimport Limits
from alsvid.protocol.http1.writer cimport HeadWriter

cdef class ConnectionContext:
    cdef readonly Service service
    cdef readonly object loop
    cdef readonly object telemetry
    cdef readonly Limits limits
    cdef readonly HeadWriter writer
    cdef readonly object trusted_proxies
    cdef public double now
    cdef readonly set connections
    cdef public bint is_stopping
    cdef public double keep_alive
    cdef readonly double timeout_request_head
    cdef readonly double timeout_body
    cdef readonly double body_min_rate
    cdef readonly double body_min_rate_grace
    cdef readonly double timeout_write
    cdef readonly double timeout_unread_body
    cdef readonly Py_ssize_t limit_unread_body
    cdef public Py_ssize_t limit_connections
    cdef readonly Py_ssize_t limit_concurrency
    cdef readonly Py_ssize_t read_high_water
    cdef readonly Py_ssize_t write_high_water
    cdef readonly Py_ssize_t write_low_water
    cdef readonly bint joins_writes
    cdef list _held
    cdef bint _is_flush_due
    cdef object _lost_listener
    cdef list _idle

    cpdef hold(self, object connection)
    cpdef flush_held(self)
    cpdef forget(self, object connection)
