"""Checks of the source tree as a whole. Called by ops/check, which says how."""

import argparse
import importlib
import pathlib
import subprocess
import sys
import time

import index_store
from tree import Tree

# Each is a module with `findings(tree)`, which yields a Finding for everything that is wrong.
PARTS = ["format", "structure", "unsafe", "dead", "schema", "readme", "reference", "sleeps", "text", "budgets"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops/check")
    parser.add_argument("--only", action="append", choices=PARTS, default=[])
    parser.add_argument("--without", action="append", choices=PARTS, default=[])
    parser.add_argument("--graph", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    tree = Tree(arguments.root)
    if arguments.graph:
        print(importlib.import_module("report").report(tree), end="")
        return 0
    failed = []
    for part in arguments.only or [part for part in PARTS if part not in arguments.without]:
        start = time.monotonic()
        try:
            found = list(importlib.import_module(f"parts.{part}").findings(tree))
        except (index_store.NotIndexed, LookupError, OSError, subprocess.SubprocessError) as error:
            print(f"check: {part}: cannot be checked: {error}", file=sys.stderr, flush=True)
            failed.append(part)
            continue
        for finding in found:
            print(finding)
        result = f"{len(found)} to mend" if found else "ok"
        print(f"check: {part}: {result} ({time.monotonic() - start:.1f} s)", file=sys.stderr, flush=True)
        failed += [part] * bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
