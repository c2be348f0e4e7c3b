cimport cython

cdef int _LITERAL, _PLAIN_TIME, _CLIENT, _REQUEST_LINE, _STATUS, _OCTETS, _MILLISECONDS_TEXT, _CUT_WORD
cdef int _CLF_TIME, _ISO_TIME, _HOST, _METHOD, _PATH, _QUERY, _PROTOCOL, _OCTETS_OR_DASH, _SECONDS_TEXT
cdef int _SECONDS, _MILLISECONDS, _MICROSECONDS, _REQUEST_FIELD, _RESPONSE_FIELD, _USER, _CUT_FLAG, _COMPLETE
cdef int _PORT, _SERVER_HOST, _SERVER_PORT, _SCHEME, _ROOT_PATH, _HTTP_VERSION, _STATUS_COLOURED, _PROCESS_ID

@cython.locals(character=Py_UCS4)
cdef bint _is_clean(str text) except -1

cdef str _latin1(bytes octets)
cdef long long _whole(long long number) except? -1
cdef long long _microseconds(double started, double finished) except? -1
cdef object _raw_path(dict scope)
cdef object _part_of(object address, int number)

cdef class AccessFormat:
    cdef bytes _codes
    cdef tuple _arguments
    cdef tuple _statuses
    cdef tuple _coloured
    cdef bint _is_json
    cdef object _log_time
    cdef double _second_ends
    cdef Py_ssize_t _field_limit

    @cython.locals(finished=double, line=str)
    cpdef str render(self, object exchange)

    @cython.locals(codes=cython.p_const_uchar, count=Py_ssize_t, at=Py_ssize_t, code=int, scope=dict, pieces=list)
    cdef str _compose(self, object exchange, double finished)

    cdef str _fit(self, object exchange, double finished)

    @cython.locals(microseconds=cython.longlong)
    cdef str _piece(self, int code, object argument, object exchange, dict scope, double finished)

    cdef str _request_piece(self, int code, dict scope)

    @cython.locals(microseconds=cython.longlong, octets=cython.longlong)
    cdef str _rare_piece(self, int code, object argument, object exchange, dict scope, double finished)

    @cython.locals(text=str)
    cdef str _text(self, object value)

    @cython.locals(status=cython.longlong)
    cdef str _status(self, object exchange, tuple texts)

    @cython.locals(host=str)
    cdef str _client(self, object client)

    @cython.locals(method=str, path=str, version=str)
    cdef str _request_line(self, dict scope)

    @cython.locals(key=bytes)
    cdef str _field(self, object fields, bytes name)
