"""penstock.ray.run over Ray Data, on three nodes."""

import json
import os

import penstock
import penstock.ray
import pyarrow.parquet
import pytest
from conftest import SET, SOURCE

ANYWHERE = {"engines": 3, "resources": {"engine": 1}, "batch_size": 16}


@pytest.fixture(scope="module")
def data(nodes):
    import ray.data
    return ray.data


def test_text_from_json_to_parquet(data, write_rows, run_lines, tmp_path):
    path = write_rows(150)
    lines = {line["id"]: line for line in run_lines("gemma_text.yaml", path, SET)}
    ds = penstock.ray.run(data.read_json(str(path), lines=True), "gemma_text.yaml", set=SET, **ANYWHERE)
    ds.write_parquet(str(tmp_path / "out"))
    rows = pyarrow.parquet.read_table(tmp_path / "out").to_pylist()
    assert len(rows) == 150 and {row["id"] for row in rows} == set(lines)
    for row in rows:
        assert row["error"] is None
        assert (row["answer"], row["token_ids"]) == (lines[row["id"]]["text"], lines[row["id"]]["token_ids"])


def test_rows_in_their_order_and_one_bad_one(data):
    items = [{"text": "x " * 100000 if number == 40 else f"text {number}", "number": number} for number in range(100)]
    ds = penstock.ray.run(data.from_items(items), "gemma_text.yaml", set=SET, in_order=True,
                          options={"max_new_tokens": 2}, **ANYWHERE)
    rows = ds.take_all()
    assert [row["number"] for row in rows] == list(range(100))
    assert [row["number"] for row in rows if row["error"]] == [40]
    assert rows[40]["answer"] is None and len(rows[41]["token_ids"]) == 2


def test_engines_that_take_every_cpu_are_told(data):
    ds = data.from_items([{"text": "a"}])
    with pytest.warns(UserWarning, match="leave no CPU"):
        penstock.ray.run(ds, "gemma_text.yaml", set=SET, cpus=1000)


def test_chat_and_embeddings(data):
    items = [{"messages": [{"role": "user", "content": f"Hi {number}"}]} for number in range(3)]
    chat = penstock.ray.run(data.from_items(items), "gemma_chat.yaml", column="messages", engines=1,
                            set={**SET, "decode.temperature": 0}).take_all()
    assert [row["error"] for row in chat] == [None] * 3 and all(row["answer"] for row in chat)
    vectors = penstock.ray.run(data.from_items([{"text": "a"}, {"text": "b"}]), "gemma_embed.yaml", engines=1,
                               set={"model": SET["model"]}, outputs={"vector": "embedding"}).take_all()
    with penstock.open("gemma_embed.yaml", set={"model": SET["model"]}) as pipeline:
        want = pipeline("a").array("embedding")
    assert min(abs(vector["vector"] - want).max() for vector in vectors) == 0


def test_map_batches_takes_the_engine_itself(data):
    ds = data.from_items([{"prompt": "hello"}] * 3).map_batches(
        penstock.ray.Engine, fn_constructor_args=("gemma_text.yaml",),
        compute=data.ActorPoolStrategy(size=1), fn_constructor_kwargs={"column": "prompt", "set": SET})
    assert len({row["answer"] for row in ds.take_all()}) == 1


def test_a_pipeline_that_cannot_be_opened_ends_the_run(data):
    ds = penstock.ray.run(data.from_items([{"text": "a"}]), "nowhere.yaml")
    with pytest.raises(Exception, match="no pipeline file 'nowhere.yaml'"):
        ds.take_all()
    with pytest.raises(penstock.Error, match="engines=0"):
        penstock.ray.run(data.from_items([{"text": "a"}]), "gemma_text.yaml", engines=0)


@pytest.mark.model
def test_pictures_as_pixels_and_as_files(data):
    folder = str(SOURCE / "tests/fixtures/pictures/flag.png")
    pixels = penstock.ray.run(data.read_images(folder), "image_classify.yaml", column="image", engines=1,
                              outputs={"line": "json"}).take_all()
    files = penstock.ray.run(data.read_binary_files(folder), "image_classify.yaml", column="bytes", engines=1,
                             outputs={"line": "json"}).take_all()
    with penstock.open("image_classify.yaml") as pipeline:
        want = pipeline(folder).data["labels"]
    for row in pixels + files:
        assert row["error"] is None and json.loads(row["line"])["labels"] == want


@pytest.mark.model
def test_sound_as_files(data):
    from pathlib import Path
    path = next((Path(os.environ["PENSTOCK_CACHE"]) / "media/pocketsphinx-testdata").rglob("*.wav"))
    row, = penstock.ray.run(data.read_binary_files(str(path)), "speech_to_text.yaml", column="bytes",
                            engines=1).take_all()
    with penstock.open("speech_to_text.yaml") as pipeline:
        assert row["error"] is None and row["answer"] == pipeline(path).text
