"""The workloads, their peers, and the figure by which each workload compares them."""

import dataclasses
import fnmatch
from typing import Callable

from load import Driver, LoadFailed
from measure import cleanup, idle_memory
from processes import Server

PROXIES = ("gateway", "nginx", "haproxy", "caddy")
SERVICES = {"plain": "relay", "tls": "relay-tls"}
# Shares of the most that nginx reaches in the same run.
STORM_MESSAGES = 0.30
STORM_HANDSHAKES = 0.25
# TLS handshakes in progress at a time.
CONCURRENCY = 16
# At a fixed rate, a peer that reaches less than this share of it has not kept up.
KEPT_UP = 0.9


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What nginx reaches at the start of the run, per second: messages (64 bytes, 100 sessions) and TLS handshakes."""

    plain: float
    tls: float
    handshakes: float

    def __str__(self) -> str:
        messages = f"{self.plain:,.0f} messages/s plain, {self.tls:,.0f} with TLS"
        return f"{messages}, {self.handshakes:,.0f} full TLS handshakes/s"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    name: str
    mode: str
    peers: tuple[str, ...]
    # The service of a peer that is measured; if it does not have that, the other one.
    services: tuple[str, ...]
    is_quick: bool = False

    @property
    def key(self) -> str:
        return f"{self.name}-{self.mode}"

    def matches(self, pattern: str) -> bool:
        return fnmatch.fnmatch(self.name, pattern) or fnmatch.fnmatch(self.key, pattern)

    def service(self, server: Server) -> str:
        return next(service for service in self.services if service in server.urls)

    def check(self, turns: list[dict], calibration: Calibration | None):
        """Fails if the turns of a peer are not what the workload says."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadWorkload(Workload):
    """Many short turns, in sessions that stay open between them."""

    # The options of the load client, for a URL.
    arguments: Callable[[str, Calibration | None], list]
    is_right: Callable[[list[dict], Calibration | None], None] | None = None
    # Whether the options need what nginx reaches.
    is_relative: bool = False

    def check(self, turns: list[dict], calibration: Calibration | None):
        if not turns:
            return
        require(any(turn["messages"] for turn in turns), "no message came back in any turn")
        if self.is_right:
            self.is_right(turns, calibration)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FreshWorkload(Workload):
    """Every turn has a new process. There are few turns, because memory hardly varies between them."""

    measure: Callable[[Driver, Server, str], dict]
    most_turns: int


# MARK: - How


def ping_pong(size: int, sessions: int, in_flight: int = 1):
    return lambda url, calibration: [
        "pingpong", url, "--sessions", sessions, "--size", size, "--in-flight", in_flight]


def broadcast(receivers: int):
    return lambda url, calibration: ["broadcast", url, "--receivers", receivers, "--size", 64]


def at_rate(url: str, rate: float) -> list:
    return ["rate", url, "--sessions", 100, "--size", 64, "--rate", round(rate)]


def storm(url: str, calibration: Calibration) -> list:
    handshakes = round(STORM_HANDSHAKES * calibration.handshakes)
    return [*at_rate(url, STORM_MESSAGES * calibration.tls), "--storm", url, "--storm-rate", handshakes]


def handshakes(*options: str):
    return lambda url, calibration: ["handshakes", url, "--concurrency", CONCURRENCY, *options]


def memory(sessions: int):
    return lambda driver, server, service: idle_memory(driver, server, service, sessions)


def clean(sessions: int):
    return lambda driver, server, service: cleanup(driver, server, service, sessions)


# MARK: - Whether it is right


def require(is_so: bool, otherwise: str):
    """Fails if the figures of a peer do not measure what they should."""
    if not is_so:
        raise LoadFailed(otherwise)


def _per_second(turns: list[dict], count: Callable[[dict], float]) -> float:
    return sum(map(count, turns)) / sum(turn["seconds"] for turn in turns)


def keeps_up(turns: list[dict], rate: float):
    reached = _per_second(turns, lambda turn: turn["messages"])
    require(reached > KEPT_UP * rate, f"only {reached:.0f} of {rate:.0f} messages/s")


def stands_storm(turns: list[dict], calibration: Calibration):
    keeps_up(turns, STORM_MESSAGES * calibration.tls)
    failed, rate = sum(turn["storm"]["failed"] for turn in turns), STORM_HANDSHAKES * calibration.handshakes
    require(failed == 0, f"{failed} handshakes of the storm failed")
    reached = _per_second(turns, lambda turn: turn["storm"]["handshakes"])
    require(reached > KEPT_UP * rate, f"only {reached:.0f} of {rate:.0f} handshakes/s")


