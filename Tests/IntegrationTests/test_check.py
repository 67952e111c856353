"""What ops/check finds in small trees with mistakes: these and nothing else."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from gateway_process import BINARY, ROOT

CHECKS = ROOT / "ops" / "checks"
sys.path.insert(0, str(CHECKS))

import graph  # noqa: E402
import keys_page  # noqa: E402
import markdown  # noqa: E402
import swift_text  # noqa: E402

PACKAGE = """// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "small",
    targets: [
        .target(name: "CSmall"),
        .target(name: "Lower", dependencies: ["CSmall"]),
        .executableTarget(name: "tool", dependencies: ["Lower"]),
    ]
)
"""
ARCHITECTURE = """# Architecture

```imports
tool: Lower
Lower:
Lower/Clock.swift: Glibc CSmall  # and no other
CSmall:
```

```unsafe
Lower: Clock.swift
```
"""
# Ring and Spoke are in folders that need each other. What is dead has that in its name.
SOURCES = {
    "Lower/Hub/Ring.swift": """
public struct Ring: CustomStringConvertible {
    public var spokes: [Spoke] = []
    private var deadCount = 0
    public init() {}
    public var description: String { "ring" }
    public mutating func add(_ spoke: Spoke) {
        self.spokes.append(spoke)
        self.deadCount = 1
    }
    func deadRecursion() { self.deadRecursion() }
    func deadCaller() { self.deadCalled() }
    func deadCalled() { self.deadCaller() }
}
enum DeadType { case one }
""",
    "Lower/Rim/Spoke.swift": """
public protocol Turning {
    func turn()
    func deadTurn()
}
public enum Side: String, CaseIterable { case left, right }
public enum Speed { case slow, deadFast, deadAwaited }
public enum Size: Int { case small, large }
public struct Spoke: Turning, Hashable {
    let length: Int
    public init(_ ring: Ring) { self.length = ring.spokes.count }
    public func turn() {
        let speed = Speed.slow
        if case .deadAwaited = speed { return }
        switch Size(rawValue: self.length) {
        case .small, .large: print(Side.allCases, speed)
        case nil: break
        }
    }
    public func deadTurn() {}
    struct Wire: Decodable {
        var gauge: Int
        enum CodingKeys: String, CodingKey { case gauge = "g" }
    }
    public func wire(_ wire: Any) -> Int { (wire as? Wire)?.gauge ?? 0 }
}
""",
    "Lower/Clock.swift": """
import CSmall
import Glibc
public enum Clock {
    public static var now: Int { unsafe time(nil) + Int(small_time()) }
    static var deadZone: Int { 0 }
}
""",
    "tool/Tool.swift": """
