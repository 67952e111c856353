"""Every function, property, type and enum case in the sources is used from the program's entry, and every property is read.

What is used is what can be reached: from the `@main` type over every reference that the index has. A member that satisfies a protocol
of this tree is used where the requirement is; one that satisfies a protocol from elsewhere (`description`, `==`, `run`) where its type is.
What only tests use is not used, nor is an enum case that is only looked for (`case .a`).
"""

import collections
import re
from collections.abc import Iterable, Iterator

import index_store
from index_store import Occurrence
from tree import Finding, Tree, words

# What may be dead, and why: a type with its members, a `Type.member`, or all of a file or a target. An entry that excuses nothing is a finding.
EXCUSED = {
    "Frame.binary(_:maskingKey:)": "whole messages are what clients make: the load client, fuzz targets, tests",
    "Frame.text(_:maskingKey:)": "the same",
    "SocketAddress.loopback(port:)": "where the load client and tests listen and connect",
    "gateway_timer_create": "the load client's clock, which is finer than epoll_wait's",
    "gateway_timer_set": "the same",
    "CertificateTemplate.Purpose.authority": "tests make authorities, with what makes the self-signed certificates",
    "CertificateTemplate.Purpose.client": "tests make clients' certificates, likewise",
    "SyscallFaults": "lets system calls fail in tests, and is not there in release builds",
}

CHECKED = {"enum", "struct", "class", "protocol", "typealias", "function", "method", "property", "variable", "case", "initializer"}
# What the compiler or a library goes through without naming one of them.
ENUMERATED = {"CaseIterable", "CodingKey"}
# Synthesized code reads each property of such a type.
COMPARED = {"Equatable", "Hashable", "Comparable", "Codable", "Encodable", "Decodable", "OptionSet"}
# Cases of an enum with raw values are made of those (`init(rawValue:)`).
RAW = {"String", "Int", "Int32", "UInt8", "UInt16", "UInt32", "UInt64"}
_TYPE_PARAMETERS = {1012, 1013}
_READ, _WRITE = 1 << 3, 1 << 4


def findings(tree: Tree) -> Iterator[Finding]:
    code = Uses(tree)
    excused = {usr: excuses for usr in code.dead() if (excuses := code.excuses(usr))}
    dead = code.dead(excused)
    # Of a type that is dead the members go with it.
    outer = {usr for usr in dead if code.parent(usr) not in dead}
    unread = {usr for usr in code.unread() if usr not in dead and not code.excuses(usr)}
    users = _users(tree, outer | unread)
    for usr in sorted(outer | unread, key=lambda usr: (code.definitions[usr].file, code.definitions[usr].line)):
        found = code.definitions[usr]
        name = f"{found.symbol.kind} {code.name(usr)}"
        if usr in unread:
            yield Finding(found.file, found.line, f"{name} is written and never read", "remove it")
        elif tests := users.get(usr):
            are_programs = all(test.startswith("Tests/Benchmarks") for test in tests)
            yield Finding(
                found.file, found.line, f"{name} is only used by {tests[0]}" + " and others" * (len(tests) > 1),
                "move it there" if are_programs else "have the tests use what the program calls, and remove it",
            )
        else:
            yield Finding(found.file, found.line, f"{name} is not used", "remove it")
    functions = list(_functions_of_c(tree))
    for header, line, name in functions:
        if name not in EXCUSED:
            yield Finding(header, line, f"function {name} is not used", "remove it")
    for name in sorted(EXCUSED.keys() - set().union(*excused.values(), (name for *_, name in functions))):
        yield Finding("ops/checks/parts/dead.py", 0, f"{name} is excused and not dead", "remove it from EXCUSED")


