"""The real Gemma 3 270M as the oracle scripts use it: weights, tokenizer, and the fixed text.

Weights: transformers dequantises the GGUF itself (fp32, eager attention), so the scale sqrt(640), the
masks and RoPE come from its code and not from ours.
Tokenizer: sentencepiece on a ModelProto rebuilt from the vocabulary inside the GGUF.
"""
import pathlib

import torch

DEFAULT_MODEL = pathlib.Path.home() / ".cache/penstock/models/gemma-3-270m/gemma-3-270m-q4_k_m.gguf"
MODEL_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
BOS, EOS = 2, 1
SPACE = "\u2581"


def add_model_arguments(parser):
    parser.add_argument("--model", type=pathlib.Path, default=DEFAULT_MODEL, help="the GGUF file")
    parser.add_argument("--threads", type=int, default=2)


def load_model(path, dtype="float32"):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=getattr(torch, dtype), attn_implementation="eager"
    ).eval()
    c = model.config
    kinds = [i for i, kind in enumerate(c.layer_types) if kind == "full_attention"]
    assert (c.sliding_window, kinds, c.query_pre_attn_scalar) == (512, [5, 11, 17], 256), c
    ropes = {kind: c.rope_parameters[kind]["rope_theta"] for kind in ("full_attention", "sliding_attention")}
    assert ropes == {"full_attention": 1e6, "sliding_attention": 1e4}, ropes
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    return model


def gguf_vocabulary(path):
    """(tokens, scores, token_types) as they stand in the file."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    return tuple(fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "scores", "token_type"))


def rebuild_proto(tokens, scores, types):
    """The SentencePiece ModelProto that the GGUF was made from.

    llama.cpp's converter writes <unk> and the special-looking user-defined pieces as CONTROL, and runs of
    spaces literally. Undone here: id 3 is UNKNOWN, ids 0..2 are CONTROL, every other CONTROL piece is
    USER_DEFINED, and spaces are U+2581.
    """
    from sentencepiece import sentencepiece_model_pb2 as pb

    proto = pb.ModelProto()
    piece_type = pb.ModelProto.SentencePiece
    for i, (token, score, kind) in enumerate(zip(tokens, scores, types)):
        if i == 3:
            kind = piece_type.UNKNOWN
        elif i < 3:
            kind = piece_type.CONTROL
        elif kind in (3, 4):
            kind, token = piece_type.USER_DEFINED, token.replace(" ", SPACE)
        proto.pieces.add(piece=token, score=score, type=kind)
    trainer = proto.trainer_spec
    trainer.model_type, trainer.byte_fallback, trainer.vocab_size = pb.TrainerSpec.BPE, True, len(tokens)
    trainer.pad_id, trainer.eos_id, trainer.bos_id, trainer.unk_id = 0, 1, 2, 3
    trainer.pad_piece, trainer.eos_piece, trainer.bos_piece, trainer.unk_piece = "<pad>", "<eos>", "<bos>", "<unk>"
    norm = proto.normalizer_spec
    norm.name, norm.add_dummy_prefix, norm.remove_extra_whitespaces, norm.escape_whitespaces = "identity", False, False, True
    return proto.SerializeToString()


def load_sentencepiece(path):
    import sentencepiece as spm

    return spm.SentencePieceProcessor(model_proto=rebuild_proto(*gguf_vocabulary(path)))


def hidden_states(model, ids):
    """Final hidden states [T, hidden], normed, of one sequence."""
    with torch.inference_mode():
        return model.model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0]


def logit_chunks(model, hidden, rows=100):
    """Yields (first row, logits [<=rows, vocab]): the whole matrix would be 1.6 GB."""
    with torch.inference_mode():
        for start in range(0, hidden.shape[0], rows):
            yield start, model.lm_head(hidden[start : start + rows])
