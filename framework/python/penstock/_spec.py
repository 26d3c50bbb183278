"""What describes a pipeline, to be kept, compared, pickled and sent to other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._pipeline import Pipeline


@dataclass(frozen=True)
class Spec:
    """The arguments of penstock.open(), which does the work: Spec("gemma_text.yaml", {"device": "cpu"}).open().

    An engine holds weights and threads and cannot be pickled; this can."""

    file: str
    set: Mapping[str, Any] = field(default_factory=dict)
    plugin_path: tuple[str, ...] = ()
    max_in_flight: int = 64
    until: str = "postprocess"

    def open(self) -> Pipeline:
        """Loads the weights and starts the engine."""
        from ._pipeline import Pipeline
        return Pipeline(self)
