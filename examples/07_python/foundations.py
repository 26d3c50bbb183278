"""Foundations of inference, cell by cell (open it in an editor that knows `# %%`, or run it): what happens between a
prompt and its answer. MODEL names another model than Gemma 3 270M."""

# %% Two prompts of very different lengths
import os
import statistics
import time

import penstock

MODEL = {"model": os.environ["MODEL"]} if "MODEL" in os.environ else {}
PROMPTS = ["Hi", "Explain in detail what AI model training means and why it is important."]

# %% How long an answer takes
with penstock.open("gemma_text.yaml", set={**MODEL, "decode.max_new_tokens": 16}) as p:
    print(p.device, p.facts)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        p("Explain inference vs training in one sentence.")
        times.append(time.perf_counter() - begin)
    print(f"median of 5: {statistics.median(times):.3f} s")

# %% Preprocess: texts become token ids
print(penstock.show("gemma_padded.yaml", *PROMPTS, set=MODEL, until="preprocess"))

# %% Batch: sequences of one length, by padding, and the mask that says so
print(penstock.show("gemma_padded.yaml", *PROMPTS, set=MODEL, until="batch"))

# %% Forward: scores of every token of the vocabulary
print(penstock.show("gemma_padded.yaml", *PROMPTS, set=MODEL, until="forward"))

# %% Decode: the loop. Each step picks a token; gemma_padded.yaml recomputes everything at each of them
print(penstock.show("gemma_padded.yaml", *PROMPTS, set={**MODEL, "decode.max_new_tokens": 3}))

# %% The same answers with a cache of what was computed, and the rows that join and leave
SETTINGS = {**MODEL, "decode.max_new_tokens": 8, "forward.dtype": "fp32"}  # exact: rounding to bf16 may tip a tie
for name in ("gemma_padded.yaml", "gemma_text.yaml"):
    with penstock.open(name, set=SETTINGS) as p:
        begin = time.perf_counter()
        answers = [result.token_ids for result in p.map(PROMPTS)]
        print(f"{name}: {time.perf_counter() - begin:.3f} s {answers}")

# %% Postprocess: token ids become text, as they come
with penstock.open("gemma_text.yaml", set=SETTINGS) as p:
    for prompt in PROMPTS:
        print(prompt, end="")
        for piece in p.stream(prompt):
            print(piece, end="", flush=True)
        print()
