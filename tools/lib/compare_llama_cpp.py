"""pipeline-run and llama.cpp in turns; see tools/compare_llama_cpp."""
import sys
import time

import llama_cpp
from compare_text import NEW, RUNS, THREADS, bandwidth, compare, ours, prompt


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
    text, ids = prompt(corpus, count, lambda each: llm.tokenize(each.encode(), add_bos=True))
    theirs(llm, ids)
    print(f"{len(ids)} prompt tokens, {NEW} new, {THREADS} threads, medians of {RUNS} in turns; memory "
          f"{bandwidth():.0f} GB/s")
    compare("llama.cpp", lambda: ours(program, model, text), lambda: theirs(llm, ids))


if __name__ == "__main__":
    main()
