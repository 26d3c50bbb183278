"""pipeline-run, p.map and Ray in turns; see tools/compare/python."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import penstock
import penstock.ray
import pyarrow
import ray
import ray.data
from in_turns import in_turns

THREADS = min(2, len(os.sched_getaffinity(0)))
NEW, RUNS, BATCH, AT_ONCE = 16, 3, 64, 3
SET = {"threads": THREADS, "decode.max_new_tokens": NEW, "decode.ignore_eos": True, "batch.max_sequences": 16}
CALLS = 400


def words():
    """SET as a command line."""
    return [f"--set={name}={str(value).lower()}" for name, value in SET.items()]


def of_program(program, rows):
    """pipeline-run --jsonl: the seconds that its summary says it worked, without opening."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        ended = subprocess.run([program, "gemma_text.yaml", *words(), "--json", "--quiet", "--summary", "--jsonl",
                                file.name], capture_output=True, text=True, check=True)
    seconds = {line.split()[0]: line.split()[1] for line in ended.stderr.splitlines() if len(line.split()) > 1}
    return float(seconds["wall"]), [json.loads(line)["text"] for line in ended.stdout.splitlines()]


def of_map(rows):
    """p.map in a process of its own, as the others are; without opening."""
    code = ("import json, sys, time, penstock\n"
            "rows, settings = json.load(sys.stdin)\n"
            "with penstock.open('gemma_text.yaml', set=settings) as p:\n"
            "    begin = time.perf_counter()\n"
            "    texts = [result.text for result in p.map(rows)]\n"
            "    json.dump([time.perf_counter() - begin, texts], sys.stdout)\n")
    ended = subprocess.run([sys.executable, "-c", code], input=json.dumps([rows, SET]), capture_output=True, text=True,
                           check=True)
    return json.loads(ended.stdout)


@ray.remote(num_cpus=THREADS, max_concurrency=AT_ONCE)
class Actor:
    """An engine; without Ray Data around it."""

    def __init__(self):
        self.engine = penstock.ray.Engine("gemma_text.yaml", set=SET)

    def ready(self):
        return True

    def answer(self, table):
        return self.engine(table)


def of_actor(rows):
    """One actor with some batches at once, from the first row to the last result; without opening."""
    actor = Actor.remote()
    ray.get(actor.ready.remote())
    begin = time.perf_counter()
    left = [pyarrow.Table.from_pylist(rows[at:at + BATCH]) for at in range(0, len(rows), BATCH)][::-1]
    running, texts = [], []
    while left or running:
        while left and len(running) < AT_ONCE:
            running.append(actor.answer.remote(left.pop()))
        texts += ray.get(running.pop(0)).column("answer").to_pylist()
    seconds = time.perf_counter() - begin
    ray.kill(actor)
    return seconds, texts


class Transformers:
    """The usual recipe: a batch of texts through generate()."""

    def __init__(self, model):
        import torch
        from transformers import AutoModelForCausalLM
        sys.path.append(str(pathlib.Path(__file__).parents[3] / "tests/golden"))
        import gemma_oracle
        torch.set_num_threads(THREADS)
        # bfloat16 is emulated, many times slower, by processors that do not compute in it.
        has_bf16 = "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
        self.tokenizer = gemma_oracle.load_sentencepiece(pathlib.Path(model))
        self.bos = gemma_oracle.BOS
        self.model = AutoModelForCausalLM.from_pretrained(
            pathlib.Path(model).parent, dtype=torch.bfloat16 if has_bf16 else torch.float32,
            gguf_file=pathlib.Path(model).name).eval()

    def __call__(self, batch):
        import torch
        ids = [[self.bos] + self.tokenizer.encode(str(text)) for text in batch["text"]]
        most = max(map(len, ids))
        given = torch.tensor([[0] * (most - len(each)) + each for each in ids])
        mask = torch.tensor([[0] * (most - len(each)) + [1] * len(each) for each in ids])
        with torch.inference_mode():
            made = self.model.generate(input_ids=given, attention_mask=mask, do_sample=False, max_new_tokens=NEW,
                                       min_new_tokens=NEW)
        return {"id": batch["id"], "answer": [self.tokenizer.decode(each) for each in made[:, most:].tolist()]}


