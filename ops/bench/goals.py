"""The goals of the gateway, and which of them it has met."""

import dataclasses
from typing import Sequence

from rows import Rows

FAILED = "failed"
UNKNOWN = "not measured"
# The most bytes of an idle session beyond libssl's own.
IDLE = 1536


def _result(excess: list[tuple[float, str]], missing: Sequence[str] = ()) -> str:
    """`excess`: each figure as a share of its limit (1.0 is the limit), with its name. `missing`: figures that are not there."""
    if not excess:
        return UNKNOWN
    worst, where = max(excess)
    result = "met" if worst <= 1 else f"missed by {100 * (worst - 1):.{0 if worst > 1.1 else 1}f} %: {where}"
    return "; without ".join([result, *missing])


@dataclasses.dataclass(frozen=True)
class Ratios:
    """In each of the workloads each metric must be at most `limits[peer]` times the peer's."""

    title: str
    wanted: str
    workloads: tuple[str, ...]
    limits: dict[str, float]
    metrics: tuple[str, ...] = ("cpu_us",)

    def judge(self, rows: Rows) -> tuple[str, str]:
        """The figure, and whether the goal was met."""
        keys = rows.keys(*self.workloads)
        if rows.gateway_failed(*keys):
            return "–", FAILED
        was, excess, missing = [], [], []
        for peer, limit in self.limits.items():
            found = [
                (ratio, f"{peer} in {key}" + (f", {metric.removesuffix('_us')}" if len(self.metrics) > 1 else ""))
                for key in keys for metric in self.metrics if (ratio := rows.ratio(key, peer, metric)) is not None
            ]
            if found:
                was.append(f"{peer} {max(found)[0]:.2f}")
                excess += [(ratio / limit, where) for ratio, where in found]
            missing += [f"{peer} in {key}" for key in keys if peer in rows.peers(key) and not rows.has(key, peer)]
        return ", ".join(was) or "–", _result(excess, missing)


@dataclasses.dataclass(frozen=True)
class IdlePlain:
    title: str = "idle session, plain"
    wanted: str = f"at most {IDLE:,} bytes, and HAProxy's"

    def judge(self, rows: Rows) -> tuple[str, str]:
        return _idle(rows, "plain", lambda key: IDLE)


@dataclasses.dataclass(frozen=True)
class IdleTLS:
    title: str = "idle session, TLS"
    wanted: str = f"at most libssl's own + {IDLE:,} bytes, and HAProxy's"

    def judge(self, rows: Rows) -> tuple[str, str]:
        def limit(key):
            return rows.median(key, "libssl", "bytes") + IDLE if rows.has(key, "libssl") else None

        return _idle(rows, "tls", limit)


def _idle(rows: Rows, mode: str, limit) -> tuple[str, str]:
    keys = rows.keys(f"idle-*-{mode}")
    if rows.gateway_failed(*keys):
        return "–", FAILED
    was, excess, missing = [], [], []
    for key in keys:
        if not rows.has(key, "gateway"):
            continue
        bytes_each = rows.median(key, "gateway", "bytes")
        sessions = key.split("-")[1]
        if (most := limit(key)) is not None:
            was.append(f"{bytes_each:,.0f}" + (f" of {most:,.0f}" if mode == "tls" else ""))
            excess.append((bytes_each / most, f"at {sessions} sessions"))
        else:
            missing.append(f"libssl at {sessions} sessions")
        if rows.has(key, "haproxy"):
            excess.append((bytes_each / rows.median(key, "haproxy", "bytes"), f"haproxy at {sessions} sessions"))
    return ", ".join(was) or "–", _result(excess, missing)


@dataclasses.dataclass(frozen=True)
class Flat:
    """Memory per session must not grow with the number of sessions."""

    title: str = "the same at 9,000 as at 1,000 sessions"
    wanted: str = "at most 1.1"

    def judge(self, rows: Rows) -> tuple[str, str]:
        was, excess = [], []
        for mode in ("plain", "tls"):
            few, many = f"idle-1000-{mode}", f"idle-9000-{mode}"
            if rows.has(few, "gateway") and rows.has(many, "gateway"):
                growth = rows.median(many, "gateway", "bytes") / rows.median(few, "gateway", "bytes")
                was.append(f"{mode} {growth:.2f}")
                excess.append((growth / 1.1, mode))
        return ", ".join(was) or "–", _result(excess)


BEST = {"nginx": 1.0, "haproxy": 1.0, "caddy": 1.0}

GOALS = [
    Ratios(
        "CPU per message, 64 B and 1 KiB, plain", "nginx 0.95, haproxy 0.85", ("pingpong-*-plain",),
        {"nginx": 0.95, "haproxy": 0.85}),
    Ratios("the same with TLS", "nginx 0.90, haproxy 0.85", ("pingpong-*-tls",), {"nginx": 0.90, "haproxy": 0.85}),
    Ratios("16 in flight", "nginx 1.0", ("inflight-16-*",), {"nginx": 1.0}),
    Ratios(
        "64 KiB and 1 MiB, plain and TLS", "0.9 of the best of nginx, haproxy, caddy", ("message-*",),
        {"nginx": 0.9, "haproxy": 0.9, "caddy": 0.9}),
    Ratios("TLS handshake, full and resumed", "nginx 1.0", ("handshakes-*",), {"nginx": 1.0}),
    IdlePlain(),
    IdleTLS(),
    Flat(),
    Ratios("p99 and p99.9 at a fixed rate", "the best peer's", ("rate-*",), BEST, ("p99_us", "p999_us")),
    Ratios("p99 during a storm of handshakes", "the best peer's", ("storm-*",), BEST, ("p99_us",)),
    Ratios(
        "broadcast, per delivered message", "send-loop 1.2, node-ws 0.8", ("broadcast-*",),
        {"send-loop": 1.2, "node-ws": 0.8}),
    Ratios("bridge", "websockify 0.1, websocat 0.8", ("bridge-*",), {"websockify": 0.1, "websocat": 0.8}),
]
