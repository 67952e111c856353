"""ops/docs/reference.md has a line for each cause of an end, each metric and each event of the log, and for no others. Beside each cause it has
the reason that the client gets in the Close."""

import re
from collections.abc import Iterator

import markdown
from tree import Finding, Tree

PAGE = "ops/docs/reference.md"
_CAUSE = re.compile(r"enum Cause: String[^{]*\{(.*?)^\}", re.DOTALL | re.MULTILINE)
# What the client is told, in the table of `Ending`. What the other side did is told with that side before it.
_REASON = re.compile(r'^ +case \(\.(\w+), (?:\.client|_)\)(?:, \([^)]*\))*: (self\.close)?\(.*"([^"]+)"\)$', re.MULTILINE)
_METRIC = re.compile(r'\bMetricFamily\(\s*"([a-z_]+)"')
# A record is made with its level and its event, of which there may be two to choose from.
_EVENT = re.compile(
    r'(?:Record|record|write)\((?:[^"(){}]|\([^"(){}]*\))*?\.(?:debug|info|warning|error)\s*,[^"(){}]{0,40}'
    r'"([a-z][a-z-]*)"(?:\s*:\s*"([a-z][a-z-]*)")?')


def findings(tree: Tree) -> Iterator[Finding]:
    if not (tree.root / PAGE).exists():
        return
    listed = _listed(tree.text(PAGE))
    for heading, named in (("Causes", _causes(tree)), ("Metrics", _found(tree, _METRIC)), ("Log lines", _found(tree, _EVENT))):
        rows = listed.get(heading, {})
        for name, file in sorted(named.items()):
            if name not in rows:
                yield Finding(PAGE, 0, f"{heading} lacks `{name}` of {file}", "add a row: what it means, and what to do")
        for name, line in sorted(rows.items()):
            if name not in named:
                yield Finding(PAGE, line, f"{heading} has `{name}`, which is not in the sources", "correct or remove the row")
    yield from _reasons(tree)


def _reasons(tree: Tree) -> Iterator[Finding]:
    """Rows of causes of which the third column has other reasons in quotes than the code."""
    words = {name: word for file in tree.sources for name, word in _cases(tree, file)}
    sent = {
        words[name]: f"backend {reason}" if is_of_a_side else reason
        for file in tree.sources if words and "func usualClose(" in tree.text(file)
        for name, is_of_a_side, reason in _REASON.findall(tree.text(file))
    }
    for number, line in enumerate(tree.text(PAGE).splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and (match := re.fullmatch(r"`([a-z-]+)`", cells[0])):
            told = [sent[match.group(1)]] if match.group(1) in sent else []
            if re.findall(r'"([^"]+)"', cells[2]) != told:
                yield Finding(PAGE, number, f"clients are told {told} for {match.group(1)}", "quote it in the third column")


def _causes(tree: Tree) -> dict[str, str]:
    """Each cause, and the file that it is in."""
    return {word: file for file in tree.sources for _, word in _cases(tree, file)}


def _cases(tree: Tree, file: str) -> Iterator[tuple[str, str]]:
    """The name of each cause in the code, and its word."""
    if match := _CAUSE.search(tree.text(file)):
        for name, word in re.findall(r'^    case (\w+)(?: = "([\w-]+)")?$', match.group(1), re.MULTILINE):
            yield name, word or name


def _found(tree: Tree, pattern: re.Pattern) -> dict[str, str]:
    return {name: file for file in tree.sources for match in pattern.finditer(tree.text(file)) for name in match.groups() if name}


def _listed(text: str) -> dict[str, dict[str, int]]:
    """By each heading, the names in the first column of the tables below it or below headings of a lower rank, and their lines."""
    listed: dict[str, dict[str, int]] = {}
    heading = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif match := re.match(r"\| (`[^|]*) \|", line):
            for name in markdown.parse(match.group(1)).spans:
                listed.setdefault(heading, {})[name[1]] = number
    return listed
