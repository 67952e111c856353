"""Heap allocations per message, of ours and of libssl's."""

import mmap
import os
import pathlib
import struct
import subprocess
import tempfile

from traffic import BRIDGE, KINDS, messages, traffic

SOURCE = pathlib.Path(__file__).with_name("count_allocations.c")
# Until everything that is made once has been made.
WARM_UP = 512
ROUND_TRIPS = 2048
UNIT = "heap allocations per message"


def build(folder: pathlib.Path) -> pathlib.Path:
    """The library that counts."""
    library = folder / "count_allocations.so"
    options = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fno-builtin")
    subprocess.run((os.environ.get("CC", "cc"), *options, "-o", library, SOURCE), check=True)
    return library


async def measure() -> dict[str, float]:
    results = {}
    with tempfile.TemporaryDirectory(prefix="gateway-budgets-") as name:
        folder = pathlib.Path(name)
        library = build(folder)
        for kind in KINDS:
            for in_flight in (1, 16):
                # A bridge makes messages of what its TCP server sent, however many they were.
                if kind == BRIDGE and in_flight > 1:
                    continue
                openssl, others = await count(kind, in_flight, library, folder / "counters")
                label = kind if in_flight == 1 else f"{kind}, {in_flight} in flight"
                results[label] = others / messages(kind, ROUND_TRIPS)
                # One in flight, it is one record for each message; with more it is as many as happen to come together.
                if openssl and in_flight == 1:
                    results[f"{label}: libssl's own"] = openssl / messages(kind, ROUND_TRIPS)
    return results


async def count(kind: str, in_flight: int, library: pathlib.Path, file: pathlib.Path) -> tuple[int, int]:
    """libssl's and other allocations while messages are exchanged."""
    file.write_bytes(bytes(16))
    environment = {"LD_PRELOAD": str(library), "GATEWAY_ALLOCATIONS": str(file)}
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 16) as counters:
        async with traffic(kind, environment=environment) as sessions:
            await sessions.open(1)
            await sessions.exchange(WARM_UP, in_flight)
            before = struct.unpack("=QQ", counters[:])
            # To start takes hundreds: without them it is not the gateway that is counted.
            assert before[1] > 100, "the library does not count"
            await sessions.exchange(ROUND_TRIPS, in_flight)
            after = struct.unpack("=QQ", counters[:])
    return after[0] - before[0], after[1] - before[1]
