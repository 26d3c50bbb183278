"""Stages that are classes of Python, run by the same runtime."""

import gc
import threading
import time
import weakref

import numpy
import penstock
import pytest
from conftest import TINY

FILE = """
version: 1
name: own
model: {model}
preprocess: {preprocess}
batch: {{use: core.continuous}}
forward: {{use: gemma.forward}}
decode: {decode}
postprocess: {postprocess}
"""
TOKENIZE, SAMPLE, TEXT = "{use: gemma.tokenize}", "{use: core.sample, max_new_tokens: 8, ignore_eos: true}", \
    "{use: gemma.detokenize}"


@pytest.fixture
def opened(tmp_path):
    """Opens a pipeline with some of its stages; closed when the test ends."""
    pipelines = []

    def make(preprocess=TOKENIZE, decode=SAMPLE, postprocess=TEXT, **more):
        path = tmp_path / f"own{len(pipelines)}.yaml"
        path.write_text(FILE.format(model=TINY, preprocess=preprocess, decode=decode, postprocess=postprocess))
        pipelines.append(penstock.open(path, **more))
        return pipelines[-1]

    yield make
    for pipeline in pipelines:
        pipeline.close()


@penstock.stage("own.shout", uses=["text: text"], makes=["text: text"], params=[
    penstock.declare("ending", "!", "added at the end", per_request=True),
    penstock.declare("times", 1, "how many items", min=1, max=5, per_request=True)])
class Shout(penstock.Preprocess):
    """Text in capitals."""

    def preprocess(self, request, item):
        text = request.text_of(item).upper() + request.params.ending
        for _ in range(request.params.times):
            yield penstock.Item(notes={"text": text})


@penstock.stage("own.rank", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"], facts=["vocab_size: integer"],
                params=[penstock.declare("rank", 1, "1: the best", min=1, max=64, per_request=True)])
class Rank(penstock.Decode):
    """Takes the token of one rank, whatever its score."""

    opened = closed = 0

    def open(self, facts, model, device, slots):
        assert facts["vocab_size"] > 0 and model == TINY and device == "cpu" and slots > 0
        Rank.opened += 1

    def close(self):
        Rank.closed += 1

    def start(self, sequence):
        sequence.state["seen"] = 0
        return penstock.Want(top=sequence.params.rank)

    def decode(self, step):
        for part in step:
            part.sequence.state["seen"] += 1
            assert part.sequence.state["seen"] == part.sequence.generated + 1
            assert part.ids.shape == part.values.shape and part.ids.dtype == numpy.int64
            yield penstock.Next(part, tokens=[part.ids[-1][part.sequence.params.rank - 1]],
                                finish="length" if part.sequence.generated >= 7 else "")


@penstock.stage("own.ids")
class Ids(penstock.Postprocess):
    """Ids as text, and how many there were."""

    class Lines(penstock.Writer):
        def __init__(self):
            self.count = 0

        def write(self, decoded):
            self.count += len(decoded.tokens)
            yield " ".join(map(str, decoded.tokens)) + " "
            if self.count >= 6:
                yield penstock.STOP

        def end(self):
            return {"count": self.count}

    def begin(self, request):
        return self.Lines()


def test_a_preprocess_before_another(opened, tiny):
    pipeline = opened(preprocess="[{use: own.shout, ending: '?'}, {use: gemma.tokenize}]")
    assert pipeline("hello").token_ids == tiny("HELLO?").token_ids
    assert pipeline("hello", ending="!!").token_ids == tiny("HELLO!!").token_ids
    once = tiny("HELLO?", max_new_tokens=2).text
    assert pipeline("hello", times=2, max_new_tokens=2).text == f"{once}\n{once}"   # a line for each item


def test_a_decode_takes_what_it_wants(opened, tiny):
    pipeline = opened(decode="{use: own.rank}")
    assert pipeline("hello").token_ids == tiny("hello").token_ids
    second = pipeline("hello", rank=2)
    assert second.token_ids != tiny("hello").token_ids and second.finish_reason == "length"
    assert [len(result.token_ids) for result in pipeline.map(["a", "hello there", "x y z"] * 5)] == [8] * 15


def test_a_postprocess_writes_and_stops(opened, tiny):
    pipeline = opened(postprocess="{use: own.ids}")
    result = pipeline("hello")
    want = tiny("hello").token_ids[:6]
    assert result.text.split() == [str(each) for each in want] and result.data["count"] == 6
    stream = pipeline.stream("hello")
    assert [piece for piece in stream if isinstance(piece, str)] == [f"{each} " for each in want]


