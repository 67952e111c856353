"""Unsafe code stands only where the architecture allows it."""

from collections.abc import Iterator

from tree import ARCHITECTURE, Finding, Tree, words


def findings(tree: Tree) -> Iterator[Finding]:
    rows = tree.table("unsafe")
    whole = {row.key for row in rows if not row.values}
    single = {(row.key, file) for row in rows for file in row.values}
    used = set()
    for file in tree.sources:
        target, name = tree.target(file), file.rsplit("/", 1)[-1]
        for line, match in words(r"@?\bunsafe\b|@safe\b|@unchecked\b", tree.code(file)):
            used |= {(target, ""), (target, name)}
            if target not in whole and (target, name) not in single:
                yield Finding(
                    file, line, f"`{match.group()}` where unsafe code is not allowed",
                    f"use Span, or move it behind a safe interface of a target in the block `unsafe` of {ARCHITECTURE}",
                )
    for row in rows:
        for file in row.values or ("",):
            if (row.key, file) not in used:
                yield Finding(ARCHITECTURE, row.line, f"{'/'.join(filter(None, (row.key, file)))} has no unsafe code", "remove it here")
