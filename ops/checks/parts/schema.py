"""ops/gateway.schema.json is what the program makes of its table of keys, gateway.conf names every key in each section that has it, and
ops/docs/configuration.md is what both make."""

import difflib
import json
import re
import subprocess
from collections.abc import Iterator

import keys_page
from shipped import Shipped, named
from tree import Finding, Tree

FILE = "ops/gateway.schema.json"
SHIPPED = "gateway.conf"


def findings(tree: Tree) -> Iterator[Finding]:
    made = subprocess.run(
        [tree.gateway, "schema"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    yield from _differences(tree, FILE, made, f"gateway schema > {FILE}")
    if (tree.root / keys_page.FILE).exists():
        page = keys_page.text(made, tree.text(SHIPPED))
        yield from _differences(tree, keys_page.FILE, page, f"python3 ops/checks/keys_page.py > {keys_page.FILE}")
    definitions = {name: definition.get("properties", {}) for name, definition in json.loads(made)["definitions"].items()}
    shipped = Shipped(tree.text(SHIPPED), definitions)
    for name, properties in definitions.items():
        places = shipped.places(name)
        for key in properties:
            if not any(named(key, line) for block in places for line in block):
                yield Finding(SHIPPED, 0, f"lacks `{key}` of {name}", "add it there, with its default and what it does")


def _differences(tree: Tree, file: str, made: str, cure: str) -> Iterator[Finding]:
    for line in difflib.unified_diff(tree.text(file).splitlines(), made.splitlines(), n=0, lineterm=""):
        if match := re.match(r"@@ -(\d+)", line):
            yield Finding(file, int(match.group(1)), "differs from the table of keys", cure)
