"""The output of a job: whole parts, of one job."""

import json

import penstock
import pyarrow.parquet
import pytest
from penstock.ray._parts import Folder, part_name, write_rows, write_whole


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(penstock.Error, match="disk full") as raised:
        write_whole(tmp_path / "part", broken)
    assert raised.value.code == "retry"
    assert list(tmp_path.iterdir()) == []


def test_the_second_writer_replaces_the_first(tmp_path):
    path = tmp_path / part_name(3, "parquet")
    for _ in range(2):
        write_rows(path, {"id": ["a", "b"], "error": [None, "x"]})
    assert list(tmp_path.iterdir()) == [path]
    assert pyarrow.parquet.read_table(path).column("id").to_pylist() == ["a", "b"]


def test_lines_hold_what_parquet_holds(tmp_path):
    write_rows(tmp_path / "part.jsonl", {"id": ["a"], "answer": ["ü\n"], "token_ids": [[1, 2]]})
    assert json.loads((tmp_path / "part.jsonl").read_text()) == {"id": "a", "answer": "ü\n", "token_ids": [1, 2]}


def test_a_folder_is_of_one_job(tmp_path):
    folder = Folder(tmp_path / "out", "parquet")
    folder.begin({"file": "a.yaml", "set": {}}, resume=False)
    with pytest.raises(penstock.Error, match="resume=True"):
        folder.begin({"file": "a.yaml", "set": {}}, resume=False)
    folder.begin({"file": "a.yaml", "set": {}}, resume=True)
    with pytest.raises(penstock.Error, match="another job: set differ"):
        folder.begin({"file": "a.yaml", "set": {"x": 1}}, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").touch()
    with pytest.raises(penstock.Error, match="is not empty"):
        Folder(tmp_path / "other", "parquet").begin({}, resume=True)


def test_the_end_takes_away_what_killed_writers_left(tmp_path):
    folder = Folder(tmp_path, "parquet")
    folder.begin({}, resume=False)
    (tmp_path / ".part-00000001.parquet.abc").touch()
    write_rows(tmp_path / part_name(1, "parquet"), {"id": ["a"]})
    assert folder.done() == {1}
    folder.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_SUCCESS", "_job.json", "part-00000001.parquet"]
