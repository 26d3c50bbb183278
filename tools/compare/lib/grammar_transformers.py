"""MODEL: decodes greedily for each JSON line of stdin, with xgrammar's masks where it has a schema; see compare_grammar."""
import json
import pathlib
import sys
import time

import torch
import xgrammar

sys.path.append(str(pathlib.Path(__file__).parents[3] / "tests/golden"))
import gemma_oracle  # noqa: E402


def texts(tokenizer):
    for i in range(tokenizer.vocab_size()):
        piece = tokenizer.id_to_piece(i)
        if tokenizer.is_byte(i):
            yield bytes([int(piece[3:5], 16)])
        elif tokenizer.is_control(i) or tokenizer.is_unknown(i):
            yield b""
        else:
            yield piece.replace("\u2581", " ").encode()


def decode(model, ids, matcher, most, vocabulary):
    bitmask = xgrammar.allocate_token_bitmask(1, vocabulary)
    made = []
    with torch.inference_mode():
        step = model(input_ids=torch.tensor([ids]), use_cache=True, logits_to_keep=1)
        start = time.perf_counter()
        while len(made) < most:
            scores = step.logits[0, -1, :vocabulary]
            if matcher is not None:
                if matcher.is_terminated():
                    break
                matcher.fill_next_token_bitmask(bitmask)
                scores = scores.float()
                xgrammar.apply_token_bitmask_inplace(scores, bitmask[0])
            token = int(scores.argmax())
            if matcher is not None and (token in (1, 106) or not matcher.accept_token(token)):
                break
            made.append(token)
            step = model(input_ids=torch.tensor([[token]]), past_key_values=step.past_key_values, use_cache=True)
        return made, time.perf_counter() - start


def main():
    path = pathlib.Path(sys.argv[1])
    torch.set_num_threads(2)
    tokenizer = gemma_oracle.load_sentencepiece(path)
    model = gemma_oracle.load_model(path, "bfloat16")
    vocabulary = tokenizer.vocab_size()
    compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo(
        list(texts(tokenizer)), vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[1, 106]))
    for line in sys.stdin:
        asked = json.loads(line)
        ids = [gemma_oracle.BOS] + tokenizer.encode(asked["prompt"])
        matcher = None
        if asked["schema"]:
            matcher = xgrammar.GrammarMatcher(compiler.compile_json_schema(json.dumps(asked["schema"]), any_whitespace=False))
        made, took = decode(model, ids, matcher, asked["tokens"], vocabulary)
        print(json.dumps({"tokens_per_s": len(made) / took, "count": len(made), "text": tokenizer.decode(made)}), flush=True)


if __name__ == "__main__":
    main()
