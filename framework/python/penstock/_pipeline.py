"""An open pipeline: its engine runs in threads of its own, without Python's lock."""

from __future__ import annotations

import atexit
import itertools
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from . import _native
from ._errors import Error
from ._inputs import Reader, override_text, raw_options
from ._result import Result, result_of
from ._spec import Spec
from ._stage import next_pending
from ._stream import AsyncStream, Stream

_open: weakref.WeakSet[Pipeline] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """An engine's threads end before the interpreter does."""
    for pipeline in list(_open):
        pipeline.close()


def open(file: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None,
         plugin_path: Iterable[str | os.PathLike[str]] = (), max_in_flight: int = 64,
         until: Literal["decode", "postprocess"] = "postprocess") -> Pipeline:
    """Opens a pipeline file, or a composition: loads the weights and starts the engine.

    file           a path, or the name of one that came along ("gemma_text", "gemma_text.yaml")
    set            values over the file's, as `--set`: {"decode.temperature": 0, "device": "cpu", "model": path}
    plugin_path    folders that are searched for plugins first
    max_in_flight  how many requests run or wait at once; whoever calls beyond it waits
    until          "decode": results are the arrays that the last but one stage makes
    """
    return Spec(os.fspath(file), dict(set or {}), tuple(os.fspath(each) for each in plugin_path), max_in_flight,
                until).open()


def file_source(spec: Spec) -> Any:
    declare_stages()
    overrides = [(key, override_text(value)) for key, value in spec.set.items()]
    return _native.engine().FileSource.make(_native.find_pipeline(spec.file), overrides, _native.plugin_path(spec.plugin_path),
                                            [str(_native.PIPELINES)])


def declare_stages() -> None:
    """Tells the engine of the classes that were made stages since the last time."""
    while (declared := next_pending()) is not None:
        _native.engine().declare_stage(declared)


