"""What tools/compare/faster_whisper runs: all sides in turns, then a table."""

import json
import re
import subprocess
import sys
import time

from faster_whisper import WhisperModel
from in_turns import in_turns

RUN, CACHE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
CLIPS = f"{CACHE}/media/pocketsphinx-testdata/librivox"
TURNS = 3


def read_clips():
    """(path, what is said in it)"""
    with open(f"{CLIPS}/transcription", encoding="utf-8") as file:
        lines = [re.fullmatch(r"<s>(.*)</s> *\((.*)\)\s*", line) for line in file]
    return [(f"{CLIPS}/{m[2]}.wav", m[1]) for m in lines if m]


def words(text):
    text = text.lower().replace("mr.", "mister")
    return re.sub(r"[^a-z' ]+", " ", text).split()


def errors(said, wanted):
    """The edit distance between two lists of words."""
    row = list(range(len(wanted) + 1))
    for i, word in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(wanted, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]


def ours(files, extra=()):
    start = time.perf_counter()
    done = subprocess.run(
        [RUN, "speech_to_text.yaml", "--threads", "2", "--json", *extra, *files],
        capture_output=True, check=True)
    seconds = time.perf_counter() - start
    return seconds, [json.loads(line)["text"] for line in done.stdout.splitlines()]


def theirs(model, files):
    start, texts = time.perf_counter(), []
    for path in files:
        segments, _ = model.transcribe(path, language="en", beam_size=1, temperature=0)
        texts.append("".join(segment.text for segment in segments))
    return time.perf_counter() - start, texts


def main():
    clips = read_clips()
    chosen = [clips[i % len(clips)] for i in range(COUNT)]
    files = [path for path, _ in chosen]
    models = {kind: WhisperModel(f"{CACHE}/models/whisper-tiny.en", device="cpu",
                                 compute_type=kind, cpu_threads=2)
              for kind in ("float32", "int8")}
    sides = {"penstock": lambda: ours(files),
             "penstock, int8": lambda: ours(files, ["--set", "forward.dtype=int8"]),
             "penstock, fp32": lambda: ours(files, ["--set", "forward.dtype=fp32"]),
             "penstock, one at a time": lambda: ours(files, ["--set", "batch.max_sequences=1"])}
    for kind, model in models.items():
        sides[f"faster-whisper, {kind}"] = lambda model=model: theirs(model, files)
    seconds, answers = in_turns(sides, TURNS)
    rates = {name: COUNT / each for name, each in seconds.items()}
    for name, rate in rates.items():
        wrong = sum(errors(words(text), words(wanted))
                    for text, (_, wanted) in zip(answers[name], chosen))
        total = sum(len(words(wanted)) for _, wanted in chosen)
        print(f"{name:<24} {rate:6.2f} clips/s   penstock is {rates['penstock'] / rate:5.2f} x,"
              f" in int8 {rates['penstock, int8'] / rate:5.2f} x"
              f"   word error rate {100 * wrong / total:.1f} %")


main()
