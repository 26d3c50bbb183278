"""Makes what transformers' logits processors leave of a token's scores.

Why: the sampler must keep the same tokens with the same probabilities, in the same order, for every option.
The scores are no file: scores_of(seed) below, in tests/plugins/core/scores.h as well, over Gemma 3's vocabulary. It has
the steep head of a language model and, in its tail, thousands of exact ties. The processors are those that generate()
itself would line up. It has no frequency and presence penalty: OpenAI's formula, after the repetition penalty.

Writes sampling/cases.json: params, tokens, then of what stays: how many, the sum of their ids, and [id, probability] of the
best and the last few (best first; of equal ones the higher id).
"""
import argparse
import functools
import pathlib
from types import SimpleNamespace

import numpy as np
import torch
from transformers import Gemma3TextConfig, GenerationConfig, GenerationMixin, LogitsProcessor
from transformers.generation import RepetitionPenaltyLogitsProcessor

import oracle

HERE = pathlib.Path(__file__).resolve().parent
VOCAB = 262144
EOS = [1, 106]
BEST, LAST = 40, 8

# Not ids but places among the best scores, so that an edit of a token shows; also in CASES.
PROMPT = [2, 5, 6, 7, 5, 6, 9]
ANSWER = [5, 6, 7, 5, 6]
# Ours where it differs from transformers' name for it.
NAMES = {"banned_ids": "suppress_tokens"}


