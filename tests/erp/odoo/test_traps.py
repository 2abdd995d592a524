"""Odoo's traps, one test each (docs: platform/erp/odoo.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import KEY_MISSING, KEY_REFUSED, Ambiguous, CompanyNotChosen, NotFound, NotPermitted, Unavailable
from bot.erp.kinds import KINDS, Kind
from bot.erp.model import (
    Area,
    Decision,
    DecisionOutcome,
    Lot,
    OrderStatus,
    Progress,
    ReviewState,
    StockLevel,
    Verdict,
    WarehouseStock,
    by_expiry,
)
from bot.erp.odoo.adapter import OdooErp
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import name_of
from bot.kit.testing.erp_checks import all_changes, expected_numbers, filters_of, read_list
from bot.kit.testing.fake_erp import RequestKind as Request
from bot.kit.testing.gaps import comparable
from bot.kit.testing.reference_records import quantities
from tests.erp.fakes.odoo import FakeOdoo, key_of
from tests.erp.fakes.odoo_engine import Many2One, Record
from tests.erp.fakes.odoo_records import BOT, COMPANY
from tests.erp.odoo.conftest import Open, changed
from tests.erp.odoo.test_contract import gaps

RELEASES = [(14, 0), (16, 0), (17, 0), (18, 4)]
"""The first release of each behaviour; the contract covers 18 and 19."""
_GAPS = gaps()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
async def test_fields_differ_between_releases(kind: Kind[Any], release: tuple[int, int], open_odoo: Open) -> None:
    erp, server = await open_odoo(release)
    for record in list(server.company.documents(kind).values())[:12]:
        assert comparable(await erp.document(kind, record.number)) == comparable(_GAPS.expected(record))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
async def test_late_lists_of_all_releases(kind: Kind[Any], release: tuple[int, int], open_odoo: Open) -> None:
    erp, server = await open_odoo(release)
    records = [_GAPS.expected(record) for record in server.company.documents(kind).values()]
    for list_filter in filters_of(kind):
        query = ListQuery(filter=list_filter, limit=100)
        found = await read_list(erp, kind, query)
        assert [document.number for document in found.items] == expected_numbers(kind, records, query)


@pytest.mark.parametrize("release", RELEASES)
async def test_the_context_of_a_warehouse_has_two_names(release: tuple[int, int], open_odoo: Open) -> None:
    erp, _ = await open_odoo(release)
    level = await erp.stock("SKU123")
    places = {place.code: place.quantities for place in level.per_warehouse}
    assert places == {
        "MAIN": quantities("8600", "4000", "500", "4000"),
        "SH": quantities("2450"),
        "WEST": quantities("320", "20"),
    }
    assert level.reorder_point == 15000


# Stock


def of_many_warehouses(clock: Clock, count: int, *, in_lots: bool) -> ReferenceCompany:
    """Return the company with so many warehouses, each of which holds, awaits and owes some of every product.

    ``in_lots``: all that lies there is in two lots.
    """
    company = ReferenceCompany(now=clock.now)
    company.warehouses = {f"W{number:02}": f"仓库 {number}" for number in range(1, count + 1)}
    for sku, level in company.stock.items():
        places = tuple(
            WarehouseStock(code=code, name=name, quantities=quantities("100", "10", "7", "3"))
            for code, name in company.warehouses.items()
        )
        lots = tuple(
            Lot(
                number=f"L-{n}",
                quantity=Decimal(50),
                expires_on=company.today + timedelta(days=n),
                warehouse=place.code,
            )
            for place in places
            for n in (0, 30)
            if in_lots
        )
        company.stock[sku] = replace(level, per_warehouse=places, lots=lots)
    return company


@pytest.mark.sampled(5)
@pytest.mark.parametrize("release", [(17, 0), (18, 0), (19, 0)], ids=str)
@pytest.mark.parametrize("count", [1, 5, 30])
@pytest.mark.parametrize("in_lots", [False, True])
async def test_stock_costs_the_same_in_any_number_of_warehouses(
    count: int, in_lots: bool, release: tuple[int, int], open_odoo: Open, clock: Clock
) -> None:
    company = of_many_warehouses(clock, count, in_lots=in_lots)
    erp, server = await open_odoo(server=FakeOdoo(company, clock, release))
    await erp.stock("SKU200")
    server.requests.clear()
    level = await erp.stock("SKU123")
    assert server.requests.count(Request.READ) == 4
    assert len(level.per_warehouse) == count
    assert {place.quantities for place in level.per_warehouse} == {quantities("100", "10", "7", "3")}
    assert level.lots == by_expiry(company.stock["SKU123"].lots)
    server.requests.clear()
    levels = await asyncio.gather(*map(erp.stock, ("SKU123", "SKU124", "SKU125", "SKU126")))
    assert server.requests.count(Request.READ) <= 6
    assert [found.product.sku for found in levels] == ["SKU123", "SKU124", "SKU125", "SKU126"]


async def test_before_quants_had_last_days_lots_are_asked_for_them(open_odoo: Open, clock: Clock) -> None:
    company = of_many_warehouses(clock, 5, in_lots=True)
    erp, server = await open_odoo(server=FakeOdoo(company, clock, (16, 0)))
    await erp.stock("SKU200")
    server.requests.clear()
    assert (await erp.stock("SKU123")).lots == by_expiry(company.stock["SKU123"].lots)
    assert server.requests.count(Request.READ) == 5


async def test_one_unknown_code_among_several_is_no_fault_of_the_others(open_odoo: Open) -> None:
    erp, _ = await open_odoo()
    found = await asyncio.gather(*map(erp.stock, ("SKU123", "NO-SUCH-1", "sku124")), return_exceptions=True)
    assert [type(each) for each in found] == [StockLevel, NotFound, StockLevel]


async def test_goods_on_their_way_between_two_warehouses_are_no_change_of_the_whole(
    open_odoo: Open, clock: Clock
) -> None:
    erp, server = await open_odoo(server=FakeOdoo(of_many_warehouses(clock, 2, in_lots=False), clock))

    def moved(rows: list[Record]) -> list[Record]:
        sku = next(row for row in rows if row["product_id"].name.startswith("[SKU123]"))["product_id"]
        ends = {"location_id": server.records._location("W01"), "location_dest_id": server.records._location("W02")}
        transfer = {"product_id": sku, "product_qty": Decimal(20), "state": "assigned", "company_id": COMPANY}
        return [*rows, {**transfer, **ends, "id": 77, "write_date": clock.now()}]

    server.alter("stock.move", moved)
    level = await erp.stock("SKU123")
    figures = [(place.code, place.quantities.incoming, place.quantities.outgoing) for place in level.per_warehouse]
    assert figures == [("W01", Decimal(7), Decimal(23)), ("W02", Decimal(27), Decimal(3))]
    assert level.total.incoming == 14
    assert level.total.outgoing == 6


async def test_quants_that_do_not_add_up_are_not_trusted(open_odoo: Open) -> None:
    """Goods moving between two locations are in the product's total, but in no internal location."""
    erp, server = await open_odoo()
    server.alter("stock.quant", lambda rows: [row for row in rows if row["quantity"] != 200])
    sku = "SKU207"
    assert server.company.stock[sku].per_warehouse[0].quantities == quantities("200")
    level = await erp.stock(sku)
    assert level.per_warehouse[0].quantities == quantities("200")


