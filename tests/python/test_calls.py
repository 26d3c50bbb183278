"""p(...): every input, every output, held against the program."""

import json
import pickle
import threading

import numpy
import penstock
import pytest
from conftest import LONG


def set_arguments(settings):
    return [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}"
            for key, value in settings.items()]


def test_the_answer_is_that_of_the_program(tiny, tiny_set, run_lines):
    texts = ["hello there", "January, February,", "ü 東京"]
    lines = run_lines("gemma_text.yaml", *set_arguments(tiny_set), *(f"--text={text}" for text in texts))
    for number, (text, line) in enumerate(zip(texts, lines, strict=True)):
        assert tiny(text, id=str(number)).json() == line


def test_several_answers_are_choices(tiny, tiny_set, run_lines):
    asked = {"id": "a", "text": "hello", "options": {"n": 3, "temperature": 1, "seed": 7, "logprobs": 2}}
    line, = run_lines("gemma_text.yaml", *set_arguments(tiny_set), "--jsonl=-", stdin=json.dumps(asked))
    result = tiny(asked)
    assert result.json() == line
    assert len(result.choices) == 3
    assert result.choices[0].text == result.text == str(result)


def test_options_stand_in_the_request_or_behind_it(tiny):
    assert len(tiny("hello", max_new_tokens=3).token_ids) == 3
    assert len(tiny({"text": "hello", "options": {"decode.max_new_tokens": 5}}).token_ids) == 5
    assert len(tiny({"text": "hello", "options": {"max_new_tokens": 5}}, max_new_tokens=2).token_ids) == 2
    first = tiny("hello").token_ids[0]
    assert tiny("hello", banned_ids=[first]).token_ids[0] != first
    assert tiny("hello", logit_bias={first: -100}).token_ids[0] != first


def test_token_ids_are_a_list_or_an_array(tiny):
    text = tiny("hello")
    ids = tiny({"token_ids": [2, 539, 347]}).token_ids
    assert tiny([2, 539, 347]).token_ids == ids
    for dtype in ("int32", "int64"):
        assert tiny({"token_ids": numpy.array([2, 539, 347], dtype)}).token_ids == ids
    assert text.prompt_tokens > 0
    with pytest.raises(penstock.Error, match="not in the vocabulary"):
        tiny([10**9])


def test_messages_are_a_conversation(tiny_set, run_lines):
    messages = [{"role": "user", "content": "Hi"}]
    line, = run_lines("gemma_chat.yaml", *set_arguments(tiny_set), "--jsonl=-",
                      stdin=json.dumps({"id": "0", "messages": messages}))
    with penstock.open("gemma_chat", set=tiny_set) as chat:
        assert chat(messages).json() == line
        assert chat({"messages": messages}, id="0").json() == line


def test_an_embedding_is_an_array(tiny_set):
    with penstock.open("gemma_embed.yaml", set={"model": tiny_set["model"]}) as embed:
        vector = embed("hello").array("embedding")
        assert vector.dtype == numpy.float32 and vector.ndim == 1 and len(vector) > 8
        assert numpy.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        with pytest.raises(KeyError, match="no 'vector'; it has embedding"):
            embed("hello").array("vector")


def test_until_decode_gives_its_tensors(tiny_set):
    with penstock.open("gemma_embed.yaml", set={"model": tiny_set["model"]}, until="decode") as embed:
        arrays = embed("hello").arrays
    assert arrays and all(isinstance(each, numpy.ndarray) for each in arrays.values())


def test_results_can_be_pickled(tiny):
    result = tiny("hello", n=2, temperature=1, seed=1)
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert again.timing.first_token_ms > 0


def test_a_deadline_gives_what_there_is(tiny):
    result = tiny("hello", timeout=0.05, **LONG)
    assert result.finish_reason == "deadline"
    assert len(result.token_ids) < LONG["max_new_tokens"]
    with pytest.raises(penstock.Error, match="timeout=0"):
        tiny("hello", timeout=0)


def test_a_session_finds_its_state(tiny):
    first = tiny("hello there", session="a")
    again = tiny({"token_ids": [2, *[539] * 3], "session": "b"})
    assert again.reused_tokens == 0
    longer = tiny("hello there", session="a")
    assert longer.reused_tokens > 0
    assert longer.text == first.text


@pytest.mark.parametrize(("given", "told"), [
    (3.5, "float is no input|expected a text"),
    ({}, "has no input; this pipeline takes 'text'"),
    ({"text": "a", "options": 3}, "'options': expected a mapping"),
    ({"text": "a", "options": {"max_new_tokens": object()}}, "option 'max_new_tokens': expected a number"),
    ({"text": {1, 2}}, "expected a text, a path, bytes"),
    ({"audio": numpy.zeros(3, numpy.float32)}, "'sample_rate'"),
    ({"text": numpy.zeros(3, numpy.complex64)}, "dtype"),
    ({1: "a"}, "an input's name is a text"),
])
def test_what_is_no_input_is_refused(tiny, given, told):
    with pytest.raises(penstock.Error, match=told) as raised:
        tiny(given)
    assert raised.value.code == "data"


def test_errors_tell_code_request_and_what_to_do(tiny):
    with pytest.raises(penstock.Error, match="did you mean 'temperature'") as raised:
        tiny("hello", id="a", temperatur=1)
    assert (raised.value.code, raised.value.exit_code, raised.value.request) == ("data", 65, "a")
    with pytest.raises(penstock.Error) as raised:
        tiny("x " * 100000, id="b")
    assert (raised.value.stage, raised.value.request) == ("preprocess", "b")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.stage, again.code, str(again)) == ("preprocess", "data", str(raised.value))
    assert "in stage 'preprocess' (gemma.tokenize)" in str(again)


def test_threads_share_the_engine(tiny):
    texts = [f"text {number}" for number in range(24)]
    alone = [tiny(text).token_ids for text in texts]
    together = [None] * len(texts)

    def run(first):
        for number in range(first, len(texts), 6):
            together[number] = tiny(texts[number]).token_ids

    threads = [threading.Thread(target=run, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert tiny.stats()[""]["most_sequences"] > 1


def test_it_tells_what_it_is(tiny):
    assert tiny.device == "cpu"
    assert tiny.name == "gemma_text"
    assert tiny.facts["vocab_size"] > 0
    assert "text" in tiny.inputs
    assert tiny.in_flight == 0
    assert repr(tiny) == "<penstock.Pipeline gemma_text (cpu)>"


def test_show_prints_every_stage(tiny_set):
    shown = penstock.show("gemma_padded.yaml", "hello", "hello there", set={**tiny_set, "decode.max_new_tokens": 2})
    for word in ("preprocess", "batch", "forward", "decode", "mask"):
        assert word in shown
    with pytest.raises(penstock.Error, match="no pipeline file 'gemma_padde'") as raised:
        penstock.show("gemma_padde", "hello")
    assert raised.value.code == "not_found"
