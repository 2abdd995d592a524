"""What documents count for stays what the documents say, whatever happens to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest

from bot.erp.model import (
    Area,
    ErpRecord,
    Feed,
    InvoiceStatus,
    Money,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    PaymentStatus,
    ProductionStatus,
    ReviewState,
)
from bot.erp.narrowing import Narrowing
from bot.read_model.report import ReportSpan, read_figures
from bot.read_model.tallies import Tallies, Tally, TallyKey, TallyKind, TallySelection, tally_documents
from tests.read_model.conftest import ReadModelBot
from tests.read_model.ledger import (
    TODAY,
    LedgerClock,
    LedgerOfBatches,
    bill,
    invoice,
    payment,
    production,
    purchase,
    sales_order,
    yuan,
)
from tests.rows import each_row

OpenBot = Callable[..., ReadModelBot]


def drawn(rng: Random, number: int) -> ErpRecord:
    day = None if rng.random() < 0.1 else TODAY - timedelta(days=rng.randrange(60))
    due = None if day is None or rng.random() < 0.2 else day + timedelta(days=rng.randrange(40))
    total = None if rng.random() < 0.1 else Money(Decimal(rng.randrange(1, 99_999)) / 100, rng.choice(("CNY", "USD")))
    match number % 6:
        case 0:
            return sales_order(
                f"SO-{number}", day, status=rng.choice(list(OrderStatus)), total=total, promised_on=due, lines=()
            )
        case 1:
            credit = rng.random() < 0.3
            left = total if rng.random() < 0.5 else Money(Decimal("0.50"), total.currency) if total else None
            return invoice(
                f"INV-{number}",
                day,
                status=rng.choice(list(InvoiceStatus)),
                total=total,
                open_amount=left,
                due_on=due,
                is_credit_note=credit,
            )
        case 3:
            return payment(
                f"PAY-{number}",
                day,
                status=rng.choice(list(PaymentStatus)),
                partner_kind=rng.choice(list(PartnerKind)),
                direction=rng.choice(list(PaymentDirection)),
                amount=total,
            )
        case 4:
            return bill(f"BILL-{number}", day, status=rng.choice(list(InvoiceStatus)), total=total, due_on=due)
        case 2:
            return purchase(
                f"PO-{number}", day, status=rng.choice(list(ReviewState)), total=total, due_on=due, lines=()
            )
    return production(f"MO-{number}", day, status=rng.choice(list(ProductionStatus)), due_on=due)


def cleaned(tallies: Tallies) -> dict[date | None, Tally]:
    """Return tallies without currencies that came to nothing."""
    for tally in tallies.values():
        for sums in (tally.sums, tally.paid, tally.owed):
            for currency in [currency for currency, amount in sums.items() if not amount]:
                del sums[currency]
    return dict(tallies)


@each_row(
    ("what", "paid"),
    [
        ({}, "100.00"),
        ({"is_reversed": True}, None),
        ({"is_credit_note": True}, None),
    ],
)
def test_credit_notes_move_no_money_and_count(what: dict[str, bool], paid: str | None) -> None:
    settled = invoice("INV-1", status=InvoiceStatus.PAID, **{"open_amount": yuan("0"), **what})
    issued = tally_documents([settled])[TallyKey(TallyKind.TURNOVER, TODAY)]
    assert issued.paid.get("CNY") == (None if paid is None else Decimal(paid))
    assert issued.sums["CNY"] == (-100 if settled.is_credit_note else 100)


async def check(bot: ReadModelBot) -> None:
    """Compare what is kept with what is counted anew, as for a reader who may not see all documents."""
    anew = bot.model.narrowed(
        bot.hub.narrowed(Narrowing({}, lambda _: frozenset(), frozenset(Area) - {Area.PRODUCTS, Area.STOCK}))
    )
    for area in (Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION, Feed.BILLS, Feed.PAYMENTS):
        for kind in TallyKind:
            since, until = (None, None) if kind is TallyKind.DUE else (TODAY - timedelta(days=50), TODAY)
            wanted = TallySelection(area=area, kind=kind, since=since, until=until)
            (kept,), (counted,) = await bot.model.tallies(wanted), await anew.tallies(wanted)
            assert cleaned(kept.value) == cleaned(counted.value), (area, kind)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(3))
async def test_they_follow_every_change(open_bot: OpenBot, clock: LedgerClock, seed: int) -> None:
    rng = Random(seed)
    ledger = LedgerOfBatches(clock, *map(partial(drawn, rng), range(120)))
    bot = open_bot(ledger, keep=timedelta(days=70))
    await bot.follow()
    await check(bot)
    for _ in range(6):
        clock.advance(minutes=1)
        ledger.save(*map(partial(drawn, rng), rng.sample(range(140), 25)))
        await bot.follow()
        await check(bot)
    for area in (Area.SALES, Area.FINANCE):
        for number in rng.sample(sorted(ledger.kept[area]), 8):
            ledger.delete(area, number)
    clock.advance(days=30)
    await bot.follow()
    await check(bot)
    clock.advance(days=300)
    await bot.follow()
    await check(bot)


async def test_nothing_is_left_of_another_erp(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = open_bot(LedgerOfBatches(clock, sales_order("SO-1")))
    await bot.follow()
    await bot.store.keep_only(["other"])
    wanted = TallySelection(area=Area.SALES, kind=TallyKind.TURNOVER, since=TODAY, until=TODAY)
    assert [found.value for found in await bot.model.tallies(wanted)] == [{}]


async def test_a_report_reads_its_tables_twice(
    open_bot: OpenBot, clock: LedgerClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(5)
    bot = open_bot(LedgerOfBatches(clock, *map(partial(drawn, rng), range(40))))
    await bot.follow()
    reads: list[str] = []
    for name in ("positions", "tallies", "documents"):
        whole = getattr(bot.store, name)

        async def counted(*given: Any, name: str = name, whole: Any = whole) -> Any:
            reads.append(name)
            return await whole(*given)

        monkeypatch.setattr(bot.store, name, counted)
    figures = await read_figures(bot.model, tuple(Area), ReportSpan.of(TODAY.replace(day=1), TODAY, TODAY), TODAY)
    assert figures.sales
    assert reads == ["positions", "tallies"], "each read waits for a thread and for the event loop"
