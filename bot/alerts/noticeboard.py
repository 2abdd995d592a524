"""The notice board of alerts and what people do to them, on the ledger: what `board` and `acting` promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from bot.alerts import handling
from bot.alerts.acting import Acted
from bot.alerts.alert import Alert, AlertCard, Mark
from bot.alerts.board import Posted, Watch
from bot.alerts.ledger import Ledger, Mute
from bot.alerts.unit import Unit
from bot.outbox.place import Place

T = TypeVar("T")


class Books(Protocol):
    """Opens the ledger for one at a time; implemented on the database by `bot.store.books`."""

    async def within(self, work: Callable[[Ledger], T]) -> T:
        """Return what ``work`` returns, after the commit of all that it did; it may run in another thread.

        Raises a `bot.errors.DingerpError` when nothing was stored.
        """
        ...


@dataclass(frozen=True, slots=True)
class Study:
    """Where the ledger is read and written on behalf of people.

    ``unit`` begins a unit of work at this moment, in the company's zone, with the rules in force. ``changed`` is told
    after something was done: it wakes whoever shows the cards.
    """

    books: Books
    unit: Callable[[Ledger], Unit]
    changed: Callable[[], None]

    async def read(self, work: Callable[[Ledger], T]) -> T:
        """Return what ``work`` finds."""
        return await self.books.within(work)

    async def do(self, work: Callable[[Unit], T]) -> T:
        """Return what ``work`` returns, when it is stored."""
        result = await self.books.within(lambda ledger: work(self.unit(ledger)))
        self.changed()
        return result


class LedgerBoard:
    """Implements `bot.alerts.board.AlertBoard`."""

    def __init__(self, study: Study) -> None:
        self._study = study

    async def open_at(self, place: Place) -> tuple[Alert, ...]:
        """Return the open alerts that cards at a place show, newest first."""
        return await self._study.read(lambda ledger: handling.open_at(ledger, place))

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert, open or not."""
        return await self._study.read(lambda ledger: ledger.alert(alert_id))

    async def cards_of(self, alert_id: str) -> tuple[AlertCard, ...]:
        """Return all cards that show an alert, oldest first."""
        return await self._study.read(lambda ledger: tuple(ledger.cards_of(alert_id)))

    async def posted(self, card_id: str) -> Posted | None:
        """Return a card with its alerts."""
        return await self._study.read(lambda ledger: read_card(ledger, card_id))

    async def mutes(self, place: Place, now: datetime) -> tuple[Mute, ...]:
        """Return the mutes in force at a place, the one that ends first before the others."""
        found = await self._study.read(lambda ledger: tuple(ledger.mutes(place, now)))
        return tuple(sorted(found, key=lambda mute: mute.until))

    async def put_mute(self, mute: Mute) -> None:
        """Keep a mute; one with the same id is replaced."""
        await self._study.do(lambda unit: handling.mute(unit, mute))

    async def lift_mute(self, mute: Mute) -> None:
        """End a mute: what it held back is looked at again."""
        await self._study.do(lambda unit: handling.mute(unit, replace(mute, until=unit.now)))

    async def watches(self, user_id: str) -> tuple[Watch, ...]:
        """Return what a person watches, oldest first."""
        return await self._study.read(lambda ledger: tuple(ledger.watches(user_id)))

    async def put_watch(self, watch: Watch) -> None:
        """Keep a watch; one with the same id is replaced."""
        await self._study.do(lambda unit: unit.ledger.put_watch(watch))

    async def drop_watches(self, watch_ids: tuple[str, ...]) -> None:
        """Forget watches, and what they had opened is over."""
        await self._study.do(lambda unit: handling.unwatch(unit, watch_ids))


class LedgerActions:
    """Implements `bot.alerts.acting.AlertActions`."""

    def __init__(self, study: Study) -> None:
        self._study = study

    async def acknowledge(self, alert_id: str, by: Mark) -> Acted | None:
        """Note who takes care."""
        return await self._study.do(lambda unit: handling.acknowledge(unit, alert_id, by))

    async def snooze(self, alert_id: str, until: datetime, by: Mark) -> Acted | None:
        """Put the alert off."""
        return await self._study.do(lambda unit: handling.snooze(unit, alert_id, until, by))

    async def assign(self, alert_id: str, to: Mark, by: Mark) -> Acted | None:
        """Say who is to take care."""
        return await self._study.do(lambda unit: handling.assign(unit, alert_id, to, by))


def read_card(ledger: Ledger, card_id: str) -> Posted | None:
    """Return a card with its alerts."""
    card = ledger.card(card_id)
    return Posted(card, tuple(ledger.alerts(card.alerts))) if card else None
