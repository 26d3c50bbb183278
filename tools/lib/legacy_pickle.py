"""Converts an old PyTorch weight file (a pickle, before 1.6) to safetensors.

Only the standard library is used and nothing of the pickle is run: the
unpickler knows ordered dicts, the tensor rebuilder and storages of numbers,
and refuses every other name. Integer tensors (batch counters) are left out.
"""

import array
import collections
import json
import pickle
import struct

from fetch import Failure

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
FLOAT_BYTES = 4
INTEGER_BYTES = 8


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


class Tensor:
    """A view of a storage; read() gives its numbers row by row."""

    def __init__(self, storage, offset, shape, stride, *_):
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride))
        if min(shape, default=1) < 1 or min(stride, default=1) < 0 or last >= storage.count:
            raise Failure(65, "a tensor beyond its storage")
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def read(self, data):
        numbers = array.array("f", data)
        places = [self.offset]
        for size, step in zip(self.shape, self.stride):
            places = [place + i * step for place in places for i in range(size)]
        if places == list(range(places[0], places[0] + len(places))):
            return numbers[places[0]:places[0] + len(places)].tobytes()
        return array.array("f", [numbers[place] for place in places]).tobytes()


class Unpickler(pickle.Unpickler):
    KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch", "FloatStorage"): "float",
        ("torch", "LongStorage"): "integer",
    }

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise Failure(65, f"the weight file names {module}.{name}, which is not read")
        return self.KNOWN[module, name]

    def persistent_load(self, saved):
        what, kind, key, _, count, _ = saved
        if what != "storage" or kind not in ("float", "integer"):
            raise Failure(65, f"the weight file holds a {what} of {kind}")
        return Storage(kind, key, count)


def read_storages(file, storages):
    """Bytes of every storage, by key: a count of 8 bytes, then the numbers."""
    data = {}
    for key in Unpickler(file).load():
        storage = storages[key]
        size = storage.count * (FLOAT_BYTES if storage.kind == "float" else INTEGER_BYTES)
        (count,) = struct.unpack("<q", file.read(8))
        data[key] = file.read(size)
        if count != storage.count or len(data[key]) != size:
            raise Failure(65, "the weight file ends early")
    if file.read(1):
        raise Failure(65, "the weight file goes on after its last tensor")
    return data


def convert(source, target):
    with open(source, "rb") as file:
        if Unpickler(file).load() != MAGIC or Unpickler(file).load() != PROTOCOL:
            raise Failure(65, f"{source}: no weight file of an old PyTorch")
        Unpickler(file).load()  # facts on the machine that wrote it
        tensors = Unpickler(file).load()
        data = read_storages(file, {t.storage.key: t.storage for t in tensors.values()})
    header, blocks, at = {}, [], 0
    for name in sorted(tensors):
        tensor = tensors[name]
        if tensor.storage.kind != "float":
            continue
        block = tensor.read(data[tensor.storage.key])
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(target, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))
