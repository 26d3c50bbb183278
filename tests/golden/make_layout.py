"""Makes what rapid-layout finds on pages, by onnxruntime.

    make_layout.py MEDIA      the folder where tools/media puts things

Writes tests/golden/layout/: page.jpg, a page that is drawn here, and parts.json, what its detector finds on it and
on a page of skimage: [{image, parts: [{label, score, box: left, top, right, bottom}]}].
"""
import json
import os
import pathlib
import platform
import sys
from importlib.metadata import version

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the library starts
import PIL  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from rapid_layout import RapidLayout  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "layout"
WIDTH, HEIGHT = 760, 1000
WORDS = "The quick brown fox jumps over the lazy dog and then it rests in the shade of an old oak tree . ".split() * 20


def font(size, weight=""):
    return ImageFont.truetype(f"/usr/share/fonts/truetype/dejavu/DejaVuSerif{weight}.ttf", size)


def paragraph(draw, top, lines):
    words, face = list(WORDS), font(14)
    for number in range(lines):
        line = []
        while draw.textlength(" ".join([*line, words[0]]), face) < WIDTH - 140:
            line.append(words.pop(0))
        draw.text((70, top + 21 * number), " ".join(line), fill=0, font=face)


def table(draw, top):
    for row in range(5):
        for column, text in enumerate(("model", "size", "time", "score") if row == 0 else ("net", "12.4", "3.1", "0.97")):
            draw.text((160 + 110 * column, top + 22 * row + 4), text, fill=0, font=font(13, "-Bold" if row == 0 else ""))
    for row in (0, 1, 5):
        draw.line((150, top + 22 * row, 600, top + 22 * row), fill=0, width=2)


def drawn_page(media):
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(page)
    draw.text((110, 50), "A Framework of Five Stages", fill=0, font=font(34, "-Bold"))
    paragraph(draw, 120, 8)
    page.paste(Image.open(media / "skimage/coffee.png").convert("L").resize((390, 260)), (185, 310))
    draw.text((270, 582), "Figure 1: A cup of coffee.", fill=0, font=font(13))
    paragraph(draw, 630, 6)
    draw.text((250, 780), "Table 1: Models and their times.", fill=0, font=font(13))
    table(draw, 806)
    return page


def main():
    media = pathlib.Path(sys.argv[1])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    drawn_page(media).save(GOLDEN / "page.jpg", quality=70)
    engine = RapidLayout()
    made = []
    for name, path in (("page.jpg", GOLDEN / "page.jpg"), ("skimage/page.png", media / "skimage/page.png")):
        found = engine(str(path))
        made.append({"image": name, "parts": [{"label": label, "score": score, "box": [float(x) for x in box]}
                                              for label, score, box in zip(found.class_names, found.scores, found.boxes)]})
    (GOLDEN / "parts.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "onnxruntime", "rapid-layout")} | {
        "pillow": PIL.__version__, "python": platform.python_version(), "script": pathlib.Path(__file__).name}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
