"""Which libtorch this process uses: one, and of the version that the module was built for.

1. The `torch` of this process, if it was imported, or the one that is installed.
2. $PENSTOCK_LIBTORCH, a folder with libtorch_cpu.so and libc10.so.
3. The package penstock-libtorch.
4. What tools/setup fetched into the cache folder.

An installed torch comes first and must fit, since whoever imports it later would else get a second copy, or an
undefined symbol. The libraries are opened before the module, which then finds them by name."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import sys
from pathlib import Path

from ._build import TORCH_VERSION
from ._errors import Error

_LIBRARIES = ("libc10.so", "libtorch_cpu.so")
_HELP = (f"pip install 'penstock[torch]' brings torch {TORCH_VERSION}, 'penstock[libtorch]' its CPU libraries alone; "
         "PENSTOCK_LIBTORCH names a folder that has them")


def _public(version: str) -> str:
    """'2.11.0' of '2.11.0+cu130': builds of one version fit each other."""
    return version.split("+")[0]


def _torch() -> tuple[str, Path] | None:
    """Version and library folder of the torch that is imported or installed."""
    module = sys.modules.get("torch")
    file = getattr(module, "__file__", None)
    if module is not None and file:
        return str(module.__version__), Path(file).parent / "lib"
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent
    try:
        found = re.search(r"__version__(?:: .*)? = ['\"]([^'\"]+)", (folder / "version.py").read_text())
    except OSError:
        return None
    return (found[1] if found else "of unknown version"), folder / "lib"


def _has_libraries(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _LIBRARIES)


def cache() -> Path:
    """Where tools/setup keeps what it fetches."""
    return Path(os.environ.get("PENSTOCK_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "penstock"))


def _cached() -> Path:
    return cache() / f"libtorch-{TORCH_VERSION}" / "site" / "torch" / "lib"


def _package() -> Path | None:
    spec = importlib.util.find_spec("penstock_libtorch")
    if spec is None or not spec.origin:
        return None
    text = Path(spec.origin).read_text()
    found = re.search(r'VERSION = "([^"]+)"', text)
    if not found or _public(found[1]) != TORCH_VERSION:
        raise Error("unavailable", f"penstock-libtorch is of version {found[1] if found else '?'}, and this penstock "
                    f"was built for {TORCH_VERSION}; pip install penstock-libtorch=={TORCH_VERSION}")
    return Path(spec.origin).parent / "site" / "torch" / "lib"


def folder() -> Path:
    """The folder of the libraries to use; raises Error that says what to install."""
    torch = _torch()
    if torch is not None:
        version, path = torch
        if _public(version) != TORCH_VERSION:
            raise Error("unavailable", f"torch {version} is installed in {path.parent}, and this penstock was built "
                        f"for torch {TORCH_VERSION}: two libtorch in one process would crash; install torch "
                        f"{TORCH_VERSION}, take penstock into an environment of its own, or build a wheel for your "
                        "torch (tools/wheel)")
        if not _has_libraries(path):
            raise Error("unavailable", f"torch {version} in {path.parent} has no {' and '.join(_LIBRARIES)} in lib/")
        return path
    chosen = os.environ.get("PENSTOCK_LIBTORCH")
    if chosen:
        if not _has_libraries(Path(chosen)):
            raise Error("unavailable", f"PENSTOCK_LIBTORCH: {chosen} has no {' and '.join(_LIBRARIES)}")
        return Path(chosen)
    for each in (_package(), _cached()):
        if each is not None and _has_libraries(each):
            return each
    raise Error("unavailable", f"there is no libtorch {TORCH_VERSION}; {_HELP}")


def loaded() -> list[Path]:
    """Every file with the name of a libtorch library that this process has mapped."""
    paths = set()
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            path = Path("/" + line.rstrip("\n").partition("/")[2])
            if path.name in _LIBRARIES:
                paths.add(path)
    return sorted(paths)


def open_libraries() -> None:
    """Opens them, so that libpenstock.so finds them by their names."""
    chosen = folder().resolve()
    for path in loaded():
        if path.parent != chosen:
            raise Error("unavailable", f"this process has already loaded {path}, and penstock would use {chosen}; "
                        "import penstock first, or take both from one torch")
    for name in _LIBRARIES:
        try:
            ctypes.CDLL(str(chosen / name))
        except OSError as error:
            raise Error("unavailable", f"{chosen / name} cannot be opened: {error}") from None
