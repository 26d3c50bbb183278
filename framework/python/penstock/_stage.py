"""Stages that are classes of Python: to try a thought out before it is written in C++.

    @penstock.stage("my.rank", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"],
                    params=[penstock.declare("rank", 1, "1: the best", min=1, max=64)])
    class Rank(penstock.Decode):
        '''Takes the token of one rank, whatever its score.'''

        def start(self, sequence):
            return penstock.Want(top=sequence.params.rank)

        def decode(self, step):
            for part in step:
                yield penstock.Next(part, tokens=[part.ids[-1][part.sequence.params.rank - 1]],
                                    finish="length" if part.sequence.generated >= 15 else "")

From then on `use: my.rank` in a pipeline file finds it, in this process. The runtime is the same, and what it checks;
but every call takes Python's one lock, so stages in Python run one after another, and a Decode holds up the engine
while it thinks. Batch and Forward are C++ only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from ._errors import Error

STOP = object()
"""What a writer's write() yields when its branch is done, as with a stop string: the engine ends it."""

_LAST = -1  # penstock/sequence.h
_pending: list[dict[str, Any]] = []
_lock = threading.Lock()
_Class = TypeVar("_Class", bound=type)


@dataclass
class Request:
    """What somebody asked: `params` are the stage's own, with the options of this request."""

    id: str
    inputs: dict[str, Any]
    params: SimpleNamespace

    def text_of(self, item: Item) -> str:
        """The text that a stage before this one made, else the input `text`."""
        text = item.notes.get("text", self.inputs.get("text"))
        if not isinstance(text, str):
            raise Error("data", "the request has no input 'text'")
        return text


@dataclass
class Item:
    """A piece of a request: a prompt, a picture, a window of sound. `inputs` are arrays without a batch dimension."""

    tokens: list[int] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    width: int = 1


@dataclass
class Want:
    """What Decode needs of a sequence's next step, said before it: the best `top` scores, or `full`, every score;
    `norm`, the log-sum-exp; the scores of `ids`; `follow`, the score of the token that follows. Of the tokens from
    `start` on; -1: of the last one."""

    top: int = 0
    full: bool = False
    norm: bool = False
    follow: bool = False
    hidden: bool = False
    ids: Sequence[int] = ()
    start: int = _LAST


@dataclass
class Running:
    """A sequence as Decode sees it. `state` is Decode's own dictionary, one for each item."""

    tokens: list[int]
    draft: list[int]
    prompt_tokens: int
    branch: int
    notes: dict[str, Any]
    params: SimpleNamespace
    state: dict[str, Any]

    @property
    def generated(self) -> int:
        """Tokens beyond the prompt."""
        return len(self.tokens) - self.prompt_tokens


@dataclass
class Part:
    """A sequence's share of a step, with its scores: ids and values [rows, k], full [rows, vocabulary], ... as it
    wanted them (else None); `out` has the outputs of models without a vocabulary."""

    index: int
    sequence: Running
    ids: Any = None
    values: Any = None
    full: Any = None
    at: Any = None
    norm: Any = None
    follow: Any = None
    hidden: Any = None
    out: dict[str, Any] = field(default_factory=dict)


@dataclass
class Emit:
    """What Decode hands to Postprocess."""

    tokens: Sequence[int] = ()
    tensors: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Next:
    """What becomes of a sequence: first it is cut to `keep` tokens, then `tokens` are appended and `draft` guessed.
    `emit` is given out; None: the tokens. `finish`: "stop", "stop_id", "length", "end", "dropped" or ""."""

    part: Part
    tokens: Sequence[int] = ()
    emit: Sequence[Emit] | None = None
    finish: str = ""
    want: Want | None = None
    draft: Sequence[int] = ()
    branch: int = -1
    keep: int | None = None
    reset: bool = False
    error: BaseException | None = None


@dataclass
class Decoded:
    """What Decode gave out, as Postprocess gets it. `finish` is "" but with the last of a branch."""

    tokens: list[int]
    tensors: dict[str, Any]
    notes: dict[str, Any]
    item: Item
    branch: int
    finish: str


