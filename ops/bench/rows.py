"""The raw results of a run, by workload and peer, and what is calculated from them."""

import fnmatch
import statistics


class Rows:
    """`workloads[key][peer]` is a list of runs; each says its turn, and has its figures or an `error`."""

    def __init__(self, workloads: dict[str, dict[str, list[dict]]]):
        self._workloads = workloads

    def keys(self, *patterns: str) -> list[str]:
        return [key for key in self._workloads if any(fnmatch.fnmatch(key, pattern) for pattern in patterns)]

    def peers(self, key: str) -> list[str]:
        return list(self._workloads.get(key, {}))

    def _runs(self, key: str, peer: str) -> list[dict]:
        return [run for run in self._workloads.get(key, {}).get(peer, []) if "error" not in run]

    def has(self, key: str, peer: str) -> bool:
        return bool(self._runs(key, peer))

    def median(self, key: str, peer: str, metric: str) -> float:
        return statistics.median(run[metric] for run in self._runs(key, peer))

    def ratios(self, key: str, peer: str, metric: str) -> list[float]:
        """Gateway / peer, for each turn in which both have a figure."""
        of_peer = {run["turn"]: run[metric] for run in self._runs(key, peer)}
        return [
            run[metric] / of_peer[run["turn"]] for run in self._runs(key, "gateway") if of_peer.get(run["turn"], 0) > 0
        ]

    def ratio(self, key: str, peer: str, metric: str) -> float | None:
        ratios = self.ratios(key, peer, metric)
        return statistics.median(ratios) if ratios else None

    def failures(self) -> list[tuple[str, str, str]]:
        """Workload, peer and message; the same message once."""
        found = [
            (key, peer, run["error"])
            for key, peers in self._workloads.items() for peer, runs in peers.items() for run in runs if "error" in run
        ]
        return list(dict.fromkeys(found))

    def gateway_failed(self, *patterns: str) -> bool:
        return any(
            "error" in run for key in self.keys(*patterns) for run in self._workloads[key].get("gateway", []))
