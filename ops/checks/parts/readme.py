"""What README.md and the documents in ops say can be done, can be done.

- A block of YAML is a configuration that `gateway check` accepts. Where it has no `listeners`, `routes` or `backends` it is completed: a
  listener on a port that the system chooses, a route `/*` to the first backend, a built-in echo. Paths below /etc and /var/lib become files made
  for it (keys of tokens if they end in .json, users if they are named so or end in .htpasswd, else
  certificates), and so do those of `files`: files if they have
  a dot in the name, else folders.
- A command of the gateway that ends and changes nothing (`check`, `explain`, `version`, `--help`) is run, if the files it names are there,
  and prints what a `console` block has below it. Of every other one the subcommand and the options have to be in its --help.
- A command in ops exists, answers --help with 0, and its --help has the options that are named.
- Files, folders, headings and types of ours that are named exist.
"""

import functools
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator

import markdown
from tree import Finding, Tree

# Subcommands that end by themselves and change nothing.
HARMLESS = {"check", "explain", "version", "help", "--help", "--version", "schema"}
_PATIENCE = 60
_CURE = "correct the document, or the program"


def findings(tree: Tree) -> Iterator[Finding]:
    documents = {file: markdown.parse(tree.text(file)) for file in ["README.md", *tree.files("ops", ".md")] if (tree.root / file).exists()}
    programs = _Programs(tree)
    not_run: dict[str, list[str]] = {}
    for file, document in documents.items():
        yield from _named(tree, file, document)
        for line, command, output in _commands(document):
            complaint = programs.complaint(command, output)
            if complaint is not None and not complaint.startswith("not run"):
                yield Finding(file, line, f"`{command}`: {complaint}", _CURE)
            elif complaint:
                not_run.setdefault(complaint, []).append(command)
        for block in document.blocks:
            if block.language in ("yaml", "yml") and (complaint := _configuration(tree, block)):
                yield Finding(file, block.line, f"gateway check refuses this: {complaint}", _CURE)
    for command in _executables(tree):
        if complaint := programs.help_complaint(command):
            yield Finding(command, 0, complaint, "answer --help with a text and status 0, before anything is installed or built")
    for why, commands in not_run.items():
        print(f"readme: {why}: {'; '.join(dict.fromkeys(commands))}")


def _executables(tree: Tree) -> list[str]:
    return [file for file in tree.files("ops") if os.access(tree.root / file, os.X_OK) and "." not in file.rsplit("/", 1)[-1]]


def _commands(document: markdown.Document) -> Iterator[tuple[int, str, tuple[str, ...] | None]]:
    """(line, command, the output that is shown) of what stands in blocks and code spans."""
    for block in document.blocks:
        lines = [(number, text) for number, text in enumerate(block.lines, block.line)]
        if block.language in ("sh", "bash"):
            for number, text in lines:
                if command := re.split(r"\s+#", text)[0].strip():
                    yield number, command, None
        elif block.language == "console":
            starts = [index for index, (_, text) in enumerate(lines) if text.startswith("$ ")]
            for start, end in zip(starts, [*starts[1:], len(lines)]):
                command = re.split(r"\s+#", lines[start][1][2:])[0].strip()
                yield lines[start][0], command, tuple(text for _, text in lines[start + 1:end])
    for line, span in document.spans:
        if re.match(r"(gateway|ops/[\w/]+)( |$)", span):
            yield line, span, None


