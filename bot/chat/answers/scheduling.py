"""Schedules answers: in order within a conversation, and heavy steps spread over turns of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable


class ConversationQueue:
    """One queue of questions per conversation; a ticket's turn comes when all tickets ahead are released."""

    def __init__(self) -> None:
        self._last: dict[str, QueueTicket] = {}

    def take_ticket(self, conversation_id: str) -> QueueTicket:
        """Return the next ticket; the caller must `QueueTicket.release` it in any case."""
        ticket = QueueTicket(self, conversation_id, ahead=self._last.get(conversation_id))
        self._last[conversation_id] = ticket
        return ticket

    def forget(self, conversation_id: str, ticket: QueueTicket) -> None:
        """Drop the queue if ``ticket`` was the last in it; called by `QueueTicket`."""
        if self._last.get(conversation_id) is ticket:
            del self._last[conversation_id]


class QueueTicket:
    """A place in the queue of one conversation. Nearly all are alone there and need no future."""

    __slots__ = ("_ahead", "_behind", "_conversation_id", "_queue", "_released", "_turn")

    def __init__(self, queue: ConversationQueue, conversation_id: str, *, ahead: QueueTicket | None) -> None:
        self._queue = queue
        self._conversation_id = conversation_id
        self._ahead = ahead
        self._behind: QueueTicket | None = None
        self._released = False
        self._turn: asyncio.Future[None] | None = None
        if ahead is not None:
            ahead._behind = self

    async def wait_turn(self) -> None:
        """Wait until all tickets ahead are released."""
        if self._ahead is not None:
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn

    def release(self) -> None:
        """Pass the turn on to the next ticket, once all tickets ahead are released."""
        self._released = True
        ticket: QueueTicket | None = self
        while ticket is not None and ticket._released and ticket._ahead is None:
            ticket._queue.forget(ticket._conversation_id, ticket)
            ticket = ticket._give_way()

    def _give_way(self) -> QueueTicket | None:
        """Make the ticket behind this one the first, and return it."""
        behind, self._behind = self._behind, None
        if behind is not None:
            behind._ahead = None
            if behind._turn is not None and not behind._turn.done():
                behind._turn.set_result(None)
        return behind


TURN_BUDGET = 0.0055
"""Seconds that a turn of the event loop may take: an ACK waits for the end of one or two turns. Many steps in a row are
cheaper than single steps, because code and data stay in the processor's caches: with half a millisecond less there are
2 to 4 % fewer answers, and ACKs are quicker by a tenth (measured)."""

_FIRST_STEPS = 8
"""Steps in a turn before the first measurement."""

_SMOOTHING = 8
"""The approximate number of turns until a change in speed is learnt."""


class LoopPacer:
    """Lets as many callers pass in each turn of the event loop as fit into it, first come, first served.

    Without it, all questions answered by an ERP at the same moment would be processed in one turn of the loop, and
    frames would wait that long for their acknowledgement.
    """

    def __init__(self, turn: float = TURN_BUDGET, clock: Callable[[], float] = time.perf_counter) -> None:
        """``follow_up`` is the maximum length of a turn in seconds, by ``clock``."""
        self._turn = turn
        self._clock = clock
        self._step = turn / _FIRST_STEPS
        """The measured seconds per step in a turn, including all other work done there."""
        self._began = 0.0
        self._room = _FIRST_STEPS
        self._passed = 0
        self._begins = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Return at once while this turn has capacity, otherwise wait for a turn that has."""
        if not self._begins:
            self._begins = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._begin, loop)
            self._began = self._clock()
        if not self._waiting and self._passed < self._room:
            self._passed += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin a new turn with the waiting callers; runs in every turn after a used one."""
        now = self._clock()
        if self._waiting:  # otherwise the turn was not full and proves little
            self._learn(now - self._began)
        self._began, self._passed = now, 0
        while self._waiting and self._passed < self._room:
            first = self._waiting.popleft()
            if not first.done():  # otherwise it was cancelled while waiting
                first.set_result(None)
                self._passed += 1
        self._begins = self._passed > 0
        if self._begins:
            loop.call_soon(self._begin, loop)

    def _learn(self, took: float) -> None:
        self._step += (took / max(self._passed, 1) - self._step) / _SMOOTHING
        self._room = max(1, int(self._turn / self._step))
