#!/usr/bin/env python3
"""What serving adds to the engine; tools/compare/http_cost says what is measured."""
import argparse
import asyncio
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import compare_llama_server as load
from servekit.target import expand

NEW = 64
BOOK = "${PENSTOCK_CACHE:-~/.cache/penstock}/sentencepiece-0.2.1/share/botchan.txt"


def prompts(seed, count, sizes=(32, 64, 128, 256)):
    book = pathlib.Path(expand(BOOK)).expanduser().read_text(encoding="utf-8-sig")
    work = load.Work("mixed", book, seed, NEW)
    return [work.passage(work.random.choice(sizes)) for _ in range(count)]


def completion(running, prompt, new=NEW):
    return {"model": running.model, "prompt": prompt, "max_tokens": new, "temperature": 0, "stream": True,
            "ignore_eos": True, "stream_options": {"include_usage": True}}


async def ask_all(running, texts, clients, new=NEW):
    """All texts by so many clients: tokens a second and the log."""
    log, left = load.Log(), list(texts)

    async def client():
        line = load.Line(running.host, running.port)
        while left:
            await load.one(line, running, "/v1/completions", completion(running, left.pop(0), new), log)
        line.close()

    begin = time.perf_counter()
    await asyncio.gather(*[client() for _ in range(clients)])
    return log.tokens / (time.perf_counter() - begin), log


def engine(texts):
    """Tokens a second of pipeline-run on the same texts, its opening not counted."""
    options = {"max_new_tokens": NEW, "min_new_tokens": NEW}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps({"text": t, "options": options}) + "\n" for t in texts)
        file.flush()
        serve = os.environ["PIPELINE_SERVE"]
        command = [str(pathlib.Path(serve).with_name("pipeline-run")), os.environ["PIPELINES"] + "/gemma_text.yaml",
                   "--jsonl", file.name, "--json", "--summary",
                   "--set", f"batch.max_sequences={os.environ['SEQUENCES']}",
                   "--set", "batch.step_ratio=2", "--set", "batch.prefix_cache=true"]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = float(re.search(r"^wall\s+([\d.]+)", run.stderr, re.M).group(1))
    return sum(len(json.loads(line)["token_ids"]) for line in run.stdout.splitlines()) / wall


def throughput(running, a):
    ratios = []
    for turn in range(a.turns):
        texts = prompts(turn, a.prompts)
        own = engine(texts)
        served, log = asyncio.run(ask_all(running, texts, int(os.environ["SEQUENCES"])))
        ratios.append(served / own)
        print(f"  pipeline-run {own:.1f} tokens/s, served {served:.1f}, ratio {ratios[-1]:.3f} {log.errors or ''}", flush=True)
    print(f"throughput: served / engine {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})")


async def first_byte(running, text):
    """Milliseconds from the server's first token to the client's first byte of it, with
    the way of the request to the server counted as well."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    body = json.dumps(completion(running, text, 4)).encode()
    begin = time.perf_counter()
    writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                 b"x-penstock-timing: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    first, data = None, b""
    while chunk := await reader.read(65536):
        data += chunk
        if first is None and b'"text":' in data:
            first = time.perf_counter() - begin
    writer.close()
    return 1000 * first - float(re.search(rb"first_token;dur=([\d.]+)", data).group(1))


def first(running, a):
    try:                                     # else the engine's threads keep this client from seeing it
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("  (not at real-time priority: the client's own waits are in it)")
    late = sorted(asyncio.run(first_byte(running, t)) for t in prompts(7, 100, (16, 64)))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print(f"first byte after the first token, ms: p50 {late[50]:.2f}, p95 {late[95]:.2f}, most {late[-1]:.2f}")


def streams(running, a):
    begin = time.perf_counter()
    _, log = asyncio.run(ask_all(running, prompts(8, 256, (16, 32)), 256, 16))
    print(f"256 streams: {log.done} whole, errors {log.errors or 0}, {time.perf_counter() - begin:.1f} s")


def long_prompt(running, a):
    """What four running answers notice of one prompt of 3,000 tokens, and of none."""
    async def gaps(turn, disturb):
        work = asyncio.create_task(ask_all(running, prompts(60 + turn, 4, (32,)), 4, 128))
        await asyncio.sleep(0.3)
        if disturb:
            await ask_all(running, prompts(80 + turn, 1, (3000,)), 1, 4)
        return load.quantiles((await work)[1].gaps)

    for turn in range(a.turns):
        calm, shaken = asyncio.run(gaps(turn, False)), asyncio.run(gaps(turn, True))
        print(f"between tokens, ms: p50 {calm['p50']:.0f}, p99 {calm['p99']:.0f}; while 3,000 tokens are read "
              f"p50 {shaken['p50']:.0f}, p99 {shaken['p99']:.0f}, most {shaken['max']:.0f}", flush=True)


def burners(running, a):
    """The rate of one client beside two busy loops of the lowest priority, in turns."""
    loop = ["nice", "-n", "19", sys.executable, "-c", "while True: pass"]
    shares = []
    for turn in range(a.turns):
        alone, _ = asyncio.run(ask_all(running, prompts(20 + turn, 6), 1))
        busy = [subprocess.Popen(loop) for _ in range(2)]
        try:
            beside, _ = asyncio.run(ask_all(running, prompts(40 + turn, 6), 1))
        finally:
            for process in busy:
                process.kill()
                process.wait()
        shares.append(beside / alone)
        print(f"  one client: {alone:.1f} tokens/s alone, {beside:.1f} beside two busy loops", flush=True)
    print(f"burners: keeps {statistics.median(shares):.2f} ({min(shares):.2f}-{max(shares):.2f}) of its rate")


def main():
    kinds = {f.__name__: f for f in (throughput, first, streams, long_prompt, burners)}
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--prompts", type=int, default=96)
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--only", default=",".join(kinds))
    p.add_argument("--target", default="penstock-text")
    a = p.parse_args()
    running = load.Running(a.target)
    try:
        asyncio.run(ask_all(running, prompts(99, 4), 2, 8))          # a warm-up that is not counted
        for kind in a.only.split(","):
            kinds[kind](running, a)
    finally:
        running.stop()


if __name__ == "__main__":
    main()
