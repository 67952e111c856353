"""The latencies of several turns together."""

import collections
import math

# One turn is too short for a p99.9, so the latencies of this many turns of a peer are put together.
BLOCK = 4


class Latencies:
    """A histogram as the load client reports it: `[[nanoseconds, count], …]`."""

    def __init__(self):
        self._counts: collections.Counter[int] = collections.Counter()
        # The number of turns in it.
        self.turns = 0

    @property
    def count(self) -> int:
        return self._counts.total()

    def add(self, histogram: list[list[int]]):
        self._counts.update(dict(histogram))
        self.turns += 1

    def quantile_us(self, share: float) -> float:
        """The quantile for a share from 0 to 1, in microseconds."""
        rank, seen = math.ceil(share * self.count), 0
        for nanoseconds, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                break
        return nanoseconds / 1000
