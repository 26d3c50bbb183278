#!/usr/bin/env python3
"""Load on one server, or on two in turns (A B A B) for a ratio of one run.

    compare_llama_server.py --a llama-server --b penstock --clients 1,8,32 --rounds 2

--a and --b are targets of tests/serve/conformance (a name or a .toml file; the server is
started and stopped) or a URL of one that runs, as http://127.0.0.1:8080=MODEL.

Workloads (--workload, several with commas):
  mixed     prompts of 32 to 512 tokens from a book, each asked once; 64 new tokens
  short     prompts of about 16 tokens; 64 new tokens
  prefix    one beginning of 400 tokens, endings of about 24; 32 new tokens
  chat      conversations of 4 turns; each turn carries all turns before; 32 new tokens a turn
Closed loop: C clients, each sends its next request when its last has ended.
Open loop (--rate R): requests arrive at R a second (Poisson), whether others have ended or not.

A token is counted as the server counts it (usage); times are of the events as they arrive
on the socket. The load generator's own CPU share is measured and said (gen), and what all
other programs of the machine took meanwhile (others, in cores): a run beside a compiler says
little. --quiet S waits up to S seconds before each run until the others take less than 0.3.
"""
import argparse
import asyncio
import json
import os
import pathlib
import random
import resource
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/serve/conformance"))
from servekit import Server, Target  # noqa: E402
from servekit.target import expand  # noqa: E402


class Running:
    """A server that is there: started here, or named by its URL."""

    def __init__(self, text):
        self.server = None
        if text.startswith("http://"):
            url, _, model = text.partition("=")
            self.name, self.url, self.model, self.chat = url, url, model, model
            host, _, port = url.split("//")[1].partition(":")
            self.host, self.port = host, int(port)
        else:
            target = Target(text)
            self.server = Server(target)
            self.name, self.url = target.name, self.server.url
            self.host, self.port = self.server.host, self.server.port
            self.model, self.chat = target.model("text"), target.model("chat")
        self.extra = {}

    def stats(self):
        return self.server.stats() if self.server else {"rss": 0, "cpu": 0.0}

    def stop(self):
        if self.server:
            self.server.stop()


# ---------------------------------------------------------------- the client

