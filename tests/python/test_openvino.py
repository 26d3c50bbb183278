"""Models of one's own from an installed wheel: its plugin, with the OpenVINO that is found."""

import pytest
from conftest import SOURCE
from penstock import _libtorch, _openvino
from penstock._build import OPENVINO_LIBRARY

pytestmark = pytest.mark.skipif(not OPENVINO_LIBRARY, reason="a build without OpenVINO")
OWN = f"""
version: 1
name: own
model: {SOURCE}/tests/fixtures/models/affine.onnx
preprocess:  {{use: core.inputs, tensors: ["x: f32[4]"]}}
batch:       {{use: core.stack}}
forward:     {{use: openvino.forward, names: ["y=logits"]}}
decode:      {{use: core.top, top_k: 1}}
postprocess: {{use: image.labels, labels: model}}
"""
RUN = """
import os
import penstock
try:
    with penstock.open(os.environ["OWN"]) as p:
        print(p({"inputs": {"x": [1.0, 2.0, 3.0, 4.0]}}).text)
except penstock.Error as error:
    print(error.code, error)
"""


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    return str(file)


def package_of(folder, libraries):
    """A package that looks like openvino."""
    (folder / "openvino/libs").mkdir(parents=True)
    (folder / "openvino/__init__.py").write_text("raise ImportError('nobody needs its Python')\n")
    for path in libraries:
        (folder / "openvino/libs" / path.name).symlink_to(path)
    return str(folder)


def test_a_model_of_ones_own_runs(python, own):
    ended = python(RUN, OWN=own)
    assert ended.returncode == 0, ended.stderr
    assert any(label in ended.stdout for label in ("cat", "dog", "bird"))


def test_the_programs_find_it_too(run_lines, own, tmp_path):
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"inputs": {"x": [1, 2, 3, 4]}}\n')
    assert "finish_reason" in run_lines(own, "--jsonl", lines)[0]


def test_an_installed_package_comes_first(python, own, tmp_path):
    site = package_of(tmp_path / "site", _openvino.folder().iterdir())
    ended = python("from penstock import _openvino; print(_openvino.folder())\n" + RUN, OWN=own, PYTHONPATH=site)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{site}/openvino/libs\n")


def test_where_there_is_none_the_error_says_what_to_install(python, own, tmp_path):
    ended = python(RUN, OWN=own, PENSTOCK_CACHE=str(tmp_path), PENSTOCK_LIBTORCH=str(_libtorch.folder()))
    assert ended.returncode == 0, ended.stderr
    assert "pip install 'penstock[openvino]'" in ended.stdout
