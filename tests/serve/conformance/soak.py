#!/usr/bin/env python3
"""Hours in minutes: clients that ask, go away and make mistakes, for --minutes.

    soak.py --minutes 30 --clients 8 [--target penstock-text]

Every client draws its next request: an answer read to its end (streamed or
whole), one left in the middle, one not even begun to be read, chats, and
requests that are wrong. Said at the end, and a failure (exit 1) where

  - memory grew by more than 2 % after the warm-up (the first fifth): medians of
    the first and the last tenth of what follows,
  - descriptors or threads did not stay as they were (looked at when all rest),
  - an answer was 5xx other than 503, or a status was not the one to expect.
"""
import argparse
import asyncio
import json
import pathlib
import random
import statistics
import sys
import time

from servekit import Server, Target
from servekit.target import expand

TEXT, CHAT = "/v1/completions", "/v1/chat/completions"
WRONG = (  # path, body, the status to expect
    (TEXT, b"{", 400),
    (TEXT, b'{"model": "nobody", "prompt": "x"}', 404),
    (TEXT, b'{"model": "MODEL", "prompt": "x", "temperature": 9}', 400),
    (TEXT, b'{"model": "MODEL", "prompt": "x", "max_tokens": -1}', 400),
    (CHAT, b'{"model": "MODEL", "messages": []}', 400),
    ("/v1/nothing", b"{}", 404),
    (TEXT, b'{"model": "MODEL", "prompt": "' + b"x " * 200_000 + b'"}', 400),
)


class Client:
    def __init__(self, server, target, words, seed, until):
        self.server, self.target, self.until = server, target, until
        self.random, self.words = random.Random(seed), words
        self.counts, self.faults = {}, []

    def passage(self, count):
        at = self.random.randrange(0, len(self.words) - count)
        return " ".join(self.words[at:at + count])

    def question(self):
        """Path and body of a good request; every fourth is a chat."""
        common = {"max_tokens": self.random.choice((4, 16, 48)), "temperature": self.random.choice((0, 1)),
                  "stream": self.random.random() < 0.7}
        passage = self.passage(self.random.choice((8, 60, 200)))
        if self.random.random() < 0.25:
            return CHAT, common | {"model": self.target.model("chat"), "messages": [{"role": "user", "content": passage}]}
        return TEXT, common | {"model": self.target.model("text"), "prompt": passage}

    async def post(self, path, body, leave_after=None):
        """The status; `leave_after` answer bytes the connection is closed."""
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        try:
            writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                         b"Content-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body)
            await writer.drain()
            if leave_after == 0:
                return None
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 120)
            left = leave_after
            while left is None or left > 0:
                data = await asyncio.wait_for(reader.read(4096), 120)
                if not data:
                    break
                left = left and left - len(data)
            return int(head[9:12])
        finally:
            writer.close()

    async def one(self):
        kind = self.random.choices(("answer", "leave", "never", "wrong"), (6, 2, 1, 2))[0]
        wanted = 200
        if kind == "wrong":
            path, body, wanted = self.random.choice(WRONG)
            body = body.replace(b"MODEL", self.target.model("text" if path == TEXT else "chat").encode())
        else:
            path, asked = self.question()
            body = json.dumps(asked).encode()
        leave = {"leave": self.random.choice((1, 300, 2000)), "never": 0}.get(kind)
        status = await self.post(path, body, leave)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if status not in (None, wanted, 429, 503):
            self.faults.append(f"{kind} {path} {body[:60]!r}: {status}, not {wanted}")

    async def run(self):
        while time.monotonic() < self.until:
            try:
                await self.one()
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")


async def watch(server, samples, until):
    while time.monotonic() < until:
        samples.append(server.stats()["rss"])
        await asyncio.sleep(1)


async def load(server, target, words, clients, seconds, seed=0):
    until = time.monotonic() + seconds
    samples = []
    people = [Client(server, target, words, seed + n, until) for n in range(clients)]
    await asyncio.gather(watch(server, samples, until), *(p.run() for p in people))
    await asyncio.sleep(2)  # rest: what was left is given back
    return samples, people, server.stats()


def judge(samples, people, before, after):
    tenth = max(1, len(samples) // 10)
    first, last = statistics.median(samples[:tenth]), statistics.median(samples[-tenth:])
    faults = [fault for p in people for fault in p.faults]
    counts = {}
    for p in people:
        for kind, count in p.counts.items():
            counts[kind] = counts.get(kind, 0) + count
    print(f"requests {counts}; memory {first / 1e6:.1f} -> {last / 1e6:.1f} MB ({(last / first - 1) * 100:+.2f} %), "
          f"descriptors {before['fds']} -> {after['fds']}, threads {before['threads']} -> {after['threads']}")
    if last > first * 1.02:
        faults.append("memory grew")
    for what in ("fds", "threads"):
        if after[what] > before[what]:
            faults.append(f"{what} grew")
    for fault in faults[:20]:
        print("fault:", fault)
    return not faults


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--clients", type=int, default=8)
    p.add_argument("--target", default="penstock-text")
    a = p.parse_args()
    target = Target(a.target)
    book = expand("${PENSTOCK_CACHE:-~/.cache/penstock}/sentencepiece-0.2.1/share/botchan.txt")
    words = pathlib.Path(book).expanduser().read_text(encoding="utf-8-sig").split()
    server = Server(target)
    try:
        _, warm, before = asyncio.run(load(server, target, words, a.clients, a.minutes * 12))
        samples, people, after = asyncio.run(load(server, target, words, a.clients, a.minutes * 48, 1000))
        good = judge(samples, warm + people, before, after) and server.alive()
    finally:
        server.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
