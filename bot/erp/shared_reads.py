"""Reads of the sources, each made once for all callers of the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bot.erp.answer import Answer
from bot.erp.cache import LastKnownAnswers, ReadCache, ReadKey
from bot.erp.calls import CallRunner
from bot.erp.errors import ErpError, NotFound
from bot.erp.index.search import ProductIndex
from bot.erp.port import Erp
from bot.erp.validation import Validator
from bot.mechanisms.single_flight import SingleFlight
from bot.mechanisms.tracing import add_step
from bot.words.phrase import Phrase, phrase

T = TypeVar("T")

AnswerFlight = SingleFlight[Answer[T] | ErpError]


class SharedReads:
    """Begins reads, validates their answers and remembers them as last known."""

    def __init__(
        self,
        calls: CallRunner,
        validators: Mapping[str, Validator],
        *,
        recent: ReadCache,
        last_known: LastKnownAnswers,
        index: ProductIndex | None,
        now: Callable[[], datetime],
    ) -> None:
        self._calls = calls
        self._validators = validators
        self._recent = recent
        self._last_known = last_known
        self._index = index
        self._now = now
        self._flights: dict[ReadKey, AnswerFlight[Any]] = {}

    def start(self, source: Erp, key: ReadKey, read: Callable[[Erp], Awaitable[T]]) -> AnswerFlight[T]:
        """Return the read of ``key`` that is under way or landed a moment ago, or begin it.

        What is late or due is so on a day: after midnight it is asked anew.
        """
        began = self._now()
        of_today = (*key, began.date())
        call = str(key[1])
        flight = self._flights.get(of_today)
        if flight is not None:
            add_step(f"erp {call}", source.name, "shared", 0)
        elif (flight := self._recent.get(source.name, call, of_today)) is not None:
            add_step(f"erp {call}", source.name, "recent", 0)
        else:
            flight = self._flights[of_today] = SingleFlight()
            flight.start(self._fly(source, key, read, flight, began))
        return flight

    def drop(self, source: str) -> None:
        """Forget a source's reads, landed or under way: later callers must see what was decided."""
        self._recent.drop(source)
        for key in [key for key in self._flights if key[0] == source]:
            del self._flights[key]

    async def close(self) -> None:
        """End what is under way."""
        await asyncio.gather(*(flight.cancel() for flight in [*self._flights.values()]))

    async def _fly(
        self, source: Erp, key: ReadKey, read: Callable[[Erp], Awaitable[T]], flight: AnswerFlight[T], began: datetime
    ) -> Answer[T] | ErpError:
        of_today = (*key, began.date())
        answer: Answer[T] | ErpError | None = None
        try:
            said, searched = await self._read(source, key, read)
            value, notes = self._validators[source.name].validate(said)
            if searched and not value:
                notes = (*notes, *self._index_notes(source.name))
            answer = Answer(value, source.name, began, notes=notes)
        except ErpError as error:
            answer = error
        finally:
            # A flight that a decision overtook is no longer listed: its answer may be from before the decision.
            if self._flights.get(of_today) is flight:
                del self._flights[of_today]
                if isinstance(answer, Answer):
                    self._recent.put(source.name, of_today, flight)
                    self._last_known.put(key, answer)
                elif isinstance(answer, NotFound):
                    self._last_known.forget(key)
        return answer

    def _index_notes(self, source: str) -> tuple[Phrase, ...]:
        """Return what to say of a search in vain that the source answered because its index is not complete yet."""
        if self._index is None or not self._index.filling(source):
            return ()
        return (
            phrase(
                "The product index of %(source)s is not complete yet: nothing is found by pinyin so far.", source=source
            ),
        )

    async def _read(self, source: Erp, key: ReadKey, read: Callable[[Erp], Awaitable[T]]) -> tuple[Any, bool]:
        """Return what the index finds, where it can answer, else what the source says.

        Also returns whether the source was searched in place of the index.
        """
        searched = False
        match key:
            # The index was read with the source's own account, so it only serves the default scope.
            case (name, "find_products", "", str(text), int(limit)) if self._index is not None:
                found = await self._index.find(str(name), text, limit=limit)
                if found is not None:
                    return found, False
                searched = True
        return await self._calls.read(source, str(key[1]), read), searched
