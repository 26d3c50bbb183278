"""Between the rows of a batch and requests: which columns go in, and which come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._errors import Error
from .._result import Result

# A column of the input, or by the name of a pipeline's input (and "options", "id", ...) the column it is in.
Inputs = str | Mapping[str, str]
# By the name of a new column: what of the result goes there.
Outputs = Mapping[str, str]

ANSWER: Outputs = {"answer": "text", "token_ids": "token_ids", "finish_reason": "finish_reason"}


def plain(value: Any) -> Any:
    """What pipelines read, of what Ray's blocks hold: no numpy scalars, and no key that a row did not have.

    Arrow gives each struct of a column every key that any of them has, with a null."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if not kind:
        return value
    if value.ndim == 0:
        return value.item()
    if kind in "OUS":
        return [plain(each) for each in value]
    if value.ndim == 1 and value.dtype.itemsize == 8 and kind in "iu":
        return value.tolist()  # token ids
    return value


def _column_values(table: Any, name: str) -> Any:
    """One value a row: arrays of tensor columns and of lists of floats, Python's own of everything else."""
    import pyarrow
    column = table.column(name)
    if isinstance(column.type, pyarrow.BaseExtensionType):
        # Not above: the import takes a second of both cores, which a batch of texts need not pay.
        from ray.data.block import BlockAccessor
        return BlockAccessor.for_block(table).to_numpy(name)
    is_list = pyarrow.types.is_list(column.type) or pyarrow.types.is_large_list(column.type)
    if is_list and pyarrow.types.is_floating(column.type.value_type):
        return column.to_numpy()
    return column.to_pylist()


def _columns(batch: Any, names: list[str]) -> dict[str, Any]:
    """Of an Arrow table, or of a mapping of arrays."""
    there = list(batch) if isinstance(batch, Mapping) else batch.column_names
    for name in names:
        if name not in there:
            raise Error("usage", f"the rows have no column '{name}'; they have {', '.join(there) or 'none'}")
    if isinstance(batch, Mapping):
        return {name: batch[name] for name in names}
    return {name: _column_values(batch, name) for name in names}


def requests_of(batch: Any, inputs: Inputs) -> list[Any]:
    """A request a row; an Error for one that has none."""
    if isinstance(inputs, str):
        return [_single(plain(value), inputs) for value in _columns(batch, [inputs])[inputs]]
    columns = _columns(batch, list(dict.fromkeys(inputs.values())))
    size = len(next(iter(columns.values())))
    return [{name: value for name, column in inputs.items() if (value := plain(columns[column][row])) is not None}
            for row in range(size)]


def _single(value: Any, column: str) -> Any:
    return Error("data", f"column '{column}' is null in this row") if value is None else value


def value_of(result: Result, what: str) -> Any:
    """What a column holds of a result: texts and numbers as they are, other things as JSON."""
    if what in ("text", "token_ids", "finish_reason", "prompt_tokens", "id"):
        return getattr(result, what)
    if what == "json":
        return json.dumps(result.json(), ensure_ascii=False)
    if what not in result.data:
        there = ", ".join(["text", "token_ids", "finish_reason", "prompt_tokens", "json", *result.data])
        raise Error("usage", f"the result has no '{what}'; it has {there}")
    value = result.data[what]
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, list) and value and all(type(each) in (int, float) for each in value):
        return [float(each) for each in value]
    return json.dumps(value, ensure_ascii=False)


def output_columns(answers: list[Result | Error], outputs: Outputs, error: str) -> dict[str, list[Any]]:
    """New columns, by name; null where a row failed, and `error` null where it did not."""
    columns: dict[str, list[Any]] = {name: [] for name in outputs}
    for answer in answers:
        for name, what in outputs.items():
            columns[name].append(None if isinstance(answer, Error) else value_of(answer, what))
    columns[error] = [str(answer) if isinstance(answer, Error) else None for answer in answers]
    return columns


def arrow_column(name: str, values: list[Any], what: str) -> Any:
    """With the same type in every block, also where all rows of one are null."""
    import pyarrow
    known = {"token_ids": pyarrow.list_(pyarrow.int64()), "prompt_tokens": pyarrow.int64(), "text": pyarrow.string(),
             "finish_reason": pyarrow.string(), "json": pyarrow.string(), "id": pyarrow.string()}
    if what in known:
        return pyarrow.array(values, known[what])
    try:
        made = pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as wrong:
        raise Error("data", f"column '{name}' has values of several types: {wrong}; take 'json' instead") from None
    return made.cast(pyarrow.list_(pyarrow.float32())) if pyarrow.types.is_list(made.type) else made


def with_columns(batch: Any, columns: dict[str, list[Any]], outputs: Outputs) -> Any:
    """The batch and the new columns, of the type that the batch is."""
    if isinstance(batch, Mapping):
        import numpy
        made = dict(batch)
        for name, values in columns.items():
            made[name] = numpy.empty(len(values), dtype=object)
            made[name][:] = values
        return made
    for name, values in columns.items():
        batch = batch.append_column(name, arrow_column(name, values, outputs.get(name, "text")))
    return batch


def refuse_taken(batch: Any, names: list[str]) -> None:
    there = set(batch if isinstance(batch, Mapping) else batch.column_names)
    for name in names:
        if name in there:
            raise Error("usage", f"the rows have a column '{name}' already; name another for the results: "
                        "outputs={'my_name': 'text'}, or error='my_error'")
