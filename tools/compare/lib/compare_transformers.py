"""pipeline-run and transformers in turns; see tools/compare/transformers."""
import pathlib
import sys
import time
from functools import partial

import torch
from in_turns import NEW, RUNS, THREADS, bandwidth, compare, ours, prompt

sys.path.append(str(pathlib.Path(__file__).parents[3] / "tests/golden"))
import gemma_oracle


def theirs(model, ids):
    with torch.inference_mode():
        start = time.perf_counter()
        step = model(input_ids=torch.tensor([ids]), use_cache=True, logits_to_keep=1)
        prefill = time.perf_counter() - start
        made = []
        start = time.perf_counter()
        for _ in range(NEW):
            token = step.logits[:, -1:].argmax(-1)
            made.append(int(token))
            step = model(input_ids=token, past_key_values=step.past_key_values, use_cache=True)
        return len(ids) / prefill, NEW / (time.perf_counter() - start), made


def main():
    program, path, corpus, count = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    torch.set_num_threads(THREADS)
    tokenizer = gemma_oracle.load_sentencepiece(path)
    text, ids = prompt(corpus, count, lambda each: [gemma_oracle.BOS] + tokenizer.encode(each))
    print(f"{len(ids)} prompt tokens, {NEW} new, {THREADS} threads, medians of {RUNS} in turns; memory "
          f"{bandwidth():.0f} GB/s")
    for dtype, engines in (("bfloat16", ("auto, int8", "reference, bf16")), ("float32", ("reference, fp32",))):
        model = gemma_oracle.load_model(path, dtype)
        theirs(model, ids)  # warm
        for engine in engines:
            name, ours_dtype = engine.split(", ")
            print(f"our engine: {engine}; transformers: {dtype}, eager")
            settings = (f"forward.engine={name}", f"forward.dtype={ours_dtype}")
            compare("transformers", lambda: ours(program, path, text, settings), partial(theirs, model, ids))
        del model


if __name__ == "__main__":
    main()
