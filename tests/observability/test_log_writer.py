"""The writer takes every line at once and never blocks; what it cannot write it counts."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from log_fakes import FakeSink

from alsvid.observability.log_sink import (
    DescriptorSink,
    FileSink,
    NowhereSink,
    StreamSink,
    open_sink,
)
from alsvid.observability.log_writer import LogWriter

WAIT = 20.0  # how long a test waits for the thread before it fails; never waited out when all is well


def full_pipe() -> tuple[int, int]:
    """Return a pipe that nobody reads and that takes no octet more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 65536)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(writer, b"x")
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def test_what_is_written_arrives_in_order() -> None:
    """Lines keep their order."""
    sink = FakeSink()
    writer = LogWriter(sink)
    assert all(writer.write(b"%d\n" % n) for n in range(100))
    assert writer.close(WAIT)
    assert sink.text == b"".join(b"%d\n" % n for n in range(100))
    assert writer.take_report() == ""


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_short_writes_are_continued(most: int) -> None:
    """write(2) may take less than it was given."""
    sink = FakeSink()
    sink.most = most
    writer = LogWriter(sink)
    writer.write(b"first line\nsecond line\n")
    writer.write(b"third\n")
    assert writer.close(WAIT)
    assert sink.text == b"first line\nsecond line\nthird\n"


def test_the_thread_starts_with_the_first_line_only() -> None:
    """A process that forks before it logs has no thread to lose."""
    before = threading.active_count()
    writer = LogWriter(FakeSink())
    writer.reopen()
    assert writer.flush(0)
    assert threading.active_count() == before
    assert writer.close(0)


def test_a_reader_that_does_not_read_costs_lines_and_never_the_caller() -> None:
    """The queue is bounded; beyond it lines are dropped and counted."""
    sink = FakeSink()
    sink.opened.clear()
    writer = LogWriter(sink, queue_limit=100)
    assert writer.write(b"a" * 59 + b"\n")
    assert sink.entered.wait(WAIT)
    assert writer.write(b"b" * 39 + b"\n")
    assert not writer.write(b"c\nd\n")
    assert not writer.write(b"e\n")
    assert writer.lost_lines == 3
    assert writer.take_report() == "3 lines (6 octets) lost: its reader is too slow, 100 octets wait already"
    sink.opened.set()
    assert writer.flush(WAIT)
    assert writer.write(b"f\n")
    assert writer.close(WAIT)
    assert sink.text == b"a" * 59 + b"\n" + b"b" * 39 + b"\nf\n"
    assert writer.take_report() == ""


def test_a_full_pipe_never_blocks_who_logs() -> None:
    """More than the pipe and the queue hold is written while nobody reads: every call returns."""
    reader, descriptor = full_pipe()
    writer = LogWriter(DescriptorSink(descriptor), queue_limit=1000)
    accepted = sum(writer.write(b"x" * 99 + b"\n") for _ in range(100))
    assert accepted == 10
    assert writer.lost_lines == 90
    assert not writer.close(0)  # the thread still waits for the reader
    assert writer.lost_lines == 100
    assert "nobody read them" in writer.take_report()
    os.close(reader)  # lets the thread go: EPIPE
    os.close(descriptor)


def test_a_pipe_that_somebody_made_non_blocking_is_waited_for_by_the_thread() -> None:
    """EAGAIN is no loss: whoever shares standard output may set O_NONBLOCK on it."""
    reader, descriptor = full_pipe()
    os.set_blocking(descriptor, False)
    writer = LogWriter(DescriptorSink(descriptor))
    assert writer.write(b"line\n")
    left = b""
    while not left.endswith(b"line\n"):
        left = left[-5:] + os.read(reader, 65536)
    assert writer.close(WAIT)
    assert writer.take_report() == ""
    os.close(reader)
    os.close(descriptor)


def test_a_reader_that_went_away_costs_lines_only() -> None:
    """EPIPE; Python ignores SIGPIPE."""
    reader, descriptor = os.pipe()
    os.close(reader)
    writer = LogWriter(DescriptorSink(descriptor))
    assert writer.write(b"a\nb\n")
    assert writer.flush(WAIT)
    assert "2 lines (4 octets) lost: [Errno 32]" in writer.take_report()
    assert writer.close(WAIT)
    os.close(descriptor)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_full_disk_costs_lines_only() -> None:
    """ENOSPC is reported with the number of lines."""
    writer = LogWriter(FileSink("/dev/full"))
    for _ in range(3):
        assert writer.write(b"a\nb\n")
    assert writer.flush(WAIT)
    assert writer.take_report() == "6 lines (12 octets) lost: [Errno 28] No space left on device"
    assert writer.close(WAIT)


