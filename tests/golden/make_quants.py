"""Makes blocks of every quantised type with the f32 values gguf-py dequantises them to.

Why: the real model uses only some of the types, and a tiny model none (their rows are multiples of 256).
Writes, into tests/fixtures/quants: TYPE.in (raw blocks), TYPE.out (little-endian f32, in order) and
quants.json ({TYPE: {ggml_type, blocks, block_bytes, block_values}}). Every bit pattern is random but the
fp16 scales, which are finite; F16 and BF16 have every kind of finite value, subnormals and -0 among them.
"""
import argparse
import pathlib

import gguf
import numpy as np
from gguf.quants import dequantize

import oracle

HERE = pathlib.Path(__file__).resolve().parent
# Byte offsets of the fp16 scales inside a block (ggml-common.h).
SCALES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "F16": None, "BF16": None,
}


def random_blocks(name, count, rng):
    values, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if SCALES[name] is None:
        bits = rng.integers(0, 1 << 16, count, dtype=np.uint16)
        bits[:4] = [0x0000, 0x8000, 0x0001, 0x8001]  # zeros and the smallest subnormals
        infinite = 0x7C00 if name == "F16" else 0x7F80
        bits[(bits & infinite) == infinite] &= 0xBFFF  # no NaN, no infinity
        return bits.astype("<u2").view(np.uint8).reshape(count, 2), values, size
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for offset in SCALES[name]:
        scale = (rng.standard_normal(count) * 10.0 ** rng.integers(-4, 2, count)).astype("<f2")
        blocks[:, offset : offset + 2] = scale.view(np.uint8).reshape(count, 2)
    return blocks, values, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "fixtures" / "quants")
    parser.add_argument("--values", type=int, default=4096, help="f32 values of each type")
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    index = {}
    for name in SCALES:
        kind = gguf.GGMLQuantizationType[name]
        values = gguf.GGML_QUANT_SIZES[kind][0]
        blocks, values, size = random_blocks(name, args.values // values, rng)
        out = dequantize(blocks, kind).astype(np.float32).reshape(-1)
        assert out.size == args.values and np.isfinite(out).all(), name
        oracle.write_array(args.out / f"{name}.in", blocks, np.uint8)
        oracle.write_array(args.out / f"{name}.out", out, np.float32)
        index[name] = {"ggml_type": int(kind), "blocks": len(blocks), "block_bytes": size, "block_values": values}
    oracle.write_json(args.out / "quants.json", index, indent=2)
    oracle.write_versions(args.out, seed=args.seed)


if __name__ == "__main__":
    main()
