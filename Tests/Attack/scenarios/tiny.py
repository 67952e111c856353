"""Many small frames, each of which costs much more than its size."""

import wire
from crowd import Kind

from .scenario import Scenario, clients

CLIENTS = 50
# The bytes of a full TLS record.
TURN = 16 << 10


def endless(frames: bytes) -> bytes:
    """As many whole frames, or rows of them, as one write takes."""
    return frames * max(1, TURN // len(frames))


ONE_BYTE = endless(wire.frame(wire.BINARY, b"x"))
EMPTY = endless(wire.frame(wire.BINARY, b""))
PINGS = endless(wire.frame(wire.PING, b"x"))
# A message in as many pieces as are allowed.
FRAGMENTS = endless(
    wire.frame(wire.BINARY, b"x", first=0)
    + wire.frame(wire.CONTINUATION, b"x", first=0) * 1000
    + wire.frame(wire.CONTINUATION, b"x")
)

SCENARIOS = [
    Scenario(
        "tiny-messages", f"{CLIENTS} clients pipeline one-byte messages at the echo, over ws",
        (clients((CLIENTS, Kind(forever=ONE_BYTE))),),
    ),
    Scenario(
        "tiny-messages-wss", f"{CLIENTS} clients pipeline empty messages at the echo, over wss",
        (clients((CLIENTS, Kind(at="secure", tls=True, forever=EMPTY))),),
    ),
    Scenario(
        "tiny-messages-relay", f"{CLIENTS} clients pipeline one-byte messages through a relay",
        (clients((CLIENTS, Kind(path="/attack/tiny", forever=ONE_BYTE))),),
    ),
    Scenario(
        "pings", f"{CLIENTS} clients pipeline pings at the echo, half of them over wss",
        (clients((CLIENTS // 2, Kind(forever=PINGS)), (CLIENTS // 2, Kind(at="secure", tls=True, forever=PINGS))),),
    ),
    Scenario(
        "one-byte-fragments", f"{CLIENTS} clients send messages of 1,002 one-byte frames, to the echo and to a room",
        (
            clients(
                (CLIENTS // 2, Kind(forever=FRAGMENTS)),
                (CLIENTS // 2, Kind(path="/room/fragments", forever=FRAGMENTS)),
            ),
        ),
    ),
]
