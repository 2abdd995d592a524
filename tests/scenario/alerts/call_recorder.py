"""What the simulated DingTalk saw of a storm, and what the bot's own database says of it afterwards."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bot.simulator.chat import SimDelivery
from bot.simulator.engine import SimEngine
from bot.simulator.push_dispatcher import SimPush
from bot.simulator.timeline import TimelineEntry
from bot.store.database import Database
from bot.store.tables import ALERT, DELIVERY, EVENT
from tests.scenario.alerts.storm import SOURCE, Storm, sku

CREATE = "POST /v1.0/card/instances/createAndDeliver"
CHANGE = "PUT /v1.0/card/instances"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of the bot that DingTalk took: when (`time.perf_counter`), which API, which card."""

    at: float
    api: str
    track: str
    place: str
    refusal: str


class CallRecorder:
    """What the simulated DingTalk saw: calls in their order, and the states that each card showed in turn."""

    def __init__(self, engine: SimEngine) -> None:
        self._engine = engine
        self.calls: list[RecordedCall] = []
        self.states: dict[str, list[int]] = defaultdict(list)
        """The figures that a card showed one after the other, by track."""
        self.subjects: dict[str, str] = {}
        """Which product each card is about, by track."""
        self.first_shown: dict[str, float] = {}
        """When a product's card was first there."""
        self.acks: list[float] = []
        """Seconds from pushing a message to its acknowledgement."""
        self._on_entry, engine.timeline.on_entry = engine.timeline.on_entry, self._saw_entry
        self._on_ack, engine.pushes.on_ack = engine.pushes.on_ack, self._saw_ack

    def fastest(self, calls: Iterable[RecordedCall], window: float) -> int:
        """Return the most of these calls that fell into any ``window`` seconds."""
        times: deque[float] = deque()
        most = 0
        for call in calls:
            times.append(call.at)
            while times[0] <= call.at - window:
                times.popleft()
            most = max(most, len(times))
        return most

    def copies(self, group: str) -> list[str]:
        """Return the tracks of the cards that stand in a conversation, each as often as it stands there."""
        items = self._engine.chat.conversations[group].items
        tracks = [item.card.out_track_id for item in items if isinstance(item, SimDelivery)]
        return [track for track in tracks if track.startswith("c1-")]

    def title(self, track: str) -> str:
        """Return a card's title as it is now."""
        card = self._engine.cards.get(track)
        return "" if card is None else card.view_for("").title

    def of(self, api: str) -> list[RecordedCall]:
        """Return the calls of an API that were within its limits."""
        return [call for call in self.calls if call.api == api]

    @property
    def limited(self) -> list[RecordedCall]:
        """Calls that DingTalk refused as too many."""
        return [call for call in self.calls if "Limit" in call.refusal]

    def _saw_entry(self, entry: TimelineEntry) -> None:
        if self._on_entry is not None:
            self._on_entry(entry)
        if entry.direction != "call" or entry.name not in (CREATE, CHANGE):
            return
        request = entry.detail.get("request") or {}
        track = str(request.get("outTrackId", ""))
        if not track.startswith("c1-"):
            return
        place = str(request.get("openSpaceId", ""))
        self.calls.append(RecordedCall(perf_counter(), entry.name, track, place, entry.summary))
        if entry.status == 200 and (card := self._engine.cards.get(track)) is not None:
            face = card.view_for("")
            self._note(track, f"{face.title} {face.markdown}")

    def _note(self, track: str, words: str) -> None:
        subject, figure = re.search(r"STORM\d+", words), re.search(r"可用：(\d[\d,]*)", words)
        if subject is None or figure is None:
            return
        self.subjects[track] = subject.group()
        self.first_shown.setdefault(subject.group(), perf_counter())
        self.states[track].append(int(figure.group(1).replace(",", "")))

    def _saw_ack(self, push: SimPush) -> None:
        if self._on_ack is not None:
            self._on_ack(push)
        self.acks.append(perf_counter() - push.sent_at)


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """What the bot's database says."""

    events: Mapping[str, int]
    """How many of the storm's events are in each state."""
    reported: Mapping[str, int]
    """How often each product's alert was reported to be open; one line for each alert."""
    alerts: int
    unsent: int
    """Cards that are owed."""
    dead: int

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.events.get("waiting") and not self.unsent


async def read_counts(database: Database) -> StoredCounts:
    """Return the accounts at this moment."""
    return await database.run(_read)


async def settled(database: Database, seconds: float) -> StoredCounts:
    """Return the accounts when nothing is left to do; fails if that takes longer."""
    counts = await read_counts(database)
    ends = perf_counter() + seconds
    while not counts.settled:
        assert perf_counter() < ends, f"not within {seconds:g} s: {counts}"
        await asyncio.sleep(0.1)
        counts = await read_counts(database)
    return counts


def _read(connection: Connection) -> StoredCounts:
    states = select(EVENT.c.state, func.count()).where(EVENT.c.source == SOURCE).group_by(EVENT.c.state)
    # The key of a matter names kind, source, company and subject.
    alerts = connection.execute(select(ALERT.c.key, ALERT.c.reported).where(ALERT.c.key.contains(f":{SOURCE}:"))).all()
    cards = dict(map(tuple, connection.execute(select(DELIVERY.c.state, func.count()).group_by(DELIVERY.c.state))))
    reported = {key.split(":")[3].partition("@")[0]: count for key, count in alerts}
    return StoredCounts(
        events=dict(map(tuple, connection.execute(states))),
        reported=reported,
        alerts=len(alerts),
        unsent=cards.get("queued", 0),
        dead=cards.get("dead", 0),
    )


def assert_nothing_lost(storm: Storm, counts: StoredCounts) -> None:
    """Every event is there once, is done, and counts in its matter's one alert."""
    assert counts.events == {"done": storm.events}
    assert counts.alerts == storm.alerts
    assert counts.reported == {sku(correlation): storm.reported(correlation) for correlation in range(storm.alerts)}
    assert counts.dead == 0


def assert_every_card_once(storm: Storm, wire: CallRecorder) -> None:
    """Each matter has one card, in its own group and there once, which went forward only and shows the last event."""
    expected = {group: Counter[str]() for group in storm.group_ids}
    for correlation in range(storm.alerts):
        expected[storm.group_of(correlation)][sku(correlation)] += 1
    found = {group: Counter(wire.subjects[track] for track in wire.copies(group)) for group in storm.group_ids}
    assert found == expected
    assert len(wire.states) == storm.alerts
    last = {sku(correlation): storm.last(correlation) for correlation in range(storm.alerts)}
    for track, figures in wire.states.items():
        assert figures == sorted(figures), f"{wire.subjects[track]} went back: {figures}"
        assert figures[-1] == last[wire.subjects[track]], f"{wire.subjects[track]} is behind: {figures}"
