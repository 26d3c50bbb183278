"""Our pipelines and OpenVINO called bare, in turns; see tools/compare/models."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import openvino
import yaml
from safetensors.numpy import load_file

ROOT, CACHE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
TURNS, BATCHES, LEAST_S = 5, {1: 96, 8: 24}, 0.5  # runs by batch
TOKENS = 32  # of a text
OTHERS = np.zeros(8 << 20, np.uint8)  # more than the second cache holds
PAGE, FACE = "skimage/page.png", "skimage/astronaut.png"
INPUTS = {"page_layout": PAGE, "page_turn": PAGE, "text_find": PAGE, "text_read": PAGE, "line_turn": PAGE, "faces": FACE,
          "music_notes": "iscc-samples/audio/demo.mp3", "file_type": PAGE,
          "text_embed": ("--text", "A kitten is resting on a rug. " * TOKENS)}
BARE = {"INFERENCE_NUM_THREADS": 2, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
        "EXECUTION_MODE_HINT": "ACCURACY", "ENABLE_CPU_PINNING": False}


def arguments(name):
    given = INPUTS[name]
    return given if isinstance(given, tuple) else (str(CACHE / "media" / given),)


def program(tool, name, *words):
    return subprocess.run([ROOT / f"build/release/bin/{tool}", ROOT / f"pipelines/{name}.yaml", "--threads", "2", *words],
                          check=True, capture_output=True, text=True).stdout


class Ours:
    def __init__(self, name, batch):
        self.name, self.batch = name, batch

    def step_ms(self):
        """Milliseconds of Forward, and seconds of what the other stages do between two of its steps."""
        given = arguments(self.name)
        pipeline = yaml.safe_load((ROOT / f"pipelines/{self.name}.yaml").read_text())
        rows = {**pipeline, "inputs": [{"text": given[1]}]} if given[0] == "--text" else pipeline
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(rows, file)
            file.flush()
            out = subprocess.run([ROOT / "build/release/bin/pipeline-bench", file.name, "--threads", "2", "--batch",
                                  str(self.batch), "--runs", str(BATCHES[self.batch]), "--prompt-tokens", str(TOKENS), "--quiet", "--json", "-",
                                  "--set", "forward.device=cpu", "--set", f"batch.max_sequences={self.batch}",
                                  "--set", "batch.max_wait_ms=200",
                                  *(() if given[0] == "--text" else given)], check=True, capture_output=True, text=True).stdout
        load = json.loads(out)["devices"][0]["batches"][0]
        sizes = {each["sequences"]: sum(each["closed"].values()) for each in load["step_sizes"]["by_size"]}
        assert max(sizes) == self.batch, f"{self.name}: steps of {sizes}, expected {self.batch}"
        rows = sum(size * count for size, count in sizes.items())
        between = sum(seconds for stage, seconds in load["stage_s"].items() if stage != "forward")
        return load["stage_s"]["forward"] * 1e3 / rows * self.batch, between / rows * self.batch


class Bare:
    """A row after another where the file has room for one, as our stage runs it, and with the same time between two
    steps, in which memory is read and written: called without a pause, its threads stay awake and its caches warm,
    which nobody's are who has to read and resize the next picture."""

    def __init__(self, name, batch):
        pipeline = yaml.safe_load((ROOT / f"pipelines/{name}.yaml").read_text())
        forward = pipeline["forward"]
        names = dict(reversed(pair.rsplit("=", 1)) for pair in forward.get("names", []))
        with tempfile.TemporaryDirectory() as folder:
            program("pipeline-run", name, "--dump", f"{folder}/dump", *arguments(name))
            given = load_file(next(pathlib.Path(folder).glob("dump/*/batch.0000.safetensors")))
        model = openvino.Core().read_model(str(next(
            path for path in (CACHE / "models" / pipeline["model"]).iterdir() if path.suffix in (".onnx", ".tflite"))))
        has_rows = model.inputs[0].partial_shape[0].is_dynamic
        self.request = openvino.Core().compile_model(model, "CPU", BARE).create_infer_request()
        self.calls = 1 if has_rows else batch
        known = {each for one in model.inputs for each in one.names}
        self.tensors = {}
        for ours, tensor in given.items():
            if names.get(ours, ours) not in known:
                continue
            tensor = tensor[:1, :TOKENS] if name == "text_embed" else tensor[:1]
            rows = np.repeat(tensor, batch if has_rows else 1, axis=0)
            if ours in forward.get("channels_last", []):
                rows = rows.transpose(0, 2, 3, 1)
            self.tensors[names.get(ours, ours)] = np.ascontiguousarray(rows)

    def step_ms(self, between):
        times, start = [], time.perf_counter()
        while len(times) < 8 or time.perf_counter() - start < LEAST_S:
            until = time.perf_counter() + between
            while time.perf_counter() < until:
                OTHERS[:] += 1
            begin = time.perf_counter()
            for _ in range(self.calls):
                self.request.infer(self.tensors, share_inputs=True, share_outputs=True)
            times.append(time.perf_counter() - begin)
        return statistics.mean(times[2:]) * 1e3


def main():
    for name in sys.argv[3:] or INPUTS:
        name = name.removesuffix(".yaml")
        for batch in BATCHES:
            ours_side, bare_side = Ours(name, batch), Bare(name, batch)
            turns = []
            for _ in range(TURNS):
                mine, between = ours_side.step_ms()
                turns.append((mine, bare_side.step_ms(between)))
            ours, bare = (statistics.median(times) for times in zip(*turns))
            print(f"{name:<12} batch {batch}   penstock {ours:8.2f} ms   OpenVINO {bare:8.2f} ms   {ours / bare:5.2f} x", flush=True)


main()
