"""One scenario, from the start of the gateway to its end."""

import collections
import contextlib
import dataclasses
import pathlib
import tempfile
import time

import servers
from children import Child
from gateway import Gateway
from good import Phase, Plan, Report, good
from scenarios import Scenario

PHASES = ("before", "during", "after")
# How slow a good session may become: this, or so many times its usual latency.
ALLOWED, TIMES = 0.020, 10
# How long memory may take to fall: so many times the attack.
SETTLING = 2.5


@dataclasses.dataclass(frozen=True)
class Result:
    scenario: Scenario
    p50: tuple[float, float, float]
    p99: tuple[float, float, float]
    # Of the kind of good session that the attack slowed most, its name and its p99 during the attack.
    slowest: tuple[str, float]
    # Of new sessions during the attack: median and longest time to open.
    openings: tuple[float, float]
    # Of the good sessions' own clock during the attack (p99): not the gateway's.
    late: float
    # Resident bytes before, at the peak, and after.
    memory: tuple[int, int, int]
    messages: int
    lost_messages: int
    lost_sessions: int
    failed_openings: int
    logged: int
    counts: collections.Counter
    # What else is wrong.
    complaints: list[str]
    remarks: list[str]

    @property
    def allowed(self) -> float:
        return max(ALLOWED, TIMES * self.p99[0])

    @property
    def broken(self) -> list[str]:
        """The bounds that were exceeded."""
        broken = list(self.complaints)
        if self.p99[1] > self.allowed:
            kind, worst = self.slowest
            broken.append(
                f"p99 of {milliseconds(self.p99[1])} ms during the attack, of at most {milliseconds(self.allowed)} "
                f"({kind}: {milliseconds(worst)})"
            )
        for count, what in (
            (self.lost_messages, "messages lost"),
            (self.lost_sessions, "sessions lost"),
            (self.failed_openings, "fresh sessions that did not open"),
        ):
            if count:
                broken.append(f"{count} {what}")
        return broken


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"


def quantile(values: list[float], share: float) -> float:
    """The smallest value that this share does not exceed; 0 without values."""
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def configuration(scenario: Scenario, folder: pathlib.Path, ports: dict[str, tuple[int, int]]) -> dict:
    def endpoints(who: str) -> dict:
        return {"websocket": [f"ws://127.0.0.1:{ports[who][0]}"]}

    prepared = scenario.prepare(folder) if scenario.prepare else {}
    return {
        "workers": 1,
        "admin": "127.0.0.1:0",
        "log": {"format": "json"},
        "drain": {"over": "0s"},
        "listeners": [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": {"self-signed": ["localhost"]}}],
        "routes": [
            {"path": "/private/*", "backend": "echo", "origins": ["https://a.example"]},
            {"path": "/relay", "backend": "relay"},
            {"path": "/attack/*", "backend": "attack"},
            {"path": "/bridge", "backend": "bridge"},
            {"path": "/echo", "backend": "echo"},
            {"path": "/room/*", "backend": "rooms"},
            {"path": "/clock", "backend": "clock"},
        ],
        "backends": {
            "relay": endpoints("good"),
            "attack": endpoints("attack"),
            "bridge": {"tcp": [f"127.0.0.1:{ports['good'][1]}"]},
            "echo": {"builtin": "echo"},
            "rooms": {"builtin": "broadcast"},
            "clock": {"builtin": "clock", "every": "20ms"},
        },
        **scenario.configuration,
        **prepared,
    }


def run(scenario: Scenario, plan: Plan, seconds: float) -> Result:
    """An attack of so many seconds, between two quiet phases of half that."""
    quiet = max(1.0, seconds / 2)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-attack-")))
        ports = {}
        for who, nice in (("good", 0), ("attack", 15)):
            listeners = tuple(stack.enter_context(servers.listen()) for _ in range(2))
            ports[who] = tuple(listener.getsockname()[1] for listener in listeners)
            child(stack, Child(f"the servers of the {who}", servers.serve, listeners, nice=nice)).wait("ready")
        gateway = Gateway(folder, configuration(scenario, folder, ports), scenario.descriptors)
        with gateway:
            sessions = child(stack, Child("the good sessions", good, gateway.site, plan))
            sessions.wait("ready")
            time.sleep(min(1.0, quiet))
            sessions.order("before")
            time.sleep(quiet)
            memory_before, logged_before = gateway.memory(), gateway.logged()
            gateway.forget_peak()
            sessions.order("during")
            attackers = []
            for attacker in scenario.attackers:
                attackers.append(child(stack, attacker.start(gateway.site)))
                attackers[-1].wait("ready")
            time.sleep(seconds)
            for attacker in attackers:
                attacker.order("stop")
            counts = added_up([attacker.wait("done") for attacker in attackers])
            peak, logged = gateway.peak_memory(), gateway.logged() - logged_before
            sessions.order("after")
            time.sleep(quiet)
            memory_after = gateway.settled_memory(SETTLING * seconds)
            sessions.order("stop")
            report: Report = sessions.wait("done")
            complaints = [] if gateway.is_running else [f"the gateway ended with status {gateway.status}"]
        if not complaints and gateway.status != 0:
            complaints.append(f"after SIGTERM the gateway ended with status {gateway.status}")
    for what in ("/readyz failed", "/readyz not ready"):
        if counts[what]:
            complaints.append(f"{counts[what]} times: {what}")
    phases = [report.phases.get(name, Phase()) for name in PHASES]
    trips = [[trip for kind in phase.trips.values() for trip in kind] for phase in phases]
    during = phases[1]
    remarks = list(report.reasons)
    if "memory" in scenario.configuration and not gateway.bounds_memory:
        remarks.append("this gateway does not know the key `memory`")
    return Result(
        scenario=scenario,
        p50=tuple(quantile(values, 0.5) for values in trips),
        p99=tuple(quantile(values, 0.99) for values in trips),
        slowest=max(((kind, quantile(values, 0.99)) for kind, values in during.trips.items()), key=lambda row: row[1],
                    default=("none", 0.0)),
        openings=(quantile(during.openings, 0.5), max(during.openings, default=0.0)),
        late=quantile(during.late, 0.99),
        memory=(memory_before, peak, memory_after),
        messages=report.messages,
        lost_messages=report.lost_messages + counts.pop("lost messages", 0),
        lost_sessions=report.lost_sessions + counts.pop("lost sessions", 0),
        failed_openings=report.failed_openings,
        logged=logged,
        counts=counts,
        complaints=complaints,
        remarks=remarks,
    )


def child(stack: contextlib.ExitStack, started: Child) -> Child:
    stack.callback(started.end)
    return started


def added_up(all_counts: list[collections.Counter]) -> collections.Counter:
    total = collections.Counter()
    for counts in all_counts:
        for name, count in counts.items():
            total[name] = max(total[name], count) if name.startswith("worst") else total[name] + count
    return total