class _Programs:
    """The built gateway and the commands in ops."""

    def __init__(self, tree: Tree):
        self._tree = tree
        self._gateway = tree.gateway

    def complaint(self, command: str, output: tuple[str, ...] | None) -> str | None:
        """What is wrong with it, or why it was not run; `None`: it was, and all is well."""
        if command.startswith("ops/"):
            return self._complaint_of_script(command)
        if not re.match(r"gateway( |$)", command):
            return "not run, not ours"
        # What it prints is what is looked at, wherever the reader would send it.
        words = shlex.split(re.split(r" [>|]", command)[0])[1:]
        subcommands = self._subcommands()
        name = next((word for word in words if not word.startswith("-")), "")
        if name and name not in subcommands | {"help"} and re.fullmatch(r"[a-z-]+", name):
            return f"there is no subcommand {name}"
        if unknown := _unknown_options(words, self._run("help", *([name] if name in subcommands else []))[1]):
            return f"its --help has no {unknown}"
        if not words or words[0] not in HARMLESS:
            return "not run, serves or needs a running gateway; subcommand and options are known"
        if any(re.fullmatch(r"[\w./-]+\.(conf|yaml|yml)", word) and not (self._tree.root / word).exists() for word in words):
            return "not run, names a file of the reader; subcommand and options are known"
        if any(re.search(r"[A-Z]{3}|…", word) for word in words):
            return "not run, has a placeholder; subcommand and options are known"
        status, text = self._run(*words)
        if status != 0:
            return f"exits with {status}: {text.strip()}"
        if output and text.splitlines() != list(output):
            return "prints something else:\n    " + "\n    ".join(text.splitlines())
        return None

    def help_complaint(self, script: str) -> str | None:
        status, text = self._help(script)
        return None if status == 0 and text else f"--help exits with {status} and prints {len(text)} bytes"

    def _complaint_of_script(self, command: str) -> str | None:
        script = command.split()[0]
        if not (self._tree.root / script).is_file():
            return None if (self._tree.root / script).is_dir() else "is not there"
        if script not in _executables(self._tree):
            return None
        if complaint := self.help_complaint(script):
            return complaint
        if unknown := _unknown_options(command.split()[1:], self._help(script)[1]):
            return f"its --help has no {unknown}"
        return "not run, takes long; --help and options are known"

    @functools.cache
    def _subcommands(self) -> set[str]:
        listed = self._run("--help")[1].partition("SUBCOMMANDS:")[2]
        return set(re.findall(r"^  ([a-z-]+)", listed, re.MULTILINE))

    @functools.cache
    def _run(self, *arguments: str) -> tuple[int, str]:
        process = subprocess.run(
            [self._gateway, *arguments], cwd=self._tree.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=_PATIENCE,
        )
        return process.returncode, process.stdout

    @functools.cache
    def _help(self, script: str) -> tuple[int, str]:
        process = subprocess.run(
            [self._tree.root / script, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=_PATIENCE,
        )
        return process.returncode, process.stdout


def _unknown_options(words: list[str], text: str) -> str | None:
    options = [word.split("=")[0] for word in words if re.match(r"--\w", word)]
    return next((option for option in options if not re.search(re.escape(option) + r"(?![\w-])", text)), None)


def _configuration(tree: Tree, block: markdown.Block) -> str | None:
    with tempfile.TemporaryDirectory(prefix="gateway-check-") as name:
        folder = pathlib.Path(name)
        file = folder / "gateway.conf"
        file.write_text(_completed("\n".join(block.lines) + "\n", folder))
        process = subprocess.run(
            [tree.gateway, "check", "--config", file], cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE,
        )
        return process.stdout.replace(f"{folder}/", "").strip() if process.returncode else None


def _completed(text: str, folder: pathlib.Path) -> str:
    top = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    first = re.search(r"^backends:\s*\n\s+([\w-]+):", text, re.MULTILINE)
    if "listeners" not in top:
        text += "listeners: [{address: 127.0.0.1:0}]\n"
    if "routes" not in top:
        text += f"routes: [{{path: /*, backend: {first.group(1) if first else 'echo'}}}]\n"
    if "backends" not in top:
        text += "backends: {echo: {builtin: echo}}\n"
    for path in sorted(set(re.findall(r"(?<!files: )(?<!folder: )/(?:etc|var/lib)/[\w./-]+", text))):
        made = folder / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        if not (folder / "key.pem").exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", "/CN=example.com", "-keyout", folder / "key.pem", "-out", folder / "chain.pem"],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        if path.endswith(".json"):
            made.write_text('{"keys": [{"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"}]}')
        elif path.endswith(("/users", ".htpasswd")):
            made.write_text("alice:$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW\n")
        else:
            made.write_bytes((folder / ("key.pem" if re.search(r"\bkey(\.pem)?$", path) else "chain.pem")).read_bytes())
        text = re.sub(re.escape(path) + r"(?![\w./-])", str(made), text)
    for path in sorted(set(re.findall(r"(?:files|folder): (/[\w./-]+)", text))):
        made = folder / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch() if made.suffix else made.mkdir(exist_ok=True)
        text = re.sub(r"(files|folder): " + re.escape(path) + r"(?![\w./-])", rf"\1: {made}", text)
    return text


def _named(tree: Tree, file: str, document: markdown.Document) -> Iterator[Finding]:
    here = pathlib.PurePosixPath(file).parent
    for line, link in document.links:
        path, _, place = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        if path and not (tree.root / here / path).exists():
            yield Finding(file, line, f"the link leads to {path}, which is not there", "correct the link")
        elif place and place not in _anchors(tree, (tree.root / here / path) if path else tree.root / file):
            yield Finding(file, line, f"there is no heading for {link}", "correct the link")
    for line, span in document.spans:
        word = span.split()[0]
        if re.fullmatch(r"(ops|Tests|Sources|\.ci)/[\w./+-]+", word) and not (tree.root / word).exists():
            yield Finding(file, line, f"{word} is not there", "correct the path")
        elif re.fullmatch(r"[\w+]+\.(swift|py|json|c)", word) and word not in _file_names(tree):
            yield Finding(file, line, f"there is no file {word}", "correct the name")
        elif match := re.fullmatch(r"((?:[A-Z][a-z]+){2,})(?:\.\w+)*(?:\(\S*\))?", span):
            if match.group(1) not in _names(tree):
                yield Finding(file, line, f"{match.group(1)} is no name in the sources", "correct the name")
    for block in document.blocks:
        if block.heading == "The tree":
            yield from _listed(tree, file, block)


def _listed(tree: Tree, file: str, block: markdown.Block) -> Iterator[Finding]:
    """A drawing of the tree: names at the start of a line, those that are indented below the last that is not."""
    above, listed = "", set()
    for number, line in enumerate(block.lines, block.line):
        names = re.match(r"\s*((?:[\w./<>-]+,? )*[\w./<>-]+)", line)
        for name in re.split(r",? ", names.group(1)) if names else []:
            if "<" in name or not re.search(r"/$|\.\w+$", name):
                break
            path = above + name if line.startswith(" ") else name
            listed.add(path.rstrip("/"))
            if not (tree.root / path).exists():
                yield Finding(file, number, f"{path} is not there", "correct the drawing")
        if names and not line.startswith(" "):
            above = names.group(1).split()[0]
    for target in tree.targets.values():
        if target.path not in listed:
            yield Finding(file, block.line, f"the drawing lacks {target.path}", "add it")


@functools.cache
def _anchors(tree: Tree, file: pathlib.Path) -> set[str]:
    """Where links into a document may lead."""
    return {markdown.anchor(heading) for heading in markdown.parse(file.read_text()).headings} if file.suffix == ".md" else set()


@functools.cache
def _file_names(tree: Tree) -> set[str]:
    return {file.rsplit("/", 1)[-1] for below in ("Sources", "Tests", "ops") for file in tree.files(below)} | {"Package.swift"}


@functools.cache
def _names(tree: Tree) -> set[str]:
    files = [*tree.sources, *tree.files("Tests", ".swift"), "Package.swift"]
    return {name for file in files if (tree.root / file).exists() for name in re.findall(r"\b[A-Z]\w+", tree.code(file))}
