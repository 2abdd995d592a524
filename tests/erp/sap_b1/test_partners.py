"""Partners, bills and payments of Business One: what must not be taken for another."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Ambiguous, Invalid, NotFound
from bot.erp.model import Money, PartnerKind, PaymentDirection
from bot.erp.port import Filter, ListQuery
from bot.erp.sap_b1.adapter import SapB1Erp
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind
from tests.erp.fakes.sap_b1 import FakeSapB1

from .conftest import Open, both_versions

DENIED = 403, {"error": {"code": "-1116", "message": "not authorized"}}


def records(server: FakeSapB1, entity: str) -> list[dict[str, Any]]:
    return server._entity(entity)


async def test_a_lead_is_no_customer(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.more["BusinessPartners"] = [
        records(server, "BusinessPartners")[0] | {"CardCode": "L-1", "CardName": "Leadsby", "CardType": "cLid"}
    ]
    with pytest.raises(NotFound):
        await erp.customer("L-1")
    assert (await erp.customers(ListQuery(text="Leadsby"))).total == 0


async def test_a_code_of_two_cases_is_a_choice(erp: SapB1Erp, server: FakeSapB1) -> None:
    [first] = [row for row in records(server, "BusinessPartners") if row["CardCode"] == "C-102"]
    server.more["BusinessPartners"] = [first | {"CardCode": "c-102", "CardName": "Small"}]
    assert (await erp.customer("c-102")).name == "Small"
    assert (await erp.customer("C-102")).name == first["CardName"]
    server.more["BusinessPartners"].append(first | {"CardCode": "K-1"})
    server.more["BusinessPartners"].append(first | {"CardCode": "k-1"})
    assert (await erp.customer("k-1")).code == "k-1"
    server.more["BusinessPartners"].append(first | {"CardCode": "Kk-1"})
    server.more["BusinessPartners"].append(first | {"CardCode": "KK-1"})
    with pytest.raises(Ambiguous):
        await erp.customer("kk-1")


@both_versions
@pytest.mark.parametrize(
    ("frozen", "first", "last", "active"),
    [
        ("tYES", None, None, False),
        ("tYES", "2026-11-25", None, True),
        ("tYES", None, "2026-11-23", True),
        ("tYES", "2026-11-24", "2026-11-24", False),
        ("tNO", None, None, True),
    ],
)
async def test_who_is_inactive_for_some_days_is_active_on_others(
    erp: SapB1Erp, server: FakeSapB1, frozen: str, first: str | None, last: str | None, active: bool
) -> None:
    days = {"Frozen": frozen, "FrozenFrom": first, "FrozenTo": last}
    server.more["BusinessPartners"] = [
        records(server, "BusinessPartners")[0] | {"CardCode": "T-1", "CardName": "Sometimes"} | days
    ]
    assert (await erp.customer("T-1")).is_active is active
    assert (await erp.customers(ListQuery(text="Sometimes"))).total == active


async def test_an_address_and_a_mobile_are_told_as_they_are(erp: SapB1Erp, server: FakeSapB1) -> None:
    place = {"Address": "1 Long Road", "ZipCode": "310000", "City": "杭州", "Phone1": None, "Cellular": "138"}
    server.more["BusinessPartners"] = [records(server, "BusinessPartners")[0] | {"CardCode": "T-1"} | place]
    customer = await erp.customer("T-1")
    assert (customer.address, customer.phone) == ("1 Long Road, 310000, 杭州", "138")


async def test_without_the_companys_currency_no_amount_is_told(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.answers["CompanyService_GetAdminInfo"] = DENIED
    customer = await erp.customer("C-102")
    assert (customer.credit_limit, customer.receivable) == (None, None)
    assert (await erp.vendor("V-202")).payable is None
    assert (await erp.payment("P1002")).amount is None


@both_versions
async def test_a_page_of_partners_costs_one_call(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.customers(ListQuery(limit=2))
    server.asked.clear()
    found = await erp.customers(ListQuery(offset=2, limit=3))
    assert ([customer.code for customer in found.items], found.total) == (["C-103", "C-104", "C-105"], 9)
    assert len(server.asked) == 1


@both_versions
async def test_a_server_with_shorter_pages_still_gives_the_whole_part(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.cap = 2
    found = await erp.customers(ListQuery(limit=7))
    assert (len(found.items), found.total) == (7, 9)


async def test_a_list_without_its_length_is_refused(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.answers["BusinessPartners"] = 200, {"value": []}
    with pytest.raises(Invalid):
        await erp.customers(ListQuery(limit=3))


async def test_signs_are_looked_for_here(erp: SapB1Erp, server: FakeSapB1) -> None:
    assert [customer.code for customer in (await erp.customers(ListQuery(text="*x*"))).items] == ["ACME/1 *x*"]
    assert "$top" not in server.asked[0]


async def test_what_goes_to_an_account_is_no_payment(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.more["VendorPayments"] = [
        records(server, "VendorPayments")[0] | {"DocEntry": 99, "DocNum": 999, "DocType": "rAccount"}
    ]
    with pytest.raises(NotFound):
        await erp.payment("P999")
    assert "P999" not in [payment.number for payment in (await erp.payments(ListQuery(limit=100))).items]


async def test_a_refund_of_a_vendor_is_received(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.more["IncomingPayments"] = [
        records(server, "IncomingPayments")[0] | {"DocEntry": 99, "DocNum": 999, "DocType": "rSupplier"}
    ]
    payment = await erp.payment("R999")
    assert (payment.direction, payment.partner_kind) == (PaymentDirection.RECEIVED, PartnerKind.VENDOR)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"CashSum": 1.5, "TransferSum": 2, "BillOfExchangeAmount": 0.25}, "3.75"),
        ({"PaymentChecks": [{"CheckSum": 4}], "PaymentCreditCards": [{"CreditSum": 5}]}, "9"),
        ({"DocCurrency": "USD", "TransferSum": 7.25}, "7.25"),
        ({"DocCurrency": "USD", "PaymentChecks": [{"CheckSum": 4}]}, None),
        ({}, "0"),
    ],
)
async def test_a_payment_is_the_sum_of_its_means(
    erp: SapB1Erp, server: FakeSapB1, more: dict[str, Any], expected: str | None
) -> None:
    bare: dict[str, Any] = {
        "CashSum": 0,
        "TransferSum": 0,
        "BillOfExchangeAmount": None,
        "PaymentChecks": [],
        "DocCurrency": "RMB",
    }
    first = records(server, "VendorPayments")[0] | {"DocEntry": 99, "DocNum": 999, "PaymentCreditCards": []}
    server.more["VendorPayments"] = [first | bare | more]
    amount = (await erp.payment("P999")).amount
    assert amount == (None if expected is None else Money(Decimal(expected), "CNY"))


async def test_what_a_payment_settles_is_told_as_far_as_it_may_be_read(erp: SapB1Erp, server: FakeSapB1) -> None:
    parts = [
        {"DocEntry": records(server, "Invoices")[0]["DocEntry"], "InvoiceType": "it_Invoice"},
        {"DocEntry": records(server, "PurchaseInvoices")[0]["DocEntry"], "InvoiceType": "it_PurchaseInvoice"},
        {"DocEntry": 5, "InvoiceType": "it_JournalEntry"},
        {"DocEntry": None, "InvoiceType": "it_Invoice"},
    ]
    first = records(server, "VendorPayments")[0] | {"DocEntry": 99, "DocNum": 999, "PaymentInvoices": parts}
    server.more["VendorPayments"] = [first]
    assert len((await erp.payment("P999")).settles) == 2
    server.answers["Invoices"] = DENIED
    bill = str(records(server, "PurchaseInvoices")[0]["DocNum"])
    assert (await erp.payment("P999")).settles == (bill,)


async def test_a_bill_is_told_without_its_order_where_orders_may_not_be_read(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    number = next(bill.number for bill in company.bills.values() if bill.order_number.isdecimal())
    assert (await erp.bill(number)).order_number
    server.answers["PurchaseOrders"] = DENIED
    assert (await erp.bill(number)).order_number == ""


async def test_what_is_open_with_a_partner_is_narrowed_by_the_server(
    open_with: Open, server: FakeSapB1, company: ReferenceCompany
) -> None:
    erp = open_with(list_days=1)
    partner = next(invoice.customer for invoice in company.invoices.values() if invoice.is_open)
    found = await erp.invoices(ListQuery(filter=Filter.OPEN, partner=partner.upper(), limit=100))
    assert found.items
    lists = [asked for asked in server.asked if asked.startswith(("Invoices?", "CreditNotes?"))]
    assert len(lists) == 2
    assert all("bost_Open" in asked and f"CardName eq '{partner}'".casefold() in asked.casefold() for asked in lists)
    assert server.requests.count(RequestKind.READ) <= 3


@pytest.mark.parametrize("partner", ["no\nbody", "n" * 3_000])
async def test_an_impossible_name_is_not_sent(erp: SapB1Erp, server: FakeSapB1, partner: str) -> None:
    assert (await erp.orders(ListQuery(partner=partner))).total == 0
    assert all("CardName eq" not in asked for asked in server.asked)
