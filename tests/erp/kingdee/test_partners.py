"""Partners, payables and payments of Kingdee: what must not be taken for another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.goods.port import ArrivalQuery
from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.model import Area, Money, PartnerKind, PaymentDirection
from bot.erp.port import Filter, ListQuery
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, KingdeeBill

from .conftest import Open, queries
from .fixtures import other_organisation


def first(server: FakeKingdee, form: str) -> KingdeeBill:
    return next(FORMS[form][1](server.company))


def add(server: FakeKingdee, form: str, lines: list[dict[str, Any]] | None = None, **header: Any) -> None:
    """Add a copy of the first bill of a form, with other values."""
    known = first(server, form)
    values = {key.replace("__", "."): value for key, value in header.items()}
    entries = known.entries
    if lines is not None:
        [(entry, [line, *_])] = known.entries.items()
        entries = {entry: [{**line, f"{entry}_FEntryId": 900 + n, **more} for n, more in enumerate(lines)]}
    server.more.setdefault(form, []).append(KingdeeBill(known.header | values, entries))
    server.forget()


@pytest.mark.parametrize("form", ["AR_RECEIVEBILL", "AP_PAYBILL"])
async def test_money_of_an_employee_is_no_payment(erp: KingdeeErp, server: FakeKingdee, form: str) -> None:
    add(server, form, FID=99, FBillNo="PAY-99", FCONTACTUNITTYPE="BD_Empinfo")
    with pytest.raises(NotFound):
        await erp.payment("PAY-99")
    assert "PAY-99" not in [payment.number for payment in (await erp.payments(ListQuery(limit=100))).items]


async def test_a_receipt_of_a_vendor_is_a_refund(erp: KingdeeErp, server: FakeKingdee) -> None:
    add(server, "AR_RECEIVEBILL", FID=99, FBillNo="PAY-99", FCONTACTUNITTYPE="BD_Supplier")
    payment = await erp.payment("PAY-99")
    assert (payment.direction, payment.partner_kind) == (PaymentDirection.RECEIVED, PartnerKind.VENDOR)


async def test_a_payment_is_what_was_really_paid_by_all_its_lines(erp: KingdeeErp, server: FakeKingdee) -> None:
    lines = [
        {"FPAYTOTALAMOUNTFOR": Decimal(100), "FREALPAYAMOUNTFOR_D": Decimal(98), "FSETTLETYPEID.FName": "电汇"},
        {"FPAYTOTALAMOUNTFOR": Decimal(7), "FREALPAYAMOUNTFOR_D": Decimal(7), "FSETTLETYPEID.FName": "现金"},
        {"FPAYTOTALAMOUNTFOR": Decimal(5), "FREALPAYAMOUNTFOR_D": Decimal(5), "FSETTLETYPEID.FName": "电汇"},
    ]
    currency = {"FCURRENCYID__FCode": "CNY", "FCURRENCYID__FName": "人民币"}
    add(server, "AP_PAYBILL", lines, FID=99, FBillNo="PAY-99", **currency)
    payment = await erp.payment("PAY-99")
    assert (payment.amount, payment.method) == (Money(Decimal(110), "CNY"), "电汇, 现金")


async def test_what_was_to_be_paid_stands_where_the_rest_is_missing(erp: KingdeeErp, server: FakeKingdee) -> None:
    server.missing |= {"AP_PAYBILL.FREALPAYAMOUNTFOR_D", "AP_PAYBILL.FSETTLETYPEID"}
    add(server, "AP_PAYBILL", [{"FPAYTOTALAMOUNTFOR": Decimal(100)}], FID=99, FBillNo="PAY-99")
    payment = await erp.payment("PAY-99")
    assert payment.amount is not None
    assert (payment.amount.amount, payment.method) == (Decimal(100), "")


async def test_a_number_of_a_receipt_and_a_payment_is_a_choice(erp: KingdeeErp, server: FakeKingdee) -> None:
    for form in ("AR_RECEIVEBILL", "AP_PAYBILL"):
        add(server, form, FID=99, FBillNo="PAY-99")
    with pytest.raises(Invalid, match="several documents"):
        await erp.payment("PAY-99")
    listed = [payment.number for payment in (await erp.payments(ListQuery(text="PAY-99"))).items]
    assert listed == ["PAY-99", "PAY-99"]


async def test_fields_of_customers_that_are_missing_are_left_out(
    erp: KingdeeErp, open_at: Open, server: FakeKingdee
) -> None:
    whole = await erp.customer("C-102")
    assert "" not in (whole.phone, whole.email, whole.salesperson, whole.payment_terms)
    fields = ("FTEL", "FMobile", "FEmail", "FADDRESS", "FSELLER", "FRECCONDITIONID", "FModifyDate", "FApproveDate")
    server.missing |= {f"BD_Customer.{name}" for name in fields}
    bare = await open_at(server).customer("C-102")
    assert (bare.name, bare.phone, bare.email, bare.salesperson, bare.payment_terms) == (whole.name, "", "", "", "")


async def test_a_customer_of_two_organisations_is_one_and_active_in_either(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server, several_orgs=True)
    wanted = (await erp.customers(ListQuery(limit=100))).total
    other_organisation(server)
    server.forget()
    assert (await erp.customers(ListQuery(limit=100))).total == wanted
    code = first(server, "BD_Customer").header["FNumber"]
    server.more["BD_Customer"][0].header["FForbidStatus"] = "B"
    server.forget()
    assert (await erp.customer(code)).is_active


async def test_a_bill_of_several_orders_names_none(erp: KingdeeErp, server: FakeKingdee) -> None:
    known = first(server, "AP_Payable")
    details = [{"FEntityDetail_FEntryId": n, "FORDERNUMBER": f"PO-{n}"} for n in range(2)]
    server.more["AP_Payable"] = [
        KingdeeBill(known.header | {"FID": 99, "FBillNo": "BILL-99"}, known.entries | {"FEntityDetail": details})
    ]
    server.forget()
    assert (await erp.bill("BILL-99")).order_number == ""


async def test_without_the_orders_of_payables_bills_are_told_without_them(erp: KingdeeErp, server: FakeKingdee) -> None:
    server.missing.add("AP_Payable.FORDERNUMBER")
    server.forget()
    assert {bill.order_number for bill in (await erp.bills(ListQuery(limit=5))).items} == {""}


async def test_what_is_open_with_a_partner_is_narrowed_by_the_server(erp: KingdeeErp, server: FakeKingdee) -> None:
    vendor = first(server, "AP_Payable").header["FSUPPLIERID.FName"]
    found = await erp.bills(ListQuery(filter=Filter.OPEN, partner=vendor.upper(), limit=100))
    assert found.items
    [asked, *_] = [sent["FilterString"] for sent in queries(server, "AP_Payable")]
    assert "FWRITTENOFFSTATUS<>'C'" in asked
    assert f"FSUPPLIERID.FName in ('{vendor.upper()}'" in asked


@pytest.mark.parametrize("partner", ["no\nbody", "n" * 3_000])
async def test_an_impossible_name_is_not_sent(erp: KingdeeErp, server: FakeKingdee, partner: str) -> None:
    assert (await erp.bills(ListQuery(partner=partner))).total == 0
    assert all(partner not in str(sent) for _, sent in server.asked)


async def test_a_missing_right_is_no_empty_list_of_arrivals(erp: KingdeeErp, server: FakeKingdee) -> None:
    assert (await erp.arrivals(ArrivalQuery())).total
    for area in (Area.PURCHASING, Area.PRODUCTION):
        server.faults.forbid(area)
        with pytest.raises(NotPermitted):
            await erp.arrivals(ArrivalQuery())
        server.faults.clear()
