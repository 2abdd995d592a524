"""Documents are followed without a gap: first filled by the lists, then by what changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from bot.erp.errors import Invalid, Unavailable, Unsupported
from bot.erp.model import (
    Area,
    Changes,
    ErpRecord,
    Feed,
    Followed,
    InvoiceStatus,
    OrderStatus,
    ProductionStatus,
    Progress,
    ReviewState,
)
from bot.erp.narrowing import Narrowing
from bot.outbox.happenings import EVENT_KIND, Happening, Receiver
from bot.read_model import follower as follower_module
from bot.read_model.report import ReportSpan, read_figures
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from bot.store.tables import DELIVERY, KEPT_DOCUMENT
from tests.read_model.conftest import ReadModelBot
from tests.read_model.ledger import (
    TODAY,
    Ledger,
    LedgerClock,
    LedgerOfBatches,
    bill,
    delivery,
    invoice,
    payment,
    production,
    purchase,
    quotation,
    receipt,
    sales_order,
)

OpenBot = Callable[..., ReadModelBot]
EACH_AREA = (Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION)

FIRST = date(2024, 1, 1)
LONG_AGO = TODAY - timedelta(days=500)


async def numbers(bot: ReadModelBot, area: Followed = Area.SALES) -> set[str]:
    found = await bot.model.documents(area, FIRST, TODAY)
    return {document.number for document in found.value}


async def one(bot: ReadModelBot, number: str, area: Followed = Area.SALES) -> ErpRecord:
    found = await bot.model.documents(area, FIRST, TODAY)
    return next(document for document in found.value if document.number == number)


@pytest.mark.parametrize("kind", [Ledger, LedgerOfBatches])
async def test_all_documents_are_kept_as_the_erp_tells_them(
    open_bot: OpenBot, clock: LedgerClock, kind: type[Ledger]
) -> None:
    documents: list[Any] = [sales_order("SO-1"), invoice("INV-1"), purchase("PO-1"), production("MO-1")]
    documents += [bill("BILL-1"), payment("PAY-1"), delivery("DN-1"), quotation("QT-1"), receipt("GRN-1")]
    bot = open_bot(kind(clock, *documents))
    await bot.follow()
    for area, document in zip((*EACH_AREA, *Feed), documents, strict=True):
        kept = await one(bot, document.number, area)
        for name in document.__slots__:
            if name != "lines":
                assert getattr(kept, name) == getattr(document, name), name
    (line,) = (await bot.model.lines_of(Area.SALES, "sku1")).value
    assert line.line == documents[0].lines[0]
    assert line.document.number == "SO-1"
    (made,) = (await bot.model.lines_of(Area.PRODUCTION, "SKU1")).value
    assert made.document == documents[3]
    assert made.line is None


async def test_a_purchase_order_is_kept_in_the_words_of_earlier_versions(
    open_bot: OpenBot, clock: LedgerClock, database: Database
) -> None:
    await open_bot(Ledger(clock, purchase("PO-1", status=ReviewState.APPROVED, requester="u_wang"))).follow()
    kept = select(KEPT_DOCUMENT.c.document)
    (text,) = await database.read(lambda connection: connection.execute(kept).scalars().all())
    known = orjson.loads(text)
    assert (known["status"], known["requester"], known["approval"]) == ("approved", "u_wang", None)
    assert "review" not in known


async def test_what_changes_is_read_and_nothing_else(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, *(sales_order(f"SO-{n}", status=OrderStatus.CLOSED) for n in range(250)))
    bot = open_bot(ledger)
    await bot.follow()
    assert len(await numbers(bot)) == 250
    ledger.asked.clear()
    clock.advance(minutes=5)
    ledger.save(sales_order("SO-7", status=OrderStatus.DELIVERED), sales_order("SO-250"))
    await bot.follow()
    assert sorted(call for call in ledger.asked if call != "changes") == ["order SO-250", "order SO-7"]
    assert len(await numbers(bot)) == 251
    assert (await one(bot, "SO-7")).status is OrderStatus.DELIVERED
    assert (await bot.model.coverage(Area.SALES)).as_of == clock.now()


async def test_a_first_walk_reads_no_document_by_itself_where_the_source_can_read_many(
    open_bot: OpenBot, clock: LedgerClock
) -> None:
    ledger = LedgerOfBatches(clock, *(sales_order(f"SO-{n}") for n in range(250)))
    bot = open_bot(ledger)
    await bot.follow()
    assert not any(call.startswith("order ") for call in ledger.asked)
    # All are open: they stand in the list of all and in that of what is open.
    assert ledger.asked.count("batch") == 2 * 3
    assert len((await bot.model.lines_of(Area.SALES, "SKU1")).value) == 250


async def test_without_batches_the_lines_of_open_documents_are_read_once(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, sales_order("SO-1"), sales_order("SO-2", status=OrderStatus.CLOSED))
    bot = open_bot(ledger)
    await bot.follow()
    assert [call for call in ledger.asked if call.startswith("order ")] == ["order SO-1"]
    clock.advance(days=1, hours=1)
    await bot.follow()
    assert [call for call in ledger.asked if call.startswith("order ")] == ["order SO-1"], "a walk keeps the lines"
    assert [line.document.number for line in (await bot.model.lines_of(Area.SALES, "SKU1")).value] == ["SO-1"]


async def test_old_documents_are_kept_only_while_they_are_open(open_bot: OpenBot, clock: LedgerClock) -> None:
    late = TODAY - timedelta(days=400)
    ledger = Ledger(
        clock,
        *(sales_order(f"SO-{n}") for n in range(150)),
        *(sales_order(f"SO-OLD-{n}", LONG_AGO, status=OrderStatus.CLOSED) for n in range(250)),
        sales_order("SO-LATE", LONG_AGO, promised_on=late),
        invoice("INV-OLD", LONG_AGO, due_on=late),
        invoice("INV-PAID", LONG_AGO, status=InvoiceStatus.PAID),
    )
    bot = open_bot(ledger)
    await bot.follow()
    assert await numbers(bot) == {f"SO-{n}" for n in range(150)} | {"SO-LATE"}
    assert await numbers(bot, Area.FINANCE) == {"INV-OLD"}
    clock.advance(minutes=1)
    ledger.save(invoice("INV-OLD", LONG_AGO, status=InvoiceStatus.PAID))
    await bot.follow()
    assert await numbers(bot, Area.FINANCE) == set()


async def test_documents_are_forgotten_when_they_become_old(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = open_bot(
        Ledger(clock, sales_order("SO-1", status=OrderStatus.CLOSED), sales_order("SO-2")), keep=timedelta(days=30)
    )
    await bot.follow()
    clock.advance(days=40)
    await bot.follow()
    assert await numbers(bot) == {"SO-2"}


async def test_what_a_payment_settles_stays_known_though_lists_leave_it_out(
    open_bot: OpenBot, clock: LedgerClock
) -> None:
    bot = open_bot(ledger := Ledger(clock))
    await bot.follow()
    ledger.save(payment("PAY-1", settles=("INV-1", "INV-2")))
    await bot.follow()
    clock.advance(hours=25)  # the lists are walked again
    await bot.follow()
    kept: Any = await one(bot, "PAY-1", Feed.PAYMENTS)
    assert kept.settles == ("INV-1", "INV-2")


async def test_what_was_deleted_is_gone_after_the_next_walk(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, *(sales_order(f"SO-{n}") for n in range(30)))
    bot = open_bot(ledger)
    await bot.follow()
    ledger.delete(Area.SALES, "SO-3")
    clock.advance(hours=23)
    await bot.follow()
    assert "SO-3" in await numbers(bot)
    clock.advance(hours=2)
    await bot.follow()
    assert await numbers(bot) == {f"SO-{n}" for n in range(30)} - {"SO-3"}
    assert all(line.document.number != "SO-3" for line in (await bot.model.lines_of(Area.SALES, "SKU1")).value)


async def test_what_a_list_does_not_show_is_asked_for_before_it_is_dropped(
    open_bot: OpenBot, clock: LedgerClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(clock, *(sales_order(f"SO-{n}") for n in range(3)))
    bot = open_bot(ledger)
    await bot.follow()
    hidden = ledger.kept[Area.SALES].pop("SO-1")
    clock.advance(days=2)
    ask = ledger.document

    async def ask_hidden(kind: Any, number: str) -> Any:
        return hidden if number == "SO-1" else await ask(kind, number)

    monkeypatch.setattr(ledger, "document", ask_hidden)
    await bot.follow()
    assert await numbers(bot) == {"SO-0", "SO-1", "SO-2"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("answered", range(1, 24, 5))
async def test_an_interrupted_walk_goes_on_and_misses_nothing(
    open_bot: OpenBot, clock: LedgerClock, answered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "PAGE", 4)
    monkeypatch.setattr(follower_module, "PAGES_BETWEEN", 2)
    ledger = Ledger(clock, *(sales_order(f"SO-{n}", status=OrderStatus.CLOSED) for n in range(20)))
    bot = open_bot(ledger)
    ledger.fail(Invalid("no"), after=answered)
    await bot.follow()
    ledger.error = None
    clock.advance(minutes=1)
    ledger.save(sales_order("SO-0", status=OrderStatus.OPEN), sales_order("SO-20"))
    again = bot.follower("main")
    await again.catch_up()
    assert await numbers(bot) == {f"SO-{n}" for n in range(21)}
    assert (await one(bot, "SO-0")).status is OrderStatus.OPEN
    assert (await bot.model.coverage(Area.SALES)).is_complete_from(TODAY)


async def test_what_changes_while_a_walk_is_under_way_is_not_missed(
    open_bot: OpenBot, clock: LedgerClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "PAGE", 4)
    ledger = Ledger(clock, *(sales_order(f"SO-{n:02}", status=OrderStatus.CLOSED) for n in range(20)))
    bot = open_bot(ledger)
    read = ledger.documents

    async def read_and_change(kind: Any, query: Any) -> Any:
        found = await read(kind, query)
        if kind.area is Area.SALES and query.offset == 8:
            clock.advance(minutes=1)
            ledger.save(sales_order("SO-01", status=OrderStatus.CANCELLED), sales_order("SO-99"))
        return found

    monkeypatch.setattr(ledger, "documents", read_and_change)
    await bot.follow()
    assert (await one(bot, "SO-01")).status is OrderStatus.CANCELLED
    assert "SO-99" in await numbers(bot)


async def test_another_erp_behind_the_name_is_read_anew(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, sales_order("SO-1"))
    bot = open_bot(ledger)
    await bot.follow()
    other = Ledger(clock, sales_order("X-1"))
    changed_since = other.changed_since

    async def refuse(area: Followed, cursor: str, *, limit: int) -> Any:
        if cursor and "X" not in str(other.asked):
            other.asked.append("X")
            raise Invalid("not my cursor")
        return await changed_since(area, cursor, limit=limit)

    other.changed_since = refuse  # type: ignore[method-assign]
    bot = open_bot(other)
    await bot.follow()
    assert await numbers(bot) == {"X-1"}


async def test_two_processes_do_not_disturb_each_other(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, *(sales_order(f"SO-{n}") for n in range(50)))
    bot = open_bot(ledger)
    other = bot.follower("main")
    for _ in range(3):
        await bot.follow()
        await other.catch_up()
    assert len(await numbers(bot)) == 50
    ledger.asked.clear()
    assert await other.catch_up(unless_within=30)
    assert ledger.asked == []


async def test_a_source_that_is_down_is_noted_and_goes_on_later(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, sales_order("SO-1"))
    bot = open_bot(ledger)
    ledger.fail(Unavailable("away"))
    assert await bot.followers[0].catch_up()
    positions = await bot.store.positions()
    assert positions["main", Area.SALES].trouble == "Unavailable"
    assert (await bot.model.coverage(Area.SALES)).sources_missing == ("main",)
    ledger.error = None
    clock.advance(minutes=1)
    await bot.follow()
    assert (await bot.store.positions())["main", Area.SALES].trouble == ""
    assert await numbers(bot) == {"SO-1"}


async def test_an_area_without_changes_is_given_up_and_the_others_are_not(
    open_bot: OpenBot, clock: LedgerClock
) -> None:
    ledger = Ledger(clock, sales_order("SO-1"), invoice("INV-1"))
    changed_since = ledger.changed_since

    async def refuse(area: Followed, cursor: str, *, limit: int) -> Any:
        if area is Area.SALES:
            raise Unsupported("no changes of orders here")
        return await changed_since(area, cursor, limit=limit)

    ledger.changed_since = refuse  # type: ignore[method-assign]
    bot = open_bot(ledger)
    await bot.follow()
    assert (await bot.model.coverage(Area.SALES)).sources_missing == ("main",)
    assert (await bot.model.coverage(Area.FINANCE)).sources_missing == ()
    ledger.asked.clear()
    await bot.follow()
    assert "orders" not in ledger.asked


async def test_what_is_open_and_what_may_become_so_is_unfinished(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(
        clock,
        purchase("PO-1"),
        purchase("PO-2", received=Progress.FULL),
        purchase("PO-3", status=ReviewState.WAITING),
        purchase("PO-4", status=ReviewState.REJECTED),
        sales_order("SO-1", status=OrderStatus.DRAFT),
        sales_order("SO-2", status=OrderStatus.ON_HOLD),
        sales_order("SO-3", status=OrderStatus.DELIVERED),
    )
    bot = open_bot(ledger)
    await bot.follow()
    for area, expected in ((Area.PURCHASING, {"PO-1", "PO-3"}), (Area.SALES, {"SO-1", "SO-2"})):
        found = await bot.model.fold(area, tuple, unfinished=True)
        assert {document.number for document in found.value} == expected


async def test_what_waits_for_a_decision_counts_whatever_its_age(open_bot: OpenBot, clock: LedgerClock) -> None:
    waiting = purchase("PO-1", LONG_AGO - timedelta(days=1), status=ReviewState.WAITING)
    old = [purchase(f"PO-OLD-{n}", LONG_AGO, status=ReviewState.DONE) for n in range(120)]
    bot = open_bot(Ledger(clock, *old, waiting))
    await bot.follow()
    clock.advance(days=1, hours=1)
    await bot.follow()
    figures = await read_figures(bot.model, (Area.PURCHASING,), ReportSpan.of(TODAY, TODAY, TODAY), TODAY)
    assert figures.purchases
    assert figures.purchases.waiting == 1


async def test_production_is_of_the_day_on_which_it_begins_and_counts_where_it_is_due(
    open_bot: OpenBot, clock: LedgerClock
) -> None:
    begun = TODAY - timedelta(days=300)
    made = production("MO-1", TODAY, start_on=begun, status=ProductionStatus.DONE)
    bot = open_bot(Ledger(clock, made, production("MO-2", begun, due_on=None)), keep=timedelta(days=250))
    await bot.follow()
    clock.advance(days=1, hours=1)
    await bot.follow()
    day = await bot.model.documents(Area.PRODUCTION, begun, begun)
    assert {document.number for document in day.value} == {"MO-1", "MO-2"}
    hidden = bot.hub.narrowed(Narrowing({}, lambda _: frozenset(), frozenset({Area.PRODUCTION})))
    for model in (bot.model, bot.model.narrowed(hidden)):
        figures = await read_figures(model, (Area.PRODUCTION,), ReportSpan.of(TODAY, TODAY, TODAY), TODAY)
        assert figures.production
        assert (figures.production.due, figures.production.done) == (1, 1)


async def test_the_age_is_a_metric(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = open_bot(Ledger(clock, sales_order("SO-1")))
    await bot.follow()
    clock.advance(seconds=90)
    assert bot.metrics.registry.get_sample_value("dingerp_read_model_age_seconds", {"source": "main"}) == 90


class ChangesBehindTheReader(Ledger):
    """Its clock goes on, and an order is changed, after its changes were read and before anybody is told them."""

    behind: ErpRecord | None = None

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        changes = await super().changed_since(area, cursor, limit=limit)
        if self.behind is not None and area is Area.SALES:
            self.clock.advance(seconds=90)
            self.save(self.behind)
            self.behind = None
        return changes


async def test_what_is_kept_is_told_to_be_of_no_later_than_it_was_read(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = ChangesBehindTheReader(clock, sales_order("SO-1"))
    bot = open_bot(ledger)
    await bot.follow()
    clock.advance(seconds=60)
    before, ledger.behind = clock.now(), sales_order("SO-2")
    await bot.follow()
    assert await numbers(bot) == {"SO-1"}
    assert (await bot.model.coverage(Area.SALES)).as_of == before
    assert bot.metrics.registry.get_sample_value("dingerp_read_model_age_seconds", {"source": "main"}) == 90


async def test_a_document_that_cannot_be_read_does_not_hold_up_the_others(
    open_bot: OpenBot, clock: LedgerClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = LedgerOfBatches(clock, *(sales_order(f"SO-{n}") for n in range(5)))
    bot = open_bot(ledger)
    ask, read = ledger.document, ledger.read_documents

    async def refuse(kind: Any, number: str) -> Any:
        if number == "SO-3":
            raise Invalid("no date")
        return await ask(kind, number)

    async def refuse_many(area: Area, numbers: Any) -> Any:
        if "SO-3" in numbers:
            raise Invalid("no date")
        return await read(area, numbers)

    monkeypatch.setattr(ledger, "document", refuse)
    monkeypatch.setattr(ledger, "read_documents", refuse_many)
    await bot.follow()
    assert await numbers(bot) == {"SO-0", "SO-1", "SO-2", "SO-4"}
    assert (await bot.model.coverage(Area.SALES)).is_complete_from(TODAY)


async def test_programs_are_told_what_an_erp_reports_as_changed_and_not_what_is_read_for_the_first_time(
    database: Database, reads: Database, clock: LedgerClock
) -> None:
    receiver = Receiver(name="flow", owner="boss01", types=("document.*",))
    store = StoredDocuments(database, reads, receivers=[receiver], now=clock.now)
    ledger = Ledger(clock, sales_order("SO-1"), sales_order("SO-2"))
    bot = ReadModelBot(store, clock, (ledger,))
    await bot.follow()
    assert await _told(database) == []
    clock.advance(minutes=1)
    ledger.save(sales_order("SO-2"), sales_order("SO-3"))
    await bot.follow()
    assert sorted(await _told(database)) == ["order/SO-2", "order/SO-3"]
    await bot.hub.close()


async def _told(database: Database) -> list[str]:
    rows = await database.rows(select(DELIVERY).where(DELIVERY.c.kind == EVENT_KIND))
    return [Happening.from_text(row.ref).subject for row in rows]
