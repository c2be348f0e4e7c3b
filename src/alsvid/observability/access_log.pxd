cimport cython
from alsvid.observability.access_format cimport AccessFormat

cdef int BATCH_OCTETS
cdef double _TERMINAL_PAUSE_S
cdef double _REPORT_PAUSE_S
cdef double _DRAIN_S
cdef int _INFO

cdef class AccessLog:
    cdef AccessFormat _format
    cdef object _writer
    cdef object _logger
    cdef object _complain
    cdef object _clock
    cdef double _next_report
    cdef Py_ssize_t _failures
    cdef str _failure
    cdef object _handler
    cdef list _handlers
    cdef list _filters
    cdef list _handler_filters
    cdef list _lines
    cdef Py_ssize_t _octets
    cdef bint _is_eager
    cdef bint _is_untouched
    cdef double _next_eager

    @cython.locals(line=str)
    cpdef object record(self, object exchange)
    cpdef object take_line(self, str line)
    @cython.locals(now=double)
    cpdef object flush(self)
    cdef object _look(self)
    cdef bint _report(self) except -1
    cdef object _hand_over(self)
    cdef object _hand_over_soon(self, double now)
    cdef object _record_by_logging(self, object exchange)
