"""Between what the extension hands over, plain dictionaries, and the classes that people write."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from ._errors import Error
from ._inputs import File, need_numpy
from ._stage import STOP, Decoded, Emit, Item, Next, Part, Request, Running, Want, Writer


def described(exception: BaseException) -> tuple[str, str]:
    """Code and text of an exception that left a stage: its own line first, then Python's traceback."""
    told = "".join(traceback.format_exception(exception)).rstrip().replace("\n", "\n  ")
    if isinstance(exception, Error):
        return exception.code, f"{exception}\n  {told}"
    return "internal", f"{type(exception).__name__}: {exception}\n  {told}"


def _arrays(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given:
        return {}
    numpy = need_numpy("a stage in Python")
    return {name: numpy.from_dlpack(array) for name, array in given.items()}


def _numbers(given: Iterable[Any]) -> list[int]:
    return [int(each) for each in given]


def _item(given: dict[str, Any]) -> Item:
    return Item(given["tokens"], _arrays(given["inputs"]), given["notes"], given["width"])


def _plain_notes(notes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else
            value if isinstance(value, (bool, int, float, str)) else _numbers(value) for name, value in notes.items()}


def _need(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{what}: expected penstock.{kind.__name__}, not {type(value).__name__}")
    return value


class _Adapter:
    def __init__(self, stage: Any) -> None:
        self.stage = stage

    def open(self, facts: dict[str, Any], model: str, device: str, slots: int) -> None:
        self.stage.open(facts, model, device, slots)

    def close(self) -> None:
        self.stage.close()


class _Items:
    def __init__(self, items: Iterable[Item] | None, name: str) -> None:
        self._items: Iterator[Item] = iter(items if items is not None else ())
        self._name = name

    def next(self) -> dict[str, Any] | None:
        for item in self._items:
            _need(item, Item, f"{self._name}.preprocess()")
            return {"tokens": _numbers(item.tokens), "inputs": dict(item.inputs),
                    "notes": _plain_notes(item.notes), "width": item.width}
        return None


class _Preprocess(_Adapter):
    def preprocess(self, request: dict[str, Any], item: dict[str, Any]) -> _Items:
        return _Items(self.stage.preprocess(_request(request), _item(item)), type(self.stage).__name__)


def _input(value: Any) -> Any:
    """A text, bytes, a File, arrays by name, or what JSON says."""
    if isinstance(value, dict):
        return _arrays(value)
    if not isinstance(value, tuple):
        return value
    if value[0] == "json":
        return json.loads(value[1])
    return File(value[1], value[2]) if value[0] == "bytes" else File(value[1], None, value[2], value[3])


def _request(given: dict[str, Any]) -> Request:
    return Request(given["id"], {name: _input(value) for name, value in given["inputs"].items()},
                   SimpleNamespace(**given["params"]))


def _running(given: dict[str, Any]) -> Running:
    return Running(**{**given, "params": SimpleNamespace(**given["params"])})


def _want(want: Want | None) -> dict[str, Any] | None:
    return None if want is None else {**vars(_need(want, Want, "what a sequence wants")), "ids": _numbers(want.ids)}


class _Decode(_Adapter):
    def start(self, sequence: dict[str, Any]) -> dict[str, Any] | None:
        return _want(self.stage.start(_running(sequence)))

    def decode(self, step: dict[str, Any]) -> list[dict[str, Any]]:
        scores, out = _arrays(step["scores"]), _arrays(step["out"])
        parts = []
        for one in step["slices"]:
            rows = slice(one["out"], one["out"] + one["outs"])
            parts.append(Part(one["index"], _running(one["sequence"]),
                              **{name: array[rows] for name, array in scores.items()},
                              out={name: array[one["index"]] for name, array in out.items()}))
        return [_next(each, type(self.stage).__name__) for each in self.stage.decode(parts) or ()]


def _next(given: Any, name: str) -> dict[str, Any]:
    _need(given, Next, f"{name}.decode()")
    tokens = _numbers(given.tokens)
    emit = given.emit if given.emit is not None else [Emit(tokens)] if tokens else []
    return {"slice": given.part.index, "branch": given.branch, "keep": given.keep, "tokens": tokens,
            "draft": _numbers(given.draft), "reset": given.reset, "want": _want(given.want), "finish": given.finish,
            "error": given.error,
            "emit": [{"tokens": _numbers(each.tokens), "tensors": dict(each.tensors),
                      "notes": _plain_notes(each.notes)} for each in emit]}


def _told(pieces: Iterable[Any] | None) -> tuple[list[Any], bool]:
    out: list[Any] = []
    for piece in (pieces,) if isinstance(pieces, (str, Mapping)) else pieces or ():
        if piece is STOP:
            return out, False
        out.append(piece if isinstance(piece, str) else ("json", json.dumps(piece, ensure_ascii=False)))
    return out, True


class _Writer:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, given: dict[str, Any]) -> tuple[list[Any], bool]:
        decoded = Decoded(**{**given, "item": _item(given["item"]), "tensors": _arrays(given["tensors"])})
        return _told(self._writer.write(decoded))

    def end(self) -> tuple[list[Any], bool]:
        return _told(self._writer.end())


class _Postprocess(_Adapter):
    def begin(self, request: dict[str, Any]) -> _Writer:
        return _Writer(self.stage.begin(_request(request)))


ADAPTERS: dict[str, Callable[[Any], Any]] = {
    "preprocess": _Preprocess, "decode": _Decode, "postprocess": _Postprocess}
