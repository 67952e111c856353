#!/usr/bin/env python3
"""Writes the manual pages gateway(1) and gateway.conf(5) from what the program says of itself.

Usage: manual.py PROGRAM FOLDER
"""

import json
import pathlib
import re
import subprocess
import sys

FILES = """/etc/gateway/gateway.conf
    The configuration. Its comments are the documentation of every key.
/usr/share/doc/gateway/README.md
    The guide, with recipes.
"""


def said(program: str, *arguments: str) -> str:
    """What the program prints."""
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def roff(text: str) -> str:
    """Text for troff: nothing in it is a request or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def prose(text: str) -> str:
    """A command's discussion: paragraphs, and lists under a heading, whose lines are indented."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        first, *rest = paragraph.split("\n")
        if rest and first.isupper():
            parts.append(f".PP\n.B {roff(first)}\n.nf\n" + roff("\n".join(rest)) + "\n.fi")
        else:
            parts.append(f".PP\n{roff(paragraph)}")
    return "\n".join(parts)


def header(page: str, section: int, version: str, name: str, summary: str) -> str:
    return f'.TH {page} {section} "" "gateway {version}"\n.SH NAME\n{name} \\- {roff(summary)}\n'


def spelled(argument: dict) -> str:
    """An argument as it is written."""
    value = roff(argument.get("valueName", ""))
    if argument["kind"] == "positional":
        return f"\\fI{value}\\fR"
    names = ", ".join(
        f"\\fB\\-{name['name']}\\fR" if name["kind"] == "short" else f"\\fB\\-\\-{roff(name['name'])}\\fR"
        for name in argument["names"]
    )
    return names if argument["kind"] == "flag" else f"{names} \\fI{value}\\fR"


def arguments(command: dict) -> str:
    lines = []
    for argument in command.get("arguments", []):
        # Every command has these two; the page says so once.
        if not argument.get("shouldDisplay") or argument.get("valueName") in ("help", "version"):
            continue
        default = argument.get("defaultValue")
        text = argument.get("abstract", "") + (f" (default: {default})" if default else "")
        lines.append(f".TP\n{spelled(argument)}\n{roff(text)}")
    return "\n".join(lines)


def gateway_1(program: str, version: str) -> str:
    root = json.loads(said(program, "--experimental-dump-help"))["command"]
    page = header("GATEWAY", 1, version, "gateway", root["abstract"].rstrip("."))
    page += ".SH SYNOPSIS\n.B gateway\n[\\fIcommand\\fR] [\\fIoptions\\fR]\n.SH DESCRIPTION\n"
    page += prose(root.get("discussion", "")) + "\n.SH COMMANDS\n"
    for command in root["subcommands"]:
        if not command.get("shouldDisplay", True) or command["commandName"] == "help":
            continue
        default = " (the default)" if command["commandName"] == root.get("defaultSubcommand") else ""
        page += f".SS gateway {roff(command['commandName'])}{default}\n{roff(command['abstract'])}\n"
        page += prose(command.get("discussion", "")) + "\n" + arguments(command) + "\n"
    page += ".SH OPTIONS OF ALL COMMANDS\n.TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow help.\n"
    page += ".TP\n\\fB\\-\\-version\\fR\nShow the version.\n.SH FILES\n"
    for path, text in zip(*[iter(FILES.strip("\n").split("\n"))] * 2):
        page += f".TP\n.I {roff(path)}\n{roff(text.strip())}\n"
    return page + ".SH SEE ALSO\n.BR gateway.conf (5)\n"


def value(schema: dict) -> str:
    """What a key's value is, in a word or two."""
    if "const" in schema:
        return json.dumps(schema["const"]) if not isinstance(schema["const"], str) else schema["const"]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            words = [value(choice) for choice in schema[key]]
            return " | ".join(dict.fromkeys(word for word in words if word and word != "variable"))
    if schema.get("type") == "array":
        return f"list of {value(schema.get('items', {})) or 'values'}"
    return schema.get("type", "")


def gateway_conf_5(program: str, version: str) -> str:
    schema = json.loads(said(program, "schema"))
    page = header("GATEWAY.CONF", 5, version, "gateway.conf", "configuration of the gateway")
    page += f".SH DESCRIPTION\n{roff(schema['description'])}\n.PP\nThe file is YAML. Check it with \\fBgateway check\\fR.\n"
    for name, definition in schema["definitions"].items():
        if "properties" not in definition:
            if definition.get("description"):
                page += f".SH {roff(name.upper())}\n{roff(definition['description'])}\n"
            continue
        page += f".SH {roff(name.upper())}\n"
        for key, about in definition["properties"].items():
            kind = value({k: v for k, v in about.items() if k not in ("description", "default")})
            default = about.get("default")
            text = about.get("description", "")
            if default is not None:
                text += f" (default: {default if isinstance(default, str) else json.dumps(default)})"
            page += f".TP\n\\fB{roff(key)}\\fR: \\fI{roff(kind)}\\fR\n{roff(text)}\n"
    return page + ".SH SEE ALSO\n.BR gateway (1)\n"


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    version = said(program, "--version").split()[-1]
    for name, page in (("gateway.1", gateway_1(program, version)), ("gateway.conf.5", gateway_conf_5(program, version))):
        (folder / name).write_text(page)


if __name__ == "__main__":
    main()
