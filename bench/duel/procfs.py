"""What a process tree costs: processor time and memory, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds of processor time, summed over a process tree since its start."""

    user_s: float
    system_s: float

    def since(self, earlier: "CpuTimes") -> "CpuTimes":
        return CpuTimes(self.user_s - earlier.user_s, self.system_s - earlier.system_s)


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third one (state) on; the name before may hold spaces."""
    text = (PROC / str(pid) / "stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def session_pids(session_id: int) -> list[int]:
    """All processes of a session: children stay in it also when their parent has gone."""
    pids = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if int(stat_fields(int(entry.name))[3]) == session_id:
                pids.append(int(entry.name))
        except (OSError, ValueError):  # It ended between the listing and the reading.
            continue
    return pids


def cpu_times(session_id: int) -> CpuTimes:
    """Processor time of the tree, with that of children already reaped."""
    ticks_a_second = os.sysconf("SC_CLK_TCK")
    user = system = 0
    for pid in session_pids(session_id):
        try:
            fields = stat_fields(pid)
        except OSError:
            continue
        user += int(fields[11]) + int(fields[13])
        system += int(fields[12]) + int(fields[14])
    return CpuTimes(user / ticks_a_second, system / ticks_a_second)


def pss_kib(session_id: int) -> int:
    """Proportional set size of the tree: shared pages are counted once over their sharers."""
    total = 0
    for pid in session_pids(session_id):
        try:
            text = (PROC / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total
