"""Many at once, every byte looked at."""
import asyncio
import time

import httpx
import pytest

from servekit import raw, sse

PROMPTS = ["January, February, March,", "One, two, three, four,", "Once upon a time there was a king", "The capital of France is Paris. The capital of Italy is",
           "def add(a, b):\n    return", "Monday, Tuesday, Wednesday,", "A B C D E F G", "To be, or not to be, that is"]


def test_64_streams_at_once_each_byte_right(server, complete, text_model):
    """From: a complaint: answers of other people in my stream (mixed-up slots)."""
    expected = {p: complete(p, max_tokens=24)["choices"][0]["text"] for p in PROMPTS}

    async def one(client, prompt):
        payload = {"model": text_model, "prompt": prompt, "temperature": 0, "max_tokens": 24, "stream": True}
        for _ in range(60):
            async with client.stream("POST", server.url + "/v1/completions", json=payload) as answer:
                if answer.status_code == 429:                       # told to come again: allowed
                    await answer.aread()
                    await asyncio.sleep(float(answer.headers["retry-after"]))
                    continue
                assert answer.status_code == 200
                data = await answer.aread()
            break
        blocks = [b for b in data.split(b"\n\n") if b.strip()]
        events = [e for e in (sse.parse(b) for b in blocks) if e]
        chunks = sse.chunks(events)
        assert sse.finish_of(chunks) in ("length", "stop")
        assert len({c["id"] for c in chunks}) == 1
        return prompt, chunks[0]["id"], sse.text_of(chunks)

    async def all_of_them():
        async with httpx.AsyncClient(timeout=140, limits=httpx.Limits(max_connections=64)) as client:
            return await asyncio.gather(*[one(client, PROMPTS[i % 8]) for i in range(64)])

    results = asyncio.run(all_of_them())
    assert len({r[1] for r in results}) == 64, "ids are not different"
    wrong = [(p, t, expected[p]) for p, _, t in results if t != expected[p]]
    assert not wrong, f"{len(wrong)} of 64 differ from the same prompt alone, first: {wrong[0]}"


def test_300_idle_connections(server, complete, months):
    """From: a complaint: a thread for each connection, then none is left."""
    sockets = []
    try:
        for _ in range(300):
            sockets.append(raw.connect(server))
        begin = time.monotonic()
        assert complete(months, max_tokens=2)["choices"][0]["text"] == " April,"
        assert time.monotonic() - begin < 5
        for s in sockets[::30]:                  # and the idle ones still work
            s.sendall(raw.request("GET", "/health"))
            answer = raw.Reader(s, 10).answer()
            assert answer is not None and answer.status == 200
    finally:
        for s in sockets:
            s.close()


def test_connections_are_given_back(server):
    """From: complaint: "too many open files" after a day."""
    if server.process is None:
        pytest.skip("needs the process")
    for _ in range(20):
        raw.exchange(server, raw.request("GET", "/health"))
    before = server.stats()["fds"]
    for i in range(300):
        s = raw.connect(server)
        s.sendall(raw.request("GET", "/health") if i % 3 else b"GET /hea")
        if i % 2:
            s.recv(10) if i % 3 else None
        s.close()
    time.sleep(1.5)
    assert server.stats()["fds"] <= before + 5


def test_many_short_requests_do_not_grow_memory(server, complete):
    """From: complaints ollama#18106, llama.cpp#27725 (5 to 12 MiB more for each request)."""
    if server.process is None:
        pytest.skip("needs the process")
    for i in range(40):
        complete(f"The number {i} is written as", max_tokens=2)
    before = server.stats()["rss"]
    for i in range(150):
        complete(f"Another number, {i * 37}, is written in words as", max_tokens=2)
    growth = server.stats()["rss"] - before
    assert growth < 30 << 20, f"{growth / 2**20:.0f} MiB in 150 requests"
