"""Makes the tokenizer goldens of the real vocabulary: > 10,000 strings and their ids.

Truth is sentencepiece itself on the vocabulary of the GGUF (see gemma_oracle.rebuild_proto); the same
strings go through transformers' own reading of the GGUF as an independent check. The two may differ only
where Hugging Face parses the text of a special token (<bos>, <eos>, <pad>, <unk>); such strings are listed.

Writes, into --out (all integers little-endian):
  strings.bin  per string: u32 length, then that many bytes of UTF-8
  ids.bin      per string: u32 count, then count ids of 3 bytes each (no BOS)
  index.json   {count, groups: [{name, start, count}], decode_differs: [{index, text}],
                hf_differs: [{index, reason, ids}], ...counts}; decode(ids) == the string for every other index
"""
import argparse
import collections
import pathlib
import random
import re
import struct

import gemma_oracle
import oracle

HERE = pathlib.Path(__file__).resolve().parent

BLOCKS = {
    "Latin-1": (0xA0, 0xFF), "Latin Extended-A": (0x100, 0x17F), "IPA": (0x250, 0x2AF), "Combining": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF), "Cyrillic": (0x400, 0x4FF), "Armenian": (0x531, 0x58A), "Hebrew": (0x591, 0x5F4),
    "Arabic": (0x600, 0x6FF), "Syriac": (0x700, 0x74F), "Devanagari": (0x900, 0x97F), "Bengali": (0x980, 0x9FE),
    "Tamil": (0xB82, 0xBFA), "Telugu": (0xC00, 0xC7F), "Sinhala": (0xD81, 0xDF4), "Thai": (0xE01, 0xE5B),
    "Tibetan": (0xF00, 0xFDA), "Myanmar": (0x1000, 0x109F), "Georgian": (0x10A0, 0x10FF), "Hangul Jamo": (0x1100, 0x11FF),
    "Ethiopic": (0x1200, 0x137C), "Cherokee": (0x13A0, 0x13FD), "Khmer": (0x1780, 0x17F9), "Mongolian": (0x1800, 0x18AA),
    "Latin Additional": (0x1E00, 0x1EFF), "Punctuation": (0x2000, 0x206F), "Superscripts": (0x2070, 0x209C),
    "Currency": (0x20A0, 0x20C0), "Letterlike": (0x2100, 0x214F), "Arrows": (0x2190, 0x21FF), "Math": (0x2200, 0x22FF),
    "Box and block": (0x2500, 0x259F), "Dingbats": (0x2700, 0x27BF), "Braille": (0x2800, 0x28FF),
    "CJK symbols": (0x3000, 0x303F), "Hiragana": (0x3041, 0x309F), "Katakana": (0x30A0, 0x30FF), "CJK ext A": (0x3400, 0x4DBF),
    "CJK": (0x4E00, 0x9FFF), "Yi": (0xA000, 0xA48C), "Hangul": (0xAC00, 0xD7A3), "Private use": (0xE000, 0xE0FF),
    "Arabic forms": (0xFE70, 0xFEFC), "Variation selectors": (0xFE00, 0xFE0F), "Fullwidth": (0xFF01, 0xFFEE),
    "Gothic": (0x10330, 0x1034A), "Cuneiform": (0x12000, 0x120FF), "Math letters": (0x1D400, 0x1D7FF),
    "Playing cards": (0x1F0A1, 0x1F0F5), "Emoji": (0x1F300, 0x1F64F), "Emoji supplement": (0x1F900, 0x1FAFF),
    "CJK ext B": (0x20000, 0x2A6DF), "Tags": (0xE0020, 0xE007F), "Last plane": (0x10FF00, 0x10FFFF),
}
WORDS = (
    "the of and I was said school teacher tokens model Hello World iPhone don't COVID-19 naive e.g. return void std::vector "
    "int main() self.x += 1; foo_bar camelCase SELECT * FROM t WHERE id=42; https://example.com/a?b=c#d user@example.org"
).split()
CONTROL_WORDS = (
    "<bos> <eos> <pad> <unk> <mask> <start_of_turn> <end_of_turn> <start_of_image> <end_of_image> <image_soft_token> "
    "<unused0> <unused5> <unused98> <unused99> <unused6241> [multimodal] <h1> </h1> <h6> <table> </table> <tr> <td> <ul> "
    "<li> <p> <br> <code> </code> <blockquote> <i> <b> <strong> <em> <sup> <0x0A> <0x41> <0xFF> <s> </s> [INST] [toxicity=0]"
).split()
EXPLAINED = re.compile("(<bos>|<eos>|<pad>|<unk>)|([ \u2581]{32,})")


