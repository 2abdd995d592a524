"""The parts used by everything behind the stream."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp

from bot.access.membership import Membership
from bot.access.organisation import OwnOrganisation
from bot.access.people import People
from bot.bootstrap.directory_adapters import DirectoryAdapter
from bot.bootstrap.factories import make_renderer, open_api, templates
from bot.bootstrap.names import names_in_force
from bot.bootstrap.spans import open_span_export
from bot.cards.language import Language, choose_language, load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.track_ids import TrackIds
from bot.chat.answers.card_probes import confirmed_ways, say_outcome
from bot.chat.answers.probe_results import ProbeResults
from bot.chat.registry import installed_commands
from bot.dingtalk.app_organisation import DingTalkAppOrganisation
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.directory import DingTalkDirectory
from bot.dingtalk.openapi import ApiRetryPolicy, OpenApi
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.reply_addresses import ReplyAddresses
from bot.dingtalk.robot import Robot
from bot.dingtalk.todos import RobotChat
from bot.mechanisms.background import BackgroundTasks, Runs, repeat
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import Trace
from bot.mechanisms.wakeup import WakeupsByOthers
from bot.outbox.place import Place, PlaceKind
from bot.outbox.quota import QuotaGuard
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings
from bot.store.chat.card_probes import StoredCardProbes
from bot.store.chat.conversations import StoredLanguages
from bot.store.database import Database
from bot.store.outbox.call_counts import StoredMonthlyCalls
from bot.store.outbox.ledger import CardLedger
from bot.store.people import StoredOrganisation, StoredPeople
from bot.words.phrase import Phrase

_PROBES_READ_EVERY = 60.0
"""Seconds: a tap may have reached another process."""
_METER_SAVED_EVERY = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure:
    """Built once for all packages; ``stack`` closes them."""

    stack: AsyncExitStack
    background: BackgroundTasks
    settings: Settings
    metrics: Metrics
    now: Callable[[], datetime]
    """Returns the present time in the company's zone."""
    database: Database
    api: OpenApi
    meter: MonthlyMeter
    month: QuotaGuard
    reply_addresses: ReplyAddresses
    robot_chat: RobotChat
    organisation: OwnOrganisation
    members: Membership
    stored_people: StoredPeople
    people: People
    stored_languages: StoredLanguages
    """The languages that people chose."""
    languages: Mapping[str, Language]
    renderer: CardRenderer
    templates: TemplateChoice
    tracks: TrackIds
    names: NamesInForce
    """The names used by settings and rules."""
    probes: StoredCardProbes
    ledger: CardLedger
    wakeups: WakeupsByOthers
    send_spans: Callable[[Trace], None]
    """Gets each trace that has ended, for the collector."""

    def card_trial(self) -> Phrase:
        """Return people's answers to the probe cards (`dingerp doctor --probe`)."""
        return say_outcome(self.probes.known(), self.templates.ids)

    def confirmed(self) -> ProbeResults:
        """Return the cheap ways that the probes have confirmed."""
        return confirmed_ways(self.probes.known(), self.templates.ids)

    def language_at(self, place: Place) -> str:
        """Return the language of cards at a place."""
        return self.people.language(place.id) if place.kind is PlaceKind.PERSON else self.settings.language

    def say_in(self, language: str, words: Phrase) -> str:
        """Translate a phrase into a language."""
        return choose_language(self.languages, language).say(words)

    async def run_in_background(self, work: Callable[[], Coroutine[Any, Any, None]], name: str, runs: Runs) -> None:
        """Run ``work`` for as long as the bot runs, or for as long as it leads."""
        await self.stack.enter_async_context(self.background.running(work, name, runs))


async def build_infrastructure(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: ApiRetryPolicy,
) -> Infrastructure:
    """Connect to DingTalk, and load the stored data on the organisation and its people."""
    stored_languages = StoredLanguages(database)
    await stored_languages.load()
    limits = settings.limits
    meter = MonthlyMeter(StoredMonthlyCalls(database), metrics=metrics, now=now, clicks_count=limits.clicks_count)
    await meter.load()
    metrics.month_limit.set(limits.month.calls)
    metrics.month_uses_limit.set(limits.month.uses)
    api = open_api(settings, session, metrics, meter, patience)
    dingtalk = settings.dingtalk
    organisation = OwnOrganisation(
        dingtalk.corp_id,
        StoredOrganisation(database, dingtalk.client_id),
        DingTalkAppOrganisation(api, dingtalk.openapi_endpoint),
    )
    await organisation.load()
    stored_people = StoredPeople(database, now=now)
    await stored_people.load_departments()
    members = Membership(
        stored_people,
        DirectoryAdapter(DingTalkDirectory(api)) if settings.access.reads_directory else None,
        now=now,
        with_roles=settings.access.directory is True,
    )
    people = People(
        languages=stored_languages,
        default_language=settings.language,
        configured_languages=settings.languages,
        directory=members,
    )
    words = load_languages()
    base = Infrastructure(
        stack=stack,
        background=background,
        settings=settings,
        metrics=metrics,
        now=now,
        database=database,
        api=api,
        meter=meter,
        month=QuotaGuard(
            lambda: meter.used,
            limits.month.calls,
            metrics=metrics,
            reserve=settings.outbox.reserve,
            urgent=settings.outbox.urgent_reserve,
            exhausted=lambda: meter.exhausted,
            use_grace=limits.use_grace,
        ),
        reply_addresses=ReplyAddresses(Robot(api), now),
        robot_chat=RobotChat(),
        organisation=organisation,
        members=members,
        stored_people=stored_people,
        people=people,
        stored_languages=stored_languages,
        languages=words,
        renderer=make_renderer(settings, words, now=now),
        templates=templates(settings),
        tracks=TrackIds(settings.dingtalk.client_secret.get_secret_value()),
        names=names_in_force(settings, installed_commands()),
        probes=StoredCardProbes(database),
        ledger=CardLedger(settings.data_dir),
        wakeups=WakeupsByOthers(),
        send_spans=open_span_export(stack, settings.otel, metrics, database.process),
    )
    await base.probes.load()
    read_probes = partial(repeat, base.probes.load, every=_PROBES_READ_EVERY, failed="card_probes.not_read")
    await base.run_in_background(read_probes, "probes", Runs.EVERYWHERE)
    await base.run_in_background(partial(meter.save_periodically, _METER_SAVED_EVERY), "meter", Runs.EVERYWHERE)
    return base
