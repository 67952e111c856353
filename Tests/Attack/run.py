"""One scenario, from the start of the gateway to its end."""

import collections
import contextlib
import dataclasses
import pathlib
import tempfile
import time

import hostile
import servers
from children import Child
from configuration import configuration, confidential
from figures import refusals, said
from gateway import Gateway
from good import Phase, Plan, Report, good
from scenarios import Scenario

ON = {True: "on", False: "off"}
PHASES = ("before", "during", "after")
# How slow a good session may become: this, or so many times its usual latency; besides, as late as the good clients themselves were.
# Without limits an attacker may have more of the worker.
ALLOWED, TIMES = {True: 0.020, False: 0.050}, 10
# How long memory may take to fall: so many times the attack; and how much of its rise may remain.
SETTLING = 2.5
REMAINING, SHARE = 32 << 20, 0.25


@dataclasses.dataclass(frozen=True)
class Result:
    scenario: Scenario
    # Whether the gateway's configuration had limits.
    limited: bool
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
    # By cause, what the gateway refused or ended during the attack and after it.
    refused: collections.Counter
    logged: int
    # What the attackers counted.
    counts: collections.Counter
    # What else is wrong.
    complaints: list[str]
    remarks: list[str]

    @property
    def title(self) -> str:
        return titled(self.scenario.name, self.limited)

    @property
    def allowed(self) -> float:
        return max(ALLOWED[self.limited], TIMES * self.p99[0]) + self.late

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
        if self.memory[2] > most_memory(*self.memory[:2]):
            broken.append(f"{self.memory[2] >> 20} MiB of memory afterwards, of at most {most_memory(*self.memory[:2]) >> 20}")
        for count, what in (
            (self.lost_messages, "messages lost"),
            (self.lost_sessions, "sessions lost"),
            (self.failed_openings, "fresh sessions that did not open"),
        ):
            if count:
                broken.append(f"{count} {what}")
        return broken


def titled(name: str, limited: bool) -> str:
    return f"{name}, limits {ON[limited]}"


def most_memory(before: int, peak: int) -> int:
    """What may be resident after an attack, in bytes."""
    return before + max(REMAINING, int(SHARE * (peak - before)))


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"


def quantile(values: list[float], share: float) -> float:
    """The smallest value that this share does not exceed; 0 without values."""
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def run(scenario: Scenario, plan: Plan, seconds: float, *, limited: bool) -> Result:
    """An attack of so many seconds, between two quiet phases of half that, on a gateway with limits or without."""
    quiet = max(1.0, seconds / 2)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-attack-")))
        certificate = scenario.certificate(folder) if scenario.certificate else None
        settings = configuration(
            folder, start_servers(stack), limited=limited, certificate=certificate, more=scenario.configuration)
        gateway = Gateway(folder, settings, scenario.descriptors)
        with gateway:
            sessions = child(stack, Child("the good clients", good, gateway.site, plan))
            sessions.wait("ready")
            time.sleep(min(1.0, quiet))
            sessions.order("before")
            time.sleep(quiet)
            memory_before, logged_before = gateway.memory(), gateway.logged()
            refused_before = refusals(said(gateway.site, "/metrics"))
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
            memory_after = gateway.settled_memory(SETTLING * seconds, most_memory(memory_before, peak))
            # Also of sessions whose clients left some seconds ago.
            refused = refusals(said(gateway.site, "/metrics")) - refused_before
            written = "\n".join(said(gateway.site, path) for path in ("/metrics", "/api/sessions", "/api/backends"))
            sessions.order("stop")
            report: Report = sessions.wait("done")
            complaints = [] if gateway.is_running else [f"the gateway ended with status {gateway.status}"]
        if not complaints and gateway.status != 0:
            complaints.append(f"after SIGTERM the gateway ended with status {gateway.status}")
        complaints += leaks(written + gateway.log())
    for what in ("/readyz failed", "/readyz not ready", *scenario.never):
        if counts[what]:
            complaints.append(f"{counts[what]} times: {what}")
    phases = [report.phases.get(name, Phase()) for name in PHASES]
    trips = [[trip for kind in phase.trips.values() for trip in kind] for phase in phases]
    during = phases[1]
    return Result(
        scenario=scenario,
        limited=limited,
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
        refused=refused,
        logged=logged,
        counts=counts,
        complaints=complaints,
        remarks=list(report.reasons),
    )


def start_servers(stack: contextlib.ExitStack) -> dict[str, tuple[int, ...]]:
    """Starts the servers behind the gateway. Their ports by their names."""
    ports = {}
    for who, serve, count, nice in (("good", servers.serve, 2, 0), ("attack", servers.serve, 2, 15), ("hostile", hostile.serve, 1, 15)):
        listeners = tuple(stack.enter_context(servers.listen()) for _ in range(count))
        ports[who] = tuple(listener.getsockname()[1] for listener in listeners)
        child(stack, Child(f"the {who} servers", serve, listeners, nice=nice)).wait("ready")
    return ports


def leaks(written: str) -> list[str]:
    """What the gateway wrote and should not have."""
    try:
        confidential.check(written, "the gateway's log or admin address")
        confidential.check_queries(written, "the gateway's log or admin address")
    except confidential.Leak as leak:
        return [str(leak)]
    return []


def child(stack: contextlib.ExitStack, started: Child) -> Child:
    stack.callback(started.end)
    return started


def added_up(all_counts: list[collections.Counter]) -> collections.Counter:
    total = collections.Counter()
    for counts in all_counts:
        for name, count in counts.items():
            total[name] = max(total[name], count) if name.startswith("worst") else total[name] + count
    return total
