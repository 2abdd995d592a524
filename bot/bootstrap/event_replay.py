"""Replays stored events under other rules, without sending: ``dingerp replay``, and rehearsals on a page.

It reports which cards would have gone where by which route, and the number of API calls. The days before the period are
played too, to know what was open at its start. Nobody acts in a replay: nothing is acknowledged or snoozed, so alerts
are repeated and escalated wherever the rules say so. Mutes and watches apply as they did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.alerts.alert import Alert
from bot.alerts.intake.port import EventState, StoredEvent
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.bootstrap.dry_run import DryRunConfig, DryRunInput, DryRunResult, RecordedCall, execute_dry_run
from bot.outbox.budgets import SendLimits
from bot.outbox.place import Place
from bot.settings import Settings
from bot.store.alerts.events import EventSearch, StoredEvents
from bot.store.alerts.repository import read_mutes_and_watches
from bot.store.database import Database

_PAGE = 5_000
_MONTH = timedelta(days=30)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCard:
    """A card that was created or changed in the period; ``made_at`` is None if it was created before."""

    made_at: datetime | None
    changed_at: tuple[datetime, ...]
    place: Place
    route: str
    template: str
    alerts: tuple[Alert, ...]

    @property
    def first_at(self) -> datetime:
        """When it was first created or changed."""
        return self.made_at or self.changed_at[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """The outcome of the events from ``since`` to ``until``."""

    since: datetime
    until: datetime
    events: int
    rejected: int
    """Events rejected on arrival: they are not played."""
    failed: int
    cards: tuple[ReplayedCard, ...]
    unrouted: tuple[str, ...]
    """Type and subject of events that no rule routes anywhere."""
    notes: Counter[str]
    """Counts by the history's words."""
    unanswered: tuple[str, ...]
    """Rules with conditions that some events could not answer."""

    @property
    def creates(self) -> int:
        """The calls that create cards."""
        return sum(card.made_at is not None for card in self.cards)

    @property
    def changes(self) -> int:
        """The calls that change cards."""
        return sum(len(card.changed_at) for card in self.cards)

    @property
    def monthly(self) -> int | None:
        """The calls in thirty days at this rate, None for less than a day."""
        span = self.until - self.since
        return None if span < _DAY else round((self.creates + self.changes) * (_MONTH / span))


async def replay_events(
    database: Database,
    settings: Settings,
    rules: AlertRuleSet,
    since: datetime,
    until: datetime,
    *,
    before: timedelta = timedelta(0),
) -> ReplayResult:
    """Return the consequences of the events; the time ``before`` is played first, to know what was open."""
    inputs = await read_inputs(database, since, until, since - before)
    return await play_events(inputs, settings, rules, since, until)


async def play_events(
    inputs: ReplayInputs, settings: Settings, rules: AlertRuleSet, since: datetime, until: datetime
) -> ReplayResult:
    """Return the consequences of what was read. It never waits: where others use the loop, it runs in a thread."""
    played = await execute_dry_run(inputs.given, _dry_run_config(settings, rules), until)
    return _result(inputs.given, played, rules, since, until, inputs.rejected)


@dataclass(frozen=True, slots=True)
class ReplayInputs:
    """Stored events with the mutes and watches of their time, and how many events were rejected when they came.

    ``is_cut``: the oldest events are left out.
    """

    given: Sequence[DryRunInput]
    rejected: int
    is_cut: bool = False


async def read_inputs(
    database: Database, since: datetime, until: datetime, begin: datetime, *, most: int = 0
) -> ReplayInputs:
    """Return what came from ``begin`` on; of more than ``most`` events the newest, 0: all."""
    events: list[StoredEvent] = []
    rejected = 0
    page = EventSearch(since=begin, until=until, limit=min(_PAGE, most + 1) if most else _PAGE)
    store = StoredEvents(database)
    while found := await store.search(page):
        events += (event for event in found if event.state is not EventState.REJECTED)
        rejected += sum(event.state is EventState.REJECTED and event.received_at >= since for event in found)
        page = replace(page, before=found[-1].seq)
        if most and len(events) > most:
            break
    is_cut = bool(most) and len(events) > most
    if is_cut:
        del events[most:]
        begin = max(begin, events[-1].received_at)
    # In order of arrival, even if the machine's clock was set back in between.
    received: list[DryRunInput] = []
    for event in reversed(events):
        at = max(event.received_at, received[-1].at) if received else event.received_at
        received.append(DryRunInput(at, replace(event, state=EventState.WAITING)))
    requests = await database.run(partial(read_mutes_and_watches, since=begin))
    asked = (DryRunInput(max(request.made_at, begin), request) for request in requests if request.made_at < until)
    return ReplayInputs(sorted((*asked, *received), key=lambda given: given.at), rejected, is_cut)


def _dry_run_config(settings: Settings, rules: AlertRuleSet) -> DryRunConfig:
    wanted = settings.outbox
    return DryRunConfig(
        rules=rules,
        zone=ZoneInfo(settings.zone),
        limits=SendLimits(
            per_second=wanted.per_second, place_minute=wanted.place_minute, robot_minute=wanted.robot_minute
        ),
        at_once=wanted.at_once,
        monthly=settings.limits.month.calls,
        reserve=wanted.reserve,
        urgent_reserve=wanted.urgent_reserve,
    )


def _result(
    inputs: Sequence[DryRunInput],
    played: DryRunResult,
    rules: AlertRuleSet,
    since: datetime,
    until: datetime,
    rejected: int,
) -> ReplayResult:
    events = [given.what for given in inputs if isinstance(given.what, StoredEvent) and given.at >= since]
    notes = [note for note in played.notes if note.at >= since]
    called: dict[str, list[RecordedCall]] = {}
    for call in played.calls:
        if call.at >= since:
            called.setdefault(call.card, []).append(call)
    about = {event.ref: f"{event.type} {event.subject}".strip() for event in events}
    unrouted = dict.fromkeys(note.fact for note in notes if note.what == "no_route")
    return ReplayResult(
        since=since,
        until=until,
        events=len(events),
        rejected=rejected,
        failed=sum((event.source, event.id) in played.failed for event in events),
        cards=tuple(sorted((_replayed_card(calls, played) for calls in called.values()), key=_sort_key)),
        unrouted=tuple(about.get(fact, fact) for fact in unrouted),
        notes=Counter(note.what for note in notes),
        unanswered=tuple(sorted(rules.unanswered.counts)),
    )


def _sort_key(card: ReplayedCard) -> tuple[datetime, bool]:
    return card.first_at, card.made_at is not None


def _replayed_card(calls: Sequence[RecordedCall], played: DryRunResult) -> ReplayedCard:
    card = played.cards[calls[0].card]
    return ReplayedCard(
        made_at=next((call.at for call in calls if call.creates), None),
        changed_at=tuple(call.at for call in calls if not call.creates),
        place=card.place,
        route=card.route,
        template=calls[0].template,
        alerts=tuple(played.alerts[alert_id] for alert_id in card.alerts if alert_id in played.alerts),
    )
