"""The cost of idle sessions: memory, and the work when they end."""

import contextlib
import time

import procfs
from load import Driver, LoadFailed
from processes import Server

# Seconds that cleaning up after thousands of sessions may take.
LONGEST_CLEANUP = 20.0


def settled_pss(server: Server, quiet: float, longest: float) -> int:
    """The memory of the peer, once it has been the same for `quiet` seconds."""
    settled = procfs.pss(server.pids())
    start = since = time.monotonic()
    while time.monotonic() - since < quiet and time.monotonic() - start < longest:
        time.sleep(0.1)
        now = procfs.pss(server.pids())
        # A few pages more or less count as no change.
        if abs(now - settled) > 65536:
            settled, since = now, time.monotonic()
    return settled


def settle(server: Server, descriptors: int):
    """Waits for a short time until the peer has cleaned up the sessions that were opened and closed in its turn."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if procfs.descriptors(server.pids()) <= descriptors + 4:
                return
        time.sleep(0.01)


def idle_memory(driver: Driver, server: Server, service: str, sessions: int) -> dict:
    """Bytes per session beyond the idle process. Every peer gets the time to return memory that it does not need."""
    # The first session makes the process set up what it sets up once.
    with driver.idle_sessions(server.urls[service], 1):
        pass
    at_rest = settled_pss(server, quiet=0.5, longest=4)
    with driver.idle_sessions(server.urls[service], sessions):
        # Peers return buffers after about a second of silence.
        with_sessions = settled_pss(server, quiet=2, longest=8)
    return {"at_rest": at_rest, "bytes": (with_sessions - at_rest) / sessions}


def cleanup(driver: Driver, server: Server, service: str, sessions: int) -> dict:
    """The time and the work of a peer after all of its sessions have ended at once."""
    pids = server.pids()
    at_rest = procfs.descriptors(pids)
    with driver.idle_sessions(server.urls[service], sessions) as client:
        settled_pss(server, quiet=1, longest=4)
        before = procfs.cpu_sum(pids)
        start = time.monotonic()
        client.end_sessions()
        spent, closed = before.total, None
        idle_since = start
        while True:
            now = time.monotonic()
            if now - start > LONGEST_CLEANUP:
                still = procfs.descriptors(pids) - at_rest
                raise LoadFailed(f"still busy {LONGEST_CLEANUP:.0f} s later, with {still} descriptors")
            if closed is None and procfs.descriptors(pids) <= at_rest + 8:
                closed = now
            # Less than one percent of the core counts as quiet.
            total = procfs.cpu_sum(pids).total
            if total - spent > 0.01 * (now - idle_since):
                spent, idle_since = total, now
            if closed is not None and now - idle_since > 0.1:
                break
            time.sleep(0.005)
        server.check()
        used = procfs.cpu_sum(pids) - before
    return {
        "closed_seconds": closed - start, "idle_seconds": max(idle_since, closed) - start, "cpu_seconds": used.total,
        "user_seconds": used.user, "system_seconds": used.system,
    }
