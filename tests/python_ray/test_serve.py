"""penstock.ray.serve_app: pipeline-serve's routes behind Ray Serve."""

import json
import os
import signal

import httpx
import penstock
import penstock.ray
import psutil
import pytest
from cluster import until
from conftest import SET, TINY

URL = "http://127.0.0.1:8123"


@pytest.fixture(scope="module")
def app(nodes):
    from ray import serve
    # The nodes share this machine's ports.
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": 8123})
    serve.run(penstock.ray.serve_app("gemma_text.yaml", "talk=gemma_chat.yaml", replicas=2, max_ongoing_requests=8,
                                     health_check_period_s=1, set={
                                         "gemma_text.model": TINY, "talk.model": TINY,
                                         "gemma_text.decode.ignore_eos": True, "talk.decode.ignore_eos": True}))
    yield serve
    serve.shutdown()


def events(lines):
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def test_completions_as_the_pipeline_gives_them(app):
    question = {"model": "gemma_text", "prompt": "hello there", "max_tokens": 8, "temperature": 0}
    with penstock.open("gemma_text.yaml", set=SET) as pipeline:
        want = pipeline("hello there").text
    answer = httpx.post(f"{URL}/v1/completions", json=question, timeout=60)
    assert answer.json()["choices"][0]["text"] == want
    assert {model["id"] for model in httpx.get(f"{URL}/v1/models").json()["data"]} == {"gemma_text", "talk"}


def test_chat_is_streamed_as_it_comes(app):
    question = {"model": "talk", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 300, "stream": True,
                "temperature": 0}
    with httpx.stream("POST", f"{URL}/v1/chat/completions", json=question, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = [event for event in events(answer.iter_lines()) if event["choices"]]
    assert len(told) > 3
    text = "".join(event["choices"][0]["delta"].get("content") or "" for event in told)
    whole = httpx.post(f"{URL}/v1/chat/completions", json={**question, "stream": False}, timeout=60).json()
    assert text == whole["choices"][0]["message"]["content"]


def test_errors_are_those_of_the_server(app):
    answer = httpx.post(f"{URL}/v1/completions", json={"model": "nobody", "prompt": "x"})
    assert answer.status_code == 404 and "nobody" in answer.json()["error"]["message"]
    assert httpx.get(f"{URL}/nowhere").status_code == 404
    assert httpx.post(f"{URL}/v1/completions", content=b" " * (3 << 20)).status_code == 413


def servers():
    return [process for process in psutil.process_iter(["cmdline"]) if f"talk.model={TINY}" in
            (process.info["cmdline"] or ())]


def counted(name):
    """A metric of all servers together, as each tells of itself."""
    total = 0
    for process in servers():
        socket = process.info["cmdline"][process.info["cmdline"].index("--unix-socket") + 1]
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket)) as client:
            total += sum(float(line.split()[-1]) for line in client.get("http://localhost/metrics").text.splitlines()
                         if line.startswith(f"penstock_{name}{{"))
    return total


def test_a_client_that_goes_away_ends_its_request(app):
    # 320 answers, so that they are not over before Ray hands on the first piece.
    question = {"model": "gemma_text", "prompt": ["hello"] * 40, "max_tokens": 1900, "stream": True, "n": 8,
                "temperature": 1, "ignore_eos": True}
    before = counted("requests_cancelled_total")
    with httpx.stream("POST", f"{URL}/v1/completions", json=question, timeout=60) as answer:
        assert answer.status_code == 200
        next(answer.iter_raw())
    until(lambda: counted("requests_cancelled_total") > before, 10)
    until(lambda: counted("num_requests_running") == 0, 5)


def test_a_dead_server_is_replaced(app):
    before = {process.pid for process in servers()}
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len({process.pid for process in servers()}) == 2 and min(before) not in
          {process.pid for process in servers()}, 120)

    def answers():
        try:
            return all(httpx.get(f"{URL}/v1/models", timeout=5).status_code == 200 for _ in range(6))
        except httpx.HTTPError:
            return False
    until(answers, 60)


def test_what_cannot_be():
    with pytest.raises(penstock.Error, match="needs a pipeline"):
        penstock.ray.serve_app()
