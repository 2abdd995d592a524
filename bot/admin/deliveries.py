"""``dingerp deliveries``: search deliveries, show the history of one, replay dead ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.inputs import read_choice
from bot.admin.output import (
    align_columns,
    as_json,
    count_noun,
    escape_invisible,
    fields_of,
    format_delay,
    format_second,
    join_details,
)
from bot.outbox.delivery import DeliveryRecord, DeliveryState, DeliveryStep
from bot.outbox.place import Place
from bot.settings import Settings
from bot.store.outbox.deliveries import StoredDeliveries
from bot.words.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySearch:
    """A search for deliveries; empty fields match all. ``fact`` is an event (``source/id``)."""

    place: Place | None = None
    state: DeliveryState | None = None
    fact: str = ""
    since: datetime | None = None
    limit: int = 50


def read_state(text: str) -> DeliveryState | None:
    """Return a delivery state, None for an empty text. Raises `ConfigurationError`."""
    return read_choice(DeliveryState, "state", text)


async def search_deliveries(settings: Settings, wanted: DeliverySearch, *, zone: tzinfo, form: str) -> list[str]:
    """Return lines on the matching deliveries, the last changed first; ``form`` is ``text`` or ``json``.

    Raises `ConfigurationError` if the database cannot be read.
    """
    async with open_database(settings, OperatorAction(command="deliveries search")) as database:
        found = [] if database is None else await _search(StoredDeliveries(database), wanted)
    if form == "json":
        return [as_json([_fields(record, zone) for record in found])]
    return list(_lines(found, wanted.limit, zone))


async def show_delivery(settings: Settings, card: str, *, zone: tzinfo, form: str) -> list[str]:
    """Return the history of one delivery. Raises `ConfigurationError` for an unknown card."""
    async with open_database(settings, OperatorAction(command="deliveries show", detail=card)) as database:
        deliveries = StoredDeliveries(require_database(database))
        found = await deliveries.search(card=card)
        steps = await deliveries.steps_of(card)
    if not found:
        raise ConfigurationError(f"no delivery of a card {card!r}; `dingerp deliveries search` lists them")
    if form == "json":
        return [as_json(_fields(found[0], zone) | {"steps": [_step_fields(step, zone) for step in steps]})]
    return list(_history(found[0], steps, zone))


async def replay_deliveries(
    settings: Settings, cards: Sequence[str], *, everything: bool, now: datetime, form: str
) -> list[str]:
    """Queue dead deliveries again, the given ones or all; the running bot sends them within seconds.

    Raises `ConfigurationError`, with nothing queued, if one of them is not dead.
    """
    if bool(cards) is everything:
        raise ConfigurationError("name the cards whose delivery is dead, or write --all")
    async with open_database(
        settings, OperatorAction(command="deliveries replay", detail=", ".join(cards))
    ) as database:
        deliveries = StoredDeliveries(require_database(database))
        for card in cards:
            found = await deliveries.search(card=card)
            if not found or found[0].state is not DeliveryState.DEAD:
                state = f"is {found[0].state}" if found else "is not known"
                raise ConfigurationError(f"the delivery of card {card!r} {state}: only dead ones are begun anew")
        queued = await deliveries.replay(now, None if everything else cards)
    if form == "json":
        return [as_json({"queued": list(queued)})]
    return [*map(escape_invisible, queued), f"{count_noun(len(queued), 'delivery', 'deliveries')} queued"]


async def _search(deliveries: StoredDeliveries, wanted: DeliverySearch) -> Sequence[DeliveryRecord]:
    if not wanted.fact:
        return await deliveries.search(place=wanted.place, state=wanted.state, since=wanted.since, limit=wanted.limit)
    found: list[DeliveryRecord] = []
    for card in await deliveries.caused_by(wanted.fact):
        found += await deliveries.search(card=card, place=wanted.place, state=wanted.state, since=wanted.since)
    return sorted(found, key=lambda record: record.changed_at, reverse=True)[: wanted.limit]


def _lines(found: Sequence[DeliveryRecord], limit: int, zone: tzinfo) -> Iterator[str]:
    if not found:
        yield "No such delivery."
        return
    yield from align_columns(_row(record, zone) for record in found)
    more = "; there may be more, --limit shows them" if len(found) == limit else ""
    yield f"{len(found)} found{more}; the history of one: `dingerp deliveries show {escape_invisible(found[0].card)}`"
    dead = sum(record.state is DeliveryState.DEAD for record in found)
    if dead:
        yield f"{dead} dead: `dingerp deliveries replay CARD` sends one again when its reason is mended"


def _row(record: DeliveryRecord, zone: tzinfo) -> tuple[str, ...]:
    state = f"{record.state}: {record.reason}" if record.reason else record.state.value
    return format_second(record.changed_at, zone), record.card, str(record.place), record.fact or "–", state


def _history(record: DeliveryRecord, steps: Sequence[DeliveryStep], zone: tzinfo) -> Iterator[str]:
    yield escape_invisible(f"card {record.card} ({record.kind}) at {record.place}: {record.state}")
    if record.reason:
        yield escape_invisible(f"  {record.reason}")
    if record.state is DeliveryState.QUEUED:
        yield f"  tried next {format_second(record.next_at, zone)}, {count_noun(record.tries, 'try', 'tries')} so far"
    if steps:
        yield from (f"  {line}" for line in align_columns(_step_row(step, zone) for step in steps))


def _step_row(step: DeliveryStep, zone: tzinfo) -> tuple[str, ...]:
    detail = join_details(step.detail, format_delay(step.late))
    return format_second(step.at, zone), step.what.value, f"revision {step.revision}" if step.revision else "–", detail


def _fields(record: DeliveryRecord, zone: tzinfo) -> dict[str, Any]:
    names = "card place kind state via urgency wanted shown tries due_at next_at changed_at fact reason"
    return fields_of(record, names, zone)


def _step_fields(step: DeliveryStep, zone: tzinfo) -> dict[str, Any]:
    return fields_of(step, "at what revision detail", zone) | {"late_seconds": step.late.total_seconds()}