def _functions_of_c(tree: Tree) -> Iterator[tuple[str, int, str]]:
    """(header, line, name) of those that a header of ours declares and no Swift file of the sources names."""
    named = {name for file in tree.sources for name in re.findall(r"\w+", tree.code(file))}
    for header in tree.files("Sources", ".h"):
        for line, match in words(r"^(?!#|typedef|return)(?:\w+[\s*]+)+(\w+)\(", tree.text(header)):
            if match.group(1) not in named:
                yield header, line, match.group(1)


class Uses:
    """The graph of what refers to what, by USR. Accessors count as their property, and what is synthesized as its type."""

    def __init__(self, tree: Tree):
        self.definitions: dict[str, Occurrence] = {}
        self.edges: dict[str, set[str]] = collections.defaultdict(set)
        self._same: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._extended: dict[str, str] = {}
        self._bases: dict[str, set[str]] = collections.defaultdict(set)
        self._raw: set[str] = set()
        self._roles: dict[str, int] = collections.defaultdict(int)
        self._tree = tree
        for occurrences in tree.index.values():
            for occurrence in occurrences:
                if occurrence.is_definition:
                    self._define(occurrence)
                elif occurrence.symbol.name in RAW:
                    self._raw |= {heir.usr for heir in occurrence.related(index_store.BASE_OF)}
        for occurrences in tree.index.values():
            self._refer(occurrences)
        for usr in self.definitions:
            self._connect(usr)

    def dead(self, used: Iterable[str] = ()) -> set[str]:
        """What cannot be reached from the entry or from what is `used`."""
        reached, left = set(), [*self._entries(), *used]
        while left:
            usr = left.pop()
            if usr not in reached:
                reached.add(usr)
                left += self.edges.get(usr, ())
        return {usr for usr, found in self.definitions.items() if found.symbol.kind in CHECKED and usr not in reached}

    def excuses(self, usr: str) -> set[str]:
        """The entries of EXCUSED that hold for it."""
        file = self.definitions[usr].file
        names = {f"{self.name(usr)}.", f"{file.rsplit('/', 1)[-1]}.", f"{self._tree.target(file)}."}
        return {excuse for excuse in EXCUSED if any(name.startswith(f"{excuse}.") for name in names)}

    def parent(self, usr: str) -> str:
        """The type that something is a member of, also where it stands in an extension; else an empty string."""
        parent = self._parents.get(usr, "")
        return self._extended.get(parent, parent)

    def name(self, usr: str) -> str:
        parts = [self.definitions[usr].symbol.name]
        while (usr := self.parent(usr)) in self.definitions:
            parts.insert(0, self.definitions[usr].symbol.name)
        return ".".join(parts)

    def unread(self) -> Iterator[str]:
        """Stored properties that are given values and never asked for them, but for those that keep an object alive."""
        for usr, found in self.definitions.items():
            roles = self._roles[usr]
            if found.symbol.kind != "property" or not roles & _WRITE or roles & _READ:
                continue
            if found.related(index_store.OVERRIDE_OF) or self._bases[self.parent(usr)] & COMPARED:
                continue
            uses = [self.definitions[used].symbol.kind for used in self.edges[usr] - {self.parent(usr)} if used in self.definitions]
            if "class" not in uses:
                yield usr

    def _canonical(self, usr: str) -> str:
        seen = set()
        while usr in self._same and usr not in seen:
            seen.add(usr)
            usr = self._same[usr]
        return usr

    def _define(self, occurrence: Occurrence):
        symbol = occurrence.symbol
        of = occurrence.related(index_store.ACCESSOR_OF)
        parents = occurrence.related(index_store.CHILD_OF)
        is_part = symbol.kind == "parameter" or symbol.subkind in _TYPE_PARAMETERS or occurrence.is_implicit or not symbol.name
        if of or (is_part and parents):
            self._same[symbol.usr] = (of or parents)[0].usr
        elif not is_part:
            self.definitions[symbol.usr] = occurrence
            if parents:
                self._parents[symbol.usr] = parents[0].usr

    def _refer(self, occurrences: list[Occurrence]):
        """Edges from what contains a reference to what it refers to. Where the index does not say what contains it, that is what was
        defined last before it: the case whose payload it is, the alias, the extension."""
        last = ""
        for occurrence in sorted(occurrences, key=lambda occurrence: (occurrence.line, occurrence.column)):
            usr = self._canonical(occurrence.symbol.usr)
            if occurrence.is_definition:
                last = usr if occurrence.symbol.usr in self.definitions else last
                continue
            if occurrence.symbol.kind == "parameter" or self._is_pattern(occurrence):
                continue
            if occurrence.symbol.usr == usr:
                self._roles[usr] |= occurrence.roles if occurrence.roles & (_READ | _WRITE) else _READ
            extensions = occurrence.related(index_store.EXTENDED_BY)
            requirements = occurrence.related(index_store.OVERRIDE_OF)
            heirs = occurrence.related(index_store.BASE_OF)
            containers = [self._canonical(symbol.usr) for symbol in occurrence.related(index_store.CONTAINED_BY)] or [last]
            for extension in extensions:
                self._extended[extension.usr] = usr
            for heir in heirs:
                self._bases[self._extended.get(heir.usr, heir.usr)].add(occurrence.symbol.name)
                self.edges[heir.usr].add(usr)
            for requirement in requirements:
                # It stands in for a member: used where the requirement is, or, if that is not ours, where the type is.
                own = self._canonical(requirement.usr)
                for source in [own] if own in self.definitions else containers:
                    self.edges[source].add(usr)
            if not (extensions or requirements or heirs):
                for container in containers:
                    self.edges[container].add(usr)

    def _is_pattern(self, occurrence: Occurrence) -> bool:
        """It is an enum case after `case`, in the same line: what is only looked for is never there. Not where values are made of others."""
        if occurrence.symbol.kind != "case" or self.parent(occurrence.symbol.usr) in self._raw:
            return False
        before = self._tree.code(occurrence.file).splitlines()[occurrence.line - 1].encode()[:occurrence.column - 1].decode()
        return re.search(r"\bcase\b[^:=?]*\.$", before) is not None

    def _connect(self, usr: str):
        """What holds of a definition without a reference: a member needs its type, and a type what runs by itself."""
        found, parent = self.definitions[usr], self.parent(usr)
        self.edges[usr].add(self._parents.get(usr, ""))
        if usr in self._extended:
            self.edges[usr].add(self._extended[usr])
            self.edges[self._extended[usr]].add(usr)
        for requirement in found.related(index_store.OVERRIDE_OF):
            own = self._canonical(requirement.usr)
            self.edges[own if own in self.definitions else parent].add(usr)
        runs_by_itself = found.symbol.kind == "deinitializer" or (found.symbol.kind == "case" and self._bases[parent] & ENUMERATED)
        if runs_by_itself or self._bases[usr] & {"CodingKey"}:
            self.edges[parent].add(usr)

    def _entries(self) -> list[str]:
        entries = [""]
        for usr, found in self.definitions.items():
            before = "\n".join(self._tree.code(found.file).splitlines()[max(0, found.line - 2):found.line])
            if found.symbol.kind in index_store.TYPES and re.search(r"@main\b", before):
                entries.append(usr)
                entries += [member for member in self.definitions if self.parent(member) == usr and self.name(member).endswith(".main()")]
        if len(entries) == 1:
            raise LookupError("there is no @main type in Sources")
        return entries


def _users(tree: Tree, wanted: set[str]) -> dict[str, list[str]]:
    """The files of tests and benchmarks that use these."""
    users = collections.defaultdict(set)
    if wanted:
        for file, occurrences in tree.test_index.items():
            for occurrence in occurrences:
                if occurrence.symbol.usr in wanted and not occurrence.is_definition:
                    users[occurrence.symbol.usr].add(file)
    return {usr: sorted(files) for usr, files in users.items()}
