"""The simulated DingTalk's record of a storm, and the counts in the bot's own database afterwards."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.push_dispatcher import SimPush
from bot.kit.simulator.timeline import TimelineEntry
from bot.store.database import Database
from bot.store.tables import ALERT, DELIVERY, EVENT
from tests.scenario.alerts.storm import SOURCE, Storm, sku

CREATE = "POST /v1.0/card/instances/createAndDeliver"
CHANGE = "PUT /v1.0/card/instances"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of the bot: when (`time.perf_counter`), which API, which card."""

    at: float
    api: str
    track: str
    place: str
    refusal: str


class CallRecorder:
    """Records calls in their order, and the states that each card showed in turn."""

    def __init__(self, engine: SimEngine) -> None:
        self._engine = engine
        self.calls: list[RecordedCall] = []
        self.states: dict[str, list[int]] = defaultdict(list)
        """The figures that a card showed one after the other, by track id."""
        self.subjects: dict[str, str] = {}
        """The product of each card, by track id."""
        self.first_shown: dict[str, float] = {}
        """When a product's card first appeared."""
        self.acks: list[float] = []
        """Seconds from pushing a message to its acknowledgement."""
        self._on_entry, engine.timeline.on_entry = engine.timeline.on_entry, self._saw_entry
        self._on_ack, engine.pushes.on_ack = engine.pushes.on_ack, self._saw_ack

    def fastest(self, calls: Iterable[RecordedCall], window: float) -> int:
        """Return the largest number of these calls within any ``window`` seconds."""
        times: deque[float] = deque()
        most = 0
        for call in calls:
            times.append(call.at)
            while times[0] <= call.at - window:
                times.popleft()
            most = max(most, len(times))
        return most

    def copies(self, group: str) -> list[str]:
        """Return the track ids of the cards in a conversation, with repeats."""
        items = self._engine.chat.conversations[group].items
        tracks = [item.card.out_track_id for item in items if isinstance(item, SimDelivery)]
        return [track for track in tracks if track.startswith("c1-")]

    def title(self, track: str) -> str:
        """Return a card's current title."""
        card = self._engine.cards.get(track)
        return "" if card is None else card.view_for("").title

    def of(self, api: str) -> list[RecordedCall]:
        """Return the calls of one API."""
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
            view = card.view_for("")
            self._note(track, f"{view.title} {view.markdown}")

    def _note(self, track: str, text: str) -> None:
        subject, figure = re.search(r"STORM\d+", text), re.search(r"可用：(\d[\d,]*)", text)
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
    """Counts in the bot's database."""

    events: Mapping[str, int]
    """The number of the storm's events in each state."""
    reported: Mapping[str, int]
    """How often each product's alert was reported to be open."""
    alerts: int
    unsent: int
    """Queued cards."""
    dead: int

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.events.get("waiting") and not self.unsent


async def read_counts(database: Database) -> StoredCounts:
    return await database.run(_read)


async def settled(database: Database, seconds: float) -> StoredCounts:
    """Return the counts when no work is left; fails if that takes longer than ``seconds``."""
    counts = await read_counts(database)
    ends = perf_counter() + seconds
    while not counts.settled:
        assert perf_counter() < ends, f"not within {seconds:g} s: {counts}"
        await asyncio.sleep(0.1)
        counts = await read_counts(database)
    return counts


def _read(connection: Connection) -> StoredCounts:
    states = select(EVENT.c.state, func.count()).where(EVENT.c.source == SOURCE).group_by(EVENT.c.state)
    # The key of an alert names kind, source, company and subject.
    rows = connection.execute(select(ALERT.c.key, ALERT.c.reported)).all()
    alerts = [(key, reported) for key, reported in rows if f":{SOURCE}:" in key]  # keys lie sealed
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
    """Every event is stored once, is done, and counts in its one alert."""
    assert counts.events == {"done": storm.events}
    assert counts.alerts == storm.alerts
    assert counts.reported == {sku(correlation): storm.reported(correlation) for correlation in range(storm.alerts)}
    assert counts.dead == 0


def assert_every_card_once(storm: Storm, recorder: CallRecorder) -> None:
    """Each alert has one card, once, in its own group; the card only went forward and shows the last event."""
    expected = {group: Counter[str]() for group in storm.group_ids}
    for correlation in range(storm.alerts):
        expected[storm.group_of(correlation)][sku(correlation)] += 1
    found = {group: Counter(recorder.subjects[track] for track in recorder.copies(group)) for group in storm.group_ids}
    assert found == expected
    assert len(recorder.states) == storm.alerts
    last = {sku(correlation): storm.last(correlation) for correlation in range(storm.alerts)}
    for track, figures in recorder.states.items():
        assert figures == sorted(figures), f"{recorder.subjects[track]} went back: {figures}"
        assert figures[-1] == last[recorder.subjects[track]], f"{recorder.subjects[track]} is behind: {figures}"
