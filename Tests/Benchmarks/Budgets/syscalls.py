"""System calls per message: one recv, one send, and a share of an epoll_wait.

With many sessions, io_uring makes many sends with one system call: that counts as one send.
"""

import os
import pathlib
import signal
import tempfile

from traffic import BRIDGE, ECHO, RELAY, TLS_RELAY, messages, traffic

# Kind, sessions, messages in flight in each.
SCENARIOS = [
    (RELAY, 1, 1), (RELAY, 100, 1), (RELAY, 1, 16), (TLS_RELAY, 1, 1), (TLS_RELAY, 100, 1), (TLS_RELAY, 1, 16),
    (ECHO, 1, 1), (BRIDGE, 1, 1), (BRIDGE, 100, 1),
]
# Both runs include what is done once, even once for each session, so they differ only by the messages.
FEW, MANY = 1000, 4000
NAMES = {"recv": ["recvfrom"], "send": ["sendto", "io_uring_enter"], "epoll_wait": ["epoll_pwait"]}
UNIT = "system calls per message"
DECIMALS = 2


def budget(name: str, value: float) -> float:
    """A little more than measured: the log's thread may wake up once or a hundred times for the lines of a hundred sessions.

    Scheduling decides what comes together in one read, one batch of events or one batch of sends; the budget is for that it does.
    """
    is_shared = value < 0.5 and not name.endswith(": others")
    return 0.5 if is_shared else value + 0.05


async def measure() -> dict[str, float]:
    results = {}
    for kind, sessions, in_flight in SCENARIOS:
        few = await count(kind, sessions, in_flight, FEW)
        many = await count(kind, sessions, in_flight, MANY)
        per_message = {
            name: (many.get(name, 0) - few.get(name, 0)) / messages(kind, MANY - FEW) for name in {*few, *many}
        }
        label = f"{kind}, {sessions} session{'s' if sessions > 1 else ''}, {in_flight} in flight"
        for name, calls in NAMES.items():
            results[f"{label}: {name}"] = sum(per_message.pop(call, 0) for call in calls)
        results[f"{label}: others"] = sum(per_message.values())
    return results


async def count(kind: str, sessions: int, in_flight: int, round_trips: int) -> dict[str, int]:
    """How often the gateway made each system call, from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="gateway-budgets-") as folder:
        file = pathlib.Path(folder) / "strace"
        wrapper = ("strace", "-f", "-c", "--summary-columns=calls,name", "-o", str(file))
        async with traffic(kind, wrapper=wrapper) as run:
            await run.open(sessions)
            await run.exchange(round_trips, in_flight)
            await run.close()
            # strace does not pass signals on. It ends when the gateway does, with the same status.
            os.kill(child(run.gateway.process.pid), signal.SIGTERM)
            await run.gateway.exited()
        lines = [line.split() for line in file.read_text().splitlines()]
    return {line[1]: int(line[0]) for line in lines if len(line) == 2 and line[0].isdigit() and line[1] != "total"}


def child(process: int) -> int:
    (one,) = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(one)
