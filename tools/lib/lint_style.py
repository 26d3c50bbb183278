"""FILE...: what no formatter sees. Includes name their folder; functions outside tests have at most 40 lines, unless
the comment before them says `lint: long` and why. Reads formatted code: a body opens with a brace at a line's end."""
import re
import sys

MOST_LINES = 40
BARE = re.compile(r'#include "[^/"]+"')
SCOPE = re.compile(r"^(?:inline |export |template <.*> ?|typedef |using .* = |static |extern \"C\" )*"
                   r"(namespace|class|struct|enum|union|extern \"C\")\b")


def statement_before(lines, at):
    """The lines of the statement whose brace opens in line `at`, joined."""
    first = at
    while first > 0 and not re.search(r"[;{}:]$|^\s*$|^\s*(#|//)|^ *(public|private|protected):$", lines[first - 1]):
        first -= 1
    return first, " ".join(line.strip() for line in lines[first:at + 1])


def long_functions(lines):
    """(line number, count) of each function whose body is too long."""
    depth, scopes, start = 0, [], None
    for at, raw in enumerate(lines):
        line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', '""', raw)
        line = re.sub(r"//.*", "", line).rstrip()
        if line.endswith("{") and start is None and len(scopes) == depth:
            first, text = statement_before(lines, at)
            if SCOPE.match(text) or re.search(r"\b(namespace|class|struct|union|enum)\b[^()]*\{$", text):
                scopes.append(True)
            elif "(" in text and not text.startswith("#"):
                start = (first, at, depth)
        depth += line.count("{") - line.count("}")
        if start and depth <= start[2]:
            first, opened, _ = start
            if at - first + 1 > MOST_LINES and "lint: long" not in "".join(lines[max(0, first - 6):opened + 2]):
                yield first + 1, at - first + 1
            start = None
        del scopes[depth:]


def main():
    faults = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for number, line in enumerate(lines, 1):
            if BARE.search(line):
                faults += 1
                print(f"{path}:{number}: an include names its folder, as \"gemma/config.h\"")
        if path.startswith(("tests/", "examples/")):
            continue
        for number, count in long_functions(lines):
            faults += 1
            print(f"{path}:{number}: a function of {count} lines; {MOST_LINES} are the most: split it, or say "
                  "'lint: long' and why")
    return min(faults, 1)


sys.exit(main())
