"""The examples do what they say, as programs of their own: against a cluster that is there, and one that they make."""

import json
import os
import subprocess
import sys

import httpx
import pyarrow.parquet
import pytest
from cluster import until
from conftest import SOURCE, TINY

EXAMPLES = SOURCE / "examples/10_ray"


def run(name, *arguments, **environment):
    ended = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True,
                           check=False, env={**os.environ, **environment})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.full
def test_a_table(nodes, tmp_path):
    texts = ["hello", "x " * 100000, "there"]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    lines = run("table.py", tmp_path / "in.jsonl", tmp_path / "out", TINY, RAY_ADDRESS=nodes.cluster.address)
    assert lines[0] == "2 rows answered, 1 failed" and lines[1].startswith("{'text': 'hello', 'answer': ")


def test_a_job(nodes, write_rows, tmp_path):
    path = write_rows(100)
    for before in (0, 1):
        line, = run("job.py", path, tmp_path / "out", TINY, RAY_ADDRESS=nodes.cluster.address)
        assert line == (f"1 parts, {before} of them from before; {100 * (1 - before)} rows now, 0 with an error")
    assert pyarrow.parquet.read_table(tmp_path / "out").num_rows == 100


@pytest.mark.full
def test_serving_on_a_cluster_of_its_own():
    server = subprocess.Popen([sys.executable, EXAMPLES / "serve.py"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={**os.environ, "MODEL": TINY, "PORT": "8124"})
    question = {"model": "gemma_chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8}

    def answers():
        assert server.poll() is None
        try:
            return httpx.post("http://127.0.0.1:8124/v1/chat/completions", json=question, timeout=30)
        except httpx.HTTPError:
            return None
    try:
        until(lambda: (answer := answers()) is not None and answer.status_code == 200, 120)
        assert answers().json()["choices"][0]["message"]["content"]
    finally:
        server.terminate()
        server.wait(60)
