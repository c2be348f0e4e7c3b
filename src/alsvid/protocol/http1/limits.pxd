cdef class Limits:
    cdef readonly Py_ssize_t request_line
    cdef readonly Py_ssize_t head
    cdef readonly Py_ssize_t fields
    cdef readonly Py_ssize_t field_size
    cdef readonly Py_ssize_t chunk_extension
    cdef readonly Py_ssize_t chunk_extensions
    cdef readonly long long body
    cdef readonly long long unread_body
