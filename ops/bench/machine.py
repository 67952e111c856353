"""The machine, and which program gets which of its cores."""

import dataclasses
import datetime
import os
import pathlib
import platform
import subprocess


@dataclasses.dataclass(frozen=True)
class Cores:
    peer: int
    load: int
    backend: int

    def __str__(self) -> str:
        shared = "load client and backends" if self.load == self.backend else f"load client; {self.backend}: backends"
        return f"{self.peer}: the peer; {self.load}: {shared}"


def cores() -> Cores:
    available = sorted(os.sched_getaffinity(0))
    # A single core is shared by all.
    chosen = [available[min(number, len(available) - 1)] for number in range(3)]
    return Cores(*chosen)


def load_average() -> str:
    return "{:.2f}".format(os.getloadavg()[0])


def facts(root: pathlib.Path) -> dict[str, str]:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(root),
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20):.0f} GiB",
        "system": f"{_field('/etc/os-release', 'PRETTY_NAME', '=').strip(chr(34))}, Linux {platform.release()}",
        "load average before": load_average(),
    }


def _field(file: str, name: str, separator: str = ":") -> str:
    for line in pathlib.Path(file).read_text().splitlines():
        key, _, value = line.partition(separator)
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _commit(root: pathlib.Path) -> str:
    result = subprocess.run(
        ["git", "-C", root, "describe", "--always", "--dirty"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"
