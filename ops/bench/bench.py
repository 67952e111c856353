"""Measures the gateway and its peers side by side. Called by ops/bench/run, which installs and builds what is needed."""

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import os
import pathlib
import signal
import sys
import time

import machine
import report
from contest import Conditions, Contest, Contestant
from load import Driver, LoadFailed, Window
from peers import PEERS, Programs, Site, make_certificate, version
from processes import Server, StartFailed, adopt_orphans, raise_open_files
from rows import Rows
from workloads import QUICK_PEERS, WORKLOADS, Calibration, FreshWorkload, LoadWorkload, Workload

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "bench"
RESULTS = pathlib.Path(__file__).resolve().parent / "RESULTS.md"
# The results of the last whole run and of the last other run. They are written while the run goes on.
RAW, PARTIAL = WORK / "results.json", WORK / "partial.json"

# The length and the number of turns. Other load on a machine changes from second to second, so the median of many short turns is
# steadier than that of a few long ones.
WINDOW = Window(seconds=0.2, warmup=0.05)
TURNS, QUICK_TURNS = 36, 12
# The best of these turns is what nginx reaches.
CALIBRATION_TURNS, CALIBRATION_WINDOW = 3, Window(seconds=1, warmup=0.3)
CALIBRATED = ("pingpong-64-100-plain", "pingpong-64-100-tls", "handshakes-full-tls")
# A load average above this means that something else runs.
QUIET = 0.5


def say(text: str):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Run:
    """One run of the selected workloads."""

    def __init__(
        self, options: argparse.Namespace, workloads: list[Workload], peers: list[str], stack: contextlib.ExitStack
    ):
        self.options = options
        self.workloads = workloads
        self.peers = peers
        self.cores = machine.cores()
        # The measured peer has a core for itself.
        os.sched_setaffinity(0, {self.cores.backend})
        adopt_orphans()
        open_files = raise_open_files()
        programs = Programs(options.gateway, options.load, options.websocat, options.references)
        folder = WORK / "run"
        folder.mkdir(parents=True, exist_ok=True)
        certificate = make_certificate(folder)

        # The backends have a core of their own if there is one, and never the peers'.
        backends = [
            stack.enter_context(
                Server(name, [programs.references / name], core=self.cores.backend, folder=folder, urls={}))
            for name in ("echo", "tcp-echo")
        ]
        self.site = Site(
            programs, folder, self.cores.peer, open_files, *(backend.ports[0] for backend in backends), **certificate)
        driver = Driver(programs.load, self.cores.load)
        self.conditions = Conditions(self.site, driver, Window(options.seconds, options.warmup))
        self.raw = {"meta": self._meta(), "workloads": {}}

    def _meta(self) -> dict:
        used = dict.fromkeys(peer for workload in self.workloads for peer in workload.peers if peer in self.peers)
        return {
            "machine": {
                **machine.facts(ROOT),
                "cores used": str(self.cores),
                "turns of a peer": "{turns}, of {seconds:g} s after {warmup:g} s of warm-up".format(**vars(self.options)),
            },
            "versions": {name: version(PEERS[name], self.site.programs) for name in used},
        }

    def everything(self):
        started = time.monotonic()
        if os.getloadavg()[0] > QUIET:
            say(f"the load average is {machine.load_average()}: this machine is not quiet, and figures will be off")
        if any(isinstance(workload, LoadWorkload) and workload.is_relative for workload in self.workloads):
            self.calibrate()
        for number, workload in enumerate(self.workloads, 1):
            self.raw["workloads"][workload.key] = runs = self.measure(workload)
            PARTIAL.write_text(json.dumps(self.raw, indent=1))
            say(f"{number}/{len(self.workloads)}, {time.monotonic() - started:.0f} s: {_in_short(workload.key, runs)}")
        self.raw["meta"]["machine"]["took"] = f"{time.monotonic() - started:.0f} s"
        self.raw["meta"]["machine"]["load average at the end"] = machine.load_average()

    def calibrate(self):
        """Measures what nginx reaches. Fixed rates are shares of it."""
        by_key = {workload.key: workload for workload in WORKLOADS}
        conditions = dataclasses.replace(self.conditions, window=CALIBRATION_WINDOW)

        def best(key: str) -> float:
            try:
                with contextlib.closing(Contestant("nginx", by_key[key], conditions)) as nginx:
                    return max(nginx.turn()["per_second"] for _ in range(CALIBRATION_TURNS))
            except (LoadFailed, StartFailed) as error:
                say(f"{key}, to find nginx's best: {error}")
                return 0

        calibration = Calibration(*map(best, CALIBRATED))
        if not all(vars(calibration).values()):
            return
        self.conditions = dataclasses.replace(self.conditions, calibration=calibration)
        self.raw["calibration"] = vars(calibration)
        say(f"nginx reaches {calibration}")

    def measure(self, workload: Workload) -> dict[str, list[dict]]:
        names = [name for name in workload.peers if name in self.peers]
        conditions, turns = self.conditions, self.options.turns
        if isinstance(workload, FreshWorkload):
            turns = 1 if self.options.mode == "quick" else min(turns, workload.most_turns)
            # Memory is measured with nginx's smaller default buffers: each peer is configured for what is measured.
            conditions = dataclasses.replace(conditions, site=self.site.with_buffer("4k"))
        with Contest(workload, names, conditions) as contest:
            return contest.rounds(turns, say)


