"""ops/docs/configuration.md: every key of gateway.conf, from the schema (which is made from the table of keys) and the shipped file.

`python3 ops/checks/keys_page.py` prints it.
"""

import json
import pathlib
import re

import markdown
from shipped import WHOLE, Shipped

FILE = "ops/docs/configuration.md"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Types that have a row of their own in the first table.
TYPES = {"truth": "true or false", "duration": "duration", "size": "size", "rate": "rate"}

_HEAD = """# Every key of gateway.conf

This page is made from the table of keys that the program reads its file with. [gateway.conf](../../gateway.conf) shows the same keys in
their places, and the [README](../../README.md) says how they work together. `gateway check` finds every mistake, with its line and column.

- **Where keys stand**: a section is named by the keys above it, so `listeners.tls` is `tls` of an entry of `listeners`. `backends.NAME` has
  the name of a backend in its place.
- **Defaults**: what a route does not set is what `defaults` says; of a listener that holds for `head`, `connections-per-address` and
  `keep-alive`. The limits `sessions`, `sessions-per-address`, `handshakes-per-address` and `requests-per-address` are not inherited: in
  `defaults` they are of the whole gateway.
- **Durations** are `250ms`, `10s`, `5m`, `1h`. **Sizes** are `64KiB`, `1MiB`, or a number of bytes. **Rates** are per second: `20/s`, `0.5/s`.
- **Variables**: a value may be or have `${NAME}` or `${NAME:-default}`, from the environment. `$${` is a plain `${`.
- **Examples** are from `gateway.conf`.
"""


def text(schema: str, shipped: str) -> str:
    """The page, of the schema and the shipped file."""
    return _Page(json.loads(schema)["definitions"], shipped).text()


class _Page:
    def __init__(self, definitions: dict[str, dict], shipped: str):
        self._definitions = definitions
        self._sections = {name: definition for name, definition in definitions.items() if "properties" in definition}
        self._shipped = Shipped(shipped, {name: definition["properties"] for name, definition in self._sections.items()})
        self._places: dict[str, list[str]] = {WHOLE: [""]}
        self._place(WHOLE)

    def text(self) -> str:
        return _HEAD + "".join(self._section(name) for name in self._sections)

    def _place(self, name: str):
        """Notes in which places the sections below stand."""
        for key, value in self._sections[name]["properties"].items():
            for below in re.findall(r'"#/definitions/([\w-]+)"', json.dumps(value)):
                if below not in self._sections:
                    continue
                by_name = ".NAME" if "additionalProperties" in value else ""
                known = self._places.setdefault(below, [])
                new = [place for above in self._places[name] if (place := f"{above}.{key}{by_name}".lstrip(".")) not in known]
                known += new
                if new:
                    self._place(below)

    def _heading(self, name: str) -> str:
        return "The whole file" if name == WHOLE else self._places[name][0]

    def _section(self, name: str) -> str:
        definition = self._sections[name]
        lines = ["", f"## {self._heading(name)}", ""]
        if others := self._places[name][1:]:
            lines += [f"Also: {', '.join(f'`{place}`' for place in others)}.", ""]
        if alternatives := [_words(alternative) for alternative in definition.get("oneOf", [])]:
            lines += [f"Exactly one of these is there: {', '.join(alternatives)}.", ""]
        lines += ["| key | value | default | meaning | example |", "|---|---|---|---|---|"]
        for key, value in definition["properties"].items():
            meaning, bounds = _meaning(value.get("description", ""))
            taken = ", ".join(filter(None, (self._value(value), bounds)))
            example = self._shipped.example(name, key) or ("true" if taken == TYPES["truth"] else None)
            cells = (f"`{key}`", taken, self._default(definition, key), meaning, f"`{example}`" if example else "")
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    @staticmethod
    def _default(definition: dict, key: str) -> str:
        if key in definition.get("required", []):
            return "required"
        value = definition["properties"][key].get("default")
        return "" if value is None else f"`{json.dumps(value) if not isinstance(value, str) or not value else value}`"

    def _value(self, value: dict) -> str:
        """What a schema takes, in words."""
        if reference := value.get("$ref"):
            return self._reference(reference.rsplit("/", 1)[-1])
        if whole := value.get("allOf"):
            return self._value(whole[0])
        if "additionalProperties" in value:
            of = value["additionalProperties"]
            return f"by name, {self._value(of)}" if "$ref" in of else "names and texts"
        if choices := value.get("anyOf"):
            parts = list(dict.fromkeys(part for choice in choices if (part := self._value(choice))))
            for one in list(parts):
                # `X, or a list of them`.
                if (many := f"a list of {_plural(one)}") in parts:
                    parts = [part for part in parts if part not in (one, many)] + [f"{one}, or a list of them"]
            return " or ".join(parts)
        if "enum" in value:
            # A number beside its text, and the other word for `off`, say nothing more.
            return ", ".join(f"`{word}`" for word in value["enum"] if isinstance(word, str))
        if "const" in value:
            return f"`{value['const']}`"
        match value.get("type"):
            case "array": return f"a list of {_plural(self._value(value['items']))}"
            case "integer": return "a number" + _range(value)
            case "string": return _pattern(value.get("pattern", ""))
            case _: return "text"

    def _reference(self, name: str) -> str:
        if name in self._sections:
            return f"[{self._heading(name)}](#{markdown.anchor(self._heading(name))})"
        # Every value may have a variable: the head of the page says so.
        return TYPES.get(name, "")


def _plural(word: str) -> str:
    return re.sub(r"^text\b", "texts", word)


def _words(alternative: dict) -> str:
    names = [key for part in alternative.get("anyOf", [alternative]) for key in part["required"]]
    return " and ".join(f"`{name}`" for name in names)


def _meaning(description: str) -> tuple[str, str]:
    """The sentence, and the bounds that stand behind it."""
    if match := re.search(r"(?<=[.]) (\d\S* to \d\S*)\.$", description):
        return description[:match.start()], match.group(1)
    return description, ""


def _range(value: dict) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    return f" from {least} to {most}" if most is not None else ""


def _pattern(pattern: str) -> str:
    if match := re.fullmatch(r"\^\(([\w|-]+)\):\.\+\$", pattern):
        return ", ".join(f"`{word}:NAME`" for word in match.group(1).split("|"))
    return "text"


if __name__ == "__main__":
    print(text((ROOT / "ops/gateway.schema.json").read_text(), (ROOT / "gateway.conf").read_text()), end="")
