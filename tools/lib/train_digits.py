"""Trains a small class-conditional denoising network on handwritten digits and
saves it as a program of torch.export; see tools/train_digits.

Data: the 1,797 pictures of scikit-learn's load_digits (UCI, CC BY 4.0), 8 x 8,
made 16 x 16. What the network says is the noise; the condition 10 stands for
no digit, as guidance asks for.
"""

import argparse
import math
import time

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

SIDE, CLASSES, STEPS = 16, 10, 1000


def norm(channels):
    return nn.GroupNorm(8, channels)


class Block(nn.Module):
    """Two convolutions around the time and the class."""

    def __init__(self, taken, given, embedding):
        super().__init__()
        self.first = nn.Sequential(norm(taken), nn.SiLU(), nn.Conv2d(taken, given, 3, padding=1))
        self.when = nn.Linear(embedding, given)
        self.second = nn.Sequential(norm(given), nn.SiLU(), nn.Conv2d(given, given, 3, padding=1))
        self.beside = nn.Conv2d(taken, given, 1) if taken != given else nn.Identity()

    def forward(self, x, e):
        return self.beside(x) + self.second(self.first(x) + self.when(e)[:, :, None, None])


class Network(nn.Module):
    def __init__(self, width=24, embedding=64):
        super().__init__()
        self.frequencies = nn.Parameter(torch.exp(-math.log(10000) * torch.arange(16) / 16), requires_grad=False)
        self.time = nn.Sequential(nn.Linear(32, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.digit = nn.Embedding(CLASSES + 1, embedding)
        wide = 2 * width
        self.enter = nn.Conv2d(1, width, 3, padding=1)
        self.down = nn.ModuleList([Block(width, width, embedding), Block(width, wide, embedding), Block(wide, wide, embedding)])
        self.middle = Block(wide, wide, embedding)
        self.up = nn.ModuleList([Block(2 * wide, wide, embedding), Block(2 * wide, width, embedding), Block(2 * width, width, embedding)])
        self.leave = nn.Sequential(norm(width), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, sample, timestep, condition):
        angles = timestep.to(torch.float32)[:, None] * self.frequencies
        e = F.silu(self.time(torch.cat([angles.sin(), angles.cos()], 1)) + self.digit(condition))
        x, seen = self.enter(sample), []
        for i, block in enumerate(self.down):
            x = block(x, e)
            seen.append(x)
            x = F.avg_pool2d(x, 2) if i < 2 else x
        x = self.middle(x, e)
        for i, block in enumerate(self.up):
            x = F.interpolate(x, scale_factor=2.0) if i > 0 else x
            x = block(torch.cat([x, seen.pop()], 1), e)
        return {"prediction": self.leave(x)}


def pictures():
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 8 - 1
    return F.interpolate(images, size=(SIDE, SIDE), mode="bicubic").clamp(-1, 1), torch.tensor(data.target)


def train(steps, batch, seed):
    torch.manual_seed(seed)
    images, digits = pictures()
    share = torch.cumprod(1 - torch.linspace(0.0001, 0.02, STEPS), 0)
    net = Network()
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    began = time.monotonic()
    for step in range(steps):
        rows = torch.randint(0, len(images), (batch,))
        clean, digit = images[rows], digits[rows].clone()
        digit[torch.rand(batch) < 0.15] = CLASSES
        t = torch.randint(0, STEPS, (batch,))
        a = share[t][:, None, None, None]
        noise = torch.randn_like(clean)
        said = net(clean * a.sqrt() + noise * (1 - a).sqrt(), t, digit)["prediction"]
        loss = F.mse_loss(said, noise)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        rate.step()
        mean.update_parameters(net)
        if step % 200 == 199:
            print(f"step {step + 1} of {steps}, loss {loss.item():.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return mean.module.eval()


def save(net, path):
    example = (torch.randn(2, 1, SIDE, SIDE), torch.tensor([1, 2]), torch.tensor([3, 4]))
    rows = {0: torch.export.Dim("batch", min=1, max=256)}
    program = torch.export.export(net, example, dynamic_shapes={"sample": rows, "timestep": rows, "condition": rows})
    torch.export.save(program, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=20261130)
    options = parser.parse_args()
    save(train(options.steps, options.batch, options.seed), options.file)
    print("wrote", options.file)
