"""The platform's traps (docs: platform/erp/yonbip.md), one test each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, WarehouseQuery
from bot.erp.model import (
    Area,
    Decision,
    DecisionOutcome,
    Feed,
    Followed,
    InvoiceStatus,
    PurchaseOrder,
    ReviewState,
    Verdict,
)
from bot.erp.model.goods import ArrivalKind
from bot.erp.port import Filter, ListQuery
from bot.erp.yonbip.adapter import YonBipErp
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind
from tests.erp.fakes.yonbip import FakeYonBip, user_token
from tests.erp.fakes.yonbip_records import ORG, WAREHOUSES, wire_id

from .conftest import Open

WAITING = "PO-1001"
TOKENS = {"user_tokens": {"anna": user_token("anna")}}


def decision(order: PurchaseOrder, verdict: Verdict = Verdict.APPROVE) -> Decision:
    return Decision(number=order.number, version=order.review.version, verdict=verdict, by="anna", reason="太贵")


def _said(data: Any) -> dict[str, Any]:
    return {"code": "200", "message": "操作成功", "data": data}


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(nulls, value.values()))
    return any(map(nulls, value)) if isinstance(value, list) else value is None


# Requests


async def test_explicit_nulls_are_never_sent(open_with: Open, server: FakeYonBip) -> None:
    erp = open_with(**TOKENS)
    for list_filter in (Filter.ALL, Filter.LATE, Filter.PENDING):
        await erp.purchase_orders(ListQuery(filter=list_filter))
    await erp.stock("SKU123")
    await erp.production_orders(ListQuery(filter=Filter.LATE))
    order = await erp.purchase_order(WAITING)
    await erp.decide(replace(decision(order), reason=""))
    assert server.company.purchases[WAITING].status is ReviewState.APPROVED
    assert not [path for path, body in server.asked if nulls(body)]
    [approval] = [body for path, body in server.asked if "/runtime/ext/tasks/" in path]
    assert approval == {"source": "PU", "action": "complete"}


async def test_stock_is_scoped_by_organisation(open_with: Open, server: FakeYonBip) -> None:
    await open_with(org=ORG).stock("SKU123")
    [body] = [body for path, body in server.asked if "/stock/" in path]
    assert body["org"] == ORG
    level = await open_with(org="1891127153005399").stock("SKU123")
    assert (level.total.on_hand, level.per_warehouse) == (Decimal(0), ())


async def test_ids_of_nineteen_digits_stay_as_they_are(erp: YonBipErp, server: FakeYonBip) -> None:
    long = 1998468787197706249
    head = {"id": long, "code": "LONG-1", "vouchdate": "2026-11-20 00:00:00", "nextStatus": "ENDORDER"}
    server.more[Area.SALES] = [(head, [])]
    [listed] = (await erp.orders(ListQuery(text="LONG-1"))).items
    assert listed.id == "1998468787197706249"
    with pytest.raises(NotFound):
        await erp.order("LONG-1")
    assert any(f"id={long}" in query for query in server.queries)


# Answers


async def test_a_figure_that_one_row_does_not_tell_is_not_known(erp: YonBipErp, server: FakeYonBip) -> None:
    rows = [
        {"warehouse": "1", "product_code": "SKU123", "currentqty": 5, "availableqty": 3},
        {"warehouse": "1", "product_code": "SKU123", "currentqty": 1},
    ]
    server.answers["/scm/stock/QueryCurrentStocksByCondition"] = {"code": 200, "data": rows}
    total = (await erp.stock("SKU123")).total
    assert (total.on_hand, total.available, total.incoming) == (Decimal(6), None, None)


async def test_a_row_per_line_is_one_document(erp: YonBipErp, company: ReferenceCompany) -> None:
    found = await erp.invoices(ListQuery(limit=100))
    assert found.total == len(company.invoices)
    late = await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=100))
    assert late.total == len({order.number for order in late.items})


async def test_a_document_deleted_between_list_and_detail_is_left_out(erp: YonBipErp, server: FakeYonBip) -> None:
    server.more[Area.PURCHASING] = [
        ({"id": 99, "code": "PO-GONE", "vouchdate": "2026-11-24 00:00:00", "pubts": "2026-11-24 00:00:00"}, [])
    ]
    found = await erp.purchase_orders(ListQuery(limit=3))
    assert "PO-GONE" not in [order.number for order in found.items]
    assert len(found.items) == 2


async def test_the_accounting_of_a_page_is_read_with_one_question(erp: YonBipErp, server: FakeYonBip) -> None:
    server.page = 100
    found = await erp.invoices(ListQuery(limit=5))
    days = sorted(str(invoice.issued_on) for invoice in found.items)
    [asked] = [body for path, body in server.asked if path == "/EFI/arPublicEvent/list"]
    assert (asked["open_srcBillDate_begin"][:10], asked["open_srcBillDate_end"][:10]) == (days[0], days[-1])


@pytest.mark.parametrize(("area", "number"), [(Area.FINANCE, "INV-7"), (Feed.BILLS, "BILL-3")])
async def test_to_settle_a_bill_is_a_change_of_it(
    open_with: Open, server: FakeYonBip, clock: Clock, area: Followed, number: str
) -> None:
    erp = open_with()
    cursor = (await erp.changed_since(area, "", limit=100)).cursor
    clock.advance(3600)
    server.settled[number] = clock.now()
    found = await erp.changed_since(area, cursor, limit=100)
    assert [(change.key, change.changed_at) for change in found.items] == [(number, clock.now())]
    assert (await erp.changed_since(area, found.cursor, limit=100)).items == ()


async def test_an_app_that_may_not_read_settlements_follows_the_bills_themselves(
    open_with: Open, server: FakeYonBip, clock: Clock
) -> None:
    refused = {"code": "310037", "message": "应用没有该API的调用权限"}
    server.answers["/EFI/arverifyevent/list"] = refused
    erp = open_with()
    cursor = (await erp.changed_since(Area.FINANCE, "", limit=100)).cursor
    clock.advance(3600)
    server.settled["INV-7"] = clock.now()
    server.company.touch(Area.FINANCE, "INV-1002")
    assert [change.key for change in (await erp.changed_since(Area.FINANCE, cursor, limit=100)).items] == ["INV-1002"]


async def test_an_app_without_the_right_to_accounting_tells_invoices_without_what_is_open(
    erp: YonBipErp, server: FakeYonBip
) -> None:
    refused = {"code": "310037", "message": "应用没有该API的调用权限"}
    server.answers |= {f"/EFI/{kind}PublicEvent/list": refused for kind in ("ar", "ap")}
    unpaid = InvoiceStatus.UNPAID
    for read, number in ((erp.invoice, "INV-7"), (erp.bill, "BILL-3")):
        document = await read(number)
        assert (document.status, document.open_amount) == (unpaid, None)


async def test_what_employees_are_owed_is_no_bill(erp: YonBipErp, server: FakeYonBip) -> None:
    head = {
        "id": "9",
        "code": "EXP-1",
        "billDate": "2026-11-20 00:00:00",
        "verifyState": 2,
        "pubts": "2026-11-20 09:00:00",
    }
    server.more_payables = [(head, [{"bodyItemObjectType": "2", "bodyItemId": "91"}])]
    assert (await erp.bills(ListQuery(text="EXP"))).total == 0
    assert "EXP-1" not in {each.key for each in (await erp.changed_since(Feed.BILLS, "", limit=100)).items}
    with pytest.raises(NotFound):
        await erp.bill("EXP-1")


async def test_details_that_are_read_one_by_one_are_bounded(open_with: Open, server: FakeYonBip) -> None:
    erp = open_with(most_details=5)
    assert len((await erp.invoices(ListQuery(limit=5))).items) == 5
    with pytest.raises(Invalid, match="5 at most"):
        await erp.invoices(ListQuery(limit=6))


async def test_sales_lists_need_no_details_of_their_small_quota(erp: YonBipErp, server: FakeYonBip) -> None:
    await erp.orders(ListQuery(limit=20))
    await erp.orders(ListQuery(filter=Filter.LATE))
    assert not [path for path, _ in server.asked if path.endswith("voucherorder/detail")]


async def test_times_have_no_offset_and_are_the_zones(open_with: Open, company: ReferenceCompany) -> None:
    at = company.touch(Area.SALES, "SO-1001", datetime(2026, 11, 20, 16, 30, tzinfo=UTC))
    assert (await open_with().order("SO-1001")).changed_at == at
    changed_at = (await open_with(zone="UTC").order("SO-1001")).changed_at
    assert changed_at == datetime(2026, 11, 21, 0, 30, tzinfo=UTC)


async def test_lists_without_an_order_are_followed_from_the_days_that_lists_go_back(
    open_with: Open, server: FakeYonBip
) -> None:
    server.page = 500
    await open_with(list_days=30).changed_since(Area.FINANCE, "", limit=5)
    await open_with(list_days=30).changed_since(Area.SALES, "", limit=5)
    [receivables, orders] = [body for path, body in server.asked if path.endswith("/list")]
    assert receivables["simple"] == {"open_pubts_begin": "2026-10-25 10:30:00"}
    assert orders["simpleVOs"][0]["value1"].startswith("1990-01-01")
    assert (orders["isSum"], orders["queryOrders"][0]) == (True, {"field": "pubts", "order": "asc"})


async def test_materials_are_believed_for_some_minutes(erp: YonBipErp, server: FakeYonBip) -> None:
    for text in ("SKU1", "bolt", "screw"):
        await erp.find_products(text, limit=3)
    assert server.requests.count(RequestKind.READ, Area.PRODUCTS) == 4


async def test_a_catalogue_that_takes_long_is_there_for_the_next_question(erp: YonBipErp, server: FakeYonBip) -> None:
    await erp.check()
    server.faults.hang()
    server.requests.clear()
    asked = asyncio.ensure_future(erp.find_products("bolt", limit=3))
    await server.requests.arrived.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    server.faults.clear()
    assert await erp.find_products("bolt", limit=3)
    assert await erp.find_products("screw", limit=3)
    assert server.requests.count(RequestKind.READ, Area.PRODUCTS) == 4


# Deciding


async def test_a_task_needs_its_persons_own_token(open_with: Open, company: ReferenceCompany) -> None:
    erp = open_with()
    result = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert result.outcome is DecisionOutcome.NOT_PERMITTED
    assert "绑定用户" in result.text
    assert company.purchases[WAITING].status is ReviewState.WAITING


async def test_where_the_apps_own_token_may_decide_it_is_the_persons_task(
    open_with: Open, server: FakeYonBip, company: ReferenceCompany
) -> None:
    server.user_bound = False
    erp = open_with()
    result = await erp.decide(decision(await erp.purchase_order(WAITING), Verdict.REJECT))
    assert result.outcome is DecisionOutcome.APPLIED
    approval = company.purchases[WAITING].review.approval
    assert approval is not None
    assert (approval.decided_by, approval.reason) == ("anna", "太贵")
    [body] = [body for path, body in server.asked if path.endswith("/procesInstances/reject")]
    assert (body["action"], body["jumpOrigin"]) == ("rejectToStart", "太贵")


@pytest.mark.parametrize("place", ["header", "cookie", "query"])
async def test_a_persons_token_goes_where_the_tenant_wants_it(open_with: Open, server: FakeYonBip, place: str) -> None:
    server.user_bound = False
    erp = open_with(user_token_in=place, **TOKENS)
    await erp.decide(decision(await erp.purchase_order(WAITING)))
    [write] = server.requests.of(RequestKind.WRITE)
    token = user_token("anna")
    sent_in = {
        "header": write.headers.get("yht_access_token") == token,
        "cookie": write.headers.get("Cookie") == f"yht_access_token={token}",
        "query": any(f"yht_access_token={token}" in query for query in server.queries),
    }
    assert sent_in == {where: where == place for where in sent_in}


async def test_an_order_without_a_workflow_is_audited_only_where_that_is_wanted(
    open_with: Open, server: FakeYonBip, company: ReferenceCompany
) -> None:
    server.no_workflow.add(WAITING)
    careful, free = open_with(), open_with(audit_without_workflow=True)
    order = await careful.purchase_order(WAITING)
    assert (await careful.decide(decision(order))).outcome is DecisionOutcome.NOT_PERMITTED
    assert (await free.decide(decision(order, Verdict.REJECT))).outcome is DecisionOutcome.NOT_PERMITTED
    assert not server.requests.count(RequestKind.WRITE)
    assert (await free.decide(decision(order))).outcome is DecisionOutcome.APPLIED
    [body] = [body for path, body in server.asked if path.endswith("/batchaudit")]
    assert body == {"data": [{"id": str(wire_id(order.id[-4:]))}]}


async def test_an_audit_that_failed_under_code_200_is_no_success(open_with: Open, server: FakeYonBip) -> None:
    server.no_workflow.add(WAITING)
    failed = {"count": 1, "sucessCount": 0, "failCount": 1, "messages": ["没有审核权限"]}
    server.answers["/scm/purchaseorder/batchaudit"] = {"code": "200", "message": "操作成功", "data": failed}
    erp = open_with(audit_without_workflow=True)
    result = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert (result.outcome, result.text) == (DecisionOutcome.NOT_PERMITTED, "没有审核权限")


async def test_audits_are_not_idempotent_and_go_out_once(open_with: Open, server: FakeYonBip) -> None:
    server.no_workflow.add(WAITING)
    erp = open_with(audit_without_workflow=True)
    order = await erp.purchase_order(WAITING)
    server.faults.lose_write_answer(happens=False)
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.UNKNOWN
    assert server.requests.count(RequestKind.WRITE) == 1


async def test_an_older_run_of_the_workflow_and_tasks_that_were_dropped_decide_nothing(erp: YonBipErp) -> None:
    order = await erp.purchase_order("PO-1008")
    assert order.review.approval is not None
    assert (order.review.approval.decided_by, order.review.approval.level, order.review.approval.reason) == (
        "anna",
        2,
        "",
    )
    assert order.review.requester == "dora"


async def test_without_the_right_to_the_workflow_orders_are_read_all_the_same(
    erp: YonBipErp, server: FakeYonBip
) -> None:
    refused = {"code": "310037", "message": "应用没有该API的调用权限"}
    server.answers["/digitalModel/openapi/task/querytaskstodo/page"] = refused
    order = await erp.purchase_order(WAITING)
    assert order.status is ReviewState.WAITING
    assert order.review.approval is not None
    assert order.review.approval.pending_for == ()
    result = await erp.decide(decision(order))
    assert (result.outcome, server.requests.count(RequestKind.WRITE)) == (DecisionOutcome.NOT_PERMITTED, 0)


# What is on its way, and what is in a warehouse


async def test_only_the_orders_of_a_product_are_read_for_its_arrivals(erp: YonBipErp, server: FakeYonBip) -> None:
    everything = await erp.arrivals(ArrivalQuery(limit=100))
    sku = next(each.sku for each in everything.items if each.kind is ArrivalKind.PURCHASE)
    server.asked.clear()
    found = await erp.arrivals(ArrivalQuery(sku=sku.lower(), limit=100))
    orders = {each.document for each in found.items if each.kind is ArrivalKind.PURCHASE}
    assert {each.sku for each in found.items} == {sku}
    assert len([path for path, _ in server.asked if path == "/scm/purchaseorder/detail"]) == len(orders) > 0


async def test_a_warehouse_is_called_by_its_code_where_the_settings_name_none(
    erp: YonBipErp, server: FakeYonBip
) -> None:
    contents = await erp.warehouse_stock(WarehouseQuery(warehouse="main"))
    assert (contents.code, contents.name) == (WAREHOUSES["MAIN"],) * 2
    server.answers["/scm/stock/QueryCurrentStocksByCondition"] = {"code": "200", "data": None}
    with pytest.raises(NotFound):
        await erp.warehouse_stock(WarehouseQuery(warehouse="main"))


async def test_a_material_that_is_not_listed_yet_is_told_with_its_stock(erp: YonBipErp, server: FakeYonBip) -> None:
    rows = [{"warehouse": "1", "product_code": "NEW", "product_name": "New one", "currentqty": 5}]
    server.answers["/scm/stock/QueryCurrentStocksByCondition"] = _said(rows)
    [item] = (await erp.warehouse_stock(WarehouseQuery(warehouse="MAIN"))).items
    assert (item.product.sku, item.product.name, item.quantities.on_hand) == ("NEW", "New one", Decimal(5))


# What came in


async def test_only_an_audited_note_came_in(erp: YonBipErp, server: FakeYonBip) -> None:
    before = await erp.receipts(ListQuery(limit=100))
    head, lines = server._bills("purinrecord")[0]
    for n, status in enumerate((0, 3)):
        server.more_receipts.append(({**head, "id": 40 + n, "code": f"RK-{n}", "status": status}, lines))
    assert await erp.receipts(ListQuery(limit=100)) == before
    assert not [each for each in await erp.receipts_of(lines[0]["pocode"]) if each.number.startswith("RK-")]
    for number in ("RK-0", "RK-1"):
        with pytest.raises(NotFound):
            await erp.receipt(number)


async def test_a_note_of_which_a_line_goes_back_is_no_return(erp: YonBipErp, server: FakeYonBip) -> None:
    head, lines = server._bills("purinrecord")[0]
    mixed = [{**lines[0], "qty": quantity} for quantity in (5, -1)]
    server.more_receipts.append(({**head, "id": 40, "code": "RK-1"}, mixed))
    receipt = await erp.receipt("rk-1")
    assert (receipt.is_return, [line.comes_back for line in receipt.lines]) == (False, [False, True])


async def test_an_order_has_only_notes_that_name_it(erp: YonBipErp, server: FakeYonBip) -> None:
    head, lines = server._bills("purinrecord")[0]
    server.answers["/scm/purinrecord/list"] = _said({"recordCount": 1, "recordList": [head]})
    assert await erp.receipts_of(lines[0]["pocode"])
    server.answers["/scm/purinrecord/detail"] = _said({**head, "purInRecords": [{**lines[0], "pocode": "PO-9"}]})
    assert await erp.receipts_of(lines[0]["pocode"]) == ()


# What left


async def test_a_note_of_several_orders_is_of_each(erp: YonBipErp, server: FakeYonBip) -> None:
    head = {"id": 8, "code": "CK-1", "vouchdate": "2026-11-20 00:00:00", "status": 1, "stockDirection": "1"}
    lines = [{"firstupcode": order, "qty": 1, "product_cCode": "SKU123"} for order in ("SO-1001", "SO-1002", "SO-1001")]
    server.answers["/scm/salesout/list"] = _said({"recordCount": 3, "recordList": [{**head, **line} for line in lines]})
    server.answers["/scm/salesout/detail"] = _said({**head, "details": lines})
    for text in ("SO-1001", "SO-1002", "CK-"):
        [note] = (await erp.deliveries(ListQuery(text=text))).items
        assert (note.order_number, note.is_return, note.lines) == ("SO-1001, SO-1002", True, ())
    [found] = await erp.deliveries_of("so-1002")
    assert len(found.lines) == 3
    [asked] = [body["simpleVOs"] for path, body in server.asked if "details.firstupcode" in str(body)]
    assert asked == [{"field": "details.firstupcode", "op": "eq", "value1": "SO-1002"}]
