"""What the one who runs the server does: files that change, traces, times, a kill."""
import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

import httpx
import pytest

from servekit import checks, sse
from servekit.server import Server, _end_with_me, free_port
from servekit.target import expand

STORY = "Once upon a time there was a king who had three sons, and"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Alone(Server):
    """pipeline-serve with files and arguments of its own: {dir} and {port} are filled in."""

    def __init__(self, target, files=None, arguments=(), socket=False):
        self.target, self.variant, self.socket = target, "", socket
        self.dir = tempfile.TemporaryDirectory(prefix="serve-test-")
        self.folder = pathlib.Path(self.dir.name)
        self.host, self.port = "127.0.0.1", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for name, text in (files or {}).items():
            self.put(name, text)
        self.arguments = [a.format(dir=self.dir.name, port=self.port) for a in arguments]
        self.start()

    def put(self, name, text):
        (self.folder / name).write_text(text)

    def start(self):
        """Again, where it was killed. Seconds until it was ready."""
        begin = time.monotonic()
        self.log_path = self.folder / "log"
        self.log = open(self.log_path, "ab")
        command = [expand(self.target.start["command"][0]), *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=_end_with_me)
        if self.socket:
            self.wait_socket(30)
        else:
            self.wait_ready(60)
        return time.monotonic() - begin

    def client(self):
        path = str(self.folder / "socket")
        return httpx.Client(transport=httpx.HTTPTransport(uds=path), base_url="http://x", timeout=30)

    def wait_socket(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.tail()
            try:
                with self.client() as client:
                    if client.get("/health").status_code == 200:
                        return
            except httpx.HTTPError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"not ready after {seconds} s:\n{self.tail()}")

    def hang_up(self, text):
        """SIGHUP, and waits until the log says `text` once more."""
        before = self.tail(1 << 20).count(text)
        self.signal(signal.SIGHUP)
        end = time.monotonic() + 30
        while self.tail(1 << 20).count(text) == before:
            assert time.monotonic() < end, f"the log never says {text!r}:\n{self.tail()}"
            time.sleep(0.02)


@pytest.fixture
def alone(target):
    if target.url or target.name != "penstock":
        pytest.skip("is about pipeline-serve's own flags")
    started = []

    def start(*args, **kwargs):
        started.append(Alone(target, *args, **kwargs))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def pipeline(name, tokens=64, more=""):
    folder = pathlib.Path(expand("${PIPELINES:-pipelines}"))
    text = (folder / "gemma_text.yaml").read_text()
    text = text.replace("name: gemma_text", f"name: {name}")
    return text.replace("max_new_tokens: 64", f"max_new_tokens: {tokens}{more}")


def ask(server, model, **more):
    body = {"model": model, "prompt": STORY, "temperature": 0, **more}
    return httpx.post(server.url + "/v1/completions", json=body, timeout=60)


def threads_of(server):
    return server.stats()["threads"]


def names(server):
    return [m["id"] for m in httpx.get(server.url + "/v1/models").json()["data"]]


