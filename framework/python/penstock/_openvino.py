"""Where OpenVINO is, which runs models of others (`openvino.forward`): this wheel has the plugin, not the runtime.

1. The package `openvino` of the version that the plugin was built for.
2. What tools/setup --with openvino fetched into the cache folder.

Where neither is, all else works, and a pipeline that needs it says so."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

from ._build import OPENVINO_LIBRARY, OPENVINO_VERSION
from ._libtorch import cache


def folder() -> Path | None:
    """The folder of its libraries."""
    if not OPENVINO_LIBRARY:
        return None
    places = [cache() / f"openvino-{OPENVINO_VERSION}" / "lib"]
    try:
        spec = importlib.util.find_spec("openvino")
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin:
        places.insert(0, Path(spec.origin).parent / "libs")
    return next((each for each in places if (each / OPENVINO_LIBRARY).is_file()), None)


def open_library() -> None:
    """Opens it, so that the plugin finds it by its name, which holds the version."""
    found = folder()
    if found is not None:
        ctypes.CDLL(str(found / OPENVINO_LIBRARY))
