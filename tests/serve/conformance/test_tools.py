"""Tools of chats: calls that are asked for, forced, streamed and answered."""
import json

import jsonschema
import pytest

from servekit import checks, sse

pytestmark = pytest.mark.needs("chat")
PATH = "/v1/chat/completions"
WEATHER = {"type": "object", "required": ["city", "unit"], "additionalProperties": False,
           "properties": {"city": {"type": "string", "maxLength": 20, "description": "Where"},
                          "unit": {"enum": ["celsius", "fahrenheit"]},
                          "days": {"type": "integer", "minimum": 1, "maximum": 7}}}
TIME = {"type": "object", "required": ["zone"], "additionalProperties": False,
        "properties": {"zone": {"enum": ["Europe/Rome", "Europe/Oslo", "UTC"]}}}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": WEATHER, "strict": True}},
         {"type": "function", "function": {"name": "get_time", "parameters": TIME}}]
SCHEMAS = {"get_weather": WEATHER, "get_time": TIME}
QUESTION = [{"role": "user", "content": "How is the weather in Rome today?"}]


def check_calls(calls, names=("get_weather", "get_time")):
    assert calls
    assert len({call.id for call in calls}) == len(calls) and all(call.id.startswith("call_") for call in calls)
    for call in calls:
        assert call.type == "function" and call.function.name in names
        jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])


@pytest.mark.parametrize("seed", range(4))
def test_a_call_that_is_required(openai_client, chat_model, seed):
    """From: OpenAI API reference, tool_choice required; at a temperature at which no model would write JSON by itself."""
    answer = openai_client.chat.completions.create(
        model=chat_model, messages=QUESTION, tools=TOOLS, tool_choice="required", parallel_tool_calls=False,
        temperature=1.5, seed=seed, max_tokens=200)
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    assert len(choice.message.tool_calls) == 1
    check_calls(choice.message.tool_calls)


@pytest.mark.parametrize("name", ["get_weather", "get_time"])
def test_a_call_by_name(openai_client, chat_model, name):
    """From: OpenAI API reference, tool_choice {"type": "function", "function": {"name": ...}}."""
    answer = openai_client.chat.completions.create(
        model=chat_model, messages=QUESTION, tools=TOOLS, tool_choice={"type": "function", "function": {"name": name}},
        temperature=0, max_tokens=200)
    (choice,) = answer.choices
    check_calls(choice.message.tool_calls, names=(name,))
    assert len(choice.message.tool_calls) == 1 and choice.finish_reason == "tool_calls"


def test_parallel_calls_are_legal(openai_client, chat_model):
    """From: OpenAI API reference, parallel_tool_calls (true where nothing is said)."""
    answer = openai_client.chat.completions.create(
        model=chat_model, messages=[{"role": "user", "content": "Weather in Rome and Oslo, and the time in UTC?"}],
        tools=TOOLS, tool_choice="required", temperature=1.2, seed=5, n=3, max_tokens=150)
    for choice in answer.choices:
        if choice.finish_reason == "tool_calls":
            check_calls(choice.message.tool_calls)
            assert choice.message.content is None
        else:
            assert choice.finish_reason == "length"


def test_auto_answers_in_words_or_calls(openai_client, chat_model):
    """From: OpenAI API reference, tool_choice auto: the model decides; what looks like a call is one."""
    for seed in range(3):
        answer = openai_client.chat.completions.create(
            model=chat_model, messages=QUESTION, tools=TOOLS, tool_choice="auto", temperature=1, seed=seed, max_tokens=80)
        (choice,) = answer.choices
        if choice.message.tool_calls:
            check_calls(choice.message.tool_calls)
            assert choice.finish_reason in ("tool_calls", "length")
        else:
            assert choice.message.content is not None and choice.finish_reason in ("stop", "length")


def test_none_calls_none(chat):
    """From: OpenAI API reference, tool_choice none: as if there were no tools."""
    with_tools = chat("Hi", max_tokens=12, tools=TOOLS, tool_choice="none")
    without = chat("Hi", max_tokens=12)
    assert with_tools["choices"] == without["choices"] and with_tools["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"]


def test_the_model_is_told_of_the_tools(chat):
    """From: OpenAI API reference, tools: they are part of the prompt."""
    with_tools = chat("Hi", max_tokens=1, tools=TOOLS)["usage"]["prompt_tokens"]
    assert with_tools > chat("Hi", max_tokens=1)["usage"]["prompt_tokens"] + 50


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_time"}}])
def test_streamed_calls_are_those_of_the_whole_answer(openai_client, chat_model, choice):
    """From: openai-python, ChatCompletionStreamState: deltas put together are the message."""
    asked = dict(model=chat_model, messages=QUESTION, tools=TOOLS, tool_choice=choice, parallel_tool_calls=False,
                 temperature=0.9, seed=11, max_tokens=200)
    whole = openai_client.chat.completions.create(**asked).choices[0]
    with openai_client.chat.completions.stream(**{k: v for k, v in asked.items() if k != "tools"}, tools=TOOLS) as stream:
        events = list(stream)
        final = stream.get_final_completion().choices[0]
    assert final.finish_reason == whole.finish_reason == "tool_calls"
    assert [(c.id, c.function.name, c.function.arguments) for c in final.message.tool_calls] == \
        [(c.id, c.function.name, c.function.arguments) for c in whole.message.tool_calls]
    assert any(event.type == "tool_calls.function.arguments.done" for event in events)
    assert sum(event.type == "tool_calls.function.arguments.delta" for event in events) > 1, "they come as they are written"


