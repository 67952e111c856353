"""Drives a peer with the load client, and reads what that costs it."""

import contextlib
import dataclasses
import json
import select
import subprocess
import time

import procfs
from peers import Peer, Site
from processes import Server, end, spawn

# How much longer than its measured seconds a run of the load client may take.
LONGEST_EXTRA = 30.0
# How long opening thousands of sessions, or cleaning up after them, may take.
LONGEST_OPENING = 60.0
LONGEST_CLEANUP = 20.0


class LoadFailed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Window:
    """How long is measured, and for how long before that is not."""

    seconds: float
    warmup: float


@dataclasses.dataclass(frozen=True)
class Driver:
    """The load client on its core."""

    site: Site
    core: int
    window: Window

    def _spawn(self, arguments: list, **options) -> subprocess.Popen:
        return spawn(
            [self.site.programs.load, *arguments], self.core, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run(self, peer: Peer, server: Server, *arguments) -> dict:
        """One run of the load client, and what a message cost the peer."""
        server.check()
        command = [*arguments, "--seconds", self.window.seconds, "--warmup", self.window.warmup]
        sampler = Sampler(server, self.window) if peer.forks else None
        if not sampler:
            for pid in server.pids():
                command += ["--pid", pid]
        process = self._spawn(command)
        try:
            output, errors = _communicate(process, self.window.seconds + self.window.warmup + LONGEST_EXTRA, sampler)
        finally:
            end(process)
        if process.returncode:
            server.check()
            raise LoadFailed(errors.strip() or f"the load client ended with status {process.returncode}")
        report = json.loads(output)
        spent = sampler.between(report["seconds"]) if sampler else _reported(report)
        return _row(report, spent)

    @contextlib.contextmanager
    def idle_sessions(self, url: str, count: int):
        """Keeps `count` sessions open; yields what ends them all at once."""
        process = self._spawn(["idle", url, "--sessions", count], stdin=subprocess.PIPE)
        try:
            ready, _, _ = select.select([process.stdout], [], [], LONGEST_OPENING)
            line = process.stdout.readline() if ready else b""
            if not line:
                process.kill()
                errors = process.stderr.read().decode(errors="replace").strip()
                ended = "ended" if ready else f"did not open {count} sessions within {LONGEST_OPENING:.0f} s"
                raise LoadFailed(errors or f"the load client {ended}")
            opened = json.loads(line)
            if opened["sessions"] != count:
                raise LoadFailed(f"only {opened['sessions']} of {count} sessions are open")
            yield process.stdin.close
            if process.poll() not in (None, 0):
                raise LoadFailed(process.stderr.read().decode(errors="replace").strip())
        finally:
            end(process)


def _communicate(process: subprocess.Popen, patience: float, sampler: "Sampler | None") -> tuple[str, str]:
    deadline = time.monotonic() + patience
    while True:
        try:
            step = sampler.interval if sampler else deadline - time.monotonic()
            output, errors = process.communicate(timeout=max(step, 0.001))
            return output.decode(errors="replace"), errors.decode(errors="replace")
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise LoadFailed(f"the load client did not end within {patience:.0f} s") from None
            if sampler:
                sampler.sample()


def _reported(report: dict) -> procfs.CPU:
    """What the load client has read itself, exactly at both ends of the measured window."""
    spent = sum((procfs.CPU(0, each["user"], each["system"]) for each in report["cpu"]), procfs.CPU())
    # The client rounds seconds to milliseconds, and this not.
    total = sum(each["us_per_message"] for each in report["cpu"]) * report["messages"] / 1e6
    return procfs.CPU(total, spent.user, spent.system).shared_out()


def _row(report: dict, spent: procfs.CPU) -> dict:
    messages = report["messages"]
    row = {
        "messages": messages,
        "seconds": report["seconds"],
        "per_second": report["per_second"],
        "cpu_us": 1e6 * spent.total / messages,
        "user_us": 1e6 * spent.user / messages,
        "system_us": 1e6 * spent.system / messages,
        "busy": spent.total / report["seconds"],
        "client_busy": report["client_cpu_seconds"] / report["seconds"],
        **{f"{name}_us": value for name, value in report["latency_us"].items()},
    }
    return row | {key: report[key] for key in ("resumed", "storm") if key in report}


class Sampler:
    """For a peer whose processes come with the sessions: looks at the whole tree now and then while the load runs.

    What it spent in the middle of the measured window stands for all of it.
    """

    def __init__(self, server: Server, window: Window):
        self.interval = max(0.03, window.seconds / 10)
        self._server = server
        self._samples: list[tuple[float, dict[int, procfs.CPU]]] = []

    def sample(self):
        self._samples.append((time.monotonic(), procfs.cpu_by_process(self._server.pids())))

    def between(self, seconds: float) -> procfs.CPU:
        """Of the last `seconds` before now, what lies well inside."""
        now = time.monotonic()
        inside = [each for each in self._samples if now - 0.9 * seconds <= each[0] <= now - 0.1 * seconds]
        if len(inside) < 2:
            raise LoadFailed("the run was too short to look at the peer's processes twice")
        (start, before), (stop, after) = inside[0], inside[-1]
        spent = sum((after[pid] - before[pid] for pid in before.keys() & after.keys()), procfs.CPU()).shared_out()
        scale = seconds / (stop - start)
        return procfs.CPU(spent.total * scale, spent.user * scale, spent.system * scale)


def settled_pss(server: Server, quiet: float, longest: float) -> int:
    """The memory of the peer once it has not changed for `quiet` seconds."""
    settled = procfs.pss(server.pids())
    start = since = time.monotonic()
    while time.monotonic() - since < quiet and time.monotonic() - start < longest:
        time.sleep(0.1)
        now = procfs.pss(server.pids())
        # A few pages more or less are no news.
        if abs(now - settled) > 65536:
            settled, since = now, time.monotonic()
    return settled


def settle(server: Server, descriptors: int):
    """Waits, not for long, until the peer has put away the sessions of the run before."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if procfs.descriptors(server.pids()) <= descriptors + 4:
                return
        time.sleep(0.01)


def idle_memory(driver: Driver, server: Server, service: str, sessions: int) -> dict:
    """Bytes per session beyond the process at rest. Every peer gets the time to give back what it does not need."""
    # After a first session the process has set up all that it sets up once.
    with driver.idle_sessions(server.urls[service], 1):
        pass
    at_rest = settled_pss(server, quiet=0.5, longest=4)
    with driver.idle_sessions(server.urls[service], sessions):
        # Buffers are given back after a second or so of silence.
        with_sessions = settled_pss(server, quiet=2, longest=8)
    return {"at_rest": at_rest, "bytes": (with_sessions - at_rest) / sessions}


def cleanup(driver: Driver, server: Server, service: str, sessions: int) -> dict:
    """How long the peer works after all of its sessions went away at once, and what that costs."""
    pids = server.pids()
    at_rest = procfs.descriptors(pids)
    with driver.idle_sessions(server.urls[service], sessions) as end_all:
        settled_pss(server, quiet=1, longest=4)
        before = procfs.cpu_sum(pids)
        start = time.monotonic()
        end_all()
        spent, closed = before.total, None
        idle_since = start
        while True:
            now = time.monotonic()
            if now - start > LONGEST_CLEANUP:
                still = procfs.descriptors(pids) - at_rest
                raise LoadFailed(f"still busy {LONGEST_CLEANUP:.0f} s later, with {still} descriptors")
            if closed is None and procfs.descriptors(pids) <= at_rest + 8:
                closed = now
            # Quiet is less than one percent of the core.
            total = procfs.cpu_sum(pids).total
            if total - spent > 0.01 * (now - idle_since):
                spent, idle_since = total, now
            if closed is not None and now - idle_since > 0.1:
                break
            time.sleep(0.005)
        server.check()
        used = (procfs.cpu_sum(pids) - before).shared_out()
    return {
        "closed_seconds": closed - start, "idle_seconds": max(idle_since, closed) - start, "cpu_seconds": used.total,
        "user_seconds": used.user, "system_seconds": used.system,
    }
