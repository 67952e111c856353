"""Targets import what the architecture allows, and neither they nor the folders in them form a cycle. Files are named for their types."""

import collections
from collections.abc import Iterator

import graph
from tree import ARCHITECTURE, Finding, Tree

# How many references of an edge are shown.
SHOWN = 6
# How many top-level types may stand in a file that is named for another, such as small ones that a family shares. It only falls.
MOST_ELSEWHERE = 58


def findings(tree: Tree) -> Iterator[Finding]:
    rows = tree.table("imports")
    yield from _package(tree, rows)
    yield from _imports(tree, rows)
    lines = {(row.key.split("/")[0], value): row.line for row in rows for value in row.values}
    for cycle in graph.cycles(lines):
        edges = [edge for edge in lines if edge[0] in cycle and edge[1] in cycle]
        yield Finding(
            ARCHITECTURE, lines[edges[0]], f"targets in a cycle: {', '.join(cycle)}",
            "take one of these away: " + ", ".join(f"{start} → {end}" for start, end in edges),
        )
    uses = graph.references(tree)
    known = {(row.key, *sorted(row.values)): row.line for row in tree.table("cycles", is_optional=True)}
    for target in tree.targets:
        yield from _folders(tree, target, uses, known)
    elsewhere = graph.types(tree)[1]
    if len(elsewhere) > MOST_ELSEWHERE:
        for file, line, name in elsewhere:
            yield Finding(
                file, line, f"{name} is one of {len(elsewhere)} types in a file named for another, of {MOST_ELSEWHERE} at most",
                "nest the new one in the type that it serves, or give it a file",
            )
    for (target, *folders), line in known.items():
        yield Finding(ARCHITECTURE, line, f"{', '.join(folders)} of {target} are no cycle", "remove or correct the line of the block `cycles`")


def _package(tree: Tree, rows: list) -> Iterator[Finding]:
    """The table and Package.swift say the same of our own targets and of products of others."""
    allowed, line, keys = collections.defaultdict(set), {}, set()
    for row in rows:
        if row.key in keys:
            yield Finding(ARCHITECTURE, row.line, f"{row.key} has a line already", "keep one of them")
        keys.add(row.key)
        target, _, file = row.key.partition("/")
        line.setdefault(target, row.line)
        allowed[target] |= set(row.values)
        if target not in tree.targets:
            yield Finding(ARCHITECTURE, row.line, f"there is no target {target} in Sources", "remove the line, or correct the name")
        elif file and not any(tree.target(source) == target and source.endswith("/" + file) for source in tree.sources):
            yield Finding(ARCHITECTURE, row.line, f"{target} has no file {file}", "remove the line, or correct the name")
    for name, target in tree.targets.items():
        if name not in allowed:
            yield Finding(ARCHITECTURE, 0, f"the block `imports` has no line for {name}", f"add `{name}:` with what it may import")
            continue
        known = {dependency for other in tree.targets.values() for dependency in other.dependencies} | set(tree.targets)
        for dependency in sorted(target.dependencies - allowed[name]):
            yield Finding(
                "Package.swift", 0, f"{name} depends on {dependency}, which the block `imports` of {ARCHITECTURE} does not allow",
                "remove the dependency; or, where the architecture is to change, allow it there",
            )
        for dependency in sorted((allowed[name] & known) - target.dependencies):
            yield Finding(
                ARCHITECTURE, line[name], f"{name} may import {dependency}, which is no dependency of it in Package.swift",
                "add the dependency, or remove the name here",
            )


def _imports(tree: Tree, rows: list) -> Iterator[Finding]:
    allowed = collections.defaultdict(set)
    for row in rows:
        allowed[row.key] |= set(row.values)
    used = collections.defaultdict(set)
    for file, line, module in graph.imports(tree):
        target, name = tree.target(file), file.rsplit("/", 1)[-1]
        keys = [key for key in (target, f"{target}/{name}") if module in allowed[key]]
        for key in keys:
            used[key].add(module)
        if not keys:
            yield Finding(
                file, line, f"{target} may not import {module}",
                f"move what needs it to a target that may, or pass it in; the block `imports` of {ARCHITECTURE} says what may import what",
            )
    for row in rows:
        for module in row.values:
            if row.key.split("/")[0] in tree.targets and module not in used[row.key]:
                yield Finding(
                    ARCHITECTURE, row.line, f"{row.key} may import {module} and does not", "remove the name here and in Package.swift"
                )


def _folders(tree: Tree, target: str, uses: list[graph.Reference], known: dict[tuple[str, ...], int]) -> Iterator[Finding]:
    """Takes those that are known out of `known`."""
    edges = graph.folder_edges(tree, target, uses)
    for cycle in graph.cycles(edges):
        if known.pop((target, *cycle), None):
            continue
        inside = {edge: len(found) for edge, found in edges.items() if edge[0] in cycle and edge[1] in cycle}
        backwards = graph.backwards(inside)
        lines = [f"without the following {sum(inside[edge] for edge in backwards)} references there is none"]
        for edge in backwards:
            found = edges[edge]
            lines.append(f"{' → '.join(edge)}, {len(found)} times:")
            lines += [f"    {use}" for use in found[:SHOWN]]
            lines += [f"    and {len(found) - SHOWN} more"] * (len(found) > SHOWN)
        yield Finding(
            tree.targets[target].path, 0, f"folders of {target} in a cycle: {', '.join(cycle)}",
            "move a type, or pass a value or a closure, so that one direction goes; " + "\n    ".join(lines),
        )
