cimport cython

cdef object _NOTHING

@cython.final
cdef class Failed:
    cdef public object error

@cython.final
cdef class Done:
    pass
