"""The alert service and the card composers, each call in one unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from bot.access.grants import EVERYTHING
from bot.alerts import actions, labels, top_boxes
from bot.alerts.actions import AlertActionResult
from bot.alerts.alert import Alert, AlertCard, CardWithAlerts, Mute, UserStamp, Watch
from bot.alerts.repository import AlertHistoryEntry, AlertRepository, AlertUnitOfWork
from bot.alerts.rights import is_within
from bot.alerts.view_builder import build_card_view, build_kind_top, build_kinds_view, build_top_view, kinds_of
from bot.alerts.views import AlertDigest, AlertGroup
from bot.cards.view import View, shared_view
from bot.chat.audiences import PlaceReader, ReaderAt
from bot.mechanisms.unit_of_work import UnitOfWorkRunner
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import NOBODY_CALLED, ComposedCard, Marker, MarkerState
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut

AlertUnitOfWorkRunner: TypeAlias = UnitOfWorkRunner[AlertRepository, AlertUnitOfWork]
"""Reads and changes alerts for people. Units begin in the company's zone, with the rules in force; each commit wakes
the processor and the outbox.
"""


class AlertService:
    """Queries and actions on alerts; each call is one transaction.

    The caller has checked the access policy, and knows that the alert is shown at the person's place. Actions are
    idempotent. All methods raise `bot.words.errors.DingerpError` when the store is unavailable.
    """

    def __init__(self, units: AlertUnitOfWorkRunner) -> None:
        self._units = units

    async def open_at(self, place: Place) -> tuple[Alert, ...]:
        """Return the open alerts that cards at a place show, newest first."""
        return await self._units.query(lambda unit: actions.open_at(unit.repository, place))

    async def open_for(self, own: Place) -> tuple[Alert, ...]:
        """Return the open alerts that cards in any group show, or cards in a person's ``own`` chat, newest first."""
        return await self._units.query(lambda unit: actions.open_for(unit.repository, own))

    async def ended_for(self, own: Place, limit: int) -> tuple[tuple[Alert, bool], ...]:
        """Return alerts that are over, newest first, and whether cards in a person's ``own`` chat showed each."""
        return await self._units.query(lambda unit: actions.ended_for(unit.repository, own, limit))

    async def history(self, alert_id: str) -> tuple[AlertHistoryEntry, ...]:
        """Return what was noted of an alert, in order of writing."""
        return await self._units.query(lambda unit: tuple(unit.repository.history(alert=alert_id)))

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert, open or not."""
        return await self._units.query(lambda unit: unit.repository.alert(alert_id))

    async def cards_of(self, alert_id: str) -> tuple[AlertCard, ...]:
        """Return all cards that show an alert, oldest first, including those still waiting to be shown."""
        return await self._units.query(lambda unit: tuple(unit.repository.cards_of(alert_id)))

    async def card_with_alerts(self, card_id: str) -> CardWithAlerts | None:
        return await self._units.query(lambda unit: read_card(unit.repository, card_id))

    async def acknowledge(self, alert_id: str, by: UserStamp) -> AlertActionResult | None:
        """Record who takes care: escalation ends. None if the alert does not exist."""
        return await self._units.transact(lambda unit: actions.acknowledge(unit, alert_id, by))

    async def snooze(self, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
        """Snooze the alert: nothing is escalated or repeated before ``until``. None if it does not exist."""
        return await self._units.transact(lambda unit: actions.snooze(unit, alert_id, until, by))

    async def assign(self, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
        """Assign the alert (``to.at`` is now). None if it does not exist."""
        return await self._units.transact(lambda unit: actions.assign(unit, alert_id, to, by))

    async def mutes(self, place: Place, now: datetime) -> tuple[Mute, ...]:
        """Return the mutes in force at a place, the first to end first."""
        mutes = await self._units.query(lambda unit: tuple(unit.repository.mutes(place, now)))
        return tuple(sorted(mutes, key=lambda mute: mute.until))

    async def put_mute(self, mute: Mute) -> None:
        """Store a mute; one with the same id is replaced."""
        await self._units.transact(lambda unit: actions.mute(unit, mute))

    async def lift_mute(self, mute: Mute) -> None:
        """End a mute: the alerts it held back are checked again."""
        await self._units.transact(lambda unit: actions.mute(unit, replace(mute, until=unit.now)))

    async def watches(self, user_id: str) -> tuple[Watch, ...]:
        """Return a person's watches, oldest first."""
        return await self._units.query(lambda unit: tuple(unit.repository.watches(user_id)))

    async def put_watch(self, watch: Watch) -> None:
        await self._units.transact(lambda unit: unit.repository.put_watch(watch))

    async def drop_watches(self, watch_ids: tuple[str, ...]) -> None:
        """Delete watches and close the alerts that they opened; unknown ids are ignored."""
        await self._units.transact(lambda unit: actions.unwatch(unit, watch_ids))


