"""What the tests of the Python module share. They run against an installed wheel, never the source tree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import penstock
import pytest

SOURCE = Path(os.environ["PENSTOCK_SOURCE"])
TINY = str(SOURCE / "tests/fixtures/tiny/tiny.gguf")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def tiny_set():
    """The text pipeline over a model of some kilobytes; ids of 8 tokens, always the same."""
    return {"model": TINY, "decode.max_new_tokens": 8, "decode.ignore_eos": True, "batch.max_sequences": 64}


@pytest.fixture(scope="session")
def tiny(tiny_set):
    with penstock.open("gemma_text.yaml", set=tiny_set) as pipeline:
        yield pipeline


@pytest.fixture
def own(tiny_set):
    """A pipeline that the test may close."""
    with penstock.open("gemma_text.yaml", set=tiny_set, max_in_flight=4) as pipeline:
        yield pipeline


@pytest.fixture(scope="session")
def run_lines():
    """What the program pipeline-run of the wheel prints with --json."""
    def run(file, *arguments, stdin=None):
        ended = subprocess.run([BIN / "pipeline-run", file, "--json", "--quiet", *map(str, arguments)], input=stdin,
                               capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        for line in lines:
            for name in ("timing", "device", "device_why", "dtype"):
                line.pop(name, None)
        return lines
    return run


@pytest.fixture(scope="session")
def python():
    """Runs a program in a Python of its own; gives how it ended."""
    def run(code, **environment):
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False,
                              env={**os.environ, "TINY": TINY, **environment})
    return run


OPEN = """
import os, penstock
p = penstock.open("gemma_text.yaml", set={"model": os.environ["TINY"], "decode.max_new_tokens": 8,
                                          "decode.ignore_eos": True})
"""
# Seconds of work, all of which a test means to end early: 64 answers to the end of the context.
LONG = {"max_new_tokens": 500, "n": 64, "temperature": 1, "logprobs": 20}
