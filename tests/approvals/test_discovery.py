"""What waits at the ERPs is found, by events and by looking through them, and nothing is read needlessly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.alerts.intake.port import IntakeOutcome, UnreadableEvent
from bot.alerts.intake.vendors.translation import TranslationContext
from bot.alerts.intake.webhook import build_webhook
from bot.approvals.case import CaseConflict
from bot.approvals.discovery import DecidingSource, MentionListener, PendingPoller
from bot.approvals.document import DocumentKey
from bot.approvals.search_gaps import SearchGaps
from bot.erp.errors import Invalid, NotPermitted, Unavailable, Unusable
from bot.erp.kinds import PURCHASE_ORDERS, Kind
from bot.erp.model import PurchaseOrder, Slice
from bot.erp.port import Filter, ListQuery
from bot.mechanisms.metrics import Metrics
from tests.approvals.company import waiting_order
from tests.bare_records import with_review
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SEARCHED = {(source, "po"): NOW for source in ("main", "first", "second")}


def order(number: str, version: str = "v1") -> PurchaseOrder:
    return with_review(replace(waiting_order(), number=number), version=version)


@dataclass
class FakeCase:
    """As much of a case as rounds look at."""

    number: str
    version: str
    source: str = "main"
    kind: Kind[Any] = PURCHASE_ORDERS

    @property
    def key(self) -> DocumentKey:
        return DocumentKey(self.source, self.kind, self.number)


@dataclass
class FakeCaseOpener:
    """Remembers what it was told to look at."""

    open: list[FakeCase] = field(default_factory=list)
    searched: dict[tuple[str, str], datetime] = field(default_factory=lambda: dict(SEARCHED))
    told: list[tuple[str, str, bool]] = field(default_factory=list)
    ruled_kinds: frozenset[str] = frozenset({"po"})
    came: asyncio.Event = field(default_factory=asyncio.Event)
    troubles: dict[str, Exception] = field(default_factory=dict)
    strangers: frozenset[tuple[str, str]] = frozenset()

    async def sync_document(self, key: DocumentKey, *, quiet: bool = False) -> None:
        if key.number in self.troubles:
            raise self.troubles[key.number]
        self.told.append((key.source, key.number, quiet))
        self.came.set()

    async def searches(self) -> dict[tuple[str, str], datetime]:
        return self.searched

    async def mark_searched(self, source: str, kind: Kind[Any]) -> None:
        self.searched[source, kind.command] = NOW

    def has_account(self, user_id: str, source: str) -> bool:
        return (user_id, source) not in self.strangers

    async def open_cases(self) -> Sequence[FakeCase]:
        return self.open


@dataclass
class FakeOrderSource:
    """A source's list; ``down`` makes it fail."""

    orders: list[PurchaseOrder]
    down: bool = False
    asked: int = 0

    async def documents(self, kind: Kind[Any], query: ListQuery) -> Slice[PurchaseOrder]:
        assert kind == PURCHASE_ORDERS
        assert query.filter is Filter.PENDING
        self.asked += 1
        if self.down:
            raise Unavailable("away")
        page = self.orders[query.offset : query.offset + query.limit]
        return Slice(items=tuple(page), total=len(self.orders))


def make_poller(cases: FakeCaseOpener, backlog: bool = False, **sources: FakeOrderSource) -> PendingPoller:
    deciding = {name: DecidingSource(source, {"po": PURCHASE_ORDERS}) for name, source in sources.items()}  # type: ignore[arg-type]  # as much as is used
    return PendingPoller(cases, deciding, metrics=Metrics(), backlog=backlog)  # type: ignore[arg-type]  # as much as is used


async def test_what_waits_and_has_no_case_is_looked_at() -> None:
    cases = FakeCaseOpener(open=[FakeCase("PO-1", "v1")])
    await make_poller(cases, main=FakeOrderSource([order("PO-1"), order("PO-2")])).poll()
    assert cases.told == [("main", "PO-2", False)]


async def test_what_changed_is_looked_at() -> None:
    cases = FakeCaseOpener(open=[FakeCase("po-1", "v1")])
    await make_poller(cases, main=FakeOrderSource([order("PO-1", "v2")])).poll()
    assert cases.told == [("main", "PO-1", False)]


async def test_what_no_longer_waits_is_looked_at() -> None:
    cases = FakeCaseOpener(open=[FakeCase("PO-1", "v1"), FakeCase("PO-9", "v1", source="other")])
    await make_poller(cases, main=FakeOrderSource([])).poll()
    assert cases.told == [("main", "PO-1", False)]


