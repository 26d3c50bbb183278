"""What tools/compare/hibari runs: both in turns, then a table."""

import json
import statistics
import subprocess
import sys
import tempfile
import time

from hibari import Hibari

RUN, COUNT = sys.argv[1], int(sys.argv[2])
THREADS, TURNS = 2, 3
RATE = 24000
PARAGRAPHS = [
    "The train was late. On the 3rd of March 2024, 1,250 people waited for it at 7:30 pm, in the cold and in the rain.",
    "She read the letter twice. Then she put it away, opened the window, and listened to the children in the garden.",
    "Nobody answered. Dr. Smith had paid $9.99 for the map, which showed every road within 50 km of the village.",
    "It works. A sentence is heard while the next one is computed, so that nobody waits for the end of a long text.",
]
THEIRS_FROM_START = ("import time; from hibari import Hibari; voice = Hibari(threads=2); "
                     "next(voice.stream({!r})); print('first', flush=True)")


def ours(texts):
    """(seconds of sound, seconds it took, median seconds until the first sentence of a text)"""
    with tempfile.TemporaryDirectory() as folder:
        words = [word for text in [PARAGRAPHS[0], *texts] for word in ("--text", text)]
        out = subprocess.run([RUN, "speak.yaml", *words, "--render", folder, "--json", "--threads", str(THREADS)],
                             check=True, capture_output=True, text=True).stdout
    warm, *results = [json.loads(line) for line in out.splitlines()]  # the first warms up
    times = [result["timing"] for result in results]
    # All were given at once, so that one's sound is made while the next one's runs: each has its end from the start.
    ends = [sum(each[name] for name in ("queue_ms", "prefill_ms", "decode_ms")) for each in (warm["timing"], *times)]
    return (sum(result["seconds"] for result in results), (max(ends) - ends[0]) / 1e3,
            statistics.median(each["prefill_ms"] for each in times) / 1e3)


def theirs(voice, texts):
    sound, firsts, start = 0.0, [], time.perf_counter()
    for text in texts:
        begin, is_first = time.perf_counter(), True
        for samples in voice.stream(text, seed=0):
            if is_first:
                firsts.append(time.perf_counter() - begin)
                is_first = False
            sound += len(samples) / RATE
    return sound, time.perf_counter() - start, statistics.median(firsts)


def first_bytes(command, head):
    """Seconds from the start of a program until it gave more than its head."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.read(head + 1)
        seconds = time.perf_counter() - start
        process.stdout.read()
    return seconds


def main():
    texts = [PARAGRAPHS[i % len(PARAGRAPHS)] for i in range(COUNT)]
    voice = Hibari(threads=THREADS)
    theirs(voice, PARAGRAPHS)
    mine, other, from_start, other_start = [], [], [], []
    for _ in range(TURNS):
        mine.append(ours(texts))
        other.append(theirs(voice, texts))
        from_start.append(first_bytes([RUN, "speak.yaml", "--text", texts[0], "--threads", str(THREADS)], 44))
        other_start.append(first_bytes([sys.executable, "-c", THEIRS_FROM_START.format(texts[0])], 0))
    for name, runs, starts in (("penstock", mine, from_start), ("hibari", other, other_start)):
        speed = statistics.median(sound / seconds for sound, seconds, _ in runs)
        first = statistics.median(run[2] for run in runs)
        print(f"{name:<10} {speed:6.1f} x real time   first sentence after {first:.3f} s,"
              f" from the start of the program {statistics.median(starts):.2f} s")


main()
