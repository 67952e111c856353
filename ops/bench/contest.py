"""The peers of one workload, which take turns."""

import contextlib
import random

from latency import Latencies
from load import Driver, LoadFailed, Window, figures
from measure import settle
from peers import PEERS, Site
from procfs import descriptors
from processes import StartFailed
from workloads import Calibration, FreshWorkload, LoadWorkload, Workload

# A peer that fails this often in a workload gets no further turn in it.
PATIENCE = 2
# A turn is too short for a p99.9: the latencies of so many turns of a peer are taken together.
BLOCK = 5


class Contestant:
    """A peer with a load client whose sessions stay open from turn to turn."""

    def __init__(
        self, name: str, workload: LoadWorkload, site: Site, driver: Driver, calibration: Calibration | None,
        window: Window
    ):
        self._window = window
        self._latencies = Latencies()
        with contextlib.ExitStack() as stack:
            self._server = stack.enter_context(PEERS[name].start(site))
            url = self._server.urls[workload.service(self._server)]
            self._client = driver.client(workload.arguments(url, calibration), window)
            stack.callback(self._client.stop)
            self._at_rest = descriptors(self._server.pids())
            self._stack = stack.pop_all()

    def turn(self) -> dict:
        """Between its turns a peer is stopped where it is, so that it takes nothing from the core of the others."""
        self._server.resume()
        self._server.check()
        try:
            report = self._client.turn(self._server.pids(), self._window)
        except LoadFailed:
            # That the peer has ended says more.
            self._server.check()
            raise
        settle(self._server, self._at_rest)
        self._server.pause()
        self._latencies.add(report["latency_histogram_ns"])
        return figures(report)

    def end_block(self, turns: int) -> dict:
        """What is calculated from all turns since the last block, if it had so many."""
        latencies, self._latencies = self._latencies, Latencies()
        return {"p999_us": latencies.quantile_us(0.999)} if latencies.turns == turns else {}

    def close(self):
        self._stack.close()


class Contest(contextlib.AbstractContextManager):
    """One workload: who takes part, and what came of it."""

    def __init__(
        self, workload: Workload, names: list[str], site: Site, driver: Driver, calibration: Calibration | None,
        window: Window
    ):
        self._workload = workload
        self._names = names
        self._site = site
        self._driver = driver
        self._calibration = calibration
        self._window = window
        self._present: dict[str, Contestant] = {}
        self._runs: dict[str, list[dict]] = {name: [] for name in names}

    def rounds(self, turns: int, say) -> dict[str, list[dict]]:
        """In each round everyone has a turn, in another order."""
        block = min(BLOCK, turns)
        for number in range(turns):
            for name in random.Random(number).sample(self._names, len(self._names)):
                runs = self._runs[name]
                if sum("error" in run for run in runs) >= PATIENCE:
                    continue
                try:
                    row = self._turn(name)
                    if name in self._present and (number + 1) % block == 0:
                        row |= self._present[name].end_block(block)
                    runs.append({"turn": number, **row})
                except (LoadFailed, StartFailed) as error:
                    say(f"{self._workload.key}: {name} failed: {error}")
                    runs.append({"turn": number, "error": str(error)})
                    self._end(name)
        for name, runs in self._runs.items():
            try:
                self._workload.check([run for run in runs if "error" not in run], self._calibration)
            except LoadFailed as error:
                say(f"{self._workload.key}: {name} failed: {error}")
                self._runs[name] = [{"turn": turns - 1, "error": str(error)}]
        return self._runs

    def _turn(self, name: str) -> dict:
        if isinstance(self._workload, FreshWorkload):
            with PEERS[name].start(self._site) as server:
                return self._workload.measure(self._driver, server, self._workload.service(server))
        if name not in self._present:
            if self._workload.is_relative and not self._calibration:
                raise LoadFailed("there is no rate: nginx failed at the start of the run")
            self._present[name] = Contestant(
                name, self._workload, self._site, self._driver, self._calibration, self._window)
        return self._present[name].turn()

    def _end(self, name: str):
        if contestant := self._present.pop(name, None):
            contestant.close()

    def __exit__(self, *_):
        for name in list(self._present):
            self._end(name)
