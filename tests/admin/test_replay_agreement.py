"""What ``routes test`` and ``replay`` say is what the running bot then does, on the same events of a week.

All of it is in `make soak`: a week has 400, 500 or a thousand events, and the least takes eight seconds. `test_replay`
has the parts.

The running bot is its own loops (intake, processor, outbox), rules file, tables on disk and card templates; only time
is virtual, and DingTalk takes every card.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.admin.replay import replay
from bot.admin.route_check import open_rules
from bot.alerts.alert import Comparator, Mute, Watch
from bot.alerts.event import correlate
from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import StoredEvent
from bot.alerts.processing import processor
from bot.alerts.processing.lifecycle import AlertTransition
from bot.alerts.processing.processor import AlertProcessor
from bot.alerts.repository import AlertHistoryEntry, AlertRepository, AlertUnitOfWork
from bot.alerts.rules.explanation import Explanation, explain
from bot.alerts.rules.parser import follow_rules
from bot.alerts.service import AlertComposer, AlertService, AlertUnitOfWorkRunner
from bot.bootstrap.company import company_of
from bot.bootstrap.event_replay import ReplayResult
from bot.bootstrap.factories import make_renderer
from bot.cards.card import Card
from bot.erp.model import Area
from bot.mechanisms.metrics import Metrics
from bot.outbox import worker
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryStepKind, DingWay
from bot.outbox.place import Place
from bot.outbox.ports import NOBODY_CALLED, NOBODYS
from bot.outbox.worker import OutboxWorker
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings, load_settings
from bot.store.alerts.events import EventSearch, StoredEvents
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.inline_database import InlineDatabase
from bot.store.outbox.queue import StoredBacklog
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, DELIVERY_STEP
from bot.words.names import NOTHING_KNOWN
from tests.admin.sample_week import MONDAY, RULES, SUNDAY, events_of_a_week
from tests.admin.virtual_time import VirtualLoop, clock_from
from tests.chat.audience_parts import sees_all

TURNS = frozenset(turn.value for turn in AlertTransition)
"""What the story says of a part of an event before it says where that was brought."""

Line = tuple[int, str, str, bool, tuple[str, ...]]
"""Milliseconds since Monday, place, route, whether the card is made, and the matters on it at the end of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOutcome:
    """What the running bot did, what a replay says that it does, and what it kept."""

    settings: Settings
    done: list[Line]
    said: list[Line]
    replayed: ReplayResult
    events: list[StoredEvent]
    notes: list[AlertHistoryEntry]
    keys: dict[str, str]
    """Matters by the ids of their alerts."""