class Line:
    """One HTTP/1.1 connection with just what a streaming POST needs; a small part of a core
    where a full client takes half of one."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.reader = self.writer = None

    async def post(self, path, payload, on_event):
        """Calls on_event(time, data bytes) for each event; returns the status."""
        for attempt in (0, 1):
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
            body = json.dumps(payload).encode()
            self.writer.write(b"POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                              % (path.encode(), self.host.encode(), self.port, len(body), body))
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()                     # the server had closed an idle connection
                if attempt:
                    raise
        status = int(head[9:12])
        low = head.lower()
        chunked = b"transfer-encoding: chunked" in low
        buffer = b""
        try:
            if chunked:
                while True:
                    size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
                    data = await self.reader.readexactly(size + 2)
                    if not size:
                        break
                    now = time.perf_counter()
                    buffer += data[:-2]
                    while b"\n\n" in buffer:
                        event, buffer = buffer.split(b"\n\n", 1)
                        if event.startswith(b"data: "):
                            on_event(now, event[6:])
            elif b"content-length:" in low:
                await self.reader.readexactly(int(low.split(b"content-length:")[1].split(b"\r\n")[0]))
            else:
                while True:
                    data = await self.reader.read(65536)
                    if not data:
                        break
                    now = time.perf_counter()
                    buffer += data
                    while b"\n\n" in buffer:
                        event, buffer = buffer.split(b"\n\n", 1)
                        if event.startswith(b"data: "):
                            on_event(now, event[6:])
                self.close()
                return status
        except BaseException:
            self.close()
            raise
        if b"connection: close" in low:
            self.close()
        return status

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Log:
    def __init__(self):
        self.ttft, self.gaps, self.latency = [], [], []
        self.tokens = self.prompt_tokens = self.cached_tokens = self.done = 0
        self.errors = {}

    def error(self, what):
        self.errors[what] = self.errors.get(what, 0) + 1


async def one(line, running, path, payload, log, start=None):
    """One streamed request; returns its text (None where it failed)."""
    begin = start if start is not None else time.perf_counter()
    times, pieces, tail = [], [], []

    def on_event(now, data):
        # Only what is needed is parsed: events with text are many, their JSON is not looked at.
        if data == b"[DONE]":
            return
        if b'"usage":{' in data or b'"usage": {' in data or b'"error"' in data:
            tail.append(data)
        if b'"choices":[]' not in data and b'"choices": []' not in data:
            times.append(now)
            pieces.append(data)

    try:
        status = await asyncio.wait_for(line.post(path, payload, on_event), 300)
    except Exception as error:  # noqa: BLE001 each kind is counted
        log.error(type(error).__name__)
        line.close()
        return None
    if status != 200 or not times:
        log.error(f"status {status}")
        return None
    usage = None
    for data in tail:
        value = json.loads(data)
        usage = value.get("usage") or usage
        if "error" in value:
            log.error("error event")
            return None
    texts, first = [], None
    for now, data in zip(times, pieces):
        choice = json.loads(data)["choices"][0]
        text = choice.get("text") or (choice.get("delta") or {}).get("content")
        if text:
            texts.append((now, text))
            first = first or now
    if not texts:
        log.error("no text")
        return None
    log.ttft.append(first - begin)
    log.gaps += [b[0] - a[0] for a, b in zip(texts, texts[1:])]
    log.latency.append(times[-1] - begin)
    log.tokens += usage["completion_tokens"] if usage else len(texts)
    log.prompt_tokens += usage["prompt_tokens"] if usage else 0
    log.cached_tokens += ((usage or {}).get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    log.done += 1
    return "".join(t for _, t in texts)


# ---------------------------------------------------------------- the work

class Work:
    """Makes requests; the same seed makes the same ones for both servers."""

    def __init__(self, kind, book, seed, new_tokens):
        self.kind, self.random, self.words = kind, random.Random(seed), book.split()
        self.new = new_tokens or (32 if kind in ("prefix", "chat") else 64)

    def passage(self, tokens):
        """About so many tokens: a word of this book is 1.35 tokens of Gemma's."""
        count = max(4, round(tokens / 1.35))
        at = self.random.randrange(0, len(self.words) - count)
        return " ".join(self.words[at:at + count])

    def jobs(self):
        """Endless: lists of steps; a step is a function of the texts answered so far."""
        beginning = self.passage(400)
        while True:
            if self.kind == "mixed":
                prompt = self.passage(self.random.choice((32, 64, 128, 256, 512)))
                yield [lambda _, p=prompt: ("/v1/completions", {"prompt": p})]
            elif self.kind == "short":
                prompt = self.passage(16)
                yield [lambda _, p=prompt: ("/v1/completions", {"prompt": p})]
            elif self.kind == "prefix":
                prompt = beginning + "\n\n" + self.passage(24)
                yield [lambda _, p=prompt: ("/v1/completions", {"prompt": p})]
            elif self.kind == "chat":
                says = [self.passage(40) for _ in range(4)]

                def turn(answers, k, says=says):
                    messages = []
                    for i in range(k):
                        messages += [{"role": "user", "content": says[i]}, {"role": "assistant", "content": answers[i]}]
                    return "/v1/chat/completions", {"messages": messages + [{"role": "user", "content": says[k]}]}
                yield [lambda answers, k=k: turn(answers, k) for k in range(4)]
            else:
                raise SystemExit(f"unknown workload {self.kind}")


async def run_job(line, running, work, job, log, ignore_eos, arrival=None):
    answers = []
    for step in job:
        path, payload = step(answers)
        payload |= {"model": running.chat if "chat" in path else running.model, "max_tokens": work.new, "temperature": 0,
                    "stream": True, "stream_options": {"include_usage": True}}
        if ignore_eos:
            payload["ignore_eos"] = True
        text = await one(line, running, path, payload, log, arrival)
        arrival = None
        if text is None:
            return
        answers.append(text)