class _Stage:
    def __init__(self, params: SimpleNamespace) -> None:
        self.params = params

    def open(self, facts: dict[str, Any], model: str, device: str, slots: int) -> None:
        """Before the first call: `facts` of the model as declared, its path, the device, how many run at once."""

    def close(self) -> None:
        """After the last call."""


class Preprocess(_Stage):
    """What does the model see of one input? Called by several threads."""

    def preprocess(self, request: Request, item: Item) -> Iterable[Item]:
        """Yields any number of items. `item` is empty, or what the stage before yielded."""
        raise NotImplementedError


class Decode(_Stage):
    """What do the scores mean, and is it finished? Called by the engine's thread alone."""

    def start(self, sequence: Running) -> Want | None:
        """Once for each item: what it needs of its steps."""

    def decode(self, step: list[Part]) -> Iterable[Next]:
        """Yields at least one Next for each part of the step."""
        raise NotImplementedError


class Writer:
    """The results of one request, one call at a time."""

    def write(self, decoded: Decoded) -> Iterable[Any] | None:
        """Yields texts and dictionaries, which become keys of the result's data; STOP: this branch is done."""
        raise NotImplementedError

    def end(self) -> Iterable[Any] | None:
        """After the last one."""


class Postprocess(_Stage):
    """What does a person get? Called by several threads."""

    def begin(self, request: Request) -> Writer:
        """The writer of a request."""
        raise NotImplementedError


def declare(name: str, default: Any, doc: str, *, min: float | None = None, max: float | None = None,
            choices: Iterable[str] = (), per_request: bool = False) -> dict[str, Any]:
    """A param of a stage: what a pipeline file, `set=` and, if per_request, a request's options may give. Its type is
    the default's: bool, int, float, str or a list of one of the last three."""
    return {"name": name, "default": default, "doc": doc, "min": min, "max": max, "choices": list(choices),
            "per_request": per_request}


def stage(name: str, *, doc: str | None = None, inputs: Iterable[str] = (), outputs: Iterable[str] = (),
          makes: Iterable[str] = (), needs: Iterable[str] = (), uses: Iterable[str] = (), facts: Iterable[str] = (),
          params: Iterable[dict[str, Any]] = ()) -> Callable[[_Class], _Class]:
    """Makes a class a stage that pipeline files name by `use:`; declared again, the new class takes its place in what
    is opened from then on.

    doc             one line; else the first of the class
    inputs, outputs ports, as "pixels: f32[B,3,224,224]{rgb}"
    makes, needs, uses  notes of items and results, as "loudness: number"; types: bool, integer, number, text, integers
    facts           of the model, as "vocab_size: integer", which open() gets where they are there
    params          of declare()
    """
    def keep(made: _Class) -> _Class:
        kind = next((word for word, base in _KINDS.items() if issubclass(made, base)), None)
        if kind is None:
            raise TypeError(f"{made.__name__}: a stage is a penstock.Preprocess, penstock.Decode or "
                            "penstock.Postprocess; Batch and Forward are C++ only")
        line = doc or (made.__doc__ or "").strip().partition("\n")[0]
        with _lock:
            _pending.append({
                "name": name, "kind": kind, "doc": line, "inputs": list(inputs), "outputs": list(outputs),
                "makes": list(makes), "needs": list(needs), "uses": list(uses), "facts": list(facts),
                "params": list(params), "make": lambda given: adapter_of(kind)(made(SimpleNamespace(**given)))})
        return made
    return keep


def next_pending() -> dict[str, Any] | None:
    """A declaration that the engine does not know yet: that is loaded by the first pipeline, not by a decorator."""
    with _lock:
        return _pending.pop(0) if _pending else None


_KINDS: dict[str, type] = {"preprocess": Preprocess, "decode": Decode, "postprocess": Postprocess}


def adapter_of(kind: str) -> Callable[[Any], Any]:
    """What the extension calls, around a stage."""
    from ._stage_calls import ADAPTERS
    return ADAPTERS[kind]
