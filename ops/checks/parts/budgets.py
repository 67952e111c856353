"""The budgets that are counts of instructions: ops/budgets measures them and says which is exceeded."""

import subprocess
from collections.abc import Iterator

from tree import Finding, Tree


def findings(tree: Tree) -> Iterator[Finding]:
    if subprocess.run([tree.root / "ops" / "budgets", "--only", "instructions"]).returncode:
        yield Finding(
            "Tests/Benchmarks/budgets.json", 0, "a budget of instructions is not kept, or not measured; ops/budgets says above which",
            "make it cheaper; or, where it has to cost that, ops/budgets --only instructions --update",
        )