def test_params_are_checked_as_any(opened):
    with pytest.raises(penstock.Error, match=r"yaml:8:\d+: expected integer in 1..64, not '65'"):
        opened(decode="{use: own.rank, rank: 65}")
    with pytest.raises(penstock.Error, match="did you mean 'rank'"):
        opened(decode="{use: own.rank, rnk: 2}")
    with pytest.raises(penstock.Error, match="rank"):
        opened(decode="{use: own.rank}")("hello", rank=0)
    stage, = penstock.inspect("own.rank")
    assert (stage.kind, stage.doc) == ("decode", "Takes the token of one rank, whatever its score.")
    assert stage.params[0].expected == "integer in 1..64"
    assert "own.ids" in [each.name for each in penstock.inspect()]


def declared(name, **more):
    penstock.stage(name, doc="of a test", **more)(type("Made", (penstock.Preprocess,), {}))
    penstock.inspect("core")


@pytest.mark.parametrize(("match", "more"), [
    ("name of two parts", {"name": "alone"}),
    ("there is a plugin 'core'", {"name": "core.mine"}),
    ("unknown dtype 'f31'", {"name": "bad.port", "inputs": ["x: f31[B]"]}),
    ("expected a name and its type", {"name": "bad.note", "makes": ["loudness"]}),
    ("a default that no pipeline file may write", {
        "name": "bad.param", "params": [penstock.declare("x", 9, "of a test", max=3)]}),
])
def test_a_declaration_that_makes_no_sense(match, more):
    with pytest.raises(penstock.Error, match=match):
        declared(**more)


def test_a_bad_declaration_costs_no_other():
    for name in ("core.theirs", "own.behind"):
        penstock.stage(name, doc="of a test")(type("Made", (penstock.Preprocess,), {}))
    with pytest.raises(penstock.Error, match="there is a plugin 'core'"):
        penstock.inspect("core")
    assert penstock.inspect("own.behind")[0].doc == "of a test"


def test_what_is_no_stage():
    with pytest.raises(TypeError, match="Batch and Forward are C"):
        penstock.stage("own.none", doc="x")(type("None_", (), {}))


@penstock.stage("own.fails", uses=["text: text"], makes=["text: text"])
class Fails(penstock.Preprocess):
    """As its text says."""

    def preprocess(self, request, item):
        text = request.text_of(item)
        if text == "raise":
            raise ValueError("as told")
        if text == "data":
            raise penstock.Error("data", "no good text")
        yield {"a": 1} if text == "type" else penstock.Item(
            tokens=["x"] if text == "tokens" else [], notes={"secret" if text == "note" else "text": text})


def test_an_error_has_its_stage_and_pythons_traceback(opened):
    pipeline = opened(preprocess="[{use: own.fails}, {use: gemma.tokenize}]")
    with pytest.raises(penstock.Error, match="ValueError: as told") as raised:
        pipeline("raise", id="r1")
    error = raised.value
    assert error.code == "internal" and error.request == "r1" and error.stage.startswith("preprocess")
    assert "Traceback" in str(error) and "test_stage.py" in str(error) and "own.fails" in str(error)
    with pytest.raises(penstock.Error, match="no good text") as raised:
        pipeline("data")
    assert raised.value.code == "data"
    with pytest.raises(penstock.Error, match="expected penstock.Item, not dict"):
        pipeline("type")
    with pytest.raises(penstock.Error, match="ValueError"):
        pipeline("tokens")
    with pytest.raises(penstock.Error, match="sets the note 'secret: text', which it does not declare"):
        pipeline("note")
    assert len(pipeline("hello").token_ids) == 8


@penstock.stage("own.crooked", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"], params=[
    penstock.declare("finish", "length", "how it ends", per_request=True)])
class Crooked(penstock.Decode):
    """Fails as the prompt says."""

    def start(self, sequence):
        return penstock.Want(top=1)

    def decode(self, step):
        for part in step:
            if part.sequence.prompt_tokens > 4:
                yield penstock.Next(part, error=KeyError("its own"))
            else:
                yield penstock.Next(part, tokens=[part.ids[-1][0]], finish=part.sequence.params.finish)


def test_an_error_of_one_sequence_is_its_own(opened):
    pipeline = opened(decode="{use: own.crooked}")
    results = list(pipeline.map(["hello and many more words than that"] + ["a"], errors="return"))
    assert isinstance(results[0], penstock.Error) and "KeyError: 'its own'" in str(results[0])
    assert len(results[1].token_ids) == 1
    with pytest.raises(penstock.Error, match="finish='later'; expected 'stop'") as raised:
        pipeline("a", finish="later")
    assert raised.value.stage == "decode"


