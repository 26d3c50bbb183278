"""pipeline-run and llama.cpp in turns; see tools/compare/llama_cpp."""
import hashlib
import pathlib
import sys
import time

import llama_cpp
import numpy as np
from in_turns import (NEW, ROW_TOKENS, RUNS, THREADS, bandwidth, compare, compare_together, ours, ours_together,
                          prompt, prompts)

TYPES = {"Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
         "BF16": llama_cpp.LLAMA_FTYPE_MOSTLY_BF16, "F32": llama_cpp.LLAMA_FTYPE_ALL_F32}
# The like of what llama.cpp computes a type in, where ours would choose less.
SETTINGS = {"F32": ("forward.dtype=fp32",)}


def of_type(published, name, folder):
    """The model's file in that type, made of the published one unless it is there."""
    if name == "Q4_K_M":
        return published
    path = folder / f"gemma-3-270m-{name.lower()}.gguf"
    if not path.exists():
        partial = path.with_suffix(".partial")
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype = TYPES[name]
        params.allow_requantize = True
        params.nthread = THREADS
        if llama_cpp.llama_model_quantize(str(published).encode(), str(partial).encode(), params) != 0:
            sys.exit(f"{published} could not be made into {name}")
        partial.rename(path)
    return path


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


def context(llm, rows):
    """Room for so many sequences at once."""
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = rows * (ROW_TOKENS + 2 * NEW)
    params.n_batch = params.n_ubatch = rows * ROW_TOKENS
    params.n_seq_max = rows
    params.n_threads = params.n_threads_batch = THREADS
    return llama_cpp.llama_init_from_model(llm.model, params)


def step(at, tokens):
    """Runs (row, position, id, whether a score is wanted) of each; the best ids of those that are."""
    batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, (row, position, token, wanted) in enumerate(tokens):
        batch.token[i], batch.pos[i], batch.logits[i] = token, position, wanted
        batch.n_seq_id[i], batch.seq_id[i][0] = 1, row
    if llama_cpp.llama_decode(at, batch) != 0:
        sys.exit("llama.cpp could not run the batch")
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(llama_cpp.llama_get_model(at)))
    best = [int(np.argmax(np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(at, i), (vocabulary,))))
            for i, each in enumerate(tokens) if each[3]]
    llama_cpp.llama_batch_free(batch)
    return best


def theirs_together(at, rows):
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(at), True)
    start = time.perf_counter()
    best = step(at, [(r, i, token, i + 1 == len(ids)) for r, ids in enumerate(rows) for i, token in enumerate(ids)])
    for n in range(NEW - 1):
        best = step(at, [(r, len(rows[r]) + n, token, True) for r, token in enumerate(best)])
    return len(rows) * NEW / (time.perf_counter() - start)


def compare_file(name, program, model, corpus, count):
    llm = llama_cpp.Llama(str(model), n_ctx=count + 2 * NEW, n_threads=THREADS, n_threads_batch=THREADS, n_batch=count,
                          verbose=False)

    def encode(text):
        return llm.tokenize(text.encode(), add_bos=True)

    text, ids = prompt(corpus, count, encode)
    settings = SETTINGS.get(name, ())
    theirs(llm, ids)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    print(f"{name} (SHA-256 {digest[:16]}...), {len(ids)} prompt tokens, {NEW} new, {THREADS} threads, medians of "
          f"{RUNS} in turns; memory {bandwidth():.0f} GB/s")
    compare("llama.cpp", lambda: ours(program, model, text, settings), lambda: theirs(llm, ids))
    for count_of_rows in (8, 16):
        texts, rows = prompts(corpus, encode, count_of_rows)
        at = context(llm, count_of_rows)
        theirs_together(at, rows)
        compare_together("llama.cpp", count_of_rows, lambda: ours_together(program, model, texts, settings),
                         lambda: theirs_together(at, rows))
        llama_cpp.llama_free(at)
    llm.close()


def main():
    program, model, corpus, count, types, folder = sys.argv[1:]
    names = types.split(",")
    for name in names:
        if name not in ("Q4_K_M", *TYPES):
            sys.exit(f"unknown type '{name}'; known: Q4_K_M, {', '.join(TYPES)}")
    for name in names:
        file = of_type(pathlib.Path(model), name, pathlib.Path(folder))
        compare_file(name, program, file, corpus, int(count))


if __name__ == "__main__":
    main()
