"""One client of a room against all others in it."""

import wire
from crowd import Kind

from .scenario import Scenario, clients

MEMBERS = 300
MESSAGE = wire.frame(wire.BINARY, b"x")
BURST = MESSAGE * ((200 << 10) // len(MESSAGE))
FLOOD = (
    clients((MEMBERS, Kind(path="/room/flood"))),
    clients((1, Kind(path="/room/flood", forever=BURST, every=0.5)), block=2),
)
WHAT = f"one client sends 200 KiB of one-byte messages, again and again, to a room of {MEMBERS} readers"

SCENARIOS = [
    Scenario("room-flood", WHAT, FLOOD),
    Scenario("room-flood-workers", f"{WHAT}, on two workers", FLOOD, {"workers": 2}),
]
