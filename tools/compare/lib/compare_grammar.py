"""Answers under a JSON schema here, in llama.cpp's server and in transformers with xgrammar; see tools/compare/grammar."""
import argparse
import collections
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests/plugins/grammar/proof"))
import prove  # noqa: E402
import schemas  # noqa: E402

RUNS, MOST = 5, 200
MOST_OF_COMMAND_LINE = 40  # it loads the model for each
PROMPT = """Text: Maria Rossi, 41, lives in Turin and has bought from us twice since 2019. She writes to us in Italian or English,
from maria@example.com, and has the plus plan.
Record:
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"}, "city": {"type": "string"}, "email": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150}, "is_customer": {"type": "boolean"},
        "plan": {"enum": ["free", "plus", "pro"]}, "orders": {"type": "integer", "minimum": 0, "maximum": 999},
        "languages": {"type": "array", "items": {"enum": ["en", "de", "fr", "es", "it"]}, "maxItems": 5}},
    "required": ["name", "city", "email", "age", "is_customer", "plan", "orders", "languages"]}


class Ours:
    def __init__(self, program, model):
        self.program, self.model = program, model
        self.settings = [f"model={model}", "decode.0.json_schema=", "decode.temperature=0"]

    def run(self, lines, settings, more=()):
        """Results in the lines' order."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "in.jsonl")
            path.write_text("".join(json.dumps({"id": str(i), **line}) + "\n" for i, line in enumerate(lines)), encoding="utf-8")
            words = [word for each in [*self.settings, *settings] for word in ("--set", each)]
            out = subprocess.run([self.program, "gemma_json.yaml", "--jsonl", path, "--json", "--threads", "2", *more, *words],
                                 check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def decode(self, options):
        """(tokens/s, tokens, text) of the second of two: the first warms up."""
        last = self.run([{"text": PROMPT, "options": options}] * 2, ["batch.max_sequences=1"])[-1]
        count = len(last["token_ids"])
        return (count - 1) / last["timing"]["decode_ms"] * 1e3, count, last["text"]

    def first_tokens(self):
        """Milliseconds to the first token, (free, held): alone, in turns, the schema known after its first time."""
        lines = []
        for i in range(2 * 21):
            lines.append({"text": PROMPT, "options": {"max_new_tokens": 1, **({"json_schema": json.dumps(SCHEMA)} if i % 2 else {})}})
        times = [each["timing"]["prefill_ms"] for each in self.run(lines, ["batch.max_sequences=1"])]
        return statistics.median(times[2::2]), statistics.median(times[3::2])

    def step_of_16(self, options):
        """Medians of milliseconds (of a step, of it outside of Forward) where 16 sequences decode."""
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder, "trace.json")
            lines = [{"text": f"{i}. {PROMPT}", "options": options} for i in range(32)]
            self.run(lines, ["batch.max_sequences=16"], ["--trace", trace])
            events = json.loads(trace.read_text(encoding="utf-8"))
        events = [e for e in (events["traceEvents"] if isinstance(events, dict) else events) if e.get("ph") == "X"]
        steps, at = [], {}
        for event in sorted(events, key=lambda e: e["ts"]):
            at[event["name"]] = event
            if event["name"] == "decode" and "forward" in at and "plan" in at:
                whole = event["ts"] + event["dur"] - at["plan"]["ts"]
                steps.append((whole / 1e3, (whole - at["forward"]["dur"]) / 1e3))
        middle = steps[len(steps) // 4: -len(steps) // 4]
        return statistics.median(s[0] for s in middle), statistics.median(s[1] for s in middle)


@contextlib.contextmanager
def llama_server(program, model):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([program, "-m", model, "-t", "2", "-np", "1", "-c", "4096", "--host", "127.0.0.1", "--port", str(port)],
                                   stdout=log, stderr=log)
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/completion", process
        finally:
            process.terminate()
            process.wait()


def ask_llama(url, **body):
    """Its answer; None and why where it refuses."""
    request = urllib.request.Request(url, json.dumps({"cache_prompt": False, **body}).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply), ""
    except urllib.error.HTTPError as error:
        return None, error.read().decode(errors="replace")[:200]
    except OSError as error:
        return None, f"no answer: {error}"


def llama_decode(url, **how):
    answer, why = ask_llama(url, prompt=PROMPT, temperature=0, **how)
    if answer is None:
        sys.exit(f"llama.cpp's server: {why}")
    timings = answer["timings"]
    return timings["predicted_n"] / timings["predicted_ms"] * 1e3, timings["predicted_n"], answer["content"]


class Transformers:
    """A process that decodes once for each line it is sent."""

    def __init__(self, python, model):
        self.process = subprocess.Popen([python, pathlib.Path(__file__).with_name("grammar_transformers.py"), model],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def decode(self, schema, tokens):
        self.process.stdin.write(json.dumps({"prompt": PROMPT, "schema": schema, "tokens": tokens}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["tokens_per_s"], answer["count"], answer["text"]


def compare_speed(ours, url, python, model, results):
    held = {"json_schema": json.dumps(SCHEMA), "max_new_tokens": MOST}
    count = ours.decode(held)[1]
    free = {"max_new_tokens": count, "ignore_eos": True}
    sides = {
        "penstock, free": lambda: ours.decode(free),
        "penstock, schema": lambda: ours.decode(held),
        "penstock, schema, cut by the model": lambda: ours.decode({**held, "cut": "model"}),
        "penstock, the same without jumps": lambda: ours.decode({**held, "cut": "model", "jump_forward": False}),
        "llama.cpp, free": lambda: llama_decode(url, n_predict=count, ignore_eos=True),
        "llama.cpp, schema": lambda: llama_decode(url, n_predict=MOST, json_schema=SCHEMA),
    }
    if python:
        theirs = Transformers(python, model)
        sides["transformers, free, bf16"] = lambda: theirs.decode(None, count)
        sides["transformers + xgrammar, bf16"] = lambda: theirs.decode(SCHEMA, MOST)
    speeds, last = collections.defaultdict(list), {}
    for _ in range(RUNS):
        for name, run in sides.items():
            speed, tokens, text = run()
            speeds[name].append(speed)
            last[name] = (tokens, text)
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    print(f"{RUNS} runs in turns, medians:")
    for name, values in speeds.items():
        results[name] = statistics.median(values)
        print(f"  {name:34} {results[name]:7.1f} tokens/s   {last[name][0]} tokens   {last[name][0] / results[name]:.2f} s")
    print("ours:", last["penstock, schema"][1])
    ratio = results["penstock, schema"]
    for name in sides:
        if name != "penstock, schema":
            print(f"  schema here by {name}: {ratio / results[name]:.2f}")


def compare_costs(ours, results):
    free_ms, held_ms = ours.first_tokens()
    print(f"first token: {free_ms:.2f} ms free, {held_ms:.2f} ms under a schema that is known: {held_ms - free_ms:+.2f} ms")
    step, outside = ours.step_of_16({"json_schema": json.dumps(SCHEMA), "max_new_tokens": 60})
    free_step, free_outside = ours.step_of_16({"max_new_tokens": 60, "ignore_eos": True})
    share = (outside - free_outside) / step
    print(f"16 sequences: a step {step:.2f} ms under schemas, {free_step:.2f} ms free; outside of Forward {outside:.3f} and "
          f"{free_outside:.3f} ms: the schemas take {100 * share:.1f} % of a step")
    results |= {"first_token_free_ms": free_ms, "first_token_held_ms": held_ms, "mask_share_of_step": share}


def verdict(schema, text, is_cut):
    if is_cut:
        return "cut by the limit"
    return "valid" if prove.fault(schema, text) is None else "finished, does not fit"


def of_command_line(program, model, request, schema):
    """A verdict on the answer of llama.cpp's program for completions."""
    options = request["options"]
    done = subprocess.run([program, "-m", model, "-t", "2", "-p", request["text"], "-n", str(prove.NEW_TOKENS), "--temp", "1.5",
                           "--seed", str(options["seed"]), "-j", json.dumps(schema), "--no-display-prompt", "-no-cnv"],
                          capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode < 0:
        return "crashed"
    if done.returncode > 0:
        return "refused"
    text = done.stdout.strip()
    is_whole = text.endswith("[end of text]")
    return verdict(schema, text.removesuffix("[end of text]").strip(), not is_whole)


def compare_answers(ours, url, server, programs, count, results):
    work = list(prove.pairs(count, 0))
    tables = {name: collections.Counter() for name in ("penstock", "llama-server", "llama-completion")}
    found = ours.run([{key: request[key] for key in ("text", "options")} for _, _, request in work], [])
    for (_, schema, request), result in zip(work, found):
        reason = result["finish_reason"]
        tables["penstock"]["refused" if reason == "error" else verdict(schema, result["text"], reason == "length")] += 1
        options = request["options"]
        answer, _ = ask_llama(url, prompt=request["text"], n_predict=prove.NEW_TOKENS, temperature=1.5, seed=options["seed"],
                              json_schema=schema)
        if server.poll() is not None:
            tables["llama-server"]["crashed"] += 1
            break
        is_refused = answer is None
        tables["llama-server"]["refused" if is_refused else verdict(schema, answer["content"], answer["stop_type"] == "limit")] += 1
    for _, schema, request in work[:MOST_OF_COMMAND_LINE]:
        tables["llama-completion"][of_command_line(programs / "llama-completion", ours.model, request, schema)] += 1
    ignored = 0
    keywords = [key for key in prove.draft_keywords() if key not in schemas.HELD | prove.NOTES]
    for key in keywords:
        answer, _ = ask_llama(url, prompt="a", n_predict=8, json_schema={"type": "object", "properties": {}, key: {}})
        ignored += answer is not None
    print(f"{count} schemas and seeds of the tests' generator, temperature 1.5:")
    for name, table in tables.items():
        print(f"  {name:17}", ", ".join(f"{value} {key}" for key, value in table.most_common()))
    print(f"  of {len(keywords)} keywords that are held by neither, llama.cpp takes {ignored} in silence, penstock refuses each by name")
    results |= {"answers": tables, "keywords_ignored": ignored, "keywords": len(keywords)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("llama_cpp", type=pathlib.Path, help="the folder of its programs")
    parser.add_argument("--transformers", help="the Python that has them")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("speed", "answers"))
    parser.add_argument("--json", help="all figures")
    how = parser.parse_args()
    ours, results = Ours(how.program, how.model), {}
    with llama_server(how.llama_cpp / "llama-server", how.model) as (url, server):
        if how.only != "answers":
            compare_speed(ours, url, how.transformers, how.model, results)
            compare_costs(ours, results)
        if how.only != "speed":
            compare_answers(ours, url, server, how.llama_cpp, 40 if how.quick else 200, results)
    if how.json:
        pathlib.Path(how.json).write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
