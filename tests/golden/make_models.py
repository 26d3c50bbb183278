"""Tiny models in other programs' formats, and what onnxruntime answers.

    python3 -m venv v && v/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tflite==2.18.0
    v/bin/python tests/golden/make_models.py

Writes tests/fixtures/models/*.onnx, .xml, .bin and .tflite, which are read by
the tests of heads and of plugins/openvino, and tests/golden/models/answers.json.
"""

import json
import os
import pathlib

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import flatbuffers  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
import tflite  # noqa: E402
from onnx import TensorProto as T  # noqa: E402
from onnx import helper as h  # noqa: E402
from onnx import numpy_helper as nh  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parent.parent
MODELS = TESTS / "fixtures/models"
RANDOM = np.random.default_rng(20261129)
value = h.make_tensor_value_info
node = h.make_node


def weight(name, *shape, scale=0.5):
    return nh.from_array((RANDOM.standard_normal(shape) * scale).astype(np.float32), name)


def integers(name, *values):
    return nh.from_array(np.array(values, np.int64), name)


def save(name, nodes, inputs, outputs, weights=(), opset=17, domain=None, metadata=None):
    graph = h.make_graph(nodes, "graph", inputs, outputs, list(weights))
    opsets = [h.make_opsetid("", opset)] + ([h.make_opsetid(domain, 1)] if domain else [])
    model = h.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="make_models", producer_version="1")
    if metadata:
        h.set_model_props(model, metadata)
    (MODELS / f"{name}.onnx").write_bytes(model.SerializeToString())


def good():
    save("affine", [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "b"], ["y"])],
         [value("x", T.FLOAT, ["batch", 4])], [value("y", T.FLOAT, ["batch", 3])],
         [weight("w", 4, 3), weight("b", 3)], metadata={"labels": "cat, dog, bird", "author": "nobody"})
    save("encoder",
         [node("Gather", ["table", "ids"], ["e"]), node("Gather", ["kinds", "types"], ["k"]),
          node("Add", ["e", "k"], ["s"]), node("Cast", ["mask"], ["f"], to=T.FLOAT),
          node("Unsqueeze", ["f", "last"], ["u"]), node("Mul", ["s", "u"], ["hidden"])],
         [value(n, T.INT64, ["batch", "time"]) for n in ("ids", "mask", "types")],
         [value("hidden", T.FLOAT, ["batch", "time", 4])],
         [weight("table", 10, 4), weight("kinds", 2, 4), integers("last", 2)])
    rnn = [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["h", "u"], ["b"]), node("Add", ["a", "b"], ["c"]),
           node("Tanh", ["c"], ["hN"])]
    save("rnn", rnn + [node("ReduceSum", ["hN", "axis"], ["sum"], keepdims=1), node("Cast", ["sr"], ["rate"], to=T.FLOAT),
                       node("Mul", ["sum", "rate"], ["y"])],
         [value("x", T.FLOAT, [1, 2]), value("h", T.FLOAT, [1, 3]), value("sr", T.INT64, [])],
         [value("y", T.FLOAT, [1, 1]), value("hN", T.FLOAT, [1, 3])],
         [weight("w", 2, 3), weight("u", 3, 3), integers("axis", 1)])
    save("rnn_batch", rnn + [node("Identity", ["hN"], ["y"])],
         [value("x", T.FLOAT, ["batch", 2]), value("h", T.FLOAT, ["batch", 3])],
         [value("y", T.FLOAT, ["batch", 3]), value("hN", T.FLOAT, ["batch", 3])], [weight("w", 2, 3), weight("u", 3, 3)])
    save("odd_names", [node("Relu", ["serving_default_input:0"], ["StatefulPartitionedCall:0"])],
         [value("serving_default_input:0", T.FLOAT, [None, None, 4])],
         [value("StatefulPartitionedCall:0", T.FLOAT, [None, None, 4])])
    save("question", [node("Relu", ["x"], ["y"])], [value("x", T.FLOAT, ["?", "?", "?"])], [value("y", T.FLOAT, ["?", "?", "?"])])
    save("one_row", [node("ReduceMean", ["x"], ["y"], axes=[2], keepdims=0)],
         [value("x", T.FLOAT, [1, 3, 4])], [value("y", T.FLOAT, [1, 3])])
    save("no_rows", [node("Relu", ["x"], ["y"])], [value("x", T.FLOAT, [3, 2])], [value("y", T.FLOAT, [3, 2])])
    save("pixels", [node("Cast", ["x"], ["f"], to=T.FLOAT), node("ReduceMean", ["f"], ["y"], axes=[1, 2], keepdims=0)],
         [value("x", T.UINT8, ["batch", "height", "width", 3])], [value("y", T.FLOAT, ["batch", 3])])
    save("nonzero", [node("NonZero", ["x"], ["n"]), node("Transpose", ["n"], ["y"])],
         [value("x", T.FLOAT, [1, 4])], [value("y", T.INT64, ["found", 2])])
    save("scales", [node("Mul", ["x", "scales"], ["y"])],
         [value("x", T.FLOAT, ["batch", 3]), value("scales", T.FLOAT, [3])], [value("y", T.FLOAT, ["batch", 3])])
    save("no_rank", [node("Relu", ["x"], ["y"])], [value("x", T.FLOAT, None)], [value("y", T.FLOAT, None)])
    # Operators one after another: a run can be cancelled between them.
    layers = [node(kind, inputs, [f"{kind[0]}{i}"]) for i in range(300)
              for kind, inputs in (("MatMul", [f"T{i - 1}" if i else "x", "w"]), ("Tanh", [f"M{i}"]))]
    save("slow", layers + [node("Identity", ["T299"], ["y"])], [value("x", T.FLOAT, ["batch", 32])],
         [value("y", T.FLOAT, ["batch", 32])], [weight("w", 32, 32, scale=0.2)])
    endless()