def test_threads_share_the_lock(opened, tiny):
    pipeline = opened(preprocess="[{use: own.shout}, {use: gemma.tokenize}]", decode="{use: own.rank}",
                      postprocess="{use: own.ids}")
    want = [" ".join(map(str, tiny("HELLO!").token_ids[:6]))] * 8
    found = [None] * 8

    def ask(at):
        found[at] = pipeline("hello").text.strip()

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == want


def test_closing_in_the_middle(opened):
    before = Rank.opened - Rank.closed
    pipeline = opened(preprocess="[{use: own.shout}, {use: gemma.tokenize}]", decode="{use: own.endless}")
    stream = pipeline.stream("hello")
    next(stream)
    pipeline.close()
    with pytest.raises(penstock.Error, match="closed"):
        list(stream)
    assert Rank.opened - Rank.closed == before


@penstock.stage("own.endless", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"], params=[
    penstock.declare("pause", 0.0, "seconds of each step")])
class Endless(penstock.Decode):
    """Never ends by itself."""

    def start(self, sequence):
        return penstock.Want(top=1)

    def decode(self, step):
        time.sleep(self.params.pause)
        return [penstock.Next(part, tokens=part.ids[-1][:1]) for part in step]


def test_garbage_is_collected(opened):
    alive = []

    @penstock.stage("own.kept", uses=["text: text"], makes=["text: text"])
    class Kept(penstock.Preprocess):
        """Is looked after."""

        def __init__(self, params):
            super().__init__(params)
            alive.append(weakref.ref(self))

        def preprocess(self, request, item):
            yield penstock.Item(notes={"text": request.text_of(item)})

    pipeline = opened(preprocess="[{use: own.kept}, {use: gemma.tokenize}]")
    pipeline("hello")
    results = pipeline.map(["hello"] * 5)
    next(results)
    results.close()
    pipeline.close()
    gc.collect()
    assert [each() for each in alive] == [None] * len(alive) and alive


def test_a_stage_declared_again(opened):
    def declare(text):
        @penstock.stage("own.again")
        class Again(penstock.Postprocess):
            """Says its text."""

            class Say(penstock.Writer):
                def write(self, decoded):
                    return text if decoded.finish else None

            def begin(self, request):
                return self.Say()

    declare("first")
    first = opened(postprocess="{use: own.again}")
    declare("second")
    second = opened(postprocess="{use: own.again}")
    assert (first("hello").text, second("hello").text) == ("first", "second")


def test_the_interpreter_ends_with_them(python):
    ended = python(f"""
import penstock
from pathlib import Path

@penstock.stage("own.late", inputs=["scores: f32[R,V]"], outputs=["tokens: i64[N]"])
class Late(penstock.Decode):
    "Never ends."
    def start(self, sequence):
        return penstock.Want(top=1)
    def decode(self, step):
        return [penstock.Next(part, tokens=part.ids[-1][:1]) for part in step]

import tempfile
path = Path(tempfile.mkdtemp()) / "own.yaml"
path.write_text('''{FILE.format(model=TINY, preprocess=TOKENIZE, decode="{use: own.late}", postprocess=TEXT)}''')
p = penstock.open(path)
s = p.stream("hello")
next(s)
print("ends")
""")
    assert ended.returncode == 0 and ended.stdout == "ends\n", ended.stderr


def test_arrays_without_a_vocabulary(tmp_path):
    """An embedding, pooled in Python: tensors of Decode to Postprocess."""
    @penstock.stage("own.pool", inputs=["scores: f32[R,V]"], outputs=["embedding: f32[D]"])
    class Pool(penstock.Decode):
        """The mean of the states."""

        def start(self, sequence):
            return penstock.Want(hidden=True, start=0)

        def decode(self, step):
            for part in step:
                yield penstock.Next(part, emit=[penstock.Emit(tensors={
                    "embedding": part.hidden.mean(axis=0, dtype=numpy.float32)})], finish="end")

    path = tmp_path / "pool.yaml"
    path.write_text(FILE.format(model=TINY, preprocess=TOKENIZE, decode="{use: own.pool}",
                                postprocess="{use: core.embedding}"))
    with penstock.open(path) as own, penstock.open("gemma_embed.yaml", set={
            "model": TINY, "decode.normalize": False}) as core:
        assert numpy.allclose(own("hello").array("embedding"), core("hello").array("embedding"), atol=1e-5)


def test_work_without_an_end_is_ended(opened):
    slow = opened(decode="{use: own.endless, pause: 0.01}")
    assert slow("hello", timeout=0.2).finish_reason == "deadline"
    pipeline = opened(decode="{use: own.endless}")
    with pytest.raises(penstock.Error, match="context holds 512"):
        pipeline("hello")
