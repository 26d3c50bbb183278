"""The extension module, opened when it is first needed, and the files that came with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from . import _errors, _libtorch, _openvino

ROOT = Path(__file__).parent / "_native"
OPENVINO_PLUGIN = ROOT / "lib" / "penstock" / "openvino_plugin"
PIPELINES = ROOT / "share" / "penstock" / "pipelines"

_lock = threading.Lock()
_engine: ModuleType | None = None


def engine() -> ModuleType:
    """penstock._engine; raises Error where there is no libtorch for it."""
    global _engine
    if _engine is None:
        with _lock:
            if _engine is None:
                _libtorch.open_libraries()
                _openvino.open_library()
                from . import _engine as module
                module.raise_errors_with(_errors.made)
                _engine = module
    return _engine


def plugin_path(first: Iterable[str | os.PathLike[str]] = ()) -> list[str]:
    """The folders that are searched before the wheel's own: those, and that of the plugin of OpenVINO where that is."""
    return [*map(os.fspath, first), *([str(OPENVINO_PLUGIN)] if _openvino.folder() else [])]


def find_pipeline(name: str) -> str:
    """The path that `name` means: a file, or one that came along, with or without '.yaml'."""
    if Path(name).exists():
        return name
    if "/" not in name:
        for each in (name, f"{name}.yaml"):
            if (PIPELINES / each).is_file():
                return str(PIPELINES / each)
    there = ", ".join(sorted(path.name for path in PIPELINES.glob("*.yaml")))
    raise _errors.Error("not_found", f"there is no pipeline file '{name}'; those that came along: {there}")
