"""Makes what Python packages do with the packaged models that our pipelines run on OpenVINO, by onnxruntime.

    make_packaged.py CACHE      the folder where tools/models and tools/media put things

Writes tests/golden/packaged/: embed.json, vectors of sentences by `tokenizers` and the mean of all-MiniLM-L6-v2;
text.json, the lines that rapidocr reads in a page, in order, with their scores. rapidocr's step that turns lines
upright is left out, as our pipeline has none.
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
from rapidocr import RapidOCR  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "packaged"
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
    engine = RapidOCR(params={"Global.use_cls": False})
    made = []
    for name in ("skimage/page.png",):
        read = engine(str(media / name))
        made.append({"image": name, "lines": [{"text": text, "score": float(score), "corners": np.asarray(box).ravel().tolist()}
                                              for text, score, box in zip(read.txts, read.scores, read.boxes)]})
    return made


def main():
    cache = pathlib.Path(sys.argv[1])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, data in (("embed", vectors(cache / "models/minilm-l6-int8")), ("text", lines(cache / "media"))):
        (GOLDEN / f"{name}.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "onnxruntime", "tokenizers", "rapidocr")} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
