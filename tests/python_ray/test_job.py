"""Exactly once: rows over three nodes, of which two are lost in the middle; drivers that are killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import penstock
import penstock.ray
import pyarrow.parquet
import pytest
from cluster import parts_of, until
from conftest import SET

ANYWHERE = {"engines": 3, "resources": {"engine": 1}, "part_bytes": 1 << 10}


def results(folder, kind="parquet"):
    """By id, and that none came twice."""
    rows = [row for path in parts_of(folder, kind) for row in (
        pyarrow.parquet.read_table(path).to_pylist() if kind == "parquet" else
        [json.loads(line) for line in path.read_text().splitlines()])]
    twice = [id for id, times in Counter(row["id"] for row in rows).items() if times > 1]
    assert twice == []
    return {row["id"]: row for row in rows}


def with_nodes_killed(nodes, folder, total, work):
    """Does the work, and kills a node when a third of the parts are there, and another when two thirds are."""
    made, failed = [], []

    def do():
        try:
            made.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    killed = 0
    for at in (0, 1):
        wanted = (at + 1) * total // 3
        until(lambda: len(parts_of(folder)) >= wanted or not thread.is_alive(), 600)
        if thread.is_alive():
            nodes.kill(at)
            killed += 1
    thread.join(900)
    assert not thread.is_alive() and failed == [], failed
    assert killed == 2, "it was over before a node could be killed"
    return made[0]


def run_with_losses(nodes, path, count, folder, run_lines, settings, **more):
    want = {line["id"]: line for line in run_lines("gemma_text.yaml", path, settings)}
    assert len(want) == count
    total = -(-os.path.getsize(path) // more["part_bytes"])
    wall, cpu = time.monotonic(), time.process_time()
    summary = with_nodes_killed(nodes, folder, total, lambda: penstock.ray.job(
        path, folder, "gemma_text.yaml", set=settings, **more))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(f"{count} rows in {total} parts: {wall:.0f} s with two nodes lost, {count / wall:.0f} rows/s; of them the "
          f"driver computed {cpu:.1f} s")
    rows = results(folder)
    assert rows.keys() == want.keys()
    assert all((row["answer"], row["token_ids"], row["error"]) == (want[id]["text"], want[id]["token_ids"], None)
               for id, row in rows.items())
    assert summary.parts == total and summary.errors == 0


def test_two_nodes_are_lost_and_no_row(nodes, write_rows, run_lines, tmp_path):
    settings = {**SET, "decode.max_new_tokens": 200}
    run_with_losses(nodes, write_rows(600), 600, tmp_path / "out", run_lines, settings, **ANYWHERE)


@pytest.mark.full
@pytest.mark.timeout(1500)
def test_two_nodes_of_ten_thousand_rows(nodes, write_rows, run_lines, tmp_path):
    settings = {**SET, "decode.max_new_tokens": 40}
    run_with_losses(nodes, write_rows(10000), 10000, tmp_path / "out", run_lines, settings,
                    **{**ANYWHERE, "part_bytes": 1 << 13})


def test_a_killed_driver_goes_on_where_it_stopped(nodes, write_rows, run_lines, tmp_path):
    path, folder = write_rows(200), tmp_path / "out"
    settings = {**SET, "decode.max_new_tokens": 100}
    code = ("import penstock.ray, ray; ray.init(address='auto'); "
            f"penstock.ray.job({str(path)!r}, {str(folder)!r}, 'gemma_text.yaml', set={settings!r}, **{ANYWHERE!r})")
    driver = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "RAY_ADDRESS": nodes.cluster.address},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: len(parts_of(folder)) >= 2, 120)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    before = {path.name: path.stat().st_mtime_ns for path in parts_of(folder)}
    with pytest.raises(penstock.Error, match="resume=True"):
        penstock.ray.job(path, folder, "gemma_text.yaml", set=settings, **ANYWHERE)
    summary = penstock.ray.job(path, folder, "gemma_text.yaml", set=settings, resume=True, **ANYWHERE)
    assert 2 <= summary.parts_before < summary.parts
    assert all((folder / name).stat().st_mtime_ns == made for name, made in before.items())
    want = {line["id"]: line["text"] for line in run_lines("gemma_text.yaml", path, settings)}
    assert {id: row["answer"] for id, row in results(folder).items()} == want


def test_a_bad_line_is_a_row_with_an_error(nodes, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "hello"}\n{"id": \n{"id": "b", "text": "hi", "options": {"top_kk": 1}}\n'
                    '{"text": "there", "n": 1}\n{"text": "there"}\n')
    summary = penstock.ray.job(path, tmp_path / "out", "gemma_text.yaml", set=SET, format="jsonl")
    assert (summary.parts, summary.rows, summary.errors) == (1, 5, 3)
    rows = results(tmp_path / "out", "jsonl")
    assert rows["a"]["error"] is None and "top_kk" in rows["b"]["error"]
    assert rows[f"{path}:29"]["error"].startswith(f"the line at {path}:29 is no JSON")
    again = penstock.ray.job(path, tmp_path / "out", "gemma_text.yaml", set=SET, format="jsonl", resume=True)
    assert (again.parts_before, again.rows) == (1, 0)


def test_columns_of_parquet(nodes, tmp_path):
    table = pyarrow.table({"key": [1, 2], "prompt": ["hello", "there"], "class": ["x", "y"]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    penstock.ray.job(tmp_path / "in.parquet", tmp_path / "out", "gemma_text.yaml", set=SET, column="prompt", id="key",
                     keep=["class"], outputs={"said": "text"})
    rows = results(tmp_path / "out")
    assert {id: row["class"] for id, row in rows.items()} == {"1": "x", "2": "y"}
    with penstock.open("gemma_text.yaml", set=SET) as pipeline:
        assert rows["2"]["said"] == pipeline("there").text
    with pytest.raises(penstock.Error, match="another job: outputs differ"):
        penstock.ray.job(tmp_path / "in.parquet", tmp_path / "out", "gemma_text.yaml", set=SET, column="prompt",
                         id="key", keep=["class"], resume=True)


def test_what_cannot_be(tmp_path):
    with pytest.raises(penstock.Error, match="format='csv'"):
        penstock.ray.job(tmp_path, tmp_path, "gemma_text.yaml", format="csv")
    with pytest.raises(penstock.Error, match="part_rows=0"):
        penstock.ray.job(tmp_path, tmp_path, "gemma_text.yaml", part_rows=0)
