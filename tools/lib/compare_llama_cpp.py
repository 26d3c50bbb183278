"""pipeline-run and llama.cpp in turns; see tools/compare_llama_cpp."""
import json
import statistics
import subprocess
import sys
import time

import llama_cpp

THREADS, NEW, RUNS = 2, 64, 5


def ours(program, model, text):
    # Twice in one process: the first warms up, as the other engine was.
    out = subprocess.run(
        [program, "gemma_text.yaml", "--text", text, "--text", text, "--json", "--threads", str(THREADS),
         "--set", f"model={model}", "--set", "batch.max_rows=1", "--set", "batch.chunk=1048576",
         "--set", "batch.max_step_tokens=1048576", "--set", f"decode.max_new_tokens={NEW + 1}",
         "--set", "decode.stop_ids=[]"],
        check=True, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    timing = result["timing"]
    count = len(result["token_ids"]) - 1
    return result["prompt_tokens"] / timing["prefill_ms"] * 1e3, count / timing["decode_ms"] * 1e3, result["token_ids"]


def theirs(llm, ids):
    llm.reset()
    start = time.perf_counter()
    llm.eval(ids)
    prefill = time.perf_counter() - start
    made = []
    token = llm.sample(temp=0.0)
    start = time.perf_counter()
    for _ in range(NEW):
        made.append(token)
        llm.eval([token])
        token = llm.sample(temp=0.0)
    return len(ids) / prefill, NEW / (time.perf_counter() - start), made


def main():
    program, model, corpus, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    llm = llama_cpp.Llama(model, n_ctx=count + 2 * NEW, n_threads=THREADS, n_threads_batch=THREADS, n_batch=count,
                          verbose=False)
    corpus = open(corpus, encoding="utf-8").read()[2000:]
    end = 4 * count
    while len(llm.tokenize(corpus[:end].encode(), add_bos=True)) > count:
        end -= 1
    ids = llm.tokenize(corpus[:end].encode(), add_bos=True)
    theirs(llm, ids)
    pairs = []
    for _ in range(RUNS):
        pairs.append((ours(program, model, corpus[:end]), theirs(llm, ids)))
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    print(f"{len(ids)} prompt tokens, {NEW} new, {THREADS} threads, medians of {RUNS} in turns")
    for name, at in (("prefill", 0), ("decode", 1)):
        mine = statistics.median(pair[0][at] for pair in pairs)
        other = statistics.median(pair[1][at] for pair in pairs)
        ratio = statistics.median(pair[0][at] / pair[1][at] for pair in pairs)
        print(f"{name:8s} penstock {mine:7.1f} tokens/s   llama.cpp {other:7.1f}   ratio {ratio:.2f}")
    same = 0
    for a, b in zip(pairs[0][0][2], pairs[0][1][2]):
        if a != b:
            break
        same += 1
    print(f"the first {same} of {NEW} new tokens are the same")


if __name__ == "__main__":
    main()
