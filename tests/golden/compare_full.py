"""Compares all our logits of the 1,500-token text with transformers' fp32: [1500, vocab] raw f32 in a file.

The file is written by `gemma_model_test --gtest_filter=*1500*` with PENSTOCK_DUMP_LOGITS=FILE.
"""
import argparse
import json
import pathlib

import numpy as np

import gemma_oracle

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gemma_oracle.add_model_arguments(parser)
    parser.add_argument("logits", type=pathlib.Path)
    args = parser.parse_args()
    ids = json.loads((HERE / "gemma/logits.json").read_text())["ids"]
    model = gemma_oracle.load_model(args.model)
    ours = np.memmap(args.logits, dtype="<f4", mode="r", shape=(len(ids), model.config.vocab_size))
    worst, equal = 0.0, 0
    for row, theirs in gemma_oracle.logit_chunks(model, gemma_oracle.hidden_states(model, ids)):
        mine = ours[row : row + theirs.shape[0]]
        worst = max(worst, float(np.abs(mine - theirs.numpy()).max()))
        equal += int((mine.argmax(1) == theirs.numpy().argmax(1)).sum())
    print(f"largest difference {worst:.3g} over {ours.size:,} logits; top-1 equal at {equal} of {len(ids)}")


if __name__ == "__main__":
    main()