async def test_several_quants_of_a_warehouse_are_one_place(open_odoo: Open) -> None:
    def halved(rows: list[Record]) -> list[Record]:
        figures = ("quantity", "reserved_quantity")
        halves = [row | {name: row[name] / 2 for name in figures} for row in rows]
        return [*halves, *({**row, "id": row["id"] + 50_000} for row in halves)]

    erp, server = await open_odoo()
    server.alter("stock.quant", halved)
    assert [place.quantities for place in (await erp.stock("SKU207")).per_warehouse] == [
        quantities("200"),
        quantities("20"),
    ]


async def test_one_code_of_two_products_is_not_guessed(open_odoo: Open) -> None:
    def more(rows: list[Record]) -> list[Record]:
        twin = {**rows[0], "id": 999, "name": "The other"}
        nameless = {**rows[0], "id": 998, "default_code": None, "name": "No code"}
        return [*rows, twin, nameless, {**rows[1], "id": 997, "active": False}]

    erp, server = await open_odoo()
    server.alter("product.product", more)
    with pytest.raises(Ambiguous, match="2 records"):
        await erp.stock("SKU123")
    picks = sorted(product.sku for product in await erp.find_products("SKU123", limit=5))
    assert picks == ["SKU123*101", "SKU123*999"]
    assert [(await erp.stock(sku)).product.name for sku in picks] == ["Hex bolt M6×20", "The other"]
    assert [product.sku for product in await erp.find_products("sku123*999", limit=5)] == ["SKU123*999"]
    assert {product.sku for product in await erp.read_products(["SKU123", "SKU124"])} == {*picks, "SKU124"}
    with pytest.raises(NotFound):
        await erp.stock("SKU124*999")
    assert (await erp.stock("*998")).product.name == "No code"
    with pytest.raises(NotFound):
        await erp.stock("*101")
    # Archived ones are ignored.
    assert (await erp.stock("SKU124")).product.sku == "SKU124"
    assert [product.sku for product in await erp.find_products("No code", limit=5)] == ["*998"]


