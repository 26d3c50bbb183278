"""Packs an installed Penstock, the Python package and its extension module into a wheel, and libtorch into another.
Paths of this machine are taken out of the libraries: in a wheel they would find a libtorch by chance."""
import argparse
import base64
import hashlib
import platform
import re
import stat
import zipfile
from pathlib import Path

from installed import libtorch_of, setting, without_path

# The first that penstock.ray is tested with.
RAY_VERSION = "2.60"
PLATFORM = f"linux_{platform.machine()}"
PROGRAMS = ["pipeline-run", "pipeline-inspect", "pipeline-bench", "pipeline-serve"]


class Wheel:
    """A wheel being written; the same content gives the same bytes."""

    def __init__(self, folder, name, version, tag):
        self.info = f"{name}-{version}.dist-info"
        self.path = Path(folder) / f"{name}-{version}-{tag}.whl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.partial = self.path.with_suffix(".partial")
        self.zip = zipfile.ZipFile(self.partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.records = []
        self.tag = tag

    def add(self, name, data, is_program=False):
        entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = (stat.S_IFREG | (0o755 if is_program else 0o644)) << 16
        self.zip.writestr(entry, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.records.append(f"{name},sha256={digest},{len(data)}")

    def close(self, metadata, entry_points=""):
        self.add(f"{self.info}/METADATA", metadata.encode())
        purelib = "true" if self.tag.startswith("py3") else "false"
        self.add(f"{self.info}/WHEEL", (f"Wheel-Version: 1.0\nGenerator: penstock\nRoot-Is-Purelib: {purelib}\n"
                                        f"Tag: {self.tag}\n").encode())
        if entry_points:
            self.add(f"{self.info}/entry_points.txt", entry_points.encode())
        name = f"{self.info}/RECORD"
        self.zip.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), "\n".join(self.records + [f"{name},,"]) + "\n")
        self.zip.close()
        self.partial.replace(self.path)
        print(self.path)


def metadata(name, version, summary, more, readme=""):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}",
             "License: Apache-2.0", "Requires-Python: >=3.10", *more]
    if readme:
        lines += ["Description-Content-Type: text/markdown", "", readme]
    return "\n".join(lines) + "\n"


# Plugins that OpenVINO runs models for.
NEED_OPENVINO = ("libpenstock_openvino.so", "libpenstock_speech.so")


def openvino_of(plugins):
    """Version and library of the OpenVINO that its plugin needs, which is as large as everything else together and
    stays a package of its own; empty where the plugin was not built."""
    plugin = next((path for path in plugins if path.name == "libpenstock_openvino.so"), None)
    if plugin is None:
        return "", ""
    pin = re.search(r"^openvino==(\S+)", (Path(__file__).parents[1] / "pins/openvino.txt").read_text(), re.M)
    return pin[1], re.search(rb"libopenvino\.so\.\d+", plugin.read_bytes())[0].decode()