IN_SHORT = {
    "idle": ("bytes", "B"), "cleanup": ("cpu_seconds", "s"),
    "rate": ("p99_us", "µs p99"), "storm": ("p99_us", "µs p99"),
}


def _in_short(key: str, runs: dict[str, list[dict]]) -> str:
    """Prints one line of progress."""
    rows = Rows({key: runs})
    metric, unit = IN_SHORT.get(key.split("-")[0], ("cpu_us", "µs"))
    cells = []
    for name in runs:
        if not rows.has(key, name):
            cells.append(f"{name} failed")
            continue
        ratio = rows.ratio(key, name, metric) if name != "gateway" else None
        compared = f" ({ratio:.2f})" if ratio is not None else ""
        cells.append(f"{name} {rows.median(key, name, metric):,.2f} {unit}{compared}")
    return f"{key}: {', '.join(cells)}"


# MARK: - The selection


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        say(message)
        sys.exit(64)


def options() -> argparse.Namespace:
    parser = Parser(prog="ops/bench/run", add_help=False)
    parser.add_argument("mode", nargs="?", choices=["quick"])
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--turns", type=int)
    parser.add_argument("--seconds", type=float, default=WINDOW.seconds)
    parser.add_argument("--warmup", type=float, default=WINDOW.warmup)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--list", action="store_true")
    for program in ("gateway", "load", "websocat", "references"):
        parser.add_argument(f"--{program}", type=pathlib.Path)
    parsed = parser.parse_args()
    if parsed.turns is None:
        parsed.turns = QUICK_TURNS if parsed.mode == "quick" else TURNS
    if parsed.turns < 1 or parsed.seconds < 0.05 or parsed.warmup < 0:
        parser.error("--turns must be at least 1, --seconds at least 0.05, --warmup at least 0")
    for pattern in parsed.only:
        if not any(workload.matches(pattern) for workload in WORKLOADS):
            parser.error(f"no workload is called {pattern}; ops/bench/run --list shows them")
    for name in parsed.peer:
        if not any(fnmatch.fnmatch(peer, name) for peer in PEERS):
            parser.error(f"no peer is called {name}; there are {', '.join(PEERS)}")
    return parsed


def selection(parsed: argparse.Namespace) -> tuple[list[Workload], list[str]]:
    workloads = [each for each in WORKLOADS if not parsed.only or any(map(each.matches, parsed.only))]
    peers = [each for each in PEERS if not parsed.peer or any(fnmatch.fnmatch(each, name) for name in parsed.peer)]
    if parsed.mode == "quick":
        workloads = [workload for workload in workloads if workload.is_quick or parsed.only]
        peers = [peer for peer in peers if peer in QUICK_PEERS or parsed.peer]
    return [workload for workload in workloads if any(peer in peers for peer in workload.peers)], peers


def main() -> int:
    parsed = options()
    if parsed.report:
        if not RAW.exists():
            say(f"there are no results of a whole run in {RAW.relative_to(ROOT)}")
            return 1
        RESULTS.write_text(report.markdown(json.loads(RAW.read_text())))
        say(f"wrote {RESULTS.relative_to(ROOT)}")
        return 0

    workloads, peers = selection(parsed)
    if parsed.list:
        for workload in workloads:
            print(f"{workload.key:24}{', '.join(peer for peer in workload.peers if peer in peers)}")
        return 0
    is_whole = parsed.mode is None and not parsed.only and not parsed.peer
    with contextlib.ExitStack() as stack:
        run = Run(parsed, workloads, peers, stack)
        run.everything()
    if is_whole:
        RAW.write_text(json.dumps(run.raw, indent=1))
        RESULTS.write_text(report.markdown(run.raw))
        say(f"wrote {RESULTS.relative_to(ROOT)}")
    print(report.summary(run.raw))
    return 1 if Rows(run.raw["workloads"]).gateway_failed("*") else 0


def _interrupted(number, _frame):
    # Unwinds the stack, which ends everything that was started.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        sys.exit(main())
    except (LoadFailed, StartFailed) as error:
        say(str(error))
        sys.exit(1)
