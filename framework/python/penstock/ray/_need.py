"""Ray, imported when it is first used."""

from __future__ import annotations

import importlib
from typing import Any

from .._errors import Error


def need(module: str) -> Any:
    """A module of Ray, or of what Ray brings along; raises Error that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Error("unavailable", f"penstock.ray needs '{module}': {error}; pip install 'penstock[ray]' on every "
                    "node, or 'ray[data,serve]'") from None
