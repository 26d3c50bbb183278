"""MODEL: tokens a second of transformers on the GPU in bf16, eager and compiled, one line of JSON; see gpu/parts.py.
Weights by chance where transformers cannot read the file: speed does not depend on them."""
import json
import pathlib
import sys
import time

import torch
from transformers import AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from gpu import sizes  # noqa: E402

PROMPT, NEW = 512, 64


def load(path):
    try:
        return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.bfloat16)
    except Exception:  # whatever it is that transformers does not like of the file
        found = sizes.find(str(path))
        config = Gemma3TextConfig(
            vocab_size=found.vocab, hidden_size=found.hidden, intermediate_size=found.ffn, num_hidden_layers=found.layers,
            num_attention_heads=found.heads, num_key_value_heads=found.kv_heads, head_dim=found.head_dim,
            sliding_window=found.window, max_position_embeddings=found.context)
        return Gemma3ForCausalLM(config).to(torch.bfloat16)


def wait():
    torch.cuda.synchronize()
    return time.perf_counter()


@torch.inference_mode()
def measure(model, step_of):
    ids = torch.randint(10, 1000, (1, PROMPT), device="cuda")
    for is_warm in (False, True):
        begin = wait()
        step = model(input_ids=ids, use_cache=True, logits_to_keep=1)
        prefill = PROMPT / (wait() - begin)
        begin = wait()
        for _ in range(NEW):
            step = step_of(input_ids=step.logits[:, -1:].argmax(-1), past_key_values=step.past_key_values, use_cache=True)
        decode = NEW / (wait() - begin)
    return {"prefill_tokens_per_s": prefill, "decode_tokens_per_s": decode}


def main():
    model = load(pathlib.Path(sys.argv[1])).to("cuda").eval()
    said = {"eager": measure(model, model)}
    try:
        said["compiled"] = measure(model, torch.compile(model, dynamic=True))
    except Exception as error:  # a compiler that is not here
        said["compiled"] = f"not run: {str(error).splitlines()[0][:200]}"
    print(json.dumps(said))


if __name__ == "__main__":
    main()
