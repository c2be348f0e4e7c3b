cdef bint _EAGER
cdef object _Task

cdef class Service:
    cdef public object application
    cdef public object loop
    cdef public object telemetry
    cdef public set cycles
    cdef public dict state
    cdef public bint timed
    cdef public object when_idle
    cdef object _base
    cdef object _factory

    cpdef refresh(self)
    cpdef spawn(self, object coroutine, bint eager)