def test_the_deltas(stream, chat_model):
    """From: openai-openapi, ChatCompletionMessageToolCallChunk: index, then id, type, name, arguments."""
    events, _, _ = stream(PATH, {"model": chat_model, "messages": QUESTION, "tools": TOOLS, "tool_choice": "required",
                                 "parallel_tool_calls": False, "temperature": 0, "max_tokens": 200})
    choices = [c for k in sse.chunks(events) for c in k["choices"]]
    deltas = [c["delta"] for c in choices]
    assert deltas[0]["role"] == "assistant"
    calls = [call for d in deltas for call in d.get("tool_calls") or []]
    assert calls and calls[0]["index"] == 0 and calls[0]["id"] and calls[0]["type"] == "function" and calls[0]["function"]["name"]
    assert "".join(d.get("content") or "" for d in deltas) == ""
    assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["tool_calls"]


def test_a_turn_after_a_call(openai_client, chat_model):
    """From: OpenAI, function calling guide: the call and its result go back, and the model answers."""
    first = openai_client.chat.completions.create(
        model=chat_model, messages=QUESTION, tools=TOOLS, tool_choice="required", parallel_tool_calls=False,
        temperature=0, max_tokens=200)
    message = first.choices[0].message
    turns = [*QUESTION, message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny, 24 degrees."}]
    second = openai_client.chat.completions.create(model=chat_model, messages=turns, tools=TOOLS, tool_choice="none",
                                                   temperature=0, max_tokens=16)
    assert second.choices[0].message.content
    third = openai_client.chat.completions.create(model=chat_model, messages=turns, tools=TOOLS, tool_choice="required",
                                                  parallel_tool_calls=False, temperature=0, max_tokens=200)
    check_calls(third.choices[0].message.tool_calls)
    assert third.choices[0].message.tool_calls[0].id != message.tool_calls[0].id
    assert third.usage.prompt_tokens > first.usage.prompt_tokens + 20


def test_cut_at_the_limit(chat):
    """From: OpenAI API reference, finish_reason length: no half call is a call, and nothing is lost."""
    (choice,) = chat(QUESTION, tools=TOOLS, tool_choice="required", max_tokens=12)["choices"]
    assert choice["finish_reason"] == "length" and not choice["message"].get("tool_calls") and choice["message"]["content"]


def tool(**function):
    return [{"type": "function", "function": function}]


@pytest.mark.parametrize("options,param", [
    ({"tools": 5}, "tools"),
    ({"tools": [{}]}, "tools[0]"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"tools": tool(name="a b")}, "tools[0].function.name"),
    ({"tools": tool(name="f", parametres={})}, "tools[0].function.parametres"),
    ({"tools": tool(name="f", parameters={"type": "string"})}, "tools[0].function.parameters"),
    ({"tools": TOOLS + tool(name="f", parameters={"type": "object", "properties": {"a": {"type": "nix"}}})},
     "tools[2].function.parameters.properties.a.type"),
    ({"tools": tool(name="f") * 2}, "tools[1]"),
    ({"tools": TOOLS, "tool_choice": "always"}, "tool_choice"),
    ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
    ({"tools": TOOLS, "tool_choice": {"type": "allowed_tools"}}, "tool_choice.type"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": TOOLS, "parallel_tool_calls": 3}, "parallel_tool_calls"),
    ({"tools": TOOLS, "response_format": {"type": "json_object"}}, "response_format"),
    ({"tools": TOOLS, "logprobs": True}, "logprobs")])
def test_what_cannot_be_done_is_refused_with_its_place(post, chat_model, options, param):
    """From: OpenAI error codes (400, param)."""
    for is_streamed in (False, True):
        answer = post(PATH, {"model": chat_model, "messages": QUESTION, "max_tokens": 4, "stream": is_streamed, **options})
        checks.error(answer, 400)
        assert answer.json()["error"]["param"] == param, answer.text


def test_a_pipeline_without_the_rule_says_what_to_add(post, target, text_model):
    """From: OpenAI error codes (400, param); what is not there is never ignored."""
    if target.name != "penstock":
        pytest.skip("which model calls no tools is known of ours alone")
    answer = post(PATH, {"model": text_model, "messages": QUESTION, "tools": TOOLS})
    checks.error(answer, 400, param="tools", names="grammar.tools")


@pytest.mark.parametrize("turn,param", [
    ({"role": "tool", "content": "x"}, "messages[1]"),
    ({"role": "tool", "content": "x", "tool_call_id": "call_1"}, "messages[1].tool_call_id"),
    ({"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}]},
     "messages[1].tool_calls[0].function.arguments"),
    ({"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]},
     "messages[1].tool_calls[0]")])
def test_wrong_turns(post, chat_model, turn, param):
    """From: OpenAI ("tool_call_id ... not found", arguments that are no JSON)."""
    answer = post(PATH, {"model": chat_model, "messages": [*QUESTION, turn], "tools": TOOLS, "max_tokens": 4})
    checks.error(answer, 400)
    assert answer.json()["error"]["param"] == param, answer.text


def test_calls_beside_free_chats(chat):
    """From: complaints about a grammar of one request that reaches another in the batch."""
    import concurrent.futures
    alone = chat("Count: one, two,", max_tokens=16)["choices"][0]["message"]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        held = [pool.submit(chat, QUESTION, max_tokens=200, tools=TOOLS, tool_choice="required", parallel_tool_calls=False)
                for _ in range(3)]
        free = [pool.submit(chat, "Count: one, two,", max_tokens=16) for _ in range(3)]
        assert all(f.result()["choices"][0]["message"] == alone for f in free)
        calls = [f.result()["choices"][0]["message"]["tool_calls"] for f in held]
    assert calls[0] == calls[1] == calls[2]
