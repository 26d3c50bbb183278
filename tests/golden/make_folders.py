"""Makes tiny random Gemma 3 models as Hugging Face folders and what transformers computes on them.

Why: config.json and the names of tensors come in several spellings, and a test must meet each of them.

Writes (F = tests/fixtures/folders, G = tests/golden/folders):
  F/plain         one bf16 file; config.json as transformers 5 writes it (layer_types, rope_parameters);
                  two EOS ids in generation_config.json; tokenizer.json
  F/sharded       three f32 files and an index; config.json of 2025 (sliding_window_pattern, rope_theta,
                  rope_local_base_freq); tokenizer.model
  F/multimodal    text and vision tower, prefix model.language_model.; text_config, linear rope scaling
  F/multimodal_old  the same model with the prefix language_model.model. and an lm_head of 2025
  G/NAME.json     a sequence of ids, greedy continuations with margins
  G/NAME.f32      logits [16, vocab] of the sequence's last positions, transformers fp32 eager
"""
import argparse
import json
import pathlib
import shutil

import numpy as np
import sentencepiece as spm
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, Gemma3Config, Gemma3ForCausalLM, Gemma3ForConditionalGeneration

import oracle
from make_tiny import PROMPTS, random_model

HERE = pathlib.Path(__file__).resolve().parent
TINY = HERE.parent / "fixtures" / "tiny"
LAST = 16
SHAPES = {
    "plain": dict(seed=33, hidden_size=32, num_hidden_layers=7, num_attention_heads=2, num_key_value_heads=1,
                  head_dim=16, intermediate_size=32, sliding_window=9),
    "sharded": dict(seed=22, hidden_size=16, num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=2,
                    head_dim=8, intermediate_size=24, sliding_window=16),
    "multimodal": dict(seed=23, hidden_size=32, num_hidden_layers=7, num_attention_heads=2, num_key_value_heads=2,
                       head_dim=16, intermediate_size=32, sliding_window=8),
}


def write(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def old_spelling(config, layers_pattern):
    """What the checkpoints of 2025 say of the same model."""
    old = {key: value for key, value in config.items() if key not in ("layer_types", "rope_parameters", "dtype")}
    full, local = config["rope_parameters"]["full_attention"], config["rope_parameters"]["sliding_attention"]
    old["rope_theta"], old["rope_local_base_freq"] = full["rope_theta"], local["rope_theta"]
    old["rope_scaling"] = None if full["rope_type"] == "default" else {"factor": full["factor"], "rope_type": "linear"}
    old["sliding_window_pattern"] = layers_pattern
    old["torch_dtype"] = "float32"
    old.pop("_sliding_window_pattern", None)
    return old


def plain(out, model, generation):
    model.to(torch.bfloat16).save_pretrained(out)
    write(out / "generation_config.json", generation)
    AutoTokenizer.from_pretrained(TINY, gguf_file="tiny.gguf").save_pretrained(out)
    for extra in ("chat_template.jinja", "tokenizer_config.json"):
        (out / extra).unlink(missing_ok=True)


def sharded(out, model):
    model.save_pretrained(out, max_shard_size="24KB")
    config = json.loads((out / "config.json").read_text())
    write(out / "config.json", old_spelling(config, 6))
    (out / "generation_config.json").unlink()
    shutil.copy(TINY / "tokenizer.model", out)


def with_eyes(text):
    """The text model inside of a multimodal one, whose vision tower is as small as can be."""
    text_config = text.config.to_dict()
    text_config["rope_parameters"]["full_attention"] = {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}
    config = Gemma3Config(
        text_config=text_config, mm_tokens_per_image=4, boi_token_index=300, eoi_token_index=301, image_token_index=302,
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14),
    )
    config._attn_implementation = "eager"
    model = Gemma3ForConditionalGeneration(config).eval().float()
    missing = model.model.language_model.load_state_dict(text.model.state_dict())
    assert not missing.missing_keys and not missing.unexpected_keys
    model.tie_weights()
    return model


def multimodal(out, old, model):
    model.save_pretrained(out)
    weights = {name: tensor.contiguous() for name, tensor in load_file(out / "model.safetensors").items()}
    bare = {}
    for name, tensor in weights.items():
        for prefix in ("model.language_model.", "language_model.model."):
            name = name.removeprefix(prefix) if name.startswith(prefix) else name
        bare[name] = tensor
    text = {n for n in bare if n.startswith(("layers.", "embed_tokens.", "norm."))}
    save_file({("model.language_model." if n in text else "") + n: t for n, t in bare.items()}, out / "model.safetensors",
              metadata={"format": "pt"})
    old.mkdir(parents=True, exist_ok=True)
    renamed = {("language_model.model." if n in text else "") + n: t for n, t in bare.items()}
    renamed["language_model.lm_head.weight"] = bare["embed_tokens.weight"].clone()
    save_file(renamed, old / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((out / "config.json").read_text())
    write(old / "config.json", config | {"text_config": old_spelling(config["text_config"], 6), "eos_token_id": [1, 106]})
    for folder in (out, old):
        shutil.copy(TINY / "tokenizer.model", folder)
        (folder / "generation_config.json").unlink(missing_ok=True)


def golden(name, model, sp, out, steps, eos):
    sequence = [2] + sp.encode(" ".join(PROMPTS))[:79]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([sequence])).logits[0, -LAST:].float().numpy()
    oracle.write_array(out / f"{name}.f32", logits, np.float32)
    runs = []
    for prompt in PROMPTS[:6]:
        ids = [2] + sp.encode(prompt)
        found, margins = oracle.greedy(model, ids, steps, eos)
        runs.append({"prompt": prompt, "prompt_ids": ids, "ids": found, "margins": [round(m, 5) for m in margins]})
    oracle.write_json(out / f"{name}.json", {"shape": list(logits.shape), "sequence": sequence, "eos": sorted(eos), "greedy": runs})
    print(name, [len(run["ids"]) for run in runs], "std", logits.std())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixtures", type=pathlib.Path, default=HERE.parent / "fixtures" / "folders")
    parser.add_argument("--golden", type=pathlib.Path, default=HERE / "folders")
    parser.add_argument("--steps", type=int, default=48)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.golden.mkdir(parents=True, exist_ok=True)
    sp = spm.SentencePieceProcessor(model_file=str(TINY / "tokenizer.model"))
    models = {name: random_model(spec.pop("seed"), sp, **spec) for name, spec in ((n, dict(s)) for n, s in SHAPES.items())}
    folders = {name: args.fixtures / name for name in (*SHAPES, "multimodal_old")}
    ends = {1, 29}  # an id that the first prompt comes to
    plain(folders["plain"], models["plain"], {"bos_token_id": 2, "eos_token_id": sorted(ends), "do_sample": True})
    sharded(folders["sharded"], models["sharded"])
    multimodal(folders["multimodal"], folders["multimodal_old"], with_eyes(models["multimodal"]))

    # The oracle is what transformers reads back, not what it had in memory.
    load = dict(dtype=torch.float32, attn_implementation="eager")
    eos = {"plain": ends, "sharded": {1}, "multimodal": {1}, "multimodal_old": {1, 106}}
    for name, folder in folders.items():
        kind = Gemma3ForConditionalGeneration if "multimodal" in name else Gemma3ForCausalLM
        golden(name, kind.from_pretrained(folder, **load).eval(), sp, args.golden, args.steps, eos[name])
    oracle.write_versions(args.golden, seeds={name: spec["seed"] for name, spec in SHAPES.items()})


if __name__ == "__main__":
    main()
