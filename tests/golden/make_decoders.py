"""Makes what others make of a model's raw outputs: vectors, texts, boxes and masks, for the decoders of core.

Inputs are random and short of digits, so that they stand in the JSON exactly. Writes tests/golden/decoders/:
vector.json (sentence-transformers' Pooling and torch's normalize), ctc.json (rapidocr's CTCLabelDecode),
boxes.json (torchvision's box_convert, nms and batched_nms), rle.json (pycocotools' encode).
"""
import json
import pathlib
import platform
from importlib.metadata import version

import numpy as np
import torch
import torchvision
from pycocotools import mask as coco
from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode
from sentence_transformers.models import Pooling

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "decoders"
SEED = 11


def write(name, data):
    (GOLDEN / name).write_text(json.dumps(data, separators=(",", ":")) + "\n")


def numbers(random, *shape, digits=3, scale=1.0):
    """Numbers that JSON and float32 have alike."""
    return (np.round(random.standard_normal(shape) * scale, digits)).astype(np.float32)


def plain(array):
    """As lists, each number in its shortest form."""
    if array.ndim > 1:
        return [plain(row) for row in array]
    return [float(str(value)) for value in array]


def vectors(random):
    hidden = numbers(random, 3, 5, 8)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
    cases = []
    for pool in ("mean", "cls"):
        pooling = Pooling(8, pooling_mode=pool)
        features = {"token_embeddings": torch.from_numpy(hidden), "attention_mask": torch.from_numpy(mask)}
        raw = pooling(features)["sentence_embedding"]
        for dimensions in (0, 4):
            cut = raw[:, :dimensions] if dimensions else raw
            for is_normal in (False, True):
                out = torch.nn.functional.normalize(cut, dim=1) if is_normal else cut
                cases.append({"pool": pool, "dimensions": dimensions, "normalize": is_normal, "vectors": plain(out.numpy())})
    write("vector.json", {"hidden": plain(hidden), "mask": mask.tolist(), "cases": cases})


def texts(random):
    characters = list("abcdefgh\u4e2d\u00e9")
    scores = np.exp(numbers(random, 6, 12, len(characters) + 2, scale=2.0))
    scores[:, :, 0] *= 4  # blanks, and repeats below
    for row in scores:
        for place in range(1, 12, 3):
            row[place] = row[place - 1]
    scores[5] = 0.001
    scores[5, :, 0] = 0.9  # nothing but blanks
    scores = np.round(scores / scores.sum(axis=2, keepdims=True), 4).astype(np.float32)
    lines, _ = CTCLabelDecode(character=list(characters))(scores)
    write("ctc.json", {"labels": characters, "scores": [plain(row) for row in scores], "lines": [list(line) for line in lines]})


def boxes(random):
    cases = []
    for count in (1, 40, 200):
        centres = np.round(random.uniform(0, 100, (count, 2)), 2)
        sizes = np.round(random.uniform(1, 40, (count, 2)), 2)
        given = np.concatenate([centres, sizes], axis=1).astype(np.float32)
        scores = random.permutation(count).astype(np.float32) / count
        classes = random.integers(0, 3, count)
        corners = torchvision.ops.box_convert(torch.from_numpy(given), "cxcywh", "xyxy")
        for overlap in (0.3, 0.5, 0.7):
            all_of = torchvision.ops.nms(corners, torch.from_numpy(scores), overlap)
            by_class = torchvision.ops.batched_nms(corners, torch.from_numpy(scores), torch.from_numpy(classes), overlap)
            cases.append({"overlap": overlap, "boxes": plain(given), "scores": plain(scores), "classes": classes.tolist(),
                          "kept": all_of.tolist(), "kept_by_class": by_class.tolist()})
    write("boxes.json", cases)


def masks(random):
    cases = []
    for height, width, share in ((1, 1, 0), (1, 1, 1), (4, 6, 0.5), (30, 40, 0.1), (200, 3, 0.98), (5, 300, 0.002)):
        mask = (random.random((height, width)) < share).astype(np.uint8)
        counts = coco.encode(np.asfortranarray(mask))["counts"].decode()
        cases.append({"height": height, "width": width, "mask": mask.ravel().tolist(), "counts": counts})
    write("rle.json", cases)


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    vectors(random)
    texts(random)
    boxes(random)
    masks(random)
    packages = ("pycocotools", "numpy", "torch", "torchvision", "sentence-transformers", "rapidocr")
    made_by = {name: version(name) for name in packages} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name, "seed": SEED}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
