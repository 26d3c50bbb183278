"""Makes what rapidocr finds in maps of how likely each pixel is text, for image.text_boxes.

The maps are drawn: bars and blots, turned and blurred. Writes tests/golden/text_lines/: maps as u8 [height, width],
a share of 255 each, and lines.json [{map, height, width, width and height of the picture, lines: [{corners, score}]}].
"""
import json
import pathlib
import platform
from importlib.metadata import version

import cv2
import numpy as np
from rapidocr.ch_ppocr_det.main import TextDetector
from rapidocr.ch_ppocr_det.utils import DBPostProcess

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "text_lines"
SEED = 5


def drawn(random, height, width, count, turn):
    """A map with `count` bars, each turned by up to `turn` degrees."""
    picture = np.zeros((height, width), np.uint8)
    for i in range(count):
        centre = (float(random.uniform(10, width - 10)), (i + 0.5) * height / count)
        size = (float(random.uniform(6, width / 2)), float(random.uniform(4, 10)))
        corners = cv2.boxPoints((centre, size, float(random.uniform(-turn, turn))))
        cv2.fillPoly(picture, [corners.astype(np.int32)], int(random.uniform(130, 255)))
    return cv2.GaussianBlur(picture, (3, 3), 0)


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    cases = []
    for i, (height, width, count, turn) in enumerate(
            [(96, 160, 5, 0), (96, 160, 4, 20), (128, 128, 6, 90), (64, 192, 4, 4), (32, 32, 0, 0)]):
        levels = drawn(random, height, width, count, turn)
        (GOLDEN / f"{i}.u8").write_bytes(levels.tobytes())
        map_ = levels.astype(np.float32) / 255
        process = DBPostProcess(thresh=0.3, box_thresh=0.5, max_candidates=1000, unclip_ratio=1.6, score_mode="fast", use_dilation=True)
        size = (3 * height, 2 * width)
        boxes, scores = process(map_[None, None], size)
        lines = [{"corners": np.asarray(box, float).ravel().tolist(), "score": float(score)} for box, score in zip(boxes, scores)]
        order = TextDetector.sorted_boxes(np.asarray(boxes)).tolist() if len(boxes) else []
        cases.append({"map": f"{i}.u8", "height": height, "width": width, "picture_height": size[0], "picture_width": size[1],
                      "lines": lines, "in_order": [np.asarray(box, float).ravel().tolist() for box in order]})
    (GOLDEN / "lines.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "rapidocr", "pyclipper", "shapely")} | {
        "opencv": cv2.__version__, "python": platform.python_version(), "script": pathlib.Path(__file__).name, "seed": SEED}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