def read_card(repository: AlertRepository, card_id: str) -> CardWithAlerts | None:
    card = repository.card(card_id)
    return CardWithAlerts(card, tuple(repository.alerts(card.alerts))) if card else None


NameOf = Callable[[str], Awaitable[str]]
"""Returns the name of the person with a userId."""

_NAMED = 3
"""How many of the people an alert was escalated to are named on its card."""


@dataclass(frozen=True, slots=True)
class _CardRead:
    content: CardWithAlerts
    passed_to: tuple[str, ...]


class AlertComposer:
    """Composes alert cards for the outbox, which identifies them by `AlertCard.id`."""

    def __init__(
        self, units: AlertUnitOfWorkRunner, *, now: Callable[[], datetime], name_of: NameOf, reader_at: ReaderAt
    ) -> None:
        """``now`` gives the time in the company's zone, which defines the days of a delay."""
        self._units = units
        self._now = now
        self._name_of = name_of
        self._reader_at = reader_at

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; a deleted card has nothing to show."""
        card_id, _, person = ref.partition("|")
        read = await self._units.query(lambda unit: _read_with_recipients(unit.repository, card_id))
        if read is None:
            return ComposedCard(None, 0)
        told = tuple(await asyncio.gather(*map(self._name_of, read.passed_to)))
        waits = any(alert.is_open and alert.acknowledged is None for alert in read.content.alerts)
        called = {person: await self._name_of(person)} if person and waits else NOBODY_CALLED
        shown = await self._disclosed(
            read.content, partial(build_card_view, now=self._now(), told=told), build_kinds_view
        )
        return ComposedCard(shown, read.content.card.revision, called=called)

    async def _disclosed(
        self,
        content: CardWithAlerts,
        build: Callable[[CardWithAlerts], View | None],
        build_of_kinds: Callable[[CardWithAlerts], View | None],
    ) -> View | None:
        """Return the view as its place may see it: of several alerts, the visible part of each.

        None if a watch's owner may no longer query its subject. An alert whose document some reader may not see is
        reduced to its kind.
        """
        place = content.card.place
        readers = await self._readers(content)
        if any(alert.is_watched and not readers[alert.event.type].grant.scopes for alert in content.alerts):
            return None
        in_group = place.kind is PlaceKind.GROUP
        seen, unseen = _as_seen(content, readers)
        if unseen and not (seen.alerts or seen.card.further.tallies):
            view = build_of_kinds(content)
            return view and replace(view, shared=in_group)
        view = build(seen)
        if isinstance(view, AlertGroup | AlertDigest):
            view = replace(view, unseen=kinds_of(unseen), shared=in_group and bool(unseen))
        fields = _common_fields(seen.alerts, readers)
        return view and (shared_view(view, fields) if in_group else cut(view, fields))

    async def _readers(self, content: CardWithAlerts) -> Mapping[str, PlaceReader]:
        """Return the readers of a card for each of its types, as far as the access rules of these go."""
        types = (*(alert.event.type for alert in content.alerts), *(each.type for each in content.card.further.tallies))
        commands = {event_type: labels.access_command(event_type) for event_type in types}
        found = {
            command: await self._reader_at(content.card.place, command) for command in dict.fromkeys(commands.values())
        }
        return {event_type: found[command] for event_type, command in commands.items()}

    async def call_elsewhere(self, ref: str, people: Sequence[Place]) -> None:
        """Call the person whom a card did not reach, in the groups that show its alerts."""
        await self._units.transact(lambda unit: actions.call_in_groups(unit, ref.partition("|")[0]))

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Replace cards unseen at their place by one digest."""
        await self._units.transact(lambda unit: actions.fold(unit, refs, Place.parse(place)))