async def test_long_lists_are_read_to_their_end() -> None:
    cases, source = FakeCaseOpener(), FakeOrderSource([order(f"PO-{number}") for number in range(120)])
    await make_poller(cases, main=source).poll()
    assert len(cases.told) == 120
    assert source.asked == 3


@each_row(
    ("searched", "backlog", "quiet"),
    [({}, False, True), ({}, True, False), ({("main", "order"): NOW}, False, True), (SEARCHED, False, False)],
)
async def test_what_waited_before_the_first_look_is_only_listed(
    searched: dict[tuple[str, str], datetime], backlog: bool, quiet: bool
) -> None:
    cases = FakeCaseOpener(searched=dict(searched))
    await make_poller(cases, backlog, main=FakeOrderSource([order("PO-1")])).poll()
    assert cases.told == [("main", "PO-1", quiet)]


async def test_what_comes_between_two_rounds_at_once_did_not_wait_before() -> None:
    class Slow(FakeOrderSource):
        async def documents(self, kind: Kind[Any], query: ListQuery) -> Slice[PurchaseOrder]:
            there = await super().documents(kind, query)
            await asyncio.sleep(0)
            if self.asked == 1:
                self.orders, cases.searched = [*self.orders, order("PO-2")], dict(SEARCHED)
            return there

    cases = FakeCaseOpener(searched={})
    one = make_poller(cases, main=Slow([order("PO-1")]))
    await asyncio.gather(one.poll(), one.poll())
    assert ("main", "PO-1", True) in cases.told
    assert ("main", "PO-2", False) in cases.told


async def test_where_nothing_waited_at_the_first_look_the_first_order_is_news() -> None:
    cases, source = FakeCaseOpener(searched={}), FakeOrderSource([], down=True)
    one = make_poller(cases, main=source)
    await one.poll()  # to be away is no look
    source.down = False
    source.orders = [order("PO-1")]
    await one.poll()
    assert cases.told == [("main", "PO-1", True)]
    empty = FakeOrderSource([])
    one = make_poller(cases := FakeCaseOpener(searched={}), main=empty)
    await one.poll()
    empty.orders = [order("PO-2")]
    await one.poll()
    assert cases.told == [("main", "PO-2", False)]


async def test_a_source_that_is_down_does_not_matter_to_the_others() -> None:
    cases = FakeCaseOpener()
    await make_poller(cases, first=FakeOrderSource([], down=True), second=FakeOrderSource([order("PO-1")])).poll()
    assert cases.told == [("second", "PO-1", False)]


@each_row(
    ("trouble", "said"),
    [
        (Unusable("PO-1", "no lines"), "approvals.not_read"),
        (Invalid("no"), "approvals.not_read"),
        (NotPermitted("no"), "approvals.not_read"),
        (CaseConflict("c"), "approvals.not_read"),
        (LookupError("a defect"), "approvals.defect"),
    ],
)
async def test_a_document_that_cannot_be_read_does_not_matter_to_the_others_and_is_told_once(
    trouble: Exception, said: str
) -> None:
    cases = FakeCaseOpener(
        searched={}, open=[FakeCase("PO-8", "v1"), FakeCase("PO-9", "v1")], troubles={"PO-1": trouble, "PO-8": trouble}
    )
    one = make_poller(cases, main=FakeOrderSource([order("PO-1"), order("PO-2")]))
    with capture_logs() as logs:
        await one.poll()
        await one.poll()
    assert cases.told[:2] == [("main", "PO-2", True), ("main", "PO-9", False)]
    assert ("main", "po") in cases.searched
    assert [(line["event"], line["number"]) for line in logs] == [
        (said, "PO-1"),
        (said, "PO-8"),
    ]
    cases.troubles.clear()
    await one.poll()
    assert ("main", "PO-1", False) in cases.told


async def test_a_source_that_breaks_off_is_no_trouble_of_a_document() -> None:
    cases = FakeCaseOpener(troubles={"PO-1": Unavailable("away")})
    with capture_logs() as logs:
        await make_poller(cases, main=FakeOrderSource([order("PO-1"), order("PO-2")])).poll()
    assert cases.told == []
    assert [line["event"] for line in logs] == ["approvals.source_not_read"]


