"""An engine's life: its end in the middle, garbage, forks, signals, memory."""

import gc
import os
import pickle
import threading
import time

import penstock
import pytest
from conftest import LONG, OPEN


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_closed_pipeline_refuses(own):
    own.close()
    own.close()
    with pytest.raises(penstock.Error, match="is closed") as raised:
        own("hello")
    assert raised.value.code == "usage"
    assert "closed" in repr(own)


def test_closing_in_the_middle_tells_who_waits(own):
    raised = []

    def ask():
        try:
            own("hello", **LONG)
        except penstock.Error as error:
            raised.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(7)]  # three of them wait for room
    for thread in threads:
        thread.start()
    while own.in_flight < 4:
        time.sleep(0.001)
    own.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert len(raised) == 7 and set(raised) <= {"cancelled", "usage"}


def test_closing_ends_a_map_and_a_stream(own):
    results = own.map(["hello"] * 9, max_new_tokens=1500)
    stream = own.stream("hello", **LONG)
    next(stream)
    own.close()
    with pytest.raises(penstock.Error):
        list(results)
    with pytest.raises(penstock.Error, match="closed"):
        list(stream)


def test_a_suspended_map_does_not_keep_it_from_closing(own):
    results = own.map(("hello" for _ in range(1000)), max_new_tokens=2)
    next(results)
    own.close()
    results.close()


def test_garbage_in_any_order(tiny_set):
    for order in range(6):
        pipeline = penstock.open("gemma_text.yaml", set=tiny_set)
        results = pipeline.map(["a"] * 5)
        next(results)
        things = [pipeline, pipeline.stream("hello", **LONG), results]
        del pipeline, results
        for _ in range(3):
            del things[order % len(things)]
            gc.collect()


def test_an_engine_in_a_cycle_is_collected(tiny_set):
    before = threading.active_count()
    pipeline = penstock.open("gemma_text.yaml", set=tiny_set)
    pipeline.self = pipeline
    del pipeline
    gc.collect()
    assert threading.active_count() == before


def test_an_engine_is_not_pickled_its_description_is(tiny, tiny_set):
    with pytest.raises(TypeError, match="p.spec"):
        pickle.dumps(tiny)
    spec = pickle.loads(pickle.dumps(tiny.spec))
    assert spec == tiny.spec == penstock.Spec("gemma_text.yaml", tiny_set)
    with spec.open() as again:
        assert again("hello").text == tiny("hello").text


def test_python_runs_while_the_engine_works(tiny):
    counted = 0
    is_over = threading.Event()

    def ask():
        tiny("hello", max_new_tokens=300)
        is_over.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while not is_over.is_set():
        counted += 1
    thread.join()
    assert counted > 1000


def test_a_fork_is_refused_with_the_reason(python):
    ended = python(OPEN + """
p("hello")
child = os.fork()
if child == 0:
    try:
        p("hello")
    except penstock.Error as error:
        print("call:", error, flush=True)
    try:
        penstock.open("gemma_text.yaml", set={"model": os.environ["TINY"]})
    except penstock.Error as error:
        print("open:", error.code, flush=True)
    del p
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent:", len(p("hello").token_ids))
""")
    assert ended.returncode == 0, ended.stderr
    assert "call: this process was forked" in ended.stdout
    assert "'spawn'" in ended.stdout
    assert "open: usage" in ended.stdout
    assert "parent: 8" in ended.stdout


def test_a_fork_before_the_first_engine_may_open_one(python):
    ended = python("""
import os, penstock
child = os.fork()
if child == 0:
    with penstock.open("gemma_text.yaml", set={"model": os.environ["TINY"]}) as p:
        p("hello", max_new_tokens=2)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
""")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("what", [
    'p("hello", max_new_tokens=1900)',
    'list(p.stream("hello", max_new_tokens=1900))',
    'list(p.map(["hello"] * 300, max_new_tokens=1900))',
    'import asyncio; asyncio.run(p.acall("hello", max_new_tokens=1900))',
])
def test_ctrl_c_ends_a_request_and_not_the_pipeline(python, what):
    ended = python(OPEN + f"""
import signal, threading, time
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
begin = time.monotonic()
try:
    while True:
        {what}
except KeyboardInterrupt:
    assert time.monotonic() - begin < 5
print("after:", len(p("hello").token_ids))
""")
    assert ended.returncode == 0, ended.stderr
    assert "after: 8" in ended.stdout


@pytest.mark.parametrize("end", ["", "import sys; sys.exit(3)", "raise RuntimeError('x')",
                                 "s = p.stream('hello', max_new_tokens=1900); next(s)",
                                 "r = p.map(['hello'] * 9); next(r)"])
def test_the_interpreter_ends_with_open_pipelines(python, end):
    ended = python(OPEN + end)
    expected = 3 if "exit" in end else 1 if "raise" in end else 0
    assert ended.returncode == expected, ended.stderr
    assert "leaked" not in ended.stderr and "terminate" not in ended.stderr


def test_ten_thousand_calls_take_no_memory(tiny):
    def call(count):
        for _ in range(count // 4):
            tiny("hello", max_new_tokens=1)
            list(tiny.stream("hello", max_new_tokens=1))
        for _ in tiny.map(("hello" for _ in range(count // 2)), max_new_tokens=1):
            pass

    call(1000)
    gc.collect()
    before = resident()
    call(10000)
    gc.collect()
    grown = resident() - before
    assert grown < 8 << 20, f"{grown / 10000:.0f} bytes a call"
