"""How a job's input is cut: each row is in exactly one unit."""

import json

import penstock
import pyarrow
import pyarrow.parquet
import pytest
from penstock.ray._units import cut, find_files, read


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [{"id": str(number), "text": "ü" * (number * 7 % 40)} for number in range(60)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def ids(units):
    return [row.columns["id"] for unit in units for row in read(unit)]


@pytest.mark.parametrize("part_bytes", [1, 2, 7, 30, 31, 32, 33, 100, 1000, 10**9])
def test_each_line_is_in_one_unit(lines, part_bytes):
    units = cut([str(lines)], part_bytes, 1)
    assert [unit.number for unit in units] == list(range(len(units)))
    assert ids(units) == [str(number) for number in range(60)]


def test_a_last_line_without_an_end_and_empty_lines(lines):
    lines.write_bytes(b'\n\n{"id": "a"}\n  \n{"id": "b"}')
    for part_bytes in range(1, 30):
        assert ids(cut([str(lines)], part_bytes, 1)) == ["a", "b"]


def test_a_bad_line_is_its_own_error(lines):
    lines.write_bytes(b'{"id": "a"}\n{"id": \n[1]\n\xff\xfe\n{"id": "b"}\n')
    rows = read(cut([str(lines)], 1000, 1)[0])
    wrong = [row.columns for row in rows if isinstance(row.columns, penstock.Error)]
    assert len(rows) == 5 and len(wrong) == 3
    assert "is no JSON" in str(wrong[0]) and f"{lines}:12" in str(wrong[0])
    assert "is no object" in str(wrong[1])


def test_rows_of_parquet(tmp_path):
    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": [str(number) for number in range(50)]}), path, row_group_size=17)
    units = cut([str(path)], 1, 5)
    assert ids(units) == [str(number) for number in range(50)]
    assert max(len(read(unit)) for unit in units) == 5


def test_files_folders_and_patterns(tmp_path):
    for name in ("b.png", "a.png", ".hidden.png", "sub/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_files(tmp_path)
    assert [path.removeprefix(str(tmp_path)) for path in found] == ["/a.png", "/b.png", "/sub/c.png"]
    assert find_files(str(tmp_path / "*.png")) == found[:2]
    assert [len(unit.paths) for unit in cut(found, 1, 2)] == [2, 1]
    with pytest.raises(penstock.Error, match="no such file, and it is no pattern"):
        find_files(str(tmp_path / "*.jpg"))
    (tmp_path / "no.parquet").write_text("x")
    with pytest.raises(penstock.Error, match="is no Parquet file"):
        cut([str(tmp_path / "no.parquet")], 1, 1)
