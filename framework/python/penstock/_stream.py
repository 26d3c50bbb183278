"""Results that are read while they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._result import Result, _arrays, result_of

if TYPE_CHECKING:
    from ._async import Bridge

# A text, what the pipeline wrote as JSON, or arrays by name.
Piece = Any


def _read(value: Any) -> Piece:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return json.loads(value[1])
    return _arrays([value])


class Stream:
    """Iterates over the pieces of one answer as they come: texts, or what the pipeline writes as JSON.

    Where `n` asked for several answers these are the first one's; `branch`, which may be changed, says whose, and
    result() has all. Leaving a `with` block, close(), or forgetting the stream ends the work within a step."""

    def __init__(self, pipeline: Any, call: Any) -> None:
        self._pipeline = pipeline  # kept open while somebody reads
        self._call = call
        self.branch = 0

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Piece:
        while True:
            piece = self._call.next_piece()
            if piece is not None:
                if piece[0] == self.branch:
                    return _read(piece[1])
            elif self._call.is_over:
                piece = self._call.next_piece()  # it may have come in between
                if piece is None:
                    self._call.parts()  # raises what ended it
                    raise StopIteration
                if piece[0] == self.branch:
                    return _read(piece[1])
            else:
                try:
                    self._call.wait_piece()
                except BaseException:
                    self.close()
                    raise

    def result(self) -> Result:
        """The whole result; waits for its end."""
        try:
            self._call.wait()
        except BaseException:
            self.close()
            raise
        return result_of(self._call)

    def close(self) -> None:
        """Ends the work; what was written stays in result()."""
        self._call.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        call = getattr(self, "_call", None)
        if call is not None and not call.is_over:
            call.cancel()


class AsyncStream:
    """As Stream, for `async for`. Made by Pipeline.astream(); begins with its first await."""

    def __init__(self, pipeline: Any, submit: Any, bridge: Bridge) -> None:
        self._pipeline = pipeline
        self._submit = submit
        self._bridge = bridge
        self._call: Any = None
        self.branch = 0

    async def _begin(self) -> Any:
        if self._call is None:
            self._call = await self._submit()
        return self._call

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Piece:
        call = await self._begin()
        while True:
            is_over = call.is_over  # before the look: no piece comes after
            piece = call.next_piece()
            if piece is not None:
                if piece[0] == self.branch:
                    return _read(piece[1])
            elif is_over:
                call.parts()
                raise StopAsyncIteration
            else:
                await self._bridge.change_of(call)

    async def result(self) -> Result:
        """The whole result; waits for its end."""
        call = await self._begin()
        while not call.is_over:
            await self._bridge.change_of(call)
        return result_of(call)

    async def aclose(self) -> None:
        """Ends the work within a step."""
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        call = getattr(self, "_call", None)
        if call is not None and not call.is_over:
            call.cancel()
