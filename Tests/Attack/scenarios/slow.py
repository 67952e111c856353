"""Clients that send nothing, or a byte at a time, at each stage of a connection."""

import os

import wire
from configuration import PROXIES
from crowd import Kind

from .door import hello
from .scenario import Scenario, clients

# With those of the good clients, about 360, the silent ones would need more.
DESCRIPTORS = 720
SILENT = 125
CLIENTS = 500
# Seconds from one byte to the next.
PACE = 0.1


def head() -> bytes:
    """A request's head that would take a minute."""
    return wire.upgrade(fields=f"X-Filler: {'x' * 600}\r\n")


def frame() -> bytes:
    return wire.frame(wire.BINARY, os.urandom(500))


BODY = b"POST /attack/body HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"

SCENARIOS = [
    Scenario(
        "silent", f"{4 * SILENT} connections that say nothing, on each listener, at {DESCRIPTORS} descriptors",
        (
            clients(
                *((SILENT, Kind(at=listener, instead=b"")) for listener in ("plain", "secure", "unix")),
                (SILENT, Kind(at="proxy", instead=b"", network=PROXIES)),
            ),
        ),
        descriptors=DESCRIPTORS,
    ),
    Scenario(
        "slow-hellos", f"{CLIENTS} clients send a ClientHello a byte at a time",
        (clients((CLIENTS, Kind(at="secure", instead=b"", drip=hello(), every=PACE))),),
    ),
    Scenario(
        "slow-heads", f"{CLIENTS} clients send the head of a request a byte at a time, half of them over TLS",
        (
            clients(
                (CLIENTS // 2, Kind(instead=b"", drip=head, every=PACE)),
                (CLIENTS // 2, Kind(at="secure", tls=True, instead=b"", drip=head, every=PACE)),
            ),
        ),
    ),
    Scenario(
        "slow-proxy-headers", f"{CLIENTS} connections of a trusted proxy send a PROXY header a byte at a time",
        (clients((CLIENTS, Kind(at="proxy", instead=b"", drip=wire.proxy_header("198.18.200.1"), every=1.0, network=PROXIES))),),
    ),
    Scenario(
        "slow-frames", f"{CLIENTS} open sessions send frames a byte at a time, to a relay, an echo, a bridge and a room",
        (
            clients(
                *((CLIENTS // 4, Kind(path=path, drip=frame, every=PACE)) for path in ("/attack/x", "/echo", "/bridge", "/room/slow")),
            ),
        ),
    ),
    Scenario(
        "slow-bodies", f"{CLIENTS} clients send the body of a plain request a byte at a time, half of them over TLS",
        (
            clients(
                (CLIENTS // 2, Kind(instead=BODY, forever=b"x", every=PACE)),
                (CLIENTS // 2, Kind(at="secure", tls=True, instead=BODY, forever=b"x", every=PACE)),
            ),
        ),
    ),
]
