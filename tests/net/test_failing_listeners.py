"""The N-th system call fails while listeners are opened or a log is written, for every N."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from alsvid.errors import StartupError
from alsvid.net.settings import ListenSettings
from alsvid.net.sockets import open_listeners
from alsvid.observability.log_sink import DescriptorSink, FileSink
from alsvid.observability.log_writer import LogWriter

WAIT = 20.0


class Countdown:
    """Fails the N-th of the calls it watches."""

    def __init__(self, patch: pytest.MonkeyPatch, nth: int, code: int) -> None:
        self._patch = patch
        self._nth = nth
        self._code = code
        self.count = 0

    def watch(self, owner: Any, name: str) -> None:
        """Count the calls of a function of the system among those that may fail."""
        real = getattr(owner, name)

        def call(*arguments: Any, **more: Any) -> Any:
            self.count += 1
            if self.count - 1 == self._nth:
                raise OSError(self._code, os.strerror(self._code))
            return real(*arguments, **more)

        self._patch.setattr(owner, name, call)


def descriptors() -> int:
    """How many are open."""
    return len(os.listdir("/proc/self/fd"))


def _stale(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def _open(binds: tuple[str, ...], name: str, nth: int, code: int) -> int:
    """Open listeners while the N-th call of `name` fails; return how many calls there were."""
    owner = (
        os if name in ("lstat", "unlink") else socket if name in ("getaddrinfo", "socket") else socket.socket
    )
    before = descriptors()
    with pytest.MonkeyPatch.context() as patch:
        countdown = Countdown(patch, nth, code)
        if name == "socket":
            countdown.watch(socket.socket, "__init__")
        else:
            countdown.watch(owner, name)
        listeners = []
        told = ""
        try:
            listeners = open_listeners(ListenSettings(bind=binds), {})
        except StartupError as error:
            told = str(error)
    if told:
        assert any(words in told for words in (os.strerror(code), "permission denied"))
        assert any(address in told for address in ("127.0.0.1", "localhost", "unix:"))
    else:
        assert len(listeners) >= len(binds)
    for listener in listeners:
        listener.close()
    assert descriptors() == before
    return countdown.count


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOBUFS, errno.EACCES])
@pytest.mark.parametrize("name", ["socket", "setsockopt", "bind", "listen", "getaddrinfo"])
def test_listeners_are_all_open_or_none_whichever_call_fails(name: str, code: int, tmp_path: Path) -> None:
    """All or nothing: the error names the address, no descriptor or path is left, the next start works."""
    path = tmp_path / "socket"
    binds = ("127.0.0.1:0", "localhost:0", f"unix:{path}")
    nth = 0
    while True:
        _stale(path)
        count = _open(binds, name, nth, code)
        path.unlink(missing_ok=True)
        if count <= nth:
            break
        nth += 1
    assert nth >= 2
    assert _open(binds, name, -1, code)
    assert not path.exists()


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EDQUOT])
def test_a_write_that_fails_at_any_call_costs_its_own_lines(code: int) -> None:
    """EAGAIN costs nothing, the others what was to be written; the next line goes out."""
    for nth in range(6):
        reader, descriptor = os.pipe()
        with pytest.MonkeyPatch.context() as patch:
            writer = LogWriter(DescriptorSink(descriptor))
            Countdown(patch, nth, code).watch(os, "write")
            for number in range(6):
                assert writer.write(b"%d\n" % number)
                assert writer.flush(WAIT)
            assert writer.close(WAIT)
        os.close(descriptor)
        lost = -1 if code == errno.EAGAIN else nth
        assert os.read(reader, 4096) == b"".join(b"%d\n" % n for n in range(6) if n != lost)
        assert (os.strerror(code) in writer.take_report()) is (lost >= 0)
        os.close(reader)


def test_a_file_that_fails_to_open_at_any_rotation_keeps_the_old_one(tmp_path: Path) -> None:
    """EMFILE at the N-th reopening: the lines go on into the open file, no descriptor is left over."""
    for nth in range(4):
        path = tmp_path / f"log{nth}"
        before = descriptors()
        writer = LogWriter(FileSink(str(path)))
        with pytest.MonkeyPatch.context() as patch:
            Countdown(patch, nth, errno.EMFILE).watch(os, "open")
            for number in range(4):
                assert writer.write(b"%d\n" % number)
                writer.reopen()
                assert writer.flush(WAIT)
        assert os.strerror(errno.EMFILE) in writer.take_report()
        assert writer.close(WAIT)
        assert path.read_bytes() == b"0\n1\n2\n3\n"
        assert descriptors() == before
