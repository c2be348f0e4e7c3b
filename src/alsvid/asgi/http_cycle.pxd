cimport cython

from alsvid.asgi.service cimport Service
from alsvid.asgi.stream cimport Stream

cdef object _done
cdef object _result_of
cdef int _awaits
cdef int _answers
cdef int _trailing
cdef int _answered
cdef int _sending
cdef tuple _STAGES
cdef int _MOST_CAUSES
cdef Py_ssize_t _JOIN

@cython.freelist(64)
cdef class HttpCycle:
    cdef Service _service
    cdef Stream _stream
    cdef readonly dict scope
    cdef readonly object task
    cdef int _state
    cdef list _chunks
    cdef Py_ssize_t _queued
    cdef bint _body_ended
    cdef bint _body_given
    cdef str _gone
    cdef list _waiters
    cdef bint _with_trailers
    cdef list _trailers
    cdef bint _asked_to_stop
    cdef bint _reported
    cdef bint _returned
    cdef readonly int status
    cdef readonly object response_headers
    cdef readonly long long response_octets
    cdef readonly double started
    cdef readonly double finished
    cdef readonly bint complete
    cdef object __weakref__

    cdef _set_up(self, Service service, Stream stream, dict scope, bint body_ended)
    cpdef start(self, bint eager)
    cpdef deliver_data(self, bytes data, bint end_stream)
    cpdef deliver_disconnect(self, str reason)
    cpdef ask_to_stop(self)
    cpdef bint is_endless(self) except -1
    cdef _wake(self)
    cpdef receive(self)
    cdef bint _is_ready(self)
    @cython.locals(n=Py_ssize_t, chunks=list, body=bytes, more=bint)
    cpdef dict _next_message(self)
    @cython.locals(k=Py_ssize_t, size=Py_ssize_t)
    cdef bytes _take_chunks(self, list chunks)
    cpdef send(self, object message)
    cdef _refuse(self, object message)
    @cython.locals(stream=Stream)
    cdef _send_start(self, dict message)
    @cython.locals(stream=Stream, more=bint)
    cpdef _send_body(self, dict message)
    cdef _send_other(self, object kind, dict message)
    cdef _send_hint(self, dict message)
    cdef _send_trailers(self, object kind, dict message)
    cpdef _end(self)
    cpdef _report(self)
    @cython.locals(service=Service)
    cpdef _finish(self)
    @cython.locals(stream=Stream)
    cpdef _fail(self, object error)
    cdef _emit_error(self, object error)
    cpdef _cut_short(self, object error)
    @cython.locals(stream=Stream)
    cdef _end_by_stop(self)
    cdef _answer_error(self, Stream stream)

@cython.locals(cycle=HttpCycle)
cpdef HttpCycle new_cycle(Service service, Stream stream, dict scope, bint body_ended)
