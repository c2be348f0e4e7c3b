cimport cython

from alsvid.asgi.http_cycle cimport HttpCycle, new_cycle
from alsvid.asgi.scope cimport http_scope
from alsvid.asgi.service cimport Service
from alsvid.net.context cimport ConnectionContext
from alsvid.net.lifetime cimport Lifetime
from alsvid.net.port cimport Port
from alsvid.net.streams cimport ConnectionStream, new_stream
from alsvid.protocol.engine cimport Engine
from alsvid.protocol.events cimport DataReceived, Event, Fault, RequestReceived

cdef int _request_received
cdef int _data_received
cdef int _idle
cdef int _answer
cdef int _shut
cdef double _NEVER
cdef Py_ssize_t _JOIN
cdef Py_ssize_t _JOIN_MANY
cdef Py_ssize_t _MANY
cdef Py_ssize_t _STREAMED_OCTETS
cdef double _HALF_CLOSED_GRACE_S
cdef int _PIPELINE_TURNS
cdef Py_ssize_t _PIPELINE_OCTETS
cdef double _LATE_HEAD_S
cdef Py_ssize_t _LINGERING_REFUSED

cdef class Connection(Lifetime):
    cpdef connection_made(self, object transport)
    cdef _make_room(self)
    cdef _refuse(self, int status)
    cpdef data_received(self, bytes data)
    @cython.locals(engine=Engine, events=list)
    cdef _receive(self, bytes data, bint eager)
    @cython.locals(event=Event, kind=int, fresh=HttpCycle)
    cdef _handle(self, list events, bint eager)
    @cython.locals(context=ConnectionContext, service=Service, cycle=HttpCycle, stream=ConnectionStream, scope=dict)
    cdef HttpCycle _begin(self, RequestReceived request)
    cdef _answer_busy(self, RequestReceived request)
    @cython.locals(cycle=HttpCycle, n=Py_ssize_t)
    cdef _deliver(self, DataReceived event)
    cdef _handle_fault(self, Fault event)
    cpdef eof_received(self)
    cpdef connection_lost(self, object error)
    cpdef pause_writing(self)
    cpdef resume_writing(self)
    cdef _take_up(self)
    cdef _wake_drained(self)
    cpdef end_turn(self)
    @cython.locals(pieces=list, piece=bytes, n=Py_ssize_t, size=Py_ssize_t)
    cdef _write_out(self)
    @cython.locals(pieces=list, piece=bytes)
    cdef _collect(self)
    cdef bint _is_clogged(self)
    cdef _read_on(self)
