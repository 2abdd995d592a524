"""Keeps the answers of one conversation in the order of its questions, while they are found side by side."""

from __future__ import annotations

import asyncio


class Queue:
    """One line of questions per conversation: take a place at once, speak when everybody ahead has spoken."""

    def __init__(self) -> None:
        self._last: dict[str, Place] = {}

    def take_place(self, conversation_id: str) -> Place:
        """Return the next place; whoever takes one must `Place.leave` it, come what may."""
        mine = Place(self, conversation_id, ahead=self._last.get(conversation_id))
        self._last[conversation_id] = mine
        return mine

    def forget(self, conversation_id: str, place: Place) -> None:
        """Let the line end with ``place`` if nobody came after it; called by `Place`."""
        if self._last.get(conversation_id) is place:
            del self._last[conversation_id]


class Place:
    """A place in the line of one conversation. Nearly all are alone in it, and cost no future."""

    __slots__ = ("_ahead", "_behind", "_conversation_id", "_left", "_queue", "_turn")

    def __init__(self, queue: Queue, conversation_id: str, *, ahead: Place | None) -> None:
        self._queue = queue
        self._conversation_id = conversation_id
        self._ahead = ahead
        self._behind: Place | None = None
        self._left = False
        self._turn: asyncio.Future[None] | None = None
        if ahead is not None:
            ahead._behind = self

    async def reached(self) -> None:
        """Wait until everybody ahead has left."""
        if self._ahead is not None:
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn

    def leave(self) -> None:
        """Let the next one speak, but not before those ahead of this place have spoken."""
        self._left = True
        place: Place | None = self
        while place is not None and place._left and place._ahead is None:
            place._queue.forget(place._conversation_id, place)
            place = place._give_way()

    def _give_way(self) -> Place | None:
        """Make the place behind the first one, and return it."""
        behind, self._behind = self._behind, None
        if behind is not None:
            behind._ahead = None
            if behind._turn is not None and not behind._turn.done():
                behind._turn.set_result(None)
        return behind
