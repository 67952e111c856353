"""What the commands in ops do on a machine that lacks something."""

import asyncio
import os
import pathlib
import re

import pytest

from gateway_process import ROOT, within
from pages import markdown

# Programs in the place of Swift and of the system's: the first lacks libraries until they are installed.
SWIFT = """#!/bin/sh
[ -e "$STATE/libncurses6" ] || { echo "swift: error while loading shared libraries: libncurses.so.6: cannot open shared object file" >&2; exit 127; }
echo "Swift version 6.3"
"""
LDD = """#!/bin/sh
for library in $LACKS; do
    package=$(echo "$library" | sed 's/libncurses.so.6/libncurses6/; s/libcurl.so.4/libcurl4/')
    [ -e "$STATE/$package" ] || printf '\\t%s => not found\\n' "$library"
done
printf '\\tlibc.so.6 => /lib/libc.so.6 (0x0000)\\n'
"""
# Instead of apt-get.
INSTALL = 'install_packages() { say "installing $*"; for name; do touch "$STATE/$name"; done; }'


async def need_swift(folder: pathlib.Path, lacks: str) -> tuple[int, str, list[str]]:
    """Runs `need_swift`. Returns status, standard error, and the packages that were installed."""
    state = folder / "state"
    state.mkdir()
    for name, text in {"swift": SWIFT, "ldd": LDD}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"set -euo pipefail; source '{ROOT}/ops/packages.bash'; {INSTALL}; need_swift; need_swift",
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "STATE": str(state), "LACKS": lacks},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await within(process.communicate())
    return process.returncode, errors.decode(), sorted(os.listdir(state))


@pytest.mark.parametrize("lacks", ["", "libncurses.so.6", "libncurses.so.6 libcurl.so.4"], ids=["only seen when started", "one", "two"])
async def test_what_swift_lacks_is_installed_once(lacks, tmp_path):
    status, errors, installed = await need_swift(tmp_path, lacks)
    expected = ["libcurl4"] * ("libcurl" in lacks) + ["libncurses6"]
    assert (status, installed) == (0, expected), errors
    # The second time it says nothing.
    assert errors.count("installing") == 1


async def test_what_nobody_knows_a_package_for_is_named(tmp_path):
    status, errors, _ = await need_swift(tmp_path, "libncurses.so.6 libstrange.so.9")
    assert status == 1 and "swift needs libstrange.so.9: install" in errors


async def test_the_links_of_the_packages_pages_lead_to_what_it_has(tmp_path):
    process = await asyncio.create_subprocess_exec("python3", ROOT / "ops/debian/pages.py", ROOT, tmp_path)
    assert await within(process.wait()) == 0
    found = {str(file.relative_to(tmp_path)): file for file in tmp_path.rglob("*") if file.is_file()}
    assert {"README.md", "operations.md", "reference.md", "systemd.md", "examples/kubernetes.yaml"} <= found.keys()
    documents = {name: markdown.parse(file.read_text()) for name, file in found.items() if name.endswith(".md")}
    # Places outside, which the package has.
    package = (ROOT / "ops/package").read_text()
    followed = set()
    for name, document in documents.items():
        for line, link in document.links:
            path, _, heading = link.partition("#")
            if link.startswith("/"):
                assert re.search(rf" {re.escape(link[1:])}$", package, re.MULTILINE), f"{name}:{line} {link}"
            elif "://" not in link:
                assert not path or path in found, f"{name}:{line} {link}"
                anchors = {markdown.anchor(each) for each in documents[path or name].headings} if path in documents or not path else set()
                assert not heading or heading in anchors, f"{name}:{line} {link}"
                followed.add(path)
    assert {"README.md", "operations.md", "certificates.md", "examples/alerts.yaml"} <= followed
