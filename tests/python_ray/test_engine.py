"""Engine alone: rows in, columns out; what a bad row and a bad engine cost."""

import json
import time

import numpy
import penstock
import penstock.ray
import pyarrow
import pytest
from conftest import SET
from penstock.ray import _rows
from penstock.ray._health import Health


@pytest.fixture(scope="module")
def engine():
    made = penstock.ray.Engine("gemma_text.yaml", set=SET)
    yield made
    made.pipeline.close()


def test_arrays_and_tables_give_the_same(engine):
    texts = [f"text {number}" for number in range(20)]
    by_table = engine(pyarrow.table({"text": texts, "kept": list(range(20))}))
    by_array = engine({"text": numpy.array(texts), "kept": numpy.arange(20)})
    want = [result.text for result in engine.pipeline.map(texts)]
    assert by_table.column("answer").to_pylist() == want == by_array["answer"].tolist()
    assert by_table.column("kept").to_pylist() == by_array["kept"].tolist() == list(range(20))
    assert by_table.schema.field("error").type == pyarrow.string()
    assert [len(ids) for ids in by_table.column("token_ids").to_pylist()] == [8] * 20


def test_a_bad_row_costs_that_row(engine):
    table = engine(pyarrow.table({"text": ["hello", "x " * 100000, None, "there"]}))
    assert [text is not None for text in table.column("answer").to_pylist()] == [True, False, False, True]
    errors = table.column("error").to_pylist()
    assert "in stage 'preprocess'" in errors[1] and "column 'text' is null" in errors[2]


def test_inputs_by_name_and_options_of_a_row():
    made = penstock.ray.Engine("gemma_text.yaml", set=SET, column={"text": "prompt", "options": "how"})
    rows = [{"prompt": "hello", "how": {"max_new_tokens": 3}}, {"prompt": "hello", "how": {"logprobs": 2}},
            {"prompt": "hello", "how": {"top_kk": 3}}]
    table = made(pyarrow.Table.from_pylist(rows))
    assert [len(ids or []) for ids in table.column("token_ids").to_pylist()] == [3, 8, 0]
    assert "did you mean 'top_k'" in table.column("error").to_pylist()[2]
    made.pipeline.close()


def test_columns_that_are_not_there_or_taken(engine):
    with pytest.raises(penstock.Error, match="no column 'text'; they have prompt"):
        engine(pyarrow.table({"prompt": ["a"]}))
    with pytest.raises(penstock.Error, match="have a column 'answer' already"):
        engine(pyarrow.table({"text": ["a"], "answer": ["b"]}))
    wrong = penstock.ray.Engine("gemma_text.yaml", set=SET, outputs={"x": "embedding"})
    with pytest.raises(penstock.Error, match="has no 'embedding'; it has text, token_ids"):
        wrong({"text": ["a"]})
    wrong.pipeline.close()


def test_messages_and_ids_as_blocks_hold_them():
    messages = numpy.array([{"role": "user", "content": "Hi", "name": None}], dtype=object)
    assert _rows.plain(messages) == [{"role": "user", "content": "Hi"}]
    assert _rows.plain(numpy.array([2, 5365])) == [2, 5365]
    assert type(_rows.plain(numpy.float32(1))) is float
    pixels = numpy.zeros((2, 3, 3), numpy.uint8)
    assert _rows.plain(pixels) is pixels


def test_columns_keep_their_type_without_a_result():
    for what, kind in (("text", "string"), ("token_ids", "list<item: int64>"), ("prompt_tokens", "int64")):
        assert str(_rows.arrow_column("x", [None], what).type) == kind
    assert str(_rows.arrow_column("x", [[1.0, 2.0], None], "embedding").type) == "list<item: float>"
    with pytest.raises(penstock.Error, match="several types"):
        _rows.arrow_column("x", ["a", 1.0], "label")


def test_results_as_json(engine):
    made = penstock.ray.Engine("gemma_text.yaml", set=SET, outputs={"line": "json"})
    line, = made(pyarrow.table({"text": ["hello"]})).column("line").to_pylist()
    assert json.loads(line)["text"] == engine.pipeline("hello").text
    made.pipeline.close()


class Sick:
    """Instead of a pipeline: does what it is told with each call."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.in_flight = 1
        self.steps = 0

    def __call__(self, _request):
        code = self.codes.pop(0)
        if code:
            raise penstock.Error(code, "as told")
        return "result"

    def stats(self):
        return {"": {"steps": self.steps, "requests": 0, "failed": 0}}


def test_an_engine_that_fails_with_every_row_ends():
    ended = []
    error = penstock.Error("internal", "no memory")
    health = Health(Sick("internal"), None, ended.append)
    health.look_after(error)  # nothing worked yet: it may be the pipeline
    assert ended == []
    health.worked("a")
    health.look_after(error)
    assert len(ended) == 1 and "no memory" in ended[0]


def test_an_engine_that_still_works_goes_on():
    ended = []
    health = Health(Sick(None, "data"), None, ended.append)
    health.worked("a")
    for _ in range(2):
        health.look_after(penstock.Error("internal", "one row"))
    assert ended == []


def test_an_engine_that_stands_still_ends():
    ended = []
    pipeline = Sick()
    Health(pipeline, 0.4, ended.append)
    for _ in range(8):
        time.sleep(0.1)
        pipeline.steps += 1
    assert ended == []
    time.sleep(1)
    del pipeline
    assert len(ended) == 1 and "stall_timeout" in ended[0]


def test_a_row_that_fell_with_another_gets_its_own_try(engine, monkeypatch):
    class Falls:
        """Its first map fails with what a step's fault gives each of its rows."""

        def __init__(self, pipeline):
            self.pipeline = pipeline
            self.alone = []

        def map(self, requests, **_):
            return [penstock.Error("internal", "fell") for _ in requests]

        def __call__(self, request, **options):
            self.alone.append(request)
            if request == "poison":
                raise penstock.Error("internal", "poison")
            return self.pipeline(request, **options)

    falls = Falls(engine.pipeline)
    monkeypatch.setattr(engine, "pipeline", falls)
    monkeypatch.setattr(engine, "_health", Health(falls, None, pytest.fail))
    answers = engine.answer(["hello", "poison", "there"])
    assert [isinstance(answer, penstock.Error) for answer in answers] == [False, True, False]
    assert falls.alone == ["hello", "poison", "hello", "there"]
