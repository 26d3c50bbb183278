"""What the comparisons share: turns; and those of text engines our side, the prompt, the table, the memory beside them."""
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

THREADS, NEW, RUNS = 2, 64, 5
ROWS, ROW_TOKENS = 8, 32  # sequences at the same time unless told, and the prompt of each
UNDIVIDED = ("--set", "batch.chunk=1048576", "--set", "batch.max_step_tokens=1048576")


def ours(program, model, text, settings=()):
    """(prefill tokens/s, decode tokens/s, ids). Twice in one process: the first warms up, as the other engine was."""
    out = subprocess.run(
        [program, "gemma_text.yaml", "--text", text, "--text", text, "--json", "--threads", str(THREADS),
         "--set", f"model={model}", "--set", "batch.max_sequences=1", *UNDIVIDED,
         "--set", f"decode.max_new_tokens={NEW + 1}", "--set", "decode.ignore_eos=true",
         *(word for each in settings for word in ("--set", each))],
        check=True, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    timing = result["timing"]
    count = len(result["token_ids"]) - 1
    return result["prompt_tokens"] / timing["prefill_ms"] * 1e3, count / timing["decode_ms"] * 1e3, result["token_ids"]


def ours_together(program, model, texts, settings=()):
    """Tokens/s of all rows, prompts included: one run of pipeline-bench behind another that warms up."""
    pipeline = pathlib.Path(__file__).parents[3] / "pipelines/gemma_text.yaml"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(pipeline.read_text(encoding="utf-8").partition("\ninputs:")[0] + "\ninputs:\n")
        file.writelines(f"  - {{text: {json.dumps(text)}}}\n" for text in texts)
        file.flush()
        out = subprocess.run(
            [pathlib.Path(program).with_name("pipeline-bench"), file.name, "--threads", str(THREADS), "--batch",
             str(len(texts)), "--runs", "1", "--prompt-tokens", str(ROW_TOKENS), "--new-tokens", str(NEW), "--quiet",
             "--json", "-", "--set", f"model={model}", *UNDIVIDED,
             *(word for each in settings for word in ("--set", each))],
            check=True, capture_output=True, text=True).stdout
    result = json.loads(out)["devices"][0]["batches"][0]
    assert all((each["prompt_tokens"], each["new_tokens"]) == (ROW_TOKENS, NEW) for each in result["requests"])
    return result["tokens_per_s"]


def prose(path):
    """The corpus without its first lines."""
    with open(path, encoding="utf-8") as file:
        return file.read()[2000:]


def prompt(path, count, encode):
    """A piece of the corpus that has `count` tokens at most, and its ids; encode() puts the BOS in front."""
    corpus = prose(path)
    end = 4 * count
    while len(encode(corpus[:end])) > count:
        end -= 1
    return corpus[:end], encode(corpus[:end])


def prompts(path, encode, rows=ROWS):
    """A text for each row, longer than what is read of it, and the ids that are."""
    corpus = prose(path)
    texts = [corpus[at:at + 16 * ROW_TOKENS] for at in range(0, 2000 * rows, 2000)]
    return texts, [encode(text)[:ROW_TOKENS] for text in texts]


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


def in_turns(sides, runs):
    """sides: {name: a call that gives (seconds, answer)}. All of them in turns: {name: median seconds}, {name: answer}."""
    seconds, answers = {name: [] for name in sides}, {}
    for _ in range(runs):
        for name, run in sides.items():
            took, answers[name] = run()
            seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}, answers


def turns(mine, theirs):
    """What they return, (mine(), theirs()) for each of the runs."""
    pairs = []
    for _ in range(RUNS):
        pairs.append((mine(), theirs()))
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return pairs


def print_medians(name, peer, pairs):
    a, b = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{name:8s} penstock {a:7.1f} tokens/s   {peer} {b:7.1f}   ratio {ratio:.2f}")


def compare(peer, mine, theirs):
    """mine() and theirs() in turns, each (prefill, decode, ids); prints the medians and their ratio."""
    pairs = turns(mine, theirs)
    for name, at in (("prefill", 0), ("decode", 1)):
        print_medians(name, peer, [(a[at], b[at]) for a, b in pairs])
    same = 0
    for a, b in zip(pairs[0][0][2][:NEW], pairs[0][1][2]):
        if a != b:
            break
        same += 1
    print(f"the first {same} of {NEW} new tokens are the same")


def compare_together(peer, rows, mine, theirs):
    """The same of several sequences at once, where each returns the tokens/s of all of them."""
    print(f"{rows} at once, {ROW_TOKENS} prompt tokens and {NEW} new each; new tokens of all by the whole time:")
    print_medians("together", peer, turns(mine, theirs))


def compare_engine(peer, load, theirs, theirs_together):
    """PROGRAM GGUF FOLDER CORPUS COUNT: one sequence, then several at once. load(folder, most tokens of a step) gives
    what theirs(engine, ids) and theirs_together(engine, rows) run on."""
    sys.path.append(str(pathlib.Path(__file__).parents[3] / "tests/golden"))
    import gemma_oracle  # needs packages that llama.cpp's environment has not
    program, path, folder, corpus, count = *sys.argv[1:5], int(sys.argv[5])
    tokenizer = gemma_oracle.load_sentencepiece(path)

    def encode(text):
        return [gemma_oracle.BOS] + tokenizer.encode(text)

    text, ids = prompt(corpus, count, encode)
    texts, rows = prompts(corpus, encode)
    engine = load(folder, max(count, sum(map(len, rows))))
    theirs(engine, ids)  # warm
    print(f"{len(ids)} prompt tokens, {NEW} new, {THREADS} threads, medians of {RUNS} in turns; memory "
          f"{bandwidth():.0f} GB/s")
    compare(peer, lambda: ours(program, path, text), lambda: theirs(engine, ids))
    theirs_together(engine, rows)  # warm
    compare_together(peer, ROWS, lambda: ours_together(program, path, texts), lambda: theirs_together(engine, rows))
