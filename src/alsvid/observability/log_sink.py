"""Where log octets end: a descriptor, a file, or a Python stream. Owns opening, reopening and one write.

A sink may block and may raise OSError; `log_writer` calls it from a thread of its own.
"""

from __future__ import annotations

import os
import select
import sys
from typing import Any, Protocol

# Logs name clients and paths: readable by the owner and the group only, minus the umask.
_FILE_MODE = 0o640
# How long a non-blocking descriptor is waited for before its writer looks at it again.
_WRITABLE_WAIT_MS = 100

_STANDARD_PATHS = {"/dev/stdout": "stdout", "/dev/stderr": "stderr"}


class Sink(Protocol):
    """What a log is written to."""

    is_terminal: bool

    def write(self, data: memoryview) -> int:
        """Write some of `data` and return how much, waiting as long as it takes. Raises: OSError."""

    def reopen(self) -> None:
        """Open the file of the same name anew, if there is one. Raises: OSError; the old one stays open."""

    def close(self) -> None:
        """Give back what the sink has opened itself."""


class DescriptorSink:
    """An open descriptor that belongs to somebody else, such as standard output."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        try:
            self.is_terminal = os.isatty(descriptor)
        except OSError:
            self.is_terminal = False

    def write(self, data: memoryview) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Whoever shares the descriptor has made it non-blocking: wait here, in the writer's thread.
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll(_WRITABLE_WAIT_MS)

    def reopen(self) -> None:
        """Do nothing: there is no name to open."""

    def close(self) -> None:
        """Do nothing: the owner closes it."""


class FileSink(DescriptorSink):
    """A file that is opened for appending. Raises: OSError where it cannot be opened."""

    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__(_open_to_append(path))

    def reopen(self) -> None:
        fresh = _open_to_append(self._path)
        stale, self._descriptor = self._descriptor, fresh
        os.close(stale)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class StreamSink:
    """A Python text stream without a descriptor (a test's capture, a console of an embedding program)."""

    is_terminal = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: memoryview) -> int:
        try:
            self._stream.write(bytes(data).decode("utf-8", "replace"))
            self._stream.flush()
        except ValueError as error:  # "I/O operation on closed file"
            raise OSError(str(error)) from error
        return len(data)

    def reopen(self) -> None:
        """Do nothing: there is no name to open."""

    def close(self) -> None:
        """Do nothing: the owner closes it."""


class NowhereSink:
    """Takes everything and keeps nothing: a process started without the stream (`>&-`) wants no output."""

    is_terminal = False

    def write(self, data: memoryview) -> int:
        return len(data)

    def reopen(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def open_sink(name: str, stream: str) -> Sink:
    """Open a log by its name: a path, or "-" for `stream` ("stdout" or "stderr").

    Raises: OSError where the file cannot be opened.
    """
    stream = _STANDARD_PATHS.get(name, stream if name == "-" else "")
    if not stream:
        return FileSink(name)
    standard = getattr(sys, stream)
    if standard is None:
        return NowhereSink()
    try:
        return DescriptorSink(standard.fileno())
    except (OSError, ValueError, AttributeError):
        return StreamSink(standard) if hasattr(standard, "write") else NowhereSink()


def _open_to_append(path: str) -> int:
    # Non-blocking, because opening a named pipe that nobody reads would never return; then ENXIO says so.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags, _FILE_MODE)
    os.set_blocking(descriptor, True)
    return descriptor