def endless():
    """A loop of 2^62 turns, each of which is over at once."""
    turn = h.make_graph(
        [node("Identity", ["go"], ["again"]), node("Mul", ["in", "half"], ["out"])], "turn",
        [value("i", T.INT64, []), value("go", T.BOOL, []), value("in", T.FLOAT, ["batch", 32])],
        [value("again", T.BOOL, []), value("out", T.FLOAT, ["batch", 32])],
        [nh.from_array(np.float32(0.5), "half")])
    save("endless", [node("Loop", ["turns", "true", "x"], ["y"], body=turn)], [value("x", T.FLOAT, ["batch", 32])],
         [value("y", T.FLOAT, ["batch", 32])],
         [nh.from_array(np.array(1 << 62), "turns"), nh.from_array(np.array(True), "true")])


def beside(name, location, length=64):
    tensor = onnx.TensorProto()
    tensor.name, tensor.data_type, tensor.data_location = "w", T.FLOAT, T.EXTERNAL
    tensor.dims.extend([4, 4])
    for key, text in (("location", location), ("offset", "0"), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    save(name, [node("MatMul", ["x", "w"], ["y"])], [value("x", T.FLOAT, ["batch", 4])],
         [value("y", T.FLOAT, ["batch", 4])], [tensor])


def bad():
    x, y = value("x", T.FLOAT, ["batch", 4]), value("y", T.FLOAT, ["batch", 4])
    save("bad_custom_op", [node("MyOp", ["x"], ["y"], name="foo", domain="my.company")], [x], [y], domain="my.company")
    save("bad_unknown_op", [node("Frobnicate", ["x"], ["y"], name="bar")], [x], [y])
    save("bad_opset", [node("Relu", ["x"], ["y"])], [x], [y], opset=99)
    save("bad_text", [node("Identity", ["x"], ["y"])], [value("x", T.STRING, ["batch"])], [value("y", T.STRING, ["batch"])])
    save("bad_expand", [node("Expand", ["x", "s"], ["y"], name="huge")], [value("x", T.FLOAT, ["batch"])],
         [value("y", T.FLOAT, None)], [integers("s", 1 << 20, 1 << 20, 1)])
    save("bad_fill", [node("ConstantOfShape", ["s"], ["c"], name="fill"), node("Add", ["x", "c"], ["y"])], [x], [y],
         [integers("s", 1 << 40)])
    short = nh.from_array(np.ones((2, 2), np.float32), "w")
    short.dims[0] = 1 << 20
    save("bad_short_weight", [node("Add", ["x", "w"], ["y"])], [x], [y], [short])
    graph = h.make_graph([node("Identity", ["x"], ["z0"])], "g0", [], [value("z0", T.FLOAT, None)])
    for i in range(1, 20):
        graph = h.make_graph([node("If", ["c"], [f"z{i}"], then_branch=graph, else_branch=graph)] if i < 2 else
                             [node("If", ["c"], [f"z{i}"], then_branch=graph)], f"g{i}", [], [value(f"z{i}", T.FLOAT, None)])
    save("bad_nested", [node("If", ["c"], ["y"], then_branch=graph)], [x, value("c", T.BOOL, [])], [y])
    (MODELS / "beside.bin").write_bytes((RANDOM.standard_normal((4, 4))).astype(np.float32).tobytes())
    beside("beside", "beside.bin")
    beside("bad_escape", "../../../../etc/passwd")
    beside("bad_absolute", "/etc/passwd")
    beside("bad_missing", "nowhere.bin")
    beside("bad_cut_off", "beside.bin", length=65)


def openvino_files():
    core = openvino.Core()
    model = core.read_model(MODELS / "affine.onnx")
    openvino.save_model(model, MODELS / "affine_ir.xml", compress_to_fp16=False)
    text = (MODELS / "affine_ir.xml").read_text()
    (MODELS / "bad_bin.xml").write_text(text.replace('offset="0"', 'offset="4096"'))
    (MODELS / "bad_version.xml").write_text(text.replace('version="11"', 'version="99"'))
    (MODELS / "bad_version.bin").write_bytes((MODELS / "affine_ir.bin").read_bytes())
    (MODELS / "bad_bin.bin").write_bytes((MODELS / "affine_ir.bin").read_bytes())


def tflite_file():
    """y = x + 1, with x f32[1,4]: schema 3, one ADD."""
    b = flatbuffers.Builder(1024)

    def vector(make, items, push):
        make(b, len(items))
        for item in reversed(items):
            push(item)
        return b.EndVector()

    def tensor(name, shape, buffer, signature=None):
        text = b.CreateString(name)
        dims = vector(tflite.TensorStartShapeVector, shape, b.PrependInt32)
        dynamic = vector(tflite.TensorStartShapeSignatureVector, signature, b.PrependInt32) if signature else None
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, dims)
        tflite.TensorAddType(b, tflite.TensorType.FLOAT32)
        tflite.TensorAddBuffer(b, buffer)
        tflite.TensorAddName(b, text)
        if dynamic:
            tflite.TensorAddShapeSignature(b, dynamic)
        return tflite.TensorEnd(b)

    data = np.ones(4, np.float32).tobytes()
    bytes_of_one = b.CreateByteVector(data)
    tflite.BufferStart(b)
    empty = tflite.BufferEnd(b)
    tflite.BufferStart(b)
    tflite.BufferAddData(b, bytes_of_one)
    full = tflite.BufferEnd(b)
    tensors = [tensor("x", [1, 4], 0, [-1, 4]), tensor("one", [4], 1), tensor("y", [1, 4], 0, [-1, 4])]
    places = vector(tflite.SubGraphStartTensorsVector, tensors, b.PrependUOffsetTRelative)
    inputs = vector(tflite.SubGraphStartInputsVector, [0], b.PrependInt32)
    outputs = vector(tflite.SubGraphStartOutputsVector, [2], b.PrependInt32)
    taken = vector(tflite.OperatorStartInputsVector, [0, 1], b.PrependInt32)
    made = vector(tflite.OperatorStartOutputsVector, [2], b.PrependInt32)
    tflite.AddOptionsStart(b)
    options = tflite.AddOptionsEnd(b)
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, 0)
    tflite.OperatorAddInputs(b, taken)
    tflite.OperatorAddOutputs(b, made)
    tflite.OperatorAddBuiltinOptionsType(b, tflite.BuiltinOptions.AddOptions)
    tflite.OperatorAddBuiltinOptions(b, options)
    add = tflite.OperatorEnd(b)
    operators = vector(tflite.SubGraphStartOperatorsVector, [add], b.PrependUOffsetTRelative)
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, places)
    tflite.SubGraphAddInputs(b, inputs)
    tflite.SubGraphAddOutputs(b, outputs)
    tflite.SubGraphAddOperators(b, operators)
    graph = tflite.SubGraphEnd(b)
    graphs = vector(tflite.ModelStartSubgraphsVector, [graph], b.PrependUOffsetTRelative)
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddVersion(b, 1)
    code = tflite.OperatorCodeEnd(b)
    codes = vector(tflite.ModelStartOperatorCodesVector, [code], b.PrependUOffsetTRelative)
    buffers = vector(tflite.ModelStartBuffersVector, [empty, full], b.PrependUOffsetTRelative)
    about = b.CreateString("make_models 1")
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, codes)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddDescription(b, about)
    tflite.ModelAddBuffers(b, buffers)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    (MODELS / "plus_one.tflite").write_bytes(bytes(b.Output()))


