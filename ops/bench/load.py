"""The load client: a program with sessions at a peer. It is asked for one turn after the other."""

import contextlib
import dataclasses
import json
import os
import pathlib
import select
import subprocess
from typing import Iterator

from processes import end, spawn

# Seconds that a turn may take beyond its measured seconds.
LONGEST_EXTRA = 30.0
# Seconds that opening thousands of sessions may take.
LONGEST_OPENING = 60.0


class LoadFailed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Window:
    """The seconds of a turn that are measured, and those before that are not."""

    seconds: float
    warmup: float


class LoadClient:
    """A running load client. Its first line of JSON says that its sessions are open."""

    def __init__(self, command: list, core: int):
        self._process = spawn(
            command, core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.opened = self._line(LONGEST_OPENING, "did not open its sessions")
        except BaseException:
            self.stop()
            raise

    def turn(self, pids: list[int], window: Window) -> dict:
        """Runs one turn. Returns its report, with the processor time of these processes."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno(), f"{' '.join(map(str, pids))}\n".encode())
        return self._line(window.warmup + window.seconds + LONGEST_EXTRA, "did not end its turn")

    def _line(self, patience: float, complaint: str) -> dict:
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        if not ready:
            raise LoadFailed(f"the load client {complaint} within {patience:.0f} s")
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._process.wait()
        self.check()
        raise LoadFailed("the load client ended without figures")

    def check(self):
        """Fails if it has ended with an error."""
        if self._process.poll():
            errors = self._process.stderr.read().decode(errors="replace").strip()
            raise LoadFailed(errors or f"the load client ended with status {self._process.returncode}")

    def end_sessions(self):
        """Ends all sessions at once."""
        self._process.stdin.close()

    def stop(self):
        end(self._process)


@dataclasses.dataclass(frozen=True)
class Driver:
    """Starts load clients, all on the same core."""

    program: pathlib.Path
    core: int

    def client(self, arguments: list, window: Window) -> LoadClient:
        """A load client for turns of this length."""
        times = ["--turns-on-request", "--seconds", window.seconds, "--warmup", window.warmup]
        return LoadClient([self.program, *arguments, *times], self.core)

    @contextlib.contextmanager
    def idle_sessions(self, url: str, count: int) -> Iterator[LoadClient]:
        """Keeps `count` sessions open."""
        client = LoadClient([self.program, "idle", url, "--sessions", count], self.core)
        try:
            if client.opened["sessions"] != count:
                raise LoadFailed(f"only {client.opened['sessions']} of {count} sessions are open")
            yield client
            client.check()
        finally:
            client.stop()


def figures(report: dict) -> dict:
    """The figures of one turn, by the load client. User and system time are in the kernel's ticks, so only sums of many turns are useful."""
    messages, seconds = report["messages"], report["seconds"]
    spent = {name: sum(each[name] for each in report["cpu"]) for name in ("seconds", "user", "system")}
    latency = report["latency_us"]
    row = {
        "messages": messages,
        "seconds": seconds,
        "per_second": report["per_second"],
        "user_seconds": spent["user"],
        "system_seconds": spent["system"],
        "busy": spent["seconds"] / seconds,
        "client_busy": report["client_cpu_seconds"] / seconds,
    }
    # On a busy machine a turn may have none.
    if messages and report["latency_histogram_ns"]:
        row |= {"cpu_us": 1e6 * spent["seconds"] / messages, "p50_us": latency["p50"], "p99_us": latency["p99"]}
    return row | {key: report[key] for key in ("resumed", "storm") if key in report}
