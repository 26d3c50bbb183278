"""Between the engine's threads and an event loop: a file descriptor, so that no thread of the engine needs Python."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

from . import _native

_ROOM = 0  # binding/board.h: there is room for another call

_bridges: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Bridge] = weakref.WeakKeyDictionary()


class Bridge:
    """Of one event loop; all is called in its thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watch = _native.engine().Watch()
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}
        loop.add_reader(self.watch.fileno(), self._look)

    def _look(self) -> None:
        for number in self.watch.take():
            for future in self._waiting.pop(number, ()):
                if not future.done():
                    future.set_result(None)

    async def _wait(self, number: int) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(number, []).append(future)
        await future

    async def submit(self, try_submit: Callable[[Any], Any]) -> Any:
        """A call of try_submit(watch), which gives None while there is no room."""
        while True:
            call = try_submit(self.watch)
            if call is not None:
                return call
            await self._wait(_ROOM)

    async def change_of(self, call: Any) -> None:
        """Waits for a piece or the end; when this is cancelled, so is the call."""
        try:
            await self._wait(call.number)
        except BaseException:
            self._waiting.pop(call.number, None)
            call.cancel()
            raise


def bridge() -> Bridge:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    found = _bridges.get(loop)
    if found is None:
        found = _bridges[loop] = Bridge(loop)
    return found
