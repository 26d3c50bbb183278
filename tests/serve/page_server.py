"""Serves the page's files and canned answers, as pipeline-serve would: the page
can be tried without a model. The answers were taken from pipeline-run --json.

    python3 page_server.py 8080        # then look at http://127.0.0.1:8080/
"""

import base64
import http.server
import json
import pathlib
import struct
import sys
import tempfile
import threading
import time
import zlib

PAGE = pathlib.Path(__file__).resolve().parents[2] / "tools/pipeline_serve/page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

# Name: inputs, outputs.
MODELS = {
    "gemma_chat": (["text", "messages", "tools"], ["text", "json"]),
    "gemma_text": (["text"], ["text", "json"]),
    "score": (["text", "continuation"], ["text", "json"]),
    "image_classify": (["image"], ["text", "json"]),
    "speech_to_text": (["audio"], ["text", "json"]),
    "video_report": (
        ["video"],
        ["text", "json", "frames.text", "frames.json", "voice.text", "voice.json"],
    ),
}

ANSWER = (
    "Water falls through a long pipe, the penstock, and gathers speed. At its foot it "
    "strikes the blades of a wheel and turns them.\n\nThe wheel's shaft turns a generator: "
    "magnets pass coils of copper, and a current flows. What was height has become motion, "
    "and motion has become light."
)

LABELS = [
    {"id": 967, "label": "espresso", "score": 0.9505881},
    {"id": 968, "label": "cup", "score": 0.0151},
    {"id": 925, "label": "consomme", "score": 0.00794},
]

SEGMENTS = [
    {"begin": 0.16, "end": 3.4, "text": "And Mr. John Dashwood had then leisure to consider"},
    {
        "begin": 3.4,
        "end": 6.88,
        "text": "how much there might be prudently in his power to do for them.",
    },
]


def frame(time_s, label, score):
    return {
        "time": float(time_s),
        "frame": time_s * 30,
        "labels": [{"id": 1, "label": label, "score": score}],
    }


FRAMES = [
    frame(0, "web site, website", 0.846),
    frame(1, "web site, website", 0.837),
    frame(2, "web site, website", 0.852),
    frame(3, "desktop computer", 0.541),
    frame(4, "desktop computer", 0.52),
    frame(5, "notebook, notebook computer", 0.31),
    frame(6, "web site, website", 0.839),
    frame(7, "web site, website", 0.83),
    frame(8, "web site, website", 0.819),
]

PIPELINES = {
    "image_classify": {
        "id": "0",
        "text": "0.951  espresso\n0.015  cup\n0.008  consomme",
        "finish_reason": "end",
        "labels": LABELS,
    },
    "speech_to_text": {
        "id": "0",
        "text": " ".join(s["text"] for s in SEGMENTS),
        "finish_reason": "stop",
        "segments": SEGMENTS,
    },
    "video_report": {
        "id": "0",
        "text": "I will show a directory. Done.",
        "finish_reason": "stop",
        "steps": {
            "frames": [
                {
                    "text": "   0.000 s  0.846  web site, website",
                    "finish_reason": "end",
                    "frames": FRAMES,
                }
            ],
            "voice": [
                {
                    "text": "0.802 - 1.854\n2.050 - 3.070\n6.306 - 6.686",
                    "finish_reason": "end",
                    "segments": [
                        {"begin": 0.802, "end": 1.854},
                        {"begin": 2.05, "end": 3.07},
                        {"begin": 6.306, "end": 6.686},
                    ],
                }
            ],
            "speech": [
                {
                    "text": "I will show a directory. Done.",
                    "finish_reason": "stop",
                    "segments": [
                        {"begin": 0.64, "end": 2.64, "text": "I will show a directory."},
                        {"begin": 6.14, "end": 7.14, "text": "Done."},
                    ],
                }
            ],
        },
        "timeline": [],
    },
    "score": {
        "id": "0",
        "text": "logprob -3.4681  tokens 2  perplexity 5.6635  greedy no",
        "logprob": -3.4681,
    },
}


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# 64 by 48 points of one colour; six seconds of silence.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress((b"\0" + b"\x20\x70\x80" * 64) * 48))
    + _chunk(b"IEND", b"")
)
WAV = (
    b"RIFF"
    + struct.pack("<I", 36 + 192000)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    + b"data"
    + struct.pack("<I", 192000)
    + bytes(192000)
)
BROKEN, FAULT = "Half of \0broken", "Half of \0fault"  # an answer that ends so


def base64_of(data):
    return base64.b64encode(data).decode()


def temporary(name, data):
    path = pathlib.Path(tempfile.mkdtemp()) / name
    path.write_bytes(data)
    return path


