"""What the comparisons of text engines share: our side, the prompt, turns, the table, the memory beside them."""
import concurrent.futures
import json
import statistics
import subprocess
import sys
import time

import numpy as np

THREADS, NEW, RUNS = 2, 64, 5


def ours(program, model, text, settings=()):
    """(prefill tokens/s, decode tokens/s, ids). Twice in one process: the first warms up, as the other engine was."""
    out = subprocess.run(
        [program, "gemma_text.yaml", "--text", text, "--text", text, "--json", "--threads", str(THREADS),
         "--set", f"model={model}", "--set", "batch.max_rows=1", "--set", "batch.chunk=1048576",
         "--set", "batch.max_step_tokens=1048576", "--set", f"decode.max_new_tokens={NEW + 1}",
         "--set", "decode.ignore_eos=true", *(word for each in settings for word in ("--set", each))],
        check=True, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    timing = result["timing"]
    count = len(result["token_ids"]) - 1
    return result["prompt_tokens"] / timing["prefill_ms"] * 1e3, count / timing["decode_ms"] * 1e3, result["token_ids"]


def prompt(path, count, encode):
    """A piece of the corpus that has `count` tokens at most, and its ids; encode() puts the BOS in front."""
    with open(path, encoding="utf-8") as file:
        corpus = file.read()[2000:]
    end = 4 * count
    while len(encode(corpus[:end])) > count:
        end -= 1
    return corpus[:end], encode(corpus[:end])


def bandwidth():
    """GB/s that all threads together read from memory: the best of ten passes over 512 MB."""
    parts = [np.ones(1 << 25, np.int64) for _ in range(THREADS)]
    best = 0.0
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for _ in range(10):
            start = time.perf_counter()
            list(pool.map(np.max, parts))
            best = max(best, sum(part.nbytes for part in parts) / (time.perf_counter() - start) / 1e9)
    return best


def compare(peer, mine, theirs):
    """mine() and theirs() in turns, each (prefill, decode, ids); prints the medians and their ratio."""
    pairs = []
    for _ in range(RUNS):
        pairs.append((mine(), theirs()))
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    for name, at in (("prefill", 0), ("decode", 1)):
        a, b = (statistics.median(pair[side][at] for pair in pairs) for side in (0, 1))
        ratio = statistics.median(pair[0][at] / pair[1][at] for pair in pairs)
        print(f"{name:8s} penstock {a:7.1f} tokens/s   {peer} {b:7.1f}   ratio {ratio:.2f}")
    same = 0
    for a, b in zip(pairs[0][0][2][:NEW], pairs[0][1][2]):
        if a != b:
            break
        same += 1
    print(f"the first {same} of {NEW} new tokens are the same")
