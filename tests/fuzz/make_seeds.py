"""make_seeds.py FOLDER: what fuzzing begins with, a folder a target, from the fixtures and by hand.

Small files on purpose: a fuzzer changes them byte by byte.
"""
import gzip
import json
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"

HTTP = [
    b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v1/x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: 1\r\n\r\n",
    b"GET http://a/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close, x\r\n\r\n",
]


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(kind, blocks):
    """One tensor [2, 32 * blocks per row] of a ggml type, and metadata of each kind."""
    keys = [
        text("general.architecture") + struct.pack("<I", 8) + text("gemma3"),
        text("general.alignment") + struct.pack("<II", 4, 32),
        text("gemma3.rope.freq_base") + struct.pack("<If", 6, 1e6),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + text("<bos>") + text("a") + text("b"),
        text("tokenizer.ggml.scores") + struct.pack("<IIQ3f", 9, 6, 3, 0, -1, -2),
        text("tokenizer.ggml.add_bos_token") + struct.pack("<IB", 7, 1),
        text("a.long") + struct.pack("<Iq", 11, -5),
    ]
    columns = 256 if kind in (10, 11, 12, 13, 14) else 32
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys)) + b"".join(keys)
    head += text("token_embd.weight") + struct.pack("<IQQIQ", 2, columns, 2, kind, 0)
    return head + bytes(-len(head) % 32) + blocks


BLOCK_BYTES = {0: 128, 1: 64, 2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 10: 84, 11: 110, 12: 144, 13: 176, 14: 210, 20: 18, 30: 64}


def safetensors(header, data):
    header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def seeds():
    for path in sorted((FIXTURES / "models").glob("*.*")):
        if path.suffix != ".bin" and path.stat().st_size < 8192:
            yield "model_head", path.name, path.read_bytes()
    for path in sorted(ROOT.glob("pipelines/*.yaml")):
        yield "pipeline_file", path.name, path.read_bytes()
    good = """version: 1
name: good
model: "${HOME:-m}.gguf"
x-shared: &anchor {add: false}
preprocess: {use: text.words}
batch: {use: rows.packed}
forward: {use: net.run, device: "cuda:1"}
decode: {use: pick.best}
postprocess: {use: text.join}
inputs:
  - {text: "Hi", options: {top_k: 3}}
  - {<<: *anchor, text: b}
"""
    yield "pipeline_file", "good.yaml", good.encode()
    for kind, size in BLOCK_BYTES.items():
        yield "gguf", f"type{kind}.gguf", gguf(kind, bytes(range(1, 255)) * 4 if size > 120 else bytes(2 * size))
    yield "safetensors", "two.safetensors", safetensors(
        {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
         "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}}, bytes(22))
    yield "safetensors", "half.safetensors", safetensors(
        {"a": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]}}, b"\0\x3c")
    yield "tokenizer_model", "tiny.model", (FIXTURES / "tiny/tokenizer.model").read_bytes()
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{i:02X}>" for i in range(256)] + ["a", "b", "ab", "\u2581"]
    vocabulary = {"version": "1.0", "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
                  "added_tokens": [{"id": i, "content": pieces[i], "special": True} for i in range(4)],
                  "model": {"type": "BPE", "byte_fallback": True, "unk_token": "<unk>",
                            "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": ["a b"]}}
    yield "tokenizer_json", "small.json", json.dumps(vocabulary).encode()
    yield from wordpiece_seeds()
    for path in sorted((ROOT / "tests/golden/chat/templates").glob("*.jinja")):
        yield "chat_template", path.name, path.read_bytes()
    for source in ("{{ [1, 2.5] | join(',') ~ namespace(x=1).x }}", "{% macro m(a, b=2) %}{{ a[b:] }}{% endmacro %}{{ m('xyz') }}",
                   "{% for m in messages if m.role == 'user' %}{{ loop.index0 }}{{ m['content'] | trim | upper }}{% endfor %}"):
        yield "chat_template", f"by_hand{len(source)}.jinja", source.encode()
    lines = [{"id": "a", "text": "Hi", "options": {"max_new_tokens": 3, "logit_bias": {"5": -1}, "stop": ["x"]}, "deadline_ms": 5},
             {"id": 3, "messages": [{"role": "user", "content": "Hi"}], "tools": []}, {"inputs": {"image": "a.png"}},
             {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
              "body": {"model": "g", "messages": [{"role": "user", "content": "Hi"}], "logprobs": True, "top_logprobs": 2, "n": 2}},
             {"custom_id": "b", "url": "/v1/completions", "body": {"prompt": ["Hi"], "stop": None, "max_tokens": 1, "logprobs": 1}}]
    for i, line in enumerate(lines):
        yield "jsonl", f"{i}.json", json.dumps(line).encode()
    bodies = [{"model": "g", "prompt": ["Hi", [2, 5]], "stream": True, "stream_options": {"include_usage": True}, "user": "u"},
              {"model": "g", "prompt": [2, 9223372036854775807], "store": False, "metadata": {"a": "b"}, "suffix": ""},
              {"messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}], "name": "s"}]},
              {"messages": [{"role": "assistant", "content": "a", "tool_calls": []}], "tools": [], "tool_choice": "none"},
              {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}], "temperature": 1}]
    for i, body in enumerate(bodies):
        yield "openai_body", f"{i}.json", json.dumps(body).encode()

    yield from grammar_seeds()
    yield from call_seeds()
    for i, text in enumerate(HTTP):
        yield "http", f"{i}.txt", text
    for i, text in enumerate(FORMS):
        yield "multipart", f"{i}.txt", text
    yield from infer_seeds()
    yield from capsule_seeds()
    for i, content in enumerate((b"", b"text", b"a" * 5000)):
        yield "gzip", f"{i}.gz", gzip.compress(content, mtime=0)