def hand_list():
    yield ""
    yield from (" " * n for n in range(1, 41))
    yield from (f"a{' ' * n}b" for n in range(1, 41))
    yield from (f"{' ' * n}indented" for n in range(1, 41))
    yield from (f"trailing{' ' * n}" for n in (1, 2, 3, 31, 32, 33, 40))
    yield from ("\n" * n for n in range(1, 41))
    yield from (f"x{chr(10) * n}y" for n in range(1, 41))
    yield from ("\t" * n for n in range(1, 21))
    yield from ("\r\n" * n for n in range(1, 9))
    yield from ("a\r\nb", "a\rb", "a\n\rb", " \n", "\n ", " \n ", "  \n  \n  ", "\t \t ", "\n\t\n", "\u2028", "\u2029", "\v\f")
    for word in CONTROL_WORDS:
        yield from (word, f"a{word}b", f" {word} ", word + word, f"{word}\n", word[:-1], word.upper(), word.replace("<", "< "))
    yield from (chr(c) for c in list(range(1, 32)) + [127] + list(range(128, 160)))
    yield from (chr(c) for c in range(32, 127))
    yield from (f"a{chr(c)}b" for c in range(1, 32))
    yield from (str(10**n) for n in range(20))
    yield from "3.14159 1,234,567.89 -40 1e-6 0x7fff 2024-05-17 12:34:56 +41446681800 1/2 50% $9.99 192.168.0.1 v1.2.3-rc4".split()
    yield from ("\u0661\u0662\u0663", "\u0967\u0968\u0969", "\uff11\uff12\uff13", "\u00b2\u00b3", "\u2167", "\u2460\u2461")
    yield from (
        "https://www.example.com/path/to/page.html?query=a%20b&lang=de#section-2", "ftp://user:pw@host:21/", "a@b.co",
        "C:\\Users\\me\\file.txt", "/usr/local/bin", "file:///etc/hosts", "mailto:someone@example.com",
        "def f(x):\n    if x > 0:\n        return x ** 2\n    return None\n", "for(;;){\n\tx++;\n}\n",
        "int main(int argc, char** argv) {\n  std::cout << \"hi\\n\";\n}\n", "<html>\n<body>\n<h1>Title</h1>\n</body>\n</html>",
        "{\"a\": [1, 2, {\"b\": null}], \"c\": \"\\u00e9\"}", "SELECT a.*, COUNT(*) FROM a JOIN b USING (id) GROUP BY 1;",
        "\\begin{equation} e^{i\\pi} + 1 = 0 \\end{equation}", "| a | b |\n|---|---|\n| 1 | 2 |\n", "- [ ] todo\n- [x] done\n",
        "```cpp\nauto x = 1;\n```", "a = b ? c : d;", "!!!", "?!?!", "...", "------", "======", "*****", "#### Heading", "~/.bashrc",
    )
    yield from (
        "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f44d\U0001f3fd", "\U0001f1e8\U0001f1ed\U0001f1e9\U0001f1ea", "\u2764\ufe0f\u200d\U0001f525", "1\ufe0f\u20e3",
        "\U0001f469\U0001f3ff\u200d\U0001f680 to the \U0001f31d!", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u200d", "\ufe0f", "\u200b", "\u200e\u200f", "\u202eevil\u202c", "\ufeff", "\ufeffBOM first", "\u00a0", "a\u00a0b", "\u3000", "\u00ad",
    )
    yield from (
        "e\u0301", "\u00e9", "a\u0308o\u0308u\u0308", "Z\u0351\u0343\u0346a\u0327l\u0334g\u0321o\u0322", "\u0301alone", "\u1112\u1161\u11ab", "\ud55c",
        "\u0e01\u0e33", "\u0915\u094d\u0937", "\u0ba8\u0bbf", "n\u0303", "\u212b", "\ufb01\ufb02", "\u01c4", "\u0130\u0131", "\u1e9e\u00df", "\u03c2\u03c3",
    )
    yield from (
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u0633\u0644\u0627\u0645 \u062f\u0646\u06cc\u0627",
        "\u0627\u0644\u0633\u064e\u0651\u0644\u0627\u0645\u064f", "abc \u05d0\u05d1\u05d2 123 \u0661\u0662\u0663", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
        "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5", "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c", "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "Ch\u00e0o th\u1ebf gi\u1edbi", "\u10d2\u10d0\u10db\u10d0\u10e0\u10ef\u10dd\u10d1\u10d0",
        "\U00020000\U0002a6d6", "\ufffd", "\ufffe\uffff", "\U0010ffff", "\ue000", "\u2581", "\u2581\u2581", "a\u2581b", " \u2581 ", "\u2581\u2581\u2581word", "\u2047",
    )
    yield from ("a" * n for n in (1, 2, 3, 10, 100, 1000))
    yield from ("ab" * 200, "0" * 100, "\U0001f600" * 20, "\u4e00" * 50, "\u0301" * 20, "<" * 20, "<start_of_turn>" * 10, "\n \n " * 20)


def random_char(rng, block):
    low, high = BLOCKS[block]
    return chr(rng.randint(low, high))


