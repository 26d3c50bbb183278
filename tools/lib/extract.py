"""extract.py DIR PATTERN... < list of wheels: unzip what matches, keep modes."""

import fnmatch
import os
import sys
import zipfile


def wanted(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def main(target, patterns):
    for wheel in sys.stdin.read().splitlines():
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if not member.is_dir() and wanted(member.filename, patterns):
                    path = archive.extract(member, target)
                    os.chmod(path, 0o755 if ".so" in path else 0o644)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
