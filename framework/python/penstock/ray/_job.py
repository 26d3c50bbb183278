"""Files in, a folder of parts out, each row once: over runs that are killed, nodes that are lost and tasks that Ray
does twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._build import VERSION
from .._errors import Error
from ._engine import Engine
from ._need import need
from ._parts import Folder, part_name, write_rows
from ._rows import ANSWER, Inputs, Outputs, arrow_column, output_columns, plain
from ._run import BATCHES_AT_ONCE, pool
from ._units import Row, Unit, cut, find_files, read


@dataclass(frozen=True)
class Summary:
    """What a job did. `parts` were there before or were made; rows and errors are those of this run."""

    parts: int
    parts_before: int
    rows: int
    errors: int


class PartMaker:
    """In an actor: makes parts of units. What goes through Ray is a unit, some hundred bytes; rows and results move
    between the engine and the shared folders only."""

    def __init__(self, folder: Folder, engine: Engine, column: Inputs | None, id: str, outputs: Outputs,
                 keep: tuple[str, ...]) -> None:
        self._folder, self._engine = folder, engine
        self._column, self._id, self._outputs, self._keep = column, id, outputs, keep

    def make(self, unit: Unit) -> dict[str, int]:
        """The part of a unit, unless it is there."""
        path = self._folder.path / part_name(unit.number, self._folder.kind)
        if path.exists():
            return {"number": unit.number, "rows": 0, "errors": 0}
        rows = read(unit)
        answers = self._engine.answer([self._request(row) for row in rows])
        columns = {"id": [self._name(row) for row in rows]}
        columns |= {name: [None if isinstance(row.columns, Error) else row.columns.get(name) for row in rows]
                    for name in self._keep}
        columns |= output_columns(answers, self._outputs, "error")
        types = {"id": "id", "error": "text", **self._outputs}
        write_rows(path, {name: values if name in self._keep else arrow_column(name, values, types[name])
                          for name, values in columns.items()})
        return {"number": unit.number, "rows": len(rows),
                "errors": sum(isinstance(answer, Error) for answer in answers)}

    def _name(self, row: Row) -> str:
        given = None if isinstance(row.columns, Error) else row.columns.get(self._id)
        return row.place if given is None else str(given)

    def _request(self, row: Row) -> Any:
        if isinstance(row.columns, Error):
            return row.columns
        if self._column is None:
            return Path(row.place) if row.is_file else {**plain(row.columns), "id": self._name(row)}
        names = {"": self._column} if isinstance(self._column, str) else self._column
        values = {name: plain(row.columns.get(column)) for name, column in names.items()}
        if "" in values:
            return values[""] if values[""] is not None else Error(
                "data", f"the row at {row.place} has no column '{self._column}'")
        return {"id": self._name(row), **{name: value for name, value in values.items() if value is not None}}


class _Worker:
    """The callable class that Ray Data's actors have."""

    def __init__(self, output: str, kind: str, file: str, column: Inputs | None, id: str, keep: tuple[str, ...],
                 arguments: dict[str, Any]) -> None:
        self._maker = PartMaker(Folder(output, kind), Engine(file, **arguments), column, id, arguments["outputs"],
                                keep)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        done = [self._maker.make(Unit(**json.loads(each))) for each in batch["unit"]]
        return {name: [each[name] for each in done] for name in ("number", "rows", "errors")}


def _print_of(files: list[str]) -> str:
    """Changes with any file's name or size."""
    text = "\n".join(f"{path} {os.path.getsize(path)}" for path in files)
    return hashlib.sha256(text.encode()).hexdigest()


