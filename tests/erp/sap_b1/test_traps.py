"""The traps of Business One (docs: platform/erp/sap-b1.md), one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Conflict, Invalid, NotFound, NotListedByProduct, NotPermitted
from bot.erp.goods.port import ArrivalQuery, WarehouseQuery
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Area, Decision, DecisionOutcome, PurchaseOrder, ReviewState, Verdict
from bot.erp.port import Filter, ListQuery
from bot.erp.sap_b1.adapter import SapB1Erp
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_checks import all_changes, resulting_order
from bot.kit.testing.fake_erp import RequestKind
from bot.kit.testing.reference_records import WAREHOUSES
from tests.erp.fakes import sap_b1 as fake
from tests.erp.fakes.sap_b1 import FakeSapB1, user_password
from tests.erp.fakes.sap_b1_records import is_draft

from .conftest import Open, both_versions

WAITING, TWO_LEVELS = "D7001", "D7006"


def decision(order: PurchaseOrder, verdict: Verdict = Verdict.APPROVE, by: str = "anna", reason: str = "") -> Decision:
    return Decision(number=order.number, version=order.review.version, verdict=verdict, by=by, reason=reason)


# Drafts and numbers


async def test_an_order_that_waits_is_a_draft_called_by_its_key(erp: SapB1Erp, server: FakeSapB1) -> None:
    order = await erp.purchase_order(WAITING.lower())
    assert (order.number, order.id, order.status) == (WAITING, "7001", ReviewState.WAITING)
    assert order.review.approval is not None
    assert order.review.approval.pending_for == ("anna", "carla")
    assert "Drafts?" in server.asked[0]
    assert "DocEntry eq 7001 and DocObjectCode eq 'oPurchaseOrders'" in server.asked[0]
    # A draft shows the next number of its series, which is not assigned yet.
    with pytest.raises(NotFound):
        await erp.purchase_order("9999")


async def test_a_draft_of_another_kind_is_not_found(erp: SapB1Erp) -> None:
    for read in (erp.order, erp.invoice):
        with pytest.raises(NotFound):
            await read(WAITING)


async def test_approved_is_not_generated_and_goes_on_as_the_order_that_it_becomes(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    result = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert result.document is not None
    assert (result.outcome, resulting_order(result).number, resulting_order(result).status) == (
        DecisionOutcome.APPLIED,
        WAITING,
        ReviewState.APPROVED,
    )
    assert resulting_order(result).extra == {"generated": "no"}
    assert server.requests.count(RequestKind.WRITE) == 1
    server.generate(WAITING, 1555)
    for number in (WAITING, "1555"):
        order = await erp.purchase_order(number)
        assert (order.number, order.status, order.extra) == ("1555", ReviewState.APPROVED, {})
        assert order.review.approval is not None
        assert order.review.approval.decided_by == "anna"
    listed = [order.number for order in (await erp.purchase_orders(ListQuery(limit=100))).items]
    assert "1555" in listed
    assert WAITING not in listed
    late = await erp.decide(decision(resulting_order(result), by="carla"))
    assert (late.outcome, late.document and resulting_order(late).number) == (DecisionOutcome.ALREADY_DECIDED, "1555")


async def test_an_approved_draft_may_be_late(erp: SapB1Erp, company: ReferenceCompany) -> None:
    late = next(
        order
        for order in company.purchases.values()
        if order.status is ReviewState.WAITING and order.due_on is not None and order.due_on < company.today
    )
    seen = await erp.purchase_order(late.number)
    for by in ("anna", "boris"):
        seen = (await erp.decide(decision(seen, by=by))).document or seen
    assert seen.status is ReviewState.APPROVED
    found = (await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=100))).items
    assert late.number in [order.number for order in found]


async def test_numbers_restart_with_each_series(erp: SapB1Erp, server: FakeSapB1) -> None:
    [first] = [row for row in server._entity("Orders") if row["DocNum"] == 1001]
    server.more["Orders"] = [first | {"DocEntry": 99, "Series": 40, "CardName": "Other Ltd."}]
    with pytest.raises(Invalid, match="12-1001, 40-1001"):
        await erp.order("1001")
    assert (await erp.order("40-1001")).customer == "Other Ltd."
    assert (await erp.order("12-1001")).customer == first["CardName"]
    with pytest.raises(NotFound):
        await erp.order("41-1001")


async def test_a_credit_note_of_two_series_is_told_apart_too(erp: SapB1Erp, server: FakeSapB1) -> None:
    [first] = [row for row in server._entity("CreditNotes") if row["DocNum"] == 1013]
    server.more["CreditNotes"] = [first | {"DocEntry": 99, "Series": 40, "CardName": "Other Ltd."}]
    with pytest.raises(Invalid, match="C12-1013, C40-1013"):
        await erp.invoice("C1013")
    assert (await erp.invoice("C40-1013")).customer == "Other Ltd."


async def test_a_request_about_an_order_that_was_made_already_says_nothing_of_its_approval(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    order = await erp.purchase_order("1010")
    [request] = [row for row in server._requests() if row["ObjectEntry"] == 7010]
    for state in ("arsPending", "arsCancelled"):
        server.answers["ApprovalRequests"] = 200, {"value": [request, request | {"Code": 99999, "Status": state}]}
        assert (await erp.purchase_order("1010")).review.approval == order.review.approval


@pytest.mark.parametrize("number", ["X1001", "1001x", "10.01", "1e3", "12-", "-5", "2147483648", "9" * 10, "D", "١٠٠١"])
async def test_what_cannot_be_a_number_is_not_asked_for(erp: SapB1Erp, server: FakeSapB1, number: str) -> None:
    with pytest.raises(NotFound):
        await erp.order(number)
    assert not server.requests.entries


async def test_credit_notes_are_counted_apart(erp: SapB1Erp, company: ReferenceCompany) -> None:
    note = await erp.invoice("c1013")
    assert (note.number, note.is_credit_note) == ("C1013", True)
    with pytest.raises(NotFound):
        await erp.invoice("1013")


# Rights


async def test_without_the_right_to_users_orders_are_read_and_nobody_can_decide(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    server.answers["Users"] = 403, {"error": {"code": "-1116", "message": "not authorized"}}
    order = await erp.purchase_order(WAITING)
    assert order.review.approval is not None
    assert order.review.approval.pending_for == ("#11", "#12")
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.NOT_PERMITTED
    assert not server.requests.count(RequestKind.WRITE)


async def test_without_the_right_to_requests_orders_are_read_and_nothing_can_be_decided(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    server.answers["ApprovalRequests"] = 403, {"error": {"code": "-1116", "message": "not authorized"}}
    order = await erp.purchase_order(WAITING)
    assert (order.status, order.review.approval) == (ReviewState.WAITING, None)
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.NOT_PERMITTED
    assert not server.requests.count(RequestKind.WRITE)
    with pytest.raises(NotPermitted):
        await erp.purchase_orders(ListQuery(filter=Filter.PENDING))


async def test_names_that_may_not_be_read_are_left_out(erp: SapB1Erp, server: FakeSapB1) -> None:
    for entity in ("Warehouses", "ItemGroups", "SalesPersons", "Users"):
        server.answers[entity] = 403, {"error": {"code": "-1116", "message": "not authorized"}}
    level = await erp.stock("SKU123")
    assert {(place.code, place.name) for place in level.per_warehouse} == {(c, c) for c in ("MAIN", "SH", "WEST")}
    assert level.product.category == ""
    order = await erp.order("1001")
    assert (order.salesperson, order.created_by) == ("", ())


async def test_an_invoice_is_told_without_its_order_where_orders_may_not_be_read(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    number = next(
        number
        for number, invoice in company.invoices.items()
        if invoice.order_number and not is_draft(number + invoice.order_number)
    )
    assert (await erp.invoice(number)).order_number == company.invoices[number].order_number
    server.faults.forbid(Area.SALES)
    assert (await erp.invoice(number)).order_number == ""
    with pytest.raises(NotPermitted):
        await erp.order("1001")


async def test_names_are_believed_for_some_minutes(erp: SapB1Erp, server: FakeSapB1, clock: Clock) -> None:
    for minutes, asked in ((0, 1), (9, 1), (2, 2)):
        clock.advance(minutes * 60)
        await erp.purchase_order(WAITING)
        assert len([path for path in server.asked if path.startswith("Users")]) == asked


# Stock


async def test_the_code_as_it_is_spelled_goes_before_one_of_another_case(erp: SapB1Erp, server: FakeSapB1) -> None:
    [item] = [row for row in server._entity("Items") if row["ItemCode"] == "SKU123"]
    server.more["Items"] = [item | {"ItemCode": "sku123", "ItemName": "small"}]
    assert (await erp.stock("sku123")).product.name == "small"
    assert (await erp.stock("SKU123")).product.name == "Hex bolt M6×20"


async def test_old_releases_tell_cases_apart(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.folds = False
    assert (await erp.stock("sku123")).product.sku == "SKU123"
    assert (await erp.find_products("sku123", limit=1))[0].sku == "SKU123"
    assert (await erp.purchase_order("d7001")).number == WAITING


async def test_a_common_text_still_finds_the_exact_code(open_with: Open) -> None:
    [first] = await open_with(most_hits=1).find_products("SKU218", limit=1)
    assert first.sku == "SKU218"
    found = await open_with(most_hits=3).find_products("sku2", limit=50)
    assert len(found) == 3


# Lists


async def test_a_list_reads_whole_documents_for_its_part_only(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.orders(ListQuery(limit=3))
    document_reads = [path for path in server.asked if "DocumentLines" in path]
    assert sum(path.count("DocEntry eq") for path in document_reads) == 3


@both_versions
async def test_late_and_overdue_are_narrowed_at_the_server(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.invoices(ListQuery(filter=Filter.OVERDUE))
    day = "2026-11-24" if server.version == "v2" else "'2026-11-24'"
    assert f"DocumentStatus eq 'bost_Open' and DocDueDate lt {day}" in server.asked[0]
    assert not [path for path in server.asked if path.startswith(("CreditNotes", "Drafts"))]


async def test_lists_go_some_days_back_and_those_with_a_filter_further(open_with: Open) -> None:
    erp = open_with(list_days=20)
    listed = (await erp.orders(ListQuery(limit=100))).items
    assert listed
    assert min(order.ordered_on for order in listed if order.ordered_on) >= datetime(2026, 11, 4, tzinfo=UTC).date()
    late = (await erp.orders(ListQuery(filter=Filter.LATE, limit=100))).items
    assert min(order.ordered_on for order in late if order.ordered_on).year < 2026


async def test_today_is_the_servers(open_with: Open, clock: Clock, server: FakeSapB1) -> None:
    clock.advance(14 * 3600)  # 16:30 in London, and the next day in Shanghai
    await open_with().production_orders(ListQuery(filter=Filter.LATE))
    assert "DueDate lt 2026-11-25" in server.asked[-1] + server.asked[0]


# Deciding


async def test_the_pair_of_the_approver_goes_with_the_decision(erp: SapB1Erp, server: FakeSapB1) -> None:
    order = await erp.purchase_order(WAITING)
    await erp.decide(decision(order, Verdict.REJECT, by="carla", reason="太贵 'x'"))
    pair = {"ApproverUserName": "carla", "ApproverPassword": user_password("carla")}
    assert server.bodies == [
        {"ApprovalRequestDecisions": [{"Status": "ardNotApproved", "Remarks": "太贵 'x'", **pair}]}
    ]


async def test_the_sessions_own_user_is_not_named_at_all(
    open_with: Open, server: FakeSapB1, company: ReferenceCompany
) -> None:
    erp = open_with(user="anna", password=user_password("anna"), approvers={})
    result = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert result.outcome is DecisionOutcome.APPLIED
    assert server.bodies == [{"ApprovalRequestDecisions": [{"Status": "ardApproved"}]}]
    approval = company.purchases[WAITING].review.approval
    assert approval is not None
    assert approval.decided_by == "anna"


@pytest.mark.parametrize(("approvers", "writes"), [({}, 0), ({"anna": "wrong"}, 1)])
async def test_who_cannot_be_signed_for_decides_nothing(
    open_with: Open, server: FakeSapB1, company: ReferenceCompany, approvers: Any, writes: int
) -> None:
    erp = open_with(approvers=approvers)
    result = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert (result.outcome, server.requests.count(RequestKind.WRITE)) == (DecisionOutcome.NOT_PERMITTED, writes)
    assert "password" in result.text
    assert company.purchases[WAITING].status is ReviewState.WAITING


@both_versions
async def test_a_decision_is_bound_to_the_request_as_it_was_read(erp: SapB1Erp, server: FakeSapB1) -> None:
    order = await erp.purchase_order(WAITING)
    await erp.decide(decision(order))
    [write] = server.requests.of(RequestKind.WRITE)
    assert write.headers["If-Match"].startswith('W/"')
    [single] = [path for path in server.asked if path.startswith("ApprovalRequests(")]
    assert "$select" not in single


async def test_old_releases_without_an_etag_decide_too(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    server.etags = False
    first, second = await erp.purchase_order(WAITING), await erp.purchase_order("D7002")
    assert (await erp.decide(decision(first))).outcome is DecisionOutcome.APPLIED
    [write] = server.requests.of(RequestKind.WRITE)
    assert "If-Match" not in write.headers
    # Somebody else is faster: Business One itself refuses, with its own message.
    server.faults.lose_write_answer(
        happens=False, meanwhile=lambda: company.decide("D7002", Verdict.REJECT, "carla", "no")
    )
    assert (await erp.decide(decision(second))).outcome is DecisionOutcome.ALREADY_DECIDED


async def test_a_request_that_changed_between_the_two_looks_is_not_decided(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    order = await erp.purchase_order(TWO_LEVELS)
    company.decide(TWO_LEVELS, Verdict.APPROVE, "carla")
    with pytest.raises(Conflict):
        await erp._approvals[PURCHASE_ORDERS].decide(order, decision(order))
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
    assert not server.requests.count(RequestKind.WRITE)


async def test_a_stage_may_want_two_people(erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany) -> None:
    server.two_at_stage.add(WAITING)
    first = await erp.decide(decision(await erp.purchase_order(WAITING)))
    assert first.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert first.document is not None
    assert resulting_order(first).review.approval is not None
    assert (resulting_order(first).review.approval.pending_for, resulting_order(first).review.approval.decided_by) == (
        ("carla",),
        "anna",
    )
    assert (await erp.decide(decision(resulting_order(first)))).outcome is DecisionOutcome.NOT_PERMITTED
    assert (await erp.decide(decision(resulting_order(first), by="carla"))).outcome is DecisionOutcome.APPLIED
    assert company.purchases[WAITING].status is ReviewState.APPROVED


async def test_a_lost_answer_of_one_of_two_is_read_again_and_not_sent_again(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.two_at_stage.add(WAITING)
    order = await erp.purchase_order(WAITING)
    server.faults.lose_write_answer()
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert server.requests.count(RequestKind.WRITE) == 1


async def test_a_session_that_ended_at_the_write_is_renewed_and_the_decision_done_once(
    erp: SapB1Erp, server: FakeSapB1, clock: Clock, company: ReferenceCompany
) -> None:
    order = await erp.purchase_order(WAITING)
    clock.advance(31 * 60)
    version = int(company.purchases[WAITING].review.version)
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.APPLIED
    assert int(company.purchases[WAITING].review.version) == version + 1
    assert server.requests.count(RequestKind.LOGIN) == 2


async def test_an_order_that_was_made_of_its_draft_is_past_deciding(erp: SapB1Erp, server: FakeSapB1) -> None:
    order = await erp.purchase_order("1010")
    assert (await erp.decide(decision(order))).outcome is DecisionOutcome.ALREADY_DECIDED
    assert not server.requests.count(RequestKind.WRITE)


# Changes


@both_versions
async def test_a_change_of_the_same_day_is_told_by_its_clock(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany, clock: Clock
) -> None:
    _, cursor = await all_changes(erp, Area.SALES)
    for key in ("1001", "D5002", "1003"):
        clock.advance(1)
        company.touch(Area.SALES, key)
    items, cursor = await all_changes(erp, Area.SALES, cursor)
    assert [change.key for change in items] == ["1001", "D5002", "1003"]
    assert (await all_changes(erp, Area.SALES, cursor))[0] == []


async def test_many_changes_earlier_on_the_cursors_day_do_not_hide_the_next(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany, clock: Clock
) -> None:
    [first] = [row for row in server._entity("Orders") if row["DocNum"] == 1001]
    at = {"UpdateDate": "2026-11-24", "UpdateTime": "00:00:01"}
    server.more["Orders"] = [first | {"DocEntry": 20_000 + n, "DocNum": 20_000 + n, **at} for n in range(900)]
    _, cursor = await all_changes(erp, Area.SALES, limit=500)
    clock.advance(60)
    company.touch(Area.SALES, "1003")
    items, _ = await all_changes(erp, Area.SALES, cursor)
    assert [change.key for change in items] == ["1003"]


async def test_a_decision_does_not_touch_the_draft_and_is_followed_all_the_same(
    erp: SapB1Erp, server: FakeSapB1, clock: Clock
) -> None:
    _, cursor = await all_changes(erp, Area.PURCHASING)
    order = await erp.purchase_order(TWO_LEVELS)
    clock.advance(1)
    await erp.decide(decision(order))
    [draft] = [row for row in server._drafts() if row["DocEntry"] == 7006]
    assert draft["UpdateDate"] < "2026-11-24"
    items, _ = await all_changes(erp, Area.PURCHASING, cursor)
    assert [(change.key, change.changed_at) for change in items] == [(TWO_LEVELS, clock.now())]


async def test_requests_are_followed_while_they_wait_and_for_some_days(open_with: Open, server: FakeSapB1) -> None:
    erp = open_with(approval_days=30)
    _, cursor = await all_changes(erp, Area.PURCHASING)
    server.asked.clear()
    await erp.changed_since(Area.PURCHASING, cursor, limit=5)
    [asked] = [path for path in server.asked if path.startswith("ApprovalRequests")]
    assert "ObjectType eq '22' and (Status eq 'arsPending' or CreationDate ge 2026-10-" in asked


async def test_without_the_right_to_requests_orders_are_followed(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.answers["ApprovalRequests"] = 403, {"error": {"code": "-1116", "message": "not authorized"}}
    items, _ = await all_changes(erp, Area.PURCHASING)
    assert "1010" in [change.key for change in items]


# Unusual answers


@pytest.mark.parametrize(
    "spoiled",
    [
        {"DocTotal": "twelve"},
        {"DocDate": "soon"},
        {"UpdateTime": "noon"},
        {"DocumentLines": {"0": 1}},
        {"DocumentLines": [{"ItemCode": "X"}]},
    ],
)
async def test_a_record_that_cannot_be_read_is_refused(
    erp: SapB1Erp, server: FakeSapB1, spoiled: dict[str, Any]
) -> None:
    [row] = [row for row in server._entity("Orders") if row["DocNum"] == 1001]
    server.answers["Orders"] = 200, {"value": [row | spoiled]}
    with pytest.raises(Invalid):
        await erp.order("1001")


async def test_a_request_that_cannot_be_read_is_refused(erp: SapB1Erp, server: FakeSapB1) -> None:
    for row in ({"Code": None}, {"Code": 1, "ApprovalRequestLines": "x"}, {}):
        server.answers["ApprovalRequests"] = 200, {"value": [row]}
        with pytest.raises(Invalid):
            await erp.purchase_order(WAITING)


async def test_hostile_texts_are_data(erp: SapB1Erp, server: FakeSapB1) -> None:
    [row] = [row for row in server._entity("Orders") if row["DocNum"] == 1001]
    hostile = "x' or '1' eq '1 {{7*7}} <b>"
    server.more["Orders"] = [row | {"DocEntry": 77, "DocNum": 1777, "CardName": hostile, "DocTotal": Decimal("0.1")}]
    found = await erp.orders(ListQuery(text=hostile))
    assert [order.customer for order in found.items] == [hostile]


async def test_the_order_as_it_was_seen_decides_and_not_the_one_of_now(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    order = await erp.purchase_order(WAITING)
    company.set_total(WAITING, Decimal("0.01"), at=company.purchases[WAITING].changed_at)
    result = await erp.decide(decision(order))
    assert (result.outcome, server.requests.count(RequestKind.WRITE)) == (DecisionOutcome.CHANGED_SINCE_SHOWN, 0)
    assert result.document is not None
    assert (
        await erp.decide(replace(decision(resulting_order(result)), reason="ok"))
    ).outcome is DecisionOutcome.APPLIED


# Goods


async def test_a_missing_right_is_no_empty_list_of_arrivals(erp: SapB1Erp, server: FakeSapB1) -> None:
    assert (await erp.arrivals(ArrivalQuery())).total
    for area in (Area.PURCHASING, Area.PRODUCTION):
        server.faults.forbid(area)
        with pytest.raises(NotPermitted):
            await erp.arrivals(ArrivalQuery())
        server.faults.clear()


async def test_a_return_comes_back_from_its_own_count(erp: SapB1Erp, server: FakeSapB1) -> None:
    [first, *_] = server._entity("DeliveryNotes")
    server.more["Returns"] = [first | {"DocEntry": 99, "DocNum": 77, "TransportationCode": None}]
    back = await erp.delivery("t77")
    assert (back.number, back.is_return, back.carrier) == ("T77", True, "")
    assert all(line.comes_back for line in back.lines)
    order = (await erp.delivery(str(first["DocNum"]))).order_number
    assert "T77" in [each.number for each in await erp.deliveries_of(order)]
    assert "T77" in [each.number for each in (await erp.deliveries(ListQuery(text=order, limit=100))).items]


async def test_a_delivery_from_two_warehouses_names_none_and_one_without_an_order_is_told(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    [first, *_] = server._entity("DeliveryNotes")
    line = first["DocumentLines"][0] | {"BaseType": -1, "BaseEntry": None}
    lines = [line | {"WarehouseCode": place} for place in ("MAIN", "SH")]
    server.more["DeliveryNotes"] = [first | {"DocEntry": 99, "DocNum": 7777, "DocumentLines": lines}]
    delivery = await erp.delivery("7777")
    assert (delivery.warehouse, delivery.order_number) == ("", "")


async def test_deliveries_of_an_order_are_those_of_its_customer_since_its_day(erp: SapB1Erp, server: FakeSapB1) -> None:
    order = next(iter(server.company.deliveries.values())).order_number
    server.asked.clear()
    assert await erp.deliveries_of(order)
    [asked] = [asked for asked in server.asked if asked.startswith("DeliveryNotes?")]
    assert "CardCode eq" in asked
    assert "DocDate ge" in asked
    server.answers["Orders"] = 403, {"error": {"code": "-1116", "message": "not authorized"}}
    with pytest.raises(NotPermitted):
        await erp.deliveries_of(order)
    assert (await erp.deliveries(ListQuery(text=order, limit=5))).total


async def test_orders_of_an_item_are_asked_for_on_and_on_until_there_are_no_more(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    server.cap = 1
    sku = next(line.sku for order in company.orders.values() if not is_draft(order.number) for line in order.lines)
    found = await erp.orders(ListQuery(product=sku, limit=100))
    wanted = {order.number for order in company.orders.values() if any(line.sku == sku for line in order.lines)}
    assert {order.number for order in found.items} == wanted
    asked = [call for call in server.asked if call.startswith("QueryService_PostQuery")]
    assert all("Orders/DocEntry gt" in call for call in asked[1:])


async def test_a_release_without_the_query_service_says_what_it_cannot_be_asked(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    server.answers["Orders"] = (404, {"error": {"code": "-1000", "message": "Unrecognized resource path"}})
    with pytest.raises(NotListedByProduct):
        await erp.orders(ListQuery(product="SKU123"))


async def test_a_warehouse_of_today_is_there_at_once(erp: SapB1Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    code, name = next(iter(WAREHOUSES.items()))
    monkeypatch.setattr(fake, "WAREHOUSES", {place: WAREHOUSES[place] for place in WAREHOUSES if place != code})
    with pytest.raises(NotFound):
        await erp.warehouse_stock(WarehouseQuery(warehouse=code))
    monkeypatch.setattr(fake, "WAREHOUSES", WAREHOUSES)
    assert (await erp.warehouse_stock(WarehouseQuery(warehouse=code))).name == name