class TopBoxComposer(AlertComposer):
    """Composes top boxes of groups: the open critical alerts of a card, while there are any."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the box; it is removed when nothing critical is open."""
        content, wanted = await self._units.query(lambda unit: _read_box(unit, ref))
        if content is None or not content.alerts:
            return ComposedCard(None, 0)
        alarming = [alert for alert in content.alerts if alert.is_critical and alert.is_open]
        is_open = wanted and bool(alarming) and not content.card.is_closed
        shown = replace(content, alerts=tuple(alarming) or content.alerts)
        view = await self._disclosed(
            shown, lambda seen: build_top_view(seen.alerts), lambda seen: build_kind_top(seen.alerts)
        )
        marker = Marker(state=MarkerState.OPEN if is_open else MarkerState.GONE)
        return ComposedCard(view, content.card.revision, marker=marker)


class DingComposer(AlertComposer):
    """Composes urgent calls to people: the card's title, while nobody takes care of its alerts."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; empty if everything is resolved or acknowledged."""
        card_id, _, way = ref.partition("|")
        content, usual = await self._units.query(lambda unit: (read_card(unit.repository, card_id), unit.ding))
        if content is None or all(alert.acknowledged is not None or not alert.is_open for alert in content.alerts):
            return ComposedCard(None, 0)
        # A call queued by an earlier version names no way: back then only the settings decided it.
        composed = replace(await super().compose(card_id), ding=DingWay(way) if way else usual)
        return composed if composed.ding is not DingWay.OFF else ComposedCard(None, 0)


def _as_seen(content: CardWithAlerts, readers: Mapping[str, PlaceReader]) -> tuple[CardWithAlerts, tuple[Alert, ...]]:
    """Return a card with the alerts visible to every reader at its place, and its other alerts.

    Of alerts that are only counted, nothing but the type is known.
    """
    seen = tuple(alert for alert in content.alerts if _is_seen(alert, readers[alert.event.type]))
    unseen = tuple(alert for alert in content.alerts if not _is_seen(alert, readers[alert.event.type]))
    further = content.card.further.of_types(lambda each: EVERYTHING in readers[each].grant.scopes)
    return CardWithAlerts(replace(content.card, further=further), seen), unseen


def _common_fields(alerts: Iterable[Alert], readers: Mapping[str, PlaceReader]) -> frozenset[FieldClass]:
    """Return the field classes visible to all readers on each of these alerts."""
    return ALL_FIELDS.intersection(*(readers[alert.event.type].grant.fields for alert in alerts))


def _is_seen(alert: Alert, reader: PlaceReader) -> bool:
    return any(is_within(alert.event, scope, reader.person) for scope in reader.grant.scopes)


def _read_box(unit: AlertUnitOfWork, card_id: str) -> tuple[CardWithAlerts | None, bool]:
    content = read_card(unit.repository, card_id)
    return content, content is not None and top_boxes.is_wanted(unit, content.card)


def _read_with_recipients(repository: AlertRepository, card_id: str) -> _CardRead | None:
    content = read_card(repository, card_id)
    return _CardRead(content, _escalated_to(repository, content)) if content else None


def _escalated_to(repository: AlertRepository, content: CardWithAlerts) -> tuple[str, ...]:
    """Return the userIds the alert was escalated to: their cards came after the first ones."""
    if len(content.alerts) != 1 or not content.alerts[0].step:
        return ()
    cards = repository.cards_of(content.alerts[0].id)
    first = min((card.opened_at for card in cards), default=None)
    people = [card.place.id for card in cards if card.place.kind is PlaceKind.PERSON and card.opened_at != first]
    return tuple(dict.fromkeys(people))[:_NAMED]
