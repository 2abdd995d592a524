"""Calls that run at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from itertools import chain
from typing import TypeVar

T = TypeVar("T")


async def gather_or_cancel(*calls: Awaitable[T]) -> list[T]:
    """Run calls at the same time and return their results in order; the first failure cancels the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def gather_rows(*calls: Awaitable[Iterable[T]]) -> list[T]:
    """Return the rows of calls that run at the same time, in order."""
    return list(chain.from_iterable(await gather_or_cancel(*calls)))
