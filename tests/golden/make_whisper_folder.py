"""Makes a small random Whisper as a folder of transformers, and what transformers computes with it.

Writes ../fixtures/whisper/ (model.safetensors, config.json, generation_config.json, tokenizer.json) and
whisper/folder.json: the encoder's output for features sin(0.37 m + 0.11 t), and the decoder's scores after the
tokens 6 3 1. The vocabulary is made up; nothing of a real model is in it.
"""
import json
import pathlib
import shutil

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

import oracle

oracle.PACKAGES = ("torch", "transformers", "numpy")
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "fixtures" / "whisper"
SPECIAL = ["endoftext", "startoftranscript", "startofprev", "nocaptions", "notimestamps"]


def main():
    torch.manual_seed(7)
    config = WhisperConfig(
        vocab_size=40, num_mel_bins=80, encoder_layers=2, encoder_attention_heads=2, decoder_layers=3,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, d_model=16, max_source_positions=20,
        max_target_positions=16, pad_token_id=5, bos_token_id=5, eos_token_id=5, decoder_start_token_id=6,
        suppress_tokens=[3], begin_suppress_tokens=[5])
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "embed_positions" not in name:
                value.copy_(torch.randn_like(value) * 0.3 + ("layer_norm.weight" in name))
    shutil.rmtree(OUT, ignore_errors=True)
    model.save_pretrained(OUT)
    tokens = {"model": {"vocab": {"a": 0, "Ġb": 1, "c": 2, "(": 3, "Ã": 4}},
              "added_tokens": [{"id": 5 + i, "content": f"<|{word}|>"} for i, word in enumerate(SPECIAL)]}
    oracle.write_json(OUT / "tokenizer.json", tokens)
    (OUT / "generation_config.json").write_text(
        json.dumps({"suppress_tokens": [3], "begin_suppress_tokens": [5]}) + "\n")
    at = torch.sin(0.37 * torch.arange(80, dtype=torch.float64)[:, None] + 0.11 * torch.arange(40)[None, :])
    with torch.no_grad():
        encoded = model.model.encoder(at.float()[None]).last_hidden_state
        logits = model(encoder_outputs=(encoded,), decoder_input_ids=torch.tensor([[6, 3, 1]])).logits
    oracle.write_json(HERE / "whisper" / "folder.json", {
        "encoded": encoded[0].flatten().tolist(), "logits": logits[0].flatten().tolist(),
        "versions": oracle.versions()})


if __name__ == "__main__":
    main()
