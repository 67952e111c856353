"""Memory of an idle session: what of it is on the heap, to the byte, and what the process grows by."""

import pathlib
import resource

from heap import counted_traffic
from traffic import ECHO, RELAY, TLS_RELAY

FEW, MANY = 1000, 4000
UNIT = "bytes per idle session"
DECIMALS = 0
GROWTH = "growth of the process (PSS)"


def budget(name: str, value: float) -> float:
    """The heap's bytes differ by the log lines that wait; the process' pages by how the allocator came to fill them."""
    return value * (1.25 if name.endswith(GROWTH) else 1.03)


async def measure() -> dict[str, float]:
    # Both sides of all sessions are in this process.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results = {}
    for kind in (RELAY, TLS_RELAY, ECHO):
        async with counted_traffic(kind) as (sessions, heap):
            process = sessions.gateway.process.pid
            await sessions.open(FEW)
            few, before = heap(), proportional_set_size(process)
            await sessions.open(MANY - FEW)
            grown, after = heap().since(few), proportional_set_size(process)
        results[kind] = grown.bytes / (MANY - FEW)
        if kind == TLS_RELAY:
            results[f"{kind}: libssl's own"] = grown.openssl_bytes / (MANY - FEW)
        results[f"{kind}: {GROWTH}"] = (after - before) / (MANY - FEW)
    return results


def proportional_set_size(process: int) -> int:
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) << 10
