"""Tables of the results, for the terminal and for RESULTS.md."""

import math
import statistics

from goals import GOALS, UNKNOWN
from latency import BLOCK
from rows import Rows, interval
from workloads import STORM_HANDSHAKES, STORM_MESSAGES, Calibration

INTRODUCTION = f"""\
# Benchmark results

Made by `ops/bench/run`; do not edit. All figures are from one run. The peers take turns on the same core, with one worker each.
There are many short turns, in another order in each round, because other load on a machine changes from second to second.
Sessions are opened once, before the first turn, and stay open; between its turns a peer is stopped.

A figure is the median of all turns. Its ratio (gateway / peer) is the median of the ratios within each round, which vary much less
than the figures. In brackets is the 95 % confidence interval of that median (with fewer than six ratios, the least and the
greatest). A p99 is from a single turn. A p99.9 is from the latencies of {BLOCK} turns of a peer together, so there are {BLOCK} times fewer
of them. CPU is the time of the peer's own processes from /proc; user and system are its parts over all turns. Sessions go through
the peer to an echo backend, unless a table says otherwise.
"""

RATES = (
    "client: how much of its core the load client takes, which it shares with the backend. Where that is most of it,"
    " latencies are theirs as much as the peer's."
    f" storm: {STORM_MESSAGES:.0%} of nginx's best rate, while full TLS handshakes come in at {STORM_HANDSHAKES:.0%} of"
    " its best. The latency is that of the sessions that are there. g: gateway.")

MEMORY = """\
## Memory of an idle session

Bytes of PSS (without pages of files) per session, beyond the idle process. Each figure is from a new process.

"""


def markdown(raw: dict) -> str:
    """The text of RESULTS.md."""
    rows = Rows(raw["workloads"])
    parts = [INTRODUCTION, _goals(rows), _conditions(raw), *_sections(rows), _failures(rows)]
    return "\n".join(part for part in parts if part)


def summary(raw: dict) -> str:
    """The tables without the explanations, to print at the end of a run."""
    rows = Rows(raw["workloads"])
    return "\n".join(part for part in [_goals(rows), *_sections(rows), _failures(rows)] if part)


