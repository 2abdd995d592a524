"""What must run once, however many replicas there are: it runs at the one that leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class LeadTerm:
    """The time for which this replica leads; ``fence`` is its number, None where no other replica can exist."""

    def __init__(self, fence: int | None = None) -> None:
        self.fence = fence
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether another replica may lead by now."""
        return self._over.is_set()

    def end(self) -> None:
        """Stop what runs in this term."""
        self._over.set()

    async def ended(self) -> None:
        """Return when the term is over."""
        await self._over.wait()


TERM: ContextVar[LeadTerm | None] = ContextVar("term", default=None)
"""The term in which the running task works, None for work that every replica does. The store refuses what a task
writes in a term that is over (`bot.store.database.Database.run`)."""


class Leadership:
    """Whether this replica leads, and the work that runs while it does."""

    def __init__(self, term: LeadTerm | None = None) -> None:
        """``term`` has begun already."""
        self._term = term
        self._began = asyncio.Event()
        if term is not None:
            self._began.set()

    @classmethod
    def alone(cls) -> Leadership:
        """Return the leadership of the only process there can be."""
        return cls(LeadTerm())

    @property
    def term(self) -> LeadTerm | None:
        """The present term; None if another replica leads, or none."""
        return None if self._term is None or self._term.is_over else self._term

    def begin(self, fence: int) -> None:
        """Begin a term, unless this one goes on."""
        if self.term is None or self.term.fence != fence:
            self.end()
            self._term = LeadTerm(fence)
            self._began.set()

    def end(self) -> None:
        """End the term, if there is one: its work stops at once."""
        self._began.clear()
        if self._term is not None:
            self._term.end()

    async def while_leading(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` in each term, and cancel it when the term ends. Raises what it raises."""
        while True:
            await self._began.wait()
            if (term := self.term) is None:  # the store ended it
                self._began.clear()
                continue
            await _in_term(term, work)


async def _in_term(term: LeadTerm, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    TERM.set(term)
    running = asyncio.create_task(work())
    over = asyncio.create_task(term.ended())
    try:
        await asyncio.wait((running, over), return_when=asyncio.FIRST_COMPLETED)
        if running.done() and not term.is_over:
            running.result()
            await over
    finally:
        over.cancel()
        running.cancel()
        await asyncio.wait((running,))
        if term.is_over and not running.cancelled() and (error := running.exception()):
            log.info("lead.work_ended", error=type(error).__name__)  # most likely refused by the store
