"""ops/gateway.schema.json is what the program makes of its table of keys, and gateway.conf names every key of it."""

import difflib
import json
import re
import subprocess
from collections.abc import Iterator

from tree import Finding, Tree

FILE = "ops/gateway.schema.json"
COMMAND = [".build/debug/gateway", "schema"]


def findings(tree: Tree) -> Iterator[Finding]:
    made = subprocess.run(
        [tree.root / COMMAND[0], *COMMAND[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    committed = tree.text(FILE)
    for line in difflib.unified_diff(committed.splitlines(), made.splitlines(), n=0, lineterm=""):
        if match := re.match(r"@@ -(\d+)", line):
            yield Finding(FILE, int(match.group(1)), "differs from the table of keys", f"{' '.join(COMMAND)} > {FILE}")
    shipped = tree.text("gateway.conf")
    for name, definition in json.loads(made)["definitions"].items():
        for key in definition.get("properties", {}):
            if not re.search(rf"(?<![\w-]){re.escape(key)}:", shipped):
                yield Finding("gateway.conf", 0, f"lacks `{key}` of {name}", "add it with its default and what it does")
