"""Tests wait for what happens, and never for a time to pass."""

import io
import pathlib
import re
import tokenize
from collections.abc import Iterator

import swift_text
from tree import Finding, Tree, words

# How many sleeps a file may have, and why. One that allows more than there are is a finding.
ALLOWED = {
    "Tests/IntegrationTests/gateway_process.py": (1, "`until`, the one place that asks again and again for what nothing announces"),
    "Tests/IntegrationTests/test_heartbeat.py": (1, "a client that pings at a pace of its own"),
    "Tests/IntegrationTests/test_memory_bound.py": (1, "clients that send a byte now and then"),
    "Tests/IntegrationTests/test_long.py": (1, "a client that connects a thousand times a second"),
    "Tests/IntegrationTests/test_keep.py": (2, "a body and an answer that come more slowly than the times of others"),
    "Tests/IntegrationTests/test_exchanges.py": (2, "a backend and a client that take longer than the times of others"),
    "Tests/IntegrationTests/test_admin_page.py": (1, "clients that talk at a pace of their own"),
    "Tests/IntegrationTests/test_pass.py": (1, "an answer that comes more slowly than the times of others"),
    "Tests/IntegrationTests/test_idle_backend.py": (2, "clients that pause for as long as a server keeps a connection"),
    "Tests/Conformance/suite.py": (1, "until the suite listens, which it does not announce"),
    "Tests/Attack/run.py": (4, "an attack and the quiet beside it last as long as was asked for"),
    "Tests/Attack/gateway.py": (2, "until the log has the addresses; samples of memory until it stays the same"),
}

# `sleep(0)` of asyncio lets others run, and is no time.
_SLEEP = re.compile(r"\b(?:u|nano)?sleep\s*\((?!\s*0\s*\))|\bsetTimeout\s*\(")


def findings(tree: Tree) -> Iterator[Finding]:
    found = {}
    for file in tree.files("Tests", ".swift", ".py", ".js", ".mjs", ".c"):
        code = {".swift": swift_text.code, ".py": _python}.get(pathlib.PurePath(file).suffix, str)
        found[file] = [number for number, _ in words(_SLEEP, code(tree.text(file)))]
    for file, lines in found.items():
        for line in lines[ALLOWED.get(file, (0, ""))[0]:]:
            yield Finding(
                file, line, "a test that sleeps",
                "wait for an event: a line of the log, readiness of a descriptor, the end of a process, `until` in gateway_process.py",
            )
    for file, (count, _) in ALLOWED.items():
        if file not in found:
            yield Finding("ops/checks/parts/sleeps.py", 0, f"{file} may have {count} sleeps and is not there", "correct ALLOWED")
        elif len(found[file]) < count:
            yield Finding("ops/checks/parts/sleeps.py", 0, f"{file} may have {count} sleeps and has {len(found[file])}", "correct ALLOWED")


def _python(text: str) -> str:
    """Without comments and text."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = [""] * (text.count("\n") + 2)
    for token in tokens:
        if token.type not in (tokenize.COMMENT, tokenize.STRING, tokenize.NEWLINE, tokenize.NL):
            lines[token.start[0] - 1] += token.string
    return "\n".join(lines)
