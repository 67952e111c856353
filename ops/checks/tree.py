"""The tree that is checked: its files, targets, architecture and index, each read once and only when asked for."""

import functools
import json
import pathlib
import re
import subprocess
from dataclasses import dataclass

import index_store
import swift_text


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what cures it."""

    file: str
    line: int
    message: str
    cure: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}\n    {self.cure}"


@dataclass(frozen=True)
class Row:
    """A line of a table in ops/docs/architecture.md: `key: value value`."""

    key: str
    values: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Target:
    """A target of Package.swift: `path` is its folder below the root, `dependencies` are targets and products."""

    name: str
    path: str
    dependencies: frozenset[str]


ARCHITECTURE = "ops/docs/architecture.md"


class Tree:
    def __init__(self, root: pathlib.Path):
        self.root = root.resolve()

    @functools.cache
    def text(self, file: str) -> str:
        return (self.root / file).read_text(errors="replace")

    @functools.cache
    def code(self, file: str) -> str:
        """A Swift file without its comments and without what is in its string literals; lines and columns are the same."""
        return swift_text.code(self.text(file))

    @functools.cache
    def files(self, below: str, *suffixes: str) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in (self.root / below).rglob("*")
            if path.is_file() and (not suffixes or path.suffix in suffixes) and "__pycache__" not in path.parts
        )

    @property
    def sources(self) -> list[str]:
        """Every Swift file of the gateway itself."""
        return self.files("Sources", ".swift")

    @functools.cached_property
    def targets(self) -> dict[str, Target]:
        """Those in Sources, by name."""
        answer = subprocess.run(
            ["swift", "package", "--package-path", str(self.root), "describe", "--type", "json"],
            check=True, stdout=subprocess.PIPE, text=True,
        ).stdout
        targets = {}
        for item in json.loads(answer[answer.index("{"):])["targets"]:
            if item["path"].startswith("Sources/"):
                dependencies = frozenset(item.get("target_dependencies") or []) | frozenset(item.get("product_dependencies") or [])
                targets[item["name"]] = Target(item["name"], item["path"], dependencies)
        return targets

    def target(self, file: str) -> str:
        """The target that a source is of, or an empty string."""
        owners = [target for target in self.targets.values() if file.startswith(target.path + "/")]
        return max(owners, key=lambda target: len(target.path)).name if owners else ""

    def folder(self, file: str) -> str:
        """The first folder below its target that a source is in; `.` is the target's own."""
        below = file.removeprefix(self.targets[self.target(file)].path + "/")
        return below.split("/")[0] if "/" in below else "."

    def table(self, name: str, is_optional: bool = False) -> list[Row]:
        """The block of architecture.md that begins with three backticks and this name. `#` begins a comment."""
        rows, inside, found = [], False, False
        for number, line in enumerate(self.text(ARCHITECTURE).splitlines(), 1):
            if line.startswith("```"):
                inside = not inside and line[3:].strip() == name
                found = found or inside
            elif inside and (row := line.split("#")[0].strip()):
                key, _, values = row.partition(":")
                rows.append(Row(key.strip(), tuple(values.split()), number))
        if not found and not is_optional:
            raise LookupError(f"{ARCHITECTURE} has no block ```{name}")
        return rows

    @functools.cached_property
    def index(self) -> dict[str, list[index_store.Occurrence]]:
        """Every symbol's occurrences in the sources, by file."""
        return index_store.read(self.root, self._store, self.sources)

    @functools.cached_property
    def test_index(self) -> dict[str, list[index_store.Occurrence]]:
        """The same of the tests and benchmarks, if they were built; fuzz targets are only built by ops/fuzz."""
        return index_store.read(self.root, self._store, self.files("Tests", ".swift"), needs_all=False)

    @functools.cached_property
    def products(self) -> pathlib.Path:
        """The folder of what `swift build` makes."""
        answer = subprocess.run(
            ["swift", "build", "--package-path", str(self.root), "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        return pathlib.Path(answer.strip())

    @property
    def gateway(self) -> str:
        """The program that was built."""
        return str(self.products / "gateway")

    @property
    def _store(self) -> pathlib.Path:
        return self.products / "index" / "store"


def words(pattern: str, text: str):
    """(line, match) of each match."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in re.finditer(pattern, line):
            yield number, match
