"""An engine in an actor of Ray."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import Error
from .._pipeline import Pipeline
from .._pipeline import open as open_pipeline
from .._result import Result
from ._health import Health, is_of_the_row
from ._rows import ANSWER, Inputs, Outputs, output_columns, refuse_taken, requests_of, with_columns


def _with_threads(given: Mapping[str, Any]) -> dict[str, Any]:
    """As many compute threads as Ray gave the actor CPUs, unless said otherwise."""
    made = dict(given)
    if "threads" not in made and "PENSTOCK_THREADS" not in os.environ:
        import ray
        if ray.is_initialized():
            cpus = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 0))
            if cpus >= 1:
                made["threads"] = cpus
    return made


class Engine:
    """A callable class for Ray Data: rows come in, and go out with the columns of their results.

        ds.map_batches(penstock.ray.Engine, fn_constructor_args=("gemma_text.yaml",),
                       fn_constructor_kwargs={"column": "prompt"}, batch_size=64, num_cpus=2,
                       compute=ray.data.ActorPoolStrategy(size=4))

    run() makes this call, and lets several batches at once into each engine, so that the end of one and the beginning
    of the next are computed together.

    file           as penstock.open()'s, read on the node that the actor is on
    column         the column that is the request: texts, messages, paths, bytes of files, arrays of pixels; or by the
                   name of each input the column: {"audio": "samples", "sample_rate": "rate", "options": "options"}
    outputs        the new columns: "text", "token_ids", "finish_reason", "prompt_tokens", "json" (the line of
                   pipeline-run --json) or a key of what the pipeline writes, such as {"vector": "embedding"}
    error          the column that says why a row has no result; null where it has one
    set            as penstock.open()'s; `threads` is what Ray gave the actor, unless it is set
    options        of every request: {"max_new_tokens": 8}
    max_in_flight  how many rows are with the engine at once
    stall_timeout  seconds in which nothing went on, after which the process ends; None: never
    """

    def __init__(self, file: str | os.PathLike[str], *, column: Inputs = "text", outputs: Outputs = ANSWER,
                 error: str = "error", set: Mapping[str, Any] | None = None,
                 options: Mapping[str, Any] | None = None, plugin_path: Iterable[str | os.PathLike[str]] = (),
                 max_in_flight: int = 512, stall_timeout: float | None = 900) -> None:
        self._column = column
        self._outputs = dict(outputs)
        self._error = error
        self._options = dict(options or {})
        self._max_in_flight = max_in_flight
        self.pipeline: Pipeline = open_pipeline(file, set=_with_threads(set or {}), plugin_path=plugin_path,
                                                max_in_flight=max_in_flight)
        self._health = Health(self.pipeline, stall_timeout)

    def __call__(self, batch: Any) -> Any:
        """A batch of rows, as an Arrow table or a mapping of arrays; any thread may call it."""
        refuse_taken(batch, [*self._outputs, self._error])
        answers = self.answer(requests_of(batch, self._column))
        return with_columns(batch, output_columns(answers, self._outputs, self._error), self._outputs)

    def answer(self, requests: list[Any]) -> list[Result | Error]:
        """A result or an Error for each, in their order. One that is an Error already stays it."""
        good = [request for request in requests if not isinstance(request, Error)]
        results = iter(self.pipeline.map(good, in_flight=self._max_in_flight, errors="return", **self._options))
        answers = [request if isinstance(request, Error) else next(results) for request in requests]
        return [self._settled(request, answer) for request, answer in zip(requests, answers, strict=True)]

    def _settled(self, request: Any, answer: Result | Error) -> Result | Error:
        """What fails a step fails all rows of it, so a row whose error may be another's gets its own try."""
        if isinstance(answer, Error) and not is_of_the_row(answer):
            try:
                answer = self.pipeline(request, **self._options)
            except Error as error:
                answer = error
                if not is_of_the_row(error):
                    self._health.look_after(error)
        if not isinstance(answer, Error):
            self._health.worked(request)
        return answer
