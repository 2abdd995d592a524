"""Keeps the answers of one conversation in the order of its questions, while they are found side by side."""

from __future__ import annotations

import asyncio


class Queue:
    """One line of questions per conversation: take a place at once, speak when everybody ahead has spoken."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    def take_place(self, conversation_id: str) -> Place:
        """Return the next place; whoever takes one must `Place.leave` it, come what may."""
        ahead = self._last.get(conversation_id)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last[conversation_id] = mine
        mine.add_done_callback(lambda _: self._forget(conversation_id, mine))
        return Place(ahead, mine)

    def _forget(self, conversation_id: str, mine: asyncio.Future[None]) -> None:
        if self._last.get(conversation_id) is mine:
            del self._last[conversation_id]


class Place:
    """A place in the line of one conversation."""

    def __init__(self, ahead: asyncio.Future[None] | None, mine: asyncio.Future[None]) -> None:
        self._ahead = ahead
        self._mine = mine

    async def reached(self) -> None:
        """Wait until everybody ahead has left."""
        if self._ahead is not None and not self._ahead.done():
            await asyncio.wait((self._ahead,))

    def leave(self) -> None:
        """Let the next one speak, but not before those ahead of this place have spoken."""
        if self._ahead is not None and not self._ahead.done():
            self._ahead.add_done_callback(lambda _: self._done())
        else:
            self._done()

    def _done(self) -> None:
        if not self._mine.done():
            self._mine.set_result(None)
