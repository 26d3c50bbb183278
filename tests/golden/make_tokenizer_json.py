#!/usr/bin/env python3
"""Writes the tokenizer.json of a Gemma 3 GGUF, byte for byte as transformers saves it.

Why: Hugging Face folders may hold no tokenizer.model, and a file of 33 MB is not committed. Tests make it
with this script, which needs Python's library only, and refuse it unless its SHA-256 is that of the file
which transformers itself wrote (--oracle, recorded in tokenizer/json.json).
"""
import argparse
import hashlib
import json
import mmap
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9
CONTROL, USER_DEFINED = 3, 4


class Gguf:
    """The keys of a GGUF file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.at = 16
        self.keys = {self.text(): self.value(self.number("I")) for _ in range(self.number("Q"))}

    def number(self, kind):
        (value,) = struct.unpack_from("<" + kind, self.bytes, self.at)
        self.at += struct.calcsize("<" + kind)
        return value

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.bytes[self.at - size : self.at].decode("utf-8")

    def value(self, kind):
        if kind == TEXT:
            return self.text()
        if kind == ARRAY:
            kind, count = self.number("I"), self.number("Q")
            return [self.value(kind) for _ in range(count)]
        return self.number(NUMBERS[kind])


def merges(tokens):
    """Every pair that makes a token, in the tokens' order, the longest left side first, as transformers lists them."""
    known = set(tokens)
    found = []
    for token in tokens:
        pairs = ([token[:at], token[at:]] for at in range(len(token) - 1, 0, -1))
        found += [pair for pair in pairs if pair[0] in known and pair[1] in known]
    return found


def added(tokens, types):
    for i, (token, kind) in enumerate(zip(tokens, types)):
        # Runs of spaces are pieces like others to transformers.
        if kind in (CONTROL, USER_DEFINED) and token.strip("\u2581"):
            yield {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                   "normalized": False, "special": kind == CONTROL}


def tokenizer(keys):
    tokens = [token.replace(" ", "\u2581") for token in keys["tokenizer.ggml.tokens"]]
    types = keys["tokenizer.ggml.token_type"]
    bos = tokens[keys["tokenizer.ggml.bos_token_id"]]
    special, first, second = ({"SpecialToken": {"id": bos, "type_id": 0}},
                              {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}})
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added(tokens, types)),
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing", "single": [special, first],
            "pair": [special, first, {"SpecialToken": {"id": bos, "type_id": 1}}, second],
            "special_tokens": {bos: {"id": bos, "ids": [keys["tokenizer.ggml.bos_token_id"]], "tokens": [bos]}},
        },
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges(tokens),
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, help="where to write; its folder is made")
    parser.add_argument("--oracle", action="store_true", help="let transformers write the file, record its hash")
    args = parser.parse_args()
    recorded = HERE / "tokenizer" / "json.json"
    text = json.dumps(tokenizer(Gguf(args.model).keys), indent=2, ensure_ascii=False).encode("utf-8")
    found = hashlib.sha256(text).hexdigest()
    if args.oracle:
        import tempfile

        import oracle
        from transformers import AutoTokenizer

        with tempfile.TemporaryDirectory() as folder:
            AutoTokenizer.from_pretrained(args.model.parent, gguf_file=args.model.name).save_pretrained(folder)
            saved = oracle.sha256(pathlib.Path(folder) / "tokenizer.json")
        oracle.write_json(recorded, {"sha256": saved} | oracle.versions(), indent=2)
    if found != json.loads(recorded.read_text())["sha256"]:
        raise SystemExit(f"made {found}, which is not what transformers writes")
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_bytes(text)


if __name__ == "__main__":
    main()
