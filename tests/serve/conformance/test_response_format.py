"""response_format of chats and text.format of responses: answers that a program can read."""
import json

import jsonschema
import pytest

from servekit import checks, sse

pytestmark = pytest.mark.needs("chat")
PATH = "/v1/chat/completions"
PERSON = {"type": "object", "additionalProperties": False, "required": ["name", "age", "languages", "city"],
          "properties": {"name": {"type": "string", "maxLength": 24}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
                         "languages": {"type": "array", "maxItems": 3, "items": {"enum": ["en", "de", "it"]}},
                         "city": {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^[A-Z][a-z]{1,12}$"}]}}}
TEXT = "Maria Rossi, 41, lives in Turin and writes to us in Italian."


def user(content):
    return [{"role": "user", "content": content}]


def of_schema(schema, **more):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True, **more}}


def test_json_object(openai_client, chat_model):
    """From: OpenAI API reference, response_format json_object."""
    answer = openai_client.chat.completions.create(
        model=chat_model, messages=user("Describe Rome as JSON."), temperature=0, max_tokens=200,
        response_format={"type": "json_object"})
    (choice,) = answer.choices
    if choice.finish_reason == "stop":
        assert isinstance(json.loads(choice.message.content), dict)
    else:
        assert choice.finish_reason == "length" and choice.message.content.startswith("{")


@pytest.mark.parametrize("seed", range(5))
def test_a_strict_schema(openai_client, chat_model, seed):
    """From: OpenAI, structured outputs: "always adhere to your supplied JSON Schema"; at a temperature that would not."""
    answer = openai_client.chat.completions.create(
        model=chat_model, messages=user(TEXT), temperature=1.5, seed=seed, max_tokens=300, response_format=of_schema(PERSON))
    (choice,) = answer.choices
    assert choice.finish_reason == "stop", choice
    jsonschema.validate(json.loads(choice.message.content), PERSON)


def test_a_pydantic_class(openai_client, chat_model):
    """From: openai-python README, chat.completions.parse(response_format=Class): the schema that pydantic writes."""
    import pydantic

    class Town(pydantic.BaseModel):
        name: str = pydantic.Field(max_length=20)
        people: int = pydantic.Field(ge=0, le=10_000_000)
        is_capital: bool

    answer = openai_client.chat.completions.parse(model=chat_model, messages=user("Rome"), temperature=0, max_tokens=200,
                                                  response_format=Town)
    assert isinstance(answer.choices[0].message.parsed, Town)


def test_streamed_and_whole_are_the_same(stream, chat, chat_model):
    """From: OpenAI API reference, stream with response_format."""
    body = {"messages": user(TEXT), "temperature": 0, "max_tokens": 200, "response_format": of_schema(PERSON)}
    events, _, _ = stream(PATH, {"model": chat_model, **body})
    text = "".join(c["delta"].get("content") or "" for k in sse.chunks(events) for c in k["choices"])
    jsonschema.validate(json.loads(text), PERSON)
    assert text == chat(user(TEXT), **{k: v for k, v in body.items() if k != "messages"})["choices"][0]["message"]["content"]


def test_n_answers_fit_each(chat):
    """From: OpenAI API reference, n with response_format."""
    body = chat(TEXT, n=3, temperature=1.2, seed=3, max_tokens=300, response_format=of_schema(PERSON))
    for choice in body["choices"]:
        jsonschema.validate(json.loads(choice["message"]["content"]), PERSON)


def test_cut_at_the_limit(chat):
    """From: OpenAI, structured outputs: finish_reason length says that the JSON is not whole."""
    (choice,) = chat(TEXT, max_tokens=4, response_format=of_schema(PERSON))["choices"]
    assert choice["finish_reason"] == "length" and choice["message"]["content"].startswith("{")


def test_free_answers_beside_held_ones_are_as_alone(chat):
    """From: issue of many engines: a grammar of one request reaches another in the batch."""
    import concurrent.futures
    alone = chat("Count: one, two,", max_tokens=16)["choices"][0]["message"]["content"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        held = [pool.submit(chat, TEXT, max_tokens=200, response_format=of_schema(PERSON)) for _ in range(3)]
        free = [pool.submit(chat, "Count: one, two,", max_tokens=16) for _ in range(3)]
        assert all(f.result()["choices"][0]["message"]["content"] == alone for f in free)
        for each in held:
            jsonschema.validate(json.loads(each.result()["choices"][0]["message"]["content"]), PERSON)


@pytest.mark.parametrize("format,param", [
    ({"type": "xml"}, "response_format.type"),
    ({"type": "json_schema"}, "response_format"),
    ({"type": "json_schema", "json_schema": {"schema": {}}}, "response_format.json_schema"),
    ({"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}, "response_format.json_schema.name"),
    (of_schema({"type": "object", "properties": {"a": {"type": "strnig"}}}), "response_format.json_schema.schema.properties.a.type"),
    (of_schema({"type": "object", "properties": {"a": {"type": "string", "minLength": 10 ** 9}}}), "response_format.json_schema.schema"),
    (of_schema({"$ref": "#/$defs/none"}), "response_format.json_schema.schema")])
def test_what_cannot_be_held_is_refused_with_its_place(post, chat_model, format, param):
    """From: OpenAI error codes (400, param); complaints about schemas that are ignored in part."""
    for is_streamed in (False, True):
        answer = post(PATH, {"model": chat_model, "messages": user("Hi"), "max_tokens": 4, "stream": is_streamed,
                             "response_format": format})
        checks.error(answer, 400)
        assert answer.json()["error"]["param"].startswith(param), answer.text


def test_a_pipeline_without_the_rule_says_what_to_add(post, target, text_model):
    """From: OpenAI error codes (400, param); what is not there is never ignored."""
    if target.name != "penstock":
        pytest.skip("which model holds no forms is known of ours alone")
    answer = post(PATH, {"model": text_model, "messages": user("Hi"), "response_format": {"type": "json_object"}})
    checks.error(answer, 400, param="response_format", names="grammar.rule")


@pytest.mark.needs("responses")
def test_a_response(openai_client, chat_model):
    """From: OpenAI API reference, responses, text.format json_schema."""
    answer = openai_client.responses.create(
        model=chat_model, input=TEXT, temperature=0, max_output_tokens=200,
        text={"format": {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}})
    jsonschema.validate(json.loads(answer.output_text), PERSON)
    assert answer.text.format.type == "json_schema" and answer.status == "completed"


@pytest.mark.needs("responses")
def test_a_response_with_a_wrong_schema(post, chat_model):
    """From: OpenAI error codes (400, param) for text.format."""
    answer = post("/v1/responses", {"model": chat_model, "input": "Hi", "text": {"format": {
        "type": "json_schema", "name": "x", "schema": {"type": "object", "properties": {"a": {"type": "nix"}}}}}})
    checks.error(answer, 400)
    assert answer.json()["error"]["param"] == "text.format.schema.properties.a.type"
