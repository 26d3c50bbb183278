"""Decode and prefill tokens/s of transformers, and of pipeline-run on the same prompt, in turns: medians of 3.

    bench_transformers.py build/release/bin/pipeline-run
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch

import gemma_oracle

NEW = 64


def theirs(model, ids):
    with torch.inference_mode():
        start = time.perf_counter()
        step = model(input_ids=torch.tensor([ids]), use_cache=True, logits_to_keep=1)
        prefill = time.perf_counter() - start
        start = time.perf_counter()
        for _ in range(NEW):
            token = step.logits[:, -1:].argmax(-1)
            step = model(input_ids=token, past_key_values=step.past_key_values, use_cache=True)
        return len(ids) / prefill, NEW / (time.perf_counter() - start)


def ours(program, text, count, dtype):
    # Twice, one after the other: the first warms up, as transformers was.
    lines = subprocess.run(
        [program, "gemma_text.yaml", "--text", text, "--text", text, "--json", "--set", f"forward.dtype={dtype}",
         "--set", "batch.max_rows=1", "--set", f"decode.max_new_tokens={NEW + 1}"],
        check=True, capture_output=True, text=True).stdout
    result = json.loads(lines.splitlines()[-1])
    assert result["prompt_tokens"] == count and len(result["token_ids"]) == NEW + 1, result
    timing = result["timing"]
    return count / timing["prefill_ms"] * 1e3, NEW / timing["decode_ms"] * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gemma_oracle.add_model_arguments(parser)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = gemma_oracle.load_sentencepiece(args.model)
    corpus = args.corpus.read_text("utf-8")[2000:]
    end = 2000
    while len(tokenizer.encode(corpus[:end])) < 511:
        end += 1
    text = corpus[:end]
    ids = [gemma_oracle.BOS] + tokenizer.encode(text)
    for dtype, name in (("bf16", "bfloat16"), ("fp32", "float32")):
        model = gemma_oracle.load_model(args.model, name)
        theirs(model, ids)  # warm
        pairs = [(theirs(model, ids), ours(args.program, text, len(ids), dtype)) for _ in range(3)]
        row = {"dtype": dtype, "prompt": len(ids)}
        for which, at in (("prefill", 0), ("decode", 1)):
            row[f"{which}_transformers"] = round(statistics.median(p[0][at] for p in pairs), 1)
            row[f"{which}_ours"] = round(statistics.median(p[1][at] for p in pairs), 1)
            row[f"{which}_ratio"] = round(statistics.median(p[1][at] / p[0][at] for p in pairs), 2)
        print(json.dumps(row), flush=True)
        del model


if __name__ == "__main__":
    main()
