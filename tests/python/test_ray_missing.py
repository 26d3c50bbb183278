"""penstock.ray in an environment without Ray."""

import importlib.util

import penstock
import penstock.ray
import pytest


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_what_is_missing_is_said():
    with pytest.raises(penstock.Error, match=r"pip install 'penstock\[ray\]'") as raised:
        penstock.ray.run(None, "gemma_text.yaml")
    assert raised.value.code == "unavailable"
    with pytest.raises(penstock.Error, match="needs 'ray.serve'"):
        penstock.ray.serve_app("gemma_chat.yaml")
