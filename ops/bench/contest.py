"""The peers of one workload, which take turns."""

import contextlib
import dataclasses
import random
from typing import Callable

from latency import BLOCK, Latencies
from load import Driver, LoadFailed, Window, figures
from measure import settle
from peers import PEERS, Site
from procfs import descriptors
from processes import StartFailed
from workloads import Calibration, FreshWorkload, LoadWorkload, Workload

# A peer that has failed this often in a workload gets no further turn.
PATIENCE = 2


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What all peers of a workload share."""

    site: Site
    driver: Driver
    window: Window
    calibration: Calibration | None = None


class Contestant:
    """A peer and its load client. Their sessions stay open from turn to turn."""

    def __init__(self, name: str, workload: LoadWorkload, conditions: Conditions):
        self._window = conditions.window
        self._latencies = Latencies()
        with contextlib.ExitStack() as stack:
            self._server = stack.enter_context(PEERS[name].start(conditions.site))
            url = self._server.urls[workload.service(self._server)]
            arguments = workload.arguments(url, conditions.calibration)
            self._client = conditions.driver.client(arguments, conditions.window)
            stack.callback(self._client.stop)
            self._at_rest = descriptors(self._server.pids())
            self._stack = stack.pop_all()

    def turn(self) -> dict:
        """Stops the peer between its turns (SIGSTOP), so that it does not use the core of the others."""
        self._server.resume()
        self._server.check()
        try:
            report = self._client.turn(self._server.pids(), self._window)
        except LoadFailed:
            # If the peer has ended, that is the better error.
            self._server.check()
            raise
        settle(self._server, self._at_rest)
        self._server.pause()
        self._latencies.add(report["latency_histogram_ns"])
        return figures(report)

    def end_block(self, turns: int) -> dict:
        """The figures of all turns since the last block, if there are enough of them."""
        latencies, self._latencies = self._latencies, Latencies()
        return {"p999_us": latencies.quantile_us(0.999)} if latencies.turns == turns and latencies.count else {}

    def close(self):
        self._stack.close()


class Contest(contextlib.AbstractContextManager):
    """One workload: its peers and their results."""

    def __init__(self, workload: Workload, names: list[str], conditions: Conditions):
        self._workload = workload
        self._names = names
        self._conditions = conditions
        self._present: dict[str, Contestant] = {}
        self._runs: dict[str, list[dict]] = {name: [] for name in names}

    def rounds(self, turns: int, say: Callable[[str], None]) -> dict[str, list[dict]]:
        """Runs the rounds. In each round every peer has a turn, in another order."""
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
        self._check(turns, say)
        return self._runs

    def _check(self, turns: int, say: Callable[[str], None]):
        """Checks the turns of a peer. If they are not what they should be, it has failed, and its figures do not count."""
        for name, runs in self._runs.items():
            try:
                figures = [run for run in runs if "error" not in run]
                self._workload.check(figures, self._conditions.calibration)
            except LoadFailed as error:
                say(f"{self._workload.key}: {name} failed: {error}")
                self._runs[name] = [{"turn": turns - 1, "error": str(error)}]

    def _turn(self, name: str) -> dict:
        if isinstance(self._workload, FreshWorkload):
            with PEERS[name].start(self._conditions.site) as server:
                return self._workload.measure(self._conditions.driver, server, self._workload.service(server))
        if name not in self._present:
            if self._workload.is_relative and not self._conditions.calibration:
                raise LoadFailed("there is no rate: nginx failed at the start of the run")
            self._present[name] = Contestant(name, self._workload, self._conditions)
        return self._present[name].turn()

    def _end(self, name: str):
        if contestant := self._present.pop(name, None):
            contestant.close()

    def __exit__(self, *_):
        for name in list(self._present):
            self._end(name)
