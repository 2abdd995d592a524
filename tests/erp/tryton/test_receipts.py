"""Tryton's receipts: what is none, on which day goods came in, and what a list costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.erp.errors import Ambiguous, NotFound, NotPermitted
from bot.erp.model.goods import GoodsReceipt
from bot.erp.port import Erp, ListQuery, Period
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.tryton import FakeTryton, TrytonUserError
from tests.erp.tryton.test_goods import goods, missing
from tests.erp.tryton.test_partners import Records

_IN, _BACK = "stock.shipment.in", "stock.shipment.in.return"


async def _listed(erp: Erp, query: ListQuery | None = None) -> list[str]:
    return [each.number for each in (await goods(erp).receipts(query or ListQuery(limit=99))).items]


async def test_drafts_and_what_was_cancelled_or_waits_to_leave_are_none(erp: Erp, server: FakeTryton) -> None:
    for number in ("GRN-draft", "GRN-cancelled", "RET-waiting"):
        with pytest.raises(NotFound):
            await goods(erp).receipt(number)
        assert number not in await _listed(erp)
    of_order = await goods(erp).receipts_of(next(iter(server.company.receipts.values())).order_numbers[0])
    assert not {"GRN-draft", "GRN-cancelled", "RET-waiting"} & {each.number for each in of_order}


async def test_goods_came_in_on_the_day_of_their_moves_not_when_they_were_put_away(
    erp: Erp, server: FakeTryton, company: ReferenceCompany
) -> None:
    late = next(row for row in server.table(_IN, {}, []) if _put_away_later(row))
    receipt = await goods(erp).receipt(late["number"])
    day = company.receipts[late["number"]].received_on
    assert day is not None
    assert (receipt.received_on, late["effective_date"] > day) == (day, True)
    assert late["number"] in await _listed(erp, ListQuery(during=Period(day, day), limit=99))
    put_away = Period(late["effective_date"], late["effective_date"])
    assert late["number"] not in await _listed(erp, ListQuery(during=put_away, limit=99))


def _put_away_later(row: dict[str, object]) -> bool:
    day = row["effective_date"]
    moves = row["incoming_moves"]
    assert isinstance(moves, list)
    return isinstance(day, date) and day > moves[0]["effective_date"]


async def test_pages_hold_every_receipt_once_though_each_was_put_away_weeks_later(
    erp: Erp, server: FakeTryton, company: ReferenceCompany
) -> None:
    first = next(each for each in company.receipts.values() if not each.is_return)
    assert first.received_on is not None
    many = [_copy(first, n, first.received_on - timedelta(days=n // 3)) for n in range(130)]
    company.receipts |= {each.number: each for each in many}

    def put_away(rows: Records) -> Records:
        later = timedelta(days=30)
        return [row | ({"effective_date": row["effective_date"] + later} if row["id"] % 7 == 0 else {}) for row in rows]

    server.alter(_IN, lambda rows: put_away([row for row in rows if row["effective_date"]]))
    whole = await _listed(erp, ListQuery(limit=999))
    assert len(whole) > 130
    paged: list[str] = []
    for offset in range(0, len(whole), 20):
        page = await goods(erp).receipts(ListQuery(offset=offset, limit=20))
        assert page.total == len(whole)
        paged += [each.number for each in page.items]
    assert paged == whole


def _copy(receipt: GoodsReceipt, n: int, day: date) -> GoodsReceipt:
    return replace(receipt, id=str(20_000 + n), number=f"GRN-{2_000 + n}", received_on=day)


async def test_without_lots_a_receipt_is_told_all_the_same(erp: Erp, server: FakeTryton) -> None:
    with_lots = [each for each in server.company.receipts.values() if any(line.lot for line in each.lines)]
    missing(server, "stock.lot")
    receipt = await goods(erp).receipt(with_lots[0].number)
    assert [line.lot for line in receipt.lines] == ["" for _ in with_lots[0].lines]


async def test_a_number_of_both_sides_is_no_guess(erp: Erp, server: FakeTryton) -> None:
    server.alter(_BACK, lambda rows: [row | {"number": "12"} for row in rows])
    server.alter(
        _IN,
        lambda rows: [row | {"number": "12" if row["state"] == "received" else row["number"]} for row in rows],
    )
    with pytest.raises(Ambiguous):
        await goods(erp).receipt("12")


async def test_a_missing_right_is_no_empty_list(erp: Erp, server: FakeTryton) -> None:
    def refused(_rows: Records) -> Records:
        raise TrytonUserError('You are not allowed to access "Supplier Shipment".')

    server.alter(_BACK, refused)
    for read in (goods(erp).receipts(ListQuery()), goods(erp).receipt("GRN-1001")):
        with pytest.raises(NotPermitted):
            await read


async def test_a_list_costs_three_requests_whatever_its_length(erp: Erp, server: FakeTryton) -> None:
    await erp.check()
    before = len(server.calls)
    await goods(erp).receipts(ListQuery(limit=5))
    assert len(server.calls) - before == 3
