"""Tiny models saved by PyTorch, and what it answers.

    python3 -m venv v && v/bin/pip install torch==2.11.0 numpy==2.4.6
    v/bin/python tests/golden/make_torch.py

Writes tests/fixtures/models/*.pt2 and *.pt, which are read by the tests of heads and of
plugins/torch, and tests/golden/torch/answers.json.
"""

import io
import json
import pathlib
import zipfile

import numpy as np
import torch
from torch import nn
from torch.export import Dim

TESTS = pathlib.Path(__file__).resolve().parent.parent
MODELS = TESTS / "fixtures/models"
torch.manual_seed(20261130)
torch.set_num_threads(1)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 5)

    def forward(self, pixels):
        return self.head(self.features(pixels).mean((2, 3)))


class Encoder(nn.Module):
    """Outputs by name, a dict."""

    def __init__(self, vocabulary=50, dim=16):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, dim)
        layer = nn.TransformerEncoderLayer(dim, 2, 2 * dim, 0.0, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, input_ids, attention_mask):
        hidden = self.layers(self.embed(input_ids), src_key_padding_mask=attention_mask == 0)
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return {"hidden": hidden, "pooled": (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)}


class Step(nn.Module):
    """One step of a GRU; its state goes in and comes out."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(3, 4), nn.Linear(4, 2)

    def forward(self, x, h):
        h = self.cell(x, h)
        return {"y": self.head(h), "hN": h}


class Affine(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x)


class Several(nn.Module):
    """A tuple in a tuple, an output twice, a constant, a number."""

    def __init__(self):
        super().__init__()
        self.table = torch.arange(4.0)  # no buffer: a constant of the file

    def forward(self, x, scale):
        y = x * self.table
        return y, (y + scale, y)


class Counts(nn.Module):
    """As a model that was left in training mode: it writes into a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen += 1
        return x + self.seen


class Writes(nn.Module):
    def forward(self, x):
        x.mul_(2)
        return x + 1


class Branches(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x.cosh(), (x,))


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x, mask=None, factor=3):
        with torch.no_grad():
            y = self.linear(x)
        return y * factor


class Found(nn.Module):
    def forward(self, x):
        return {"places": x.nonzero(), "twice": x * 2, "count": x.shape[0]}


class Prints(nn.Module):
    def forward(self, x):
        print("a word of the model")
        return x + 1


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x, mask):
        y = self.linear(x)
        return {"y": y, "kept": y * mask.unsqueeze(1).to(y.dtype)}


B = {0: Dim("batch", min=1, max=64)}
AUTO = {0: Dim.AUTO, 1: Dim.AUTO}


def export(name, model, args, dims=None, kwargs=None):
    program = torch.export.export(model.eval(), args, kwargs, dynamic_shapes=dims, strict=False)
    path = MODELS / f"{name}.pt2"
    torch.export.save(program, path)
    lean(path)
    return program


def lean(path):
    """Without what nothing here reads: stack traces, which hold paths of this machine, and the signatures of parts."""
    def traceless(value):
        if isinstance(value, dict):
            return {k: {} if k == "metadata" else traceless(v) for k, v in value.items()}
        return [traceless(v) for v in value] if isinstance(value, list) else value

    def member(info, data):
        if not info.filename.endswith("models/model.json"):
            return data
        program = traceless(json.loads(data))
        program["graph_module"]["module_call_graph"] = program["graph_module"]["module_call_graph"][:1]
        return json.dumps(program, separators=(",", ":")).encode()
    rewrite(path, path, member)


