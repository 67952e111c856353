"""Where the keys of each section stand in gateway.conf, the shipped configuration that names all of them."""

import json
import re
from collections.abc import Iterator

# The definition of the file as a whole.
WHOLE = "gateway"


class Shipped:
    """`definitions`: the properties of each section, by its name in the schema."""

    def __init__(self, text: str, definitions: dict[str, dict]):
        self._definitions = definitions
        self._blocks = {WHOLE: [text.splitlines()]}

    def places(self, name: str) -> list[list[str]]:
        """The lines of every place that names keys of a section. A section under the same key that has all of these keys and more, such as the
        timeouts of `defaults`, names them as well."""
        its = self._definitions[name]
        return [
            block for other, properties in self._definitions.items()
            if other == name or (properties.keys() > its.keys() and self.keys(other) & self.keys(name))
            for block in self._places(other)
        ]

    def example(self, name: str, key: str) -> str | None:
        """The first value that the file shows for a key of a section in one line."""
        for line in (line for block in self.places(name) for line in block if named(key, line)):
            if name == WHOLE and not line.startswith(key):
                continue
            if value := _value(line[re.search(_pattern(key), line).end():]):
                return value
        return None

    def keys(self, name: str) -> set[str]:
        """The keys that a section stands under."""
        return {key for properties in self._definitions.values() for key, value in properties.items() if _leads(value, name)}

    def _places(self, name: str) -> list[list[str]]:
        if name not in self._blocks:
            self._blocks[name] = []
            for above, properties in self._definitions.items():
                for key in (key for key, value in properties.items() if _leads(value, name)):
                    self._blocks[name] += [part for block in self._places(above) for part in _below(key, block)]
        return self._blocks[name]


def named(key: str, line: str) -> bool:
    return re.search(_pattern(key), line) is not None


def _pattern(key: str) -> str:
    return rf"(?<![\w-]){re.escape(key)}:"


def _leads(value: dict, name: str) -> bool:
    return f'"#/definitions/{name}"' in json.dumps(value)


def _value(rest: str) -> str | None:
    """What stands behind a key: a word, text in quotes, or a list or a mapping in one line. A sentence is no value."""
    rest = rest.strip()
    if rest[:1] in ("[", "{"):
        depth, quoted = 0, False
        for index, sign in enumerate(rest):
            quoted ^= sign == '"'
            depth += 0 if quoted else (sign in "[{") - (sign in "]}")
            if depth == 0:
                return rest[:index + 1]
        return None
    match = re.match(r'"[^"]*"|[^\s,#|"\[\]{}]+', rest)
    if match is None or re.match(r"\s*(?:$|[,#|}\]]| {2})", rest[match.end():]) is None:
        return None
    return match.group()


def _below(key: str, lines: list[str]) -> Iterator[list[str]]:
    """From each line that has the key: the comment above it, the line, and what is indented more, comments included."""
    for index, line in enumerate(lines):
        if not named(key, line):
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
