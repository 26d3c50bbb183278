"""torch_needs.py WHEEL: the pinned CUDA packages its libtorch_cpu.so needs.

Prints requirements, one a line. A wheel that names only `cuda-toolkit` sends
the reader to that package's own metadata: pass its wheel as well.
"""

import re
import sys
import zipfile

NEEDED = re.compile(r"(nvidia-cuda-(?:runtime|cupti)(?:-cu\d+)?)\s*[(]?==([\d.*]+)")
TOOLKIT = re.compile(r"(cuda-toolkit)(?:\[[^]]*\])?\s*[(]?==([\d.]+)")


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def main(wheels):
    found = {}
    for wheel in wheels:
        for pattern in (NEEDED, TOOLKIT):
            for line in re.findall(r"^Requires-Dist: (.*)$", metadata(wheel), re.MULTILINE):
                if match := pattern.match(line):
                    found[match[1]] = match[2]
    if len(wheels) > 1:
        found.pop("cuda-toolkit", None)
    for name, version in found.items():
        print(f"{name}=={version}")


if __name__ == "__main__":
    main(sys.argv[1:])
