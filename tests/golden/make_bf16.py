"""Greedy continuations of the first two prompts of make_gemma.py by transformers in bf16, for information.

bf16 logits are rounded to 8 bits, so the best two are often equal (margin 0) and another build may take
the other one: these ids say how far bf16 is from fp32, no test holds anyone to them.

Writes greedy_bf16.json: {versions, rows: [{prompt, ids_in, ids, margins, ties, first_difference}]};
ties = steps of margin 0; first_difference = first step whose id differs from greedy.json's, or null.
"""
import argparse
import json
import pathlib

import torch

import gemma_oracle
import make_gemma
import oracle

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gemma_oracle.add_model_arguments(parser)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "gemma")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = gemma_oracle.load_sentencepiece(args.model)
    model = gemma_oracle.load_model(args.model, "bfloat16")
    exact = json.loads((args.out / "greedy.json").read_text())
    rows = []
    for prompt, fp32 in zip(make_gemma.PROMPTS[:2], exact):
        ids = [gemma_oracle.BOS] + tokenizer.encode(prompt)
        new, margins = oracle.greedy(model, ids, 256)
        first = next((i for i, (a, b) in enumerate(zip(new, fp32["ids"])) if a != b), None)
        rows.append({"prompt": prompt, "ids_in": ids, "ids": new, "margins": [round(m, 5) for m in margins],
                     "ties": margins.count(0.0), "first_difference": first})
        print(repr(prompt[:40]), len(new), "tokens,", margins.count(0.0), "ties, first difference at", first)
    oracle.write_json(args.out / "greedy_bf16.json", {"versions": oracle.versions(), "rows": rows})


if __name__ == "__main__":
    main()