def job(input: str | os.PathLike[str] | list[str | os.PathLike[str]], output: str | os.PathLike[str],
        file: str | os.PathLike[str], *, column: Inputs | None = None, id: str = "id", keep: Iterable[str] = (),
        outputs: Outputs = ANSWER, format: str = "parquet", set: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None, plugin_path: Iterable[str | os.PathLike[str]] = (),
        engines: int | tuple[int, int] = 1, cpus: float = 1, gpus: float = 0, part_bytes: int = 1 << 16,
        part_rows: int = 256, batches_at_once: int = BATCHES_AT_ONCE, resume: bool = False,
        stall_timeout: float | None = 900, **remote_args: Any) -> Summary:
    """Runs a pipeline over files, on as many nodes as Ray has, and writes each row's result once.

    input        files, folders and patterns, where every node finds them: JSON lines (as of pipeline-run --jsonl),
                 Parquet, or media, a row a file
    output       a folder that every node can write to; one part for each unit of the input
    column       as Engine's; None: a row is a request, with inputs by name, "options" and "id"
    id           the column that names a row; a row without one is named by its place in the input
    keep         columns of the input that go into the output
    outputs      as Engine's; beside them a part has "id" and "error"
    format       "parquet" or "jsonl"
    part_bytes   of JSON lines, part_rows of Parquet and media: what a part is made of, and what is done again when a
                 node is lost in the middle of it
    resume       go on where a run that ended, was killed or lost its cluster stopped
    remote_args, and everything else   as run()'s

    A part is written whole or not at all, and its name says its rows, whoever makes it: what Ray does twice is written
    once. Rows that failed have an error and count as done.
    """
    _check(format, part_bytes, part_rows)
    keep = tuple(keep)
    files = find_files(input)
    units = cut(files, part_bytes, part_rows)
    arguments = {"outputs": dict(outputs), "set": dict(set or {}), "options": dict(options or {}),
                 "plugin_path": [os.fspath(each) for each in plugin_path], "stall_timeout": stall_timeout}
    folder = Folder(output, format)
    columns = {"column": column, "id": id, "keep": list(keep), "outputs": dict(outputs)}
    cuts = {"files": _print_of(files), "part_bytes": part_bytes, "part_rows": part_rows, "format": format}
    folder.begin(_whose(file, arguments, columns | cuts), resume)
    before = folder.done()
    left = [unit for unit in units if unit.number not in before]
    actor = (str(folder.path), format, os.fspath(file), column, id, keep, arguments)
    rows = errors = 0
    for done in _map(left, actor, pool(engines, batches_at_once), cpus, gpus, remote_args) if left else ():
        rows, errors = rows + done["rows"], errors + done["errors"]
    missing = len(units) - len(folder.done())
    if missing:
        raise Error("retry", f"{missing} parts are missing in '{folder.path}'; go on with resume=True")
    folder.end()
    return Summary(len(units), len(before), rows, errors)


def _check(format: str, part_bytes: int, part_rows: int) -> None:
    if format not in ("parquet", "jsonl"):
        raise Error("usage", f"format='{format}'; expected 'parquet' or 'jsonl'")
    if part_bytes < 1 or part_rows < 1:
        raise Error("usage", f"part_bytes={part_bytes}, part_rows={part_rows}; expected 1 or more")


def _whose(file: str | os.PathLike[str], arguments: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """What must be the same when a job goes on: the same rows and answers under the same names of parts."""
    whose = {"penstock": VERSION, "file": os.fspath(file), "set": arguments["set"], "options": arguments["options"],
             **more}
    return dict(json.loads(json.dumps(whose, default=str)))


def _map(units: list[Unit], actor: tuple[Any, ...], compute: Any, cpus: float, gpus: float,
         remote_args: dict[str, Any]) -> Iterable[dict[str, Any]]:
    data = need("ray.data")
    rows = [{"unit": json.dumps(unit.plain())} for unit in units]
    ds = data.from_items(rows, override_num_blocks=min(len(rows), 10_000))
    yield from ds.map_batches(_Worker, fn_constructor_args=actor, batch_size=1, batch_format="numpy",
                              compute=compute, num_cpus=cpus, num_gpus=gpus, **remote_args).iter_rows()
