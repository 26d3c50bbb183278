"""Golden files of pictures with alpha, and of pictures whose file is a little odd.

Writes tests/fixtures/alpha/: small TIFF, GIF and PNG files, and tests/golden/alpha/cases.json: the pixels
they hold. Pillow is the judge wherever it reads a file; where it does not ("by": "stored"), the pixels are
those that were written.

    oracle/bin/pip install pillow==13.0.0 numpy==2.4.6
    oracle/bin/python tests/golden/make_alpha.py
"""
import hashlib
import io
import pathlib
import struct

import numpy as np
from PIL import Image

import oracle

oracle.PACKAGES = ("pillow", "numpy")
HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent / "fixtures/alpha"
HEIGHT, WIDTH, TILE = 18, 20, 16
SHORT, LONG = 3, 4
MINISWHITE, MINISBLACK, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2


def noise(channels, seed, bits=8):
    return np.random.default_rng(seed).integers(0, 1 << bits, (HEIGHT, WIDTH, channels))


def alpha():
    """Every column another: nothing, all, and between."""
    row = np.array([0, 255, 1, 254, 2, 64, 128, 192, 51, 204] * 2)
    return np.tile(row, (HEIGHT, 1))[:, :, None]


def blocks(pixels, tiled):
    if not tiled:
        return [pixels]
    padded = np.pad(pixels, ((0, -HEIGHT % TILE), (0, -WIDTH % TILE), (0, 0)))
    return [padded[y:y + TILE, x:x + TILE]
            for y in range(0, padded.shape[0], TILE) for x in range(0, padded.shape[1], TILE)]


def tiff(pixels, photometric, extra=(), bits=8, planar=False, tiled=False, palette=None):
    """A baseline file: header, data, directory."""
    samples = pixels.shape[2]
    planes = [pixels[:, :, i:i + 1] for i in range(samples)] if planar else [pixels]
    data = [block.astype("<u2" if bits == 16 else "u1").tobytes() for plane in planes for block in blocks(plane, tiled)]
    at = np.cumsum([8] + [len(part) for part in data])
    tags = [(256, SHORT, [WIDTH]), (257, SHORT, [HEIGHT]), (258, SHORT, [bits] * samples), (259, SHORT, [1]),
            (262, SHORT, [photometric]), (277, SHORT, [samples]), (284, SHORT, [2 if planar else 1])]
    places, sizes = [int(a) for a in at[:-1]], [len(part) for part in data]
    if tiled:
        tags += [(322, SHORT, [TILE]), (323, SHORT, [TILE]), (324, LONG, places), (325, LONG, sizes)]
    else:
        tags += [(273, LONG, places), (278, SHORT, [HEIGHT]), (279, LONG, sizes)]
    if palette is not None:
        tags.append((320, SHORT, [int(v) * 257 for v in palette.T.reshape(-1)]))
    if extra:
        tags.append((338, SHORT, list(extra)))
    entries, more = b"", b""
    behind = int(at[-1]) + 2 + 12 * len(tags) + 4
    for tag, kind, values in sorted(tags):
        packed = struct.pack(f"<{len(values)}{'H' if kind == SHORT else 'I'}", *values)
        if len(packed) <= 4:
            place = packed.ljust(4, b"\0")
        else:
            place = struct.pack("<I", behind + len(more))
            more += packed + b"\0" * (len(packed) % 2)
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    return (b"II*\0" + struct.pack("<I", int(at[-1])) + b"".join(data) + struct.pack("<H", len(tags)) + entries +
            struct.pack("<I", 0) + more)


