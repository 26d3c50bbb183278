"""lint_keys.py FILE...: for each file a line `key file`, where the key changes
with the file, with what it includes of this project and with .clang-tidy. Run
from the project's root.
"""

import hashlib
import os
import re
import subprocess
import sys

INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def project_headers():
    """The project's headers by every tail of their path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h"],
        check=True,
        capture_output=True,
        text=True,
    )
    tails = {}
    for path in listed.stdout.splitlines():
        parts = path.split("/")
        for at in range(len(parts)):
            tails.setdefault("/".join(parts[at:]), []).append(path)
    return tails


def read(path, cache={}):
    if path not in cache:
        with open(path, "rb") as file:
            data = file.read()
        cache[path] = (data, [name.decode() for name in INCLUDE.findall(data)])
    return cache[path]


def closure(path, tails):
    """The file and all it may include; of two headers of a name both."""
    seen = {path}
    todo = [path]
    while todo:
        for name in read(todo.pop())[1]:
            found = tails.get(os.path.normpath(name).lstrip("./"), [])
            for header in set(found) - seen:
                seen.add(header)
                todo.append(header)
    return sorted(seen)


def main():
    tails = project_headers()
    for path in sys.argv[1:]:
        key = hashlib.sha256(read(".clang-tidy")[0])
        for part in closure(path, tails):
            key.update(hashlib.sha256(read(part)[0]).digest())
        print(key.hexdigest()[:40], path)


if __name__ == "__main__":
    main()
