"""p.stream and p.map."""

import gc
import time

import penstock
import pytest
from conftest import LONG


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.01)


def test_pieces_make_the_text(tiny):
    stream = tiny.stream("hello there")
    pieces = list(stream)
    assert len(pieces) > 1
    assert "".join(pieces) == stream.result().text == tiny("hello there").text


def test_pieces_come_before_the_end(own):
    with own.stream("hello", **LONG) as stream:
        first = [next(stream) for _ in range(3)]
        assert own.in_flight == 1
    assert all(first)
    until(lambda: own.in_flight == 0)
    assert stream.result().finish_reason == "cancelled"


def test_a_forgotten_stream_ends(own):
    stream = own.stream("hello", **LONG)
    next(stream)
    del stream
    gc.collect()
    until(lambda: own.in_flight == 0)


def test_a_stream_keeps_its_pipeline(tiny_set):
    stream = penstock.open("gemma_text.yaml", set=tiny_set).stream("hello")
    gc.collect()
    assert "".join(stream) == stream.result().text


def test_each_branch_can_be_read(tiny):
    options = {"n": 2, "temperature": 1, "seed": 3}
    second = tiny.stream("hello", **options)
    second.branch = 1
    assert "".join(second) == second.result().choices[1].text


def test_an_error_comes_where_it_happened(tiny):
    with pytest.raises(penstock.Error, match="too long|tokens|bytes"):
        list(tiny.stream("x " * 100000))


def test_map_keeps_the_order(tiny):
    requests = [{"text": f"text {number}", "id": f"r{number}", "options": {"max_new_tokens": 1 + number % 7}}
                for number in range(150)]
    results = list(tiny.map(requests))
    assert [result.id for result in results] == [request["id"] for request in requests]
    assert [len(result.token_ids) for result in results] == [1 + number % 7 for number in range(150)]
    assert results[20].text == tiny(requests[20]).text


def test_map_reads_no_further_than_it_must(tiny):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield "hello"

    results = tiny.map(endless(), in_flight=5, max_new_tokens=2)
    for _ in range(20):
        next(results)
    assert 20 <= read <= 26
    results.close()
    until(lambda: tiny.in_flight == 0)


def test_map_gives_what_is_ready_before_it_reads_on(tiny):
    taken = []

    def slow():
        for number in range(3):
            until(lambda: len(taken) >= number)  # the result before must have come
            yield f"text {number}"

    for result in tiny.map(slow(), in_flight=1):
        taken.append(result)
    assert len(taken) == 3


def test_map_raises_or_returns_errors(tiny):
    requests = ["hello", {"text": "x", "options": {"top_kk": 1}}, {"text": "x " * 100000}, "there"]
    results = list(tiny.map(requests, errors="return"))
    assert [isinstance(each, penstock.Error) for each in results] == [False, True, True, False]
    assert results[1].code == "data" and results[2].stage == "preprocess"
    results = tiny.map(requests)
    next(results)
    with pytest.raises(penstock.Error, match="top_kk"):
        next(results)
    until(lambda: tiny.in_flight == 0)


def test_what_the_source_raises_comes_through(tiny):
    def broken():
        yield "hello"
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(tiny.map(broken()))
    until(lambda: tiny.in_flight == 0)


def test_nothing_gives_nothing(tiny):
    assert list(tiny.map([])) == []
    with pytest.raises(penstock.Error, match="in_flight=0"):
        tiny.map([], in_flight=0)
    with pytest.raises(penstock.Error, match="errors='keep'"):
        tiny.map([], errors="keep")