def mix(x):
    """SplitMix64's step, on uint64 arrays."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def scores_of(seed):
    """f32[VOCAB]: leading zeros of a hash of (seed, id), plus 16 of its bits as a fraction, minus 8."""
    with np.errstate(over="ignore"):
        h = mix(mix(np.full(VOCAB, seed, np.uint64)) ^ np.arange(VOCAB, dtype=np.uint64))
    zeros = np.zeros(VOCAB)
    for bit in range(1, 65):
        zeros += (h >> np.uint64(64 - bit)) == 0
    return (zeros + (h & np.uint64(0xFFFF)).astype(np.float64) / 65536 - 8).astype(np.float32)


class OpenAiPenalties(LogitsProcessor):
    def __init__(self, frequency, presence, prompt):
        self.frequency, self.presence, self.prompt = frequency, presence, prompt

    def __call__(self, input_ids, scores):
        counts = np.bincount(input_ids[0, self.prompt :].numpy(), minlength=VOCAB)
        down = counts * self.frequency + (counts > 0) * self.presence
        return scores - torch.from_numpy(down.astype(np.float32))[None]


def processors(params, prompt):
    theirs = {NAMES.get(k, k): v for k, v in params.items()}
    frequency, presence = theirs.pop("frequency_penalty", 0), theirs.pop("presence_penalty", 0)
    bias = theirs.pop("logit_bias", [])
    if bias:
        pairs = [text.split(":") for text in bias]
        theirs["sequence_bias"] = [[[int(i)], float(b)] for i, b in pairs]
    words = theirs.pop("bad_words", [])
    if words:
        theirs["bad_words_ids"] = [[int(i) for i in word.split()] for word in words]
    if theirs.get("temperature", 0) == 0:
        theirs.pop("temperature", None)
    config = GenerationConfig(do_sample="temperature" in theirs, eos_token_id=EOS, **({"top_k": 0} | theirs))
    config._eos_token_tensor = torch.tensor(EOS)
    model = SimpleNamespace(config=Gemma3TextConfig(), _merge_criteria_processor_list=lambda own, more: own)
    made = GenerationMixin._get_logits_processor(
        model, config, input_ids_seq_length=prompt, device="cpu", logits_processor=[]
    )
    at = sum(isinstance(p, RepetitionPenaltyLogitsProcessor) or "SequenceBias" == type(p).__name__[:12] for p in made)
    if frequency or presence:
        made.insert(at, OpenAiPenalties(frequency, presence, prompt))
    return made


# A temperature makes generate() sample; 1 changes nothing.
T = {"temperature": 1.0}
CASES = {
    "temperature_1": T,
    "temperature_half": {"temperature": 0.5},
    "temperature_hot": {"temperature": 7.5},
    "temperature_cold": {"temperature": 0.01},
    "top_k_1": T | {"top_k": 1},
    "top_k_64": T | {"top_k": 64},
    "top_k_in_ties": T | {"top_k": 200001},
    "top_k_beyond_the_vocabulary": T | {"top_k": 300000},
    "top_p": T | {"top_p": 0.95},
    "top_p_small": T | {"top_p": 0.1},
    "top_p_tiny": T | {"top_p": 1e-9},
    "top_p_in_ties": {"temperature": 100.0, "top_p": 0.6},
    "min_p": T | {"min_p": 0.05},
    "min_p_1": T | {"min_p": 1.0},
    "min_p_small": T | {"min_p": 1e-6},
    "typical_p": {"temperature": 3.0, "typical_p": 0.9},
    "typical_p_small": {"temperature": 2.0} | {"typical_p": 0.05},
    "typical_p_of_top_k": {"temperature": 2.0} | {"top_k": 50, "typical_p": 0.5},
    "gemma": T | {"top_k": 64, "top_p": 0.95},
    "all_cuts": {"temperature": 1.7, "top_k": 500, "top_p": 0.97, "min_p": 0.001, "typical_p": 0.95},
    "repetition": T | {"top_k": 64, "repetition_penalty": 1.3},
    "repetition_below_1": T | {"top_k": 64, "repetition_penalty": 0.5},
    "repetition_huge": T | {"repetition_penalty": 100.0},
    "repetition_greedy": {"repetition_penalty": 3.0},
    "frequency": T | {"top_k": 64, "frequency_penalty": 1.5},
    "frequency_negative": T | {"top_k": 64, "frequency_penalty": -4.25},
    "presence": T | {"top_k": 64, "presence_penalty": 2.0},
    "penalties": T | {"top_p": 0.9, "repetition_penalty": 1.1, "frequency_penalty": 0.3, "presence_penalty": 0.6},
    "ngram_1": T | {"top_k": 64, "no_repeat_ngram_size": 1},
    "ngram_2": T | {"top_k": 64, "no_repeat_ngram_size": 2},
    "ngram_3": T | {"top_k": 64, "no_repeat_ngram_size": 3},
    "ngram_of_all": T | {"top_k": 64, "no_repeat_ngram_size": 12},
    "ngram_longer_than_all": T | {"top_k": 64, "no_repeat_ngram_size": 14},
    "bias": T | {"top_k": 64, "logit_bias": ["7:12.5", "9:-3", "=262143:20"]},
    "bias_then_repetition": T | {"top_k": 64, "logit_bias": ["7:12.5", "5:-9"], "repetition_penalty": 1.7},
    "bias_greedy": {"logit_bias": ["12345:30"]},
    "banned": T | {"top_k": 64, "banned_ids": [7, 9, 0]},
    "bad_words": T | {"top_k": 64, "bad_words": ["7", "6 7", "5 6 9", "9 9", "=1"]},
    "bad_word_of_all": T | {"top_k": 64, "bad_words": ["2 5 6 7 5 6 9 5 6 7 5 6 7", "0 2 5 6 7 5 6 9 5 6 7 5 6 9"]},
    "bad_word_wins_over_bias": T | {"top_k": 64, "logit_bias": ["7:50"], "bad_words": ["6 7"]},
    "min_new_tokens": T | {"top_k": 64, "logit_bias": ["=1:15", "=106:14"], "min_new_tokens": 6},
    "min_new_tokens_reached": T | {"top_k": 64, "logit_bias": ["=1:15", "=106:14"], "min_new_tokens": 5},
    "everything": {
        "temperature": 4.0, "top_k": 100, "top_p": 0.98, "min_p": 0.002, "typical_p": 0.99,
        "repetition_penalty": 1.2, "frequency_penalty": 0.5, "presence_penalty": 0.25, "no_repeat_ngram_size": 2,
        "logit_bias": ["5:14", "6:13", "7:16", "9:15"], "banned_ids": [6], "bad_words": ["6 9"], "min_new_tokens": 9,
    },
}


def with_ids(params, best):
    """Params with the ids that CASES writes as places; "=7" is the id 7."""
    one = lambda word: word[1:] if word[0] == "=" else str(best[int(word)])
    out = dict(params)
    if "logit_bias" in out:
        out["logit_bias"] = [one(t.split(":")[0]) + ":" + t.split(":")[1] for t in out["logit_bias"]]
    if "bad_words" in out:
        out["bad_words"] = [" ".join(one(word) for word in text.split()) for text in out["bad_words"]]
    if "banned_ids" in out:
        out["banned_ids"] = [int(best[i]) for i in out["banned_ids"]]
    return out


def golden(name, params, seed):
    raw = scores_of(seed)
    best = np.argsort(-raw, kind="stable")
    params = with_ids(params, best)
    prompt, answer = best[PROMPT].tolist(), best[ANSWER].tolist()
    scores, ids = torch.from_numpy(raw)[None], torch.tensor([prompt + answer])
    for processor in processors(params, len(PROMPT)):
        scores = processor(ids, scores)
    if "temperature" not in params:
        scores = torch.where(torch.arange(VOCAB) == scores.argmax(-1), 0.0, -torch.inf)[None]
    found = scores[0].double().softmax(-1).numpy()
    kept = np.flatnonzero(scores[0] > -torch.inf)
    kept = kept[np.lexsort((-kept, -scores[0].numpy()[kept]))]
    pairs = [[int(i), float(found[i])] for i in kept]
    return {
        "name": name, "seed": seed, "params": params, "prompt": prompt, "answer": answer, "count": len(pairs),
        "id_sum": int(kept.sum()), "best": pairs[:BEST], "last": pairs[-LAST:],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "sampling")
    args = parser.parse_args()
    # Which of several equal scores top_p keeps is up to an unstable sort; a stable one keeps the higher ids.
    torch.sort = functools.partial(torch.sort, stable=True)
    cases = [golden(name, params, seed) for seed, (name, params) in enumerate(CASES.items(), 1)]
    oracle.write_json(args.out / "cases.json", cases)
    oracle.write_versions(args.out, vocabulary=VOCAB, eos=EOS)
    for case in cases:
        print(case["name"], case["count"], case["best"][:2])


if __name__ == "__main__":
    main()