import Lower
@main struct Tool {
    static func main() {
        var ring = Ring()
        let spoke = Spoke(ring)
        ring.add(spoke)
        let turning: any Turning = spoke
        turning.turn()
        print(spoke, spoke.wire(Clock.now), "\\(ring)")
    }
}
""",
}
HEADER = """#define small_macro(x) (x)
int small_time(void);
static inline const char *small_dead(int x) { return small_time() ? "a" : "b"; }
"""
SMALL = {"Sources/CSmall/include/small.h": HEADER, "Sources/CSmall/small.c": "int small_time(void) { return 1; }\n", "Package.swift": PACKAGE, "ops/docs/architecture.md": ARCHITECTURE, **{f"Sources/{file}": text for file, text in SOURCES.items()}}
DEAD = {
    "property Ring.deadCount is written and never read", "method Ring.deadRecursion() is not used",
    "method Ring.deadCaller() is not used", "method Ring.deadCalled() is not used", "enum DeadType is not used",
    "method Turning.deadTurn() is not used", "case Speed.deadFast is not used", "case Speed.deadAwaited is not used",
    "function small_dead is not used", "method Spoke.deadTurn() is not used", "property Clock.deadZone is not used",
}


def write(root: pathlib.Path, files: dict[str, str]):
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)


def check(root: pathlib.Path, part: str) -> tuple[int, list[str], str]:
    """The status, the findings without their cures, and all output."""
    process = subprocess.run(
        ["/usr/bin/python3", CHECKS / "check.py", "--root", root, "--only", part], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    found = [line for line in process.stdout.splitlines() if line and not line.startswith(" ")]
    return process.returncode, found, process.stdout + process.stderr


def swift_is(script: str, folder: pathlib.Path, monkeypatch):
    """What is called `swift` from now on."""
    write(folder, {"bin/swift": f"#!/bin/sh\n{script}\n"})
    (folder / "bin/swift").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")


def products(root: pathlib.Path) -> pathlib.Path:
    """Where the gateway of a package is looked for. The folder is there."""
    answer = subprocess.run(["swift", "build", "--package-path", root, "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True)
    folder = pathlib.Path(answer.stdout.strip())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build(root: pathlib.Path):
    subprocess.run(["swift", "build", "--package-path", root], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> pathlib.Path:
    """A package that is built. Tests that change it restore it."""
    root = tmp_path_factory.mktemp("small")
    write(root, SMALL)
    build(root)
    return root


def test_a_cycle_of_folders_is_found_with_its_references(small):
    status, found, text = check(small, "structure")
    assert (status, found) == (1, ["Sources/Lower: folders of Lower in a cycle: Hub, Rim"]), text
    assert "Rim → Hub, 2 times:" in text
    assert "Sources/Lower/Rim/Spoke.swift:11 uses Ring (Sources/Lower/Hub/Ring.swift)" in text


@pytest.mark.parametrize("known,finding", [
    ("Lower: Hub Rim", None),
    ("Lower: Hub Rim .", "ops/docs/architecture.md:15: ., Hub, Rim of Lower are no cycle"),
    ("Lower: Hub", "Sources/Lower: folders of Lower in a cycle: Hub, Rim"),
])
def test_a_cycle_that_is_known_has_to_be_just_that(small, known, finding):
    file = small / "ops/docs/architecture.md"
    file.write_text(f"{ARCHITECTURE}\n```cycles\n{known}\n```\n")
    try:
        status, found, text = check(small, "structure")
        assert (status, found) == (0, []) if finding is None else status == 1 and finding in found, text
    finally:
        file.write_text(ARCHITECTURE)


def test_what_is_dead_is_found_and_nothing_else(small):
    status, found, text = check(small, "dead")
    # The list of what is excused is that of our tree.
    found = [line.split(": ", 1)[1] for line in found if "is excused" not in line]
    assert status == 1 and set(found) == DEAD and len(found) == len(DEAD), text


def test_the_index_is_read_where_swift_is_a_script(small, tmp_path, monkeypatch):
    swift_is(f'exec {shutil.which("swift")} "$@"', tmp_path, monkeypatch)
    assert check(small, "structure")[1] == ["Sources/Lower: folders of Lower in a cycle: Hub, Rim"]


def test_a_file_that_was_moved_is_read_where_it_is_now(small):
    old, new = small / "Sources/Lower/Rim/Spoke.swift", small / "Sources/Lower/Hub/Spoke.swift"
    old.rename(new)
    try:
        status, _, text = check(small, "structure")
        assert status == 1 and "does not know Sources/Lower/Hub/Spoke.swift" in text
        build(small)
        assert check(small, "structure")[:2] == (0, [])
    finally:
        new.rename(old)
        build(small)


@pytest.mark.parametrize("before,after,finding", [
    ("tool: Lower", "tool:", "Package.swift: tool depends on Lower, which the block `imports` of ops/docs/architecture.md does not allow"),
    ("tool: Lower", "tool:", "Sources/tool/Tool.swift:2: tool may not import Lower"),
    ("tool: Lower", "tool: Lower Glibc", "ops/docs/architecture.md:4: tool may import Glibc and does not"),
    ("Lower:\n", "Lower: tool\n", "ops/docs/architecture.md:5: Lower may import tool, which is no dependency of it in Package.swift"),
    ("Lower:\n", "Lower: tool\n", "ops/docs/architecture.md:4: targets in a cycle: Lower, tool"),
    ("tool: Lower", "tool: Lower\ntool:", "ops/docs/architecture.md:5: tool has a line already"),
    ("Lower/Clock.swift: Glibc", "Lower/Clock.swift:", "Sources/Lower/Clock.swift:3: Lower may not import Glibc"),
    ("Lower/Clock.swift: Glibc", "Lower/Watch.swift: Glibc", "ops/docs/architecture.md:6: Lower has no file Watch.swift"),
    ("tool: Lower", "tool: Lower\nUpper:", "ops/docs/architecture.md:5: there is no target Upper in Sources"),
])
def test_imports_go_where_the_architecture_lets_them(small, before, after, finding):
    file = small / "ops/docs/architecture.md"
    file.write_text(ARCHITECTURE.replace(before, after))
    try:
        status, found, text = check(small, "structure")
        assert status == 1 and finding in found, text
    finally:
        file.write_text(ARCHITECTURE)


def test_unsafe_code_is_found_where_it_may_not_be(small):
    assert check(small, "unsafe")[:2] == (0, [])
    clock, file = small / "Sources/Lower/Clock.swift", small / "Sources/Lower/Hub/Unsafe.swift"
    file.write_text('// unsafe\nlet text = "unsafe \\(unsafe value)"\n@safe struct Safe {}\n')
    clock.write_text(clock.read_text().replace("unsafe ", ""))
    try:
        status, found, _ = check(small, "unsafe")
        assert (status, found) == (1, [
            "Sources/Lower/Hub/Unsafe.swift:2: `unsafe` where unsafe code is not allowed",
            "Sources/Lower/Hub/Unsafe.swift:3: `@safe` where unsafe code is not allowed",
            "ops/docs/architecture.md:11: Lower/Clock.swift has no unsafe code",
        ])
    finally:
        file.unlink()
        clock.write_text(SOURCES["Lower/Clock.swift"])


def test_a_tree_that_is_not_built_is_no_success(tmp_path):
    write(tmp_path, SMALL)
    for part in ("structure", "dead", "schema"):
        status, _, text = check(tmp_path, part)
        assert status == 1 and f"{part}: cannot be checked" in text


def test_badly_formatted_code_is_found(tmp_path):
    write(tmp_path, {"Sources/Lower/Bad.swift": "let  a = 1\n"})
    status, found, _ = check(tmp_path, "format")
    assert status == 1 and found == ["Sources/Lower/Bad.swift:1: [Spacing] remove 1 space"]


def test_a_formatter_that_says_nothing_is_no_success(tmp_path, monkeypatch):
    write(tmp_path, {"Sources/Lower/Good.swift": "let a = 1\n"})
    assert check(tmp_path, "format")[:2] == (0, [])
    swift_is("exit 3", tmp_path, monkeypatch)
    assert check(tmp_path, "format")[:2] == (1, ["Sources: swift format ends with 3 and does not say why"])


SLEEPER = "Tests/IntegrationTests/gateway_process.py may have 1 sleeps"


def test_sleeps_in_tests_are_found(tmp_path):
    write(tmp_path, {
        "Tests/a.py": "# time.sleep(1)\nawait asyncio.sleep(0)\nawait asyncio.sleep(0.1)\n",
        "Tests/b.swift": '// usleep(1)\nlet a = "sleep(1)"\nusleep(100)\ntry await Task.sleep(for: .seconds(1))\n',
        "Tests/c.js": "setTimeout(done, 100);\n",
    })
    status, found, _ = check(tmp_path, "sleeps")
    # The list of files that may sleep is that of our tree.
    assert f"ops/checks/parts/sleeps.py: {SLEEPER} and is not there" in found
    found = [line.split(": ")[0] for line in found if "is not there" not in line]
    assert status == 1 and found == ["Tests/a.py:3", "Tests/b.swift:3", "Tests/b.swift:4", "Tests/c.js:1"]


def test_words_for_people_are_found(tmp_path):
    write(tmp_path, {
        "README.md": "It says who may connect.\nNobody reads it.\n", "ops/tool": "# whose turn\n", "Sources/A/A.swift": "// a whole one\n",
    })
    status, found, _ = check(tmp_path, "text")
    assert status == 1 and [line.split(": ")[0] for line in found] == ["README.md:2", "ops/tool:1"]


README = """# Small

