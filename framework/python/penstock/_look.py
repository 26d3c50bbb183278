"""What can be known of pipelines and stages without loading weights."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _native
from ._errors import Error
from ._pipeline import declare_stages, file_source
from ._spec import Spec


@dataclass(frozen=True)
class Check:
    """What a step of a pipeline file would need. `explained` is the file in force, with where each value came from;
    `notices` are names in it that have changed."""

    device: str
    weight_bytes: int
    context_length: int
    sequence_bytes: int
    explained: str = field(repr=False)
    notices: list[str] = field(repr=False)


@dataclass(frozen=True)
class Param:
    """What can be set of a stage. `expected` says what it takes, such as "integer in 1..64"."""

    name: str
    type: str
    doc: str
    default: Any
    expected: str
    choices: list[str]
    per_request: bool


@dataclass(frozen=True)
class Stage:
    """What a stage says of itself. Ports are "name: dtype[dims]{facts}"."""

    name: str
    kind: str
    doc: str
    inputs: list[str]
    outputs: list[str]
    devices: list[str]
    params: list[Param] = field(repr=False)


def check(file: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None,
          plugin_path: Iterable[str | os.PathLike[str]] = ()) -> dict[str, Check]:
    """Reads a file, makes its stages and looks for models and devices; loads no weights. By step (a pipeline alone
    has one, ""). Raises Error with every problem of the file in `problems`."""
    spec = Spec(os.fspath(file), dict(set or {}), tuple(os.fspath(each) for each in plugin_path))
    found = _native.engine().check_file(file_source(spec))
    return {step: Check(**each) for step, each in found.items()}


def inspect(name: str = "", *, plugin_path: Iterable[str | os.PathLike[str]] = ()) -> list[Stage]:
    """The stages of every plugin, of one ("core") or one stage ("core.sample")."""
    plugin = name.partition(".")[0]
    declare_stages()
    found = _native.engine().stages_of(plugin, _native.plugin_path(plugin_path))
    stages = [Stage(**{**each, "params": [Param(**param) for param in each["params"]]}) for each in found]
    if name == plugin:
        return stages
    one = [stage for stage in stages if stage.name == name]
    if not one:
        raise Error("data", f"no stage '{name}'; the plugin has {', '.join(stage.name for stage in stages)}")
    return one
