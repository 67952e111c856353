"""The secrets of the tests, and the search for them in what a gateway writes.

Every password, token, key, cookie and query of a test that has to stay secret is made by `secret`, or is made of one and given to `register`. At its
end everything that a gateway said is searched for all of them. Nothing but the standard library is needed here.
"""

import base64
import contextlib
import json
import os
import re
import urllib.parse

# What is shorter is found in words that mean something else.
SHORTEST = 12
# A query: what follows a question mark at once. `?*` stands for one that is not shown.
_QUERY = re.compile(r"\?(?!\*)[^\s\"'`,;:.)\]}\\?<>]+")
# By each form in which a secret could be written, the name of the secret.
_forms: dict[str, str] = {}
_passwords: dict[str, str] = {}


class Leak(AssertionError):
    """Something that has to stay secret was written."""


def secret(name: str, rest: str = "") -> str:
    """A secret that none can guess; `rest` is its end, for signs that have to be encoded."""
    return register(name, f"{os.urandom(16).hex()}-{name}{rest}")


def register(name: str, value: str) -> str:
    """Adds a value to what must not be written. Returns it."""
    assert len(value) >= SHORTEST, f"{value!r} is too short for a secret: make it with `secret`"
    for form in forms(value):
        _forms.setdefault(form, name)
    return value


def password(word: str) -> str:
    """The secret that a word of a test stands for, always the same."""
    if word not in _passwords:
        _passwords[word] = secret("password", word)
    return register("password", _passwords[word])


@contextlib.contextmanager
def scope():
    """Forgets at its end what was added in it, so that later searches do not look for it."""
    kept = dict(_forms)
    try:
        yield
    finally:
        _forms.clear()
        _forms.update(kept)


def forms(value: str) -> set[str]:
    """How a secret could be written: as it is, percent-encoded, in hex, escaped in JSON or by Python, and within base64 of a longer text, which
    begins at one of three places."""
    data = value.encode()
    found = {
        value, urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value), "".join(f"%{byte:02X}" for byte in data),
        data.hex(), json.dumps(value)[1:-1], repr(value)[1:-1],
    }
    for before in range(3):
        # Only those signs that nothing before and behind has a part in.
        text = base64.b64encode(bytes(before) + data).decode().rstrip("=")[(0, 2, 3)[before]:]
        text = text if (before + len(data)) % 3 == 0 else text[:-1]
        found |= {text, text.replace("+", "-").replace("/", "_")}
    return found


def check(text: str | bytes, where: str):
    """Raises `Leak` if a secret is in the text."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    for form, name in _forms.items():
        if form in text:
            line = next((line for line in text.splitlines() if form in line), text)
            raise Leak(f"{where} has the secret `{name}`: {line.replace(form, '[HERE]')[:500]}")


def queries(text: str) -> set[str]:
    return set(_QUERY.findall(text))


def check_queries(text: str, where: str, allowed: set[str] = frozenset()):
    """Raises `Leak` if there is a query in the text, other than those that are allowed."""
    if found := queries(text) - set(allowed):
        query = min(found)
        line = next(line for line in text.splitlines() if query in line)
        raise Leak(f"{where} has the query {query[:100]!r}: {line[:500]}")
