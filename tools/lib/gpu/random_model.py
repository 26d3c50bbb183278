"""A Gemma 3 GGUF file with the sizes and the vocabulary of a real one and weights by chance: for speed and for holding
engines against each other on a machine that cannot fetch a model. Its head, some 7 MB, is what travels."""
import array
import math
import random
import struct

from fetch import Failure
from gpu.sizes import Reader

F32, BF16 = 0, 30
ALIGNMENT = 32
# A prime, so that rows of no length meet the same numbers.
BLOCK = 1_048_573
SPREAD = 0.03


def split(path, data):
    """(keys as bytes, their count, [(name, shape)]) of a GGUF file's head."""
    if data[:4] != b"GGUF":
        raise Failure(65, f"{path}: is no GGUF file")
    reader = Reader(path, data)
    reader.at = 4
    _, tensors, count = reader.plain("I"), reader.plain("Q"), reader.plain("Q")
    begin = reader.at
    for _ in range(count):
        name = reader.text()
        value = reader.value(reader.plain("I"))
        if name == "general.alignment" and value != ALIGNMENT:
            raise Failure(65, f"{path}: general.alignment is {value}, expected {ALIGNMENT}")
    keys = bytes(data[begin:reader.at])
    shapes = []
    for _ in range(tensors):
        name = reader.text()
        shapes.append((name, [reader.plain("Q") for _ in range(min(reader.plain("I"), 8))]))
        reader.plain("I"), reader.plain("Q")
    return keys, count, shapes, reader.at


def keep_head(source, target):
    """Writes what write() needs of `source`."""
    with source.open("rb") as file:
        data = file.read(64 << 20)
    target.write_bytes(data[:split(source, data)[3]])


def bf16(values):
    """Rounded to nearest, little-endian."""
    bits = array.array("I", struct.pack(f"<{len(values)}f", *values))
    return array.array("H", ((each + 0x7FFF + (each >> 16 & 1)) >> 16 for each in bits)).tobytes()


def padded(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def write(head, target, seed=1):
    """Matrices in bf16, vectors, which are norms, as ones in f32."""
    keys, count, shapes, _ = split(head, head.read_bytes())
    chance = random.Random(seed)
    block = bf16([chance.gauss(0, SPREAD) for _ in range(BLOCK)])
    infos, offset = b"", 0
    for name, shape in shapes:
        kind, width = (F32, 4) if len(shape) == 1 else (BF16, 2)
        infos += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
        infos += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
        offset += padded(math.prod(shape) * width)
    with target.open("wb") as to:
        to.write(b"GGUF" + struct.pack("<IQQ", 3, len(shapes), count) + keys + infos)
        to.write(bytes(padded(to.tell()) - to.tell()))
        for _, shape in shapes:
            numbers = math.prod(shape)
            if len(shape) == 1:
                size = numbers * 4
                to.write(struct.pack("<f", 1.0) * numbers)
            else:
                size = numbers * 2
                fill(to, block, size, 2 * chance.randrange(BLOCK))
            to.write(bytes(padded(size) - size))


def fill(to, block, size, begin):
    while size > 0:
        part = block[begin:begin + size]
        to.write(part)
        size -= len(part)
        begin = 0
