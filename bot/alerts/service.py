"""The alert queries, actions and card composer on the repository, each call in one unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from bot.alerts import actions
from bot.alerts.actions import AlertActionResult
from bot.alerts.alert import Alert, AlertCard, UserStamp
from bot.alerts.queries import CardWithAlerts, Watch
from bot.alerts.repository import AlertRepository, AlertUnitOfWork, Mute
from bot.alerts.view_builder import build_card_view
from bot.outbox.composer import ComposedCard
from bot.outbox.place import Place, PlaceKind
from bot.unit_of_work import Transactions, UnitOfWorkRunner

AlertTransactions: TypeAlias = Transactions[AlertRepository]
"""One unit of work at a time changes alerts, among all processes; implemented by `bot.store.alerts`."""

AlertUnitOfWorkRunner: TypeAlias = UnitOfWorkRunner[AlertRepository, AlertUnitOfWork]
"""Where alerts are read and changed on behalf of people. Its units begin in the company's zone, with the rules in
force; whoever shows the cards is told when one is stored.
"""


class RepositoryAlertQueries:
    """Implements `bot.alerts.queries.AlertQueries`."""

    def __init__(self, units: AlertUnitOfWorkRunner) -> None:
        self._units = units

    async def open_at(self, place: Place) -> tuple[Alert, ...]:
        """Return the open alerts that cards at a place show, newest first."""
        return await self._units.query(lambda unit: actions.open_at(unit.repository, place))

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert, open or not."""
        return await self._units.query(lambda unit: unit.repository.alert(alert_id))

    async def cards_of(self, alert_id: str) -> tuple[AlertCard, ...]:
        """Return all cards that show an alert, oldest first."""
        return await self._units.query(lambda unit: tuple(unit.repository.cards_of(alert_id)))

    async def posted(self, card_id: str) -> CardWithAlerts | None:
        """Return a card with its alerts."""
        return await self._units.query(lambda unit: read_card(unit.repository, card_id))

    async def mutes(self, place: Place, now: datetime) -> tuple[Mute, ...]:
        """Return the mutes in force at a place, the one that ends first before the others."""
        found = await self._units.query(lambda unit: tuple(unit.repository.mutes(place, now)))
        return tuple(sorted(found, key=lambda mute: mute.until))

    async def put_mute(self, mute: Mute) -> None:
        """Keep a mute; one with the same id is replaced."""
        await self._units.transact(lambda unit: actions.mute(unit, mute))

    async def lift_mute(self, mute: Mute) -> None:
        """End a mute: what it held back is looked at again."""
        await self._units.transact(lambda unit: actions.mute(unit, replace(mute, until=unit.now)))

    async def watches(self, user_id: str) -> tuple[Watch, ...]:
        """Return what a person watches, oldest first."""
        return await self._units.query(lambda unit: tuple(unit.repository.watches(user_id)))

    async def put_watch(self, watch: Watch) -> None:
        """Keep a watch; one with the same id is replaced."""
        await self._units.transact(lambda unit: unit.repository.put_watch(watch))

    async def drop_watches(self, watch_ids: tuple[str, ...]) -> None:
        """Forget watches, and what they had opened is over."""
        await self._units.transact(lambda unit: actions.unwatch(unit, watch_ids))


class RepositoryAlertActions:
    """Implements `bot.alerts.actions.AlertActions`."""

    def __init__(self, units: AlertUnitOfWorkRunner) -> None:
        self._units = units

    async def acknowledge(self, alert_id: str, by: UserStamp) -> AlertActionResult | None:
        """Note who takes care."""
        return await self._units.transact(lambda unit: actions.acknowledge(unit, alert_id, by))

    async def snooze(self, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
        """Put the alert off."""
        return await self._units.transact(lambda unit: actions.snooze(unit, alert_id, until, by))

    async def assign(self, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
        """Say who is to take care."""
        return await self._units.transact(lambda unit: actions.assign(unit, alert_id, to, by))


def read_card(repository: AlertRepository, card_id: str) -> CardWithAlerts | None:
    """Return a card with its alerts."""
    card = repository.card(card_id)
    return CardWithAlerts(card, tuple(repository.alerts(card.alerts))) if card else None


NameOf = Callable[[str], Awaitable[str]]
"""Returns how people call the person with a user id."""

_NAMED = 3
"""People to whom an alert was passed on that its card names."""


@dataclass(frozen=True, slots=True)
class _CardRead:
    posted: CardWithAlerts
    passed_to: tuple[str, ...]


class AlertComposer:
    """Cards are named by the ids of `bot.alerts.alert.AlertCard`."""

    def __init__(self, units: AlertUnitOfWorkRunner, *, now: Callable[[], datetime], name_of: NameOf) -> None:
        """``now`` gives the present time in the company's zone: the days of a delay are counted by it."""
        self._units = units
        self._now = now
        self._name_of = name_of

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; there is nothing to show of one that nobody remembers."""
        read = await self._units.query(lambda unit: _read_with_recipients(unit.repository, ref))
        if read is None:
            return ComposedCard(None, 0)
        told = tuple(await asyncio.gather(*map(self._name_of, read.passed_to)))
        return ComposedCard(build_card_view(read.posted, self._now(), told=told), read.posted.card.revision)

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Let one digest stand for cards that their place has not seen yet."""
        where = Place.parse(place)
        await self._units.transact(lambda unit: actions.fold(unit, refs, where))


def _read_with_recipients(repository: AlertRepository, card_id: str) -> _CardRead | None:
    posted = read_card(repository, card_id)
    return _CardRead(posted, _escalated_to(repository, posted)) if posted else None


def _escalated_to(repository: AlertRepository, posted: CardWithAlerts) -> tuple[str, ...]:
    """Return the user ids of those to whom the alert was passed on: their cards came after the first ones."""
    if len(posted.alerts) != 1 or not posted.alerts[0].step:
        return ()
    cards = repository.cards_of(posted.alerts[0].id)
    first = min((card.opened_at for card in cards), default=None)
    people = [card.place.id for card in cards if card.place.kind is PlaceKind.PERSON and card.opened_at != first]
    return tuple(dict.fromkeys(people))[:_NAMED]