def tiffs():
    """name -> (bytes, the pixels that were stored as rgba)."""
    rgb, a = noise(3, 1), alpha()
    rgba = np.concatenate([rgb, a], 2)
    multiplied = np.concatenate([(rgb * a + 127) // 255, a], 2)
    wide = rgba * 256 + noise(4, 2)  # what is below the upper byte does not count
    grey = noise(1, 3)
    grey_alpha = np.concatenate([grey, a], 2)
    grey_rgba = np.concatenate([grey, grey, grey, a], 2)
    colours = noise(3, 4)[:, 0, :]  # a palette of a few
    palette = np.resize(colours, (256, 3))
    index = noise(1, 5)
    ink = np.concatenate([255 - rgb, np.zeros_like(a), a], 2)
    plain = (UNASSOCIATED,)
    out = {
        "rgba": (tiff(rgba, RGB, plain), rgba),
        "rgba_tiles": (tiff(rgba, RGB, plain, tiled=True), rgba),
        "rgba_planar": (tiff(rgba, RGB, plain, planar=True), rgba),
        "rgba_planar_tiles": (tiff(rgba, RGB, plain, planar=True, tiled=True), rgba),
        "rgba_16": (tiff(wide, RGB, plain, bits=16), rgba),
        "rgba_16_planar": (tiff(wide, RGB, plain, bits=16, planar=True), rgba),
        "rgba_without_a_word": (tiff(rgba, RGB), rgba),
        "rgb_and_more": (tiff(rgba, RGB, (UNSPECIFIED,)), rgb),
        "rgb_16": (tiff(wide[:, :, :3], RGB, bits=16), rgb),
        "grey_alpha": (tiff(grey_alpha, MINISBLACK, plain), grey_rgba),
        "grey_alpha_tiles": (tiff(grey_alpha, MINISBLACK, plain, tiled=True), grey_rgba),
        "grey_alpha_planar": (tiff(grey_alpha, MINISBLACK, plain, planar=True), grey_rgba),
        "grey_alpha_16": (tiff(grey_alpha * 256 + 17, MINISBLACK, plain, bits=16), grey_rgba),
        "white_is_0_alpha": (tiff(np.concatenate([255 - grey, a], 2), MINISWHITE, plain), grey_rgba),
        "palette_alpha": (tiff(np.concatenate([index, a], 2), PALETTE, plain, palette=palette),
                          np.concatenate([palette[index[:, :, 0]], a], 2)),
        "cmyk_alpha": (tiff(ink, CMYK, plain), rgba),
    }
    # The judge of what was multiplied is Pillow alone.
    out["rgba_associated"] = (tiff(multiplied, RGB, (ASSOCIATED,)), None)
    out["rgba_16_associated"] = (tiff(multiplied * 256 + 99, RGB, (ASSOCIATED,), bits=16), None)
    return {name + ".tif": case for name, case in out.items()}


def lzw(indices):
    """Codes of 8 bits only: the table is cleared before it needs a ninth."""
    codes = b""
    for at in range(0, len(indices), 100):
        codes += b"\x80" + bytes(indices[at:at + 100])
    codes += b"\x81"
    return b"\x07" + b"".join(bytes([len(codes[i:i + 255])]) + codes[i:i + 255]
                              for i in range(0, len(codes), 255)) + b"\0"


def gif(canvas, frames, palette=True, background=0):
    """frames: (left, top, width, height, transparent index or None, disposal)."""
    flags = 0xF6 if palette else 0x70
    out = b"GIF89a" + struct.pack("<HHBBB", *canvas, flags, background, 0)
    out += np.random.default_rng(6).integers(0, 256, 128 * 3).astype("u1").tobytes() if palette else b""
    for number, (left, top, width, height, transparent, disposal) in enumerate(frames):
        if transparent is not None or disposal:
            out += b"\x21\xF9\x04" + struct.pack("<BHB", disposal << 2 | (transparent is not None), 10, transparent or 0) + b"\0"
        out += b"," + struct.pack("<HHHHB", left, top, width, height, 0)
        out += lzw(np.random.default_rng(7 + number).integers(0, 6, width * height))
    return out + b";"


def gifs():
    whole, part = (0, 0, 9, 7), (2, 1, 5, 4)
    return {
        "transparent.gif": gif((9, 7), [whole + (3, 0)]),
        "transparent_part.gif": gif((9, 7), [part + (3, 0)]),
        "transparent_restored.gif": gif((9, 7), [whole + (3, 2), part + (1, 2)]),
        "transparent_previous.gif": gif((9, 7), [part + (0, 3), whole + (None, 0)]),
        "restored.gif": gif((9, 7), [whole + (None, 2), part + (1, 0)]),
        "beyond.gif": gif((4, 3), [part + (None, 0)]),
        "transparent_beyond.gif": gif((4, 3), [part + (2, 0)]),
        "without_palette.gif": gif((9, 7), [whole + (None, 0)], palette=False),
    }


def pngs():
    rgba = np.concatenate([noise(3, 1), alpha()], 2).astype("u1")
    out = io.BytesIO()
    Image.fromarray(rgba).save(out, "PNG")
    whole = out.getvalue()
    return {"without_end.png": whole[:-12], "within_end.png": whole[:-5]}


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        has_alpha = image.has_transparency_data
        return np.asarray(image.convert("RGBA" if has_alpha else "RGB"))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = {name: (data, None) for name, data in (gifs() | pngs()).items()} | tiffs()
    rows = []
    for name, (data, stored) in cases.items():
        try:
            pixels, by = by_pillow(data), "Pillow"
        except (OSError, ValueError):  # a kind of page that it does not know
            pixels, by = None, "stored"
        if pixels is None or (stored is not None and not np.array_equal(pixels, stored)):
            print(f"{name}: not as stored by Pillow" if pixels is not None else f"{name}: not by Pillow")
            pixels, by = stored, "stored"
        (FOLDER / name).write_bytes(data)
        digest = hashlib.sha256(pixels.astype("u1").tobytes()).hexdigest()[:16]
        rows.append({"file": name, "shape": list(pixels.shape), "sha256": digest, "by": by})
    oracle.write_json(HERE / "alpha/cases.json", rows)
    oracle.write_versions(HERE / "alpha")


if __name__ == "__main__":
    main()
