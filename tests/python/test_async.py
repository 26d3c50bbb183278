"""acall and astream, in one loop and in several."""

import asyncio
import gc
import threading

import penstock
import pytest
from conftest import LONG


def test_many_tasks_wait_for_room(own):
    texts = [f"text {number}" for number in range(40)]  # ten times what is in flight
    alone = [own(text).token_ids for text in texts]

    async def run():
        return await asyncio.gather(*(own.acall(text) for text in texts))

    assert [result.token_ids for result in asyncio.run(run())] == alone


def test_the_loop_goes_on_meanwhile(tiny):
    async def run():
        ticks = 0
        task = asyncio.ensure_future(tiny.acall("hello", max_new_tokens=400))
        while not task.done():
            await asyncio.sleep(0.001)
            ticks += 1
        assert len((await task).token_ids) == 400
        return ticks

    assert asyncio.run(run()) > 3


def test_a_cancelled_task_ends_its_request(own):
    async def run():
        task = asyncio.ensure_future(own.acall("hello", **LONG))
        while own.in_flight == 0:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while own.in_flight:
            await asyncio.sleep(0.001)
        return await own.acall("hello", max_new_tokens=2)

    assert len(asyncio.run(run()).token_ids) == 2


def test_a_timeout_of_asyncio(own):
    async def run():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(own.acall("hello", **LONG), 0.05)
        while own.in_flight:
            await asyncio.sleep(0.001)

    asyncio.run(run())


def test_pieces_come_in_a_loop(tiny):
    async def run():
        stream = tiny.astream("hello there")
        pieces = [piece async for piece in stream]
        return pieces, await stream.result()

    pieces, result = asyncio.run(run())
    assert len(pieces) > 1
    assert "".join(pieces) == result.text == tiny("hello there").text


def test_a_left_stream_ends(own):
    async def run():
        async with own.astream("hello", **LONG) as stream:
            async for _ in stream:
                break
        while own.in_flight:
            await asyncio.sleep(0.001)
        stream = own.astream("hello", **LONG)
        await stream.__anext__()
        del stream
        gc.collect()
        while own.in_flight:
            await asyncio.sleep(0.001)

    asyncio.run(run())


def test_errors_come_to_the_task(own):
    async def run():
        with pytest.raises(penstock.Error, match="did you mean"):
            await own.acall("hello", temperatur=1)
        with pytest.raises(penstock.Error) as raised:
            await own.acall("x " * 100000)
        assert raised.value.stage == "preprocess"

    asyncio.run(run())


def test_each_thread_has_its_loop(tiny):
    found = {}

    def run(number):
        async def ask():
            return await asyncio.gather(*(tiny.acall(f"text {number} {each}") for each in range(5)))
        found[number] = [result.token_ids for result in asyncio.run(ask())]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [tiny(f"text {number} {each}").token_ids for each in range(5)] for number in range(4)}


def test_closing_tells_every_task(own):
    async def run():
        tasks = [asyncio.ensure_future(own.acall("hello", **LONG)) for _ in range(8)]  # four wait for room
        while own.in_flight < 4:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(own.close)
        return await asyncio.gather(*tasks, return_exceptions=True)

    errors = asyncio.run(run())
    assert {error.code for error in errors} <= {"cancelled", "usage"}
    assert sum(error.code == "cancelled" for error in errors) >= 4
