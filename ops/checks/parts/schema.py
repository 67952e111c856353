"""ops/gateway.schema.json is what the program makes of its table of keys, and gateway.conf names every key in each section that has it."""

import difflib
import json
import re
import subprocess
from collections.abc import Iterator

from tree import Finding, Tree

FILE = "ops/gateway.schema.json"
SHIPPED = "gateway.conf"
# The definition of the file as a whole.
WHOLE = "gateway"


def findings(tree: Tree) -> Iterator[Finding]:
    made = subprocess.run(
        [tree.gateway, "schema"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    committed = tree.text(FILE)
    for line in difflib.unified_diff(committed.splitlines(), made.splitlines(), n=0, lineterm=""):
        if match := re.match(r"@@ -(\d+)", line):
            yield Finding(FILE, int(match.group(1)), "differs from the table of keys", f"gateway schema > {FILE}")
    definitions = {name: definition.get("properties", {}) for name, definition in json.loads(made)["definitions"].items()}
    blocks = {WHOLE: [tree.text(SHIPPED).splitlines()]}
    for name, properties in definitions.items():
        # A section under the same key that has all of these keys and more, such as the timeouts of `defaults`, names them as well.
        places = [
            block for other, its in definitions.items()
            if other == name or (its.keys() > properties.keys() and _keys(other, definitions) & _keys(name, definitions))
            for block in _blocks(other, definitions, blocks)
        ]
        for key in properties:
            if not any(_named(key, line) for block in places for line in block):
                yield Finding(SHIPPED, 0, f"lacks `{key}` of {name}", "add it there, with its default and what it does")


def _named(key: str, line: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(key)}:", line) is not None


def _keys(name: str, definitions: dict[str, dict]) -> set[str]:
    """The keys that a section stands under."""
    return {
        key for properties in definitions.values() for key, value in properties.items()
        if f'"#/definitions/{name}"' in json.dumps(value)
    }


def _blocks(name: str, definitions: dict[str, dict], blocks: dict[str, list[list[str]]]) -> list[list[str]]:
    """The lines of every place that a section has in the file, below each key that it stands under."""
    if name not in blocks:
        blocks[name] = []
        for above, properties in definitions.items():
            for key in properties.keys() & _keys(name, {above: properties}):
                blocks[name] += [part for block in _blocks(above, definitions, blocks) for part in _below(key, block)]
    return blocks[name]


def _below(key: str, lines: list[str]) -> Iterator[list[str]]:
    """From each line that has the key: the comment above it, the line, and what is indented more, comments included."""
    for index, line in enumerate(lines):
        if not _named(key, line):
            continue
        is_comment = line.lstrip().startswith("#")
        # A key that is a comment itself is a part of an example, which ends with the comment.
        depth = _depth(line, is_comment)
        end = start = index
        while not is_comment and start and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        for end in range(index + 1, len(lines) + 1):
            if end == len(lines):
                break
            if is_comment and not lines[end].lstrip().startswith("#"):
                break
            if lines[end].strip() and _depth(lines[end], is_comment) <= depth:
                break
        yield lines[start:end]


def _depth(line: str, is_comment: bool) -> int:
    """The column at which a line begins, within the comment where that is an example."""
    return len(line) - len(line.lstrip(" #" if is_comment else " "))
