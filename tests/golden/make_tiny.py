"""Makes the tiny random Gemma 3 fixtures and what transformers computes on them.

Why: every test of the text path must run in seconds and without the real weights, yet meet all that
is particular to Gemma 3: sliding and full layers, two RoPE bases, grouped queries, four norms a block,
norms stored as 1+w, the tied head, user-defined pieces, byte fallback.

Writes (F = tests/fixtures/tiny, G = tests/golden/tiny):
  F/tokenizer.model           SentencePiece BPE trained on --corpus
  F/tiny.gguf F/tiny_gqa.gguf F32 models with that vocabulary embedded as llama.cpp's converter does
  G/tokenizer.json            [{text, ids, pieces}], by sentencepiece on tokenizer.model; no BOS
  G/NAME.json                 shape, sequence ids, 8 prompts with greedy continuations and margins
  G/NAME.logits.f32           logits [positions, vocab] of the sequence, transformers fp32 eager
"""
import argparse
import io
import pathlib

import gguf
import numpy as np
import sentencepiece as spm
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

import oracle

HERE = pathlib.Path(__file__).resolve().parent
VOCAB = 576
SPACE = "\u2581"
USER_DEFINED = (
    ["<mask>", "[multimodal]", "<unused0>", "<unused1>", "<unused2>", "<unused3>"]
    + ["<start_of_turn>", "<end_of_turn>"]
    + ["\n" * n for n in range(1, 5)]
    + [SPACE * n for n in range(2, 5)]
    + ["<h1>", "</h1>"]
)
MODELS = {
    "tiny": dict(
        seed=7, hidden_size=32, num_hidden_layers=7, num_attention_heads=4, num_key_value_heads=1,
        head_dim=16, intermediate_size=64, sliding_window=16,
    ),
    "tiny_gqa": dict(
        seed=11, hidden_size=32, num_hidden_layers=8, num_attention_heads=4, num_key_value_heads=2,
        head_dim=24, intermediate_size=48, sliding_window=11,
    ),
    "tiny_wide": dict(
        seed=13, hidden_size=32, num_hidden_layers=7, num_attention_heads=4, num_key_value_heads=2,
        head_dim=32, intermediate_size=96, sliding_window=140,
    ),
}
PROMPTS = [
    "Hi",
    "",
    "Because of an hereditary recklessness, I have been playing always a losing game",
    "The quick brown fox jumps over the lazy dog. 0123456789",
    "<start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n",
    "Z\u00fcrich \u6771\u4eac \U0001f600   three spaces\n\n\nthree newlines",
    "for (int i = 0; i < 10; ++i) {\n    sum += i;\n}",
    "I shouted from the upper floor of the school-house " * 4,
]
STRINGS = PROMPTS + [
    " ", "  ", "   ", "    ", "     ", "         ", " leading", "trailing ", "a  b   c    d     e",
    "\n", "\n\n", "\n\n\n\n\n", " \n \n", "\t\ttabs", "line\r\nline", "2024-05-17", "3.14159", "1234567",
    "<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<unused0>", "<unused9>", "<h1>Title</h1>", "[multimodal]",
    "<start_of_turn", "<<start_of_turn>>", "<end_of_turn><end_of_turn>", "<0x41>", SPACE, SPACE * 3, f"a{SPACE}b",
    "\u00e9", "e\u0301", "\u00df\u1e9e", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947", "\u3053\u3093\u306b\u3061\u306f", "\ud55c\uad6d\uc5b4",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e8\U0001f1ed", "\ufeffBOM", "\u200bzero", "\u00a0nbsp",
    "\u2028sep", "\x01\x02\x7f", "\ufffd", "\U0010ffff", "http://example.com/a?b=c&d=%20", "CamelCase snake_case",
]


def train_tokenizer(corpus):
    """The settings of Gemma's tokenizer on a small text; no path ends up in the file."""
    model = io.BytesIO()
    lines = [line for line in corpus.read_text(encoding="utf-8").splitlines() if line.strip()]
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=VOCAB,
        character_coverage=1.0, byte_fallback=True, split_digits=True, add_dummy_prefix=False,
        normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1,
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
        user_defined_symbols=USER_DEFINED, minloglevel=2,
    )
    return model.getvalue()


def vocabulary(sp):
    """tokens, scores, types as llama.cpp's converter writes them for Gemma.

    Added tokens get the score -1000; those that look special become CONTROL, the others USER_DEFINED
    with literal spaces. So CONTROL is no proof that SentencePiece would treat a piece as control.
    """
    tokens, scores, types = [], [], []
    for i in range(sp.vocab_size()):
        piece, score, kind = sp.id_to_piece(i), sp.get_score(i), gguf.TokenType.NORMAL
        if sp.is_byte(i):
            kind = gguf.TokenType.BYTE
        elif i < 4 or piece in ("<mask>", "<start_of_turn>", "<end_of_turn>") or piece.startswith("<unused"):
            kind, score = gguf.TokenType.CONTROL, -1000.0
        elif piece in USER_DEFINED:
            kind, score, piece = gguf.TokenType.USER_DEFINED, -1000.0, piece.replace(SPACE, " ")
        tokens.append(piece)
        scores.append(score)
        types.append(int(kind))
    return tokens, scores, types


