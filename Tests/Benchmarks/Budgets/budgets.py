"""Checks what a message and a session cost against the budgets that are committed.

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

# What is measured, how far above of it a new budget is set, and how many decimals count. Allocations and system calls are
# whole things: what is between is the odd one that is not a message's. Instructions differ by little from run to run (how
# events fall into batches), memory by how the allocator's pages are filled.
PARTS = {
    "allocations": (allocations, 1.0, 2),
    "syscalls": (syscalls, 1.02, 2),
    "instructions": (instructions, 1.03, 1),
    "memory": (memory, 1.10, 0),
}
# A budget so far above what is needed protects nothing.
LOOSE = 0.8


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops/budgets")
    parser.add_argument("--only", action="append", choices=PARTS, default=[])
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    budgets = json.loads(FILE.read_text()) if FILE.exists() else {}
    complaints = []
    for part in arguments.only or PARTS:
        module, headroom, decimals = PARTS[part]
        print(f"{part}: {module.UNIT}", flush=True)
        measured = {name: round(value, decimals) for name, value in asyncio.run(module.measure()).items()}
        if arguments.update:
            budgets[part] = {name: rounded_up(value * headroom, decimals) for name, value in measured.items()}
        complaints += check(part, measured, budgets.get(part, {}))
    if arguments.update:
        FILE.write_text(json.dumps(budgets, indent=2) + "\n")
    for complaint in complaints:
        print(f"budgets: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def check(part: str, measured: dict[str, float], budgets: dict[str, float]) -> list[str]:
    """Prints what was measured, and says what is wrong with it."""
    complaints = []
    for name, value in measured.items():
        budget = budgets.get(name)
        remark = ""
        if budget is None:
            complaints.append(f"{part}: {name}: there is no budget; ops/budgets --update makes one")
        elif value > budget:
            remark = "EXCEEDED"
            complaints.append(f"{part}: {name}: {value:g}, but the budget is {budget:g}")
        elif value < budget * LOOSE:
            remark = "could be tightened"
        print(f"  {name:60} {value:12g} {'-' if budget is None else format(budget, 'g'):>12}  {remark}".rstrip())
    sys.stdout.flush()
    complaints += [f"{part}: {name}: nothing is measured for this budget" for name in budgets.keys() - measured.keys()]
    return complaints


def rounded_up(value: float, decimals: int) -> float:
    """Upwards, so that a budget is never below what it was made of; whole numbers from 100 on."""
    scale = 10 ** (decimals if value < 100 else 0)
    result = -(-round(value * scale, 6) // 1) / scale
    return int(result) if result == int(result) else result


if __name__ == "__main__":
    sys.exit(main())
