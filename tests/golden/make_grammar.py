"""Greedy answers under a grammar: transformers fp32 on the tiny models, each row of scores masked by xgrammar.

Writes tests/golden/grammar/NAME.json: for each prompt and grammar the ids that are allowed and best (without the end
token), whether the answer came to its end, and the margin of each choice (best minus second-best allowed score; 99
where one token was left).

Needs, beside what the others need, xgrammar==0.2.8. The grammars say ASCII alone, and no pattern of them has a group
that may be left out: xgrammar's wheel takes more than such a pattern says (tools/cmake/PenstockXgrammar.cmake).
"""
import argparse
import pathlib

import sentencepiece as spm
import torch
import xgrammar

import make_score
import oracle

HERE = pathlib.Path(__file__).resolve().parent
BOS, EOS, STEPS = 2, 1, 48
PROMPTS = ["Hi", "Because of an hereditary recklessness, I have been", "The quick brown fox", "2024: "]
PERSON = """{"type": "object", "properties": {"name": {"enum": ["Maria", "Mario", "M"]},
  "age": {"type": "integer", "minimum": 18, "maximum": 130}, "is_new": {"type": "boolean"},
  "tags": {"type": "array", "items": {"enum": ["red", "green", 3, null]}, "minItems": 1, "maxItems": 3}},
  "required": ["name", "age", "is_new", "tags"]}"""
UNION = """{"anyOf": [{"type": "number", "minimum": 0.5, "maximum": 99.5}, {"type": "null"},
  {"type": "object", "properties": {"id": {"type": "string", "pattern": "^[a-z]{2,5}-[0-9]{3}$"}}, "required": ["id"]}]}"""
TREE = """{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
  "v": {"type": "integer", "minimum": 0, "maximum": 9}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
  "required": ["v", "next"]}}}"""
GRAMMARS = [
    ("json_schema", PERSON), ("json_schema", UNION), ("json_schema", TREE),
    ("regex", "[A-Z][a-z]{2,8}( [a-z]{1,6}){1,3}\\."),
    ("grammar", 'root ::= n (" " [+-] " " n){1,3}\nn ::= [1-9] [0-9]{0,2}\n'),
    ("lark", 'start: "yes" | "no" | WORD " it is"\nWORD: /[a-z]{3,6}/\n'),
]


def pieces_of(sp):
    """What each id adds to a text; nothing for control ids."""
    for i in range(sp.vocab_size()):
        if sp.is_byte(i):
            yield bytes([int(sp.id_to_piece(i)[3:5], 16)])
        elif sp.is_control(i) or sp.is_unknown(i) or sp.id_to_piece(i).startswith("<"):
            yield b""
        else:
            yield sp.id_to_piece(i).replace("\u2581", " ").encode()


def compiled(compiler, kind, text):
    if kind == "json_schema":
        return compiler.compile_json_schema(text, any_whitespace=False)
    return {"regex": compiler.compile_regex, "grammar": compiler.compile_grammar, "lark": compiler.compile_lark}[kind](text)


def greedy(model, ids, grammar, vocabulary):
    matcher = xgrammar.GrammarMatcher(grammar)
    bitmask = xgrammar.allocate_token_bitmask(1, vocabulary)
    feed, cache, out, margins = torch.tensor([ids]), None, [], []
    with torch.inference_mode():
        while len(out) < STEPS:
            step = model(input_ids=feed, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache, scores = step.past_key_values, step.logits[0, -1].float()
            matcher.fill_next_token_bitmask(bitmask)
            xgrammar.apply_token_bitmask_inplace(scores, bitmask[0])
            best = torch.topk(scores, 2)
            chosen = best.indices[0].item()
            if chosen == EOS:
                return out, margins, True
            assert matcher.accept_token(chosen)
            out.append(chosen)
            second = best.values[1].item()
            margins.append(round(min(best.values[0].item() - second, 99), 5))
            feed = torch.tensor([[chosen]])
    return out, margins, False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixtures", type=pathlib.Path, default=HERE.parent / "fixtures" / "tiny")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "grammar")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sp = spm.SentencePieceProcessor(model_file=str(args.fixtures / "tokenizer.model"))
    tokens = xgrammar.TokenizerInfo(list(pieces_of(sp)), vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[EOS])
    compiler = xgrammar.GrammarCompiler(tokens)
    hashes = {}
    for name in ("tiny", "tiny_gqa"):
        path = args.fixtures / f"{name}.gguf"
        model = make_score.load(path)
        cases = []
        for kind, text in GRAMMARS:
            for prompt in PROMPTS:
                ids, margins, is_whole = greedy(model, [BOS] + sp.encode(prompt), compiled(compiler, kind, text), sp.vocab_size())
                cases.append({"kind": kind, "grammar": text, "prompt": prompt, "ids": ids, "margins": margins, "whole": is_whole})
        oracle.write_json(args.output / f"{name}.json", cases)
        hashes[name] = oracle.sha256(path)
    oracle.write_versions(args.output, xgrammar=xgrammar.__version__ if hasattr(xgrammar, "__version__") else "0.2.8", model_sha256=hashes)


if __name__ == "__main__":
    main()
