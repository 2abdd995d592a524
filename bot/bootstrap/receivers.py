"""Builds what tells programs of the company what happens."""

from __future__ import annotations

import random
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from hashlib import sha256

from yarl import URL

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind, AuditLog
from bot.alerts.intake.signatures import StandardWebhooksSignature
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.language import choose_language
from bot.chat.answers.page_answers import PageAnswers
from bot.mechanisms.background import Runs
from bot.mechanisms.health import WELL, PartHealth, degraded
from bot.outbox.happenings import HappeningType, Receiver
from bot.outbox.receiver_lane import EventSender, ReceiverLane
from bot.outbox.worker import OutboxWorker
from bot.queues.producer import QueueSender
from bot.settings import ReceiverSettings, Settings
from bot.store.outbox.happenings import OwedEvents, StoredReceiverBacklog
from bot.web.receivers import EventAddress, EventLetters, WebhookSender
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, phrase

LATE_EVENTS = timedelta(minutes=5)
"""Events for programs that are due for so long are reported."""


def receivers_of(settings: Settings) -> tuple[Receiver, ...]:
    """Return the configured receivers. Raises `ConfigurationError`."""
    return tuple(_receiver(name, receiver) for name, receiver in settings.receivers.items())


def _receiver(name: str, wanted: ReceiverSettings) -> Receiver:
    for pattern in wanted.types:
        if not any(fnmatchcase(each, pattern) for each in HappeningType):
            known = ", ".join(HappeningType)
            raise ConfigurationError(f"receivers.{name}.types: {pattern!r} is no type of events; types are {known}")
    if wanted.is_webhook:
        _address(name, wanted)
    else:
        _queue_sender(name, wanted)
    return Receiver(name=name, owner=wanted.owner, types=wanted.types, sources=frozenset(wanted.sources))


def _queue_sender(name: str, wanted: ReceiverSettings) -> QueueSender:
    try:
        sender = QueueSender(wanted.url.get_secret_value(), wanted.queue, timeout=wanted.timeout)
    except ConfigurationError as error:
        raise ConfigurationError(f"receivers.{name}.url: {error.detail}") from None
    if not wanted.queue:
        raise ConfigurationError(f"receivers.{name}.queue: name the stream, queue, subject or topic")
    return sender


def _address(name: str, wanted: ReceiverSettings) -> EventAddress:
    url = URL(wanted.url.get_secret_value())
    if wanted.queue:
        raise ConfigurationError(f"receivers.{name}.queue: only a broker has queues, and url is no broker's address")
    if url.scheme != "https" and not wanted.private:
        raise ConfigurationError(f"receivers.{name}.url: outside of your network only https:// is called")
    try:
        signer = StandardWebhooksSignature(wanted.secrets)
    except ConfigurationError as error:
        raise ConfigurationError(f"receivers.{name}: {error.detail}") from None
    return EventAddress(url=url, signer=signer, is_private=wanted.private, timeout=wanted.timeout)


async def start_receivers(base: Infrastructure, answers: PageAnswers, audit: AuditLog, outbox: OutboxWorker) -> None:
    """Start telling the receivers what happens."""
    wanted, receivers = base.settings.receivers, receivers_of(base.settings)
    backlog = StoredReceiverBacklog(base.database)
    await backlog.give_up_others(receivers, base.now())
    if not wanted:
        return
    webhooks = {name: _address(name, each) for name, each in wanted.items() if each.is_webhook}
    posting = WebhookSender(webhooks, base.now)
    base.stack.push_async_callback(posting.close)
    letters = EventLetters(
        answers=answers,
        identify=partial(base.people.identify, name=""),
        language_of=partial(choose_language, base.languages),
    )
    for receiver in receivers:
        settings = wanted[receiver.name]
        sender: EventSender = posting
        if not settings.is_webhook:
            queue = sender = _queue_sender(receiver.name, settings)
            base.stack.push_async_callback(queue.close)
        lane = ReceiverLane(
            receiver,
            backlog,
            letters,
            sender,
            worker=base.database.worker(f"receiver {receiver.name}"),
            metrics=base.metrics,
            now=base.now,
            draw=random.random,
            give_up_after=timedelta(hours=settings.give_up_hours),
            at_once=settings.at_once,
        )
        outbox.beside(lane.poke)
        audit.record(_start_entry(base, receiver, settings))
        await base.run_in_background(lane.run, f"receiver {receiver.name}", Runs.EVERYWHERE)


def _start_entry(base: Infrastructure, receiver: Receiver, wanted: ReceiverSettings) -> AuditEntry:
    """Return the entry on who is told what from now on; a digest tells whether the address is another one."""
    url = wanted.url.get_secret_value()
    where = URL(url).host if wanted.is_webhook else f"{url.partition('://')[0]} {wanted.queue}"
    address = f"{where}, address {sha256(url.encode()).hexdigest()[:12]}"
    told = f"{', '.join(receiver.types)} of {', '.join(sorted(receiver.sources)) or 'all sources'}"
    return AuditEntry(
        kind=AuditKind.RULES,
        at=base.now(),
        actor=BOT_ACTOR,
        action="receiver",
        outcome="loaded",
        detail=f"{receiver.name} of {receiver.owner}: {told}, to {address}",
    )


async def receivers_health(base: Infrastructure) -> PartHealth:
    """Return whether programs are owed events for too long."""
    owed = await StoredReceiverBacklog(base.database).owed_to(base.now())
    late = [name for name in base.settings.receivers if _is_late(base, owed.get(name))]
    if not late:
        return WELL
    said = tuple(_late(base, name, owed[name]) for name in late)
    return degraded(phrase("programs do not take events: %(receivers)s", receivers=said), frozenset(late))


def _is_late(base: Infrastructure, owed: OwedEvents | None) -> bool:
    return owed is not None and base.now() - owed.since > LATE_EVENTS


def _late(base: Infrastructure, name: str, owed: OwedEvents) -> Phrase:
    return phrase(
        "%(receiver)s is owed %(count)d since %(time)s (%(why)s)",
        receiver=name,
        count=owed.waiting,
        time=f"{owed.since.astimezone(base.now().tzinfo):%Y-%m-%d %H:%M}",
        why=owed.reason or phrase("they wait for their turn"),
    )