def random_model(seed, sp, **shape):
    config = Gemma3TextConfig(
        vocab_size=VOCAB, max_position_embeddings=512, sliding_window_pattern=6, query_pre_attn_scalar=shape["head_dim"],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
        **shape,
    )
    config._attn_implementation = "eager"
    model = Gemma3ForCausalLM(config).eval().float()
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=rng)
            if name.endswith("embed_tokens.weight"):
                # Small against the sublayers' outputs, or a random tied model only repeats its input.
                weight.copy_(noise * 0.1)
                # Control pieces (but <eos>) must not win the argmax.
                quiet = [0, 2, 3] + [sp.piece_to_id(p) for p in USER_DEFINED if p[0] == "<"]
                weight[quiet] *= 0.2
            elif name == "model.norm.weight":
                weight.copy_(5 + noise * 0.3)
            elif "q_norm" in name or "k_norm" in name:
                weight.copy_(0.5 + noise * 0.2)
            elif "norm" in name:
                weight.copy_(noise * 0.2)
            else:
                weight.copy_(noise * 0.3)
    return model


GGUF_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    if name.startswith("model.layers."):
        layer, rest = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
        return f"blk.{layer}.{GGUF_NAMES[rest]}.weight"
    return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[name]


def write_gguf(path, name, model, sp):
    c = model.config
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_type("model")
    writer.add_name(f"{name} random Gemma 3")
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_block_count(c.num_hidden_layers)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    writer.add_head_count_kv(c.num_key_value_heads)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_key_length(c.head_dim)
    writer.add_value_length(c.head_dim)
    writer.add_rope_freq_base(1e6)
    if name == "tiny_gqa":  # newer files state it, older ones leave the 1e4 of sliding layers implied
        writer.add_float32("gemma3.rope.freq_base_swa", 1e4)
    writer.add_sliding_window(c.sliding_window)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    tokens, scores, types = vocabulary(sp)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    for key, weight in model.named_parameters():
        data = weight.detach().numpy().astype(np.float32)
        writer.add_tensor(gguf_name(key), data + np.float32(1) if "norm" in key else data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_cache(model, prompt, out):
    """The continuation computed without a cache must be the same one."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([prompt + out]), use_cache=False).logits[0]
    again = logits[len(prompt) - 1 : -1].argmax(-1).tolist()
    assert again == out, "cache and no cache disagree"


def check_gguf(path, model, ids):
    """What was written, read back by transformers' own GGUF reader, must give the same logits."""
    c = model.config
    back = Gemma3ForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager")
    back.config.query_pre_attn_scalar = c.head_dim
    for layer in back.model.layers:  # the GGUF has no key for this scale
        layer.self_attn.scaling = c.head_dim**-0.5
    with torch.inference_mode():
        diff = (back(input_ids=ids).logits - model(input_ids=ids).logits).abs().max()
    assert diff < 1e-4, f"{path.name}: read back differs by {diff}"
    return float(diff)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="botchan.txt of the sentencepiece 0.2.1 sdist")
    parser.add_argument("--fixtures", type=pathlib.Path, default=HERE.parent / "fixtures" / "tiny")
    parser.add_argument("--golden", type=pathlib.Path, default=HERE / "tiny")
    parser.add_argument("--positions", type=int, default=120)
    parser.add_argument("--steps", type=int, default=256)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.fixtures.mkdir(parents=True, exist_ok=True)

    proto = train_tokenizer(args.corpus)
    (args.fixtures / "tokenizer.model").write_bytes(proto)
    sp = spm.SentencePieceProcessor(model_proto=proto)
    oracle.write_json(
        args.golden / "tokenizer.json",
        [{"text": s, "ids": sp.encode(s), "pieces": sp.encode(s, out_type=str)} for s in STRINGS],
    )
    text = args.corpus.read_text(encoding="utf-8")[5000:]
    sequence = [2] + sp.encode(text[:2000])[: args.positions - 1]

    for name, spec in MODELS.items():
        spec = dict(spec)
        seed = spec.pop("seed")
        model = random_model(seed, sp, **spec)
        path = args.fixtures / f"{name}.gguf"
        write_gguf(path, name, model, sp)
        ids = torch.tensor([sequence])
        diff = check_gguf(path, model, ids)
        with torch.inference_mode():
            logits = model(input_ids=ids).logits[0].numpy()
        oracle.write_array(args.golden / f"{name}.logits.f32", logits, np.float32)
        runs = []
        for prompt in PROMPTS:
            prompt_ids = [2] + sp.encode(prompt)
            out, margins = oracle.greedy(model, prompt_ids, min(args.steps, 512 - len(prompt_ids)))
            check_cache(model, prompt_ids, out)
            runs.append({
                "prompt": prompt, "prompt_ids": prompt_ids, "ids": out, "text": sp.decode(out),
                "finish": "stop" if out[-1] == 1 else "length", "margins": [round(m, 5) for m in margins],
            })
            print(f"{name} seed {seed}: prompt {len(prompt_ids):3d}, {len(out):3d} new, "
                  f"{len(set(zip(out, out[1:], out[2:]))):3d} 3-grams, min margin {min(margins):.5f}")
        oracle.write_json(args.golden / f"{name}.json", {
            "model": f"{name}.gguf", "dtype": "float32", "vocab": VOCAB, "bos": 2, "eos": 1,
            "shape": list(logits.shape), "logits": f"{name}.logits.f32", "sequence": sequence, "greedy": runs,
        })
        print(f"{name}: {path.stat().st_size} bytes, logits std {logits.std():.3f}, read back differs by {diff:.1e}")
    oracle.write_versions(args.golden, seeds={n: s["seed"] for n, s in MODELS.items()},
                          corpus_sha256=oracle.sha256(args.corpus))


if __name__ == "__main__":
    main()