def are_full(turns: list[dict], calibration: Calibration | None):
    resumed = sum(turn["resumed"] for turn in turns)
    require(resumed == 0, f"{resumed} handshakes were resumed")


def are_resumed(turns: list[dict], calibration: Calibration | None):
    full = sum(turn["messages"] - turn["resumed"] for turn in turns)
    # The first handshake of each concurrent client has no ticket, and may be late enough to be measured.
    require(full <= CONCURRENCY, f"{full} handshakes were not resumed")


# MARK: - What


def _relayed(name: str, arguments: Callable, **options) -> list[Workload]:
    """Workloads through a proxy to the echo backend, with and without TLS."""
    return [
        LoadWorkload(name=name, mode="plain", peers=(*PROXIES, "floor"), services=("relay",), arguments=arguments, **options),
        LoadWorkload(name=name, mode="tls", peers=PROXIES, services=("relay-tls",), arguments=arguments, **options),
    ]


def _at_fixed_rate(percent: int, mode: str) -> LoadWorkload:
    def rate(calibration: Calibration) -> float:
        return percent / 100 * getattr(calibration, mode)

    return LoadWorkload(
        name=f"rate-{percent}", mode=mode, peers=PROXIES, services=(SERVICES[mode],), is_relative=True,
        arguments=lambda url, calibration: at_rate(url, rate(calibration)),
        is_right=lambda turns, calibration: keeps_up(turns, rate(calibration)))


def _tls(name: str, arguments: Callable, is_right: Callable, **options) -> LoadWorkload:
    """Workloads of handshakes with proxies."""
    return LoadWorkload(
        name=name, mode="tls", peers=PROXIES, services=("relay-tls",), arguments=arguments, is_right=is_right, **options)


def _plain(name: str, peers: tuple[str, ...], service: str, arguments: Callable) -> LoadWorkload:
    """Workloads without TLS and without a WebSocket backend."""
    return LoadWorkload(name=name, mode="plain", peers=peers, services=(service,), arguments=arguments)


def _idle(sessions: int, most_turns: int, is_quick: bool = False) -> list[Workload]:
    name = f"idle-{sessions}"
    options = {"name": name, "measure": memory(sessions), "most_turns": most_turns, "is_quick": is_quick}
    return [
        FreshWorkload(mode="plain", peers=PROXIES, services=("relay",), **options),
        FreshWorkload(mode="tls", peers=(*PROXIES, "libssl"), services=("relay-tls", "idle-tls"), **options),
    ]


WORKLOADS: list[Workload] = [
    *_relayed("pingpong-64-100", ping_pong(64, 100), is_quick=True),
    *_relayed("pingpong-64-1000", ping_pong(64, 1000)),
    *_relayed("pingpong-1k-100", ping_pong(1024, 100)),
    *_relayed("pingpong-1k-1000", ping_pong(1024, 1000)),
    *_relayed("inflight-16", ping_pong(64, 100, in_flight=16), is_quick=True),
    *_relayed("message-64k", ping_pong(64 << 10, 8), is_quick=True),
    *_relayed("message-1m", ping_pong(1 << 20, 8)),
    *[_at_fixed_rate(percent, mode) for percent in (30, 60) for mode in SERVICES],
    _tls("storm", storm, stands_storm, is_relative=True),
    _tls("handshakes-full", handshakes(), are_full, is_quick=True),
    _tls("handshakes-resumed", handshakes("--resume"), are_resumed, is_quick=True),
    *[
        _plain(f"broadcast-{receivers}", ("gateway", "send-loop", "node-ws"), "broadcast", broadcast(receivers))
        for receivers in (1, 10, 100, 1000)
    ],
    _plain("bridge-64-100", ("gateway", "websockify", "websocat"), "bridge", ping_pong(64, 100)),
    *_idle(1000, most_turns=3, is_quick=True),
    *_idle(4000, most_turns=1),
    *_idle(9000, most_turns=1),
    *[
        FreshWorkload(
            name="cleanup", mode=mode, peers=PROXIES, services=(service,), measure=clean(9000), most_turns=2)
        for mode, service in SERVICES.items()
    ],
]

# The peers with which `ops/bench/run quick` runs the quick workloads.
QUICK_PEERS = ("gateway", "nginx", "haproxy", "libssl")
