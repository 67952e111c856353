"""A gateway's allocations, counted by a preloaded library."""

import contextlib
import mmap
import os
import pathlib
import struct
import subprocess
import tempfile
import typing

from traffic import traffic

SOURCE = pathlib.Path(__file__).with_name("count_allocations.c")
FORM = "=4q"


class Heap(typing.NamedTuple):
    """Allocations so far and bytes held, by libssl and libcrypto, and by all other code."""

    openssl_allocations: int
    openssl_bytes: int
    allocations: int
    bytes: int

    def since(self, earlier: "Heap") -> "Heap":
        return Heap(*(now - then for now, then in zip(self, earlier)))


@contextlib.asynccontextmanager
async def counted_traffic(kind: str):
    """`traffic`, and a function that returns the gateway's present heap."""
    with tempfile.TemporaryDirectory(prefix="gateway-budgets-") as name:
        folder = pathlib.Path(name)
        library = folder / "count_allocations.so"
        options = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fno-builtin")
        subprocess.run((os.environ.get("CC", "cc"), *options, "-o", library, SOURCE), check=True)
        file = folder / "counters"
        file.write_bytes(bytes(struct.calcsize(FORM)))
        environment = {"LD_PRELOAD": str(library), "GATEWAY_ALLOCATIONS": str(file)}
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as counters:
            async with traffic(kind, environment=environment) as sessions:

                def heap() -> Heap:
                    return Heap(*struct.unpack(FORM, counters[:]))

                # Starting takes hundreds: with fewer, something else is being counted.
                assert heap().allocations > 100 and heap().openssl_allocations > 100, "the library does not count"
                yield sessions, heap