async def test_one_number_in_two_companies_is_not_guessed(open_odoo: Open) -> None:
    other = {"id": 77, "company_id": Many2One("res.company", 2, "Other company"), "amount_total": Decimal(1)}
    erp, server = await open_odoo()
    server.alter("account.move", lambda rows: [*rows, {**rows[0], **other}])
    assert (await erp.invoice("INV-7")).id == "6001"
    second, _ = await open_odoo(server=server, company=2)
    assert (await second.invoice("INV-7")).id == "77"


@pytest.mark.parametrize("release", [(18, 0), (19, 0)])
async def test_several_companies_of_which_none_is_chosen_are_not_told_of_together(
    open_odoo: Open, clock: Clock, release: tuple[int, int]
) -> None:
    server = FakeOdoo(ReferenceCompany(now=clock.now), clock, release)
    everywhere, _ = await open_odoo(server=server, company=None)
    reads: tuple[Callable[[], Awaitable[object]], ...] = (
        everywhere.check,
        lambda: everywhere.invoice("INV-7"),
        lambda: everywhere.stock("SKU123"),
        lambda: everywhere.customers(ListQuery()),
        lambda: everywhere.changed_since(Area.SALES, "", limit=1),
        lambda: everywhere.decide(approve("1", "PO-1072", "anna")),
    )
    for read in reads:
        with pytest.raises(CompanyNotChosen) as refused:
            await read()
        assert refused.value.companies == {1: "My Company (San Francisco)", 2: "Other company"}
    server.alter("res.company", lambda rows: rows[:1])
    await everywhere.check()
    assert (await everywhere.invoice("INV-7")).id == "6001"


