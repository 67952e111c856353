"""Heap allocations per message, ours and libssl's."""

from heap import Heap, counted_traffic
from traffic import BRIDGE, KINDS, PLAIN, messages

# Until everything that is made only once has been made.
WARM_UP = 512
ROUND_TRIPS = 2048
# Enough that their messages are sent together.
MANY_SESSIONS = 128
UNIT = "heap allocations per message"
DECIMALS = 2


def budget(name: str, value: float) -> float:
    """The measured value: these counts are exact."""
    return value


async def measure() -> dict[str, float]:
    results = {}
    for kind in KINDS:
        for in_flight in (1, 16):
            # A bridge makes messages of what one read of its TCP server brings, however many that were.
            if kind == BRIDGE and in_flight > 1:
                continue
            heap = await used(kind, 1, in_flight)
            label = kind if in_flight == 1 else f"{kind}, {in_flight} in flight"
            results[label] = heap.allocations / messages(kind, ROUND_TRIPS)
            # With one in flight, each message is one record; with more, it depends on how many come together.
            if heap.openssl_allocations and in_flight == 1:
                results[f"{label}: libssl's own"] = heap.openssl_allocations / messages(kind, ROUND_TRIPS)
        heap = await used(kind, MANY_SESSIONS, 1)
        results[f"{kind}, {MANY_SESSIONS} sessions"] = heap.allocations / messages(kind, ROUND_TRIPS)
    results[PLAIN] = (await used(PLAIN, 1, 1)).allocations / ROUND_TRIPS
    return results


async def used(kind: str, count: int, in_flight: int) -> Heap:
    """Allocations while messages are exchanged."""
    async with counted_traffic(kind) as (sessions, heap):
        await sessions.open(count)
        await sessions.exchange(WARM_UP, in_flight)
        before = heap()
        await sessions.exchange(ROUND_TRIPS, in_flight)
        return heap().since(before)