@pytest.mark.parametrize("failing", range(6))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EBADF, errno.EPIPE, errno.EDQUOT])
def test_a_write_that_fails_once_loses_its_own_lines_and_no_others(failing: int, code: int) -> None:
    """The N-th write fails, for every N: the log goes on."""
    sink = FakeSink()
    writer = LogWriter(sink)
    for number in range(6):
        if number == failing:
            sink.failures.append(OSError(code, os.strerror(code)))
        assert writer.write(b"%d\n" % number)
        assert writer.flush(WAIT)
    assert writer.close(WAIT)
    assert sink.text == b"".join(b"%d\n" % n for n in range(6) if n != failing)
    assert os.strerror(code) in writer.take_report()


@pytest.mark.parametrize("taken", range(1, 10))
def test_a_line_torn_by_a_full_disk_does_not_swallow_the_next(taken: int) -> None:
    """The rest of a half-written line is lost; the next line begins on its own."""

    class Tearing(FakeSink):
        def write(self, data: memoryview) -> int:
            if not self.text:
                self.most = taken
                return super().write(data)
            if self.most == taken:
                self.most = 1 << 30
                raise OSError(errno.ENOSPC, "full")
            return super().write(data)

    sink = Tearing()
    writer = LogWriter(sink)
    writer.write(b"1234\n6789\n")
    assert writer.flush(WAIT)
    writer.write(b"next\n")
    assert writer.close(WAIT)
    whole = b"1234\n6789\n"[:taken]
    assert sink.text == whole + (b"" if whole.endswith(b"\n") else b"\n") + b"next\n"
    assert ("1 line " if taken >= 5 else "2 lines") in writer.take_report()


def test_reopening_takes_its_turn_behind_what_was_written() -> None:
    """Lines before USR1 go to the old file, lines after it to the new one."""
    sink = FakeSink()
    writer = LogWriter(sink)
    writer.write(b"before\n")
    writer.reopen()
    writer.write(b"after\n")
    assert writer.close(WAIT)
    assert sink.text == b"before\n<reopened>after\n"


def test_a_file_renamed_by_rotation_is_opened_anew(tmp_path: Path) -> None:
    """rename, USR1: the writer goes on in a new file of the old name, appending."""
    path = tmp_path / "access.log"
    path.write_bytes(b"from the last run\n")
    writer = LogWriter(FileSink(str(path)))
    writer.write(b"one\n")
    assert writer.flush(WAIT)
    path.rename(tmp_path / "access.log.1")
    writer.write(b"two\n")
    writer.reopen()
    writer.write(b"three\n")
    assert writer.close(WAIT)
    assert (tmp_path / "access.log.1").read_bytes() == b"from the last run\none\ntwo\n"
    assert path.read_bytes() == b"three\n"


def test_a_file_that_cannot_be_opened_anew_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    """A rotation gone wrong is reported and costs nothing."""
    folder = tmp_path / "logs"
    folder.mkdir()
    writer = LogWriter(FileSink(str(folder / "access.log")))
    writer.write(b"one\n")
    assert writer.flush(WAIT)
    folder.rename(tmp_path / "moved")
    writer.reopen()
    writer.write(b"two\n")
    assert writer.close(WAIT)
    assert (tmp_path / "moved" / "access.log").read_bytes() == b"one\ntwo\n"
    assert "not reopened" in writer.take_report()


def test_closing_waits_no_longer_than_it_may_and_counts_what_is_left() -> None:
    """A blocked sink does not hold up the end of the process."""
    sink = FakeSink()
    sink.opened.clear()
    writer = LogWriter(sink)
    writer.write(b"held\n")
    assert sink.entered.wait(WAIT)
    writer.write(b"queued\nqueued\n")
    assert not writer.close(0)
    assert writer.take_report() == "3 lines (19 octets) lost: nobody read them before the end"
    sink.opened.set()


def test_a_closed_writer_refuses_and_counts() -> None:
    """Nothing is lost silently; closing twice is harmless."""
    sink = FakeSink()
    writer = LogWriter(sink)
    assert writer.close(WAIT)
    assert writer.close(WAIT)
    assert sink.closed == 1
    assert not writer.write(b"late\n")
    assert "1 line (5 octets) lost: the log is closed" in writer.take_report()


