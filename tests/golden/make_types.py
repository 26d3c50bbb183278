"""Makes what transformers computes on models whose matrices are all of one GGUF type.

Why: the real files use few of the types, and rows of 640 allow no K type. The models are random, and too
large to be kept: the bytes come from a hash (splitmix64 of type, tensor and place), which
tests/plugins/gemma/types_test.cpp computes alike. gguf-py dequantises the bytes, transformers runs them.

Writes tests/golden/types/types.json: {TYPE: [{prompt, ids, margins, logits of the last position}]}.
"""
import argparse
import pathlib

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

import oracle
from make_tiny import gguf_name

HERE = pathlib.Path(__file__).resolve().parent
PROMPTS = [[2, 17, 40, 5, 33, 8], [2, 60, 4], [2, 9, 9, 21, 50, 31, 12, 63, 1, 44, 27, 6, 19, 38, 55, 10], [2, 29, 47, 11, 3]]
SHAPE = dict(vocab_size=64, hidden_size=256, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
             head_dim=128, intermediate_size=256, sliding_window=12, max_position_embeddings=64)
# Byte offset and exponent bits of each fp16 number of a block, so that weights are about 0.06.
SCALES = {
    "Q8_0": {0: 4}, "Q4_0": {0: 8}, "Q4_1": {0: 8, 2: 32 + 11}, "Q5_0": {0: 7}, "Q5_1": {0: 7, 2: 32 + 11},
    "IQ4_NL": {0: 5}, "Q2_K": {80: 7, 82: 7}, "Q3_K": {108: 5}, "Q4_K": {0: 3, 2: 6}, "Q5_K": {0: 2, 2: 6},
    "Q6_K": {208: 1},
}
PLAIN = {"F32": (np.uint32, 0x3D000000, 0x807FFFFF), "F16": (np.uint16, 0x2800, 0x83FF), "BF16": (np.uint16, 0x3D00, 0x807F)}
TYPES = [*PLAIN, *SCALES]


def words(key, count):
    """splitmix64 of key + 0, key + 1, ..."""
    z = np.uint64(key) + np.arange(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def random_bytes(key, count):
    return words(key, (count + 7) // 8).astype("<u8").view(np.uint8)[:count].copy()


def matrix(name, key, shape):
    """A tensor of type `name` as f32."""
    count = int(np.prod(shape))
    if name in PLAIN:
        kind, fixed, free = PLAIN[name]
        bits = random_bytes(key, count * np.dtype(kind).itemsize).view(kind)
        bits = (bits & kind(free)) | kind(fixed)
        if name == "F32":
            return bits.view(np.float32).reshape(shape)
        if name == "F16":
            return bits.view(np.float16).astype(np.float32).reshape(shape)
        return (bits.astype(np.uint32) << 16).view(np.float32).reshape(shape)
    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random_bytes(key, count // values * size).reshape(-1, size)
    for offset, exponent in SCALES[name].items():
        number = blocks[:, offset : offset + 2].copy().view("<u2")
        blocks[:, offset : offset + 2] = ((number & 0x3FF) | (exponent << 10)).view(np.uint8)
    return dequantize(blocks, kind).astype(np.float32).reshape(shape)


def norm(key, count, name):
    """1 + w of a norm, in steps that F16 holds. A sublayer counts more than the input, which a tied model repeats."""
    return (1 + (words(key, count) & np.uint64(255)).astype(np.float32) / 512) * (8 if "post" in name else 1)


def build(index, name):
    config = Gemma3TextConfig(
        sliding_window_pattern=2, query_pre_attn_scalar=SHAPE["head_dim"],
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 1e6},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}, **SHAPE)
    config._attn_implementation = "eager"
    model = Gemma3ForCausalLM(config).eval().float()
    found = dict(model.named_parameters())
    with torch.no_grad():
        for tensor, parameter in enumerate(sorted(found, key=gguf_name)):
            weight = found[parameter]
            key = (index + 1) << 48 | tensor << 32
            made = norm(key, weight.numel(), parameter) - 1 if weight.dim() == 1 else matrix(name, key, tuple(weight.shape))
            weight.copy_(torch.from_numpy(made))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "types")
    parser.add_argument("--steps", type=int, default=16)
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for index, name in enumerate(TYPES):
        model = build(index, name)
        runs = []
        for prompt in PROMPTS:
            ids, margins = oracle.greedy(model, prompt, args.steps, ())
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([prompt + ids])).logits[0, -1].tolist()
            runs.append({"prompt": prompt, "ids": ids, "margins": [round(m, 5) for m in margins],
                         "logits": [round(x, 5) for x in logits]})
        results[name] = runs
        print(name, f"logits {np.std(logits):.2f}, least margin {min(m for run in runs for m in run['margins']):.4f},",
              len({id for run in runs for id in run["ids"]}), "ids")
    oracle.write_json(args.out / "types.json", results)
    oracle.write_versions(args.out)


if __name__ == "__main__":
    main()
