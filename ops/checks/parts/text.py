"""Things are `it`: words for people are not used of sockets, processes and peers."""

import re
from collections.abc import Iterator

from tree import Finding, Tree, words

_PEOPLE = re.compile(r"\b(?:who|whoever|whose|whom|nobody|somebody|everybody)\b", re.IGNORECASE)
# What is said of people, and of other programs' options.
ALLOWED = ["who may connect", "--kill-whom", '"who"', "`who`"]


def findings(tree: Tree) -> Iterator[Finding]:
    commands = [file for file in tree.files("ops") if "/" not in file.removeprefix("ops/") and "." not in file]
    for file in [*tree.sources, "README.md", "gateway.conf", "ops/gateway.schema.json", *commands]:
        if not (tree.root / file).exists():
            continue
        for line, match in words(_PEOPLE, tree.text(file)):
            around = tree.text(file).splitlines()[line - 1][max(0, match.start() - 20):match.end() + 20]
            if not any(phrase in around for phrase in ALLOWED):
                yield Finding(file, line, f"`{match.group()}` in “…{around.strip()}…”", "say it of a thing: it, that, which, none, each")
