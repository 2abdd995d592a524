"""Kingdee's traps that no single value shows (docs: platform/erp/kingdee.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import CompanyNotChosen, Invalid, NotFound, UnknownFinish
from bot.erp.kingdee import adapter as adapter_module
from bot.erp.model import Area, Decision, DecisionOutcome, ReviewState, Verdict
from bot.erp.port import Filter, ListQuery, Period
from bot.erp.setup import unreachable
from bot.kit.testing.company import Clock
from bot.kit.testing.erp_checks import all_changes
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.erp.fakes.kingdee import APP_ID, FakeKingdee
from tests.erp.fakes.kingdee_records import ORG, OTHER_ORG, PEOPLE, KingdeeBill, NumberedCompany

from .conftest import Open, queries
from .fixtures import other_organisation

ANNA, GUEST = PEOPLE["anna"], PEOPLE["guest"]


def decision(number: str, version: str, verdict: Verdict = Verdict.APPROVE, by: str = ANNA) -> Decision:
    return Decision(number=number, version=version, verdict=verdict, by=by, reason="太贵")


# Rows


async def test_a_late_list_shows_whole_bills_though_its_filter_finds_lines(
    server: FakeKingdee, company: NumberedCompany, open_at: Open
) -> None:
    late = await open_at(server).orders(ListQuery(filter=Filter.LATE, limit=100))
    assert late.items
    for listed in late.items:
        order = company.orders[listed.number]
        assert (listed.total, listed.delivery) == (order.total, order.delivery)


async def test_an_order_is_due_when_its_first_owed_line_is(server: FakeKingdee, open_at: Open) -> None:
    bill = _bill(server, "SAL_SaleOrder", "SO-1003")
    lines = bill.entries["FSaleOrderEntry"]
    for line, (done, day) in zip(lines, ((1, "2026-01-01"), (0, "2026-02-02"), (0, "2026-03-03")), strict=True):
        line["FStockOutQty"] = line["FQty"] * done
        line["FDeliveryDate"] = date.fromisoformat(day)
    bill.header |= {"FDocumentStatus": "C", "FBillNo": "SO-X", "FID": 99}
    server.more["SAL_SaleOrder"] = [bill]
    order = await open_at(server).order("SO-X")
    assert order.promised_on == date.fromisoformat("2026-02-02")


async def test_equal_days_are_ordered_by_number_whatever_the_ids(server: FakeKingdee, open_at: Open) -> None:
    bills = []
    for place in range(3):
        bill = _bill(server, "SAL_SaleOrder", "SO-1001")
        bill.header |= {"FBillNo": f"SO-X{place}", "FID": 99 - place, "FDate": date(2026, 11, 24)}
        bills.append(bill)
    server.more["SAL_SaleOrder"] = bills
    found = await open_at(server).orders(ListQuery(text="SO-X", limit=10))
    assert [order.number for order in found.items] == ["SO-X0", "SO-X1", "SO-X2"]


async def test_two_entries_of_a_bill_are_asked_for_apart(
    server: FakeKingdee, company: NumberedCompany, open_at: Open
) -> None:
    invoice = await open_at(server).invoice("INV-7")
    assert invoice.open_amount == company.invoices["INV-7"].open_amount
    for sent in queries(server, "AR_receivable"):
        assert ("FSourceBillNo" in sent["FieldKeys"]) != ("FNOTVERIFICATEAMOUNT" in sent["FieldKeys"])


async def test_a_receivable_made_of_a_delivery_names_no_order(server: FakeKingdee, open_at: Open) -> None:
    bill = _bill(server, "AR_receivable", "INV-1002")
    bill.header |= {"FBillNo": "INV-X", "FID": 99}
    bill.entries["FEntityDetail"] = [
        {"FEntityDetail_FEntryId": 1, "FSourceBillNo": "XSCKD01", "FSourceType": "SAL_OUTSTOCK"}
    ]
    server.more["AR_receivable"] = [bill]
    assert (await open_at(server).invoice("INV-X")).order_number == ""


async def test_without_a_payment_plan_a_part_paid_invoice_owes_an_unknown_rest(
    server: FakeKingdee, company: NumberedCompany, open_at: Open
) -> None:
    server.missing = {f"AR_receivable.{key}" for key in ("FNOTVERIFICATEAMOUNT", "FPAYAMOUNTFOR", "FENDDATE")}
    erp = open_at(server)
    for number, known in (("INV-7", False), ("INV-1003", True)):
        invoice = await erp.invoice(number)
        assert (invoice.open_amount is not None) is known
        assert invoice.due_on == company.invoices[number].due_on


async def test_a_production_bill_of_several_lines_is_several_orders(server: FakeKingdee, open_at: Open) -> None:
    bill = _bill(server, "PRD_MO", "MO-1")
    [line] = bill.entries["FTreeEntity"]
    bill.header |= {"FBillNo": "MO-X", "FID": 99}
    bill.entries["FTreeEntity"] = [
        line | {"FTreeEntity_FSeq": n, "FTreeEntity_FEntryId": 9900 + n, "FQty": Decimal(n)} for n in (1, 2, 3)
    ]
    server.more["PRD_MO"] = [bill]
    erp = open_at(server)
    assert [(await erp.production_order(n)).planned for n in ("MO-X", "mo-x#2", "MO-X#3")] == [1, 2, 3]
    with pytest.raises(NotFound):
        await erp.production_order("MO-X#4")
    found = await erp.production_orders(ListQuery(text="MO-X#", limit=10))
    assert [order.number for order in found.items] == ["MO-X#2", "MO-X#3"]
    items, _ = await all_changes(erp, Area.PRODUCTION)
    assert {"MO-X", "MO-X#2", "MO-X#3"} <= {change.key for change in items}


async def test_an_installation_without_days_of_finishing_says_so(server: FakeKingdee, open_at: Open) -> None:
    server.missing = {"PRD_MO.FFinishDate"}
    erp = open_at(server)
    done = (await erp.production_orders(ListQuery(filter=Filter.DONE, limit=100))).items
    assert done
    assert {order.finished_on for order in done} == {None}
    with pytest.raises(UnknownFinish):
        await erp.production_orders(ListQuery(filter=Filter.DONE, during=Period(date.min, date.max)))


# Stock


async def test_purchases_in_another_unit_leave_the_incoming_quantity_unknown(
    server: FakeKingdee, open_at: Open
) -> None:
    erp = open_at(server)
    assert (await erp.stock("SKU123")).total.incoming is not None
    bill = _bill(server, "PUR_PurchaseOrder", "PO-1010")
    bill.header |= {"FID": 99, "FBillNo": "PO-X", "FDocumentStatus": "C"}
    bill.entries["FPOOrderEntry"] = [
        line | {"FMaterialId.FNumber": "SKU123", "FUnitId.FName": "箱"} for line in bill.entries["FPOOrderEntry"]
    ]
    server.more["PUR_PurchaseOrder"] = [bill]
    server.forget()
    assert (await erp.stock("SKU123")).total.incoming is None


async def test_stock_is_told_without_the_right_to_read_purchases(server: FakeKingdee, open_at: Open) -> None:
    server.faults.forbid(Area.PURCHASING)
    total = (await open_at(server).stock("SKU123")).total
    assert (total.on_hand, total.incoming) == (Decimal(11370), None)


async def test_an_unknown_figure_of_the_forecast_is_no_zero(signed_server: FakeKingdee, open_at: Open) -> None:
    app = {"app_id": "200001_" + "Qk9U" * 8, "app_secret": "s3cret-8c41-never-in-logs"}
    with pytest.raises(Invalid, match="FExpect"):
        await open_at(signed_server, **app, org=ORG, expect_field="FExpect").stock("SKU123")


# Organisations


async def test_only_the_organisation_asked_about_is_told(server: FakeKingdee, open_at: Open) -> None:
    other_organisation(server)
    ours, others = open_at(server, org=ORG), open_at(server, org=OTHER_ORG)
    assert len(await ours.find_products("", limit=500)) == 32
    assert len(await others.find_products("", limit=500)) == 9
    assert (await others.orders(ListQuery(limit=100))).total == 9
    assert (await ours.stock("SKU123")).total.on_hand == 11370


async def test_several_organisations_of_which_none_is_chosen_are_not_told_of_together(
    server: FakeKingdee, signed_server: FakeKingdee, open_at: Open, clock: Clock
) -> None:
    app = {"app_id": APP_ID, "app_secret": SECRET}
    for at, way_in in ((server, {}), (signed_server, app)):
        other_organisation(at)
        erp = open_at(at, **way_in)
        reads: tuple[Callable[[], Awaitable[object]], ...] = (
            erp.check,
            lambda erp=erp: erp.order("SO-1001"),
            lambda erp=erp: erp.stock("SKU123"),
            lambda erp=erp: erp.find_products("", limit=9),
            lambda erp=erp: erp.customers(ListQuery()),
            lambda erp=erp: erp.changed_since(Area.SALES, "", limit=1),
            lambda erp=erp: erp.decide(decision("PO-1072", "1")),
        )
        for read in reads:
            with pytest.raises(CompanyNotChosen) as refused:
                await read()
            assert refused.value.companies == {ORG: "总公司", OTHER_ORG: "深圳公司"}
        assert '[erp."深圳公司"]\norg = "200"' in str(unreachable(refused.value, "k3").remedy)
        assert len(queries(at, "ORG_Organizations")) == len(reads)
        await open_at(at, **way_in, org=ORG).check()
        assert (await open_at(at, **way_in, several_orgs=True).customers(ListQuery())).total
        assert len(queries(at, "ORG_Organizations")) == len(reads), "nothing to look at where one is chosen"


async def test_the_only_organisation_is_looked_at_once_and_again_later(
    server: FakeKingdee, open_at: Open, clock: Clock
) -> None:
    erp = open_at(server)
    await erp.check()
    await erp.stock("SKU123")
    assert len(queries(server, "ORG_Organizations")) == 1
    other_organisation(server)
    server.forget()
    clock.advance(600)
    with pytest.raises(CompanyNotChosen):
        await erp.stock("SKU123")


@pytest.mark.parametrize("answer", ["a refusal", "nothing"])
async def test_an_account_that_may_not_read_organisations_has_to_be_told_one(
    server: FakeKingdee, open_at: Open, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer == "nothing":
        monkeypatch.setattr(server, "bills", lambda form: [])
    else:
        server.missing.add("ORG_Organizations.FName")
    with pytest.raises(Invalid, match="set org"):
        await open_at(server).check()
    await open_at(server, org=ORG).check()


async def test_one_number_in_two_organisations_is_not_guessed(server: FakeKingdee, open_at: Open) -> None:
    other_organisation(server)
    with pytest.raises(Invalid, match="org"):
        await open_at(server, several_orgs=True).order("SO-1001")
    for limit in (1, 9, 32, 500):
        assert len(await open_at(server, several_orgs=True).find_products("", limit=limit)) == min(limit, 32)


async def test_warehouses_of_one_code_in_two_organisations_stay_apart(server: FakeKingdee, open_at: Open) -> None:
    other_organisation(server)
    codes = [place.code for place in (await open_at(server, several_orgs=True).stock("SKU123")).per_warehouse]
    assert {f"{ORG}/MAIN", f"{OTHER_ORG}/MAIN"} <= set(codes)
    assert len(codes) == len(set(codes))


# Changes


async def test_a_decision_shows_though_the_time_of_change_stays(
    server: FakeKingdee, company: NumberedCompany, clock: Clock, open_at: Open
) -> None:
    erp = open_at(server)
    _, cursor = await all_changes(erp, Area.PURCHASING)
    # The first of two levels changes neither FModifyDate nor FApproveDate.
    clock.advance(60)
    company.decide("PO-1006", Verdict.APPROVE, ANNA)
    items, cursor = await all_changes(erp, Area.PURCHASING, cursor)
    assert [(change.key, change.changed_at) for change in items] == [("PO-1006", clock.now())]
    assert (await erp.purchase_order("PO-1006")).changed_at == clock.now()


async def test_a_change_that_appears_late_is_not_lost(
    server: FakeKingdee, company: NumberedCompany, clock: Clock, open_at: Open
) -> None:
    erp = open_at(server)
    clock.advance(3600)
    company.touch(Area.SALES, "SO-1002")
    _, cursor = await all_changes(erp, Area.SALES)
    company.touch(Area.SALES, "SO-1005", clock.now() - timedelta(minutes=2))
    items, _ = await all_changes(erp, Area.SALES, cursor)
    assert [change.key for change in items] == ["SO-1005"]


async def test_filters_cut_times_off_to_the_second_and_nothing_comes_twice(
    server: FakeKingdee, company: NumberedCompany, clock: Clock, open_at: Open
) -> None:
    erp = open_at(server)
    start = clock.now()
    clock.advance(3600)
    # The second record, right at the start of the overlap, is complete in the answer but partly known.
    company.touch(Area.SALES, "SO-1002", start + timedelta(seconds=0.1))
    company.touch(Area.SALES, "SO-1005", start + timedelta(seconds=180.5))
    _, cursor = await all_changes(erp, Area.SALES)
    assert (await erp.changed_since(Area.SALES, cursor, limit=7)).items == ()


async def test_a_material_of_two_organisations_changes_once(
    server: FakeKingdee, company: NumberedCompany, clock: Clock, open_at: Open
) -> None:
    other_organisation(server)
    for bill in server.more["BD_MATERIAL"]:
        bill.header["FModifyDate"] += timedelta(days=20)
    erp = open_at(server, several_orgs=True)
    for limit in (1, 7, 100):
        items, _ = await all_changes(erp, Area.PRODUCTS, limit=limit)
        assert sorted(change.key for change in items) == sorted(company.products)
        assert [change.changed_at for change in items] == sorted(change.changed_at for change in items)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
async def test_a_cursor_of_an_impossible_time_is_refused(server: FakeKingdee, open_at: Open, at: str) -> None:
    with pytest.raises(Invalid):
        await open_at(server).changed_since(Area.SALES, f'["{at}",[]]', limit=5)


# Deciding


async def test_a_decision_is_one_call_in_the_persons_name(server: FakeKingdee, open_at: Open) -> None:
    erp = open_at(server)
    seen = await erp.purchase_order("PO-1001")
    result = await erp.decide(decision("PO-1001", seen.review.version, Verdict.REJECT))
    assert (result.outcome, result.text) == (DecisionOutcome.APPLIED, "单据 PO-1001 处理成功")
    [write] = [sent for name, sent in server.asked if name == "WorkflowAudit"]
    assert write == {
        "data": {
            "FormId": "PUR_PurchaseOrder",
            "Numbers": ["PO-1001"],
            "UserId": int(ANNA),
            "UserName": "Anna 安娜",
            "ApprovalType": 2,
            "Disposition": "太贵",
        }
    }


async def test_success_of_the_call_is_not_success_of_the_decision(
    server: FakeKingdee, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "_SETTLE_DELAYS", (0, 0))
    monkeypatch.setattr(server, "_workflow_audit", lambda request, data: server._done("PO-1001"))
    erp = open_at(server)
    seen = await erp.purchase_order("PO-1001")
    assert (await erp.decide(decision("PO-1001", seen.review.version))).outcome is DecisionOutcome.NOT_PERMITTED


async def test_a_workflow_that_moves_on_late_is_waited_for(
    server: FakeKingdee, company: NumberedCompany, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "_SETTLE_DELAYS", (0, 0, 0))
    erp = open_at(server)
    seen = await erp.purchase_order("PO-1001")
    reads = 0
    original = server._query

    def query(request: Any, form: str, data: dict[str, Any]) -> Any:
        nonlocal reads
        written = any(name == "WorkflowAudit" for name, _ in server.asked)
        if written and form == "PUR_PurchaseOrder":
            reads += 1
            if reads == 3:
                company.decide("PO-1001", Verdict.APPROVE, ANNA)
        return original(request, form, data)

    monkeypatch.setattr(server, "_query", query)
    monkeypatch.setattr(server, "_workflow_audit", lambda request, data: server._done("PO-1001"))
    assert (await erp.decide(decision("PO-1001", seen.review.version))).outcome is DecisionOutcome.APPLIED
    assert server.requests.count(RequestKind.WRITE) == 1


async def test_an_order_without_workflow_is_not_audited_unless_allowed(
    server: FakeKingdee, company: NumberedCompany, open_at: Open
) -> None:
    server.no_workflow = {"PO-1001", "PO-1002"}
    strict = open_at(server)
    seen = await strict.purchase_order("PO-1001")
    assert seen.review.approval is not None
    assert seen.review.approval.pending_for == ()
    assert (await strict.decide(decision("PO-1001", seen.review.version))).outcome is DecisionOutcome.NOT_PERMITTED
    assert _status(company, "PO-1001") is ReviewState.WAITING
    allowed = open_at(server, audit_without_workflow=True)
    assert (await allowed.decide(decision("PO-1001", seen.review.version))).outcome is DecisionOutcome.APPLIED
    assert _status(company, "PO-1001") is ReviewState.APPROVED
    other = await allowed.purchase_order("PO-1002")
    result = await allowed.decide(decision("PO-1002", other.review.version, Verdict.REJECT))
    assert result.outcome is DecisionOutcome.APPLIED
    assert _status(company, "PO-1002") is ReviewState.DRAFT
    writes = [(name, sent["formid"], sent["data"]["Numbers"]) for name, sent in server.asked if "formid" in sent]
    assert writes == [
        ("Audit", "PUR_PurchaseOrder", ["PO-1001"]),
        ("CancelAssign", "PUR_PurchaseOrder", ["PO-1002"]),
    ]


async def test_an_audit_that_was_taken_back_is_no_rejection(
    server: FakeKingdee, company: NumberedCompany, open_at: Open
) -> None:
    company.decide("PO-1001", Verdict.APPROVE, ANNA)
    bill = _bill(server, "PUR_PurchaseOrder", "PO-1001")
    company.purchases.pop("PO-1001")
    bill.header["FDocumentStatus"] = "D"
    tasks = server.bills("WF_AssignmentHisBill_ProcManage")
    server.more = {
        "PUR_PurchaseOrder": [bill],
        "WF_AssignmentHisBill_ProcManage": [t for t in tasks if t.header["FBILLNUMBER"] == "PO-1001"],
    }
    order = await open_at(server).purchase_order("PO-1001")
    assert (order.status, order.review.approval) == (ReviewState.DRAFT, None)


async def test_without_the_right_to_read_tasks_orders_are_told_and_nothing_is_decided(
    server: FakeKingdee, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = server._query

    def query(request: Any, form: str, data: dict[str, Any]) -> Any:
        if form.startswith("WF_"):
            return server._refuse(request, "没有该业务对象的查看权限")
        return original(request, form, data)

    monkeypatch.setattr(server, "_query", query)
    erp = open_at(server)
    seen = await erp.purchase_order("PO-1001")
    assert seen.status is ReviewState.WAITING
    assert (await erp.decide(decision("PO-1001", seen.review.version))).outcome is DecisionOutcome.NOT_PERMITTED
    assert server.requests.count(RequestKind.WRITE) == 0


async def test_another_persons_task_is_not_taken(server: FakeKingdee, open_at: Open) -> None:
    erp = open_at(server)
    seen = await erp.purchase_order("PO-1001")
    assert (
        await erp.decide(decision("PO-1001", seen.review.version, by=GUEST))
    ).outcome is DecisionOutcome.NOT_PERMITTED
    assert server.requests.count(RequestKind.WRITE) == 0


# Values


async def test_an_unknown_currency_leaves_the_amount_out_and_is_named(server: FakeKingdee, open_at: Open) -> None:
    bill = _bill(server, "SAL_SaleOrder", "SO-1001")
    bill.header |= {"FBillNo": "SO-X", "FID": 99, "FSettleCurrId.FCode": " ", "FSettleCurrId.FName": "贝壳"}
    server.more["SAL_SaleOrder"] = [bill]
    order = await open_at(server).order("SO-X")
    assert (order.total, dict(order.extra)) == (None, {"currency": "贝壳"})
    named = await open_at(server, currencies={"贝壳": "XSH"}).order("SO-X")
    assert named.total is not None
    assert named.total.currency == "XSH"


@pytest.mark.parametrize(("key", "value"), [("FBillAllAmount", "viel"), ("FDate", "gestern")])
async def test_a_value_that_is_none_is_an_error_of_the_erp(
    server: FakeKingdee, open_at: Open, key: str, value: str
) -> None:
    bill = _bill(server, "SAL_SaleOrder", "SO-1001")
    bill.header |= {"FBillNo": "SO-X", "FID": 99, key: value}
    server.more["SAL_SaleOrder"] = [bill]
    with pytest.raises(Invalid):
        await open_at(server).order("SO-X")


def _bill(server: FakeKingdee, form: str, number: str) -> KingdeeBill:
    found = next(bill for bill in server.bills(form) if bill.header["FBillNo"] == number)
    entries = {entry: [dict(line) for line in lines] for entry, lines in found.entries.items()}
    return replace(found, header=dict(found.header), entries=entries)


def _status(company: NumberedCompany, number: str) -> ReviewState:
    return company.purchases[number].status


async def test_an_order_is_late_by_another_line_than_that_of_the_product(server: FakeKingdee, open_at: Open) -> None:
    bill = _bill(server, "SAL_SaleOrder", "SO-1003")
    lines = bill.entries["FSaleOrderEntry"]
    held = (("SKU-A", "2026-01-01"), ("SKU-B", "2027-01-01"), ("SKU-B", "2027-01-01"))
    for line, (sku, day) in zip(lines, held, strict=True):
        line |= {"FStockOutQty": 0, "FDeliveryDate": date.fromisoformat(day), "FMaterialId.FNumber": sku}
    bill.header |= {"FDocumentStatus": "C", "FCloseStatus": "A", "FCancelStatus": "A", "FBillNo": "SO-X", "FID": 99}
    server.more["SAL_SaleOrder"] = [bill]
    found = await open_at(server).orders(ListQuery(filter=Filter.LATE, product="sku-b"))
    assert ([order.number for order in found.items], found.total) == (["SO-X"], 1)
    assert [line.sku for line in found.items[0].lines] == ["SKU-B", "SKU-B"], "heads come once a line, orders once"
