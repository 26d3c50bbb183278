"""A small random U-Net of diffusers, and what its schedulers make of noise.

    python3 -m venv v && v/bin/pip install torch==2.11.0 diffusers==0.42.1 numpy==2.4.6
    v/bin/python tests/golden/make_diffusion.py

Writes tests/fixtures/models/unet.pt2 and tests/golden/diffusion/steps.json: for
each case the noise, and of each step what the model is given (sample and
timestep), what it says, and the sample behind the step.
"""

import json
import pathlib

import diffusers
import numpy as np
import torch
from torch import nn
from torch.export import Dim

TESTS = pathlib.Path(__file__).resolve().parent.parent
MODEL = TESTS / "fixtures/models/unet.pt2"
EMPTY = 10  # the class that stands for none
torch.manual_seed(20261130)
torch.set_num_threads(1)


class Net(nn.Module):
    """Names for the inputs and for the output."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, condition):
        return {"prediction": self.unet(sample, timestep, condition, return_dict=False)[0]}


def network():
    unet = diffusers.UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(4,), norm_num_groups=2,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), mid_block_type=None, num_class_embeds=EMPTY + 1)
    return Net(unet).eval()


def save(net):
    """Time as f32: Euler's steps lie between those of the training."""
    example = (torch.randn(2, 1, 8, 8), torch.tensor([5.0, 7.5]), torch.tensor([1, 2]))
    rows = {0: Dim.AUTO}
    program = torch.export.export(net, example, dynamic_shapes={"sample": rows, "timestep": rows, "condition": rows}, strict=False)
    torch.export.save(program, MODEL)
    from make_torch import lean
    lean(MODEL)


def euler(**more):
    return diffusers.EulerDiscreteScheduler(**more)


def dpm(**more):
    return diffusers.DPMSolverMultistepScheduler(algorithm_type="dpmsolver++", solver_order=2, **more)


def ddim(**more):
    return diffusers.DDIMScheduler(**more)


SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
# name: steps, guidance, params of the stage, the scheduler
CASES = {
    "ddim": (4, 1, "scheduler: ddim", ddim(clip_sample=False)),
    "ddim_clip": (4, 1, "scheduler: ddim, clip: true, betas: cosine", ddim(clip_sample=True, beta_schedule="squaredcos_cap_v2")),
    "ddim_offset": (3, 1, "scheduler: ddim, steps_offset: 1, alpha_to_one: false, betas: scaled_linear, beta_start: 0.00085, beta_end: 0.012",
                    ddim(clip_sample=False, steps_offset=1, set_alpha_to_one=False, **SCALED)),
    "ddim_v": (4, 1, "scheduler: ddim, prediction: v, spacing: trailing",
               ddim(clip_sample=False, prediction_type="v_prediction", timestep_spacing="trailing")),
    "ddim_sample": (3, 1, "scheduler: ddim, prediction: sample, spacing: linspace",
                    ddim(clip_sample=False, prediction_type="sample", timestep_spacing="linspace")),
    "ddim_guided": (4, 3.5, "scheduler: ddim", ddim(clip_sample=False)),
    "euler": (4, 1, "scheduler: euler, spacing: linspace", euler(timestep_spacing="linspace")),
    "euler_leading": (4, 1, "scheduler: euler, spacing: leading, steps_offset: 1, betas: scaled_linear, beta_start: 0.00085, beta_end: 0.012",
                      euler(timestep_spacing="leading", steps_offset=1, **SCALED)),
    "euler_v": (3, 1, "scheduler: euler, spacing: trailing, prediction: v", euler(timestep_spacing="trailing", prediction_type="v_prediction")),
    "euler_karras": (4, 2, "scheduler: euler, spacing: linspace, karras: true", euler(timestep_spacing="linspace", use_karras_sigmas=True)),
    "dpm": (5, 1, "scheduler: dpmpp_2m, spacing: linspace", dpm(timestep_spacing="linspace")),
    "dpm_leading": (5, 1, "scheduler: dpmpp_2m, spacing: leading", dpm(timestep_spacing="leading")),
    "dpm_trailing": (4, 1, "scheduler: dpmpp_2m, spacing: trailing, prediction: v", dpm(timestep_spacing="trailing", prediction_type="v_prediction")),
    "dpm_karras": (5, 2, "scheduler: dpmpp_2m, spacing: linspace, karras: true", dpm(timestep_spacing="linspace", use_karras_sigmas=True)),
}


def numbers(tensor):
    return {"dtype": str(tensor.numpy().dtype), "shape": list(tensor.shape), "data": [float(f"{x:.7g}") for x in tensor.reshape(-1).tolist()]}


def run(net, steps, guidance, params, scheduler):
    noise = torch.randn(1, 8, 8)
    condition = int(torch.randint(0, EMPTY, ()))
    scheduler.set_timesteps(steps)
    sample = (noise * scheduler.init_noise_sigma)[None]
    made = []
    for t in scheduler.timesteps:
        given = scheduler.scale_model_input(sample, t)
        time = t.to(torch.float32)[None]
        said = net(given, time, torch.tensor([condition]))["prediction"]
        step = {"timestep": float(t), "sample": numbers(given[0]), "prediction": numbers(said[0])}
        if guidance != 1:
            without = net(given, time, torch.tensor([EMPTY]))["prediction"]
            step["without"] = numbers(without[0])
            said = without + guidance * (said - without)
        sample = scheduler.step(said, t, sample).prev_sample
        made.append({**step, "after": numbers(sample[0])})
    assert made[-1]["after"]["data"] and np.isfinite(made[-1]["after"]["data"]).all()
    return {"params": params, "count": steps, "guidance": guidance, "noise": numbers(noise), "condition": condition, "steps": made}


def main():
    net = network()
    save(net)
    out = {"versions": {m.__name__: m.__version__ for m in (torch, diffusers, np)}, "empty": EMPTY, "cases": {}}
    with torch.inference_mode():
        for name, case in CASES.items():
            out["cases"][name] = run(net, *case)
        generator = torch.Generator().manual_seed(7)
        out["seed_7"] = numbers(torch.randn(1, 16, 16, generator=generator))
    (TESTS / "golden/diffusion").mkdir(exist_ok=True)
    (TESTS / "golden/diffusion/steps.json").write_text(json.dumps(out) + "\n")


main()
