"""Writes a log without ever blocking its caller. Owns the bounded queue, the thread, and what was lost.

    loop:   write(octets) -> queue, at most QUEUE_LIMIT octets; beyond it the octets are dropped and counted
    thread: takes from the queue, writes to the sink, waits there as long as the sink makes it wait

A full pipe, a full disk or a reader that went away costs log lines, never a request; `take_report()` says
how many and why. The thread starts with the first write, in the process that writes: a fork before that
is free, and a fork after it begins again with an empty queue, since the parent writes what it holds.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable

from alsvid.observability.log_sink import Sink

# 4 MiB are some 40,000 lines: two fifths of a second of a full core, a minute of a busy site.
QUEUE_LIMIT = 4 * 1024 * 1024
_LINE_FEED = 10


class LogWriter:
    """A log's way out. `write`, `flush`, `reopen` and `close` may be called from any thread."""

    def __init__(self, sink: Sink, queue_limit: int = QUEUE_LIMIT) -> None:
        self._sink = sink
        self._queue_limit = queue_limit
        self.is_terminal = sink.is_terminal
        self._torn = False  # the last write ended inside a line
        self._begin()

    def _begin(self) -> None:
        """Start with an empty queue and no thread."""
        self._process = os.getpid()
        # Re-entrant, because a signal handler may log while the thread it interrupts is logging.
        self._condition = threading.Condition(threading.RLock())
        self._queue: deque[bytes | Callable[[], bool]] = deque()
        self._queued_octets = 0
        self._in_flight = b""  # what the thread is writing
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._lost_lines = 0
        self._lost_octets = 0
        self._lost_reason = ""
        self._trouble = ""

    def write(self, data: bytes) -> bool:
        """Queue whole lines; return False where they had to be dropped. Never blocks."""
        condition = self._owned()
        with condition:
            if self._is_closed:
                self._lose(data, "the log is closed")
                return False
            if self._queued_octets + len(data) > self._queue_limit:
                self._lose(data, f"its reader is too slow, {self._queued_octets} octets wait already")
                return False
            self._queue.append(data)
            self._queued_octets += len(data)
            condition.notify()
            return self._started()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was written so far has gone out; return False where it has not in time."""
        with self._owned():
            if self._thread is None or not self._thread.is_alive():
                return not self._queue
            done = threading.Event()
            self._order(done.set)
        return done.wait(timeout_s)

    def reopen(self) -> None:
        """Open the log's file anew, behind what was written before; where that fails the old one stays."""
        with self._owned():
            self._order(self._reopen_sink)

    def close(self, timeout_s: float) -> bool:
        """Write out what is queued, waiting at most `timeout_s`; return False where something was left."""
        with self._owned():
            if self._is_closed:
                return True
            self._is_closed = True
            thread = self._thread
            if thread is None:
                self._sink.close()
                return True
            self._queue.append(self._close_sink)
            self._condition.notify()
        thread.join(timeout_s)
        with self._condition:
            # What the thread holds in a blocked write may still go out in part; it counts as lost.
            for left in (self._in_flight, *self._queue):
                if isinstance(left, bytes) and left:
                    self._lose(left, "nobody read them before the end")
            self._queue = deque([self._close_sink])
        return not thread.is_alive()

    def take_report(self) -> str:
        """Return in one line what went wrong since the last call; "" where nothing did."""
        with self._owned():
            parts = []
            if self._lost_lines:
                lines = "1 line" if self._lost_lines == 1 else f"{self._lost_lines} lines"
                parts.append(f"{lines} ({self._lost_octets} octets) lost: {self._lost_reason}")
            if self._trouble:
                parts.append(self._trouble)
            self._lost_lines = self._lost_octets = 0
            self._trouble = ""
            return "; ".join(parts)

    @property
    def lost_lines(self) -> int:
        """Lines dropped since the last report."""
        return self._lost_lines

    def _owned(self) -> threading.Condition:
        """Return the lock of this process; a forked child leaves queue and thread to its parent."""
        if self._process != os.getpid():
            self._begin()
        return self._condition

    def _started(self) -> bool:
        """Start the thread with the first work."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="alsvid-log", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # out of threads, or the interpreter is ending
                for left in self._queue:
                    if isinstance(left, bytes):
                        self._lose(left, str(error))
                self._queue.clear()
                self._queued_octets = 0
                return False
            self._thread = thread
        return True

    def _order(self, action: Callable[[], object]) -> None:
        """Have `action` done in its turn: by the thread, or at once where nothing was ever written."""
        if self._thread is None:
            action()
            return

        def in_turn() -> bool:
            action()
            return True

        self._queue.append(in_turn)
        self._condition.notify()

    def _lose(self, data: bytes, reason: str) -> None:
        self._lost_lines += data.count(b"\n") or 1
        self._lost_octets += len(data)
        self._lost_reason = reason

    def _run(self) -> None:
        """Be the thread."""
        condition = self._condition
        while True:
            with condition:
                while not self._queue:
                    condition.wait()
                item = self._queue.popleft()
                self._in_flight = item if isinstance(item, bytes) else b""
            if not isinstance(item, bytes):
                if not item():
                    return
                continue
            self._write_out(item)
            with condition:
                self._in_flight = b""
                self._queued_octets -= len(item)

    def _write_out(self, data: bytes) -> None:
        # The half line that a full disk left must not swallow the next one.
        view = memoryview(b"\n" + data if self._torn else data)
        try:
            while view:
                count = self._sink.write(view)
                self._torn = view[count - 1] != _LINE_FEED if count else self._torn
                view = view[count:]
        except OSError as error:
            with self._condition:
                # Where not even the line feed put before it went out, the view is longer than the data.
                self._lose(bytes(view[-len(data) :]), str(error))

    def _reopen_sink(self) -> None:
        try:
            self._sink.reopen()
            self._torn = False
        except OSError as error:
            with self._condition:
                self._trouble = f"not reopened, the open file stays in use: {error}"

    def _close_sink(self) -> bool:
        self._sink.close()
        return False
