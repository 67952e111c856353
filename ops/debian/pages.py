"""Writes the pages for those who run the gateway as they are in the package, beside each other.

Usage: pages.py ROOT FOLDER

A link to what the package has leads there. Of a link to anything else its words stay.
"""

import pathlib
import re
import sys

# Where the package has what pages link to, below its folder of documentation.
PAGES = {
    "README.md": "README.md", "ops/systemd/README.md": "systemd.md",
    **{f"ops/docs/{name}.md": f"{name}.md" for name in (
        "quick-start", "concepts", "configuration", "how-to", "certificates", "operations", "reference", "security", "comparison")},
}
EXAMPLES = {
    "ops/dashboards/alerts.yaml": "examples/alerts.yaml", "ops/dashboards/grafana.json": "examples/grafana.json",
    "ops/kubernetes/gateway.yaml": "examples/kubernetes.yaml",
}
# And what is elsewhere.
INSTALLED = {
    "gateway.conf": "/etc/gateway/gateway.conf", "ops/logrotate": "/etc/logrotate.d/gateway",
    "ops/systemd/gateway.service": "/lib/systemd/system/gateway.service", "ops/systemd/gateway.socket": "/lib/systemd/system/gateway.socket",
}


def page(root: pathlib.Path, file: str) -> str:
    """The page with links as they are right in the package."""
    places = {**PAGES, **EXAMPLES, **INSTALLED}

    def link(match: re.Match) -> str:
        words, target = match.groups()
        path, hash_sign, heading = target.partition("#")
        if not path or re.match(r"\w+:", target):
            return match.group(0)
        named = (root / file).parent.joinpath(path).resolve().relative_to(root.resolve()).as_posix()
        return f"[{words}]({places[named]}{hash_sign}{heading})" if named in places else words

    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", link, (root / file).read_text())


def main() -> None:
    root, folder = map(pathlib.Path, sys.argv[1:])
    for file, place in {**PAGES, **EXAMPLES}.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(page(root, file) if file in PAGES else (root / file).read_text())
        (folder / place).chmod(0o644)


if __name__ == "__main__":
    main()
