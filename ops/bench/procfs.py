"""Processes in /proc: children, time on a CPU, memory, descriptors."""

import dataclasses
import os

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class CPU:
    """Seconds on a CPU. The total is exact; user and system are in the kernel's ticks, so use only their ratio over many seconds."""

    total: float = 0.0
    user: float = 0.0
    system: float = 0.0

    def __add__(self, other: "CPU") -> "CPU":
        return CPU(self.total + other.total, self.user + other.user, self.system + other.system)

    def __sub__(self, other: "CPU") -> "CPU":
        return CPU(self.total - other.total, self.user - other.user, self.system - other.system)


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    found += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # It has ended meanwhile.
    return found


def cpu(pid: int) -> CPU:
    """The time of all threads of a process. For ended threads there are only ticks."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return CPU(total / 1e9, int(fields[11]) * _TICK, int(fields[12]) * _TICK)


def cpu_sum(pids: list[int]) -> CPU:
    """The processes that have not ended."""
    times = CPU()
    for pid in pids:
        try:
            times += cpu(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return times


def pss(pids: list[int]) -> int:
    """Proportional set size in bytes: a shared page counts in parts.

    Pages of files (code, libraries) are left out. A session has none, and their share depends on the other processes that map them, such as
    the load client.
    """
    kibibytes = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            kibibytes += sum(int(line.split()[1]) for line in file if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return kibibytes << 10


def descriptors(pids: list[int]) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
