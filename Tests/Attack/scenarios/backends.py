"""Backends that break the rules, and clients that ask for them."""

import hostile
from crowd import Kind

from .scenario import Scenario, clients


def asking(names, each: int) -> tuple:
    """So many clients for each way to answer wrongly; each comes back when it was refused or closed."""
    return (clients(*((each, Kind(path=f"/hostile/{name}", rate=20)) for name in names)),)


def plain(name: str) -> Kind:
    return Kind(instead=f"GET /hostile/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode(), rate=20)


SCENARIOS = [
    Scenario(
        "hostile-handshakes", f"backends answer handshakes in {len(hostile.HANDSHAKES)} wrong ways: endless, slow, silent, forged",
        asking(hostile.HANDSHAKES, 4),
    ),
    Scenario(
        "hostile-frames", f"backends send frames in {len(hostile.FRAMES)} wrong ways: broken, endless, slow",
        asking(hostile.FRAMES, 4),
    ),
    Scenario(
        "hostile-bodies", f"backends answer plain requests in {len(hostile.BODIES)} wrong ways: endless, slow, broken",
        (clients(*((4, plain(name)) for name in hostile.BODIES)),),
    ),
]
