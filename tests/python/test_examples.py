"""The examples do what they say."""

import importlib.util
import json
import os
import subprocess
import sys

import pandas
from conftest import SOURCE, TINY
from fastapi.testclient import TestClient

EXAMPLES = SOURCE / "examples/07_python"


def test_a_table_is_completed(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pandas.DataFrame({"text": ["hello", "x " * 100000, "there"]}).to_csv(source, index=False)
    ended = subprocess.run([sys.executable, EXAMPLES / "batch.py", source, target, TINY], capture_output=True,
                           text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "2 rows answered, 1 failed\n"
    table = pandas.read_csv(target)
    assert table["answer"].notna().tolist() == [True, False, True]
    assert "in stage 'preprocess'" in table["error"][1]


def test_a_handler_answers_and_streams(monkeypatch, tiny):
    monkeypatch.setenv("MODEL", TINY)
    spec = importlib.util.spec_from_file_location("web", EXAMPLES / "web.py")
    web = importlib.util.module_from_spec(spec)
    sys.modules["web"] = web
    spec.loader.exec_module(web)
    question = {"text": "hello there", "max_new_tokens": 6}
    want = tiny("hello there", max_new_tokens=6, ignore_eos=False).text
    with TestClient(web.app) as client:
        assert client.post("/answer", json=question).json()["text"] == want
        assert client.post("/stream", json=question).text == want
        assert client.post("/answer", json={"text": "x " * 100000}).status_code == 400


def test_the_cells_run():
    ended = subprocess.run([sys.executable, EXAMPLES / "foundations.py"], capture_output=True, text=True,
                           env={**os.environ, "MODEL": TINY}, check=False)
    assert ended.returncode == 0, ended.stderr
    padded, cached = (json.loads(line.split(" s ")[1]) for line in ended.stdout.splitlines()
                      if line.startswith("gemma_"))
    # Noise has near ties, and the two compute in other shapes: the first tokens are far from any.
    assert [ids[:3] for ids in padded] == [ids[:3] for ids in cached]
    assert all(len(ids) == 8 for ids in padded + cached)


def test_a_stage_in_python():
    ended = subprocess.run([sys.executable, EXAMPLES / "own_stage.py"], capture_output=True, text=True,
                           env={**os.environ, "MODEL": TINY}, check=False)
    assert ended.returncode == 0, ended.stderr
    first, second = ended.stdout.split("rank 2: ")
    assert first.startswith("rank 1: ") and first.removeprefix("rank 1: ") != second
