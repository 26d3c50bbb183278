"""What the tests of penstock.ray share. They run against an installed wheel, never the source tree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(os.environ["PENSTOCK_SOURCE"])
TINY = str(SOURCE / "tests/fixtures/tiny/tiny.gguf")
BIN = Path(sys.executable).parent
# The text pipeline over a model of some kilobytes; 8 tokens a row, always the same.
SET = {"model": TINY, "decode.max_new_tokens": 8, "decode.ignore_eos": True}


@pytest.fixture(scope="session")
def nodes():
    from cluster import Nodes
    made = Nodes(3)
    yield made
    made.close()


@pytest.fixture(scope="session")
def run_lines():
    """What the program pipeline-run of the wheel prints for a file of JSON lines."""
    def run(file, path, settings):
        overrides = [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}"
                     for key, value in settings.items()]
        ended = subprocess.run([BIN / "pipeline-run", file, "--json", "--quiet", "--jsonl", path, *overrides],
                               capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]
    return run


@pytest.fixture
def write_rows(tmp_path):
    """A file of prompts as JSON lines."""
    def write(count, name="rows.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps({"id": f"r{number}", "text": f"hello {number} there"}) + "\n"
                                for number in range(count)))
        return path
    return write
