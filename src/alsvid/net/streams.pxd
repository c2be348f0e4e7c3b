cimport cython

from alsvid.asgi.stream cimport Stream
from alsvid.protocol.engine cimport Engine

cdef class Outlet:
    cpdef flush(self)
    cpdef hold(self)
    cpdef queue(self, Py_ssize_t octets)
    cpdef end_answer(self, ConnectionStream stream)
    cpdef consume(self, long long octets)
    cpdef drain(self)

# It refers to the connection, but is let go of (`detach`) with the end of its answer or of the connection.
@cython.no_gc
cdef class ConnectionStream(Stream):
    cdef Engine _engine
    cdef Outlet _outlet

    cpdef detach(self)

@cython.locals(stream=ConnectionStream)
cpdef ConnectionStream new_stream(long long stream_id, str http_version, Engine engine, Outlet outlet)
