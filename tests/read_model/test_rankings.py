"""What is added up by partner and by product, out of the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.erp.model import Area, OrderLine, OrderStatus
from bot.read_model.rankings import rank_debts, rank_products, rank_turnover
from tests.read_model.conftest import ReadModelBot
from tests.read_model.ledger import TODAY, LedgerClock, LedgerOfBatches, invoice, sales_order, yuan

OpenBot = Callable[..., ReadModelBot]
WEEK = timedelta(days=6)


def line(sku: str, quantity: str, amount: str) -> OrderLine:
    return OrderLine(sku=sku, name=sku, unit="个", quantity=Decimal(quantity), amount=yuan(amount))


async def test_orders_and_their_lines_of_some_days_are_added_up(open_bot: OpenBot, clock: LedgerClock) -> None:
    orders = (
        sales_order("SO-1", customer="甲", total=yuan("30"), lines=(line("A", "1", "10"), line("B", "4", "20"))),
        sales_order("SO-2", TODAY - WEEK, customer="乙", total=yuan("50"), lines=(line("a", "5", "50"),)),
        sales_order("SO-3", TODAY - 2 * WEEK, customer="乙", total=yuan("900"), lines=(line("C", "9", "900"),)),
        sales_order(
            "SO-4", customer="丙", total=yuan("700"), status=OrderStatus.CANCELLED, lines=(line("B", "7", "700"),)
        ),
    )
    bot = open_bot(LedgerOfBatches(clock, *orders))
    await bot.follow()
    bought = (await rank_turnover(bot.model, Area.SALES, TODAY - WEEK, TODAY)).value
    assert [(each.partner, each.amount) for each in bought.sums] == [("乙", yuan("50")), ("甲", yuan("30"))]
    sold = (await rank_products(bot.model, TODAY - WEEK, TODAY)).value
    assert [(each.sku, each.amount, each.quantity) for each in sold.sums] == [
        ("A", yuan("60"), Decimal(6)),
        ("B", yuan("20"), Decimal(4)),
    ]
    assert (sold.totals, sold.unread) == ((yuan("80"),), 0)


async def test_a_debt_is_what_is_open_less_credit_notes(open_bot: OpenBot, clock: LedgerClock) -> None:
    owed = invoice("INV-1", customer="甲", total=yuan("90"), open_amount=yuan("40"), due_on=TODAY - WEEK)
    credit = replace(owed, id="CN-1", number="CN-1", open_amount=yuan("-15"), is_credit_note=True)
    bot = open_bot(LedgerOfBatches(clock, owed, credit))
    await bot.follow()
    (found,) = (await rank_debts(bot.model, Area.FINANCE, TODAY)).value.sums
    assert (found.partner, found.amount, found.overdue, found.days_overdue) == ("甲", yuan("25"), yuan("40"), 6)