def generated(rng, per_block, mixed, noise):
    for block in BLOCKS:
        for _ in range(per_block):
            text = ""
            for _ in range(rng.randint(1, 14)):
                text += random_char(rng, block) if rng.random() < 0.8 else rng.choice([" ", "a", "1", ".", "\n", "  "])
            yield f"block {block}", text
    names = list(BLOCKS)
    for _ in range(mixed):
        few = rng.sample(names, 3)
        parts = [rng.choice(WORDS) if rng.random() < 0.4 else random_char(rng, rng.choice(few)) for _ in range(rng.randint(2, 14))]
        yield "mixed blocks", rng.choice(["", " "]).join(parts)
    for _ in range(noise):
        parts = []
        for _ in range(rng.randint(1, 9)):
            kind = rng.random()
            if kind < 0.35:
                parts.append(rng.choice(WORDS))
            elif kind < 0.6:
                parts.append(rng.choice([" ", " ", "\n", "\t", "\r\n"]) * rng.randint(1, 6))
            elif kind < 0.75:
                parts.append(str(rng.randint(0, 10 ** rng.randint(1, 9))))
            elif kind < 0.85:
                parts.append(rng.choice(CONTROL_WORDS))
            else:
                parts.append("".join(chr(rng.randint(33, 126)) for _ in range(rng.randint(1, 8))))
        yield "ascii noise", "".join(parts)


def all_strings(args):
    """[(group, text)], every text once, in a fixed order."""
    rng = random.Random(args.seed)
    lines = [line for line in args.corpus.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = [("botchan lines", line) for line in lines[: args.lines]]
    rest = lines[args.lines :]
    found += [("botchan upper case", line.upper()) for line in rest[:150]]
    found += [("botchan title case", line.title()) for line in rest[150:300]]
    found += [("botchan without spaces", line.replace(" ", "")) for line in rest[300:400]]
    found += [("botchan CRLF", "\r\n".join(rest[i : i + 3]) + "\r\n") for i in range(400, 550, 3)]
    found += [("hand list", text) for text in hand_list()]
    found += list(generated(rng, args.per_block, args.mixed, args.noise))
    seen, unique = set(), []
    for group, text in found:
        if text not in seen:
            seen.add(text)
            unique.append((group, text))
    return unique


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gemma_oracle.add_model_arguments(parser)
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="botchan.txt of the sentencepiece 0.2.1 sdist")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "tokenizer")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--lines", type=int, default=2500)
    parser.add_argument("--per-block", type=int, default=90)
    parser.add_argument("--mixed", type=int, default=800)
    parser.add_argument("--noise", type=int, default=1200)
    args = parser.parse_args()
    from transformers import AutoTokenizer

    sp = gemma_oracle.load_sentencepiece(args.model)
    hf = AutoTokenizer.from_pretrained(args.model.parent, gguf_file=args.model.name)
    strings = all_strings(args)
    groups = collections.Counter(group for group, _ in strings)
    data, ids_data, decode_differs, hf_differs = bytearray(), bytearray(), [], []
    for index, (_, text) in enumerate(strings):
        raw, ids = text.encode("utf-8"), sp.encode(text)
        data += struct.pack("<I", len(raw)) + raw
        ids_data += struct.pack("<I", len(ids)) + b"".join(i.to_bytes(3, "little") for i in ids)
        if (back := sp.decode(ids)) != text:
            decode_differs.append({"index": index, "text": back})
        other = hf.encode(text, add_special_tokens=False)
        if other != ids:
            match = EXPLAINED.search(text)
            if not match:
                raise SystemExit(f"Hugging Face differs on {text!r}: {sp.encode(text, out_type=str)} {hf.convert_ids_to_tokens(other)}")
            hf_differs.append({"index": index, "reason": "special word" if match[1] else "spaces", "ids": other})
    start, listed = 0, []
    for name, count in groups.items():
        listed.append({"name": name, "start": start, "count": count})
        start += count
    summary = {
        "count": len(strings),
        "not_lower_case_letters_and_spaces": sum(not re.fullmatch("[a-z ]*", t) for _, t in strings),
        "not_plain_lower_case_english": sum(not re.fullmatch("[a-z .,;:'\"?!()-]*", t) for _, t in strings),
        "not_ascii": sum(not t.isascii() for _, t in strings),
        "with_byte_fallback": sum(any(sp.is_byte(i) for i in sp.encode(t)) for _, t in strings),
        "hf_differs_count": dict(collections.Counter(d["reason"] for d in hf_differs)),
        "decode_differs_count": len(decode_differs), "ids_total": sum(len(sp.encode(t)) for _, t in strings),
        "blocks": len(BLOCKS),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "strings.bin").write_bytes(data)
    (args.out / "ids.bin").write_bytes(ids_data)
    oracle.write_json(args.out / "index.json", summary | {"groups": listed, "decode_differs": decode_differs, "hf_differs": hf_differs})
    oracle.write_versions(args.out, seed=args.seed, corpus_sha256=oracle.sha256(args.corpus), model_sha256=oracle.sha256(args.model))
    print(summary, len(data), len(ids_data))


if __name__ == "__main__":
    main()
