"""Golden files of speech to text: transformers' Whisper, fp32, on the weights of the CTranslate2 file.

Writes tests/golden/whisper/: short.json (22 clips of at most 30 s: token ids without timestamps,
prompt [50257, 50362], greedy, and with timestamps), long.json (two clips beyond a window: segments of
generate() with timestamps), encoder.f32 and steps.json (fingerprints: every 50th frame and every 4th
number of the encoder's output, the first step's best logits).

    tools/models fetch whisper-tiny.en
    tools/media fetch pocketsphinx-testdata asterisk-sounds
    oracle/bin/python tests/golden/make_whisper.py
"""
import json
import os
import pathlib
import struct

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

import oracle
from make_silero import LIBRI, hear

oracle.PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "av")
HERE = pathlib.Path(__file__).resolve().parent / "whisper"
CACHE = pathlib.Path(os.environ.get("PENSTOCK_CACHE") or pathlib.Path.home() / ".cache/penstock")
MODEL = CACHE / "models" / "whisper-tiny.en"
SHORT = [f"{LIBRI}{n}.wav" for n in ("0870", "0880", "0890", "0920", "0930")] + [
    "pocketsphinx-testdata/goforward.raw", "pocketsphinx-testdata/something.raw",
    "pocketsphinx-testdata/cards/002.wav", "pocketsphinx-testdata/cards/005.wav"] + [
    f"asterisk-sounds/{n}.g722" for n in (
        "dir-intro", "demo-moreinfo", "basic-pbx-ivr-main", "tt-monkeys", "demo-abouttotry",
        "demo-echotest", "agent-loginok", "conf-getpin", "vm-tomakecall", "all-circuits-busy-now",
        "priv-recordintro", "demo-thanks", "ss-noservice")]
