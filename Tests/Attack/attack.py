"""Attacks the gateway beside good sessions, and reports how these were affected.

Called by ops/attack, which says how.
"""

import argparse
import itertools
import pathlib
import signal
import sys

from children import Failed, many_descriptors
from good import Plan
from run import ON, Result, milliseconds, run, titled
from scenarios import SCENARIOS

MIB = 1 << 20
LIMITS = {"on": (True,), "off": (False,), "both": (False, True)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops/attack")
    parser.add_argument("--only", action="append", choices=SCENARIOS, default=[])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--limits", choices=LIMITS, default="both")
    parser.add_argument("--sessions", type=int, default=Plan.sessions)
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:20} {scenario.what}")
        return 0

    def stop(number, frame):
        # As Ctrl-C: everything is ended on the way out.
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    many_descriptors()
    results, failures = [], []
    try:
        for name, limited in itertools.product(arguments.only or SCENARIOS, LIMITS[arguments.limits]):
            title = titled(name, limited)
            print(f"{title}: {SCENARIOS[name].what}", flush=True)
            try:
                result = run(SCENARIOS[name], Plan(sessions=arguments.sessions), arguments.seconds, limited=limited)
            except (Failed, OSError) as error:
                failures.append(title)
                print(f"  FAILED    {error}", flush=True)
                continue
            results.append(result)
            tell(result)
    except KeyboardInterrupt:
        print("attack: interrupted", file=sys.stderr)
        return 130
    finally:
        if arguments.report and results:
            arguments.report.write_text(markdown(results, arguments.seconds))
    if results:
        print("\n" + table(results), end="")
    broken = [result.title for result in results if result.broken] + failures
    print(f"{len(results) + len(failures) - len(broken)} passed, {len(broken)} failed" + (f": {'; '.join(broken)}" if broken else ""))
    return 1 if broken else 0


def row(values, form=milliseconds) -> str:
    return " / ".join(form(value) for value in values)


def mebibytes(size: int) -> str:
    return f"{size / MIB:,.0f}"


def tell(result: Result):
    print(f"  p50       {row(result.p50)} ms before / during / after")
    print(f"  p99       {row(result.p99)} ms, at most {milliseconds(result.allowed)} during; slowest: {slowest(result)}")
    print(f"  fresh     sessions open in {milliseconds(result.openings[0])} ms (p50), {milliseconds(result.openings[1])} (worst)")
    print(f"  lost      {result.lost_messages} of {result.messages} messages, {result.lost_sessions} sessions")
    print(f"  memory    {row(result.memory, mebibytes)} MiB before / at the peak / after")
    print(f"  attack    {attack(result)}")
    print(f"  refused   {refused(result)}")
    for remark in remarks(result):
        print(f"  remark    {remark}")
    print("  passed" if not result.broken else "".join(f"  BROKEN    {bound}\n" for bound in result.broken).rstrip(), flush=True)


def slowest(result: Result) -> str:
    kind, p99 = result.slowest
    return f"{kind}, {milliseconds(p99)}"


def attack(result: Result) -> str:
    """What the attackers counted, and how much the gateway logged."""
    counts = {name: count for name, count in result.counts.items() if count}
    sent = counts.get("bytes sent", 0)
    said = [
        f"{name.removeprefix('bytes ')} {count / 1e6:,.1f} MB" if name.startswith("bytes ") else f"{name} {count:,}"
        for name, count in counts.items()
    ]
    share = f" ({result.logged / sent:.2f} of what was sent)" if sent else ""
    return ", ".join((*said, f"log {result.logged / 1e6:,.2f} MB{share}"))


def remarks(result: Result) -> list[str]:
    late = [f"the machine was busy: good messages were sent up to {milliseconds(result.late)} ms late (p99)"]
    return (late if result.late > 0.005 else []) + result.remarks


def refused(result: Result) -> str:
    """What the gateway refused or ended, and how often: answers by status, connections and sessions by cause, and limits."""
    return ", ".join(f"{cause} {count:,}" for cause, count in sorted(result.refused.items())) or "nothing"


HEADS = ("attack", "limits", "messages lost", "sessions lost", "p99 in ms", "MiB at peak / after", "refused", "verdict")


def cells(result: Result) -> tuple[str, ...]:
    return (
        result.scenario.name, ON[result.limited], f"{result.lost_messages} of {result.messages}",
        str(result.lost_sessions + result.failed_openings), row(result.p99), row(result.memory[1:], mebibytes), refused(result),
        "failed" if result.broken else "passed",
    )


def table(results: list[Result]) -> str:
    """One line for each, its columns below each other; what was refused comes last, because it may be long."""
    order = (0, 1, 2, 3, 4, 5, 7, 6)
    lines = [[line[place] for place in order] for line in (HEADS, *map(cells, results))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(order))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n" for line in lines)


def markdown(results: list[Result], seconds: int) -> str:
    lines = [
        "# Attacks beside good clients",
        "",
        f"Each attack took {seconds} s. p99: round trips of the good clients before / during / after. Sessions lost: those that were open and "
        "new ones that did not open. Memory: resident MiB.",
        "",
        f"| {' | '.join(HEADS)} |",
        "|---" * len(HEADS) + "|",
    ]
    lines += [f"| {' | '.join(cells(result))} |" for result in results]
    for result in results:
        lines += ["", f"**{result.title}**: {result.scenario.what}.", "", f"- attack: {attack(result)}"]
        lines += [f"- p99 at most {milliseconds(result.allowed)} ms during it; slowest: {slowest(result)}"]
        lines += [f"- remark: {remark}" for remark in remarks(result)]
        lines += [f"- broken: {bound}" for bound in result.broken]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