See [the tool](ops/tool), [above](#small), [there](ops/docs/architecture.md#architecture), `ops/tool --fast`, `WideName`, `Narrow.swift`, `gateway check --config site.conf`,
`gateway version > version`.

```console
$ gateway explain ws://127.0.0.1:8080/chat --origin https://example.com
ws://127.0.0.1:8080/chat
  listener     127.0.0.1:8080
  route        1: /chat
  origin       allowed
  backend      echo: built-in echo
  subprotocol  none
  answer       101 Switching Protocols
```

```yaml
routes: [{path: /chat, origins: any, backend: echo}]
```

## The tree

```
Sources/
  Lower/, tool/   code
  CSmall/         C
```
"""
CONFIGURATION = """
listeners: [{address: "127.0.0.1:8080"}]
routes: [{path: /chat, origins: any, backend: echo}]
backends: {echo: {builtin: echo}}
"""
TOOL = """#!/bin/sh
echo "--fast  quick"
"""


@pytest.fixture
def documented(tmp_path) -> pathlib.Path:
    write(tmp_path, {
        **SMALL, "README.md": README, "gateway.conf": CONFIGURATION, "ops/tool": TOOL,
        "Sources/Lower/Narrow.swift": "struct WideName {}\n", "ops/docs/architecture.md": "# Architecture\n",
    })
    (tmp_path / "ops/tool").chmod(0o755)
    (products(tmp_path) / "gateway").symlink_to(BINARY)
    return tmp_path


def test_a_true_document_passes_and_what_was_not_run_is_said(documented):
    status, found, text = check(documented, "readme")
    assert (status, found) == (0, [
        "readme: not run, takes long; --help and options are known: ops/tool --fast",
        "readme: not run, names a file of the reader; subcommand and options are known: gateway check --config site.conf",
    ]), text


@pytest.mark.parametrize("before,after,finding", [
    ("(ops/tool)", "(ops/fool)", "README.md:3: the link leads to ops/fool, which is not there"),
    ("(#small)", "(#smaller)", "README.md:3: there is no heading for #smaller"),
    ("md#architecture", "md#small", "README.md:3: there is no heading for ops/docs/architecture.md#small"),
    ("--fast", "--slow", "README.md:3: `ops/tool --slow`: its --help has no --slow"),
    ("`ops/tool", "`ops/fool", "README.md:3: ops/fool is not there"),
    ("`WideName`", "`WiderName.part`", "README.md:3: WiderName is no name in the sources"),
    ("`Narrow.swift`", "`Broad.swift`", "README.md:3: there is no file Broad.swift"),
    ("```yaml", "```bash\ngateway verify\n```\n\n```yaml", "README.md:18: `gateway verify`: there is no subcommand verify"),
    ("check --config", "check --configuration",
     "README.md:3: `gateway check --configuration site.conf`: its --help has no --configuration"),
    ("gateway check", "gateway verify", "README.md:3: `gateway verify --config site.conf`: there is no subcommand verify"),
    ("built-in echo", "built-in clock",
     "README.md:7: `gateway explain ws://127.0.0.1:8080/chat --origin https://example.com`: prints something else:"),
    ("$ gateway explain ws://127.0.0.1:8080/chat", "$ gateway explain ws://127.0.0.1:8080/none",
     "README.md:7: `gateway explain ws://127.0.0.1:8080/none --origin https://example.com`: exits with 1: ws://127.0.0.1:8080/none"),
    ("path: /chat, origins", "path: /chat, origns",
     "README.md:18: gateway check refuses this: gateway.conf:1:24: unknown key `origns`: did you mean `origins`?"),
    ("Lower/, tool/", "Lower/, fool/", "README.md:25: Sources/fool/ is not there"),
    ("Lower/, tool/", "Lower/", "README.md:24: the drawing lacks Sources/tool"),
])
def test_what_is_not_true_in_a_document_is_found(documented, before, after, finding):
    assert before in README
    (documented / "README.md").write_text(README.replace(before, after, 1))
    status, found, text = check(documented, "readme")
    assert status == 1 and finding in found, text


def test_a_command_without_help_is_found(documented):
    (documented / "ops/tool").write_text("#!/bin/sh\nexit 3\n")
    status, found, _ = check(documented, "readme")
    assert status == 1 and "ops/tool: --help exits with 3 and prints 0 bytes" in found


SCHEMA = """{"definitions": {
"gateway": {"properties": {"workers": {}, "routes": {"items": {"$ref": "#/definitions/route"}}, "backends": {"items": {"$ref": "#/definitions/backend"}}}},
"route": {"properties": {"path": {}}},
"backend": {"properties": {"path": {}, "weight": {}}}
}}
"""
SHIPPED = """# workers: auto

# Which request leads where.
routes:
  - {path: /}
  # With a weight: of its own.

# What routes lead to.
# (default: none)
backends:
  # chat:
  #   weight: 2
  #   path: /chat
"""


@pytest.fixture
def shipped(tmp_path) -> pathlib.Path:
    write(tmp_path, {
        "Package.swift": PACKAGE, "made.json": SCHEMA, "gateway.conf": SHIPPED, "ops/gateway.schema.json": SCHEMA,
        "program": f"#!/bin/sh\ncat {tmp_path}/made.json\n",
    })
    (tmp_path / "program").chmod(0o755)
    (products(tmp_path) / "gateway").symlink_to(tmp_path / "program")
    return tmp_path


def test_a_schema_that_is_not_that_of_the_table_is_found(shipped):
    assert check(shipped, "schema")[:2] == (0, [])
    write(shipped, {"ops/gateway.schema.json": SCHEMA.replace("workers", "threads")})
    assert check(shipped, "schema")[:2] == (1, ["ops/gateway.schema.json:2: differs from the table of keys"])


def test_a_page_of_keys_that_is_not_up_to_date_is_found(shipped):
    page = keys_page.text(SCHEMA, SHIPPED)
    assert "| `weight` | text |  |  | `2` |" in page
    write(shipped, {"ops/docs/configuration.md": page})
    assert check(shipped, "schema")[:2] == (0, [])
    write(shipped, {"ops/docs/configuration.md": page.replace("`2`", "`3`")})
    (finding,) = check(shipped, "schema")[1]
    assert re.fullmatch(r"ops/docs/configuration.md:\d+: differs from the table of keys", finding)


@pytest.mark.parametrize("without,finding", [
    ("# workers: auto\n", "lacks `workers` of gateway"),
    ("{path: /}", "lacks `path` of route"),
    ("  #   path: /chat\n", "lacks `path` of backend"),
    ("  #   weight: 2\n", "lacks `weight` of backend"),
])
def test_a_key_that_the_shipped_file_lacks_where_it_belongs_is_found(shipped, without, finding):
    write(shipped, {"gateway.conf": SHIPPED.replace(without, "")})
    assert check(shipped, "schema")[:2] == (1, [f"gateway.conf: {finding}"])


REPORTING = """
enum Cause: String, CaseIterable {
    /// It ended well.
    case clientClosed = "client-closed"
    case drain
}
let family = MetricFamily(
    "small_total", .counter)
func log(isBad: Bool) {
    _ = LogRecord(.info, isBad ? "broken" : "whole")
    log.write(.error, "not-read", reason: "no event")
    _ = self.record(self.keys == nil ? .error : .warning, "not-fetched")
}
"""
REFERENCE = """# What there is
## Causes
| cause | |
|---|---|
| `client-closed`, `drain` | |
## Metrics
| `small_total` | `of` |
## Log lines
| `broken` | |
| `whole` | |
| `not-read` | |
| `not-fetched` | |
"""


@pytest.mark.parametrize("before,after,finding", [
    (", `drain`", "", "ops/docs/reference.md: Causes lacks `drain` of Sources/Lower/Reporting.swift"),
    ("| `small_total` | `of` |\n", "", "ops/docs/reference.md: Metrics lacks `small_total` of Sources/Lower/Reporting.swift"),
    ("| `whole` | |\n", "", "ops/docs/reference.md: Log lines lacks `whole` of Sources/Lower/Reporting.swift"),
    ("| `not-fetched` | |\n", "", "ops/docs/reference.md: Log lines lacks `not-fetched` of Sources/Lower/Reporting.swift"),
    ("`not-read`", "`not-written`", "ops/docs/reference.md:11: Log lines has `not-written`, which is not in the sources"),
])
def test_what_has_no_row_in_the_reference_is_found(tmp_path, before, after, finding):
    write(tmp_path, {"Sources/Lower/Reporting.swift": REPORTING, "ops/docs/reference.md": REFERENCE})
    assert check(tmp_path, "reference")[:2] == (0, [])
    assert before in REFERENCE
    write(tmp_path, {"ops/docs/reference.md": REFERENCE.replace(before, after, 1)})
    status, found, _ = check(tmp_path, "reference")
    assert status == 1 and finding in found, found


def test_budgets_that_are_not_kept_are_found(tmp_path):
    write(tmp_path, {"ops/budgets": '#!/bin/sh\n[ "$*" = "--only instructions" ] && exit $(cat "$(dirname "$0")/status")\n'})
    (tmp_path / "ops/budgets").chmod(0o755)
    for status in (0, 1):
        write(tmp_path, {"ops/status": str(status)})
        assert check(tmp_path, "budgets")[0] == status


def test_swift_code_is_told_from_comments_and_text():
    text = 'a // b\nlet c = "d \\(e("f", g)) h" /* i /* j */ k */ l\n'
    text += 'let m = #"n \\(o) \\#(p) q"#\nlet r = """\n  s "t" \\(u)\n  """ + "" + v\n'
    code = swift_text.code(text)
    assert [len(line) for line in code.splitlines()] == [len(line) for line in text.splitlines()]
    assert set("aceglmpruv") == {letter for letter in code.replace("let", "") if letter.isalpha()}


@pytest.mark.parametrize("edges,cycles,backwards", [
    ({("a", "b"): 1, ("b", "c"): 1}, [], []),
    ({("a", "b"): 3, ("b", "a"): 1, ("b", "c"): 1}, [["a", "b"]], [("b", "a")]),
    ({("a", "b"): 2, ("b", "c"): 1, ("c", "a"): 3, ("d", "e"): 1, ("e", "d"): 2}, [["a", "b", "c"], ["d", "e"]], [("b", "c"), ("d", "e")]),
])
def test_cycles_and_what_makes_them(edges, cycles, backwards):
    assert graph.cycles(edges) == cycles
    assert graph.backwards(edges) == backwards


def test_markdown_is_taken_apart():
    document = markdown.parse("# One `two`\n\na `b\nc` [d](e#f)\n  ```yaml\n  g: 1\n    h: 2\n  ```\n")
    assert document.headings == ("One `two`",)
    assert document.spans == ((1, "two"), (3, "b c"))
    assert document.links == ((4, "e#f"),)
    assert document.blocks == (markdown.Block("yaml", ("g: 1", "  h: 2"), 6, "One `two`"),)


def test_the_command_refuses_what_it_does_not_know():
    for arguments in (["--only", "nothing"], ["--only"], ["--fast"]):
        process = subprocess.run([ROOT / "ops/check", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ})
        assert process.returncode == 64 and process.stderr.startswith(b"check: ")
