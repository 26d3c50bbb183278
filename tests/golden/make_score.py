"""What transformers says of texts instead of continuing them: log-likelihoods and embeddings of the tiny models.

Writes tests/golden/score/NAME.json: for each case the ids (text and continuation each encoded on its own), from
where on they are scored, the log-probability of each scored id and whether it is the best one, and the last hidden
state, of the last token and averaged over all.
"""
import argparse
import pathlib

import sentencepiece as spm
import torch
from transformers import Gemma3ForCausalLM

import oracle

HERE = pathlib.Path(__file__).resolve().parent
BOS = 2
LONG = "Because of an hereditary recklessness, I have been playing always a losing game since my childhood. " * 3
CASES = [
    {"name": "continuation", "text": "The quick brown fox", "continuation": " jumps over the lazy dog."},
    {"name": "text_alone", "text": "I shouted from the upper floor of the school-house."},
    {"name": "long_alone", "text": LONG},
    {"name": "one_token", "text": "a", "continuation": "b"},
    {"name": "empty_text", "text": "", "continuation": "Hello"},
    {"name": "other_scripts", "text": "Z\u00fcrich", "continuation": " \u6771\u4eac \U0001f600\n"},
    {"name": "long", "text": LONG, "continuation": LONG},
]


def load(path):
    model = Gemma3ForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager").eval()
    head_dim = model.config.head_dim
    for layer in model.model.layers:  # the GGUF has no key for this scale
        layer.self_attn.scaling = head_dim**-0.5
    return model


def greedy_case(model, sp):
    """A continuation that the model itself would choose, in tokens that its text is encoded to again."""
    for text in ("Hello", "a", "Hi", "The", "I was", "2"):
        prompt = [BOS] + sp.encode(text)
        ids, margins = oracle.greedy(model, prompt, 3)
        continuation = sp.decode(ids)
        if sp.encode(continuation) == ids and min(margins) > 0.01 and 1 not in ids:
            return {"name": "greedy", "text": text, "continuation": continuation}
    raise SystemExit("no greedy continuation is encoded to itself")


def answer(model, sp, case):
    ids = [BOS] + sp.encode(case["text"])
    begin = len(ids) if "continuation" in case else 1
    ids += sp.encode(case.get("continuation", ""))
    with torch.inference_mode():
        hidden = model.model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0]
        logits = model.lm_head(hidden).float()
    scores = torch.log_softmax(logits.double(), -1)[begin - 1 : -1]
    chosen = torch.tensor(ids[begin:])
    logprobs = scores.gather(1, chosen[:, None])[:, 0]
    best = scores.argmax(-1) == chosen
    return case | {
        "ids": ids, "begin": begin, "logprobs": [round(x, 6) for x in logprobs.tolist()], "best": best.tolist(),
        "logprob": logprobs.sum().item(), "perplexity": (-logprobs.mean()).exp().item(), "is_greedy": all(best.tolist()),
        "last": [round(x, 6) for x in hidden[-1].tolist()], "mean": [round(x, 6) for x in hidden.mean(0).tolist()],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixtures", type=pathlib.Path, default=HERE.parent / "fixtures" / "tiny")
    parser.add_argument("--golden", type=pathlib.Path, default=HERE / "score")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sp = spm.SentencePieceProcessor(model_file=str(args.fixtures / "tokenizer.model"))
    for name in ("tiny", "tiny_wide"):
        model = load(args.fixtures / f"{name}.gguf")
        cases = [answer(model, sp, case) for case in [*CASES, greedy_case(model, sp)]]
        oracle.write_json(args.golden / f"{name}.json", cases)
        for case in cases:
            print(f"{name} {case['name']}: {len(case['logprobs'])} tokens, {case['logprob']:.4f}, greedy {case['is_greedy']}")
    oracle.write_versions(args.golden, model_sha256={n: oracle.sha256(args.fixtures / f"{n}.gguf") for n in ("tiny", "tiny_wide")})


if __name__ == "__main__":
    main()
