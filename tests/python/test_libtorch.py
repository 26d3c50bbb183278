"""Which libtorch is used: one, of the right version, or a sentence that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BIN, OPEN
from penstock import _libtorch
from penstock._build import TORCH_VERSION

USE = OPEN + """
from penstock import _libtorch
print(len(p("hello").token_ids), *_libtorch.loaded())
"""
TRY = """
import penstock
try:
    penstock.inspect()
    print("opened")
except penstock.Error as error:
    print(error.code, error)
"""


@pytest.fixture
def fake_torch(tmp_path):
    """A package that looks like torch, over the libraries that there are."""
    def make(version, has_libraries=True):
        folder = tmp_path / "site" / "torch"
        (folder / "lib").mkdir(parents=True)
        (folder / "version.py").write_text(f"__version__ = '{version}'\n")
        (folder / "__init__.py").write_text("from .version import __version__\n")
        if has_libraries:
            for path in real_folder().iterdir():
                (folder / "lib" / path.name).symlink_to(path)
        return str(tmp_path / "site")
    return make


def real_folder():
    """Where there are libraries without torch: a package, or the cache."""
    return next(path for path in (_libtorch._package(), _libtorch._cached()) if path and path.is_dir()).resolve()


def test_one_copy_is_loaded(python):
    ended = python(USE)
    assert ended.returncode == 0, ended.stderr
    count, *paths = ended.stdout.split()
    assert count == "8"
    assert sorted(Path(path).name for path in paths) == ["libc10.so", "libtorch_cpu.so"]


@pytest.mark.parametrize("begin", ["", "import torch\n"])
def test_an_installed_torch_of_the_version_is_used(python, fake_torch, begin):
    site = fake_torch(f"{TORCH_VERSION}+cu130")
    ended = python(begin + "from penstock import _libtorch; print(_libtorch.folder())\n" + USE, PYTHONPATH=site)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{site}/torch/lib\n8 ")


@pytest.mark.parametrize("begin", ["", "import torch\n"])
@pytest.mark.parametrize("version", ["2.10.0", "2.12.1+cpu", f"{TORCH_VERSION}a0"])
def test_another_torch_is_refused_by_name(python, fake_torch, begin, version):
    site = fake_torch(version)
    ended = python(begin + TRY, PYTHONPATH=site)
    assert ended.stdout.startswith(f"unavailable torch {version} is installed in {site}/torch")
    assert f"install torch {TORCH_VERSION}" in ended.stdout


def test_a_torch_without_libraries_is_told(python, fake_torch):
    ended = python(TRY, PYTHONPATH=fake_torch(TORCH_VERSION, has_libraries=False))
    assert "has no libc10.so and libtorch_cpu.so in lib/" in ended.stdout


def test_a_folder_can_be_named(python, tmp_path):
    assert python(TRY, PENSTOCK_LIBTORCH=str(real_folder()), PENSTOCK_CACHE=str(tmp_path)).stdout == "opened\n"
    ended = python(TRY, PENSTOCK_LIBTORCH=str(tmp_path))
    assert ended.stdout.startswith(f"unavailable PENSTOCK_LIBTORCH: {tmp_path} has no libc10.so")


@pytest.mark.skipif(_libtorch._package() is not None, reason="penstock-libtorch is installed")
def test_without_any_it_says_what_to_install(python, tmp_path):
    ended = python(TRY, PENSTOCK_CACHE=str(tmp_path))
    assert ended.stdout.startswith(f"unavailable there is no libtorch {TORCH_VERSION}; pip install 'penstock[torch]'")
    program = subprocess.run([BIN / "pipeline-run", "--version"], capture_output=True, text=True, check=False,
                             env={**os.environ, "PENSTOCK_CACHE": str(tmp_path)})
    assert program.returncode == 69
    assert program.stderr.startswith("pipeline-run: there is no libtorch")


def test_a_second_copy_is_refused(python, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in real_folder().iterdir():
        (copy / path.name).symlink_to(path) if path.name != "libc10.so" else None
    (copy / "libc10.so").write_bytes((real_folder() / "libc10.so").read_bytes())
    ended = python(f"import ctypes; ctypes.CDLL('{copy}/libc10.so')\n" + TRY)
    assert ended.stdout.startswith(f"unavailable this process has already loaded {copy}/libc10.so")


def test_importing_loads_no_library(python):
    ended = python("import penstock; from penstock import _libtorch; print(penstock.__version__, _libtorch.loaded())")
    assert ended.stdout.endswith(" []\n")


@pytest.mark.parametrize("name", ["pipeline-run", "pipeline-inspect", "pipeline-bench", "pipeline-serve"])
def test_the_programs_came_along(name):
    ended = subprocess.run([BIN / name, "--version"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_the_wheel_names_no_folder_of_the_machine_it_was_built_on():
    native = Path(sys.modules["penstock"].__file__).parent
    found = [path for path in native.rglob("*") if path.is_file() and b"/torch/lib\0" in path.read_bytes()]
    assert not found
    assert len(list(native.rglob("*.so"))) >= 10
