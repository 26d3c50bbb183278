"""The output folder of a job: parts, each written whole or not at all, and what says whose they are."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._errors import Error
from ._need import need

# Ray, Arrow and Spark read no file whose name begins so.
_WHOSE = "_job.json"
_DONE = "_SUCCESS"


def part_name(number: int, kind: str) -> str:
    return f"part-{number:08d}.{kind}"


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Under another name, on the disk, then renamed: a reader, a kill or a full disk never sees half of it. Who comes
    second replaces it with the same rows."""
    made = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write(made)
        descriptor = os.open(made, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(made, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            made.unlink()
        raise Error("retry", f"cannot write '{path}': {error}") from None


def write_rows(path: Path, columns: dict[str, Any]) -> None:
    """Arrow columns as Parquet or as JSON lines, by the path's ending."""
    table = need("pyarrow").table(columns)
    if path.suffix == ".parquet":
        write_whole(path, lambda made: need("pyarrow.parquet").write_table(table, made))
        return
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
    write_whole(path, lambda made: made.write_text(lines, encoding="utf-8"))


class Folder:
    """The output of a job."""

    def __init__(self, path: str | os.PathLike[str], kind: str) -> None:
        self.path = Path(os.path.abspath(path))
        self.kind = kind

    def begin(self, whose: dict[str, Any], resume: bool) -> None:
        """Makes the folder, or goes on in one that the same job began."""
        self.path.mkdir(parents=True, exist_ok=True)
        mark = self.path / _WHOSE
        if mark.exists():
            self._compare(json.loads(mark.read_text(encoding="utf-8")), whose)
            if not resume:
                raise Error("usage", f"'{self.path}' has results already; go on with resume=True, or name another "
                            "folder")
        elif any(self.path.iterdir()):
            raise Error("usage", f"'{self.path}' is not empty, and no job of penstock.ray began it; name another "
                        "folder")
        else:
            text = json.dumps(whose, indent=1, ensure_ascii=False)
            write_whole(mark, lambda made: made.write_text(text, encoding="utf-8"))

    def _compare(self, there: Any, whose: dict[str, Any]) -> None:
        wrong = [key for key, value in whose.items() if not isinstance(there, dict) or there.get(key) != value]
        if wrong:
            raise Error("usage", f"'{self.path}' holds the results of another job: {', '.join(wrong)} differ; name "
                        "another folder")

    def done(self) -> set[int]:
        """The numbers of the parts that are there."""
        return {int(path.stem.removeprefix("part-")) for path in self.path.glob(f"part-*.{self.kind}")}

    def end(self) -> None:
        """Takes away what killed writers left, and says that all is there."""
        for left in self.path.glob(".part-*"):
            with contextlib.suppress(FileNotFoundError):
                left.unlink()
        write_whole(self.path / _DONE, lambda made: made.write_text(""))
