"""Bytes that mean nothing, or not what they should."""

import os
import random

import wire
from configuration import PROXIES
from crowd import Kind

from .scenario import Scenario, clients

LISTENERS = ("plain", "secure", "unix", "admin")


def noise() -> bytes:
    return os.urandom(random.choice((1, 5, 16, 200, 3000, 20_000)))


def lines() -> bytes:
    """Noise that has the ends of lines and of heads in it."""
    return b"\r\n".join(os.urandom(random.randrange(40)) for _ in range(20)) + b"\r\n\r\n"


def proxy_noise() -> bytes:
    """What begins like a PROXY header, and is none."""
    return random.choice((
        b"PROXY ", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 99999 1\r\n", b"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY " + b"x" * 200, b"\r\n\r\n\x00\r\nQUIT\n", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff" + bytes(3000),
        b"\r\n\r\n\x00\r\nQUIT\n\x2f\xff\x00\x0c" + bytes(12), b"\r\n\r\n\x00\r\nQUIT\n\x11\x11\x00\x0c" + bytes(12),
    )) + noise()


def frames() -> bytes:
    return random.choice((noise(), bytes([random.randrange(256), 0x80 | random.randrange(128)]) + noise(), wire.frame(wire.TEXT, noise()) + noise()))


V2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 127, 0, 0, 1]) + b"\x9c\x40\x00\x50"
STRANGERS = [wire.proxy_header("192.0.2.1"), V2]

SCENARIOS = [
    Scenario(
        "random-bytes", "100 clients send random bytes to each listener, to the admin address, and inside of TLS",
        (
            clients(
                *((10, Kind(at=at, instead=made, resets=True, rate=200)) for at in LISTENERS for made in (noise, lines)),
                *((5, Kind(at="secure", tls=True, instead=made, rate=50)) for made in (noise, lines)),
                *((5, Kind(at="proxy", instead=made, network=PROXIES, rate=200)) for made in (noise, lines)),
            ),
        ),
    ),
    Scenario(
        "random-frames", "100 sessions send random bytes for frames, to a relay, a bridge, an echo and a room",
        (
            clients(
                *((25, Kind(path=path, first=frames, rate=200)) for path in ("/attack/x", "/bridge", "/echo", "/room/noise")),
            ),
        ),
    ),
    Scenario(
        "proxy-strangers", "100 clients that are no trusted proxy send PROXY headers to each listener, and a trusted one broken ones",
        (
            clients(
                *(
                    (10, Kind(at=at, before=header, ends_with_answer=True, rate=200))
                    for at in ("proxy", "plain", "secure", "unix") for header in STRANGERS
                ),
                (20, Kind(at="proxy", instead=proxy_noise, network=PROXIES, rate=200)),
            ),
        ),
        never=("answered 101",),
    ),
]
