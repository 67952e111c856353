"""Instructions in user space, counted by valgrind: the same on every run, however busy the machine is.

They depend on the compiler, the libraries and the processor: glibc, zlib and libcrypto choose code by its features.
"""

import asyncio
import collections
import json
import os
import pathlib
import re
import tempfile

from traffic import BRIDGE, ECHO, PLAIN, RELAY, TLS_RELAY, messages, traffic

MICRO = os.environ.get("GATEWAY_MICRO", "gateway-micro")
# Both runs include the start, so they differ only by the iterations or messages.
FEW_ITERATIONS, MANY_ITERATIONS = 4, 24
FEW, MANY = 500, 2500
UNIT = "instructions in user space"
DECIMALS = 1


def budget(name: str, value: float) -> float:
    """Runs differ a little: events fall into batches, and strings get addresses, by chance."""
    return value * (1.1 if "-route-of-" in name else 1.03)


async def measure() -> dict[str, float]:
    results = {}
    for row in json.loads(await output(MICRO, "--list", "--json")):
        if row["name"].startswith("token-"):
            continue  # Nearly all of it is libcrypto's, which has code for each processor.
        few = await instructions_of_micro(row["name"], FEW_ITERATIONS)
        many = await instructions_of_micro(row["name"], MANY_ITERATIONS)
        units = (MANY_ITERATIONS - FEW_ITERATIONS) * row["units"]
        results[f"{row['name']}, per {row['unit']}"] = (many - few) / units
    for kind in (RELAY, TLS_RELAY, ECHO, BRIDGE, PLAIN):
        few = await instructions_of_gateway(kind, FEW)
        many = await instructions_of_gateway(kind, MANY)
        difference = collections.Counter(many)
        difference.subtract(few)
        openssl = difference.pop("libssl", 0) + difference.pop("libcrypto", 0)
        count = messages(kind, MANY - FEW)
        unit = kind if kind == PLAIN else f"{kind}, per message"
        results[f"gateway: {unit}"] = sum(difference.values()) / count
        if openssl > count:
            results[f"gateway: {kind}, per message: libssl's own"] = openssl / count
    return results


def callgrind(file: pathlib.Path) -> tuple[str, ...]:
    return ("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={file}")


async def instructions_of_micro(name: str, iterations: int) -> int:
    with tempfile.TemporaryDirectory(prefix="gateway-budgets-") as folder:
        file = pathlib.Path(folder) / "callgrind"
        # Otherwise each process orders hash tables anew.
        fixed = ("env", "SWIFT_DETERMINISTIC_HASHING=1")
        await output(*fixed, *callgrind(file), MICRO, name, "--rounds", "1", "--iterations", str(iterations))
        return sum(by_library(file).values())


async def instructions_of_gateway(kind: str, round_trips: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="gateway-budgets-") as folder:
        file = pathlib.Path(folder) / "callgrind"
        async with traffic(kind, wrapper=callgrind(file)) as sessions:
            await sessions.open(1)
            await sessions.exchange(round_trips)
        return by_library(file)


async def output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, errors = await process.communicate()
    assert process.returncode == 0, f"{' '.join(command)}: {errors.decode()}"
    return printed.decode()


def by_library(file: pathlib.Path) -> dict[str, int]:
    """Sums callgrind's counts by library or program, named without the rest of the file name, such as "libssl"."""
    names: dict[str, str] = {}
    sums: collections.Counter[str] = collections.Counter()
    current = "unknown"
    is_call = False
    with file.open(errors="replace") as lines:
        for line in lines:
            if found := re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line):
                is_callee, number, name = found.groups()
                # Only the first mention has the name.
                if name is not None:
                    names[number] = pathlib.PurePath(name).name.split(".")[0]
                if not is_callee:
                    current = names[number]
            elif line.startswith("calls="):
                # The cost on the next line is the callee's, which has lines of its own.
                is_call = True
            elif line[0] in "0123456789+-*":
                if not is_call:
                    sums[current] += int(line.split()[1])
                is_call = False
    assert sums, "callgrind wrote nothing"
    return dict(sums)
