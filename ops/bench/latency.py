"""Latencies of several turns together."""

import collections
import math

# A turn is too short for a p99.9: the latencies of so many turns of a peer are taken together.
BLOCK = 4


class Latencies:
    """How often each duration was measured, as the load client says it: `[[nanoseconds, count], …]`."""

    def __init__(self):
        self._counts: collections.Counter[int] = collections.Counter()
        # How many turns it is of.
        self.turns = 0

    @property
    def count(self) -> int:
        return self._counts.total()

    def add(self, histogram: list[list[int]]):
        self._counts.update(dict(histogram))
        self.turns += 1

    def quantile_us(self, share: float) -> float:
        """What a share (0 to 1) of them did not exceed, in microseconds."""
        rank, seen = math.ceil(share * self.count), 0
        for nanoseconds, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                break
        return nanoseconds / 1000
