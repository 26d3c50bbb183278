"""What is read and changed of an installed tree before it goes to other machines."""
import re


def without_path(data, path, name):
    """An ELF file whose RUNPATH no longer names `path`; it stands last there."""
    search = b":" + path.encode() + b"\0"
    if data.count(search) != 1:
        raise SystemExit(f"{name}: expected '{path}' once, at the end of its RUNPATH")
    data = data.replace(search, b"\0" * len(search))
    if path.encode() in data:
        raise SystemExit(f"{name} still names {path}")
    return data


def setting(tree, pattern):
    """What the installed CMake package says of itself."""
    for config in tree.glob("lib*/**/PenstockConfig*.cmake"):
        found = re.search(pattern, config.read_text())
        if found:
            return found[1]
    raise SystemExit(f"the install tree {tree} does not tell {pattern}")


def libtorch_of(tree):
    """The folder of the libtorch that the tree was built with."""
    return setting(tree, r'set\(_penstock_libtorch "(/[^"]+)"\)')
