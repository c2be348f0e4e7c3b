cimport cython

from alsvid.protocol.events cimport RequestReceived

cdef dict _asgi
cdef dict _extensions

cpdef dict scope_template(str scheme, object server, object client, str root_path)

@cython.locals(target=bytes, raw_path=bytes, query=bytes, path=str, root_path=str, query_at=Py_ssize_t, scope=dict,
               extensions=dict)
cpdef dict http_scope(dict template, RequestReceived request, dict state, dict tls)