def as_json(array):
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": array.reshape(-1).tolist()}


def answers():
    """By case: what goes in by the file's names, and what onnxruntime gives."""
    def floats(*shape):
        return RANDOM.standard_normal(shape).astype(np.float32)

    ids = RANDOM.integers(0, 10, (2, 5))
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int64)
    cases = {
        "affine": {"x": floats(3, 4)},
        "encoder": {"ids": ids, "mask": mask, "types": np.zeros((2, 5), np.int64)},
        "odd_names": {"serving_default_input:0": floats(2, 3, 4)},
        "one_row": {"x": floats(1, 3, 4)},
        "no_rows": {"x": floats(3, 2)},
        "pixels": {"x": RANDOM.integers(0, 255, (2, 5, 7, 3)).astype(np.uint8)},
        "nonzero": {"x": np.array([[0, 1, 0, 2]], np.float32)},
        "scales": {"x": floats(2, 3), "scales": np.array([0.5, 1, 2], np.float32)},
        "beside": {"x": floats(2, 4)},
    }
    out = {"versions": {m.__name__: m.__version__ for m in (onnx, onnxruntime, openvino)}, "cases": {}}
    for name, inputs in cases.items():
        session = onnxruntime.InferenceSession(str(MODELS / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        made = session.run(None, inputs)
        out["cases"][name] = {
            "inputs": {key: as_json(array) for key, array in inputs.items()},
            "outputs": {o.name: as_json(array) for o, array in zip(session.get_outputs(), made)}}
    # A sequence of steps, each with the state of the one before.
    session = onnxruntime.InferenceSession(str(MODELS / "rnn.onnx"), providers=["CPUExecutionProvider"])
    x, state, made = floats(2, 6, 2), [np.zeros((1, 3), np.float32)] * 2, np.zeros((2, 6, 1), np.float32)
    for row in range(2):
        for step in range(6):
            y, state[row] = session.run(None, {"x": x[row, step][None], "h": state[row], "sr": np.array(2, np.int64)})
            made[row, step] = y[0]
    out["cases"]["rnn"] = {"inputs": {"x": as_json(x)}, "outputs": {"y": as_json(made)}}
    session = onnxruntime.InferenceSession(str(MODELS / "rnn_batch.onnx"), providers=["CPUExecutionProvider"])
    x, state, steps = floats(2, 4, 2), np.zeros((2, 3), np.float32), []
    for step in range(4):
        y, state = session.run(None, {"x": x[:, step], "h": state})
        steps.append(y)
    out["cases"]["rnn_batch"] = {"inputs": {"x": as_json(x)}, "outputs": {"y": as_json(np.stack(steps, 1))}}
    (TESTS / "golden/models").mkdir(exist_ok=True)
    (TESTS / "golden/models/answers.json").write_text(json.dumps(out, indent=1) + "\n")


MODELS.mkdir(exist_ok=True)
good()
bad()
openvino_files()
tflite_file()
answers()