def test_files_are_read_again_and_no_request_is_lost(alone):
    """From: the issue (SIGHUP re-reads keys and files without losing a request)."""
    server = alone({"a.yaml": pipeline("a"), "b.yaml": pipeline("b", 7), "serve.yaml": "pipelines: {a: a.yaml, b: b.yaml}\n"},
                   ["--config", "{dir}/serve.yaml", "--port", "{port}"])
    whole = ask(server, "a", max_tokens=300).json()["choices"][0]["text"]
    threads = threads_of(server)
    stop, answers = threading.Event(), []

    def keep_asking():
        while not stop.is_set():
            answers.append(ask(server, "a", max_tokens=3))

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(keep_asking) for _ in range(3)]
        body = {"model": "a", "prompt": STORY, "temperature": 0, "max_tokens": 300, "stream": True}
        with httpx.stream("POST", server.url + "/v1/completions", json=body, timeout=60) as answer:
            events = sse.Stream(answer)
            assert next(iter(events))
            server.put("a.yaml", pipeline("a", 5))
            server.put("c.yaml", pipeline("c", 9))
            server.put("serve.yaml", "pipelines: {a: a.yaml, c: c.yaml}\n")
            server.hang_up("read again: added c; changed a; removed b")
            assert names(server) == ["a", "c"]
            assert ask(server, "a").json()["usage"]["completion_tokens"] == 5
            assert ask(server, "c").json()["usage"]["completion_tokens"] == 9
            checks.error(ask(server, "b"), 404, code="model_not_found")
            events.all()
        stop.set()
        for each in askers:
            each.result()
    chunks = sse.chunks(events.events)
    assert sse.text_of(chunks) == whole and sse.finish_of(chunks) == "length"
    assert len(answers) > 3 and {a.status_code for a in answers} == {200}
    end = time.monotonic() + 10
    while threads_of(server) > threads and time.monotonic() < end:
        time.sleep(0.05)
    assert threads_of(server) <= threads, "the pipelines that were replaced are still there"


def test_a_file_that_is_wrong_changes_nothing(alone):
    """From: the issue (the log says what is wrong, with file, line and column; everything stays as it was)."""
    server = alone({"a.yaml": pipeline("a", 5), "keys": "one\n",
                    "serve.yaml": "pipelines: {a: a.yaml}\n"},
                   ["--config", "{dir}/serve.yaml", "--port", "{port}", "--api-key-file", "{dir}/keys",
                    "--access-log", "{dir}/access"])
    key = {"Authorization": "Bearer one"}

    def works():
        body = {"model": "a", "prompt": STORY, "temperature": 0}
        answer = httpx.post(server.url + "/v1/completions", json=body, headers=key, timeout=30)
        assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] == 5

    works()
    server.put("keys", "two\n")                      # not taken over while a file is wrong
    server.put("a.yaml", pipeline("a", 6, more=", top_q: 3"))
    server.hang_up("everything stays as it was")
    assert re.search(r"a\.yaml:\d+:\d+: .*top_q", server.tail()), server.tail()
    works()
    server.put("a.yaml", pipeline("a", 6))
    server.put("serve.yaml", "pipelines: {a: a.yaml}\nmax_quue: 3\n")
    server.hang_up("everything stays as it was")
    assert re.search(r"serve\.yaml:2:1: .*max_quue", server.tail()), server.tail()
    works()
    server.put("serve.yaml", "pipelines: {a: a.yaml}\nmax_queue: 3\nmax_body: 2000\n")
    server.put("a.yaml", pipeline("a", 5).replace("model: gemma-3-270m", "model: /none/such.gguf"))
    server.hang_up("everything stays as it was")     # every file is right, but it cannot be opened
    works()
    server.put("a.yaml", pipeline("a", 5))
    log = server.folder / "access"
    assert json.loads(log.read_text().splitlines()[-1])["client"] == "key 1"
    log.rename(server.folder / "access.1")           # as logrotate does
    server.hang_up("only a restart takes over: max_queue")
    assert httpx.get(server.url + "/v1/models", headers=key).status_code == 401
    key["Authorization"] = "Bearer two"
    works()
    body = {"model": "a", "prompt": "x" * 3000}
    assert httpx.post(server.url + "/v1/completions", json=body, headers=key).status_code == 413
    assert '"status":401' in log.read_text()


