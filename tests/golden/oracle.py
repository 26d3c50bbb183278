"""Helpers shared by the scripts that make the golden files: versions, JSON and raw arrays.

Formats: JSON for small things; arrays as raw little-endian files whose shape stands in the JSON.
"""
import hashlib
import json
import pathlib
import platform
import sys
from importlib.metadata import version

import numpy as np

PACKAGES = ("torch", "transformers", "sentencepiece", "tokenizers", "numpy", "gguf", "accelerate")


def write_json(path, data, indent=None):
    """Writes JSON, one line per list element of the top level where it is a list (small diffs)."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, list):
        text = "[\n" + ",\n".join(json.dumps(item, ensure_ascii=True) for item in data) + "\n]\n"
    else:
        text = json.dumps(data, indent=indent, ensure_ascii=True) + "\n"
    path.write_text(text)


def versions():
    """Package versions and the name of the running script."""
    found = {name: version(name) for name in PACKAGES}
    return found | {"python": platform.python_version(), "script": pathlib.Path(sys.argv[0]).name}


def write_versions(folder, **extra):
    """Records what made the files of `folder`: versions, the script, its seed."""
    write_json(pathlib.Path(folder) / "versions.json", versions() | extra, indent=2)


def write_array(path, array, dtype):
    """Writes an array as raw little-endian values, row-major."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<")).tobytes())


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def greedy(model, ids, steps, eos=(1,)):
    """Greedy continuation with a KV cache, stopping after one of `eos`.

    Returns (ids, margins): margins[i] = best minus second-best logit when ids[i] was chosen.
    """
    import torch

    with torch.inference_mode():
        cache, feed, out, margins = None, torch.tensor([ids]), [], []
        while len(out) < steps:
            step = model(input_ids=feed, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = step.past_key_values
            best = torch.topk(step.logits[0, -1].float(), 2)
            out.append(int(best.indices[0]))
            margins.append(float(best.values[0] - best.values[1]))
            if out[-1] in eos:
                break
            feed = torch.tensor([[out[-1]]])
    return out, margins