class RecordingMessenger:
    """A DingTalk that takes everything, after a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        assert card.title
        await asyncio.sleep(self.seconds)
        return ()

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        assert card.title
        await asyncio.sleep(self.seconds)

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        raise AssertionError("nobody is called")

    async def write(self, place: Place, card: Card) -> None:
        raise AssertionError("every card was taken")


async def run_the_bot(
    settings: Settings, week: Iterable[tuple[datetime, dict[str, Any]]], *, answers_in: float
) -> None:
    """Let a week pass."""
    now = clock_from(MONDAY)
    database = InlineDatabase(settings.database)
    await database.migrate()
    metrics, ids = Metrics(), count(1)
    rules = follow_rules(settings.alert_rules, company_of(settings), NamesInForce(NOTHING_KNOWN, str))
    transactions = StoredAlertTransactions(database, now)

    def unit(repository: AlertRepository) -> AlertUnitOfWork:
        return AlertUnitOfWork(
            repository=repository, rules=rules.current(), now=now(), new_id=lambda: f"{next(ids):08}"
        )

    def changed() -> None:
        processor.poke()
        outbox.poke()

    async def name_of(user_id: str) -> str:
        return user_id

    units = AlertUnitOfWorkRunner(transactions, unit, changed)
    outbox = OutboxWorker(
        StoredBacklog(database),
        RecordingMessenger(answers_in),
        {"alert": AlertComposer(units, now=now, name_of=name_of, reader_at=sees_all)},
        make_renderer(settings),
        worker="the one",
        track_of=lambda key: f"track {key}",
        language_of=lambda place: "zh_CN",
        metrics=metrics,
        now=now,
        draw=lambda: 0.5,
        limits=SendLimits(
            per_second=settings.outbox.per_second,
            place_minute=settings.outbox.place_minute,
            robot_minute=settings.outbox.robot_minute,
        ),
        at_once=settings.outbox.at_once,
    )
    processor = AlertProcessor(transactions, unit=unit, now=now, metrics=metrics, owed=outbox.poke)
    intake = BatchedIntake(StoredEvents(database), metrics=metrics, now=now, arrived=processor.poke)
    alerts = AlertService(units)
    at_work = [asyncio.create_task(processor.run()), asyncio.create_task(outbox.run())]
    people = asyncio.create_task(ask_for_things(alerts, now))
    for at, event in week:
        await sleep_until(at, now())
        receipt = await intake.accept("main", [event], via="webhook")
        assert receipt.accepted == 1, receipt
    await people
    await sleep_until(SUNDAY, now())
    for task in at_work:
        assert not task.done(), task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await database.close()


async def ask_for_things(alerts: AlertService, now: Callable[[], datetime]) -> None:
    """A mute and a watch, on Tuesday."""
    await sleep_until(MONDAY + timedelta(days=1, hours=9, milliseconds=123), now())
    await alerts.put_mute(
        Mute(
            id="m1",
            place=Place.parse("group:cidSales"),
            pattern="order.*",
            by="sales02",
            made_at=now(),
            until=now() + timedelta(hours=5),
        )
    )
    for subject in ("INVOICE-1", "INVOICE-2", "INVOICE-3"):
        await alerts.put_watch(Watch(user_id="fin01", area=Area.FINANCE, subject=subject, made_at=now()))
    await alerts.put_watch(
        Watch(
            user_id="store01",
            area=Area.STOCK,
            subject="STOCK-7",
            comparison=Comparator.BELOW,
            limit=Decimal(20),
            made_at=now(),
        )
    )


async def sleep_until(at: datetime, now: datetime) -> None:
    await asyncio.sleep(max(0.0, (at - now).total_seconds()))


def what_was_done(settings: Settings) -> list[Line]:
    """Read the calls from the record of deliveries."""
    database = InlineDatabase(settings.database)
    steps = select(DELIVERY_STEP).where(DELIVERY_STEP.c.what.in_((DeliveryStepKind.SENT, DeliveryStepKind.UPDATED)))
    members = select(ALERT_CARD_MEMBER.c.card, ALERT.c.key).join(ALERT, ALERT.c.id == ALERT_CARD_MEMBER.c.alert)
    rows = database.run_blocking(lambda connection: connection.execute(steps).all())
    cards = database.run_blocking(lambda connection: {row.id: row for row in connection.execute(select(ALERT_CARD))})
    keys: dict[str, list[str]] = {}
    for card, key in database.run_blocking(lambda connection: connection.execute(members).all()):
        keys.setdefault(card, []).append(key)
    return sorted(
        (
            row.at_ms - int(MONDAY.timestamp() * 1000),
            cards[row.card].place,
            cards[row.card].route,
            row.what == DeliveryStepKind.SENT,
            tuple(sorted(keys.get(row.card, ()))),
        )
        for row in rows
    )


def what_was_said(result: ReplayResult) -> list[Line]:
    """Read the calls from a replay."""
    lines = []
    for card in result.cards:
        matters = tuple(sorted(alert.key for alert in card.alerts))
        calls = [(at, False) for at in card.changed_at] + ([(card.made_at, True)] if card.made_at else [])
        for at, makes in calls:
            ms = (at - MONDAY) // timedelta(milliseconds=1)
            lines.append((ms, str(card.place), card.route, makes, matters))
    return sorted(lines)


def live_through(folder: Path, *, events: int, seed: int, answers_in: float) -> WeekOutcome:
    rules = folder / "alerts.toml"
    rules.write_text(RULES, encoding="utf-8")
    settings = load_settings(
        alerts={"default_groups": ["cidOffice"], "rules": rules},
        erp={"main": {"vendor": "demo"}},
        data_dir=folder,
    )
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        # So often they look for what other processes wrote: there are none here, and looking all week takes minutes.
        patch.setattr(processor, "LOOK_EVERY", timedelta(hours=6))
        patch.setattr(worker, "LOOK_EVERY", timedelta(hours=6))
        runner.run(run_the_bot(settings, events_of_a_week(events, seed), answers_in=answers_in))
    replayed = asyncio.run(replay(settings, rules, MONDAY, SUNDAY, before=timedelta(0)))
    database = InlineDatabase(settings.database)
    kept = asyncio.run(StoredEvents(database).search(EventSearch(limit=10_000)))
    notes = asyncio.run(
        StoredAlertTransactions(database, lambda: SUNDAY).transact(
            lambda repository: repository.history(limit=1_000_000)
        )
    )
    return WeekOutcome(
        settings=settings,
        done=what_was_done(settings),
        said=what_was_said(replayed),
        replayed=replayed,
        events=list(reversed(kept)),
        notes=list(notes),
        keys=database.run_blocking(lambda connection: dict(connection.execute(select(ALERT.c.id, ALERT.c.key)).all())),
    )


@pytest.fixture(
    scope="module",
    params=[
        # In a week so short not everything happens; in this one it does.
        pytest.param((400, 6), id="400 events", marks=pytest.mark.soak),
        pytest.param((500, 20261116), id="500 events", marks=pytest.mark.soak),
        pytest.param((1_000, 20261116), id="1000 events", marks=pytest.mark.soak),
    ],
)
def week(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeekOutcome]:
    events, seed = request.param
    with capture_logs():
        yield live_through(tmp_path_factory.mktemp("week"), events=events, seed=seed, answers_in=0.0)


@pytest.mark.timeout(600)
def test_a_replay_says_what_the_bot_did(week: WeekOutcome) -> None:
    assert len(week.events) >= 400
    assert week.said == week.done
    assert week.replayed.creates == sum(makes for _, _, _, makes, _ in week.done)
    assert week.replayed.changes == sum(not makes for _, _, _, makes, _ in week.done)


@pytest.mark.timeout(600)
def test_the_week_has_everything_that_can_happen(week: WeekOutcome) -> None:
    """Otherwise agreement would mean little."""
    happened = Counter(note.what for note in week.notes)
    expected = {
        "opened", "updated", "repeated", "outdated", "resolved", "revived", "informed", "split", "graded", "routed",
        "no_route", "waiting", "grouped", "shown", "shown anew", "escalated", "silenced", "inhibited", "muted", "late",
        "folded", "unseen",
    }  # fmt: skip
    assert expected <= happened.keys(), expected - happened.keys()
    assert {"escalation", "watch", "digest", "warehouse/screws", "finance/large", "vip"} <= {
        line[2] for line in week.done
    }
    assert len(week.done) > len(week.events)


@pytest.mark.timeout(600)
def test_routes_test_says_where_the_bot_brought_each_event(week: WeekOutcome) -> None:
    """Each part of each event alone, at the moment when it came: severity, places and routes."""
    book = open_rules(week.settings, None)
    told: dict[str, list[AlertHistoryEntry]] = {}
    for note in week.notes:
        if not note.detail.endswith(" by watch"):
            told.setdefault(note.fact, []).append(note)
    stood: dict[str, set[str]] = {}
    compared = nowhere = 0
    for stored in week.events:
        parts: dict[str, list[Explanation]] = {}
        for part in split_events(stored):
            parts.setdefault(correlate(part).key, []).append(explain(book, [part], stored.received_at)[0])
        begun = Counter[str]()
        for note in told[f"{stored.source}/{stored.id}"]:
            key = week.keys.get(note.alert, "")
            begun[key] += note.what in TURNS  # an event may name the same matter twice
            said = parts.get(key, next(iter(parts.values())))[max(begun[key] - 1, 0)]
            if note.what in ("routed", "no_route"):
                brought = (
                    dict(part.rsplit(" by ", 1) for part in note.detail.split(", ")) if note.what == "routed" else {}
                )
                named = {str(outcome.target.place): outcome.target.route for outcome in reversed(said.outcomes)}
                assert named.items() <= brought.items(), (stored.id, named, brought)
                # Besides, a card is kept up to date where the matter stood before, or was passed on to.
                more = {place for place, route in brought.items() if place not in named and route != "escalation"}
                assert more <= stood.setdefault(note.alert, set()), (stored.id, more)
                stood[note.alert] |= brought.keys()
                compared, nowhere = compared + 1, nowhere + (not named)
            elif note.what in ("opened", "informed", "updated") and week.keys.get(note.alert, "") in parts:
                assert note.detail.startswith(f"{said.severity},"), stored.id
    assert compared > len(week.events) / 2
    assert nowhere > 2