def test_a_trace_names_the_clients(alone):
    """From: W3C Trace Context, 3.2 (traceparent), 3.2.2.3 and 3.2.2.4 (what is invalid is as if it were not there)."""
    server = alone(None, [expand("${PIPELINES:-pipelines}/gemma_text.yaml"), "--port", "{port}",
                          "--trace", "{dir}/trace.json", "--access-log", "{dir}/access"])
    good = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    bad = {"traceparent": f"00-{TRACE}-{'0' * 16}-01"}
    body = {"model": "gemma_text", "prompt": STORY, "temperature": 0, "max_tokens": 4}
    ids = []
    for headers in (good, bad):
        answer = httpx.post(server.url + "/v1/completions", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200
        ids.append(answer.headers["x-request-id"])
    server.signal()
    assert server.process.wait(30) == 0
    lines = [json.loads(line) for line in (server.folder / "access").read_text().splitlines()]
    logged = {line["id"]: line for line in lines}
    assert logged[ids[0]]["trace_id"] == TRACE and logged[ids[0]]["parent_id"] == PARENT
    assert "trace_id" not in logged[ids[1]]
    events = json.loads((server.folder / "trace.json").read_text())["traceEvents"]
    own = [e for e in events if e.get("args", {}).get("trace_id") == TRACE]
    assert {e["name"] for e in own} == {"request", "queue", "prompt", "answer"}
    assert all(e["args"]["request"] == ids[0] and e["args"]["parent_id"] == PARENT for e in own)
    other = [e for e in events if e.get("args", {}).get("request") == ids[1]]
    assert len(other) == 4 and not any("trace_id" in e["args"] for e in other)
    steps = [e for e in events if e["name"] == "forward"
             and ids[0] in [s["id"] for s in e["args"]["sequences"]]]
    begin = min(e["ts"] for e in own)
    ends = [e["ts"] for e in events if e.get("id") == ids[0] and e["ph"] == "e"]
    assert len(steps) == 4, steps           # one has the prompt, each gives a token
    assert all(begin <= s["ts"] and s["ts"] + s["dur"] <= max(ends) + 1000 for s in steps)


def test_times_on_demand(server, text_model):
    """From: W3C Server Timing (metrics "name;dur=ms"); complaint: where did the time of my request go?"""
    body = {"model": text_model, "prompt": STORY, "temperature": 0, "max_tokens": 8}
    url = server.url + "/v1/completions"
    plain = httpx.post(url, json=body, timeout=30)
    assert "server-timing" not in plain.headers
    begin = time.monotonic()
    answer = httpx.post(url, json=body, headers={"x-penstock-timing": "1"}, timeout=30)
    took = (time.monotonic() - begin) * 1000

    def times(text):
        return {part.split(";")[0]: float(part.split("=")[1]) for part in text.split(", ")}

    got = times(answer.headers["server-timing"])
    assert list(got) == ["queue", "prompt", "first_token", "total"], got
    assert 0 < got["prompt"] <= got["first_token"] < got["total"] <= took, (got, took)
    with httpx.stream("POST", url, json={**body, "stream": True}, headers={"x-penstock-timing": "1"}, timeout=30) as stream:
        events = sse.Stream(stream)
        events.all()
    sse.chunks(events.events)
    last = events.raw.decode().rstrip("\n").split("\n")[-1]
    assert last.startswith(": timing "), last
    assert set(times(last[len(": timing "):])) == set(got)
    checks.error(httpx.post(url, json=body, headers={"x-penstock-timing": "yes"}), 400)
    refused = httpx.post(url, json={**body, "model": "none"}, headers={"x-penstock-timing": "1"})
    assert list(times(refused.headers["server-timing"])) == ["total"]


def test_usage_tells_what_was_cached(server, target, chat_model, text_model):
    """From: OpenAI API reference, usage.prompt_tokens_details.cached_tokens; vLLM docs, prefix_cache_queries and _hits."""
    prompt = "The following list of words is long. " + ", ".join(f"word {i}" for i in range(60))
    names = ["penstock_prefix_cache_queries_total", "penstock_prefix_cache_hits_total"]
    before = [checks.metric(httpx.get(server.url + "/metrics").text, n) for n in names]
    body = {"model": text_model, "prompt": prompt, "temperature": 0, "max_tokens": 8}
    first, second = (httpx.post(server.url + "/v1/completions", json=body, timeout=30).json() for _ in range(2))
    after = [checks.metric(httpx.get(server.url + "/metrics").text, n) for n in names]
    assert first["choices"][0]["text"] == second["choices"][0]["text"]
    count = second["usage"]["prompt_tokens"]
    cached = [u["usage"]["prompt_tokens_details"]["cached_tokens"] for u in (first, second)]
    assert cached[0] <= 1 < cached[1] < count, (cached, count)
    assert cached[1] > 0.5 * count
    assert after[0] - before[0] == 2 * count and after[1] - before[1] == sum(cached)
    chat = {"model": chat_model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 2, "temperature": 0}
    usages = [httpx.post(server.url + "/v1/chat/completions", json=chat, timeout=30).json()["usage"] for _ in range(2)]
    assert usages[1]["prompt_tokens_details"]["cached_tokens"] > 100
    asked = {"model": chat_model, "input": prompt, "max_output_tokens": 2, "temperature": 0}
    usage = httpx.post(server.url + "/v1/responses", json=asked, timeout=30).json()["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] > 100


def test_tokens_are_counted_as_they_come(server, target, text_model):
    """From: the issue (tokens/s live); vLLM docs, generation_tokens (counted at each step, not at the end)."""
    name = target.metrics["generation_tokens"]
    body = {"model": text_model, "prompt": STORY, "temperature": 0, "max_tokens": 300, "stream": True}
    begin = checks.metric(httpx.get(server.url + "/metrics").text, name)
    seen = set()
    with httpx.stream("POST", server.url + "/v1/completions", json=body, timeout=60) as answer:
        events = sse.Stream(answer)
        for count, _ in enumerate(events):
            if count % 50 == 10:
                seen.add(checks.metric(httpx.get(server.url + "/metrics").text, name) - begin)
    assert len(seen) > 3 and max(seen) <= 300, seen
    assert checks.metric(httpx.get(server.url + "/metrics").text, name) - begin == 300


def test_killed_and_started_again(alone):
    """From: the issue (kill -9 and start again); complaint: "address in use" of a socket file that nobody listens on."""
    server = alone(None, [expand("${PIPELINES:-pipelines}/gemma_text.yaml"), "--unix-socket", "{dir}/socket"], socket=True)
    socket = server.folder / "socket"
    second = subprocess.run([expand(server.target.start["command"][0]), *server.arguments], capture_output=True, text=True, timeout=30)
    assert second.returncode == 69 and "in use" in second.stderr, second
    assert socket.is_socket(), "the second took the first one's socket"
    for _ in range(2):
        server.process.kill()
        server.process.wait(10)
        assert socket.is_socket()
        assert server.start() < 5         # a second where nobody else computes
        with server.client() as client:
            answer = client.post("/v1/completions", json={"model": "gemma_text", "prompt": STORY, "max_tokens": 2})
        assert answer.status_code == 200
    server.signal()
    assert server.process.wait(30) == 0
    assert not socket.exists()
    socket.write_text("mine")
    third = subprocess.run([expand(server.target.start["command"][0]), *server.arguments], capture_output=True, text=True, timeout=30)
    assert third.returncode == 69 and "a file of that name" in third.stderr, third
    assert socket.read_text() == "mine"


def test_a_summary_at_the_end(alone):
    """From: the issue (--summary at the end: requests, tokens, rates, how long clients waited)."""
    server = alone(None, [expand("${PIPELINES:-pipelines}/gemma_text.yaml"), "--port", "{port}", "--summary"])
    for _ in range(3):
        assert ask(server, "gemma_text", max_tokens=20).status_code == 200
    server.signal()
    assert server.process.wait(30) == 0
    log = server.tail()
    assert "gemma_text: 3 requests, 0 failed, 0 cancelled, 0 refused" in log
    found = re.search(r"(\d+) prompt tokens \((\d+) found computed\), 60 generated in ([\d.]+) s \(([\d.]+)/s\), "
                      r"first output p50 ([\d.]+) ms, p95 ([\d.]+) ms, between outputs p50 ([\d.]+) ms", log)
    assert found, log
    assert int(found[2]) < int(found[1]) and abs(float(found[4]) * float(found[3]) - 60) < 15
    assert 0 < float(found[5]) <= float(found[6])
