"""penstock.check and penstock.inspect; files that are wrong."""

import ast
import inspect as inspecting
from pathlib import Path

import penstock
import pytest
from conftest import TINY

COMPOSITION = """
version: 1
steps:
  first: {pipeline: gemma_text.yaml, set: {decode.max_new_tokens: 4, decode.ignore_eos: true}}
  second:
    pipeline: gemma_text.yaml
    in: {text: {each: first}}
    set: {decode.max_new_tokens: 3, decode.ignore_eos: true}
"""


def test_a_good_file_is_described(tiny_set):
    found = penstock.check("gemma_text.yaml", set=tiny_set)
    assert list(found) == [""]
    assert found[""].device == "cpu"
    assert found[""].weight_bytes > 0
    assert "max_new_tokens: 8" in found[""].explained
    assert "set=" in found[""].explained


def test_every_problem_of_a_file_is_told_with_its_place(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("version: 1\nmodel: x\npreprocess: {use: gemma.tokenise}\nbatch: {use: core.continuous}\n"
                    "forward: {use: gemma.forward}\ndecode: {use: core.sample, temperatur: 1}\n"
                    "postprocess: {use: gemma.detokenize}\n")
    for call in (penstock.check, penstock.open):
        with pytest.raises(penstock.Error) as raised:
            call(path)
        assert raised.value.code == "data"
        assert len(raised.value.problems) == 2
        assert raised.value.place.startswith(f"{path}:")
        assert "did you mean 'temperature'" in str(raised.value)


def test_names_are_found_and_advised():
    with pytest.raises(penstock.Error, match="no pipeline file 'gemma_texd.yaml'; .*gemma_text.yaml") as raised:
        penstock.open("gemma_texd.yaml")
    assert raised.value.code == "not_found"
    with pytest.raises(penstock.Error, match="set="):
        penstock.check("gemma_text", set={"decode.temperatur": 1})
    with pytest.raises(penstock.Error, match="max_in_flight=0"):
        penstock.open("gemma_text", max_in_flight=0)
    with pytest.raises(penstock.Error, match="until='batch'"):
        penstock.open("gemma_text", until="batch")
    with pytest.raises(penstock.Error, match="no/such") as raised:
        penstock.open("gemma_text", set={"model": "no/such"})
    assert raised.value.code == "not_found"


def test_stages_tell_their_params():
    names = [stage.name for stage in penstock.inspect()]
    assert {"core.sample", "gemma.forward", "image.load"} <= set(names)
    assert [stage.kind for stage in penstock.inspect("core.sample")] == ["decode"]
    params = {param.name: param for param in penstock.inspect("core.sample")[0].params}
    assert params["temperature"].per_request and params["temperature"].type == "number"
    assert all(stage.name.startswith("core.") for stage in penstock.inspect("core"))
    with pytest.raises(penstock.Error, match="no stage 'core.sampel'"):
        penstock.inspect("core.sampel")
    with pytest.raises(penstock.Error, match="nowhere"):
        penstock.inspect("nowhere")


def test_a_composition_gives_every_step(tmp_path, run_lines):
    path = tmp_path / "two.yaml"
    path.write_text(COMPOSITION)
    models = {"first.model": TINY, "second.model": TINY}
    line, = run_lines(path, *(f"--set={key}={value}" for key, value in models.items()), "--text=hello there")
    with penstock.open(path, set=models) as both:
        result = both("hello there")
        stream = both.stream("hello there")
        pieces = list(stream)
        assert both.inputs == {"text": "text"}
    assert list(result.steps) == ["first", "second"]
    for step, parts in line["steps"].items():
        for part, told in zip(result.steps[step], parts, strict=True):
            assert (part.text, part.token_ids, part.finish_reason) == (told["text"], told["token_ids"],
                                                                       told["finish_reason"])
    assert result.text == result.steps["second"][0].text == "".join(pieces)


def test_everything_public_says_what_it_is_for():
    for name in penstock.__all__:
        thing = getattr(penstock, name)
        if name != "__version__":
            assert inspecting.getdoc(thing), name
    for name, member in vars(penstock.Pipeline).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            assert inspecting.getdoc(member) or name in ("name",), name


def test_stubs_name_what_the_module_has(tiny):
    folder = Path(penstock.__file__).parent
    assert (folder / "py.typed").exists()
    stubs = ast.parse((folder / "_engine.pyi").read_text())
    from penstock import _engine
    told = {node.name for node in stubs.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert told == {name for name in vars(_engine) if not name.startswith("_")}
    for node in stubs.body:
        if isinstance(node, ast.ClassDef):
            members = {each.name for each in node.body if isinstance(each, ast.FunctionDef)} - {"__init__"}
            assert members == {name for name in vars(getattr(_engine, node.name)) if not name.startswith("_")}
