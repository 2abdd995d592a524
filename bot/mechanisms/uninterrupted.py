"""Work that must finish even if its caller is cancelled, such as a write in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class UninterruptedWork:
    """Runs such work, and keeps references to it until its end."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Future[Any]] = set()

    async def run(self, work: Awaitable[T]) -> T:
        """Return the result of the work; a cancelled caller leaves it running."""
        future = asyncio.ensure_future(work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return await asyncio.shield(future)

    async def wait(self) -> None:
        """Wait for running work, however it ends."""
        if self._under_way:
            await asyncio.wait([*self._under_way])