def wordpiece_seeds():
    """A byte that says what follows: a tokenizer.json, a vocab.txt or a text."""
    tokens = ["[UNK]", "[CLS]", "[SEP]", "a", "##b", "\u4e2d"]
    around = {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    template = {"type": "TemplateProcessing", "single": single, "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1]}}}
    for i, post in enumerate((around, template)):
        made = {"added_tokens": [{"id": 2, "content": "[SEP]", "special": True}, {"id": 7, "content": "New", "normalized": True}],
                "normalizer": {"type": "BertNormalizer", "strip_accents": None}, "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": post, "truncation": {"max_length": 9}, "padding": {"pad_id": 0},
                "model": {"type": "WordPiece", "vocab": {token: id for id, token in enumerate(tokens)}}}
        yield "wordpiece", f"{i}.json", b"\0" + json.dumps(made).encode()
    yield "wordpiece", "lines.txt", b"\1" + "\n".join(tokens).encode()
    yield "wordpiece", "text.txt", b"\2" + "ab [SEP] a\u0301\uac00 \u0130\u200b\u4e2d.".encode()


def grammar_seeds():
    """Schemas of the proof's generator, small ones first, and what else answers are held to."""
    sys.path.append(str(ROOT / "tests/plugins/grammar/proof"))
    import schemas
    made = sorted((json.dumps(schemas.make(seed)) for seed in range(200)), key=len)
    for i, text in enumerate(made[:60]):
        yield "schema", f"{i}.json", text.encode()
    for i, text in enumerate(schemas.PATTERNS + ["(a{1,3}|[^b-d]){2,}x?", "a(?:b|c)*\\d+?.", "[\\]\\-\\x41-\\u005a]+"]):
        yield "regex", f"{i}.txt", text.encode()
    grammars = ['root ::= n (" " [+-] n){1,3}\nn ::= [1-9] [0-9]*\n', 'root ::= Regex("a{2,3}\\\\.") | "b" root # c\n',
                'Lstart: "a" WORD? | start ","\nWORD: /[a-z]{1,3}/i\n%ignore " "\n', 'L%import common.INT\nstart: INT~1..3\n',
                'root ::= x{0,300}\nx[max_chars=5] ::= [^a]* (="b")\n']
    for i, text in enumerate(grammars):
        yield "ebnf", f"{i}.txt", text.encode()


def call_seeds():
    """A byte for the syntax and the pieces, then what a model writes in it."""
    texts = ['Well.\n```tool_code\n{"name": "sum", "parameters": {"a": [1, {"b": "}"}]}}\n```\nDone.',
             '{"name": "sum", "parameters": {"a": "x\\"}"}}', '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
             '<start_function_call>call:f{city:<escape>Oslo<escape>,days:3}<end_function_call>']
    for i, text in enumerate(texts):
        for size in (0, 16, 112):
            yield "call_reader", f"{i}_{size}.txt", bytes([i + size]) + text.encode()


def infer_seeds():
    """Two bytes that say how long the JSON is, the JSON, tensors."""
    text = {"name": "text", "shape": [2], "datatype": "BYTES"}
    image = {"name": "image", "shape": [1, 1], "datatype": "BYTES", "data": [["AP8="]]}
    numbers = {"name": "f32", "shape": [2, 1, 2], "datatype": "FP32"}
    calls = [({"id": "a", "inputs": [{**text, "data": ["Hi", "x"]}], "parameters": {"max_tokens": 3, "stop": ["x"]}}, b""),
             ({"inputs": [{**text, "parameters": {"binary_data_size": 11}}, {**numbers, "parameters": {"binary_data_size": 16}}],
               "outputs": [{"name": "text", "parameters": {"binary_data": True}}]}, b"\2\0\0\0Hi\1\0\0\0x" + bytes(16)),
             ({"inputs": [image, {**numbers, "shape": [1, 1, 2], "data": [[[1, 2.5]]]}], "parameters": {"binary_data_output": True}}, b""),
             ({"inputs": [{"name": "bool", "shape": [1, 1, 2], "datatype": "BOOL", "data": [True, False]}]}, b"")]
    for i, (head, tensors) in enumerate(calls):
        content = json.dumps(head).encode()
        yield "infer", f"{i}.bin", struct.pack("<H", len(content)) + content + tensors


def capsule_seeds():
    """Two bytes that say how long capsule.json is, that, tensors.safetensors."""
    head = {"format": "penstock capsule 1", "why": "error", "error": "x", "versions": {"penstock": "0.1"}}
    want = {"from": -1, "top": 3, "full": False, "norm": True, "follow": False, "hidden": False, "ids": [5],
            "allowed": [None, {"ids": [1, 2]}, {"bits": [6, 18446744073709551615]}]}
    request = {"id": {"hex": "ff61"}, "inputs": {"text": {"text": "Hi"}, "messages": {"json": "[]"}, "x": {"tensors": ["a"]},
                                                 "image": {"begin": 0.5, "end": 2, "file": "a.wav", "bytes": 0}},
               "options": {"seed": {"text": "5", "quoted": False}, "stop": [{"text": "x", "quoted": True}]}}
    item = {"request": 0, "index": 0, "width": 1, "tokens": [2, 5], "inputs": ["pixels"],
            "notes": {"a": {"i": 5}, "b": {"s": "t"}, "c": {"r": "nan"}, "d": {"t": [1]}, "e": {"b": True}}}
    sequence = {"item": 0, "branch": 0, "tokens": [2, 5, 7], "draft": [], "cached": 1, "is_fresh": False, "want": want, "inputs": []}
    step = {"layout": "packed", "inputs": ["tokens"], "slices": [{"begin": 1, "count": 2, "out": 0, "outs": 1}]}
    decoded = {"item": 0, "branch": 0, "finish": "stop", "tokens": [7], "notes": {}, "tensors": ["a"]}
    call = {"requests": [request], "items": [item], "sequences": [sequence], "decoded": [decoded], "facts": {"vocab_size": {"i": 9}},
            "step": step, "result": {"out": [], "scores": ["scores.ids"]}, "is_end": False}
    names = ["request.0.x/a", "item.0/pixels", "step/tokens", "decoded.0/a", "result/scores.ids"]
    tensors = safetensors({name: {"dtype": "I64", "shape": [2], "data_offsets": [16 * i, 16 * i + 16]}
                           for i, name in enumerate(names)}, bytes(16 * len(names)))
    for i, kept in enumerate([{**head, "stage": {"index": 2, "use": "a.b"}, "call": call}, {**head, "stage": {"index": 0, "use": "a.b"}}]):
        content = json.dumps(kept).encode()
        yield "capsule", f"{i}.bin", struct.pack("<H", len(content)) + content + tensors


# A Content-Type, then the body.
FORMS = [
    b'multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nw\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\\"%22.wav"\r\nContent-Type: audio/x-wav\r\n\r\nRIFF\0\r\n--b--\r\n',
    b'Multipart/Form-Data;charset=utf-8;boundary="a b"\n\r\n--a b \t\r\ncontent-disposition:form-data;name=x;\r\n'
    b'Content-Transfer-Encoding: binary\r\n\r\n\r\n--a b--',
]


def main():
    folder = pathlib.Path(sys.argv[1])
    for target, name, content in seeds():
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
