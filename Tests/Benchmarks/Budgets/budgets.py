"""Checks what a message and a session cost against the committed budgets.

Called by ops/budgets, which says how.
"""

import argparse
import asyncio
import json
import pathlib
import sys

import allocations
import instructions
import memory
import syscalls

FILE = pathlib.Path(__file__).resolve().parents[1] / "budgets.json"

PARTS = {"allocations": allocations, "syscalls": syscalls, "instructions": instructions, "memory": memory}
# A budget that is too far above the measured value protects nothing.
LOOSE = 0.8


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops/budgets")
    parser.add_argument("--only", action="append", choices=PARTS, default=[])
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    budgets = json.loads(FILE.read_text()) if FILE.exists() else {}
    complaints = []
    for part in arguments.only or PARTS:
        module = PARTS[part]
        print(f"{part}: {module.UNIT}", flush=True)
        measured = asyncio.run(module.measure())
        # The difference of two runs may be slightly negative.
        measured = {name: max(0, round(value, module.DECIMALS)) for name, value in measured.items()}
        proposed = {name: rounded_up(module.budget(name, value), module.DECIMALS) for name, value in measured.items()}
        if arguments.update:
            budgets[part] = proposed
        complaints += check(part, measured, proposed, budgets.get(part, {}))
    if arguments.update:
        FILE.write_text(json.dumps(budgets, indent=2) + "\n")
    for complaint in complaints:
        print(f"budgets: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def check(
    part: str, measured: dict[str, float], proposed: dict[str, float], budgets: dict[str, float]
) -> list[str]:
    """Prints what was measured and what is wrong with it."""
    complaints = []
    for name, value in measured.items():
        budget = budgets.get(name)
        remark = ""
        if budget is None:
            complaints.append(f"{part}: {name}: there is no budget; ops/budgets --update makes one")
        elif value > budget:
            remark = "EXCEEDED"
            complaints.append(f"{part}: {name}: {value:g}, but the budget is {budget:g}")
        elif proposed[name] < budget * LOOSE:
            remark = "could be tightened"
        print(f"  {name:60} {value:12g} {'-' if budget is None else format(budget, 'g'):>12}  {remark}".rstrip())
    sys.stdout.flush()
    complaints += [f"{part}: {name}: nothing is measured for this budget" for name in budgets.keys() - measured.keys()]
    return complaints


def rounded_up(value: float, decimals: int) -> float:
    """Rounds up, so that a budget is never below its measurement; whole numbers from 100 on."""
    scale = 10 ** (decimals if value < 100 else 0)
    result = -(-round(value * scale, 6) // 1) / scale
    return int(result) if result == int(result) else result


if __name__ == "__main__":
    sys.exit(main())
