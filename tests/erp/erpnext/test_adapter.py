"""Reads from ERPNext beyond the contract: its traps, and the number of requests.

Docs: platform/erp/erpnext.md#areas, #lists
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.erpnext.adapter import ErpNextErp
from bot.erp.erpnext.client import ErpNextClient, ListRequest
from bot.erp.erpnext.manifest import vendor
from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.errors import AuthFailed, CompanyNotChosen, Invalid, NotFound, NotPermitted
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import Area, Feed, Followed, InvoiceStatus, ReviewState
from bot.erp.port import Capability, Filter, ListQuery
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.erp_checks import all_changes, numbers
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.fake_erp import RequestKind as Request
from tests.erp.fakes import erpnext_doctypes as shapes
from tests.erp.fakes.erpnext import FakeErpNext
from tests.erp.fakes.erpnext_documents import COMPANY

from .conftest import Open, Rows


def asked_of(site: FakeErpNext) -> list[str]:
    return [entry.path.removeprefix("/api/") for entry in site.requests.entries]


# Set-up


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        ({}, set()),
        ({"workflow": False}, {Capability.REJECT}),
        ({"approvers": {}}, {Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK}),
    ],
)
async def test_what_is_offered_depends_on_keys_and_workflow(
    site: FakeErpNext, open_erp: Open, options: dict[str, Any], lacking: set[Capability]
) -> None:
    assert open_erp(site, **options).capabilities == frozenset(Capability) - lacking


def test_secrets_are_not_shown_and_zones_are_checked() -> None:
    settings = {
        "url": "https://erp",
        "key": "k",
        "secret": SECRET,
        "approvers": {"a@b": {"key": "k", "secret": SECRET}},
    }
    assert SECRET not in repr(ErpNextOptions.model_validate(settings))
    with pytest.raises(ValueError, match="not a time zone"):
        vendor.options.model_validate({**settings, "time_zone": "Mars/Base"})


async def test_the_sites_time_zone_is_asked_once(site: FakeErpNext, erp: ErpNextErp, company: ReferenceCompany) -> None:
    for _ in range(2):
        order = await erp.order("SO-1001")
        assert order.changed_at == company.orders["SO-1001"].changed_at
    assert asked_of(site).count("method/frappe.client.get_time_zone") == 1


async def test_a_configured_time_zone_is_believed(site: FakeErpNext, open_erp: Open, company: ReferenceCompany) -> None:
    erp = open_erp(site, time_zone="UTC")
    changed_at = company.orders["SO-1001"].changed_at
    assert changed_at is not None
    assert (await erp.order("SO-1001")).changed_at == changed_at + timedelta(hours=8)
    assert "method/frappe.client.get_time_zone" not in asked_of(site)


async def test_a_site_without_a_known_zone_says_what_to_do(
    site: FakeErpNext, open_erp: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "ZONE", "Mars/Base")
    with pytest.raises(Invalid, match="set time_zone"):
        await open_erp(site, company=COMPANY).check()


async def test_a_workflow_is_looked_for_at_the_check(site: FakeErpNext, open_erp: Open) -> None:
    await open_erp(site).check()
    with pytest.raises(Invalid, match="no action 'Genehmigen'"):
        await open_erp(site, approve_action="Genehmigen").check()
    site.workflow = False
    with pytest.raises(Invalid, match="set workflow = false"):
        await open_erp(site).check()
    await open_erp(site, workflow=False).check()


async def test_a_workflow_is_read_again_after_a_while(site: FakeErpNext, erp: ErpNextErp, clock: Clock) -> None:
    for seconds, times in ((0, 1), (599, 1), (2, 2)):
        clock.advance(seconds)
        await erp.purchase_order("PO-1001")
        assert sum(path.startswith("resource/Workflow/") for path in asked_of(site)) == times


async def test_orders_cannot_be_told_without_their_workflow(site: FakeErpNext, erp: ErpNextErp) -> None:
    site.unreadable.add("Workflow")
    with pytest.raises(NotPermitted):
        await erp.purchase_order("PO-1001")
    assert (await erp.order("SO-1001")).number == "SO-1001"


# Errors


async def test_a_missing_right_is_no_missing_document(site: FakeErpNext, erp: ErpNextErp) -> None:
    with pytest.raises(NotFound):
        await erp.order("SO-9999")
    site.unreadable.add("Sales Order")
    with pytest.raises(NotPermitted, match=r"User bot@example\.com does not have doctype access"):
        await erp.order("SO-9999")


async def test_a_wrong_key_is_asked_once(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site, secret="wrong")
    with pytest.raises(AuthFailed):
        await erp.check()
    assert asked_of(site) == ["method/frappe.auth.get_logged_user"]


# Number of requests


async def test_requests_are_few(site: FakeErpNext, erp: ErpNextErp) -> None:
    await erp.check()

    async def count(call: Any) -> int:
        site.requests.clear()
        await call
        return site.requests.count(Request.READ)

    assert await count(erp.stock("SKU123")) == 5
    assert await count(erp.stock("SKU124")) == 3, "an item without lots"
    assert await count(erp.order("SO-1001")) == 1
    assert await count(erp.orders(ListQuery(limit=20))) == 3
    assert await count(erp.orders(ListQuery(limit=500))) == 2
    assert await count(erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=500))) == 2
    assert await count(erp.production_orders(ListQuery(filter=Filter.LATE))) == 1
    # The order, and the open actions of four people; for other orders, steps and comments.
    assert await count(erp.purchase_order("PO-1001")) == 1 + 4 + 1, "and the names of people, once"
    assert await count(erp.purchase_order("PO-1001")) == 1 + 4
    assert await count(erp.purchase_order("PO-1010")) == 1 + 2
    assert await count(erp.purchase_order("PO-1009")) == 1
    assert await count(erp.purchase_orders(ListQuery(limit=500))) == 1 + 2 + 4 + 1, "and the names of some more"
    assert await count(erp.find_products("SKU123", limit=5)) == 4
    assert await count(erp.changed_since(Area.SALES, "", limit=10)) == 1


async def test_long_lists_are_asked_for_in_bodies(site: FakeErpNext, erp: ErpNextErp) -> None:
    assert len(await erp.find_products("", limit=500)) == 32
    assert {entry.method for entry in site.requests.entries} == {"GET"}
    query = ListQuery(text="长" * 60, limit=500)
    assert (await erp.orders(query)).items
    assert ("POST", "/api/method/frappe.client.get_list") in {(e.method, e.path) for e in site.requests.entries}


# Products


async def test_templates_and_disabled_items_are_no_products(site: FakeErpNext, erp: ErpNextErp) -> None:
    hidden = {"SKU200": {"disabled": 1}, "SKU201": {"has_variants": 1}}
    site.alter("Item", lambda rows: [row | hidden.get(row["name"], {}) for row in rows])
    assert [product.sku for product in await erp.find_products("SKU20", limit=2)] == ["SKU202", "SKU203"]
    assert await erp.find_products("6901234000200", limit=2) == ()


async def test_of_several_barcodes_any_finds_and_the_first_is_told(site: FakeErpNext, erp: ErpNextErp) -> None:
    def add(rows: Rows) -> Rows:
        second = [{**row["barcodes"][0], "idx": 2, "barcode": "SECOND-1"} for row in rows if row["name"] == "SKU200"]
        return [{**row, "barcodes": row["barcodes"] + second} if row["name"] == "SKU200" else row for row in rows]

    site.alter("Item", add)
    (found,) = await erp.find_products("second-1", limit=5)
    assert (found.sku, found.barcode) == ("SKU200", "6901234000200")


async def test_an_exact_code_is_found_among_very_many_hits(
    erp: ErpNextErp, company: ReferenceCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.erp.erpnext.adapter._SEARCHED", 5)
    assert (await erp.find_products("SKU218", limit=1))[0].sku == "SKU218"
    company.products["S"] = replace(company.products["SKU218"], sku="S", barcode="")
    company.product_changes["S"] = company.product_changes["SKU218"]
    assert (await erp.find_products("S", limit=1))[0].sku == "S"


# Stock


async def test_an_item_that_never_moved_has_no_bin_and_no_stock(erp: ErpNextErp) -> None:
    level = await erp.stock("SKU127")
    assert (level.per_warehouse, level.total.on_hand, level.reorder_point) == ((), Decimal(0), None)


async def test_stock_of_one_company_only(site: FakeErpNext, open_erp: Open) -> None:
    site.alter("Warehouse", lambda rows: [row | {"company": "Other"} if row["name"] == "SH" else row for row in rows])
    level = await open_erp(site, company="Other").stock("SKU123")
    assert [(place.code, place.quantities.on_hand) for place in level.per_warehouse] == [("SH", Decimal(2450))]
    assert (level.total.on_hand, level.reorder_point, level.company) == (Decimal(2450), None, "Other")
    assert (await open_erp(site).stock("SKU123")).company == ""


# Documents and lists


async def test_several_companies_of_which_none_is_chosen_are_not_told_of_together(
    site: FakeErpNext, open_erp: Open, clock: Clock
) -> None:
    erp = open_erp(site)
    await erp.customers(ListQuery())
    site.alter("Company", lambda rows: [*rows, rows[0] | {"name": "Other"}])
    clock.advance(600)
    reads: tuple[Callable[[], Awaitable[object]], ...] = (
        erp.check,
        lambda: erp.order("SO-1001"),
        lambda: erp.stock("SKU123"),
        lambda: erp.customers(ListQuery()),
        lambda: erp.changed_since(Area.SALES, "", limit=1),
    )
    for read in reads:
        with pytest.raises(CompanyNotChosen) as refused:
            await read()
        assert refused.value.companies == {COMPANY: COMPANY, "Other": "Other"}
    await open_erp(site, company=COMPANY).check()


async def test_an_account_that_may_not_read_companies_is_asked_by_its_warehouses(
    site: FakeErpNext, open_erp: Open
) -> None:
    site.unreadable |= {"Company"}
    await open_erp(site).check()
    site.alter("Warehouse", lambda rows: [row | {"company": "Other"} if row["name"] == "SH" else row for row in rows])
    with pytest.raises(CompanyNotChosen):
        await open_erp(site).check()
    site.unreadable |= {"Warehouse"}
    with pytest.raises(Invalid, match="set one"):
        await open_erp(site).check()
    await open_erp(site, company=COMPANY).check()


async def test_other_companies_documents_are_not_there(site: FakeErpNext, open_erp: Open) -> None:
    other, ours = open_erp(site, company="Other"), open_erp(site, company=COMPANY)
    with pytest.raises(NotFound):
        await other.order("SO-1001")
    assert (await ours.order("SO-1001")).number == "SO-1001"
    for query in (ListQuery(), ListQuery(filter=Filter.LATE), ListQuery(text="%")):
        assert (await other.orders(query)).total == 0
    assert (await ours.orders(ListQuery(limit=1))).total == 30


@pytest.mark.parametrize("area", [Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION, *Feed])
async def test_other_companies_documents_are_neither_followed_nor_kept(
    site: FakeErpNext, open_erp: Open, area: Followed
) -> None:
    other, ours = open_erp(site, company="Other"), open_erp(site, company=COMPANY)
    numbers = [change.key for change in (await ours.changed_since(area, "", limit=1_000)).items]
    drafts = {"GRN-CANCELLED", "GRN-DRAFT"}  # no receipts (yet): a change says of one that it is to be dropped
    read = await ours.read_documents(area, numbers)
    assert {document.number for document in read} == {*numbers} - drafts
    assert len(read) > 2
    assert await other.read_documents(area, numbers) == ()
    assert (await other.changed_since(area, "", limit=1_000)).items == ()


async def test_products_and_their_stock_are_followed_whatever_the_company(site: FakeErpNext, open_erp: Open) -> None:
    other = open_erp(site, company="Other")
    for area in (Area.PRODUCTS, Area.STOCK):
        assert (await other.changed_since(area, "", limit=1_000)).items


async def test_a_database_that_minds_the_case_is_asked_how_a_name_is_spelled(
    site: FakeErpNext, erp: ErpNextErp
) -> None:
    site.case_sensitive_names = True
    assert (await erp.order("so-1001")).number == "SO-1001"
    assert (await erp.stock("sku123")).product.sku == "SKU123"
    with pytest.raises(NotFound):
        await erp.order("so-100_")


async def test_a_database_that_ignores_accents_does_not_give_another_document(
    erp: ErpNextErp, monkeypatch: pytest.MonkeyPatch, site: FakeErpNext
) -> None:
    original = site._find
    monkeypatch.setattr(site, "_find", lambda doctype, name, user: original(doctype, name.replace("Ö", "O"), user))
    with pytest.raises(NotFound):
        await erp.order("SÖ-1001")


async def test_without_a_date_nothing_is_late(erp: ErpNextErp, company: ReferenceCompany) -> None:
    """Frappe compares a missing date as the year 1."""
    undated = [order.number for order in company.orders.values() if order.promised_on is None]
    assert undated
    late = (await erp.orders(ListQuery(filter=Filter.LATE, limit=500))).items
    assert late
    assert not {order.number for order in late} & set(undated)
    assert "INV-1025" not in numbers(await erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=500)))


async def test_overdue_does_not_wait_for_the_nightly_job(erp: ErpNextErp, company: ReferenceCompany) -> None:
    day = company.today - timedelta(days=1)
    number = next(i.number for i in company.invoices.values() if i.status is InvoiceStatus.UNPAID and i.order_number)
    company.invoices[number] = replace(company.invoices[number], due_on=day)
    assert (await erp.invoice(number)).extra["status"] == "Unpaid"
    assert number in numbers(await erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=500)))


async def test_what_still_waits_is_not_late(erp: ErpNextErp, company: ReferenceCompany) -> None:
    late = (await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=500))).items
    assert {order.status for order in late} == {ReviewState.APPROVED}


async def test_an_order_of_several_people_and_an_invoice_of_several_orders(site: FakeErpNext, erp: ErpNextErp) -> None:
    def add(field: str, name: str, values: tuple[str, ...]) -> Callable[[Rows], Rows]:
        def change(rows: Rows) -> Rows:
            children = [{**rows[0][field][0], "idx": n, name: value} for n, value in enumerate(values, 1)]
            return [{**rows[0], field: children}, *rows[1:]]

        return change

    site.alter("Sales Order", add("sales_team", "sales_person", ("Anna", "Boris", "Anna")))
    site.alter("Sales Invoice", add("items", "sales_order", ("SO-1", "SO-2")))
    assert (await erp.order("SO-1001")).salesperson == "Anna, Boris"
    assert (await erp.orders(ListQuery(text="SO-1001"))).items[0].salesperson == "Anna, Boris"
    assert (await erp.invoice("INV-7")).order_number == "SO-1, SO-2"
    assert (await erp.invoices(ListQuery(text="INV-7"))).items[0].order_number == "SO-1, SO-2"


async def test_a_record_that_cannot_be_read_is_an_error_of_the_port(site: FakeErpNext, erp: ErpNextErp) -> None:
    site.alter("Work Order", lambda rows: [{**row, "status": "Unheard of"} for row in rows])
    with pytest.raises(Invalid, match="unreadable record"):
        await erp.production_orders(ListQuery(limit=1))


# Changes


async def test_several_bins_of_an_item_are_one_change_each_time(
    erp: ErpNextErp, company: ReferenceCompany, clock: Clock
) -> None:
    changes, cursor = await all_changes(erp, Area.STOCK, limit=1)
    assert len(changes) == len({change.key for change in changes})
    clock.advance(10)
    for key in ("SKU123", "SKU125"):
        company.touch(Area.STOCK, key)
    changes, _ = await all_changes(erp, Area.STOCK, cursor, limit=1)
    assert sorted(change.key for change in changes) == ["SKU123", "SKU125"]


async def test_a_change_that_was_saved_before_and_seen_after_others_is_not_lost(
    erp: ErpNextErp, company: ReferenceCompany, clock: Clock
) -> None:
    """``modified`` is the time of the save, not the end of its transaction."""
    _, cursor = await all_changes(erp, Area.SALES)
    clock.advance(600)
    company.touch(Area.SALES, "SO-1001")
    _, cursor = await all_changes(erp, Area.SALES, cursor)
    company.touch(Area.SALES, "SO-1002", clock.now() - timedelta(seconds=90))
    changes, cursor = await all_changes(erp, Area.SALES, cursor)
    assert [change.key for change in changes] == ["SO-1002"]
    assert (await all_changes(erp, Area.SALES, cursor))[0] == []


async def test_in_the_night_that_goes_back_an_hour_no_change_is_lost(
    erp: ErpNextErp, company: ReferenceCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "ZONE", ZoneInfo("Europe/Berlin"))
    midnight = datetime(2026, 10, 25, 0, tzinfo=UTC)
    keys = list(company.orders)
    for key in keys:
        company.touch(Area.SALES, key, midnight - timedelta(days=3))
    _, cursor = await all_changes(erp, Area.SALES)
    came = []
    # Every quarter of an hour from 01:30 summer time on, including the repeated hour.
    for n, key in enumerate(keys[:16]):
        company.touch(Area.SALES, key, midnight + timedelta(minutes=15 * n - 30))
        changes, cursor = await all_changes(erp, Area.SALES, cursor)
        came += [change.key for change in changes]
    assert set(came) == set(keys[:16])


async def test_people_are_called_by_their_names_as_far_as_the_account_may_read_them(
    site: FakeErpNext, erp: ErpNextErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await erp.purchase_order("PO-1001")
    assert order.review.approval is not None
    assert order.review.approval.pending_for
    known = {user.id: user.name for user in site.company.users}
    assert {user: order.review.named(user) for user in order.review.approval.pending_for} == {
        user: known[user] for user in order.review.approval.pending_for
    }
    assert order.review.named(order.review.requester) == known[order.review.requester]


async def test_people_whose_names_may_not_be_read_are_called_by_their_accounts(
    erp: ErpNextErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ErpNextClient.rows

    async def rows(self: ErpNextClient, lookup: ListRequest, **more: Any) -> list[dict[str, Any]]:
        if lookup.doctype == "User":
            raise NotPermitted("no permission for User")
        return await real(self, lookup, **more)

    monkeypatch.setattr(ErpNextClient, "rows", rows)
    order = await erp.purchase_order("PO-1001")
    assert order.review.named(order.review.requester) == order.review.requester


async def test_variants_are_found_by_what_makes_them_one(site: FakeErpNext, erp: ErpNextErp) -> None:
    def with_variants(rows: Rows) -> Rows:
        colour = {"doctype": "Item Variant Attribute", "parenttype": "Item", "parentfield": "attributes"}
        blue = [
            {**colour, "parent": "SKU124", "attribute": "Colour", "attribute_value": "蓝色", "name": "v1", "idx": 1}
        ]
        return [row | {"attributes": blue, "variant_of": "SKU12"} if row["name"] == "SKU124" else row for row in rows]

    site.alter("Item", with_variants)
    (found,) = await erp.find_products("蓝色", limit=5)
    assert found.sku == "SKU124"
    assert found.spec.startswith("蓝色")
    assert (await erp.stock("SKU124")).product.spec == found.spec
    assert [product.spec for product in await erp.read_products(["SKU124"])] == [found.spec]


async def test_a_disabled_item_is_told_as_such_and_not_found_else(site: FakeErpNext, erp: ErpNextErp) -> None:
    site.alter("Item", lambda rows: [row | {"disabled": 1} if row["name"] == "SKU124" else row for row in rows])
    assert not (await erp.stock("SKU124")).product.is_active
    assert (await erp.stock("SKU123")).product.is_active
    assert "SKU124" not in [product.sku for product in await erp.find_products("SKU124", limit=5)]
    assert await erp.read_products(["SKU124"]) == ()


# Many documents at once


async def test_many_documents_take_as_few_requests_as_one_list(
    site: FakeErpNext, erp: ErpNextErp, company: ReferenceCompany
) -> None:
    names = list(company.orders)
    await erp.read_documents(Area.SALES, names[:1])
    site.requests.clear()
    assert len(await erp.read_documents(Area.SALES, names)) == len(names) > 5
    assert len(asked_of(site)) == 4, "the orders, their lines, their taxes, their salespersons"


async def test_whether_prices_bear_taxes_is_read_of_many_orders_too(
    site: FakeErpNext, erp: ErpNextErp, company: ReferenceCompany
) -> None:
    site.taxes = {"SO-1001": [{"included_in_print_rate": 1}], "SO-1002": [{"included_in_print_rate": 0}]}
    found = {each.number: each for each in await erp.read_documents(Area.SALES, ["SO-1001", "SO-1002", "SO-1003"])}
    for number, order in found.items():
        assert order == await erp.order(number)
    assert [found[number].lines[0].taxed for number in ("SO-1001", "SO-1002", "SO-1003")] == [True, False, None]


async def test_an_order_with_two_rows_of_an_item_is_listed_once(site: FakeErpNext, open_erp: Open) -> None:
    orders = site.company.orders
    held = {number: order for number, order in orders.items() if len(order.lines) > 1}
    for number, order in held.items():
        orders[number] = replace(order, lines=tuple(replace(line, sku="SKU123") for line in order.lines))
    erp = open_erp(site)
    wanted = SALES_ORDERS.pick(orders.values(), ListQuery(product="SKU123", limit=100), TODAY)
    assert wanted.total > 2
    whole = await erp.orders(ListQuery(product="SKU123", limit=100))
    assert [order.number for order in whole.items] == [order.number for order in wanted.items]
    paged = [(await erp.orders(ListQuery(product="SKU123", offset=n, limit=1))) for n in range(wanted.total)]
    assert [order.number for page in paged for order in page.items] == [order.number for order in wanted.items]
    assert {page.total for page in paged} == {wanted.total}
    assert all(line.sku == "SKU123" for order in whole.items for line in order.lines)
