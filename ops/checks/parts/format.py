"""The Swift code is as `swift format` writes it."""

import re
import subprocess
from collections.abc import Iterator

from tree import Finding, Tree

PLACES = ["Sources", "Tests", "Package.swift"]


def findings(tree: Tree) -> Iterator[Finding]:
    command = ["swift", "format", "lint", "-s", "-p", "-r", *(place for place in PLACES if (tree.root / place).exists())]
    process = subprocess.run(command, cwd=tree.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    cure = f"swift format -i -p -r {' '.join(PLACES)}"
    lines = process.stderr.splitlines()
    if process.returncode and not lines:
        lines = [f"swift format ends with {process.returncode} and does not say why"]
    for line in lines:
        if match := re.match(r"(?:\./)?(.+?):(\d+):\d+: (?:error|warning): (.*)", line):
            file, number, message = match.groups()
            yield Finding(file.removeprefix(f"{tree.root}/"), int(number), message, cure)
        elif process.returncode:
            yield Finding(PLACES[0], 0, line, cure)
