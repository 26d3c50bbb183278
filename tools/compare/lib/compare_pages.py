"""Our pipelines and the packages in turns; see tools/compare/pages."""
import json
import logging
import subprocess
import sys
import time

from in_turns import in_turns
from rapid_layout import RapidLayout
from rapidocr import RapidOCR

logging.disable(logging.INFO)
RUN, PAGE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
TURNS, THREADS = 3, {"intra_op_num_threads": 2, "inter_op_num_threads": 1}


def ours(pipeline, take, count):
    start = time.perf_counter()
    done = subprocess.run([RUN, pipeline, "--threads", "2", "--json", *([PAGE] * count)], capture_output=True, check=True)
    return time.perf_counter() - start, take(json.loads(done.stdout.splitlines()[-1]))


def theirs(engine, take):
    start = time.perf_counter()
    for _ in range(COUNT):
        found = engine(PAGE)
    return time.perf_counter() - start, take(found)


def main():
    if COUNT < 2:
        sys.exit("COUNT is 2 or more: the time of one page is taken off")
    ocr = RapidOCR(params={"Cls.cls_thresh": 0.95, "EngineConfig.onnxruntime.intra_op_num_threads": 2})
    layout = RapidLayout(engine_cfg=THREADS)
    ocr(PAGE), layout(PAGE)  # loads the models
    def texts(line):
        return [each["texts"][0]["text"] for each in line["steps"]["read"]]

    def labels(line):
        return sorted(each["label"] for each in line["boxes"])

    seconds, answers = in_turns({
        "image_text.yaml": lambda: ours("image_text.yaml", texts, COUNT),
        "image_text.yaml, one": lambda: ours("image_text.yaml", texts, 1),
        "rapidocr": lambda: theirs(ocr, lambda found: list(found.txts)),
        "page_layout.yaml": lambda: ours("page_layout.yaml", labels, COUNT),
        "page_layout.yaml, one": lambda: ours("page_layout.yaml", labels, 1),
        "rapid-layout": lambda: theirs(layout, lambda found: sorted(found.class_names))}, TURNS)
    for mine, other in (("image_text.yaml", "rapidocr"), ("page_layout.yaml", "rapid-layout")):
        same = "the same" if answers[mine] == answers[other] else "OTHER"
        warm = (seconds[mine] - seconds[mine + ", one"]) / (COUNT - 1)
        print(f"{mine:<17} {1 / warm:6.2f} pages/s   {other:<13} {COUNT / seconds[other]:6.2f} pages/s   "
              f"{seconds[other] / COUNT / warm:5.2f} x, {seconds[other] / seconds[mine]:.2f} x with our start   "
              f"{same} answers")


main()
