"""Turns a TorchScript archive into safetensors: its tensors by their names, none of its code.

Standard library only. The archive is a zip with a pickle that names raw storages; the unpickler
here makes modules and tensors out of it and refuses every other class.
"""

import collections
import json
import math
import pickle
import struct
import zipfile


class Module:
    """Any class of the archive's own code: only its attributes matter."""

    def __setstate__(self, state):
        self.__dict__.update(state)


class Tensor:
    def __init__(self, storage, offset, shape, stride, *_):
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride


class Reader(pickle.Unpickler):
    KNOWN = {("torch._utils", "_rebuild_tensor_v2"): Tensor,
             ("torch", "FloatStorage"): "F32",
             ("torch.jit._pickle", "build_intlist"): list,
             ("collections", "OrderedDict"): collections.OrderedDict}

    def find_class(self, module, name):
        if module.split(".")[0] == "__torch__":
            return type("Module", (Module,), {})
        if (module, name) not in self.KNOWN:
            raise ValueError(f"the archive asks for {module}.{name}")
        return self.KNOWN[module, name]

    def persistent_load(self, saved):
        kind, dtype, key, _, count = saved
        if kind != "storage" or dtype != "F32":
            raise ValueError(f"a {kind} of {dtype}; expected a storage of 32-bit floats")
        return key, count


def tensors(module, prefix=""):
    """(name, tensor) of a module and the modules in it."""
    for name, value in vars(module).items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, Module):
            yield from tensors(value, f"{prefix}{name}.")


def is_contiguous(tensor):
    expected = 1
    for size, stride in zip(reversed(tensor.shape), reversed(tensor.stride)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def convert(path, target):
    header, data = {}, []
    at = 0
    with zipfile.ZipFile(path) as archive:
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        root = pickled[:-len("data.pkl")]
        with archive.open(pickled) as file:
            model = Reader(file).load()
        for name, tensor in sorted(tensors(model)):
            count = math.prod(tensor.shape)
            if count == 0:  # state that the code makes itself
                continue
            key, stored = tensor.storage
            raw = archive.read(f"{root}data/{key}")
            end = tensor.offset + count
            if not is_contiguous(tensor) or end > stored or len(raw) != 4 * stored:
                raise ValueError(f"{name}: its numbers do not lie as expected")
            data.append(raw[4 * tensor.offset:4 * end])
            header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                            "data_offsets": [at, at + 4 * count]}
            at += 4 * count
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    with open(target, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.writelines(data)
