cimport cython

cdef const unsigned char *_host
cdef const unsigned char *_hex

@cython.locals(p="const unsigned char *", n=Py_ssize_t, i=Py_ssize_t, port=int)
cpdef bint is_host(bytes value) except -1

@cython.locals(octet=int)
cdef bint _is_future_address(bytes text) except -1
