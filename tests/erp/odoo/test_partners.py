"""Odoo's partners, bills and payments: what is not there without a right, and what must not be taken for another."""

from __future__ import annotations

from dataclasses import replace

from bot.erp.model import PaymentStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.fake_erp import RequestKind as Request
from tests.erp.fakes.odoo_engine import Many2One, OdooModel
from tests.erp.odoo.conftest import Open, changed

OF_ACCOUNTING = frozenset({"credit", "debit", "credit_limit", "use_partner_credit_limit"})


async def test_without_the_right_to_accounting_what_is_owed_is_not_told(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "res.partner", without=OF_ACCOUNTING)
    customer = (await erp.customers(ListQuery(limit=1))).items[0]
    assert (customer.receivable, customer.credit_limit) == (None, None)
    assert (await erp.vendors(ListQuery(limit=1))).items[0].payable is None


async def test_a_limit_that_is_not_switched_on_is_none(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "res.partner", use_partner_credit_limit=lambda _: False)
    assert (await erp.customer("C-102")).credit_limit is None


async def test_a_partner_without_a_reference_is_called_by_its_id(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "res.partner", ref=lambda _: None)
    listed = (await erp.customers(ListQuery(limit=2))).items
    assert [customer.code for customer in listed] == [f"*{customer.id}" for customer in listed]
    assert (await erp.customer(listed[1].code)) == listed[1]


async def test_people_of_a_company_are_no_customers_and_their_documents_are_the_companys(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    name = "Acme Ltd."
    wanted = (await erp.orders(ListQuery(partner=name, limit=100))).total
    genuine = server.models("res.partner")
    assert genuine is not None
    acme = next(record for record in genuine.records if record["name"] == name and record["customer_rank"])
    company = Many2One("res.partner", 77, name)
    changed(
        server,
        "res.partner",
        parent_id=lambda record: company if record["id"] == acme["id"] else None,
        name=lambda record: "Jo" if record["id"] == acme["id"] else name if record["id"] == 77 else record["name"],
    )
    assert "Jo" not in [customer.name for customer in (await erp.customers(ListQuery(limit=100))).items]
    found = server.models("res.partner")
    assert found is not None
    with_company = [*found.records, {**acme, "id": 77, "ref": "NEW", "name": name, "parent_id": None}]
    people = replace(found, records=with_company)
    server.models = lambda model: people if model == "res.partner" else server.records(model)
    assert (await erp.orders(ListQuery(partner=name, limit=100))).total == wanted > 0


async def test_money_moved_between_own_accounts_is_no_payment(open_odoo: Open) -> None:
    erp, server = await open_odoo((17, 0))
    changed(server, "account.payment", is_internal_transfer=lambda record: record["name"] == "PAY-1003")
    numbers = [payment.number for payment in (await erp.payments(ListQuery(limit=100))).items]
    assert "PAY-1003" not in numbers
    assert len(numbers) == 23


async def test_a_payment_whose_invoices_may_not_be_read_is_told_without_them(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    number = next(each.number for each in server.company.payments.values() if each.settles)
    genuine = server.records

    def models(name: str) -> OdooModel | None:
        found = genuine(name)
        if name == "account.move" and found is not None:
            return replace(found, records=[])
        return found

    server.models = models
    assert (await erp.payment(number)).settles == ()


async def test_an_unknown_state_is_no_more_than_a_draft(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "account.payment", state=lambda _: "to_validate")
    payment = (await erp.payments(ListQuery(limit=1))).items[0]
    assert (payment.status, payment.extra) == (PaymentStatus.DRAFT, {"state": "to_validate"})


async def test_what_is_open_with_a_partner_costs_one_call(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    await erp.invoices(ListQuery(limit=1))
    server.requests.clear()
    found = await erp.invoices(ListQuery(filter=Filter.OPEN, partner="acme ltd.", limit=100))
    assert found.items
    assert server.requests.count(Request.READ) == 1
