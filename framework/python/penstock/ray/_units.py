"""How the files of a job are cut into units, each of which becomes one part of the output. The cut depends on the
input alone, never on what is done: so a part has the same rows whoever makes it, and however often."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .._errors import Error
from ._need import need

_LONGEST_LINE = 64 << 20
_TEXT = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Unit:
    """Rows of one file: bytes [begin, end) of JSON lines, rows of a row group of Parquet, or whole files."""

    number: int
    kind: str
    paths: list[str]
    begin: int = 0
    end: int = 0
    group: int = 0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def find_files(given: str | os.PathLike[str] | list[str | os.PathLike[str]]) -> list[str]:
    """Files, folders (all files below) and patterns, sorted within each; absolute, as nodes share no folder."""
    out: list[str] = []
    for each in given if isinstance(given, (list, tuple)) else [given]:
        path = os.fspath(each)
        if os.path.isdir(path):
            found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
                     if not name.startswith((".", "_"))]
        else:
            found = [path] if os.path.exists(path) else glob.glob(path, recursive=True)
        if not found:
            raise Error("not_found", f"input '{path}': there is no such file, and it is no pattern of any")
        out += sorted(os.path.abspath(one) for one in found)
    return out


def _kind(path: str) -> str:
    ending = os.path.splitext(path)[1].lower()
    return "lines" if ending in _TEXT else "parquet" if ending in (".parquet", ".pq") else "files"


def cut(files: list[str], part_bytes: int, part_rows: int) -> list[Unit]:
    """Reads no row: JSON lines are cut by bytes, Parquet by what its footer says."""
    units: list[Unit] = []
    whole: list[str] = []
    for path in files:
        kind = _kind(path)
        if kind == "files":
            whole.append(path)
        elif kind == "lines":
            size = os.path.getsize(path)
            units += [Unit(0, kind, [path], begin, min(begin + part_bytes, size))
                      for begin in range(0, size, part_bytes)]
        else:
            units += _of_parquet(path, part_rows)
    units += [Unit(0, "files", whole[at:at + part_rows]) for at in range(0, len(whole), part_rows)]
    return [Unit(**{**unit.plain(), "number": number}) for number, unit in enumerate(units)]


def _of_parquet(path: str, part_rows: int) -> Iterator[Unit]:
    parquet = need("pyarrow.parquet")
    try:
        footer = parquet.read_metadata(path)
    except (OSError, ValueError) as error:
        raise Error("data", f"input '{path}' is no Parquet file: {error}") from None
    for group in range(footer.num_row_groups):
        rows = footer.row_group(group).num_rows
        for begin in range(0, rows, part_rows):
            yield Unit(0, "parquet", [path], begin, min(begin + part_rows, rows), group)


@dataclass(frozen=True)
class Row:
    """Of the input: its place, which names it where it has no id, and its columns, or why there are none."""

    place: str
    columns: dict[str, Any] | Error
    is_file: bool = False


def read(unit: Unit) -> list[Row]:
    """The rows of a unit."""
    if unit.kind == "lines":
        return list(_lines(unit))
    if unit.kind == "files":
        return [Row(path, {"path": path}, is_file=True) for path in unit.paths]
    file = need("pyarrow.parquet").ParquetFile(unit.paths[0])
    table = file.read_row_group(unit.group).slice(unit.begin, unit.end - unit.begin)
    return [Row(f"{unit.paths[0]}:{unit.group}:{unit.begin + at}", columns)
            for at, columns in enumerate(table.to_pylist())]


def _lines(unit: Unit) -> Iterator[Row]:
    """Those whose first byte is in [begin, end)."""
    path = unit.paths[0]
    with open(path, "rb") as file:
        if unit.begin > 0:
            file.seek(unit.begin - 1)
            while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        while (at := file.tell()) < unit.end:
            line = file.readline(_LONGEST_LINE)
            is_cut = len(line) == _LONGEST_LINE and not line.endswith(b"\n")
            while is_cut and (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            if line.strip():
                place = f"{path}:{at}"
                yield Row(place, Error("data", f"the line at {place} is longer than {_LONGEST_LINE} bytes")
                          if is_cut else _of_line(line, place))


def _of_line(line: bytes, place: str) -> dict[str, Any] | Error:
    try:
        value = json.loads(line)
    except ValueError as error:
        return Error("data", f"the line at {place} is no JSON: {error}")
    if not isinstance(value, dict):
        return Error("data", f'the line at {place} is no object such as {{"text": "..."}}')
    return value