class Server(http.server.ThreadingHTTPServer):
    """What it was asked stands in `asked`: (path, headers, body) of each POST."""

    daemon_threads = True

    def __init__(self, port=0, key="", models=MODELS, pace=0.004):
        super().__init__(("127.0.0.1", port), Handler)
        self.key, self.models = key, models
        self.asked, self.gone = [], threading.Event()
        self.tokens, self.running, self.pace = 0, 0, pace
        self.answers = []  # the next answers of a chat, before ANSWER
        self.refusals = []  # the next POSTs get these: (status, message, headers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def end(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a client that goes is no fault

    def posts(self, path):
        return [json.loads(body) for where, _, body in self.asked if where == path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, body, status=200, kind="application/json", headers=()):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(data))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, message, headers=()):
        self.send(
            {"error": {"message": message, "type": "x", "param": None, "code": None}},
            status,
            headers=headers,
        )

    def is_known(self):
        key = self.server.key
        return not key or self.headers.get("Authorization") == f"Bearer {key}"

    def do_GET(self):
        file = PAGE / ("index.html" if self.path == "/" else self.path[1:])
        if file.is_file():
            return self.send(
                file.read_bytes(),
                kind=TYPES[file.suffix],
                headers=[("Content-Security-Policy", POLICY), ("Cache-Control", "no-cache")],
            )
        if self.path == "/health":
            return self.send(b"")
        if not self.is_known():
            return self.fail(401, "this needs a key")
        if self.path == "/v1/models":
            return self.send(
                {
                    "object": "list",
                    "data": [{"id": name, "object": "model"} for name in self.server.models],
                }
            )
        if self.path == "/metrics":
            return self.send(self.metrics().encode(), kind="text/plain")
        model = self.server.models.get(self.path.removeprefix("/v2/models/"))
        if model is None:
            return self.fail(404, "there is no such thing here")
        inputs, outputs = (
            [{"name": n, "datatype": "BYTES", "shape": [-1]} for n in names] for names in model
        )
        self.send({"name": self.path, "platform": "penstock", "inputs": inputs, "outputs": outputs})

    def metrics(self):
        server = self.server
        return (
            f'penstock_generation_tokens_total{{model_name="gemma_chat"}} {server.tokens}\n'
            f'penstock_num_requests_running{{model_name="gemma_chat"}} {server.running}\n'
            'penstock_num_requests_waiting{model_name="gemma_chat"} 0\n'
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers, body))
        if not self.is_known():
            return self.fail(401, "this needs a key")
        if self.server.refusals:
            return self.fail(*self.server.refusals.pop(0))
        if self.path in ("/v1/chat/completions", "/v1/completions"):
            return self.stream(self.path)
        if self.path == "/v1/audio/transcriptions":
            return self.send({"text": "What I said."})
        name = self.path.removeprefix("/v1/pipelines/")
        if self.headers.get("Accept") == "text/event-stream":
            return self.stream_pipeline(PIPELINES[name])
        self.send(PIPELINES[name])

    def stream_pipeline(self, result):
        self.begin_stream()
        for step, outcomes in result.get("steps", {"": [result]}).items():
            for word in outcomes[0]["text"].split(" "):
                self.event({"type": "text", "branch": 0, "text": word + " ", "step": step})
                time.sleep(self.server.pace)
        self.event({"type": "result", "result": result})

    def stream(self, path):
        text = self.server.answers.pop(0) if self.server.answers else ANSWER
        self.begin_stream()
        self.server.running += 1
        try:
            self.pieces(text, path)
        finally:
            self.server.running -= 1

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, body):
        data = body if isinstance(body, str) else json.dumps(body)
        try:
            self.wfile.write(f"data: {data}\n\n".encode())
        except OSError:
            self.server.gone.set()
            raise

    def pieces(self, text, path):
        self.wfile.write(b": still here\n\n")
        words = text.split(" ")
        for i, word in enumerate(words):
            if word.startswith("\0"):
                if word == "\0fault":
                    self.event({"error": {"message": "the deadline is over"}})
                return
            piece = word if i == 0 else " " + word
            choice = {"delta": {"content": piece}} if "chat" in path else {"text": piece}
            self.event({"choices": [{"index": 0, **choice, "finish_reason": None}]})
            self.server.tokens += 1
            time.sleep(self.server.pace)
        self.event({"choices": [{"index": 0, "delta": {}, "text": "", "finish_reason": "stop"}]})
        self.event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(words)}})
        self.event("[DONE]")


if __name__ == "__main__":
    print(Server(int(sys.argv[1]) if len(sys.argv) > 1 else 8080).url)
    threading.Event().wait()
