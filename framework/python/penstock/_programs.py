"""The programs that came along: pipeline-run, pipeline-inspect, pipeline-bench, pipeline-serve."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from . import _libtorch, _native, _openvino
from ._errors import Error
from ._inputs import override_text


def _environment() -> dict[str, str]:
    """Where the programs find libtorch and OpenVINO: their own folders name none."""
    libraries = [str(_libtorch.folder()), str(_openvino.folder() or ""), os.environ.get("LD_LIBRARY_PATH", "")]
    plugins = _native.plugin_path(filter(None, os.environ.get("PENSTOCK_PLUGIN_PATH", "").split(":")))
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(filter(None, libraries))}
    return {**environment, "PENSTOCK_PLUGIN_PATH": ":".join(plugins)} if plugins else environment


def _become(name: str) -> NoReturn:
    try:
        environment = _environment()
    except Error as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    program = str(_native.ROOT / "bin" / name)
    os.execve(program, [program, *sys.argv[1:]], environment)


def pipeline_run() -> NoReturn:
    _become("pipeline-run")


def pipeline_inspect() -> NoReturn:
    _become("pipeline-inspect")


def pipeline_bench() -> NoReturn:
    _become("pipeline-bench")


def pipeline_serve() -> NoReturn:
    _become("pipeline-serve")


def show(file: str | os.PathLike[str], *texts: str, set: Mapping[str, Any] | None = None,
         until: str | None = None) -> str:
    """What each stage makes of the texts, as `pipeline-run --show` prints it: ids, pieces, mask, shapes, scores.

    A run of its own, to look at and to learn from. `until` stops after that stage."""
    command = [str(_native.ROOT / "bin" / "pipeline-run"), os.fspath(file), "--show", "--quiet"]
    for text in texts:
        command += ["--text", text]
    for key, value in (set or {}).items():
        command += ["--set", f"{key}={override_text(value)}"]
    if until is not None:
        command += ["--until", until]
    ended = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        code = {2: "usage", 65: "data", 66: "not_found", 69: "unavailable", 75: "retry"}.get(ended.returncode,
                                                                                           "internal")
        raise Error(code, ended.stderr.strip().removeprefix("pipeline-run: "))
    return ended.stdout
