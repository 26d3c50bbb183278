"""Makes the goldens of the real Gemma 3 270M: logits, greedy continuations, teacher-forced top-1, perplexity.

Truth is transformers in fp32, eager attention, on the weights that it dequantises from the GGUF itself.

Writes, into --out (raw arrays little-endian, shapes in the JSON):
  logits.json         {ids: [1500, BOS first], fixed_ids: [32], shape...}; beside it
  logits_top_ids.i32  [1500, 8] best first      logits_top.f32    [1500, 8]
  logits_norm.f32     [1500] log-sum-exp        logits_fixed.f32  [1500, 32] values at fixed_ids
  greedy.json         [{prompt, ids_in, ids, margins, distinct_3grams}]: 256 new ids, margins best - second
  forced.json         {ids: [2000, BOS first], top: [2000], margins: [2000]}
  perplexity.json     {windows: [{ids: [1001, BOS first], nll}], perplexity}: nll of ids[1:] given what is before
"""
import argparse
import math
import pathlib

import numpy as np
import torch

import gemma_oracle
import oracle

HERE = pathlib.Path(__file__).resolve().parent
# Greedy text of a base model soon repeats itself; lists keep it going, so that many states are compared.
PROMPTS = [
    "Hi",
    "Explain in detail what AI model training means and why it is important.",
    "The history of the city of Rome begins",
    "def fibonacci(n):\n",
    "Countries and their capitals, in alphabetical order:\n1. Afghanistan - Kabul\n2. Albania - Tirana\n"
    "3. Algeria - Algiers\n4.",
    "Countries and their currencies, in alphabetical order:\n1. Afghanistan - Afghani\n2. Albania - Lek\n"
    "3. Algeria - Dinar\n4.",
    "US states and their largest cities, in alphabetical order:\n1. Alabama - Birmingham\n2. Alaska - Anchorage\n"
    "3. Arizona - Phoenix\n4.",
    "Countries and their languages:\n1. Argentina - Spanish\n2. Australia - English\n3. Austria - German\n4.",
]


def fixed_ids(vocab):
    return [(i * 2654435761) % vocab for i in range(1, 33)]


def top(model, ids, k):
    values, best, norms = [], [], []
    hidden = gemma_oracle.hidden_states(model, ids)
    for _, logits in gemma_oracle.logit_chunks(model, hidden):
        found = torch.topk(logits, k)
        values.append(found.values)
        best.append(found.indices)
        norms.append(torch.logsumexp(logits, -1))
    return torch.cat(values), torch.cat(best), torch.cat(norms), hidden


def make_logits(model, ids, out):
    values, best, norms, hidden = top(model, ids, 8)
    chosen = fixed_ids(model.config.vocab_size)
    fixed = torch.cat([logits[:, chosen] for _, logits in gemma_oracle.logit_chunks(model, hidden)])
    oracle.write_array(out / "logits_top_ids.i32", best.numpy(), np.int32)
    oracle.write_array(out / "logits_top.f32", values.numpy(), np.float32)
    oracle.write_array(out / "logits_norm.f32", norms.numpy(), np.float32)
    oracle.write_array(out / "logits_fixed.f32", fixed.numpy(), np.float32)
    oracle.write_json(out / "logits.json", {"ids": ids, "fixed_ids": chosen, "top": 8})


def make_greedy(model, tokenizer, out):
    rows = []
    for prompt in PROMPTS:
        ids = [gemma_oracle.BOS] + tokenizer.encode(prompt)
        new, margins = oracle.greedy(model, ids, 256)
        grams = len({tuple(new[i : i + 3]) for i in range(len(new) - 2)})
        rows.append({"prompt": prompt, "ids_in": ids, "ids": new, "margins": [round(m, 5) for m in margins],
                     "distinct_3grams": grams})
        print(repr(prompt[:40]), len(new), "tokens,", grams, "distinct 3-grams, least margin", min(margins), flush=True)
    oracle.write_json(out / "greedy.json", rows)


def make_forced(model, ids, out):
    values, best, _, _ = top(model, ids, 2)
    margins = (values[:, 0] - values[:, 1]).tolist()
    oracle.write_json(out / "forced.json",
                      {"ids": ids, "top": best[:, 0].tolist(), "margins": [round(m, 5) for m in margins]})


def make_perplexity(model, tokens, out):
    windows, total, count = [], 0.0, 0
    for start in range(0, 10_000, 1000):
        ids = [gemma_oracle.BOS] + tokens[start : start + 1000]
        hidden = gemma_oracle.hidden_states(model, ids)
        nll = 0.0
        for row, logits in gemma_oracle.logit_chunks(model, hidden[:-1]):
            targets = torch.tensor(ids[row + 1 : row + 1 + logits.shape[0]])
            scores = logits.gather(1, targets[:, None])[:, 0]
            nll += float((torch.logsumexp(logits, -1) - scores).double().sum())
        windows.append({"ids": ids, "nll": nll})
        total, count = total + nll, count + 1000
    oracle.write_json(out / "perplexity.json", {"windows": windows, "perplexity": math.exp(total / count)})
    print("perplexity", math.exp(total / count))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gemma_oracle.add_model_arguments(parser)
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="botchan.txt of the sentencepiece sdist")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "gemma")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = gemma_oracle.load_sentencepiece(args.model)
    tokens = tokenizer.encode(args.corpus.read_text("utf-8"))
    model = gemma_oracle.load_model(args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    text = [gemma_oracle.BOS] + tokens
    make_logits(model, text[:1500], args.out)
    make_forced(model, text[:1] + tokens[1500:3499], args.out)
    make_perplexity(model, tokens[4000:], args.out)
    make_greedy(model, tokenizer, args.out)
    oracle.write_versions(args.out, corpus_sha256=oracle.sha256(args.corpus), model_sha256=gemma_oracle.MODEL_SHA256)


if __name__ == "__main__":
    main()