def pack_penstock(options, version, torch_version, libtorch):
    module = options.module.name
    found = re.search(r"cpython-(\d+)-", module)
    tag = f"cp{found[1]}-cp{found[1]}" if found else "cp312-abi3"
    wheel = Wheel(options.output, "penstock", version, f"{tag}-{PLATFORM}")
    for path in sorted(options.package.rglob("*")):
        if path.suffix in (".py", ".pyi") or path.name == "py.typed":
            wheel.add(f"penstock/{path.relative_to(options.package)}", path.read_bytes())
    lib = next(options.tree.glob("lib*/**/libpenstock.so")).parent
    plugins = sorted((lib / "penstock/plugins").glob("*.so"))
    openvino_version, openvino_library = openvino_of(plugins)
    wheel.add("penstock/_build.py", (f'"""Of this build."""\nVERSION = "{version}"\n'
                                     f'TORCH_VERSION = "{torch_version}"\n'
                                     f'OPENVINO_VERSION = "{openvino_version}"\n'
                                     f'OPENVINO_LIBRARY = "{openvino_library}"\n').encode())
    data = options.module.read_bytes()
    if libtorch.encode() in data:
        raise SystemExit(f"wheel: {module} names {libtorch}")
    wheel.add(f"penstock/{module}", data)
    for path in [lib / "libpenstock.so", *plugins]:
        # A plugin that lacks its library would spoil a look at all of them.
        place = f"penstock/openvino_plugin/{path.name}" if path.name in NEED_OPENVINO else path.relative_to(lib)
        name = f"penstock/_native/lib/{place}"
        wheel.add(name, without_path(path.read_bytes(), libtorch, path.name), is_program=True)
    for program in PROGRAMS:
        path = options.tree / "bin" / program
        wheel.add(f"penstock/_native/bin/{program}", without_path(path.read_bytes(), libtorch, program),
                  is_program=True)
    share = options.tree / "share"
    for path in sorted((share / "penstock/pipelines").glob("*.yaml")):
        wheel.add(f"penstock/_native/share/penstock/pipelines/{path.name}", path.read_bytes())
    wheel.add(f"{wheel.info}/licenses/LICENSE", next(share.glob("doc/penstock/LICENSE")).read_bytes())
    wheel.close(
        metadata("penstock", version, "Inference pipelines made of plugins",
                 ["Provides-Extra: torch", f"Requires-Dist: torch=={torch_version}; extra == 'torch'",
                  "Provides-Extra: libtorch",
                  f"Requires-Dist: penstock-libtorch=={torch_version}; extra == 'libtorch'",
                  *(["Provides-Extra: openvino", f"Requires-Dist: openvino=={openvino_version}; extra == 'openvino'"]
                    if openvino_version else []),
                  "Provides-Extra: numpy", "Requires-Dist: numpy; extra == 'numpy'",
                  "Provides-Extra: ray", f"Requires-Dist: ray[data,serve]>={RAY_VERSION}; extra == 'ray'"],
                 options.readme.read_text()),
        "[console_scripts]\n" + "".join(f"{name} = penstock._programs:{name.replace('-', '_')}\n"
                                        for name in PROGRAMS))


def pack_libtorch(options, torch_version, libtorch):
    """The libraries as they lie: libtorch finds nvidia/ two folders up."""
    wheel = Wheel(options.output, "penstock_libtorch", torch_version, f"py3-none-{PLATFORM}")
    lib = Path(libtorch)
    site = lib.parent.parent
    wheel.add("penstock_libtorch/__init__.py", (
        '"""The CPU libraries of libtorch, for penstock where there is no torch."""\n'
        f'VERSION = "{torch_version}"\n').encode())
    paths = [lib / "libc10.so", lib / "libtorch_cpu.so", *sorted(lib.glob("libgomp*")),
             *sorted(site.glob("nvidia/cu13/lib/libcu*.so.*"))]
    for path in paths:
        wheel.add(f"penstock_libtorch/site/{path.relative_to(site)}", path.read_bytes(), is_program=True)
    for path in sorted(site.glob("*.dist-info/licenses/**/*")):
        if path.is_file():
            wheel.add(f"{wheel.info}/licenses/{path.relative_to(site)}", path.read_bytes())
    wheel.close(metadata("penstock-libtorch", torch_version, "The CPU libraries of libtorch, for penstock", []))


def main():
    parser = argparse.ArgumentParser()
    for name in ("package", "tree", "module", "readme", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--libtorch", action="store_true")
    options = parser.parse_args()
    version = setting(options.tree, r'set\(PACKAGE_VERSION "([^"]+)"\)')
    libtorch = libtorch_of(options.tree) + "/lib"
    torch_version = setting(options.tree, r'CACHE PATH\s+"libtorch ([^"]+)"')
    pack_penstock(options, version, torch_version, libtorch)
    if options.libtorch:
        pack_libtorch(options, torch_version, libtorch)


main()
