"""/v1/pipelines/NAME: any pipeline, by JSON or by upload; transcripts that stream."""
import json

import pytest

from servekit import checks, sse

pytestmark = pytest.mark.needs("pipelines")


def path(name):
    return f"/v1/pipelines/{name}"


@pytest.fixture
def picture(target):
    return target.medium("picture").read_bytes()


def test_a_line_of_json(post, target):
    """From: README of pipeline-run, --jsonl and --json."""
    answer = post(path(target.model("text")), {"id": "a", "text": "January, February, March,", "options": {"max_new_tokens": 2}})
    assert answer.status_code == 200, answer.text
    line = answer.json()
    assert line["id"] == "a" and line["text"] == " April," and len(line["token_ids"]) == 2
    assert line["finish_reason"] == "length" and line["prompt_tokens"] > 0


def test_a_picture_by_upload(http, target, picture):
    """From: RFC 7578."""
    for name in ("image", "file"):
        answer = http.post(path(target.model("classify")), files={name: ("../a.png", picture, "image/png")}, data={"top_k": "2"})
        assert answer.status_code == 200, answer.text
        labels = answer.json()["labels"]
        assert len(labels) == 2 and labels[0]["label"] in target.says("picture")


def test_events_before_the_line(http, target):
    """From: WHATWG HTML, server-sent events."""
    body = {"text": "January, February, March,", "options": {"max_new_tokens": 3}}
    whole = http.post(path(target.model("text")), json=body).json()
    with http.stream("POST", path(target.model("text")), json={**body, "stream": True}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(data) for _, data in sse.Stream(answer).all()]
    assert events[-1]["type"] == "result" and events[-1]["result"]["text"] == whole["text"]
    pieces = [event["text"] for event in events if event["type"] == "text"]
    assert len(pieces) > 1 and "".join(pieces) == whole["text"]


@pytest.mark.parametrize("value", ["skimage/coffee.png", "/etc/passwd", "file:///etc/passwd", ""])
def test_a_file_of_the_server_cannot_be_named(http, post, target, value):
    """From: CWE-22, CWE-73 (path of a file under a client's control)."""
    name = path(target.model("classify"))
    checks.error(post(name, {"inputs": {"image": value}}), 400, param="inputs.image")
    checks.error(http.post(name, files={"image": (None, value)}), 400, param="image")
    checks.error(http.post(name, files={"request": (None, json.dumps({"inputs": {"image": value}}))}), 400, param="inputs.image")


@pytest.mark.parametrize("body,param", [({"txt": "a"}, "txt"), ({"text": 5}, "text"), ({"text": "a", "stream": 1}, "stream"),
                                        ({"text": "a", "options": {"tempurature": 1}}, "options.tempurature"),
                                        ({"text": "a", "options": {"temperature": -1}}, "options"), ({"custom_id": "a"}, "custom_id")])
def test_nothing_is_passed_over(post, target, body, param):
    """From: complaint vllm#6890 (options are dropped in silence)."""
    checks.error(post(path(target.model("text")), body), 400, param=param)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"not a picture at all" * 100, bytes(64)])
def test_not_a_picture(http, target, data):
    """From: complaint triton#3563 (one bad request ends it for all)."""
    checks.error(http.post(path(target.model("classify")), files={"image": ("a.png", data)}), 400, param="image")


def test_an_unknown_pipeline(post):
    """From: OpenAI error codes, model_not_found."""
    checks.error(post(path("no-such"), {"text": "a"}), 404, code="model_not_found")


def test_a_transcript_streams(http, target):
    """From: OpenAI API reference, createTranscription, stream (transcript.text.delta, transcript.text.done)."""
    def ask(**fields):
        data = {"model": target.model("transcribe"), **fields}
        return http.stream("POST", "/v1/audio/transcriptions", data=data, files={"file": ("a.wav", target.medium("speech").read_bytes())})
    with ask(stream="true") as answer:
        assert answer.status_code == 200, answer.read()
        events = [json.loads(data) for _, data in sse.Stream(answer).all()]
    assert [e["type"] for e in events[:-1]] == ["transcript.text.delta"] * (len(events) - 1) and len(events) > 1
    assert events[-1]["type"] == "transcript.text.done"
    with ask() as answer:
        answer.read()
        assert events[-1]["text"] == "".join(e["delta"] for e in events[:-1]) == answer.json()["text"]


def test_a_stream_of_what_is_no_sound_is_refused_before_it_begins(http, target):
    """From: complaint mistral.rs#1874 (errors inside a 200)."""
    answer = http.post("/v1/audio/transcriptions", data={"model": target.model("transcribe"), "stream": "true"}, files={"file": ("a.wav", b"RIFF")})
    checks.error(answer, 400, param="file")


@pytest.mark.parametrize("fields,param", [({"prompt": "Dashwood"}, "prompt"), ({"language": "fr"}, "language"), ({"stream": "maybe"}, "stream"),
                                          ({"stream": "true", "response_format": "srt"}, "stream"), ({"include[]": "logprobs"}, "include"),
                                          ({"chunking_strategy": "x"}, "chunking_strategy")])
def test_fields_of_transcriptions_that_are_not_done(http, target, fields, param):
    """From: complaint vllm#6890 (options are dropped in silence)."""
    answer = http.post("/v1/audio/transcriptions", data={"model": target.model("transcribe"), **fields},
                       files={"file": ("a.wav", target.medium("speech").read_bytes())})
    checks.error(answer, 400, param=param)


def test_a_long_list_of_texts_leaves_room(post, target):
    """From: complaint TEI#288 (a batch larger than the server's is refused)."""
    texts = [f"Text {i}." for i in range(150)]
    answer = post("/v1/embeddings", {"model": target.model("embed"), "input": texts, "dimensions": 8})
    assert answer.status_code == 200, answer.text[:300]
    assert [d["index"] for d in answer.json()["data"]] == list(range(150))
