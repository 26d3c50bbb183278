"""Whether an engine is still good for anything. One that is not ends its process: Ray starts its actor again, on
another node if need be, and gives it the rows that had no result."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

from .._errors import Error
from .._pipeline import Pipeline

# What a row alone can be the reason of.
_OF_THE_ROW = ("data", "not_found", "usage")


def is_of_the_row(error: Error) -> bool:
    """False: it may be the engine's fault, or that of another row of the same step."""
    return error.code in _OF_THE_ROW


def end_process(reason: str) -> NoReturn:
    """Without unwinding: threads of the engine may hang."""
    print(f"penstock.ray: this process ends, {reason}", file=sys.stderr, flush=True)
    os._exit(70)


class Health:
    """Of one pipeline. `end` is end_process, but in tests."""

    def __init__(self, pipeline: Pipeline, stall_timeout: float | None,
                 end: Callable[[str], Any] = end_process) -> None:
        self._pipeline = pipeline
        self._good: Any = None
        self._end = end
        if stall_timeout is not None:
            threading.Thread(target=_watch, args=(weakref.ref(pipeline), stall_timeout, end), name="penstock-stall",
                             daemon=True).start()

    def worked(self, request: Any) -> None:
        """Remembers a request that gave a result."""
        if self._good is None:
            self._good = request

    def look_after(self, error: Error) -> None:
        """After an error that no row explains, and that came again: does anything still run?"""
        if self._good is None:
            return
        try:
            self._pipeline(self._good)
        except Error as again:
            if not is_of_the_row(again):
                self._end(f"since its engine fails with every row: {error}")


def _progress(pipeline: Pipeline) -> tuple[int, ...]:
    return tuple(sum(step[name] for step in pipeline.stats().values()) for name in ("steps", "requests", "failed"))


def _watch(pipeline: weakref.ref[Pipeline], seconds: float, end: Callable[[str], Any]) -> None:
    """Until the pipeline is closed, or nobody has it any more."""
    seen: tuple[int, ...] = ()
    since = time.monotonic()
    while (its := pipeline()) is not None:
        try:
            now = _progress(its)
        except Error:
            return  # it was closed
        if now != seen or its.in_flight == 0:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > seconds:
            end(f"since {its.in_flight} requests are with its engine, and nothing went on for {seconds:g} s "
                "(stall_timeout)")
            return
        del its
        time.sleep(min(seconds / 4, 5))