async def test_a_second_number_of_one_company_is_told_apart_and_not_guessed(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    server.alter("account.move", lambda rows: [*rows, {**rows[0], "id": 77, "amount_total": Decimal(1)}])
    with pytest.raises(Ambiguous, match="2 records"):
        await erp.invoice("INV-7")
    numbers = sorted(found.number for found in (await erp.invoices(ListQuery(text="INV-7"))).items)
    assert numbers == ["INV-7*6001", "INV-7*77"]
    assert [(await erp.invoice(number)).id for number in numbers] == ["6001", "77"]
    assert (await erp.invoice(numbers[1])).number == numbers[1]


async def test_the_exact_code_is_found_among_many(open_odoo: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.erp.odoo.adapter._CANDIDATES", 5)
    erp, _ = await open_odoo()
    # "零件-07" sorts after everything else that contains the text.
    assert [product.sku for product in await erp.find_products("SKU218", limit=1)] == ["SKU218"]
    assert (await erp.find_products("6901234000276", limit=1))[0].sku == "零件-07"
    assert len(await erp.find_products("SKU", limit=3)) == 3


async def test_a_text_the_database_cannot_hold_finds_nothing(open_odoo: Open) -> None:
    erp, _ = await open_odoo()
    assert await erp.find_products("a\0b", limit=5) == ()
    assert (await erp.orders(ListQuery(text="a\0b"))).total == 0
    with pytest.raises(NotFound):
        await erp.order("SO-1001\0")


# Rights


async def test_payment_is_unknown_without_the_right_to_invoices(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    billed = next(
        o for o in server.company.orders.values() if o.billing is Progress.FULL and o.payment is Progress.FULL
    )
    assert (await erp.order(billed.number)).payment is Progress.FULL
    server.faults.forbid(Area.FINANCE)
    assert (await erp.order(billed.number)).payment is None
    with pytest.raises(NotPermitted):
        await erp.invoice("INV-7")


async def test_an_origin_is_not_taken_for_an_order_without_the_right_to_orders(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    server.faults.forbid(Area.SALES)
    assert (await erp.production_order("MO-1002")).sales_order == ""


# Decisions


def approve(erp_version: str, number: str, by: str, reason: str = "") -> Decision:
    return Decision(number=number, version=erp_version, verdict=Verdict.APPROVE, by=by, reason=reason)


def reject(erp_version: str, number: str, by: str, reason: str) -> Decision:
    return Decision(number=number, version=erp_version, verdict=Verdict.REJECT, by=by, reason=reason)


def keys(*logins: str) -> dict[str, str]:
    return {login: key_of(login) for login in logins}


async def _version_of(erp: OdooErp, number: str) -> str:
    return (await erp.purchase_order(number)).review.version


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
async def test_button_approve_skips_silently_who_may_not(release: tuple[int, int], open_odoo: Open) -> None:
    erp, server = await open_odoo(release, approvers=keys("guest"))
    result = await erp.decide(approve(await _version_of(erp, "PO-1001"), "PO-1001", "guest"))
    assert result.outcome is DecisionOutcome.NOT_PERMITTED
    assert server.requests.count(Request.WRITE) == 1
    assert server.company.purchases["PO-1001"].status is ReviewState.WAITING


async def test_button_cancel_would_cancel_what_was_approved_meanwhile(open_odoo: Open) -> None:
    """The order is read again between the reason and the button."""
    erp, server = await open_odoo(approvers=keys("anna", "carla"))
    version = await _version_of(erp, "PO-1001")

    class Meanwhile(list[tuple[int, str, str]]):
        def append(self, message: tuple[int, str, str]) -> None:
            super().append(message)
            server.company.decide("PO-1001", Verdict.APPROVE, "carla")

    server.messages = Meanwhile()
    result = await erp.decide(reject(version, "PO-1001", "anna", "too dear"))
    assert result.outcome is DecisionOutcome.ALREADY_DECIDED
    assert server.company.purchases["PO-1001"].status is ReviewState.APPROVED


async def test_the_reason_is_posted_first_and_without_it_nothing_is_cancelled(open_odoo: Open) -> None:
    erp, server = await open_odoo(approvers=keys("anna"))
    version = await _version_of(erp, "PO-1001")
    server.faults.lose_write_answer(happens=False)
    with pytest.raises(Unavailable, match="nothing was decided"):
        await erp.decide(reject(version, "PO-1001", "anna", "too dear"))
    assert server.company.purchases["PO-1001"].status is ReviewState.WAITING
    result = await erp.decide(reject(version, "PO-1001", "anna", "too dear"))
    assert result.outcome is DecisionOutcome.APPLIED
    assert server.messages == [(7001, "anna", "too dear")]


async def test_a_lost_cancel_is_found_and_not_repeated(open_odoo: Open) -> None:
    erp, server = await open_odoo(approvers=keys("anna"))
    version = await _version_of(erp, "PO-1001")
    server.requests.clear()
    posted = server._message_post

    def lose_next(asked: Any, body: str) -> list[int]:
        server.faults.lose_write_answer()
        return posted(asked, body)

    server._message_post = lose_next  # type: ignore[method-assign]  # the write after this one gets lost
    result = await erp.decide(reject(version, "PO-1001", "anna", "too dear"))
    assert result.outcome is DecisionOutcome.APPLIED
    assert server.requests.count(Request.WRITE) == 2


@pytest.mark.parametrize(
    ("release", "body"), [((16, 0), '&lt;b&gt; &amp; "x" 贵'), ((17, 0), '<b> & "x" 贵'), ((19, 0), '<b> & "x" 贵')]
)
async def test_a_message_was_markup_up_to_16(release: tuple[int, int], body: str, open_odoo: Open) -> None:
    erp, server = await open_odoo(release, approvers=keys("anna"))
    await erp.decide(reject(await _version_of(erp, "PO-1001"), "PO-1001", "anna", '<b> & "x" 贵'))
    assert server.messages == [(7001, "anna", body)]


async def test_a_locked_order_cannot_be_cancelled(open_odoo: Open) -> None:
    erp, _ = await open_odoo(approvers=keys("anna"))
    done = await erp.purchase_order("PO-1012")
    assert done.status is ReviewState.DONE
    result = await erp.decide(reject(done.review.version, "PO-1012", "anna", "no"))
    assert result.outcome is DecisionOutcome.ALREADY_DECIDED


async def test_each_decides_with_their_own_key(open_odoo: Open) -> None:
    erp, server = await open_odoo(approvers=keys("anna"))
    assert (
        await erp.decide(approve(await _version_of(erp, "PO-1001"), "PO-1001", "anna"))
    ).outcome is DecisionOutcome.APPLIED
    [write] = server.requests.of(Request.WRITE)
    assert write.headers["Authorization"] == f"bearer {key_of('anna')}"
    reads = server.requests.of(Request.READ)
    assert {entry.headers["Authorization"] for entry in reads} == {f"bearer {key_of(BOT)}"}


async def test_who_has_no_key_is_not_permitted(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    result = await erp.decide(approve(await _version_of(erp, "PO-1001"), "PO-1001", "anna"))
    assert (result.outcome, result.text) == (DecisionOutcome.NOT_PERMITTED, str(KEY_MISSING))
    assert server.requests.count(Request.WRITE) == 0


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
async def test_a_person_s_key_that_ended_is_no_fault_of_the_source(release: tuple[int, int], open_odoo: Open) -> None:
    """People's keys are valid for three months at most."""
    erp, _ = await open_odoo(release, approvers={"anna": "ended"})
    result = await erp.decide(approve(await _version_of(erp, "PO-1001"), "PO-1001", "anna"))
    assert (result.outcome, result.text) == (DecisionOutcome.NOT_PERMITTED, str(KEY_REFUSED))
    assert await erp.find_products("SKU123", limit=1)


async def test_with_the_bots_key_the_message_names_who_decided(open_odoo: Open) -> None:
    """Here the bot's account is anna's, who has the right."""
    erp, server = await open_odoo(user="anna", key=key_of("anna"), decide_as_bot=True)
    version = await _version_of(erp, "PO-1001")
    assert (await erp.decide(approve(version, "PO-1001", "wang"))).outcome is DecisionOutcome.APPLIED
    version = await _version_of(erp, "PO-1002")
    assert (await erp.decide(reject(version, "PO-1002", "li", "too dear"))).outcome is DecisionOutcome.APPLIED
    assert [body for _, _, body in server.messages] == ["wang: approve", "li: reject: too dear"]
    order = await erp.purchase_order("PO-1001")
    assert order.review.approval is not None
    assert order.review.approval.decided_by == ""


# Changes


async def test_write_date_is_told_to_the_second_and_compared_to_the_microsecond(open_odoo: Open, clock: Clock) -> None:
    erp, server = await open_odoo()
    _, cursor = await all_changes(erp, Area.SALES)
    server.company.touch(Area.SALES, "SO-1001", clock.now() + timedelta(microseconds=900_000))
    items, cursor = await all_changes(erp, Area.SALES, cursor)
    assert [(change.key, change.changed_at) for change in items] == [("SO-1001", clock.now())]
    # In the same second, but earlier: the record already seen must not hide it.
    server.company.touch(Area.SALES, "SO-1002", clock.now() + timedelta(microseconds=100_000))
    items, cursor = await all_changes(erp, Area.SALES, cursor)
    assert [change.key for change in items] == ["SO-1002"]
    assert (await all_changes(erp, Area.SALES, cursor))[0] == []


async def test_a_long_transaction_appears_with_a_time_that_has_passed(open_odoo: Open, clock: Clock) -> None:
    """Recorded: a whole import has the second in which it began."""
    erp, server = await open_odoo()
    began = clock.now()
    clock.advance(90)
    server.company.touch(Area.PURCHASING, "PO-1001")
    _, cursor = await all_changes(erp, Area.PURCHASING)
    server.company.touch(Area.PURCHASING, "PO-1002", began)
    items, _ = await all_changes(erp, Area.PURCHASING, cursor)
    assert [(change.key, change.changed_at) for change in items] == [("PO-1002", began)]


async def test_thousands_of_moves_of_one_product_do_not_stop_the_cursor(open_odoo: Open, clock: Clock) -> None:
    erp, server = await open_odoo()
    rows = [
        {"id": n, "product_id": Many2One("product.product", 101 + n // 400, "x"), "state": "done",
         "company_id": COMPANY, "write_date": clock.now()}
        for n in range(1_200)
    ]  # fmt: skip
    server.alter("stock.move", lambda _: rows)
    items, cursor = await all_changes(erp, Area.STOCK, limit=1)
    assert [change.key for change in items] == ["SKU123", "SKU124", "SKU125"]
    assert (await all_changes(erp, Area.STOCK, cursor, limit=1))[0] == []


async def test_products_without_a_code_that_change_at_once_all_come(open_odoo: Open, clock: Clock) -> None:
    erp, server = await open_odoo()
    server.alter(
        "product.product", lambda rows: [{**row, "default_code": None, "write_date": clock.now()} for row in rows]
    )
    items, _ = await all_changes(erp, Area.PRODUCTS)
    assert {change.key for change in items} == {f"*{101 + n}" for n in range(len(server.company.products))}


async def test_an_archived_product_is_a_change(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "product.product", active=lambda row: row["default_code"] != "SKU123")
    items, _ = await all_changes(erp, Area.PRODUCTS)
    assert "SKU123" in {change.key for change in items}
    assert not (await erp.stock("SKU123")).product.is_active
    assert not (await erp.product("SKU123")).product.is_active
    assert await erp.read_products(["SKU123"]) == ()


async def test_an_archived_product_gives_way_to_its_successor(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    server.alter("product.product", lambda rows: [{**rows[0], "id": 1, "active": False}, *rows])
    assert (await erp.stock("SKU123")).product.is_active
    assert (await erp.product("SKU123")).product.is_active


# Days


async def test_days_begin_where_the_company_is(open_odoo: Open, clock: Clock) -> None:
    """Half past midnight in Shanghai is still the day before in UTC."""
    erp, server = await open_odoo()
    company = server.company
    number = next(o.number for o in company.orders.values() if o.status is OrderStatus.OPEN)
    company.orders[number] = replace(company.orders[number], promised_on=company.today)
    assert (await erp.order(number)).promised_on == company.today
    late = ListQuery(filter=Filter.LATE, limit=100)
    assert number not in {order.number for order in (await erp.orders(late)).items}
    company.orders[number] = replace(company.orders[number], promised_on=company.today - timedelta(days=1))
    assert number in {order.number for order in (await erp.orders(late)).items}
    # At 20:00 UTC the next day has begun there.
    clock.advance((datetime(2026, 11, 24, 20, tzinfo=clock.now().tzinfo) - clock.now()).total_seconds())
    company.orders[number] = replace(company.orders[number], promised_on=date(2026, 11, 24))
    assert number in {order.number for order in (await erp.orders(late)).items}


async def test_floats_are_added_without_noise(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    level = server.company.stock["SKU200"]
    places = tuple(
        WarehouseStock(code=code, name=server.company.warehouses[code], quantities=quantities(amount))
        for code, amount in (("MAIN", "0.1"), ("SH", "0.2"))
    )
    server.company.set_stock(replace(level, per_warehouse=places))
    assert 0.1 + 0.2 != 0.3
    found: StockLevel = await erp.stock("SKU200")
    assert found.total.on_hand == Decimal("0.3")
    assert found.total.available == Decimal("0.3")


async def test_questions_at_once_share_what_is_asked_once(open_odoo: Open) -> None:
    erp, server = await open_odoo((18, 0))
    await asyncio.gather(*(erp.purchase_order("PO-1001") for _ in range(6)))
    assert server.requests.count(Request.LOGIN) == 1
    assert [entry.path for entry in server.requests.entries].count("/web/version") == 1
