"""Pictures and sound as paths, bytes and arrays, over the real models; the text model; rates beside the programs."""

import json
import os
import subprocess
import time
from pathlib import Path

import numpy
import penstock
import pytest
from conftest import BIN, SOURCE

pytestmark = pytest.mark.model
CACHE = Path(os.environ["PENSTOCK_CACHE"])
FLAG = SOURCE / "tests/fixtures/pictures/flag.bmp"


@pytest.fixture(scope="module")
def classify():
    with penstock.open("image_classify.yaml") as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def speech():
    with penstock.open("speech_to_text.yaml") as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def gemma():
    with penstock.open("gemma_text.yaml", set={"decode.max_new_tokens": 16}) as pipeline:
        yield pipeline


def pixels_of_bmp(path):
    """rgb of a BMP of 24 or 32 bits, read by its header."""
    data = path.read_bytes()
    start, width, height, bits = (int.from_bytes(data[at:at + size], "little", signed=True)
                                  for at, size in ((10, 4), (18, 4), (22, 4), (28, 2)))
    step = (width * bits // 8 + 3) // 4 * 4
    rows = numpy.frombuffer(data, numpy.uint8, abs(height) * step, start).reshape(abs(height), step)
    rows = rows[:, :width * bits // 8].reshape(abs(height), width, bits // 8)[:, :, 2::-1]
    return numpy.ascontiguousarray(rows[::-1] if height > 0 else rows)


def test_a_picture_by_path_bytes_and_pixels(classify):
    by_path = classify(FLAG).data["labels"]
    assert by_path == classify(str(FLAG)).data["labels"]
    assert by_path == classify({"image": FLAG}).data["labels"]
    assert by_path == classify(FLAG.read_bytes()).data["labels"]
    assert by_path == classify(penstock.File("a name", FLAG.read_bytes())).data["labels"]
    pixels = pixels_of_bmp(FLAG)
    assert by_path == classify(pixels).data["labels"]
    assert by_path == classify({"image": pixels[:, ::-1][:, ::-1]}).data["labels"]  # no contiguous memory


def test_what_is_no_picture_is_refused(classify):
    with pytest.raises(penstock.Error, match="expected pixels of 8 bits") as raised:
        classify(numpy.zeros((4, 4, 3), numpy.float32))
    assert raised.value.stage == "preprocess.0" or raised.value.stage == "preprocess"
    with pytest.raises(penstock.Error, match="no file 'nowhere.png'"):
        classify("nowhere.png")


def test_an_array_lives_until_its_request_is_done(classify):
    want = classify(pixels_of_bmp(FLAG)).data["labels"]
    for result in classify.map(pixels_of_bmp(FLAG) for _ in range(40)):
        assert result.data["labels"] == want


def test_sound_as_a_file_and_as_samples(speech):
    import wave
    path = next((CACHE / "media/pocketsphinx-testdata").rglob("*.wav"))
    with wave.open(str(path)) as sound:
        assert sound.getsampwidth() == 2
        rate = sound.getframerate()
        samples = numpy.frombuffer(sound.readframes(sound.getnframes()), numpy.int16).astype(numpy.float32) / 32768
    by_path = speech(path)
    assert by_path.text.strip()
    assert speech({"audio": samples, "sample_rate": rate}).text == by_path.text
    assert speech(penstock.Audio(samples, rate)).text == by_path.text
    assert speech(penstock.Audio(numpy.stack([samples, samples], 1), rate)).text == by_path.text
    assert speech(path.read_bytes()).text == by_path.text
    with pytest.raises(penstock.Error, match="expected float32"):
        speech(penstock.Audio(numpy.zeros(9, numpy.int16), rate))
    with pytest.raises(penstock.Error, match="sample_rate 0"):
        speech(penstock.Audio(samples, 0))


def test_gemma_answers_as_the_program(gemma, run_lines):
    texts = ["The capital of France is", "January, February, March,", "Once upon a time"]
    lines = run_lines("gemma_text.yaml", "--set=decode.max_new_tokens=16", *(f"--text={text}" for text in texts))
    assert [result.json() for result in gemma.map({"text": text, "id": str(number)}
                                                  for number, text in enumerate(texts))] == lines
    assert gemma("January, February, March,").text.startswith(" April, May, June")


def test_voice_to_gemma_as_the_program(run_lines):
    path = next((CACHE / "media/pocketsphinx-testdata").rglob("*.wav"))
    line, = run_lines("voice_to_gemma.yaml", path)
    with penstock.open("voice_to_gemma.yaml") as both:
        result = both({"audio": path})
    assert [part.text for part in result.steps["answer"]] == [part["text"] for part in line["steps"]["answer"]]


def test_map_costs_no_more_than_the_program(gemma, tmp_path):
    """What a run takes beyond Forward, which is the same engine in both: of 98 % of the program's rate at most 2 % may
    be lost. Whole runs beside each other would measure what else the machine does."""
    rows = [{"id": str(number), "text": f"Chapter {number}. Once upon a time there was"} for number in range(40)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before, begin = gemma.stats()[""]["forward_s"], time.monotonic()
    texts = [result.text for result in gemma.map(rows)]
    wall = time.monotonic() - begin
    ours = (wall - (gemma.stats()[""]["forward_s"] - before)) / wall
    ended = subprocess.run([BIN / "pipeline-run", "gemma_text.yaml", "--set=decode.max_new_tokens=16", "--json",
                            "--jsonl", path, "--summary", "--quiet"], capture_output=True, text=True, check=True)
    assert texts == [json.loads(line)["text"] for line in ended.stdout.splitlines()]
    seconds = {line.split()[0]: float(line.split()[1]) for line in ended.stderr.splitlines()
               if line.startswith(("forward", "wall"))}
    program = (seconds["wall"] - seconds["forward"]) / seconds["wall"]
    print(f"beyond Forward: map {ours:.2%}, pipeline-run {program:.2%}")
    assert ours <= program + 0.02
