"""What is measured, with whom, and by which figure the peers are compared."""

import dataclasses
import fnmatch
from typing import Callable

from measure import Driver, LoadFailed, cleanup, idle_memory
from peers import Peer
from processes import Server

PROXIES = ("gateway", "nginx", "haproxy", "caddy")
MODES = ("plain", "tls")
# Of the best that nginx reaches in the same run.
STORM_MESSAGES = 0.30
STORM_HANDSHAKES = 0.25
# TLS handshakes under way at a time.
CONCURRENCY = 16
# A peer at a fixed rate that does less than this share of it has not kept up.
KEPT_UP = 0.9


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What nginx reaches at the start of the run: messages (64 bytes, 100 sessions) and TLS handshakes per second."""

    plain: float
    tls: float
    handshakes: float

    def __str__(self) -> str:
        messages = f"{self.plain:,.0f} messages/s plain, {self.tls:,.0f} with TLS"
        return f"{messages}, {self.handshakes:,.0f} full TLS handshakes/s"


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    mode: str
    peers: tuple[str, ...]
    # Which URL of a peer is driven; a peer that has no such service is driven at the other.
    services: tuple[str, ...]
    measure: Callable[[Driver, Peer, Server, str, Calibration | None], dict]
    # Needs what nginx reaches.
    is_relative: bool = False
    # Every run gets a new process, and there are at most so many turns: memory does not move from run to run.
    is_fresh: bool = False
    most_turns: int | None = None
    is_quick: bool = False

    @property
    def key(self) -> str:
        return f"{self.name}-{self.mode}"

    def matches(self, pattern: str) -> bool:
        return fnmatch.fnmatch(self.name, pattern) or fnmatch.fnmatch(self.key, pattern)

    def service(self, server: Server) -> str:
        return next(service for service in self.services if service in server.urls)

    def run(self, driver: Driver, peer: Peer, server: Server, calibration: Calibration | None) -> dict:
        return self.measure(driver, peer, server, self.service(server), calibration)


# MARK: - How


def ping_pong(size: int, sessions: int, in_flight: int = 1):
    def measure(driver, peer, server, service, calibration):
        return driver.run(
            peer, server, "pingpong", server.urls[service], "--sessions", sessions, "--size", size,
            "--in-flight", in_flight)

    return measure


def fixed_rate(share: float, mode: str):
    def measure(driver, peer, server, service, calibration):
        return at_rate(driver, peer, server, server.urls[service], share * getattr(calibration, mode))

    return measure


def storm(driver, peer, server, service, calibration):
    url, rate = server.urls[service], round(STORM_HANDSHAKES * calibration.handshakes)
    row = at_rate(driver, peer, server, url, STORM_MESSAGES * calibration.tls, "--storm", url, "--storm-rate", rate)
    require(row["storm"]["failed"] == 0, f"{row['storm']['failed']} handshakes of the storm failed")
    require(
        row["storm"]["per_second"] > KEPT_UP * rate, f"only {row['storm']['per_second']:.0f} of {rate} handshakes/s")
    return row


def at_rate(driver: Driver, peer: Peer, server: Server, url: str, rate: float, *options) -> dict:
    row = driver.run(
        peer, server, "rate", url, "--sessions", 100, "--size", 64, "--rate", round(rate), *options)
    require(row["per_second"] > KEPT_UP * rate, f"only {row['per_second']:.0f} of {rate:.0f} messages/s")
    return row


def handshakes(*, resume: bool):
    def measure(driver, peer, server, service, calibration):
        options = ["--concurrency", CONCURRENCY, *(["--resume"] if resume else [])]
        row = driver.run(peer, server, "handshakes", server.urls[service], *options)
        # The first of each comes without a ticket, and may be late enough to be measured.
        wrong = row["messages"] - row["resumed"] if resume else row["resumed"]
        require(wrong <= (CONCURRENCY if resume else 0), f"{row['resumed']} of {row['messages']} handshakes were resumed")
        return row

    return measure


def require(is_so: bool, otherwise: str):
    """A run whose figures would not be what they are called has failed."""
    if not is_so:
        raise LoadFailed(otherwise)


def broadcast(receivers: int):
    def measure(driver, peer, server, service, calibration):
        return driver.run(
            peer, server, "broadcast", server.urls[service], "--receivers", receivers, "--size", 64)

    return measure


def memory(sessions: int):
    return lambda driver, peer, server, service, calibration: idle_memory(driver, server, service, sessions)


def clean(sessions: int):
    return lambda driver, peer, server, service, calibration: cleanup(driver, server, service, sessions)


# MARK: - What


def _relayed(name: str, how: Callable, **options) -> list[Workload]:
    """Through a proxy to the echo backend, plain and with TLS."""
    plain = Workload(name, "plain", (*PROXIES, "floor"), ("relay",), how, **options)
    tls = Workload(name, "tls", PROXIES, ("relay-tls",), how, **options)
    return [plain, tls]


def _idle(sessions: int, most_turns: int, is_quick: bool = False) -> list[Workload]:
    name = f"idle-{sessions}"
    options = {"is_fresh": True, "most_turns": most_turns, "is_quick": is_quick}
    return [
        Workload(name, "plain", PROXIES, ("relay",), memory(sessions), **options),
        Workload(name, "tls", (*PROXIES, "libssl"), ("relay-tls", "idle-tls"), memory(sessions), **options),
    ]


WORKLOADS: list[Workload] = [
    *_relayed("pingpong-64-100", ping_pong(64, 100), is_quick=True),
    *_relayed("pingpong-64-1000", ping_pong(64, 1000)),
    *_relayed("pingpong-1k-100", ping_pong(1024, 100)),
    *_relayed("pingpong-1k-1000", ping_pong(1024, 1000)),
    *_relayed("inflight-16", ping_pong(64, 100, in_flight=16), is_quick=True),
    *_relayed("message-64k", ping_pong(64 << 10, 8), is_quick=True),
    *_relayed("message-1m", ping_pong(1 << 20, 8)),
    *[
        Workload(f"rate-{percent}", mode, PROXIES, (service,), fixed_rate(percent / 100, mode), is_relative=True)
        for percent in (30, 60)
        for mode, service in zip(MODES, ("relay", "relay-tls"))
    ],
    Workload("storm", "tls", PROXIES, ("relay-tls",), storm, is_relative=True),
    Workload("handshakes-full", "tls", PROXIES, ("relay-tls",), handshakes(resume=False), is_quick=True),
    Workload("handshakes-resumed", "tls", PROXIES, ("relay-tls",), handshakes(resume=True), is_quick=True),
    Workload("broadcast-1000", "plain", ("gateway", "send-loop", "node-ws"), ("broadcast",), broadcast(1000)),
    Workload("bridge-64-100", "plain", ("gateway", "websockify", "websocat"), ("bridge",), ping_pong(64, 100)),
    *_idle(1000, most_turns=3, is_quick=True),
    *_idle(4000, most_turns=1),
    *_idle(9000, most_turns=1),
    *[
        Workload("cleanup", mode, PROXIES, (service,), clean(9000), is_fresh=True, most_turns=2)
        for mode, service in zip(MODES, ("relay", "relay-tls"))
    ],
]

# What `ops/bench/run quick` runs, with whom, and how often.
QUICK_PEERS = ("gateway", "nginx", "haproxy", "libssl")
QUICK_TURNS = 3
