"""Scheduling of answers: in order within one conversation, and heavy steps spread over the turns of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable


class ConversationQueue:
    """One line of questions per conversation: take a place at once, speak when everybody ahead has spoken."""

    def __init__(self) -> None:
        self._last: dict[str, QueueTicket] = {}

    def take_ticket(self, conversation_id: str) -> QueueTicket:
        """Return the next place; whoever takes one must `QueueTicket.leave` it, come what may."""
        mine = QueueTicket(self, conversation_id, ahead=self._last.get(conversation_id))
        self._last[conversation_id] = mine
        return mine

    def forget(self, conversation_id: str, place: QueueTicket) -> None:
        """Let the line end with ``place`` if nobody came after it; called by `QueueTicket`."""
        if self._last.get(conversation_id) is place:
            del self._last[conversation_id]


class QueueTicket:
    """A place in the line of one conversation. Nearly all are alone in it, and cost no future."""

    __slots__ = ("_ahead", "_behind", "_conversation_id", "_left", "_queue", "_turn")

    def __init__(self, queue: ConversationQueue, conversation_id: str, *, ahead: QueueTicket | None) -> None:
        self._queue = queue
        self._conversation_id = conversation_id
        self._ahead = ahead
        self._behind: QueueTicket | None = None
        self._left = False
        self._turn: asyncio.Future[None] | None = None
        if ahead is not None:
            ahead._behind = self

    async def wait_turn(self) -> None:
        """Wait until everybody ahead has left."""
        if self._ahead is not None:
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn

    def release(self) -> None:
        """Let the next one speak, but not before those ahead of this place have spoken."""
        self._left = True
        place: QueueTicket | None = self
        while place is not None and place._left and place._ahead is None:
            place._queue.forget(place._conversation_id, place)
            place = place._give_way()

    def _give_way(self) -> QueueTicket | None:
        """Make the place behind the first one, and return it."""
        behind, self._behind = self._behind, None
        if behind is not None:
            behind._ahead = None
            if behind._turn is not None and not behind._turn.done():
                behind._turn.set_result(None)
        return behind


TURN_BUDGET = 0.0055
"""Seconds that a turn of the event loop may take: an ACK waits for the end of one or two. Many steps in a row are
cheaper than single ones, which find other code and data in the processor's caches: with half a millisecond less there
are 2 to 4 % fewer answers, and ACKs are quicker by a tenth (measured)."""

_FIRST_STEPS = 8
"""Steps in a turn before any was measured."""

_SMOOTHING = 8
"""How many turns it takes to learn, about, that steps have become slower or quicker."""


class LoopPacer:
    """Lets only so many callers pass in each turn of the event loop as fit into it, first come, first served.

    Without it, whatever an ERP releases together works together: a turn of the loop then takes as long as all of it,
    and frames wait that long for their acknowledgement.
    """

    def __init__(self, turn: float = TURN_BUDGET, clock: Callable[[], float] = time.perf_counter) -> None:
        """``turn``: seconds that a turn may take, by ``clock``."""
        self._turn = turn
        self._clock = clock
        self._step = turn / _FIRST_STEPS
        """Seconds that a turn takes for each step in it, with all else that is done there."""
        self._began = 0.0
        self._room = _FIRST_STEPS
        self._passed = 0
        self._begins = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Pass at once while this turn has room, else wait for one that has."""
        if not self._begins:
            self._begins = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._begin, loop)
            self._began = self._clock()
        if not self._waiting and self._passed < self._room:
            self._passed += 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        await mine

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin a new turn with those who wait; runs once in every turn that follows a used one."""
        now = self._clock()
        if self._waiting:  # else the turn was not full and tells little
            self._learn(now - self._began)
        self._began, self._passed = now, 0
        while self._waiting and self._passed < self._room:
            first = self._waiting.popleft()
            if not first.done():  # else it was cancelled while it waited
                first.set_result(None)
                self._passed += 1
        self._begins = self._passed > 0
        if self._begins:
            loop.call_soon(self._begin, loop)

    def _learn(self, took: float) -> None:
        self._step += (took / max(self._passed, 1) - self._step) / _SMOOTHING
        self._room = max(1, int(self._turn / self._step))
