"""Whatever people hand to a pipeline, as the engine's inputs and options."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._errors import Error

# What pipeline-run's JSON lines have, beside the inputs by their names.
_REQUEST_KEYS = ("id", "options", "timeout", "session", "inputs")
_JSON_KEYS = ("messages", "tools", "token_ids")


@dataclass(frozen=True)
class File:
    """A file, or seconds [begin, end) of it. `data`, where given, is its content and `name` only its name."""

    name: str
    data: bytes | None = None
    begin: float = 0.0
    end: float = math.inf


@dataclass(frozen=True)
class Audio:
    """Sound: float32 samples in -1..1, [samples] or [samples, channels], and how many there are a second."""

    samples: Any
    sample_rate: int


@dataclass
class Job:
    """A request as the engine takes it."""

    inputs: dict[str, Any]
    options: dict[str, Any]
    id: str | None = None
    timeout: float = 0.0
    session: str = ""


def override_text(value: Any) -> str:
    """A value as `--set` writes it; a text stays as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(json.dumps(each, ensure_ascii=False) if isinstance(each, str) else override_text(each)
                               for each in value) + "]"
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _raw_scalar(name: str, value: Any) -> tuple[str, bool]:
    if isinstance(value, str):
        return value, True
    if isinstance(value, bool):
        return ("true" if value else "false"), False
    try:
        if hasattr(value, "__index__"):
            return str(value.__index__()), False
        return repr(float(value)), False
    except (TypeError, ValueError):
        raise Error("data", f"option '{name}': expected a number, a text, true or false, or a list of them, not "
                    f"{type(value).__name__}") from None


def raw_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as (text, is_quoted), or lists of it; a mapping is a list of "name:value"."""
    out: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            out[name] = [(f"{key}:{_raw_scalar(name, each)[0]}", True) for key, each in value.items()]
        elif isinstance(value, (list, tuple)):
            out[name] = [_raw_scalar(name, each) for each in value]
        else:
            out[name] = _raw_scalar(name, value)
    return out


def _is_array(value: Any) -> bool:
    return hasattr(value, "__dlpack__") or hasattr(value, "__array_interface__")


def _wave_file(audio: Audio) -> bytes:
    """The samples as a WAV file of floats: nothing is lost, and FFmpeg resamples it as any other."""
    view = memoryview(_float32(audio.samples))
    shape = view.shape or ()
    if view.ndim not in (1, 2) or view.nbytes == 0:
        raise Error("data", "sound: expected float32 [samples] or [samples, channels], not an array of shape "
                    f"{list(shape)}")
    channels = shape[1] if view.ndim == 2 else 1
    if not 1 <= channels <= 64:
        raise Error("data", f"sound of {channels} channels; expected [samples, channels] with 1 to 64")
    if not 1 <= audio.sample_rate <= 768000:
        raise Error("data", f"sample_rate {audio.sample_rate}; expected 1 to 768000")
    if view.nbytes > 2**32 - 64:
        raise Error("data", f"sound of {view.nbytes} bytes; at most 4 GiB go at once")
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", view.nbytes + 36, b"WAVE", b"fmt ", 16, 3, channels,
                         audio.sample_rate, audio.sample_rate * channels * 4, channels * 4, 32, b"data", view.nbytes)
    return b"".join((header, view.cast("B")))


def _float32(samples: Any) -> Any:
    """Something with the buffer protocol, of contiguous float32."""
    if not isinstance(samples, (bytes, bytearray)):
        try:
            view = memoryview(samples)
            if view.format == "f" and view.c_contiguous:
                return view
        except TypeError:
            pass
        numpy = need_numpy("sound that is no contiguous buffer of float32")
        array = numpy.from_dlpack(samples) if hasattr(samples, "__dlpack__") else numpy.asarray(samples)
        if array.dtype in (numpy.float32, numpy.float64, numpy.float16):
            return numpy.ascontiguousarray(array, dtype=numpy.float32)
        raise Error("data", f"sound of dtype {array.dtype}; expected float32 in -1..1 (int16: divide by 32768)")
    raise Error("data", "sound of bytes; give the bytes of a file as they are, or an array of float32")


def need_numpy(what: str) -> Any:
    try:
        import numpy
    except ImportError:
        raise Error("unavailable", f"{what} needs numpy; pip install numpy") from None
    return numpy


def value_of(name: str, value: Any, is_media: bool) -> Any:
    """One input as binding/values.h reads it."""
    if isinstance(value, str) and not is_media:
        return value
    if isinstance(value, (str, os.PathLike)):
        return "file", os.fspath(value), 0.0, math.inf
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes", name, bytes(value)
    if isinstance(value, File):
        if value.data is None:
            return "file", os.fspath(value.name), float(value.begin), float(value.end)
        return "bytes", value.name, bytes(value.data)
    if isinstance(value, Audio):
        return "bytes", name, _wave_file(value)
    if _is_array(value):
        if name == "audio":
            raise Error("data", "an array of sound needs its rate: {'audio': samples, 'sample_rate': 16000}")
        return "array", name, value
    if isinstance(value, (Mapping, Sequence)):
        try:
            return "json", json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise Error("data", f"input '{name}' cannot be written as JSON: {error}") from None
    raise Error("data", f"input '{name}': expected a text, a path, bytes, an array, messages or ids, not "
                f"{type(value).__name__}")


class Reader:
    """Reads what one pipeline takes: `ports` has the dtype of each of its inputs."""

    def __init__(self, ports: dict[str, str]) -> None:
        self.ports = ports
        self.media = [name for name, dtype in ports.items() if dtype == "media"]

    def read(self, given: Any) -> Job:
        """A request of whatever was given; raises Error that says what can be."""
        if isinstance(given, Mapping):
            return self._of_mapping(dict(given))
        return Job({(name := self._name_for(given)): value_of(name, given, name in self.media)}, {})

    def _name_for(self, given: Any) -> str:
        """Which input a thing without a name is."""
        if isinstance(given, list) and given and isinstance(given[0], Mapping):
            return "messages"
        if isinstance(given, (list, tuple)) and given and all(isinstance(each, int) for each in given):
            return "token_ids"
        if isinstance(given, str) and not self.media:
            return "text"
        if len(self.media) == 1:
            return self.media[0]
        if isinstance(given, str):
            return "text"
        raise Error("data", f"a {type(given).__name__} is no input of this pipeline; it takes "
                    f"{self._known()}: give a text, messages, or a mapping such as {{'text': ...}}")

    def _known(self) -> str:
        return ", ".join(f"'{name}' ({dtype})" for name, dtype in self.ports.items())

    def _of_mapping(self, given: dict[str, Any]) -> Job:
        extra = {key: given.pop(key) for key in _REQUEST_KEYS if key in given}
        if not isinstance(extra.get("options", {}), Mapping):
            raise Error("data", "'options': expected a mapping such as {'max_new_tokens': 8}")
        given.update(extra.get("inputs", {}))
        rate = given.pop("sample_rate", None)
        inputs = {}
        for name, value in given.items():
            if not isinstance(name, str):
                raise Error("data", f"an input's name is a text, not {name!r}")
            if rate is not None and _is_array(value):
                value = Audio(value, int(rate))
            inputs[name] = value_of(name, value, name in self.media)
        if not inputs:
            raise Error("data", f"the request has no input; this pipeline takes {self._known()}")
        return Job(inputs, raw_options(extra.get("options", {})), extra.get("id"), float(extra.get("timeout") or 0),
                   str(extra.get("session") or ""))
