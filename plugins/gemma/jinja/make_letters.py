"""Writes letters.inl.h: which letters are whose capitals, from Python's own Unicode tables.

Run it where a newer Unicode is wanted: python3 make_letters.py
"""
import pathlib
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
LETTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def runs(pairs):
    """(first, last, step, distance) of letters that change by one distance, next to each other or every second."""
    out = []
    for code, distance in pairs:
        if out:
            first, last, step, known = out[-1]
            gap = code - last
            if known == distance and gap in (1, 2) and (first == last or gap == step):
                out[-1] = (first, code, gap, known)
                continue
        out.append((code, code, 1, distance))
    return out


def spelled(text):
    """C++ takes no \\u escapes of ASCII."""
    return "".join(c if ord(c) < 127 else f"\\u{ord(c):04X}" for c in text)


def table(name, change, plain=str):
    """What `change` makes of the letters for which `plain` does not say so already."""
    changed = [c for c in LETTERS if change(c) != plain(c)]
    single = [(ord(c), ord(change(c)) - ord(c)) for c in changed if len(change(c)) == 1]
    several = [(ord(c), change(c)) for c in changed if len(change(c)) > 1]
    lines = [f"constexpr Run k{name}[] = {{"]
    lines += [f"    {{{first:#x}, {last:#x}, {step}, {distance}}}," for first, last, step, distance in runs(single)]
    lines += ["};", f"constexpr Several k{name}Several[] = {{"]
    lines += [f'    {{{code:#x}, "{spelled(text)}"}},' for code, text in several]
    return lines + ["};"]


def main():
    head = [f"// Letters and their cases, Unicode {unicodedata.unidata_version}; made by make_letters.py.", "// clang-format off"]
    body = table("Upper", str.upper) + table("Lower", str.lower) + table("Title", str.title, str.upper)
    (HERE / "letters.inl.h").write_text("\n".join(head + body) + "\n")


if __name__ == "__main__":
    main()