def test_no_thread_to_be_had_costs_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """RuntimeError of a process at its limit of threads."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sink = FakeSink()
    writer = LogWriter(sink)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert not writer.write(b"lost\n")
    assert "1 line (5 octets) lost: can't start new thread" in writer.take_report()
    assert writer.write(b"kept\n")
    assert writer.close(WAIT)
    assert sink.text == b"kept\n"


def test_a_signal_handler_may_log_while_the_same_thread_is_logging() -> None:
    """The lock is re-entrant."""
    sink = FakeSink()
    writer = LogWriter(sink)
    before = signal.signal(signal.SIGUSR1, lambda *_: writer.write(b"signal\n"))
    try:
        with writer._condition:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert writer.close(WAIT)
    assert sink.text == b"signal\n"


def test_many_threads_may_write_at_once() -> None:
    """Applications log from threads; no line is torn or counted twice."""
    sink = FakeSink()
    writer = LogWriter(sink)

    def write() -> None:
        for _ in range(200):
            writer.write(b"0123456789\n")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.close(WAIT)
    assert sink.text == b"0123456789\n" * 800


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_writes_with_a_thread_of_its_own(tmp_path: Path) -> None:
    """The child begins with an empty queue; what the parent held is the parent's to write."""
    path = tmp_path / "log"
    writer = LogWriter(FileSink(str(path)))
    writer.write(b"parent\n")
    assert writer.flush(WAIT)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            writer.write(b"child\n")
            status = 0 if writer.close(WAIT) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.write(b"parent again\n")
    assert writer.close(WAIT)
    assert path.read_bytes() == b"parent\nchild\nparent again\n"


class Odd:
    """A stream of an embedding program, without a descriptor."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_standard_stream_without_a_descriptor_is_written_as_text(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captures and consoles of other programs work."""
    odd = Odd()
    monkeypatch.setattr(sys, stream, odd)
    sink = open_sink("-", stream)
    assert isinstance(sink, StreamSink)
    assert sink.write(memoryview("é\n".encode())) == 3
    assert odd.text == "é\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_standard_stream_that_is_not_there_takes_everything(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started with the stream closed, sys.stdout is None: no output is wanted."""
    monkeypatch.setattr(sys, stream, None)
    sink = open_sink("-", stream)
    assert isinstance(sink, NowhereSink)
    assert sink.write(memoryview(b"abc")) == 3


def test_a_stream_that_was_closed_costs_lines_only(tmp_path: Path) -> None:
    """ValueError of a closed file object is a loss like any other."""
    with open(tmp_path / "f", "w") as stream:
        pass
    writer = LogWriter(StreamSink(stream))
    writer.write(b"a\n")
    assert writer.flush(WAIT)
    assert "1 line (2 octets) lost: I/O operation on closed file" in writer.take_report()
    assert writer.close(WAIT)


def test_a_descriptor_that_was_closed_costs_lines_only() -> None:
    """EBADF."""
    reader, descriptor = os.pipe()
    sink = DescriptorSink(descriptor)
    os.close(reader)
    os.close(descriptor)
    writer = LogWriter(sink)
    writer.write(b"a\n")
    assert writer.flush(WAIT)
    assert "[Errno 9]" in writer.take_report()
    assert writer.close(WAIT)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr"])
def test_the_device_names_of_the_standard_streams_are_the_streams(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening /dev/stdout fails where it is a socket, as under systemd."""
    odd = Odd()
    monkeypatch.setattr(sys, name[5:], odd)
    assert isinstance(open_sink(name, "stdout"), StreamSink)


def test_a_named_pipe_without_a_reader_is_an_error_and_no_wait(tmp_path: Path) -> None:
    """open(2) would wait for a reader for ever."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError) as caught:
        open_sink(str(tmp_path / "fifo"), "stdout")
    assert caught.value.errno == errno.ENXIO


def test_a_terminal_is_known_as_one() -> None:
    """Colours and the pace of flushing depend on it."""
    import pty

    master, slave = pty.openpty()
    try:
        assert DescriptorSink(slave).is_terminal
        assert LogWriter(DescriptorSink(slave)).is_terminal
    finally:
        os.close(master)
        os.close(slave)


def test_a_log_file_is_for_owner_and_group(tmp_path: Path) -> None:
    """Logs name clients."""
    before = os.umask(0)
    try:
        FileSink(str(tmp_path / "log")).close()
    finally:
        os.umask(before)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640
