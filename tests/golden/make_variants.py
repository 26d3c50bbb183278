"""Makes small Gemma 3 models that differ from the usual ones in what a file may say, and what they compute.

Why: fine-tunes have an output projection of their own, and GGUF files may scale positions without naming a type; a
reader that passes over either gives other answers in silence. The model is written here in numpy, in float32, after
the paper and after llama.cpp's reading of the keys; gguf-py stores and dequantises the weights.

Writes (F = tests/fixtures, G = tests/golden/variants):
  F/tiny/untied.gguf    token_embd and output.weight in Q8_0, two layers, the first one sliding
  F/tiny/scaled.gguf    tied; rope.scaling.factor 4 and no rope.scaling.type; add_bos_token false, add_space_prefix true
  F/folders/untied      the weights of untied.gguf as a Hugging Face folder, with tie_word_embeddings false
  G/NAME.f32            logits [positions, vocab] of `sequence` in G/variants.json
  G/variants.json       the ids of the sequence and the log-likelihood of each model; raw texts with control words as
                        `tokenizers` encodes them; texts after a space that nobody typed, as sentencepiece does
"""
import argparse
import importlib.metadata
import json
import pathlib
import platform

import gguf
import numpy as np
import sentencepiece as spm
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from tokenizers import Tokenizer

import oracle

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
SEED = 41
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FFN, WINDOW, CONTEXT, VOCAB = 32, 2, 2, 1, 16, 64, 6, 128, 576
EPSILON, BASE, LOCAL_BASE, FACTOR = 1e-6, 1e6, 1e4, 4.0
Q8 = gguf.GGMLQuantizationType.Q8_0
NORMS = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
HUGGING_FACE = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
TEXT = "I shouted from the upper floor of the school-house, and it was always a losing game."
CONTROL_TEXTS = ["<bos>Hi", "One two<eos>Three", "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
                 "<pad><unk>", "a<bos", "<<eos>>", "<eos>"]
SPACED_TEXTS = ["Hi", "the quick brown fox", " Hi", "1"]


def random_weights():
    """By GGUF's names, [out, in]; norms as GGUF stores them, 1 + w."""
    rng = np.random.default_rng(SEED)

    def noise(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def rounded(matrix):
        return dequantize(quantize(matrix, Q8), Q8).astype(np.float32)

    weights = {"token_embd": rounded(noise(VOCAB, HIDDEN) * 0.3), "output": rounded(noise(VOCAB, HIDDEN) * 0.3),
               "output_norm": 3 + noise(HIDDEN) * 0.3}
    shapes = {"attn_q": (HEADS * HEAD_DIM, HIDDEN), "attn_k": (KV_HEADS * HEAD_DIM, HIDDEN),
              "attn_v": (KV_HEADS * HEAD_DIM, HIDDEN), "attn_output": (HIDDEN, HEADS * HEAD_DIM),
              "ffn_gate": (FFN, HIDDEN), "ffn_up": (FFN, HIDDEN), "ffn_down": (HIDDEN, FFN)}
    for i in range(LAYERS):
        for name, shape in shapes.items():
            weights[f"blk.{i}.{name}"] = noise(*shape) * np.float32(0.3)
        for name in NORMS:
            weights[f"blk.{i}.{name}"] = 1 + noise(HIDDEN) * np.float32(0.2)
        for name in ("attn_q_norm", "attn_k_norm"):
            weights[f"blk.{i}.{name}"] = np.float32(1.5) + noise(HEAD_DIM) * np.float32(0.2)
    return weights


def rms_norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(EPSILON)) * weight


def rotated(x, base, scale):
    """x [positions, heads, dim], the halves as pairs."""
    half = x.shape[-1] // 2
    frequency = 1 / (base ** (np.arange(half) / half)) / scale
    angle = (np.arange(x.shape[0])[:, None] * frequency)[:, None, :]
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(np.float32) * (x + np.float32(0.044715) * x**3)))