async def test_what_is_heard_of_is_looked_at_at_once() -> None:
    cases = FakeCaseOpener()
    one = make_poller(cases, main=FakeOrderSource([]))
    running = asyncio.create_task(one.listen())
    try:
        one.notify("main", "po", "PO-7")
        one.notify("main", "po", "PO-7")
        one.notify("nowhere", "po", "PO-8")
        one.notify("main", "stock", "PO-9")
        async with asyncio.timeout(60):
            await cases.came.wait()
    finally:
        running.cancel()
        await asyncio.wait((running,))
    assert cases.told == [("main", "PO-7", False)]


class FakeIntake:
    """An intake that takes everything."""

    async def accept(self, source: str, events: Sequence[object], *, via: str) -> IntakeOutcome:
        return IntakeOutcome(accepted=len(events), duplicate=0)


class FailingIntake:
    """An intake whose database is away."""

    async def accept(self, source: str, events: Sequence[object], *, via: str) -> IntakeOutcome:
        raise Unavailable("away")


@each_row(
    ("event", "mentions"),
    [
        ({"type": "po.submitted", "subject": "PO-1"}, ["po PO-1"]),
        ({"type": "po.changed", "subject": "x", "data": {"number": "PO-2"}}, ["po PO-2"]),
        ({"type": "po.submitted", "data": {"items": [{"number": "1"}, {"number": "2"}, 5]}}, ["po 1", "po 2"]),
        ({"type": "order.created", "subject": "SO-1"}, ["order SO-1"]),
        ({"type": "stock.low", "subject": "SKU1"}, ["stock SKU1"]),
        ({"type": 7, "subject": "PO-1"}, []),
        ({"type": "po.submitted", "subject": 5, "data": "text"}, []),
        ({"type": "po.submitted", "subject": "PO-5", "data": {"items": "text"}}, ["po PO-5"]),
        (UnreadableEvent("po.submitted", "no JSON"), []),
    ],
)
async def test_which_documents_events_are_about(
    event: dict[str, object] | UnreadableEvent, mentions: list[str]
) -> None:
    heard: list[tuple[str, ...]] = []
    door = MentionListener(FakeIntake(), lambda *told: heard.append(told))
    assert (await door.accept("main", [event], via="webhook")).accepted == 1
    assert heard == [("main", *mention.split()) for mention in mentions]


async def test_a_batch_with_values_that_are_no_events_is_heard_without_them() -> None:
    heard: list[str] = []
    intake = MentionListener(FakeIntake(), lambda source, area, number: heard.append(number))
    hook = build_webhook("main", secrets=["whsec_" + "QUFB" * 8])
    body = [1, None, [[]], "x", {"type": "po.submitted", "subject": "PO-1"}]
    events = hook.translate(body, TranslationContext(datetime(2026, 11, 27, tzinfo=UTC)))
    await intake.accept("main", events, via="webhook")
    assert heard == ["PO-1"]


async def test_what_is_not_stored_is_not_heard() -> None:
    heard: list[tuple[str, str]] = []
    door = MentionListener(
        FailingIntake(), lambda source, area, number: heard.append((source, number)) if area == "po" else None
    )
    with pytest.raises(Unavailable):
        await door.accept("main", [{"type": "po.submitted", "subject": "PO-1"}], via="webhook")
    assert heard == []


async def test_a_first_look_that_was_cut_short_is_still_the_first() -> None:
    cases = FakeCaseOpener(searched={}, open=[FakeCase("PO-1", "v1")])
    await make_poller(cases, main=FakeOrderSource([order("PO-1"), order("PO-2")])).poll()
    assert cases.told == [("main", "PO-2", True)]


@each_row(
    ("searched", "said"),
    [
        ({}, ["The first search of “main” has not ended: more may wait there."]),
        ({("main", "order"): NOW}, ["The first search of “main” has not ended: more may wait there."]),
        ({("main", "po"): NOW - timedelta(minutes=5)}, []),
        (
            {("main", "po"): NOW - timedelta(minutes=6)},
            ["“main” was last searched at 2026-11-24 08:54:00+00:00: what came later may be missing."],
        ),
    ],
)
async def test_readers_are_told_what_a_list_may_lack(
    searched: dict[tuple[str, str], datetime], said: list[str]
) -> None:
    cases = FakeCaseOpener(searched=searched)
    gaps = SearchGaps(cases, {"main": ["po"]})  # type: ignore[arg-type]  # as much as is used
    assert [str(each) for each in await gaps.tell("wang", NOW, lambda _source: True)] == said
    assert await gaps.tell("wang", NOW, lambda _source: False) == ()
    cases.strangers = frozenset({("wang", "main")})
    assert await gaps.tell("wang", NOW, lambda _source: True) == ()
