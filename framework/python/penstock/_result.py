"""What a request gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._errors import Error
from ._inputs import need_numpy


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a request, from its submission on."""

    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    first_token_ms: float = 0.0


@dataclass(frozen=True)
class Choice:
    """One of `n` answers, or the only one. `data` is what the pipeline wrote as JSON."""

    text: str
    finish_reason: str
    token_ids: list[int]
    data: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What a request gave; can be pickled.

    text           what the pipeline wrote; "" where it writes none
    data           what it wrote as JSON: labels, segments, an embedding, ...
    finish_reason  "stop", "length", "end", "cancelled" or "deadline"
    choices        every answer, where `n` asked for several; else the one
    arrays         tensors by name, of pipelines that give any; see array()
    steps          of a composition: by step, the results of its requests
    """

    id: str
    text: str
    finish_reason: str
    token_ids: list[int] = field(default_factory=list)
    prompt_tokens: int = 0
    reused_tokens: int = 0
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    choices: list[Choice] = field(default_factory=list, repr=False)
    warnings: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    timing: Timing = field(default_factory=Timing, repr=False)
    arrays: dict[str, Any] = field(default_factory=dict, repr=False)
    steps: dict[str, list[Result]] = field(default_factory=dict, repr=False)
    has_text: bool = field(default=True, repr=False)

    def __str__(self) -> str:
        return self.text

    def json(self) -> dict[str, Any]:
        """The result as a line of `pipeline-run --json` has it, without device and timing."""
        line: dict[str, Any] = {"id": self.id}
        if self.has_text:
            line["text"] = self.text
        line |= {"token_ids": self.token_ids, "prompt_tokens": self.prompt_tokens,
                 "finish_reason": self.finish_reason}
        line |= {name: self.notes[name] for name in ("truncated", "truncated_bytes") if name in self.notes}
        line |= self.data
        if len(self.choices) > 1:
            line["choices"] = [{"index": index, "text": choice.text, "token_ids": choice.token_ids,
                                "finish_reason": choice.finish_reason, **choice.data}
                               for index, choice in enumerate(self.choices)]
        if self.warnings:
            line["warnings"] = self.warnings
        if self.steps:
            line["steps"] = {step: [part.json() for part in parts] for step, parts in self.steps.items()}
        return line

    def array(self, name: str) -> Any:
        """A numpy array: one of `arrays`, or a list of numbers of `data`, such as "embedding" (float32)."""
        if name in self.arrays:
            return self.arrays[name]
        if name not in self.data:
            there = ", ".join([*self.arrays, *self.data]) or "nothing"
            raise KeyError(f"the result has no '{name}'; it has {there}")
        numpy = need_numpy("an array")
        made = numpy.asarray(self.data[name])
        return made.astype(numpy.float32) if made.dtype == numpy.float64 else made

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("a result is no array; take one by name: result.array('embedding')")


def _arrays(given: list[dict[str, Any]]) -> dict[str, Any]:
    """Tensors as numpy arrays over the same memory; the last of each name."""
    out: dict[str, Any] = {}
    if any(given):
        numpy = need_numpy("a result of arrays")
        for each in given:
            out.update({name: numpy.from_dlpack(array) for name, array in each.items()})
    return out


def _of_part(id: str, part: Mapping[str, Any]) -> Result:
    choices = [Choice(each["text"], each["finish_reason"], each["token_ids"], json.loads(each["json"]))
               for each in part["branches"]]
    first = choices[0] if choices else Choice("", part["finish_reason"], [], {})
    branches = part["branches"]
    return Result(id=id, text=first.text, finish_reason=part["finish_reason"], token_ids=first.token_ids,
                  prompt_tokens=part["prompt_tokens"], reused_tokens=part["reused_tokens"], data=first.data,
                  choices=choices, warnings=part["warnings"], notes=part["notes"], timing=Timing(**part["timing"]),
                  arrays=_arrays(branches[0]["arrays"]) if branches else {},
                  has_text=any(each["has_text"] for each in branches) or not first.data)


def result_of(call: Any) -> Result:
    """The result of a call that is over; raises its error."""
    parts = call.parts()
    if len(parts) == 1 and not parts[0]["step"]:
        return _of_part(call.id, parts[0])
    steps: dict[str, list[Result]] = {}
    for part in parts:
        if part["error"] is not None:
            raise Error("data", part["error"], [("step", part["step"], ""), ("request", call.id, "")])
        steps.setdefault(part["step"], []).append(_of_part(call.id, part))
    last = steps[parts[-1]["step"]] if parts else []
    return Result(id=call.id, text="\n".join(each.text for each in last if each.text),
                  finish_reason=call.finish_reason(), data=last[-1].data if last else {},
                  choices=last[-1].choices if last else [],
                  warnings=[text for each in steps.values() for one in each for text in one.warnings], steps=steps)
