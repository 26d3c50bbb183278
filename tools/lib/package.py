"""Makes an installed tree whole, for other machines: libtorch and its headers come into lib/penstock/libtorch, licences
into share/doc/penstock, and no file names a folder of this machine any more."""
import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path

from installed import libtorch_of, without_path

SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def libraries_of(libtorch):
    """libtorch_cpu.so and what it needs that is no Debian package, wherever the loader finds it."""
    main = Path(libtorch, "lib/libtorch_cpu.so")
    said = subprocess.run(["ldd", main], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^\s*(\S+) => (\S+)", said, re.M)
    missing = [name for name, path in found if path == "not"]
    if missing:
        raise SystemExit(f"libtorch needs {', '.join(missing)}, which is not there")
    return [main] + [Path(path) for _, path in found if not os.path.realpath(path).startswith(SYSTEM)]


def bundle(libtorch, target):
    (target / "lib").mkdir(parents=True)
    for path in libraries_of(libtorch):
        link_or_copy(path, target / "lib" / path.name)
    shutil.copytree(Path(libtorch, "include"), target / "include", copy_function=link_or_copy)


def forget_paths(tree, libtorch, source):
    """Our own files: libtorch is beside them."""
    lib = tree / "lib"
    for path in [*sorted((tree / "bin").iterdir()), lib / "libpenstock.so", *sorted(lib.glob("penstock/plugins/*.so"))]:
        path.write_bytes(without_path(path.read_bytes(), f"{libtorch}/lib", path.name))
    config = lib / "cmake/Penstock/PenstockConfig.cmake"
    config.write_text(config.read_text().replace(f'"{libtorch}"', '"${_penstock_libtorch}"'))
    for pc in lib.glob("pkgconfig/*.pc"):
        pc.write_text(pc.read_text().replace(f"={libtorch}\n", "=${libdir}/penstock/libtorch\n"))
    for path in tree.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            # What c10's checks say where a header stands is read by nobody.
            is_code = data.startswith((b"\x7fELF", b"!<arch>"))
            for name in (f"{libtorch}/lib" if is_code else libtorch, source):
                if f"{name}/".encode() in data or f"{name}\n".encode() in data:
                    raise SystemExit(f"{path.relative_to(tree)} names {name}")


def licences(tree, libtorch, sources):
    """Debian's `copyright`: ours first, then of what is linked in or lies beside."""
    texts = [("Penstock", tree / "share/doc/penstock/LICENSE")]
    for name, folder in sources.items():
        texts += [(name, path) for path in sorted(folder.glob("LICENSE*")) + sorted(folder.glob("NOTICE*"))]
    site = Path(libtorch).parent
    found = [path for path in sorted(site.glob("*.dist-info/licenses/*")) if path.is_file()]
    found += [path for path in [Path(libtorch, "LICENSE"), Path(libtorch, "NOTICE")] if path.is_file()]
    texts += [(path.parent.parent.name.removesuffix(".dist-info"), path) for path in found]
    with open(tree / "share/doc/penstock/copyright", "w") as out:
        for name, path in texts:
            out.write(f"==== {name}: {path.name}\n\n{path.read_text(errors='replace')}\n")


def main():
    parser = argparse.ArgumentParser()
    for name in ("tree", "source", "cache"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--sentencepiece", required=True)
    parser.add_argument("--xgrammar", required=True)
    parser.add_argument("--openvino", required=True)
    options = parser.parse_args()
    libtorch = libtorch_of(options.tree)
    sources = {"sentencepiece": options.cache / f"sentencepiece-{options.sentencepiece}/share",
               "xgrammar": options.cache / f"xgrammar-{options.xgrammar}/share"}
    if (options.tree / "lib/penstock/openvino").is_dir():
        sources["openvino"] = options.cache / f"openvino-{options.openvino}/share"
    licences(options.tree, libtorch, sources)
    forget_paths(options.tree, libtorch, str(options.source))
    bundle(libtorch, options.tree / "lib/penstock/libtorch")


main()