LONG = [f"asterisk-sounds/{n}.g722" for n in ("demo-instruct", "demo-congrats")]
TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_ct2(path):
    data, at, out = path.read_bytes(), 0, {}

    def take(form):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return value[0]

    def text():
        nonlocal at
        size = take("H")
        at += size
        return data[at - size:at - 1].decode()

    assert take("I") == 6 and text() == "WhisperSpec" and take("I") == 3
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = take("B"), take("I")
        out[name] = np.frombuffer(data, TYPES[kind], size // int(TYPES[kind][2]), at).reshape(shape)
        at += size
    return {name: torch.from_numpy(value.astype(np.float32)) for name, value in out.items()}


def state(ct2):
    """The names of transformers for those of CTranslate2."""
    out = {}

    def norm(old, new):
        out[new + ".weight"], out[new + ".bias"] = ct2[old + "/gamma"], ct2[old + "/beta"]

    def linear(old, new, part=None):
        weight, bias = ct2[old + "/weight"], ct2[old + "/bias"]
        if part is not None:
            weight, bias = weight[part * 384:(part + 1) * 384], bias[part * 384:(part + 1) * 384]
        out[new + ".weight"] = weight
        if not new.endswith("k_proj"):
            out[new + ".bias"] = bias

    for i in (1, 2):
        linear(f"encoder/conv{i}", f"model.encoder.conv{i}")
    for side in ("encoder", "decoder"):
        out[f"model.{side}.embed_positions.weight"] = ct2[f"{side}/position_encodings/encodings"]
        norm(f"{side}/layer_norm", f"model.{side}.layer_norm")
        for i in range(4):
            old, new = f"{side}/layer_{i}", f"model.{side}.layers.{i}"
            norm(f"{old}/self_attention/layer_norm", f"{new}.self_attn_layer_norm")
            for part, name in enumerate("qkv"):
                linear(f"{old}/self_attention/linear_0", f"{new}.self_attn.{name}_proj", part)
            linear(f"{old}/self_attention/linear_1", f"{new}.self_attn.out_proj")
            if side == "decoder":
                norm(f"{old}/attention/layer_norm", f"{new}.encoder_attn_layer_norm")
                linear(f"{old}/attention/linear_0", f"{new}.encoder_attn.q_proj")
                for part, name in enumerate("kv"):
                    linear(f"{old}/attention/linear_1", f"{new}.encoder_attn.{name}_proj", part)
                linear(f"{old}/attention/linear_2", f"{new}.encoder_attn.out_proj")
            norm(f"{old}/ffn/layer_norm", f"{new}.final_layer_norm")
            linear(f"{old}/ffn/linear_0", f"{new}.fc1")
            linear(f"{old}/ffn/linear_1", f"{new}.fc2")
    out["model.decoder.embed_tokens.weight"] = out["proj_out.weight"] = ct2["decoder/embeddings/weight"]
    return out


def load():
    settings = json.loads((MODEL / "config.json").read_text())
    model = WhisperForConditionalGeneration(WhisperConfig(
        d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6,
        decoder_attention_heads=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536, vocab_size=51864,
        pad_token_id=50256, bos_token_id=50256, eos_token_id=50256, decoder_start_token_id=50257))
    model.load_state_dict(state(read_ct2(MODEL / "model.bin")), strict=True)
    model.generation_config = GenerationConfig(
        suppress_tokens=settings["suppress_ids"], begin_suppress_tokens=settings["suppress_ids_begin"],
        no_timestamps_token_id=50362, prev_sot_token_id=50360, is_multilingual=False,
        max_initial_timestamp_index=50, decoder_start_token_id=50257, eos_token_id=50256,
        pad_token_id=50256, bos_token_id=50256, max_length=448, return_timestamps=False)
    return model.eval(), settings


def plain(model, settings, features):
    """Greedy without timestamps, written out: (ids, mean log probability, smallest margin)."""
    encoded = model.model.encoder(features).last_hidden_state
    ids, total, margins, cache, feed = [50257, 50362], 0.0, [], None, torch.tensor([[50257, 50362]])
    first = None
    while len(ids) < 226:
        step = model(encoder_outputs=(encoded,), decoder_input_ids=feed, past_key_values=cache, use_cache=True)
        cache, logits = step.past_key_values, step.logits[0, -1]
        if first is None:
            first = logits.clone()
        logits[settings["suppress_ids"]] = -torch.inf
        if len(ids) == 2:
            logits[settings["suppress_ids_begin"]] = -torch.inf
        scores = torch.log_softmax(logits, -1)
        best = torch.topk(scores, 2)
        margins.append(float(best.values[0] - best.values[1]))
        total += float(best.values[0])
        ids.append(int(best.indices[0]))
        if ids[-1] == 50256:
            break
        feed = torch.tensor([[ids[-1]]])
    return ids[2:], total / len(ids[2:]), margins, encoded, first


@torch.inference_mode()
def main():
    HERE.mkdir(exist_ok=True)
    torch.set_num_threads(int(os.environ.get("THREADS", "2")))
    model, settings = load()
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    extract = WhisperFeatureExtractor()
    rows, steps, encodings = [], [], []
    for name in SHORT:
        features = extract(hear(name), sampling_rate=16000, return_tensors="pt").input_features
        ids, mean, margins, encoded, first = plain(model, settings, features)
        stamped = model.generate(features, return_timestamps=True)[0].tolist()
        rows.append({"file": name, "ids": ids, "mean_log_probability": mean, "margin": min(margins),
                     "text": tokenizer.decode(ids), "stamped": stamped})
        print(name, len(ids), rows[-1]["text"], flush=True)
        if len(steps) < 3:
            best = torch.topk(first, 5)
            steps.append({"file": name, "ids": best.indices.tolist(), "logits": best.values.tolist()})
            encodings.append(encoded[0, ::50, ::4].numpy())
    long = []
    for name in LONG:
        sound = hear(name)
        features = extract(sound, sampling_rate=16000, return_tensors="pt", truncation=False,
                           padding="longest").input_features
        made = model.generate(features, return_timestamps=True, return_segments=True)
        segments = [[float(s["start"]), float(s["end"]), tokenizer.decode(s["tokens"].tolist())]
                    for s in made["segments"][0]]
        long.append({"file": name, "ids": made["sequences"][0].tolist(), "segments": segments})
        print(name, segments, flush=True)
    oracle.write_json(HERE / "short.json", rows)
    oracle.write_json(HERE / "long.json", long)
    oracle.write_json(HERE / "steps.json", steps)
    oracle.write_array(HERE / "encoder.f32", np.stack(encodings), np.float32)
    oracle.write_versions(HERE)


if __name__ == "__main__":
    main()
