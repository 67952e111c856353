"""What refers to what: edges between files, folders and targets, and cycles among them."""

import collections
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import index_store
from tree import Tree, words

# `import`, whatever stands before it, and of `import struct A.B` the A.
IMPORT = r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+" \
    r"(?:(?:struct|class|enum|protocol|typealias|func|var|let)\s+)?(\w+)"


@dataclass(frozen=True)
class Reference:
    """A use of a symbol at a place in one file, that is defined in another."""

    file: str
    line: int
    name: str
    defined_in: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} uses {self.name} ({self.defined_in})"


def types(tree: Tree) -> tuple[int, list[tuple[str, int, str]]]:
    """How many top-level types that are not private there are, and file, line and name of those whose file is neither `Type.swift` nor
    `Type+Concern.swift`."""
    found = [
        (file, occurrence.line, occurrence.symbol.name)
        for file, occurrences in tree.index.items()
        for occurrence in occurrences
        if occurrence.is_definition and not occurrence.is_implicit and occurrence.symbol.kind in index_store.TYPES - {"typealias"}
        and not occurrence.related(index_store.CHILD_OF)
        and not re.search(r"\b(?:file)?private\b", tree.code(file).splitlines()[occurrence.line - 1])
    ]
    elsewhere = [place for place in found if place[0].rsplit("/", 1)[-1].removesuffix(".swift").split("+")[0] != place[2]]
    return len(found), elsewhere


def references(tree: Tree) -> list[Reference]:
    """Each use of what another file of the sources defines, one of a name and line."""
    defined_in = {
        occurrence.symbol.usr: file
        for file, occurrences in tree.index.items()
        for occurrence in occurrences
        if occurrence.is_definition and occurrence.symbol.kind != "extension"
    }
    found = {
        Reference(file, occurrence.line, occurrence.symbol.name.removeprefix("getter:").removeprefix("setter:"), home): None
        for file, occurrences in tree.index.items()
        for occurrence in occurrences
        if not occurrence.is_definition and (home := defined_in.get(occurrence.symbol.usr, file)) != file
    }
    return list(found)


def folder_edges(tree: Tree, target: str, uses: Iterable[Reference]) -> dict[tuple[str, str], list[Reference]]:
    """What makes one folder of a target depend on another."""
    edges = collections.defaultdict(list)
    for use in uses:
        if tree.target(use.file) == tree.target(use.defined_in) == target:
            edge = (tree.folder(use.file), tree.folder(use.defined_in))
            if edge[0] != edge[1]:
                edges[edge].append(use)
    return dict(edges)


def imports(tree: Tree) -> list[tuple[str, int, str]]:
    """(file, line, module) of every import in the sources."""
    return [(file, number, match.group(1)) for file in tree.sources for number, match in words(IMPORT, tree.code(file))]


def cycles(edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The strongly connected components of more than one node, and nodes with an edge to themselves, each sorted."""
    following: Mapping[str, set[str]] = collections.defaultdict(set)
    for start, end in edges:
        following[start].add(end)

    def reachable(node: str) -> set[str]:
        seen, left = set(), [node]
        while left:
            for next_node in following.get(left.pop(), ()):
                if next_node not in seen:
                    seen.add(next_node)
                    left.append(next_node)
        return seen

    reach = {node: reachable(node) for node in list(following)}
    found = {tuple(sorted(other for other in ends if node in reach.get(other, ()))) for node, ends in reach.items() if node in ends}
    return [list(cycle) for cycle in sorted(found)]


def backwards(edges: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
    """Edges without which there is no cycle, the lightest first: none of them could be kept alone. Not always the lightest set there is."""
    kept: set[tuple[str, str]] = set()
    for edge in sorted(edges, key=lambda edge: (-edges[edge], edge)):
        if not cycles(kept | {edge}):
            kept.add(edge)
    return sorted(edges.keys() - kept, key=lambda edge: (edges[edge], edge))
