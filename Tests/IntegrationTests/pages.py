"""What the pages for operators say is done, taken out of them, so that tests do just that."""

import sys

from gateway_process import ROOT

sys.path.insert(0, str(ROOT / "ops" / "checks"))

import markdown  # noqa: E402


def blocks(page: str, language: str, heading: str | None = None) -> list[str]:
    """The blocks of this language in a Markdown file below the root; `heading`: only those right below it."""
    return [
        "\n".join(block.lines) + "\n"
        for block in markdown.parse((ROOT / page).read_text()).blocks
        if block.language == language and heading in (None, block.heading)
    ]


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with what has to be different in a test: each of these has to be in it."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in\n{text}"
        text = text.replace(old, new)
    return text