def table(header: list[str], lines: list[list[str]], *, words: int) -> str:
    """A Markdown table in aligned columns: the first `words` columns are text, aligned to the left; the others are figures."""
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]

    def row(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * width if column < words else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([row(header), row(rule), *map(row, lines)]) + "\n"


def _goals(rows: Rows) -> str:
    lines = []
    for goal in GOALS:
        was, result = goal.judge(rows)
        if result != UNKNOWN:
            lines.append([goal.title, goal.wanted, was, result if result == "met" else f"**{result}**"])
    if not lines:
        return ""
    text = "## Goals\n\nGateway / peer; if there are several workloads, the worst.\n\n"
    return text + table(["", "goal", "was", "result"], lines, words=4)


def _conditions(raw: dict) -> str:
    meta = raw["meta"]
    lines = ["## Machine and versions", ""]
    lines += [f"- {name}: {value}" for name, value in meta["machine"].items()]
    lines += [f"- {name}: {version}" for name, version in meta["versions"].items()]
    if calibration := raw.get("calibration"):
        lines.append(
            f"- fixed rates: shares of what nginx reached at the start of the run: {Calibration(**calibration)}")
    return "\n".join(lines) + "\n"


# MARK: - Sections


def _sections(rows: Rows) -> list[str]:
    return [
        _section(rows, "CPU per message", ["pingpong-*", "inflight-*", "message-*"], _cost),
        _section(rows, "At a fixed rate", ["rate-*", "storm-*"], _latency, RATES),
        _section(rows, "TLS handshake, upgrade and session", ["handshakes-*"], _cost),
        _section(rows, "Broadcast, per delivered message", ["broadcast-*"], _cost),
        _section(rows, "Bridge to TCP", ["bridge-*"], _cost),
        _memory(rows),
        _cleanup(rows),
    ]


def _section(rows: Rows, title: str, patterns: list[str], columns, note: str = "") -> str:
    lines, header = [], []
    for key in rows.keys(*patterns):
        for peer in rows.peers(key):
            name = key if peer == rows.peers(key)[0] else ""
            if not rows.has(key, peer):
                lines.append([name, peer, "failed"])
                continue
            header, cells = columns(rows, key, peer)
            lines.append([name, peer, *cells])
    if not header:
        return ""
    header = ["", "", *header]
    lines = [line + [""] * (len(header) - len(line)) for line in lines]
    return f"## {title}\n\n" + (f"{note}\n\n" if note else "") + table(header, lines, words=2)


def _ratio(rows: Rows, key: str, peer: str, metric: str) -> str:
    if peer == "gateway":
        return "1"
    ratios = rows.ratios(key, peer, metric)
    if not ratios:
        return "–"
    spread = " ({:.2f}–{:.2f})".format(*interval(ratios)) if len(ratios) > 1 else ""
    return f"{statistics.median(ratios):.2f}{spread}"


def _shares(rows: Rows, key: str, peer: str, figure: float) -> str:
    """A figure split into user and system time, by all turns together: one turn has too few of the kernel's ticks."""
    user, system = (rows.total(key, peer, f"{name}_seconds") for name in ("user", "system"))
    share = user / (user + system) if user + system > 0 else 0
    return f"{figure * share:.2f} + {figure * (1 - share):.2f}"


def _cost(rows: Rows, key: str, peer: str) -> tuple[list[str], list[str]]:
    def of(metric):
        return rows.median(key, peer, metric)

    cells = [
        f"{of('cpu_us'):.2f}", _shares(rows, key, peer, of("cpu_us")), _ratio(rows, key, peer, "cpu_us"),
        f"{of('per_second'):,.0f}", f"{of('p50_us'):,.0f}", f"{of('p99_us'):,.0f}", f"{100 * of('busy'):.0f} %",
    ]
    return ["CPU µs", "user + system", "gateway / peer", "per second", "p50 µs", "p99 µs", "core in use"], cells


def _latency(rows: Rows, key: str, peer: str) -> tuple[list[str], list[str]]:
    def of(metric):
        return rows.median(key, peer, metric)

    cells = [
        f"{of('per_second'):,.0f}", f"{of('p50_us'):,.0f}", f"{of('p99_us'):,.0f}",
        # A peer that failed too often has none.
        "–" if math.isnan(of("p999_us")) else f"{of('p999_us'):,.0f}",
        _ratio(rows, key, peer, "p99_us"), _ratio(rows, key, peer, "p999_us"), f"{of('cpu_us'):.2f}",
        _ratio(rows, key, peer, "cpu_us"), f"{100 * of('client_busy'):.0f} %",
    ]
    header = [
        "per second", "p50 µs", "p99 µs", "p99.9 µs", "p99: g / peer", "p99.9: g / peer", "CPU µs", "CPU: g / peer", "client"]
    return header, cells


def _memory(rows: Rows) -> str:
    keys = rows.keys("idle-*")
    if not keys:
        return ""
    counts = sorted({int(key.split("-")[1]) for key in keys})
    lines = []
    for mode in ("plain", "tls"):
        of_mode = [key for key in keys if key.endswith(mode)]
        names = list(dict.fromkeys(peer for key in of_mode for peer in rows.peers(key)))
        for peer in names:
            cells, rest = [], "–"
            for count in counts:
                key = f"idle-{count}-{mode}"
                if key in of_mode and rows.has(key, peer):
                    cells.append(f"{rows.median(key, peer, 'bytes'):,.0f}")
                    rest = f"{rows.median(key, peer, 'at_rest') / (1 << 20):.1f}"
                else:
                    cells.append("failed" if key in of_mode and peer in rows.peers(key) else "–")
            lines.append([mode if peer == names[0] else "", peer, *cells, rest])
    return MEMORY + table(["", "", *(f"{count:,} sessions" for count in counts), "at rest, MiB"], lines, words=2)


def _cleanup(rows: Rows) -> str:
    def columns(rows, key, peer):
        def of(metric):
            return rows.median(key, peer, metric)

        cells = [
            f"{of('closed_seconds'):.2f}", f"{of('idle_seconds'):.2f}", f"{of('cpu_seconds'):.2f}",
            _shares(rows, key, peer, of("cpu_seconds")), _ratio(rows, key, peer, "cpu_seconds"),
        ]
        return ["all closed, s", "idle again, s", "CPU s", "user + system", "CPU gateway / peer"], cells

    return _section(rows, "After 9,000 sessions went away at once", ["cleanup-*"], columns)


def _failures(rows: Rows) -> str:
    failures = rows.failures()
    if not failures:
        return ""
    lines = [f"- {key}, {peer}: {' '.join(message.split())}" for key, peer, message in failures]
    return "## Failures\n\n" + "\n".join(lines) + "\n"
