"""The raw results of a run, by workload and peer, and statistics of them."""

import fnmatch
import math
import statistics


class Rows:
    """`workloads[key][peer]` is a list of runs. Each has the number of its turn, and figures or an `error`."""

    def __init__(self, workloads: dict[str, dict[str, list[dict]]]):
        self._workloads = workloads

    def keys(self, *patterns: str) -> list[str]:
        return [key for key in self._workloads if any(fnmatch.fnmatch(key, pattern) for pattern in patterns)]

    def peers(self, key: str) -> list[str]:
        return list(self._workloads.get(key, {}))

    def _turns(self, key: str, peer: str, metric: str) -> dict[int, float]:
        """The figure of each turn that has it. Not all turns do."""
        return {run["turn"]: run[metric] for run in self._workloads.get(key, {}).get(peer, []) if metric in run}

    def has(self, key: str, peer: str) -> bool:
        return any("error" not in run for run in self._workloads.get(key, {}).get(peer, []))

    def median(self, key: str, peer: str, metric: str) -> float:
        """The median of all turns; not a number if none has the figure."""
        values = self._turns(key, peer, metric).values()
        return statistics.median(values) if values else math.nan

    def total(self, key: str, peer: str, metric: str) -> float:
        return sum(self._turns(key, peer, metric).values())

    def ratios(self, key: str, peer: str, metric: str) -> list[float]:
        """The ratio gateway / peer of each round in which both have the figure."""
        of_peer = self._turns(key, peer, metric)
        return [
            value / of_peer[turn] for turn, value in self._turns(key, "gateway", metric).items() if of_peer.get(turn, 0) > 0
        ]

    def ratio(self, key: str, peer: str, metric: str) -> float | None:
        ratios = self.ratios(key, peer, metric)
        return statistics.median(ratios) if ratios else None

    def failures(self) -> list[tuple[str, str, str]]:
        """The errors, by workload and peer. Each message comes once."""
        found = [
            (key, peer, run["error"])
            for key, peers in self._workloads.items() for peer, runs in peers.items() for run in runs if "error" in run
        ]
        return list(dict.fromkeys(found))

    def gateway_failed(self, *patterns: str) -> bool:
        return any(
            "error" in run for key in self.keys(*patterns) for run in self._workloads[key].get("gateway", []))


def interval(values: list[float]) -> tuple[float, float]:
    """The 95 % confidence interval of the median (by the sign test).

    The number of n values that are below the median is distributed like the heads of n coin tosses. With fewer than six values the
    interval is from the least to the greatest, with less confidence.
    """
    ordered, count = sorted(values), len(values)
    below, probability = 0, 0.5**count
    while probability <= 0.025:
        below += 1
        probability += math.comb(count, below) * 0.5**count
    outer = max(below - 1, 0)
    return ordered[outer], ordered[-1 - outer]
