"""The rooms of alerts: intake, desk, outbox, and what people do from the chat."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from bot.alerts.composing import AlertComposer
from bot.alerts.intake.accepting import StoringIntake
from bot.alerts.intake.hook import Hook, open_hook
from bot.alerts.intake.receipt import Intake
from bot.alerts.ledger import Ledger
from bot.alerts.noticeboard import Study
from bot.alerts.rules.file import RuleFile
from bot.alerts.rules.workdays import is_workday
from bot.alerts.running import AlertDesk
from bot.alerts.unit import Unit
from bot.assembly.base import Base
from bot.assembly.company import company_of
from bot.dingtalk.cards import CardApi
from bot.dingtalk.places import Places
from bot.dingtalk.robot import Robot
from bot.errors import DingerpError
from bot.outbox.budgets import Limits
from bot.outbox.composing import Composer
from bot.outbox.keeping import Keeping
from bot.outbox.place import Place, PlaceKind
from bot.outbox.worker import Outbox
from bot.queues.address import QueueAddress
from bot.queues.reading import QueueReader
from bot.settings import Settings
from bot.store.books import StoredBooks
from bot.store.days import StoredDays
from bot.store.events import StoredEvents
from bot.store.outbox import StoredBacklog

log = structlog.get_logger(__name__)

_EVENTS_PRUNED_EVERY = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRooms:
    """What the rest of the bot needs of them."""

    intake: Intake
    hooks: Mapping[str, Hook]
    rules: RuleFile
    desk: AlertDesk
    outbox: Outbox
    composers: dict[str, Composer]
    """Who composes which kind of card; others may join before `send`."""
    study: Study


async def furnish_alerts(base: Base) -> AlertRooms:
    """Open intake, desk and outbox; the desk works until the base's stack ends."""
    settings, now = base.settings, base.now
    books = StoredBooks(base.database, now)
    rules = RuleFile(settings.alert_rules, company_of(settings), monotonic=time.monotonic)

    def unit(ledger: Ledger) -> Unit:
        return Unit(ledger=ledger, rules=rules.current(), now=now(), new_id=lambda: secrets.token_hex(8))

    def changed() -> None:
        desk.poke()
        outbox.poke()

    study = Study(books, unit, changed)
    composers: dict[str, Composer] = {"alert": AlertComposer(study, now=now, name_of=partial(_name_of, base))}
    outbox = _outbox(base, composers)
    desk = AlertDesk(books, unit=unit, now=now, metrics=base.metrics, owed=outbox.poke)
    events = StoredEvents(base.database)
    intake = StoringIntake(events, metrics=base.metrics, now=now, arrived=desk.poke)
    await base.keep(desk.run(), "alerts")
    await base.keep(_prune(base, events), "events")
    return AlertRooms(
        intake=intake,
        hooks=_open_hooks(settings),
        rules=rules,
        desk=desk,
        outbox=outbox,
        composers=composers,
        study=study,
    )


async def read_queues(base: Base, intake: Intake) -> None:
    """Begin to read the message queues."""
    for name, queue in base.settings.queues.items():
        address = QueueAddress(
            source=name,
            url=queue.url.get_secret_value(),
            name=queue.name,
            group=queue.group,
            reader=queue.reader or socket.gethostname(),
        )
        await base.keep(QueueReader(address, intake, metrics=base.metrics).run(), f"queue {name}")


async def send(base: Base, rooms: AlertRooms) -> None:
    """Begin to send what is owed: last, so that all who compose cards are there."""
    limit = base.settings.limits.monthly_calls
    keeping = Keeping(
        StoredBacklog(base.database),
        StoredDays(base.database),
        lambda: base.meter.used,
        limit=limit,
        works=is_workday,
        keep=timedelta(days=base.settings.outbox.keep_days),
        metrics=base.metrics,
        now=base.now,
    )
    await base.keep(keeping.run(), "outbox keeping")
    await base.keep(rooms.outbox.run(), "outbox")


async def _name_of(base: Base, user_id: str) -> str:
    return (await base.people.identify(user_id, name="")).name or user_id


def _outbox(base: Base, composers: Mapping[str, Composer]) -> Outbox:
    people, settings = base.people, base.settings

    def language_of(place: Place) -> str:
        return people.language(place.id) if place.kind is PlaceKind.PERSON else settings.language

    wanted = settings.outbox
    return Outbox(
        StoredBacklog(base.database),
        Places(CardApi(base.api), Robot(base.api), base.api.keys, templates=base.templates),
        composers,
        base.renderer,
        # No other worker has this name, nor will one after a restart.
        worker=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
        track_of=base.tracks.for_card,
        language_of=language_of,
        metrics=base.metrics,
        now=base.now,
        draw=random.random,
        sparing=base.month.sparing,
        limits=Limits(per_second=wanted.per_second, place_minute=wanted.place_minute, robot_minute=wanted.robot_minute),
        at_once=wanted.at_once,
        tries=wanted.tries,
    )


def _open_hooks(settings: Settings) -> dict[str, Hook]:
    return {
        name: open_hook(
            name,
            scheme=one.scheme,
            secrets=one.secrets,
            max_bytes=one.max_bytes,
            company=one.company,
            currency=one.currency,
            options={"aes_key": one.aes_key.get_secret_value(), "app_key": one.app_key},
        )
        for name, one in settings.hooks.items()
    }


async def _prune(base: Base, events: StoredEvents) -> None:
    kept = base.settings.events
    done, rejected = timedelta(days=kept.keep_days), timedelta(days=kept.keep_rejected_days)
    while True:
        try:
            await events.prune(base.now(), done=done, rejected=rejected)
        except DingerpError as error:
            log.warning("events.not_pruned", error=error.detail)
        await asyncio.sleep(_EVENTS_PRUNED_EVERY)