def busy():
    """Seconds of CPU that the whole machine has used."""
    fields = [int(v) for v in open("/proc/stat").readline().split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


def wait_quiet(seconds):
    """Waits until two seconds in a row are quiet; says False where they never were."""
    end = time.monotonic() + seconds
    calm = 0
    while calm < 2 and time.monotonic() < end:
        before = busy()
        time.sleep(1)
        calm = calm + 1 if busy() - before < 0.3 else 0
    return calm >= 2


async def measure(running, kind, book, clients, seconds, jobs, rate, seed, new_tokens, ignore_eos):
    work = Work(kind, book, seed, new_tokens)
    source = work.jobs()
    log = Log()
    before, own_before, all_before = running.stats(), resource.getrusage(resource.RUSAGE_SELF), busy()
    begin = time.perf_counter()
    left = [jobs]
    peak = [0]

    async def watch():
        while True:
            peak[0] = max(peak[0], running.stats()["rss"])
            await asyncio.sleep(1)

    watcher = asyncio.create_task(watch())
    if rate:
        pending = []
        lines = [Line(running.host, running.port) for _ in range(256)]
        free = asyncio.Queue()
        for line in lines:
            free.put_nowait(line)
        arrivals = random.Random(seed + 1)

        async def arrive(job, at):
            line = await free.get()
            await run_job(line, running, work, job, log, ignore_eos, at)
            free.put_nowait(line)

        for _ in range(min(jobs, int(rate * seconds) + 1)):
            pending.append(asyncio.create_task(arrive(next(source), time.perf_counter())))
            await asyncio.sleep(arrivals.expovariate(rate))
        await asyncio.gather(*pending)
    else:
        lines = [Line(running.host, running.port) for _ in range(clients)]

        async def client(line):
            while left[0] > 0 and time.perf_counter() - begin < seconds:
                left[0] -= 1
                await run_job(line, running, work, next(source), log, ignore_eos)

        await asyncio.gather(*[client(line) for line in lines])
    took = time.perf_counter() - begin
    watcher.cancel()
    for line in lines:
        line.close()
    after, own_after = running.stats(), resource.getrusage(resource.RUSAGE_SELF)
    cpu = (after["cpu"] - before["cpu"]) / took
    own = (own_after.ru_utime + own_after.ru_stime - own_before.ru_utime - own_before.ru_stime) / took
    return {"server": running.name, "workload": kind, "clients": clients if not rate else None, "rate": rate, "s": round(took, 2),
            "requests": log.done, "errors": log.errors, "req_s": log.done / took, "tok_s": log.tokens / took,
            "prompt_tok_s": log.prompt_tokens / took, "cached_share": log.cached_tokens / max(1, log.prompt_tokens),
            "ttft": quantiles(log.ttft), "itl": quantiles(log.gaps), "latency": quantiles(log.latency),
            "rss_mb": max(peak[0], after["rss"]) / 1e6, "cpu": cpu, "generator_cpu": own,
            "others_cpu": max(0.0, (busy() - all_before) / took - cpu - own)}


def quantiles(values):
    if not values:
        return {}
    values = sorted(values)

    def at(q):
        return values[min(len(values) - 1, int(q * len(values)))] * 1000
    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": values[-1] * 1000}


HEAD = f"{'server':18} {'work':7} {'C':>5} {'req':>4} {'err':>3} {'req/s':>6} {'tok/s':>7} {'in tok/s':>8} {'cache':>5} {'TTFT ms p50/p95/p99':>22} {'between ms p50/p95/p99':>24} {'MB':>6} {'cpu':>5} {'gen':>5} {'others':>6}"


def show(r):
    three = lambda d: "/".join(f"{d.get(k, 0):.0f}" if d.get(k, 0) >= 20 else f"{d.get(k, 0):.1f}" for k in ("p50", "p95", "p99"))  # noqa: E731
    load = str(r["clients"]) if r["clients"] else f"{r['rate']}/s"
    print(f"{r['server'][:18]:18} {r['workload']:7} {load:>5} {r['requests']:4} {sum(r['errors'].values()):3} {r['req_s']:6.2f} {r['tok_s']:7.1f} "
          f"{r['prompt_tok_s']:8.1f} {r['cached_share']:5.2f} {three(r['ttft']):>22} {three(r['itl']):>24} {r['rss_mb']:6.0f} {r['cpu']:5.2f} {r['generator_cpu']:5.2f} {r['others_cpu']:6.2f}"
          + (f"  {r['errors']}" if r["errors"] else ""), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--a", required=True)
    p.add_argument("--b")
    p.add_argument("--workload", default="mixed")
    p.add_argument("--clients", default="1,8,32")
    p.add_argument("--rate", type=float, default=0, help="open loop: requests a second")
    p.add_argument("--seconds", type=float, default=20, help="no new request after so long")
    p.add_argument("--jobs", type=int, default=0, help="at most so many requests (conversations) a run; 0: 12 and 4 for each client")
    p.add_argument("--new", type=int, default=0, help="new tokens; 0: the workload's own")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--quiet", type=float, default=0, help="seconds to wait for a quiet machine before each run")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--no-ignore-eos", action="store_true", help="for servers that refuse the option ignore_eos")
    p.add_argument("--book", default="${PENSTOCK_CACHE:-~/.cache/penstock}/sentencepiece-0.2.1/share/botchan.txt")
    p.add_argument("--json")
    a = p.parse_args()
    try:
        import uvloop
        runner = uvloop.run
    except ImportError:
        runner = asyncio.run
    os.nice(1)
    book = pathlib.Path(expand(a.book)).expanduser().read_text(encoding="utf-8-sig")
    servers = [Running(a.a)] + ([Running(a.b)] if a.b else [])
    if len(servers) > 1 and servers[0].name == servers[1].name:
        servers[1].name += " (b)"
    results = []
    loads = [0] if a.rate else [int(c) for c in a.clients.split(",")]
    try:
        for running in servers:                      # a warm-up that is not counted
            runner(measure(running, "short", book, 2, 5, 4, 0, 99, 8, not a.no_ignore_eos))
        print(HEAD)
        for kind in a.workload.split(","):
            for clients in loads:
                for turn in range(a.rounds):
                    for running in servers:
                        if a.quiet and not wait_quiet(a.quiet):
                            print("(the machine is not quiet)", flush=True)
                        seed = a.seed + 1000 * turn + clients   # other texts each turn: no cache from the turn before
                        jobs = a.jobs or 12 + 4 * clients
                        r = runner(measure(running, kind, book, clients, a.seconds, jobs, a.rate, seed, a.new, not a.no_ignore_eos))
                        results.append(r)
                        show(r)
                if len(servers) > 1:
                    ratio(results, servers, kind, clients, a.rate)
    finally:
        for running in servers:
            running.stop()
        if a.json:
            pathlib.Path(a.json).write_text(json.dumps(results, indent=1) + "\n")
    worst = max((r["generator_cpu"] for r in results), default=0)
    print(f"load generator: {worst:.2f} of a core at most" + ("  (MORE THAN A THIRD: do not trust the numbers)" if worst > 0.34 else ""))


def ratio(results, servers, kind, clients, rate):
    """B to A, turn by turn (neighbours in time), the median of the turns."""
    rows = [[r for r in results if r["server"] == s.name and r["workload"] == kind and (r["clients"] or 0) == (0 if rate else clients)] for s in servers]
    out = []
    for name, get, better in (("tok/s", lambda r: r["tok_s"], 1), ("req/s", lambda r: r["req_s"], 1),
                              ("TTFT p50", lambda r: r["ttft"].get("p50"), -1), ("TTFT p95", lambda r: r["ttft"].get("p95"), -1),
                              ("between p50", lambda r: r["itl"].get("p50"), -1), ("between p99", lambda r: r["itl"].get("p99"), -1)):
        pairs = [get(b) / get(x) for x, b in zip(*rows) if get(x) and get(b)]
        if pairs:
            spread = f" ({min(pairs):.2f}-{max(pairs):.2f})" if len(pairs) > 1 else ""
            out.append(f"{name} {statistics.median(pairs):.2f}{spread}{'' if better > 0 else ' (less is better)'}")
    print(f"  {servers[1].name} / {servers[0].name}: " + ", ".join(out), flush=True)


if __name__ == "__main__":
    main()