def attention(x, w, blk, heads, kv_heads, window, base, scale):
    count = x.shape[0]
    dim = w[blk + "attn_q_norm"].size
    q = rms_norm((x @ w[blk + "attn_q"].T).reshape(count, heads, dim), w[blk + "attn_q_norm"])
    k = rms_norm((x @ w[blk + "attn_k"].T).reshape(count, kv_heads, dim), w[blk + "attn_k_norm"])
    v = (x @ w[blk + "attn_v"].T).reshape(count, kv_heads, dim)
    q, k = rotated(q, base, scale), rotated(k, base, scale)
    k, v = (np.repeat(each, heads // kv_heads, 1) for each in (k, v))
    scores = np.einsum("qhd,khd->hqk", q, k) / np.float32(np.sqrt(dim))
    distance = np.arange(count)[:, None] - np.arange(count)[None, :]
    scores[:, (distance < 0) | (distance >= window)] = -np.inf
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = np.einsum("hqk,khd->qhd", scores / scores.sum(-1, keepdims=True), v)
    return mixed.reshape(count, -1) @ w[blk + "attn_output"].T


def logits(w, ids, heads, kv_heads, window, pattern, scale=1.0):
    """[positions, vocab]; every pattern-th layer is full, and only there positions are scaled."""
    x = w["token_embd"][ids] * np.float32(np.sqrt(w["token_embd"].shape[1]))
    for i in range(sum(name.endswith(".attn_q") for name in w)):
        blk = f"blk.{i}."
        is_full = (i + 1) % pattern == 0
        span, base, divisor = (len(ids), BASE, scale) if is_full else (window, LOCAL_BASE, 1)
        mixed = attention(rms_norm(x, w[blk + "attn_norm"]), w, blk, heads, kv_heads, span, base, divisor)
        x = x + rms_norm(mixed, w[blk + "post_attention_norm"])
        normed = rms_norm(x, w[blk + "ffn_norm"])
        inner = gelu_tanh(normed @ w[blk + "ffn_gate"].T) * (normed @ w[blk + "ffn_up"].T)
        x = x + rms_norm(inner @ w[blk + "ffn_down"].T, w[blk + "post_ffw_norm"])
    return rms_norm(x, w["output_norm"]) @ w.get("output", w["token_embd"]).T


def log_likelihood(scores, ids):
    wide = scores[:-1].astype(np.float64)
    norm = np.log(np.exp(wide - wide.max(-1, keepdims=True)).sum(-1)) + wide.max(-1)
    return float((wide[np.arange(len(ids) - 1), ids[1:]] - norm).sum())


def write_gguf(path, weights, more):
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_freq_base(BASE)
    writer.add_sliding_window(WINDOW)
    writer.add_uint32("gemma3.attention.sliding_window_pattern", 2)
    tiny = gguf.GGUFReader(FIXTURES / "tiny" / "tiny.gguf").fields
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tiny["tokenizer.ggml.tokens"].contents())
    writer.add_token_scores(tiny["tokenizer.ggml.scores"].contents())
    writer.add_token_types(tiny["tokenizer.ggml.token_type"].contents())
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    more(writer)
    for name, data in weights.items():
        if data.shape == (VOCAB, HIDDEN):
            writer.add_tensor(name + ".weight", quantize(data, Q8), raw_dtype=Q8)
        else:
            writer.add_tensor(name + ".weight", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored_marks(writer):
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)


def other_marks(writer):
    writer.add_float32("gemma3.rope.scaling.factor", FACTOR)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(True)


def write_folder(folder, weights):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, data in weights.items():
        if data.ndim == 1:
            data = data - np.float32(1)
        if name.startswith("blk."):
            _, layer, part = name.split(".", 2)
            name = f"model.layers.{layer}.{HUGGING_FACE[part]}"
        name = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}.get(name, name)
        tensors[name + ".weight"] = np.ascontiguousarray(data)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": VOCAB, "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM,
        "intermediate_size": FFN, "max_position_embeddings": CONTEXT, "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": HEAD_DIM, "rms_norm_eps": EPSILON,
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": BASE},
                            "sliding_attention": {"rope_type": "default", "rope_theta": LOCAL_BASE}},
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": False, "bos_token_id": 2, "eos_token_id": 1,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "tokenizer.model").write_bytes((FIXTURES / "tiny" / "tokenizer.model").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "variants")
    args = parser.parse_args()
    weights = random_weights()
    tied = {name: data for name, data in weights.items() if name != "output"}
    write_gguf(FIXTURES / "tiny" / "untied.gguf", weights, stored_marks)
    write_gguf(FIXTURES / "tiny" / "scaled.gguf", tied, other_marks)
    write_folder(FIXTURES / "folders" / "untied", weights)

    sp = spm.SentencePieceProcessor(model_file=str(FIXTURES / "tiny" / "tokenizer.model"))
    sequence = [2] + sp.encode(TEXT)
    golden = {"sequence": sequence, "shape": [len(sequence), VOCAB]}
    for name, used, scale in (("untied", weights, 1.0), ("scaled", tied, FACTOR)):
        scores = logits(used, sequence, HEADS, KV_HEADS, WINDOW, 2, scale)
        oracle.write_array(args.out / f"{name}.f32", scores, np.float32)
        golden[name] = log_likelihood(scores, sequence)
        print(name, golden[name], "std", scores.std())
    print("without: tied", log_likelihood(logits(tied, sequence, HEADS, KV_HEADS, WINDOW, 2), sequence))
    official = Tokenizer.from_file(str(FIXTURES / "folders" / "plain" / "tokenizer.json"))
    golden["control_words"] = [{"text": text, "ids": official.encode(text).ids} for text in CONTROL_TEXTS]
    golden["spaced"] = [{"text": text, "ids": sp.encode(" " + text)} for text in SPACED_TEXTS]
    oracle.write_json(args.out / "variants.json", golden)
    packages = ("numpy", "gguf", "safetensors", "sentencepiece", "tokenizers")
    oracle.write_json(args.out / "versions.json", {name: importlib.metadata.version(name) for name in packages} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name, "seed": SEED}, indent=2)


if __name__ == "__main__":
    main()
