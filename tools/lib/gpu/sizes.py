"""The sizes of a Gemma 3 text model: by name, or from the head of a GGUF file or of a folder's config.json.

What a file says is checked before it is used, as plugins/gemma/config.h does.
"""
import dataclasses
import json
import mmap
import pathlib
import struct

from fetch import Failure


@dataclasses.dataclass(frozen=True)
class Sizes:
    name: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    window: int
    full_layers: int  # that see every key; the others see `window`
    context: int

    @property
    def queries(self):
        return self.heads * self.head_dim

    @property
    def keys(self):
        return self.kv_heads * self.head_dim

    @property
    def layer_weights(self):
        """Of the products of a layer: q, k, v, out, gate, up, down."""
        return self.hidden * (2 * self.queries + 2 * self.keys + 3 * self.ffn)

    @property
    def head_weights(self):
        return self.hidden * self.vocab

    @property
    def weights(self):
        return self.layers * self.layer_weights + self.head_weights


# config.json of google/gemma-3-270m, -1b-pt and the text part of -4b-pt.
KNOWN = {
    sizes.name: sizes
    for sizes in (
        Sizes("gemma-3-270m", 640, 18, 4, 1, 256, 2048, 262_144, 512, 3, 32_768),
        Sizes("gemma-3-1b", 1152, 26, 4, 1, 256, 6912, 262_144, 512, 4, 32_768),
        Sizes("gemma-3-4b", 2560, 34, 8, 4, 256, 10_240, 262_208, 1024, 5, 131_072),
    )
}

MOST = {"layers": 1024, "heads": 1024, "kv_heads": 1024, "head_dim": 4096, "hidden": 1 << 16, "ffn": 1 << 20,
        "vocab": 1 << 24, "window": 1 << 24, "context": 1 << 24}


def checked(path, values):
    for key, most in MOST.items():
        if not isinstance(values[key], int) or not 1 <= values[key] <= most:
            raise Failure(65, f"{path}: {key} is {values[key]!r}, expected 1 to {most}")
    return Sizes(name=path.name, **values)


def full_layers(layers, pattern, listed=None):
    """Every `pattern`-th layer sees all keys, unless the file lists them."""
    if listed is not None:
        return sum(not sliding for sliding in listed)
    return layers // pattern


class Reader:
    """Little-endian values of a GGUF file, one after the other; never beyond its end."""

    PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    TEXT, ARRAY = 8, 9

    def __init__(self, path, data):
        self.path, self.data, self.at = path, data, 0

    def plain(self, form):
        size = struct.calcsize("<" + form)
        self.need(size)
        value, = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return value

    def need(self, count):
        if count > len(self.data) - self.at:
            raise Failure(65, f"{self.path}: ends within its head, at byte {self.at}")

    def text(self):
        size = self.plain("Q")
        self.need(size)
        self.at += size
        return self.data[self.at - size:self.at].decode("utf-8", "replace")

    def value(self, kind, depth=0):
        if kind == self.TEXT:
            return self.text()
        if kind in self.PLAIN:
            return self.plain(self.PLAIN[kind])
        if kind != self.ARRAY or depth > 1:
            raise Failure(65, f"{self.path}: a value of unknown type {kind} at byte {self.at}")
        of, count = self.plain("I"), self.plain("Q")
        self.need(count)  # each has a byte at least
        return [self.value(of, depth + 1) for _ in range(count)]


def gguf_head(path, data):
    """(keys, {tensor: shape}) of a GGUF file."""
    reader = Reader(path, data)
    if data[:4] != b"GGUF":
        raise Failure(65, f"{path}: is no GGUF file")
    reader.at = 4
    version, tensors, count = reader.plain("I"), reader.plain("Q"), reader.plain("Q")
    if version not in (2, 3):
        raise Failure(65, f"{path}: GGUF version {version}, expected 2 or 3")
    keys = {}
    for _ in range(count):
        name = reader.text()
        keys[name] = reader.value(reader.plain("I"))
    shapes = {}
    for _ in range(tensors):
        name = reader.text()
        shapes[name] = [reader.plain("Q") for _ in range(min(reader.plain("I"), 8))]
        reader.plain("I"), reader.plain("Q")
    return keys, shapes


def of_gguf(path):
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        keys, shapes = gguf_head(path, data)
    if keys.get("general.architecture") != "gemma3":
        raise Failure(65, f"{path}: holds a {keys.get('general.architecture')!r} model, expected 'gemma3'")
    names = {"hidden": "embedding_length", "layers": "block_count", "heads": "attention.head_count",
             "kv_heads": "attention.head_count_kv", "head_dim": "attention.key_length", "ffn": "feed_forward_length",
             "window": "attention.sliding_window", "context": "context_length"}
    values = {ours: keys.get(f"gemma3.{theirs}") for ours, theirs in names.items()}
    values["vocab"] = (shapes.get("token_embd.weight") or [None])[-1]
    pattern = keys.get("gemma3.attention.sliding_window_pattern", 6)
    listed = pattern if isinstance(pattern, list) else None
    if listed is None and not (isinstance(pattern, int) and pattern > 0):
        raise Failure(65, f"{path}: sliding_window_pattern is {pattern!r}, expected a number or a list")
    return checked(path, {**values, "full_layers": full_layers(values["layers"] or 0, pattern, listed)})


def of_config(path):
    try:
        whole = json.loads(path.read_text("utf-8"))
        text = whole["text_config"] if whole["model_type"] == "gemma3" else whole
        if text.get("model_type", "gemma3_text") != "gemma3_text":
            raise Failure(65, f"{path}: model_type is {text['model_type']!r}, expected gemma3 or gemma3_text")
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(65, f"{path}: is no config.json of a Gemma 3 model ({error!r})") from error
    # What a file leaves out is as in transformers' Gemma3TextConfig.
    names = {"hidden": ("hidden_size", 2304), "layers": ("num_hidden_layers", 26),
             "heads": ("num_attention_heads", 8), "kv_heads": ("num_key_value_heads", 4), "head_dim": ("head_dim", 256),
             "ffn": ("intermediate_size", 9216), "vocab": ("vocab_size", 262_208),
             "window": ("sliding_window", 4096), "context": ("max_position_embeddings", 131_072)}
    values = {ours: text.get(theirs, default) for ours, (theirs, default) in names.items()}
    types = text.get("layer_types")
    listed = None if types is None else [each == "sliding_attention" for each in types]
    pattern = text.get("sliding_window_pattern", text.get("_sliding_window_pattern", 6))
    return checked(path, {**values, "full_layers": full_layers(values["layers"], pattern, listed)})


def find(model):
    """`model` is a name, a GGUF file, a config.json or the folder with one."""
    if model in KNOWN:
        return KNOWN[model]
    path = pathlib.Path(model)
    if path.is_dir():
        path = path / "config.json"
    if not path.is_file():
        raise Failure(66, f"there is no '{path}'; a GGUF file, a folder with config.json, or one of {', '.join(KNOWN)}")
    return of_config(path) if path.suffix == ".json" else of_gguf(path)
