"""What `swift build` writes down beside the objects: where each symbol is defined, and where it is used (libIndexStore's C interface)."""

import ctypes
import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# indexstore_symbol_role_t
DEFINITION = 1 << 1
DECLARATION = 1 << 0
REFERENCE = 1 << 2
IMPLICIT = 1 << 8
CHILD_OF = 1 << 9
BASE_OF = 1 << 10
OVERRIDE_OF = 1 << 11
EXTENDED_BY = 1 << 14
ACCESSOR_OF = 1 << 15
CONTAINED_BY = 1 << 16

# indexstore_symbol_kind_t
KINDS = {
    1: "module", 4: "macro", 5: "enum", 6: "struct", 7: "class", 8: "protocol", 9: "extension", 11: "typealias", 12: "function",
    13: "variable", 14: "field", 15: "case", 16: "method", 17: "method", 18: "method", 19: "property", 20: "property", 21: "property",
    22: "initializer", 23: "deinitializer", 25: "parameter",
}
TYPES = {"enum", "struct", "class", "protocol", "typealias"}




@dataclass(frozen=True, slots=True)
class Symbol:
    """`usr` is the same in all files; `subkind` is a number of the C interface."""

    usr: str
    name: str
    kind: str
    subkind: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a symbol stands. Lines and columns count from 1; `relations` are (roles, the other symbol)."""

    symbol: Symbol
    roles: int
    file: str
    line: int
    column: int
    relations: tuple[tuple[int, Symbol], ...]

    @property
    def is_definition(self) -> bool:
        return bool(self.roles & DEFINITION)

    @property
    def is_implicit(self) -> bool:
        """The compiler put it there: a synthesized member, the getter that a use of a property calls."""
        return bool(self.roles & IMPLICIT)

    def related(self, role: int) -> list[Symbol]:
        return [symbol for roles, symbol in self.relations if roles & role]


class NotIndexed(Exception):
    """The build does not know all files, or is none."""


def read(root: pathlib.Path, store: pathlib.Path, files: list[str], needs_all: bool = True) -> dict[str, list[Occurrence]]:
    """All occurrences in these files (paths below `root`), by file; without `needs_all`, in those of them that were built.

    A unit stays behind when its file is moved or deleted; one of another place or of a file that is not asked for is not read, and of
    several of one file the last counts.
    """
    if not store.is_dir():
        raise NotIndexed(f"{store} is not there: run swift build")
    reader = _Reader(store)
    try:
        records = reader.records({str(root / file): file for file in files})
        lacking = sorted(set(files) - records.keys())
        if lacking and needs_all:
            raise NotIndexed(
                f"the build in {store} does not know {lacking[0]}" + (f" and {len(lacking) - 1} more" if len(lacking) > 1 else "")
                + f": remove {store.parent.parent} and build again if this folder was copied or moved"
            )
        return {file: list(reader.occurrences(record, file)) for file, record in sorted(records.items())}
    finally:
        reader.close()


class _Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def __str__(self) -> str:
        return ctypes.string_at(self.data, self.length).decode() if self.length else ""


_VISIT_TEXT = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, _Text)
_VISIT = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)

_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_uint64
_FUNCTIONS = {
    "store_create": (_POINTER, [ctypes.c_char_p, ctypes.POINTER(_POINTER)]),
    "store_dispose": (None, [_POINTER]),
    "store_units_apply_f": (ctypes.c_bool, [_POINTER, ctypes.c_uint, _POINTER, _VISIT_TEXT]),
    "unit_reader_create": (_POINTER, [_POINTER, ctypes.c_char_p, ctypes.POINTER(_POINTER)]),
    "unit_reader_dispose": (None, [_POINTER]),
    "unit_reader_get_main_file": (_Text, [_POINTER]),
    "unit_reader_get_modification_time": (None, [_POINTER, ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(ctypes.c_int64)]),
    "unit_reader_dependencies_apply_f": (ctypes.c_bool, [_POINTER, _POINTER, _VISIT]),
    "unit_dependency_get_kind": (ctypes.c_int, [_POINTER]),
    "unit_dependency_get_name": (_Text, [_POINTER]),
    "unit_dependency_get_filepath": (_Text, [_POINTER]),
    "record_reader_create": (_POINTER, [_POINTER, ctypes.c_char_p, ctypes.POINTER(_POINTER)]),
    "record_reader_dispose": (None, [_POINTER]),
    "record_reader_occurrences_apply_f": (ctypes.c_bool, [_POINTER, _POINTER, _VISIT]),
    "occurrence_get_symbol": (_POINTER, [_POINTER]),
    "occurrence_get_roles": (_NUMBER, [_POINTER]),
    "occurrence_get_line_col": (None, [_POINTER, ctypes.POINTER(ctypes.c_uint), ctypes.POINTER(ctypes.c_uint)]),
    "occurrence_relations_apply_f": (ctypes.c_bool, [_POINTER, _POINTER, _VISIT]),
    "symbol_get_kind": (ctypes.c_int, [_POINTER]),
    "symbol_get_subkind": (ctypes.c_int, [_POINTER]),
    "symbol_get_name": (_Text, [_POINTER]),
    "symbol_get_usr": (_Text, [_POINTER]),
    "symbol_relation_get_roles": (_NUMBER, [_POINTER]),
    "symbol_relation_get_symbol": (_POINTER, [_POINTER]),
    "error_get_description": (ctypes.c_char_p, [_POINTER]),
    "error_dispose": (None, [_POINTER]),
}
# indexstore_unit_dependency_kind_t
_RECORD = 2


def _library() -> pathlib.Path:
    """Where the toolchain says that its libraries are: `swift` in PATH may be a script in another place."""
    info = json.loads(subprocess.run(["swift", "-print-target-info"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    path = pathlib.Path(info["paths"]["runtimeResourcePath"]).parent / "libIndexStore.so"
    if not path.exists():
        raise NotIndexed(f"{path} is not there: it comes with Swift's toolchain")
    return path


class _Reader:
    def __init__(self, store: pathlib.Path):
        library = ctypes.CDLL(str(_library()))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, f"indexstore_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self._store = self._made(self.store_create, str(store).encode())

    def close(self):
        self.store_dispose(self._store)

    def _made(self, create: Callable, *arguments) -> int:
        error = _POINTER()
        made = create(*arguments, ctypes.byref(error))
        if not made:
            message = self.error_get_description(error).decode(errors="replace")
            self.error_dispose(error)
            raise NotIndexed(message)
        return made

    def records(self, wanted: dict[str, str]) -> dict[str, str]:
        """Which record has what is in a file, for those of the absolute paths `wanted` that have one."""
        names: list[str] = []

        @_VISIT_TEXT
        def unit(_, name):
            names.append(str(name))
            return True

        self.store_units_apply_f(self._store, 0, None, unit)
        newest: dict[str, tuple[tuple[int, int], str]] = {}
        for name in names:
            reader = self._made(self.unit_reader_create, self._store, name.encode())
            try:
                path = str(self.unit_reader_get_main_file(reader))
                if path not in wanted:
                    continue
                record = self._record(reader, path)
                seconds, nanoseconds = ctypes.c_int64(), ctypes.c_int64()
                self.unit_reader_get_modification_time(reader, seconds, nanoseconds)
                time = (seconds.value, nanoseconds.value)
                if record and time > newest.get(wanted[path], ((0, 0), ""))[0]:
                    newest[wanted[path]] = (time, record)
            finally:
                self.unit_reader_dispose(reader)
        return {file: record for file, (_, record) in newest.items()}

    def _record(self, unit: int, path: str) -> str | None:
        found: list[str] = []

        @_VISIT
        def dependency(_, item):
            if self.unit_dependency_get_kind(item) == _RECORD and str(self.unit_dependency_get_filepath(item)) == path:
                found.append(str(self.unit_dependency_get_name(item)))
            return True

        self.unit_reader_dependencies_apply_f(unit, None, dependency)
        return found[0] if found else None

    def occurrences(self, record: str, file: str) -> Iterator[Occurrence]:
        reader = self._made(self.record_reader_create, self._store, record.encode())
        found: list[Occurrence] = []
        symbols: dict[int, Symbol] = {}
        relations: list[tuple[int, Symbol]] = []
        line, column = ctypes.c_uint(), ctypes.c_uint()

        def symbol(pointer: int) -> Symbol:
            if pointer not in symbols:
                kind = self.symbol_get_kind(pointer)
                symbols[pointer] = Symbol(
                    str(self.symbol_get_usr(pointer)), str(self.symbol_get_name(pointer)), KINDS.get(kind, str(kind)),
                    self.symbol_get_subkind(pointer),
                )
            return symbols[pointer]

        @_VISIT
        def relation(_, item):
            relations.append((self.symbol_relation_get_roles(item), symbol(self.symbol_relation_get_symbol(item))))
            return True

        @_VISIT
        def occurrence(_, item):
            relations.clear()
            self.occurrence_relations_apply_f(item, None, relation)
            self.occurrence_get_line_col(item, line, column)
            found.append(
                Occurrence(
                    symbol(self.occurrence_get_symbol(item)), self.occurrence_get_roles(item), file, line.value, column.value,
                    tuple(relations),
                )
            )
            return True

        try:
            self.record_reader_occurrences_apply_f(reader, None, occurrence)
        finally:
            self.record_reader_dispose(reader)
        yield from found
