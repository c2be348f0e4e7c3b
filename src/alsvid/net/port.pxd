cimport cython

cdef class Port:
    cdef readonly object listener
    cdef readonly object tls
    cdef readonly str root_path
    cdef public bint believes
    cdef str _scheme
    cdef bint _is_unix
    cdef object _server
    cdef dict _template

    cpdef client_of(self, object transport)
    @cython.locals(template=dict)
    cpdef dict template_of(self, object transport, object client)
    cpdef dict tls_of(self, object transport)
