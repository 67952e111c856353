"""What `ops/check --graph` prints: the shape of the tree in figures."""

import collections
import re
import statistics

import graph
import index_store
from index_store import Occurrence
from tree import Tree

# How many files are listed as the most referenced.
LISTED = 10
# Making one of these is booting a gateway: a class of that name, as symbols have it.
GATEWAY = re.compile(r"(?<!\d)7GatewayC")


def report(tree: Tree) -> str:
    uses = graph.references(tree)
    folders = [_folders(tree, target, uses) for target in tree.targets]
    return "\n\n".join([_targets(tree), *filter(None, folders), _referenced(uses), _sizes(tree), _types(tree), _tests(tree)]) + "\n"


def _targets(tree: Tree) -> str:
    edges = collections.defaultdict(set)
    for file, _, module in graph.imports(tree):
        if module in tree.targets:
            edges[tree.target(file)].add(module)
    lines = [f"  {target} → {' '.join(sorted(edges[target])) or '(none of ours)'}" for target in sorted(tree.targets)]
    found = graph.cycles((start, end) for start, ends in edges.items() for end in ends)
    return "\n".join(["Targets, and what each imports of ours", *lines, f"  cycles: {_named(found)}"])


def _folders(tree: Tree, target: str, uses: list[graph.Reference]) -> str:
    files = [file for file in tree.sources if tree.target(file) == target]
    folders = sorted({tree.folder(file) for file in files})
    if len(folders) < 2:
        return ""
    edges = graph.folder_edges(tree, target, uses)
    lines = []
    for folder in folders:
        ends = sorted(((len(found), end) for (start, end), found in edges.items() if start == folder), reverse=True)
        lines.append(f"  {folder} → {', '.join(f'{end} {count}' for count, end in ends) or '(none)'}")
    lines.append(f"  cycles: {_named(graph.cycles(edges))}")
    if backwards := graph.backwards({edge: len(found) for edge, found in edges.items()}):
        lines.append(f"  none without {', '.join(f'{start} → {end} {len(edges[start, end])}' for start, end in backwards)}")
    return "\n".join([f"Folders of {target}, and how often each refers to which", *lines])


def _named(cycles: list[list[str]]) -> str:
    return "; ".join(f"{len(cycle)}: {', '.join(cycle)}" for cycle in cycles) or "none"


def _referenced(uses: list[graph.Reference]) -> str:
    users, times = collections.defaultdict(set), collections.Counter()
    for use in uses:
        users[use.defined_in].add(use.file)
        times[use.defined_in] += 1
    most = sorted(users, key=lambda file: (-len(users[file]), file))[:LISTED]
    lines = [f"  {len(users[file]):4} files, {times[file]:5} times  {file}" for file in most]
    return "\n".join(["The files that most others refer to", *lines])


def _sizes(tree: Tree) -> str:
    def lines(files: list[str]) -> list[int]:
        return [tree.text(file).count("\n") for file in files]

    sources = lines(tree.sources)
    unit = lines([file for file in tree.files("Tests", ".swift") if "Tests/Benchmarks/" not in file and "Tests/Fuzz/" not in file])
    integration = lines(tree.files("Tests/IntegrationTests", ".py", ".js"))
    return "\n".join([
        "Sizes",
        f"  sources             {sum(sources):6} lines in {len(sources)} files, median {statistics.median(sources):.0f}, most {max(sources)}",
        *(f"    {target:17} {sum(own):6} in {len(own)}" for target in sorted(tree.targets) if (own := lines(_of(tree, target)))),
        f"  unit tests          {sum(unit):6} lines in {len(unit)} files",
        f"  integration tests   {sum(integration):6} lines in {len(integration)} files",
    ])


def _of(tree: Tree, target: str) -> list[str]:
    return [file for file in tree.sources if tree.target(file) == target]


def _types(tree: Tree) -> str:
    types, elsewhere = graph.types(tree)
    return f"Types\n  {types} at the top level, {len(elsewhere)} of them in a file that is not named for them"


def _tests(tree: Tree) -> str:
    """A test boots a gateway if it makes one, or calls what does."""
    callers, made, tests = collections.defaultdict(set), set(), set()
    for file, occurrences in tree.test_index.items():
        code = tree.code(file)
        lines = {code.count("\n", 0, match.end()) + 1 for match in re.finditer(r"@Test\b.*?\bfunc\b", code, re.DOTALL)}
        for occurrence in occurrences:
            _note(occurrence, callers, made)
            if occurrence.is_definition and not occurrence.is_implicit and occurrence.line in lines:
                if occurrence.symbol.kind in ("method", "function"):
                    tests.add(occurrence.symbol.usr)
    booting, left = set(), list(made)
    while left:
        usr = left.pop()
        if usr not in booting:
            booting.add(usr)
            left += callers[usr]
    return f"Unit tests\n  {len(tests)} test functions, {len(tests & booting)} of them boot a gateway"


def _note(occurrence: Occurrence, callers: dict[str, set[str]], made: set[str]):
    """Notes what uses what, and what makes a gateway."""
    symbol = occurrence.symbol
    for parent in occurrence.related(index_store.CHILD_OF | index_store.ACCESSOR_OF) if occurrence.is_definition else []:
        if symbol.kind == "initializer" or parent.kind == "property":
            # What uses the type or the property runs this.
            callers[symbol.usr].add(parent.usr)
    for container in occurrence.related(index_store.CONTAINED_BY):
        callers[symbol.usr].add(container.usr)
        if symbol.kind == "initializer" and GATEWAY.search(symbol.usr):
            made.add(container.usr)
