"""Golden files of voice activity: what silero-vad's own .jit and rules say.

Writes tests/golden/silero/: clips.json (segments of each clip of tools/media, and where its
probabilities stand in probabilities.f32), rules.json (segments of made-up probabilities under
many settings). The made-up ones: u in [-1, 1) from the generator of make_audio.py,
level = 0.8 level + 0.2 u, probability = clip(0.5 + 2 level, 0, 1), all in double.

    tools/media fetch pocketsphinx-testdata asterisk-sounds
    oracle/bin/python tests/golden/make_silero.py
"""
import os
import pathlib

import av
import numpy as np
import torch
from silero_vad import load_silero_vad
from silero_vad.utils_vad import get_speech_timestamps, get_speech_timestamps_from_probs

import oracle

oracle.PACKAGES = ("torch", "silero-vad", "numpy", "av")
HERE = pathlib.Path(__file__).resolve().parent / "silero"
CACHE = pathlib.Path(os.environ.get("PENSTOCK_CACHE") or pathlib.Path.home() / ".cache/penstock")
LIBRI = "pocketsphinx-testdata/librivox/sense_and_sensibility_01_austen_64kb-"
CLIPS = [f"{LIBRI}{n}.wav" for n in ("0870", "0880", "0890", "0920", "0930")] + [
    "pocketsphinx-testdata/goforward.raw", "pocketsphinx-testdata/cards/005.wav"] + [
    f"asterisk-sounds/{n}.g722" for n in (
        "dir-intro", "demo-congrats", "demo-moreinfo", "demo-instruct", "tt-monkeys",
        "basic-pbx-ivr-main")]


def hear(name):
    path = CACHE / "media" / name
    if path.suffix == ".raw":
        return np.fromfile(path, dtype="<i2").astype(np.float32) / 32768
    with av.open(str(path), format="g722" if path.suffix == ".g722" else None) as container:
        parts = [f.to_ndarray().reshape(-1) for f in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / 32768


def probabilities(model, sound, rate):
    window = 512 if rate == 16000 else 256
    model.reset_states()
    out = []
    for at in range(0, len(sound), window):
        piece = torch.from_numpy(sound[at:at + window])
        piece = torch.nn.functional.pad(piece, (0, window - len(piece)))
        out.append(model(piece, rate).item())
    return out


def clips(model):
    rows, every = [], []
    for name in CLIPS:
        for rate in (16000, 8000):
            sound = hear(name)
            if rate == 8000:  # every other sample: not good sound, but the same numbers everywhere
                sound = np.ascontiguousarray(sound[::2])
            made = probabilities(model, sound, rate)
            segments = get_speech_timestamps(torch.from_numpy(sound), model, sampling_rate=rate)
            rows.append({"file": name, "rate": rate, "at": len(every), "windows": len(made),
                         "segments": [[s["start"], s["end"]] for s in segments]})
            every += made
    oracle.write_json(HERE / "clips.json", rows)
    oracle.write_array(HERE / "probabilities.f32", np.array(every), np.float32)


def made_up(count, seed):
    out, x, level = [], seed, 0.0
    for _ in range(count):
        x = (1664525 * x + 1013904223) % 2**32
        u = (x >> 8) / 2**23 - 1
        level = 0.8 * level + 0.2 * u
        out.append(min(max(0.5 + 2 * level, 0.0), 1.0))
    return out


def rules():
    settings = [{}, {"min_speech_duration_ms": 0}, {"min_silence_duration_ms": 0},
                {"speech_pad_ms": 0}, {"speech_pad_ms": 200}, {"speech_pad_ms": 45.7},
                {"threshold": 0.7}, {"threshold": 0.1}, {"neg_threshold": 0.45},
                {"max_speech_duration_s": 1}, {"max_speech_duration_s": 0.7, "threshold": 0.3},
                {"max_speech_duration_s": 3, "min_silence_duration_ms": 500},
                {"min_silence_duration_ms": 400, "speech_pad_ms": 120}]
    rows = []
    for i, setting in enumerate(settings):
        for rate in (16000, 8000):
            count = 400 + 37 * i
            window = 512 if rate == 16000 else 256
            length = count * window - 100
            found = get_speech_timestamps_from_probs(
                made_up(count, i), sampling_rate=rate, audio_length_samples=length, **setting)
            rows.append({"rate": rate, "count": count, "seed": i, "length": length, "set": setting,
                         "segments": [[s["start"], s["end"]] for s in found]})
    oracle.write_json(HERE / "rules.json", rows)


def main():
    HERE.mkdir(exist_ok=True)
    clips(load_silero_vad())
    rules()
    oracle.write_versions(HERE)


if __name__ == "__main__":
    main()
