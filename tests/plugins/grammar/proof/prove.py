"""Holds answers of grammar.rule against Python's jsonschema.

    prove.py PIPELINE-RUN [--pairs N] [--model PATH] [--first SEED] [--keep FILE]

Each pair is a schema of schemas.py and a seed; answers come at temperature 1.5. Every answer that is finished must
be JSON and valid, formats included; how many the limit of tokens cut is told. Then each keyword of draft-7 and of
2020-12: what schemas.py does not hold must be refused by its name and place. And what would take a machine's time or
memory is refused at once.
"""
import argparse
import collections
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import jsonschema
import jsonschema_specifications

import schemas

ROOT = pathlib.Path(__file__).resolve().parents[4]
DRAFTS = ("http://json-schema.org/draft-07/schema", "https://json-schema.org/draft/2020-12/schema")
# Say nothing of a value.
NOTES = {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
NEW_TOKENS = 240


def run(program, lines, settings):
    """The results, by id; None for what never came."""
    with tempfile.TemporaryDirectory() as folder:
        asked, told = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
        asked.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        done = subprocess.run([program, ROOT / "pipelines/gemma_json.yaml", "--jsonl", asked, "--output", told, "--json",
                               *(word for each in settings for word in ("--set", each))], capture_output=True, text=True, check=False)
        if done.returncode < 0 or not told.exists():
            sys.exit(f"{program} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        found = map(json.loads, told.read_text(encoding="utf-8").splitlines())
        return {result["id"]: result for result in found}


def pairs(count, first):
    """(id, schema, request): a third has the spaces that the model likes, a fourth of all cuts what is forced itself."""
    for index in range(count):
        seed = first + index
        schema = schemas.make(seed // 2)  # two seeds a schema
        options = {"json_schema": json.dumps(schema, ensure_ascii=seed % 2 == 0), "seed": seed, "temperature": 1.5,
                   "max_new_tokens": NEW_TOKENS, "any_whitespace": seed % 3 == 0,
                   "cut": "model" if seed % 4 == 1 else "tokenizer"}
        yield str(seed), schema, {"id": str(seed), "text": "A record as JSON: ", "options": options}


def fault(schema, text):
    """What is wrong with a finished answer; None: nothing."""
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    errors = [error.message for error in checker.iter_errors(value)]
    return errors[0] if errors else None


def prove_answers(program, how):
    work = list(pairs(how.pairs, how.first))
    begin = time.monotonic()
    results = run(program, [request for _, _, request in work], how.set)
    took = time.monotonic() - begin
    ended, faults, met = collections.Counter(), [], collections.Counter()
    for name, schema, request in work:
        result = results.get(name)
        reason = result["finish_reason"] if result else "missing"
        ended[reason] += 1
        wrong = None
        if reason == "stop":
            wrong = fault(schema, result["text"])
            met.update(schemas.keywords(schema, set()))
        elif reason != "length":
            wrong = result["error"]["message"] if result else "no answer"
        if wrong:
            faults.append({"id": name, "fault": wrong, "text": result and result["text"], "schema": schema})
    if how.keep:
        pathlib.Path(how.keep).write_text("".join(json.dumps(each) + "\n" for each in faults), encoding="utf-8")
    for each in faults[:20]:
        print(json.dumps(each, ensure_ascii=False))
    print(f"{how.pairs} pairs in {took:.0f} s: {ended['stop']} finished, {ended['length']} cut by the limit of {NEW_TOKENS} tokens, "
          f"{len(faults)} wrong")
    unmet = sorted(schemas.HELD - set(met)) if how.pairs >= 100 else []
    if unmet:
        print("keywords that no finished answer had:", ", ".join(unmet))
    return bool(faults or unmet)


def monsters():
    """What one request might ask to keep a machine busy, and what the refusal must name."""
    text, deep = {"type": "string"}, {"type": "null"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    yield "json_schema", json.dumps({"properties": {"a": {**text, "minLength": 10**9}}}), "minLength"
    yield "json_schema", json.dumps({"properties": {"a": {"enum": list(range(100_000))}}}), "bytes are too many"
    yield "json_schema", json.dumps({"properties": {"a": {"enum": list(range(5_000))}}}), "'a' has an enum of 5000"
    yield "json_schema", json.dumps({"properties": {"a": deep}}), "json_schema: "
    yield "json_schema", json.dumps({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}},
                                     "$ref": "#/$defs/a"}), "refers to itself"
    yield "json_schema", json.dumps({"properties": {"a": {**text, "pattern": "((((.{1,50}){1,50}){1,50}){1,50})"}}}), "'a'.pattern"
    yield "json_schema", json.dumps({"properties": {"a": {**text, "pattern": "((a+)+)+" * 400}}}), "'a'.pattern"
    yield "json_schema", json.dumps({"properties": {"a": {"type": "array", "minItems": 10**12}}}), "minItems"
    yield "json_schema", json.dumps({"oneOf": [{"const": i} for i in range(3000)]}), "oneOf holds 3000"
    yield "json_schema", json.dumps({"properties": {f"p{i}": {**text, "maxLength": 10 + i} for i in range(60)}}), "too long"
    yield "regex", "(.*){1000}", "regex: "
    yield "regex", "((((a{100}){100}){100}){100})", "regex: "
    yield "regex", "(" * 2000 + "a" + ")" * 2000, "regex: "
    yield "grammar", "root ::= " + " ".join(["[^a]"] * 10_000), "rule 'root'"
    yield "grammar", "root ::= a{1000000000}\na ::= [^b]{1000000}", "grammar: "
    yield "grammar", "root ::= " + "(" * 20_000 + '"a"' + ")" * 20_000, "grammar: "
    yield "lark", "start: A~1..100000\nA: /[^b]/", "lark: "


def prove_limits(program, how):
    """Each is refused, naming the place, within a second; what comes beside them goes on."""
    work = list(monsters())
    lines = []
    for index, (key, text, _) in enumerate(work):
        lines.append({"id": str(index), "text": "a", "options": {key: text}})
        lines.append({"id": f"beside{index}", "text": "a", "options": {"regex": "[0-9]{3}"}})
    begin = time.monotonic()
    results = run(program, lines, how.set)
    took = time.monotonic() - begin
    wrong = 0
    for index, (key, text, named) in enumerate(work):
        message = results[str(index)].get("error", {}).get("message", "")
        if named not in message:
            wrong += 1
            print(f"{key} {text[:70]}: is not refused by '{named}': {message[:300] or results[str(index)]['text']}")
        if results[f"beside{index}"]["finish_reason"] != "stop":
            wrong += 1
            print(f"beside {text[:70]}: did not finish")
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{len(work)} that ask too much refused in {took:.1f} s together, start included; {megabytes} MiB at most; {wrong} wrong")
    return bool(wrong) or took > 5 + len(work)


def draft_keywords():
    """Each keyword that the meta-schemas of both drafts name."""
    found = set()
    for schema in jsonschema_specifications.REGISTRY.values():
        content = schema.contents
        if content.get("$id", "").rstrip("#") == DRAFTS[0] or "/2020-12/" in content.get("$id", ""):
            found |= set(content.get("properties", ()))
    return sorted(found)


def prove_refusals(program, how):
    """What is neither held nor a note is refused by name and place."""
    refused = [key for key in draft_keywords() if key not in schemas.HELD | NOTES]
    lines = []
    for key in refused:
        schema = {"properties": {"inner": {"type": "object", "properties": {}, key: {}}}}
        lines.append({"id": key, "text": "a", "options": {"json_schema": json.dumps(schema)}})
    results = run(program, lines, how.set)
    wrong = 0
    for key in refused:
        message = results[key].get("error", {}).get("message", "")
        if f"'{key}'" not in message or "inner" not in message:
            wrong += 1
            print(f"{key}: is not refused by name and place: {message or results[key]['text']}")
    print(f"{len(refused)} keywords refused by name and place: {', '.join(refused)}" if not wrong else f"{wrong} not refused")
    return bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--keep", help="a file for what was wrong")
    parser.add_argument("--set", action="append", default=[], help="a param of the pipeline")
    how = parser.parse_args()
    sys.exit(prove_refusals(how.program, how) | prove_limits(how.program, how) | prove_answers(how.program, how))


if __name__ == "__main__":
    main()
