cimport cython

cdef object _NOTHING

@cython.final
@cython.freelist(64)
cdef class Ready:
    cdef public object result

@cython.final
cdef class Failed:
    cdef public object error

@cython.final
cdef class Done:
    pass
