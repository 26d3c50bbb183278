"""/v1/audio/speech."""
import base64
import io
import json
import wave

import pytest

pytestmark = pytest.mark.needs("speech")
PATH = "/v1/audio/speech"
TEXT = "Hello there. How are you?"


@pytest.fixture
def say(http, target):
    def call(text=TEXT, **fields):
        return http.post(PATH, json={"model": target.model("speak"), "input": text, **fields})
    return call


def samples(answer):
    assert answer.status_code == 200, answer.text[:300]
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        return sound.readframes(sound.getnframes()), sound.getframerate()


def test_wav_is_a_voice(say):
    """From: OpenAI API reference, createSpeech (the body is the sound)."""
    answer = say(response_format="wav", voice="default")
    assert answer.headers["content-type"] == "audio/wav"
    data, rate = samples(answer)
    assert 1 < len(data) / 2 / rate < 6
    assert max(data[1::2]) > 8, "silence"


def test_pcm_is_the_same_without_a_head(say):
    """From: OpenAI guide, text to speech (pcm: 16-bit signed, little endian, no header)."""
    assert say(response_format="pcm").content == samples(say(response_format="wav"))[0]


def test_flac(say):
    """From: OpenAI API reference, createSpeech (response_format); RFC 9639 (fLaC)."""
    answer = say(response_format="flac")
    assert answer.headers["content-type"] == "audio/flac" and answer.content.startswith(b"fLaC")


def test_speed(say):
    """From: OpenAI API reference, createSpeech (speed)."""
    slow, fast = (len(say(response_format="pcm", speed=speed).content) for speed in (0.8, 1.6))
    assert 1.5 < slow / fast < 2.5


def test_events_hold_the_same_sound(say):
    """From: OpenAI API reference, speech.audio.delta and speech.audio.done."""
    answer = say(response_format="pcm", stream_format="sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert [event["type"] for event in events[:-1]] == ["speech.audio.delta"] * (len(events) - 1)
    assert events[-1]["type"] == "speech.audio.done" and "total_tokens" in events[-1]["usage"]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert sound == say(response_format="pcm").content


def test_the_client_library(openai_client, target, tmp_path):
    """From: openai-python, audio.speech.with_streaming_response."""
    with openai_client.audio.speech.with_streaming_response.create(
            model=target.model("speak"), voice="default", input=TEXT, response_format="wav") as sound:
        sound.stream_to_file(tmp_path / "said.wav")
    assert (tmp_path / "said.wav").read_bytes().startswith(b"RIFF")


@pytest.mark.parametrize("fields, param", [
    ({"text": ""}, "input"), ({"text": "   "}, "input"), ({"response_format": "mp3"}, "response_format"),
    ({"voice": "nobody"}, "voice"), ({"speed": 5}, "speed"), ({"speed": 3}, "speed"), ({"speed": "fast"}, "speed"),
    ({"stream_format": "film"}, "stream_format"), ({"instructions": "whisper"}, "instructions"), ({"pitch": 2}, "pitch")])
def test_what_cannot_be(say, fields, param):
    """From: OpenAI API reference, errors (param names the member)."""
    answer = say(**fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_model_that_does_not_speak(http, target):
    """From: OpenAI API reference, errors (param names the member)."""
    answer = http.post(PATH, json={"model": target.model("embed"), "input": "a"})
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "model"
