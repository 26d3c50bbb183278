"""Makes what jinja2, set up as transformers sets it up, writes for chat templates.

Why: a model brings a template of its own, and ours is another interpreter. The templates (chat/templates) are written
for these tests and use what those of real models use. Writes chat/cases.json: template, variables, then output or error.
Time is fixed: 2026-03-04 05:06:07 UTC.
"""
import argparse
import datetime
import json
import pathlib

import jinja2
from transformers.utils import chat_template_utils

import oracle

HERE = pathlib.Path(__file__).resolve().parent
NOW = datetime.datetime(2026, 3, 4, 5, 6, 7)


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def m(role, content, **more):
    return {"role": role, "content": content} | more


USER = [m("user", "Hello there!")]
TALK = [m("user", "  Hi  \n"), m("assistant", "Hé, <b>you</b> & \"me\"\n"), m("user", "ЖЖ <end_of_turn> {{ x }}")]
SYSTEM = [m("system", "Be brief.")] + TALK
LONG = [m("system", "a")] + [m("user" if i % 2 == 0 else "assistant", f"m{i}") for i in range(7)]
BROKEN = [m("user", "a"), m("user", "b")]
PARTS = [
    m("user", [{"type": "text", "text": " one "}, {"type": "text", "text": "two"}]),
    m("assistant", "three"),
]
IMAGE = [m("user", [{"type": "image"}, {"type": "text", "text": "what is it? "}])]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "It's the \"weather\"\tin é\n",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "n": [1, 2.5, True, None, [], {}]},
        },
    }
]
CALLS = [
    m("user", "Rain?"),
    m("assistant", None, tool_calls=[{"function": {"name": "weather", "arguments": {"city": "Zürich", "days": 3}}}]),
    m("tool", '{"rain": true}'),
]
THOUGHT = [
    m("user", "1+1?"), m("assistant", "<think>\neasy\n</think>\n\n2"), m("user", "2+2?"),
    m("assistant", "<think>hard\n</think>\n4"),
]
# Roles other than user and assistant, in the middle.
ROLES = [[m("user", "a"), m(role, "b"), m("user", "c")] for role in ("tool", "system", "developer", "model")]
INPUTS = {
    "user": {"messages": USER}, "talk": {"messages": TALK}, "system": {"messages": SYSTEM}, "long": {"messages": LONG},
    "broken": {"messages": BROKEN}, "parts": {"messages": PARTS}, "image": {"messages": IMAGE},
    "calls": {"messages": CALLS, "tools": TOOLS}, "thought": {"messages": THOUGHT, "enable_thinking": False},
    "tool": {"messages": ROLES[0]}, "system_later": {"messages": ROLES[1]}, "developer": {"messages": ROLES[2]},
    "model": {"messages": ROLES[3]},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "chat")
    args = parser.parse_args()
    chat_template_utils.datetime = Fixed
    cases = []
    for path in sorted((args.out / "templates").glob("*.jinja")):
        template = chat_template_utils._compile_jinja_template(path.read_text())
        for name, given in INPUTS.items():
            for prompt in (True, False):
                variables = {"bos_token": "<bos>", "eos_token": "<eos>", "add_generation_prompt": prompt} | given
                case = {"template": path.stem, "input": name + ("" if prompt else "_no_prompt"), "variables": variables}
                try:
                    case["output"] = template.render(**json.loads(json.dumps(variables)))
                except (jinja2.exceptions.TemplateError, TypeError) as error:
                    case["error"] = str(error)
                cases.append(case)
    oracle.write_json(args.out / "cases.json", cases)
    oracle.write_versions(args.out, jinja2=jinja2.__version__, now=NOW.isoformat())
    print(len(cases), "cases,", sum("error" in case for case in cases), "errors")
    for case in cases:
        if "error" in case:
            print(case["template"], case["input"], case["error"][:90])


if __name__ == "__main__":
    main()
