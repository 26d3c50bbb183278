"""Makes the notes that Basic Pitch hears in a tune, by its own package and onnxruntime.

Writes tests/golden/notes/tune.json: {rate, seconds, tune: [[begin, end, pitch]], heard: [{begin, end, pitch,
loudness}]}. The tune is played here by four harmonics of each note, and by the test in the same way.
"""
import json
import os
import pathlib
import platform
import tempfile
from importlib.metadata import version

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library starts
import numpy as np  # noqa: E402
from basic_pitch import ICASSP_2022_MODEL_PATH  # noqa: E402
from basic_pitch.inference import predict  # noqa: E402
from scipy.io import wavfile  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "notes"
RATE, SECONDS = 22050, 7.5
TUNE = [[0.25, 0.7, 60], [0.7, 1.1, 62], [1.1, 1.6, 64], [1.6, 1.9, 64], [2.0, 3.2, 48], [2.0, 3.2, 55], [2.0, 2.6, 67],
        [2.6, 3.2, 72], [3.4, 3.5, 76], [3.6, 5.0, 45], [3.8, 4.4, 69], [4.4, 4.9, 73], [5.2, 7.2, 33], [5.2, 6.4, 81],
        [6.4, 7.4, 88]]


def play():
    sound = np.zeros(round(SECONDS * RATE))
    for begin, end, pitch in TUNE:
        first, last = round(begin * RATE), round(end * RATE)
        time = np.arange(last - first) / RATE
        swell = np.minimum(1, time / 0.01) * np.minimum(1, (end - begin - time) / 0.03) * np.exp(-1.5 * time)
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        for harmonic in range(1, 5):
            sound[first:last] += 0.15 * swell * np.sin(2 * np.pi * harmonic * hertz * time) / harmonic
    return np.round(sound * 32767).astype(np.int16)


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/tune.wav"
        wavfile.write(path, RATE, play())
        model = pathlib.Path(ICASSP_2022_MODEL_PATH).with_suffix(".onnx")
        _, _, notes = predict(path, model)
    heard = [{"begin": float(begin), "end": float(end), "pitch": int(pitch), "loudness": float(loudness)}
             for begin, end, pitch, loudness, _ in sorted(notes, key=lambda note: (note[0], note[2]))]
    made = {"rate": RATE, "seconds": SECONDS, "tune": TUNE, "heard": heard}
    (GOLDEN / "tune.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "scipy", "librosa", "onnxruntime", "basic-pitch")} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
