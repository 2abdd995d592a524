"""A database for work in virtual time, such as replays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.engine import Connection

from bot.store.database import Database

T = TypeVar("T")


class InlineDatabase(Database):
    """A database without a thread: nothing else waits for the loop, and virtual time does not pass in threads."""

    async def run(self, call: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Return the result of ``call`` after the commit."""
        return self.run_blocking(call, durable=durable)

    async def read(self, call: Callable[[Connection], T]) -> T:
        """Return the result of ``call``."""
        return self.read_blocking(call)