class Pipeline:
    """An open pipeline. Any thread and any event loop may call it; all its requests are batched together.

    What can be handed in:
      a text (of a pipeline that takes files: a path), pathlib.Path, bytes of a file, penstock.File
      messages: [{"role": "user", "content": "Hi"}]
      token ids: [2, 5365]
      an array of pixels, uint8 [height, width, 3], by numpy or DLPack
      a mapping of inputs by name and, beside them, "options", "id", "timeout", "session":
        {"text": "Hi", "options": {"max_new_tokens": 8}}, {"audio": samples, "sample_rate": 16000}
    Options (as --set's, without the stage) may stand behind it as well: p("Hi", max_new_tokens=8).
    """

    def __init__(self, spec: Spec) -> None:
        self._engine: Any = None
        self.spec = spec
        if spec.max_in_flight < 1:
            raise Error("usage", f"max_in_flight={spec.max_in_flight}; expected 1 or more")
        if spec.until not in ("decode", "postprocess"):
            raise Error("usage", f"until='{spec.until}'; expected 'decode' or 'postprocess'")
        self._engine = _native.engine().Engine(file_source(spec), spec.max_in_flight, spec.until == "decode")
        self._reader = Reader(_ports(self._engine.inputs()))
        self._numbers = itertools.count()
        self._is_closed = False
        _open.add(self)

    def __call__(self, given: Any, /, *, id: str | None = None, timeout: float | None = None,
                 session: str | None = None, **options: Any) -> Result:
        """Runs one request and waits for it.

        timeout  seconds after which it ends; the result has what there is by then and finish_reason "deadline"
        session  names a chat: the next request with the same name computes only what is new
        """
        call = self._submit(given, options, id, timeout, session)
        return _wait_for(call)

    def stream(self, given: Any, /, *, id: str | None = None, timeout: float | None = None,
               session: str | None = None, **options: Any) -> Stream:
        """The pieces of the answer as they come."""
        return Stream(self, self._submit(given, options, id, timeout, session, is_streamed=True))

    def map(self, inputs: Iterable[Any], *, in_flight: int | None = None,
            errors: Literal["raise", "return"] = "raise", timeout: float | None = None,
            **options: Any) -> Iterator[Result]:
        """The results of many requests, in their order and in constant memory: at most `in_flight` of them run, or
        wait for one before them. With errors="return" a request that fails gives its Error in its place."""
        most = self.spec.max_in_flight if in_flight is None else in_flight
        if most < 1:
            raise Error("usage", f"in_flight={in_flight}; expected 1 or more")
        if errors not in ("raise", "return"):
            raise Error("usage", f"errors={errors!r}; expected 'raise' or 'return'")
        return self._map(iter(inputs), most, errors == "return", timeout, options)

    def _map(self, inputs: Iterator[Any], most: int, keep: bool, timeout: float | None,
             options: dict[str, Any]) -> Iterator[Any]:
        waiting: deque[Any] = deque()
        more: int | None = self._engine.hold_more()
        try:
            while True:
                while more is not None and len(waiting) < most and not (waiting and _is_ready(waiting[0])):
                    try:
                        given = next(inputs)
                    except StopIteration:
                        self._engine.drop_more(more)
                        more = None
                    else:
                        waiting.append(_error_of(lambda: self._submit(given, options, None, timeout, None)))
                if not waiting:
                    return
                head = waiting.popleft()
                result = head if isinstance(head, Error) else _error_of(lambda: _wait_for(head))
                if isinstance(result, Error) and (not keep or result.code == "cancelled"):
                    raise result
                yield result
        finally:
            if more is not None:
                self._engine.drop_more(more)
            for call in waiting:
                if not isinstance(call, Error):
                    call.cancel()

    async def acall(self, given: Any, /, *, id: str | None = None, timeout: float | None = None,
                    session: str | None = None, **options: Any) -> Result:
        """As calling it, in an event loop; cancelling the task ends the request within a step."""
        from ._async import bridge
        loop = bridge()
        call = await loop.submit(lambda watch: self._submit(given, options, id, timeout, session, watch=watch))
        while not call.is_over:
            await loop.change_of(call)
        return result_of(call)

    def astream(self, given: Any, /, *, id: str | None = None, timeout: float | None = None,
                session: str | None = None, **options: Any) -> AsyncStream:
        """The pieces of the answer as they come: async for piece in p.astream("Hi")."""
        from ._async import bridge
        loop = bridge()
        return AsyncStream(self, lambda: loop.submit(
            lambda watch: self._submit(given, options, id, timeout, session, is_streamed=True, watch=watch)), loop)

    def _submit(self, given: Any, options: Mapping[str, Any], id: str | None, timeout: float | None,
                session: str | None, is_streamed: bool = False, watch: Any = None) -> Any:
        job = self._reader.read(given)
        if options:
            job.options.update(raw_options(options))
        name = id if id is not None else job.id
        return self._engine.submit(str(next(self._numbers) if name is None else name), job.inputs, job.options,
                                   job.timeout if timeout is None else _seconds(timeout),
                                   job.session if session is None else session, is_streamed, watch)

    def close(self) -> None:
        """Cancels what runs, waits for it and frees the weights. Whoever waits for a result gets an Error of code
        "cancelled". May be called again, and from any thread."""
        if self._engine is not None:
            self._is_closed = True
            self._engine.close()
            _open.discard(self)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_engine", None) is not None:
            self._engine.close()

    def __reduce__(self) -> Any:
        raise TypeError("an open pipeline has weights and threads and cannot be pickled; send its description, "
                        "p.spec, and open that: spec.open()")

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else self.device
        return f"<penstock.Pipeline {self.name} ({state})>"

    @property
    def name(self) -> str:
        return str(self._engine.name)

    @property
    def device(self) -> str:
        """Where the last step's model runs: "cpu", "cuda:0"."""
        return str(self._engine.device)

    @property
    def facts(self) -> dict[str, Any]:
        """What the last step's model says of itself: context_length, vocab_size, dtype, engine, ..."""
        return dict(self._engine.facts)

    @property
    def inputs(self) -> dict[str, str]:
        """The inputs it is declared with, and whether each is "text" or "media"."""
        return dict(self._reader.ports)

    @property
    def in_flight(self) -> int:
        """Requests that run or wait for their turn."""
        return int(self._engine.in_flight)

    def stats(self) -> dict[str, dict[str, Any]]:
        """Of each step (a pipeline alone has one, ""): requests, steps, tokens, seconds."""
        return dict(self._engine.stats())


def _seconds(timeout: float) -> float:
    if not timeout > 0:
        raise Error("usage", f"timeout={timeout}; expected seconds above 0")
    return float(timeout)


def _ports(steps: Mapping[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]]) -> dict[str, str]:
    """What a request may have: the inputs of the steps that take any of the request's."""
    out: dict[str, str] = {}
    for ports, edges in steps.values():
        types = dict(ports) or {"text": "text"}  # text is no port: stages before may make it
        if not edges:
            out.update(types)
        for name, given in edges:
            if given:
                out[given] = types.get(name, "text")
    return out


def _error_of(make: Callable[[], Any]) -> Any:
    """What it makes, or the Error that it raises."""
    try:
        return make()
    except Error as error:
        return error


def _is_ready(head: Any) -> bool:
    return isinstance(head, Error) or bool(head.is_over)


def _wait_for(call: Any) -> Result:
    try:
        call.wait()
    except BaseException:
        call.cancel()
        raise
    return result_of(call)