def of_data(ds):
    """Seconds a row of a data set, from its first batch to its last: without the start of its actors."""
    seen = []
    for batch in ds.iter_batches(batch_size=None):
        seen.append((time.perf_counter(), len(batch["id"])))
    rows = sum(count for _, count in seen[1:])
    return (seen[-1][0] - seen[0][0]) / rows, None


def of_driver(tiny, parts=400):
    """What a part of a job costs the process that drives it: milliseconds of its CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "in.jsonl"
        line = '{"text": "Hi"}\n'
        path.write_text(line * parts)
        begin, wall = time.process_time(), time.perf_counter()
        done = penstock.ray.job(path, path.parent / "out", "gemma_text.yaml", part_bytes=len(line),
                                set={"model": tiny, "decode.max_new_tokens": 1})
        assert done.rows == done.parts == parts
        return (time.process_time() - begin) * 1e3 / parts, parts / (time.perf_counter() - wall)


def of_calls(tiny):
    """Milliseconds of p(...) and of the same request in C++, one after another."""
    with penstock.open("gemma_text.yaml", set={"model": tiny, "threads": 1}) as p:
        times = []
        for _ in range(CALLS):
            begin = time.perf_counter()
            p("Hi", max_new_tokens=1)
            times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times[CALLS // 4:])


def of_bench(program, tiny):
    ended = subprocess.run([pathlib.Path(program).with_name("pipeline-bench"), "gemma_text.yaml", "--batch", "1",
                            "--runs", str(CALLS), "--prompt-tokens", "2", "--new-tokens", "1", "--threads", "1",
                            "--quiet", "--json", "-", f"--set=model={tiny}"], capture_output=True, text=True,
                           check=True)
    requests = json.loads(ended.stdout)["devices"][0]["batches"][0]["requests"]
    return statistics.median(each["whole_ms"] for each in requests)


def main():
    program, model, tiny, count = *sys.argv[1:4], int(sys.argv[4])
    SET["model"] = model
    rows = [{"id": str(number), "text": f"Chapter {number}. Once upon a time there was"} for number in range(count)]
    calls = [(of_calls(tiny), of_bench(program, tiny)) for _ in range(RUNS)]
    print(f"one short text, median of {CALLS}: p(...) {statistics.median(a for a, _ in calls):.3f} ms, C++ "
          f"{statistics.median(b for _, b in calls):.3f} ms, difference "
          f"{statistics.median(a - b for a, b in calls):.3f} ms")
    ray.init(num_cpus=THREADS + 1, include_dashboard=False, log_to_driver=False, logging_level="error",
             _node_ip_address="127.0.0.1", runtime_env={"env_vars": {"PYTHONPATH": str(pathlib.Path(__file__).parent)}})
    seconds, texts = in_turns({"pipeline-run --jsonl": lambda: of_program(program, rows),
                               "p.map": lambda: of_map(rows), "one Ray actor": lambda: of_actor(rows)}, RUNS)
    first = seconds["pipeline-run --jsonl"]
    print(f"{count} rows, {NEW} new tokens each, {THREADS} threads, medians of {RUNS} in turns; without opening:")
    for name, took in seconds.items():
        print(f"  {name:22s}{count / took:8.1f} rows/s   ratio {first / took:.3f}"
              + ("" if texts[name] == texts["pipeline-run --jsonl"] else "   OTHER TEXTS"))
    cpu, rate = of_driver(tiny)
    print(f"a part of a job costs its driver {cpu:.2f} ms; {rate:.0f} parts/s through one actor, with its start")
    ds = ray.data.from_items(rows)
    ours = penstock.ray.run(ds, "gemma_text.yaml", set=SET, cpus=THREADS, batch_size=16)
    theirs = ds.repartition(target_num_rows_per_block=16).map_batches(
        Transformers, fn_constructor_args=(model,), batch_size=16, num_cpus=THREADS,
        compute=ray.data.ActorPoolStrategy(size=1))
    each, _ = in_turns({"penstock.ray.run": lambda: of_data(ours), "transformers": lambda: of_data(theirs)}, RUNS)
    print("Ray Data, from the first batch to the last:")
    for name, took in each.items():
        print(f"  {name:22s}{1 / took:8.1f} rows/s   ratio {each['transformers'] / took:.2f}")


if __name__ == "__main__":
    main()
