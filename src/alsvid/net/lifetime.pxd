cimport cython

from alsvid.asgi.http_cycle cimport HttpCycle
from alsvid.net.context cimport ConnectionContext
from alsvid.net.port cimport Port
from alsvid.net.streams cimport ConnectionStream, Outlet
from alsvid.protocol.engine cimport Engine

cdef int _idle
cdef int _head
cdef int _content
cdef int _discard
cdef int _shut
cdef double _NEVER
cdef double _LINGER_S

cdef class Lifetime(Outlet):
    cdef ConnectionContext _context
    cdef Port _port
    cdef object _transport
    cdef Engine _engine
    cdef HttpCycle _cycle
    cdef ConnectionStream _stream
    cdef dict _tls
    cdef list _drains
    cdef readonly dict template
    cdef readonly object client
    cdef readonly double deadline
    cdef readonly double idle_since
    cdef double _read_deadline
    cdef double _write_deadline
    cdef int _phase
    cdef long long _unconsumed
    cdef Py_ssize_t _queued
    cdef Py_ssize_t _unsent
    cdef Py_ssize_t _discarded
    cdef double _body_started
    cdef double _body_octets
    cdef int _turns
    cdef list _pipelined
    cdef Py_ssize_t _pipelined_octets
    cdef bint _again
    cdef bint _awaits_continue
    cdef bint _in_receive
    cdef bint _is_held
    cdef bint _is_closing
    cdef bint _is_lingering
    cdef bint _is_read_paused
    cdef bint _is_write_paused
    cdef bint _is_trusted
    cdef bint _has_served
    cdef bint _half_closed
    cdef object __weakref__

    cdef _write_out(self)
    @cython.locals(stream=ConnectionStream, cycle=HttpCycle)
    cdef _drop_cycle(self, str reason)
    cdef _pause_reading(self)
    cdef _resume_reading(self)
    cdef _drop(self, Py_ssize_t n)
    @cython.locals(context=ConnectionContext, phase=int, now=double)
    cdef _set_deadline(self)
    cdef _choose_deadline(self)
    cpdef bint is_idle(self)
    @cython.locals(context=ConnectionContext, elapsed=double)
    cpdef bint is_slow(self, double now)
    cpdef expire(self, double now)
    cpdef expire_slow(self)
    @cython.locals(stream=ConnectionStream)
    cdef _end_half_closed(self)
    cdef _expire_write(self, double now)
    @cython.locals(stream=ConnectionStream)
    cdef _time_out(self, str option)
    cpdef close_idle(self, str option)
    cpdef begin_stop(self)
    cpdef end_stop(self)
    cpdef abort(self)
    cdef _close(self, bint linger)
    cdef _write_eof(self)
    cdef _reset_on_close(self)
    cpdef str _client_text(self)
