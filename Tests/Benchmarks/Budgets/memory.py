"""Memory of an idle session: its heap to the byte, and the growth of the process."""

import pathlib
import resource
import statistics

from heap import Heap, counted_traffic
from traffic import ECHO, RELAY, TLS_RELAY

FEW, MANY = 1000, 4000
UNIT = "bytes per idle session"
DECIMALS = 0
GROWTH = "growth of the process (PSS)"


def budget(name: str, value: float) -> float:
    """Log lines in the queue vary the heap; the allocator's layout varies the process' pages."""
    return value + 768 if name.endswith(GROWTH) else value * 1.03


async def measure() -> dict[str, float]:
    # This process has both sides of all sessions.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results = {}
    for kind in (RELAY, TLS_RELAY, ECHO):
        runs = [await grown(kind) for _ in range(3)]
        results[kind] = runs[0][0].bytes / (MANY - FEW)
        if kind == TLS_RELAY:
            results[f"{kind}: libssl's own"] = runs[0][0].openssl_bytes / (MANY - FEW)
        results[f"{kind}: {GROWTH}"] = statistics.median(pages for _, pages in runs) / (MANY - FEW)
    return results


async def grown(kind: str) -> tuple[Heap, int]:
    """What the sessions after the first FEW take, of the heap and of the system."""
    async with counted_traffic(kind) as (sessions, heap):
        process = sessions.gateway.process.pid
        await sessions.open(FEW)
        few, before = heap(), proportional_set_size(process)
        await sessions.open(MANY - FEW)
        return heap().since(few), proportional_set_size(process) - before


def proportional_set_size(process: int) -> int:
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) << 10
