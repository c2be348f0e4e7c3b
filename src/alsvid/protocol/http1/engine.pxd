cimport cython

from alsvid.protocol.engine cimport Engine
from alsvid.protocol.events cimport DataReceived, Event, Fault, RequestReceived, new_request
from alsvid.protocol.http1.body cimport ChunkedDecoder
from alsvid.protocol.http1.head cimport HeadParser
from alsvid.protocol.http1.limits cimport Limits
from alsvid.protocol.http1.writer cimport HeadWriter

cdef int _no_body
cdef int _length
cdef int _chunked
cdef int _until_close
cdef int _idle
cdef int _head
cdef int _content
cdef int _answer
cdef int _discard
cdef int _shut
cdef int _none
cdef int _held
cdef int _open
cdef int _trailers
cdef int _ended

cdef class Http1Engine(Engine):
    cdef Limits _limits
    cdef HeadWriter _writer
    cdef HeadParser _parser
    cdef ChunkedDecoder _chunks
    cdef list _out
    cdef bytes _rest
    cdef list _waiting
    cdef Py_ssize_t _waiting_at
    cdef Py_ssize_t _waiting_size
    cdef bint _at_eof
    cdef long long _stream_id
    cdef bint _close
    cdef int _minor
    cdef bint _is_head
    cdef bint _expect_continue
    cdef int _body
    cdef long long _request_left
    cdef long long _received
    cdef long long _unread
    cdef int _answer
    cdef int _answer_body
    cdef long long _answer_left
    cdef bytes _held_head
    cdef bint _with_trailers
    cdef bint _is_bodiless_status

    @cython.locals(n=Py_ssize_t, at=Py_ssize_t)
    cdef _advance(self, bytes data, Py_ssize_t pos, list events)
    @cython.locals(parser=HeadParser, event=RequestReceived, is_bare=bint)
    cdef _begin_stream(self, list events)
    @cython.locals(n=Py_ssize_t, piece=bytes)
    cdef Py_ssize_t _take_content(self, bytes data, Py_ssize_t pos, list events) except -2
    @cython.locals(chunks=ChunkedDecoder, n=Py_ssize_t, k="long long", at=Py_ssize_t, ended=bint, pieces=list)
    cdef Py_ssize_t _take_chunks(self, bytes data, Py_ssize_t pos, list events) except -2
    cdef _take(self, bytes piece, bint ended, list events)
    @cython.locals(stream_id="long long")
    cdef _fault(self, object error, list events)
    cdef _cut_answer(self, bint linger)
    cdef bint _is_current(self, long long stream_id, int wanted)
    cdef _check_left(self, long long n, bint end_stream)
    @cython.locals(body=int, head=bytes, framing=bytes)
    cdef _send_whole(self, bytes data, long long n)
    @cython.locals(body=int, framing=bytes)
    cdef _release_head(self)
    cdef _decide_close(self)
    @cython.locals(body=int)
    cdef _send_piece(self, bytes data, Py_ssize_t n)
    cdef _end_answer(self)
    cdef _end_stream(self)
    cdef _shut_down(self, bint linger)