def rewrite(source, target, member=lambda info, data: data, drop=lambda name: False, more=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(io.BytesIO(source.read_bytes())) as old:
        parts = [(i.filename, member(i, old.read(i))) for i in old.infolist() if not drop(i.filename)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as new:
        for name, data in [*parts, *more]:
            new.writestr(zipfile.ZipInfo(name), data, compression)
    target.write_bytes(out.getvalue())


def edited(source, name, edit):
    """The file with another model.json."""
    def member(info, data):
        if not info.filename.endswith("models/model.json"):
            return data
        program = json.loads(data)
        edit(program)
        return json.dumps(program).encode()
    rewrite(MODELS / source, MODELS / name, member)


def good():
    export("cnn", Cnn(), (torch.randn(2, 3, 16, 16),), {"pixels": B})
    export("encoder", Encoder(), (torch.randint(0, 50, (2, 6)), torch.ones(2, 6, dtype=torch.long)),
           {"input_ids": AUTO, "attention_mask": AUTO})
    export("gru", Step(), (torch.randn(2, 3), torch.zeros(2, 4)), {"x": B, "h": B})
    export("affine", Affine(), (torch.randn(2, 4),), {"x": {0: Dim("batch", min=1, max=3)}})
    export("fixed", Affine(), (torch.randn(1, 4),))
    export("branches", Branches(), (torch.randn(2, 4),))
    export("no_grad", NoGrad(), (torch.randn(2, 4), None, 3), {"x": B, "mask": None, "factor": None})
    export("found", Found(), (torch.randn(2, 4),), {"x": B})
    export("several", Several(), (torch.randn(2, 4),), {"x": B, "scale": None}, {"scale": torch.tensor(2.0)})


def bad():
    export("bad_buffer", Counts(), (torch.randn(2, 4),))
    export("bad_input", Writes(), (torch.randn(2, 4),))
    with torch.library._scoped_library("mylib", "DEF") as library:
        library.define("foo(Tensor x) -> Tensor")
        library.impl("foo", lambda x: x + 1, "CPU")
        torch.library.register_fake("mylib::foo", torch.empty_like, lib=library)

        class Custom(nn.Module):
            def forward(self, x):
                return torch.ops.mylib.foo(x)  # no libtorch has it
        export("bad_custom_op", Custom(), (torch.randn(2, 4),))
    hostile()
    # As AOTInductor packs its code; that alone, and with the program beside it.
    code = ("affine/data/aotinductor/model/x.wrapper.so", b"\x7fELF"), ("affine/data/aotinductor/model/x.wrapper_metadata.json",
                                                                      b'{"AOTI_CPU_ISA": "AVX9000", "AOTI_DEVICE_KEY": "cpu"}')
    rewrite(MODELS / "affine.pt2", MODELS / "native.pt2", drop=lambda n: "archive_" not in n, more=code)
    rewrite(MODELS / "affine.pt2", MODELS / "native_beside.pt2", more=code)
    rewrite(MODELS / "affine.pt2", MODELS / "bad_only_cpp.pt2", more=[("affine/data/aotinductor/model/x.cpp", b"int x;")])
    edited("affine.pt2", "bad_schema.pt2", lambda p: p["schema_version"].update(major=9))
    edited("affine.pt2", "bad_shape.pt2", lambda p: p["graph_module"]["graph"]["tensor_values"]["p_linear_weight"].update(
        sizes=[{"as_int": 1 << 40}, {"as_int": 4}]))
    rewrite(MODELS / "affine.pt2", MODELS / "bad_short_weight.pt2",
            lambda i, data: data[:8] if i.filename.endswith("weights/weight_0") else data)
    rewrite(MODELS / "affine.pt2", MODELS / "bad_no_weight.pt2", drop=lambda n: n.endswith("weights/weight_0"))
    rewrite(MODELS / "affine.pt2", MODELS / "bad_slip.pt2", more=[("affine/data/../../../../tmp/slipped", b"x")])
    rewrite(MODELS / "affine.pt2", MODELS / "bad_twice.pt2", more=[("affine/MODELS/model.json", b"{}")])
    rewrite(MODELS / "affine.pt2", MODELS / "bad_packed.pt2", compression=zipfile.ZIP_DEFLATED)
    rewrite(MODELS / "affine.pt2", MODELS / "bad_foreign.pt2", drop=lambda n: "archive_" in n or "models/" in n)
    (MODELS / "bad_cut_off.pt2").write_bytes((MODELS / "cnn.pt2").read_bytes()[:3000])
    (MODELS / "bad_text.pt2").write_bytes(b"\x80\x02}q\x00.")
    torch.save(Affine().state_dict(), MODELS / "state_dict.pt")


def tensor_value(program, sizes):
    like = json.loads(json.dumps(next(iter(program["graph_module"]["graph"]["tensor_values"].values()))))
    like.update(sizes=[{"as_int": s} for s in sizes], strides=[{"as_int": 1} for _ in sizes], requires_grad=False)
    return like


def node(target, inputs, output):
    return {"target": target, "inputs": [{"name": n, "arg": a, "kind": 1} for n, a in inputs],
            "outputs": [{"as_tensor": {"name": output}}], "metadata": {}, "is_hop_single_tensor_return": None}


def hostile():
    """A graph made by hand that would write a file of chosen bytes."""
    def edit(program):
        graph = program["graph_module"]["graph"]
        graph["tensor_values"]["mapped"] = graph["tensor_values"]["filled"] = tensor_value(program, [16])
        graph["nodes"][:0] = [
            node("torch.ops.aten.from_file.default", [("filename", {"as_string": "penstock_graph_wrote"}),
                                                      ("shared", {"as_bool": True}), ("size", {"as_int": 16})], "mapped"),
            node("torch.ops.aten.fill_.Scalar", [("self", {"as_tensor": {"name": "mapped"}}), ("value", {"as_float": 7.0})],
                 "filled")]
    edited("affine.pt2", "bad_file_op.pt2", edit)


def scripts():
    torch.jit.script(Scripted().eval()).save(MODELS / "script.pt")
    torch.jit.script(Prints().eval()).save(MODELS / "prints.pt")


def as_json(tensor):
    array = tensor.detach().numpy()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": array.reshape(-1).tolist()}


def answers():
    """By case: what goes in by the file's names, and what eager PyTorch gives."""
    out = {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "cases": {}}

    def add(name, inputs, outputs):
        out["cases"][name] = {"inputs": {k: as_json(v) for k, v in inputs.items()},
                              "outputs": {k: as_json(v) for k, v in outputs.items()}}

    def loaded(name):
        return torch.export.load(MODELS / f"{name}.pt2").module()

    with torch.inference_mode():
        x = torch.randn(3, 3, 16, 16)
        add("cnn", {"pixels": x}, {"linear": loaded("cnn")(x)})
        ids, mask = torch.randint(0, 50, (3, 5)), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])
        add("encoder", {"input_ids": ids, "attention_mask": mask}, loaded("encoder")(ids, mask))
        x, model = torch.randn(2, 4, 3), loaded("gru")
        h, steps = torch.zeros(2, 4), []
        for i in range(4):
            made = model(x[:, i], h)
            h = made["hN"]
            steps.append(made["y"])
        add("gru", {"x": x}, {"y": torch.stack(steps, 1)})
        x = torch.randn(8, 4)
        linear = Affine()
        linear.load_state_dict(torch.export.load(MODELS / "affine.pt2").state_dict)
        add("affine", {"x": x}, {"linear": linear(x)})  # more rows than the file's range
        x = torch.randn(3, 4)
        add("found", {"x": x}, {"twice": x * 2})
        x = torch.randn(1, 4)
        add("fixed", {"x": x}, {"linear": loaded("fixed")(x)})
        x = torch.randn(2, 2, 4)  # a batch of inputs without a row dim
        add("branches", {"x": x}, {"getitem": torch.stack([Branches()(each) for each in x])})
        x = torch.randn(3, 4)
        y, (z, _) = loaded("several")(x, scale=torch.tensor(2.0))
        add("several", {"x": x}, {"mul": y, "add": z})
        x, mask = torch.randn(3, 4), torch.tensor([1, 0, 1])
        add("script", {"x": x, "mask": mask}, torch.jit.load(MODELS / "script.pt")(x, mask))
    (TESTS / "golden/torch").mkdir(exist_ok=True)
    (TESTS / "golden/torch/answers.json").write_text(json.dumps(out, indent=1) + "\n")


def main():
    MODELS.mkdir(exist_ok=True)
    good()
    bad()
    scripts()
    answers()
    assert all(path.stat().st_size <= 120_000 for path in MODELS.glob("*.pt*")), "a fixture is too large"


if __name__ == "__main__":
    main()
