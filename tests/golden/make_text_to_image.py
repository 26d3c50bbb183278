"""Text to picture in three small random networks: a text encoder, a U-Net that
diffusers made and an autoencoder of diffusers; and what diffusers makes of a text.

    python3 -m venv v && v/bin/pip install torch==2.11.0 diffusers==0.42.1 numpy==2.4.6
    v/bin/python tests/golden/make_text_to_image.py

Writes tests/fixtures/text_to_image/*.pt2 and tests/golden/diffusion/text_to_image.json.
"""

import json
import pathlib

import diffusers
import numpy as np
import torch
from make_torch import lean
from torch import nn
from torch.export import Dim

TESTS = pathlib.Path(__file__).resolve().parent.parent
FOLDER = TESTS / "fixtures/text_to_image"
VOCABULARY = (TESTS / "fixtures/wordpiece/vocab.txt").read_text().split("\n")
TEXT = ["[CLS]", "alpha", "line", "[SEP]"]
WIDTH, CHANNELS, SIDE, STEPS, GUIDANCE, SEED = 8, 4, 8, 4, 3.0, 7
torch.manual_seed(20261130)
torch.set_num_threads(1)


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(len(VOCABULARY), WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)

    def forward(self, input_ids, attention_mask):
        return {"states": torch.tanh(self.mix(self.table(input_ids))) * attention_mask[:, :, None]}


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.unet = diffusers.UNet2DConditionModel(
            sample_size=SIDE, in_channels=CHANNELS, out_channels=CHANNELS, layers_per_block=1, block_out_channels=(8,),
            down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",), mid_block_type=None,
            cross_attention_dim=WIDTH, attention_head_dim=4, norm_num_groups=2)

    def forward(self, sample, timestep, condition):
        return {"prediction": self.unet(sample, timestep, condition, return_dict=False)[0]}


class Picture(nn.Module):
    def __init__(self):
        super().__init__()
        self.vae = diffusers.AutoencoderKL(
            in_channels=3, out_channels=3, latent_channels=CHANNELS, block_out_channels=(4, 4), layers_per_block=1,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=2)
        self.vae.encoder = self.vae.quant_conv = None

    def forward(self, latents):
        return {"picture": self.vae.decode(latents / self.vae.config.scaling_factor, return_dict=False)[0]}


def save(net, example, dims, name):
    torch.export.save(torch.export.export(net, example, dynamic_shapes=dims, strict=False), FOLDER / name)
    lean(FOLDER / name)


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{x:.7g}") for x in tensor.reshape(-1).tolist()]}


def main():
    FOLDER.mkdir(exist_ok=True)
    text, unet, picture = TextEncoder().eval(), Denoiser().eval(), Picture().eval()
    rows, words = Dim.AUTO, Dim.AUTO
    ids = torch.tensor([[VOCABULARY.index(word) for word in TEXT]])
    two = ids.repeat(2, 1)
    save(text, (two, torch.ones_like(two)), {"input_ids": {0: rows, 1: words}, "attention_mask": {0: rows, 1: words}}, "text.pt2")
    noise = torch.randn(CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(SEED))[None]
    states = text(ids, torch.ones_like(ids))["states"]
    save(unet, (noise.repeat(2, 1, 1, 1), torch.tensor([5.0, 7.5]), states.repeat(2, 1, 1)),
         {"sample": {0: rows}, "timestep": {0: rows}, "condition": {0: rows, 1: words}}, "unet.pt2")
    save(picture, (noise.repeat(2, 1, 1, 1),), {"latents": {0: rows}}, "picture.pt2")

    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(STEPS)
    sample = noise * scheduler.init_noise_sigma
    with torch.inference_mode():
        for t in scheduler.timesteps:
            time = t.to(torch.float32)[None]
            said = unet(sample, time, states)["prediction"]
            without = unet(sample, time, torch.zeros_like(states))["prediction"]
            sample = scheduler.step(without + GUIDANCE * (said - without), t, sample).prev_sample
        made = picture(sample)["picture"]
    out = {"versions": {m.__name__: m.__version__ for m in (torch, diffusers, np)}, "text": " ".join(TEXT[1:-1]),
           "states": numbers(states[0]), "latents": numbers(sample[0]), "picture": numbers(made[0])}
    (TESTS / "golden/diffusion/text_to_image.json").write_text(json.dumps(out) + "\n")


main()
