"""Markdown's fenced blocks, code spans, links and headings."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """What stands between two fences: `line` is that of its first line, `heading` the one above it."""

    language: str
    lines: tuple[str, ...]
    line: int
    heading: str


@dataclass(frozen=True)
class Document:
    blocks: tuple[Block, ...]
    # (line, text) of each.
    spans: tuple[tuple[int, str], ...]
    links: tuple[tuple[int, str], ...]
    headings: tuple[str, ...]


def parse(text: str) -> Document:
    blocks, spans, links, headings = [], [], [], []
    opened: tuple[str, int, int] | None = None
    lines: list[str] = []
    prose: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"( *)```(.*)", line):
            if opened is None:
                opened, lines = (match.group(2).strip(), number + 1, len(match.group(1))), []
            else:
                blocks.append(Block(opened[0], tuple(lines), opened[1], headings[-1] if headings else ""))
                opened = None
        elif opened is not None:
            lines.append(line[opened[2]:])
        else:
            if line.startswith("#"):
                headings.append(line.lstrip("#").strip())
            prose.append((number, line))
    # A span may go on in the next line.
    whole = "\n".join(line for _, line in prose)
    for found, pattern in ((spans, r"`([^`]+)`"), (links, r"\[[^\]]*\]\(([^)\s]+)\)")):
        for match in re.finditer(pattern, whole):
            found.append((prose[whole.count("\n", 0, match.start())][0], " ".join(match.group(1).split())))
    return Document(tuple(blocks), tuple(spans), tuple(links), tuple(headings))


def anchor(heading: str) -> str:
    """What a link to a heading has behind `#` (as GitHub makes it)."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
