"""Tryton's traps, one test each, against the fake server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Invalid, Unsupported
from bot.erp.model import Area, Decision, DecisionOutcome, ReviewState, Verdict
from bot.erp.port import Erp, ListQuery
from bot.erp.tryton.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_checks import resulting_order
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.erp.fakes import tryton, tryton_approvers
from tests.erp.fakes.tryton import RECORDS_LIMIT, FakeTryton, TrytonUserError
from tests.erp.tryton.conftest import OpenErp
from tests.erp.tryton.test_partners import Records

REASON = "too dear\n太贵"


def _waiting(company: ReferenceCompany, levels: int = 1) -> str:
    return next(
        order.number
        for order in company.purchases.values()
        if order.review.approval and (order.review.approval.level, order.review.approval.levels) == (1, levels)
        if order.status is ReviewState.WAITING
    )


async def _decide(erp: Erp, number: str, by: str, verdict: Verdict = Verdict.APPROVE, reason: str = "") -> Any:
    seen = await erp.purchase_order(number)
    return await erp.decide(Decision(number=number, version=seen.review.version, verdict=verdict, by=by, reason=reason))


async def test_trap_stock_without_its_context_is_zero_without_an_error(erp: Erp, server: FakeTryton) -> None:
    await erp.stock("SKU123")
    asked = [params for method, params in server.calls if method == "model.stock.location.search_read"]
    assert len(asked) == 2, "one request for all warehouses, and one for the end of today"
    assert (await erp.stock("SKU123")).total.on_hand == Decimal(11370)


async def test_one_question_takes_few_requests(erp: Erp, server: FakeTryton, company: ReferenceCompany) -> None:
    await erp.check()
    for question, most in (
        (erp.stock("SKU124"), 6),
        (erp.order("SO-1001"), 1),
        (erp.invoice("INV-7"), 1),
        (erp.production_order("MO-1"), 1),
        (erp.purchase_order(_waiting(company)), 2),
        (erp.purchase_order(_waiting(company, 2)), 3),
        (erp.orders(ListQuery(limit=9)), 2),
        (erp.purchase_orders(ListQuery(limit=4)), 7),
    ):
        server.requests.clear()
        await question
        assert server.requests.count(RequestKind.READ) <= most


async def test_trap_a_page_above_the_servers_limit_is_refused(open_erp: OpenErp) -> None:
    erp = await open_erp(page=RECORDS_LIMIT + 1)
    with pytest.raises(Invalid, match="records_limit"):
        await erp.orders(ListQuery(limit=100))


async def test_trap_a_session_idles_out_after_five_minutes(erp: Erp, server: FakeTryton, clock: Clock) -> None:
    await erp.check()
    clock.advance(299)
    await erp.check()
    clock.advance(301)
    await erp.check()
    assert server.requests.count(RequestKind.LOGIN) == 2


async def test_trap_a_refusal_is_told_apart_by_rights_not_by_words(
    erp: Erp, server: FakeTryton, company: ReferenceCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same Chinese sentence means a missing right or an empty field: only the former is `NOT_PERMITTED`."""

    def refuse(*_: Any) -> None:
        raise TrytonUserError("不行。")

    monkeypatch.setattr(server, "_pressed", refuse)
    number = _waiting(company)
    with pytest.raises(Invalid, match="不行"):
        await _decide(erp, number, "anna")
    server.faults.forbid_deciding()
    # The kit's fault answers before the route; the test asks for the rights that it removes.
    result = await _decide(erp, number, "anna")
    assert result.outcome is DecisionOutcome.NOT_PERMITTED
    assert company.purchases[number].status is ReviewState.WAITING


async def test_a_button_without_groups_is_open_to_who_may_write(
    erp: Erp, server: FakeTryton, company: ReferenceCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise TrytonUserError("no")

    def access(*_: Any) -> dict[str, Any]:
        return {"purchase.purchase": {"read": 1, "write": 0, "create": 0, "delete": 0}}

    monkeypatch.setattr(server, "_pressed", refuse)
    monkeypatch.setattr(server, "_access", access)
    ungrouped = [{**button, "groups": []} for button in tryton_approvers.buttons()]
    monkeypatch.setattr(tryton_approvers, "buttons", lambda: ungrouped)
    assert (await _decide(erp, _waiting(company), "anna")).outcome is DecisionOutcome.NOT_PERMITTED


async def test_trap_a_warning_is_a_question_for_people_at_the_screen(
    erp: Erp, server: FakeTryton, company: ReferenceCompany
) -> None:
    number = _waiting(company)
    server.warning = ("purchase_similar", "There is a similar order.", "Confirm anyway?")
    with pytest.raises(Invalid, match=r"There is a similar order\. Confirm anyway\?"):
        await _decide(erp, number, "anna")
    assert company.purchases[number].status is ReviewState.WAITING


async def test_trap_the_stamp_goes_along_so_that_tryton_itself_notices(
    erp: Erp, server: FakeTryton, company: ReferenceCompany, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits the order between the adapter's read and its write."""
    number = _waiting(company)
    seen = await erp.purchase_order(number)
    pressed = server._pressed

    def edited_first(*arguments: Any) -> Any:
        clock.advance(1)
        company.set_total(number, Decimal(5))
        return pressed(*arguments)

    monkeypatch.setattr(server, "_pressed", edited_first)
    for verdict in Verdict:
        seen = await erp.purchase_order(number)
        result = await erp.decide(
            Decision(number=number, version=seen.review.version, verdict=verdict, by="anna", reason=REASON)
        )
        assert result.outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
        assert company.purchases[number].status is ReviewState.WAITING


async def test_trap_a_worker_processes_what_somebody_confirmed(erp: Erp, company: ReferenceCompany) -> None:
    result = await _decide(erp, _waiting(company), "anna")
    assert resulting_order(result).review.approval.decided_by == "anna"
    assert resulting_order(result).review.named("anna") == "Anna 安娜"


async def test_a_reason_that_could_not_be_left_is_told(
    erp: Erp, server: FakeTryton, company: ReferenceCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise TrytonUserError("Notes are closed.")

    monkeypatch.setattr(server, "_create", refuse)
    number = _waiting(company)
    result = await _decide(erp, number, "anna", Verdict.REJECT, REASON)
    assert result.outcome is DecisionOutcome.APPLIED
    assert "Notes are closed." in result.text
    assert company.purchases[number].status is ReviewState.REJECTED


async def test_an_approval_leaves_a_note_only_with_a_reason(
    erp: Erp, server: FakeTryton, company: ReferenceCompany
) -> None:
    first, second = (order.number for order in list(company.purchases.values())[:2])
    await _decide(erp, first, "anna")
    assert not [method for method, _ in server.calls if method == "model.ir.note.create"]
    result = await _decide(erp, second, "anna", reason="if it must be")
    assert resulting_order(result).review.approval.reason == "if it must be"


# With the bot's account


async def test_without_accounts_nobody_decides(
    open_erp: OpenErp, server: FakeTryton, company: ReferenceCompany
) -> None:
    result = await _decide(await open_erp(user="anna"), _waiting(company), "anna")
    assert result.outcome is DecisionOutcome.NOT_PERMITTED
    assert server.requests.count(RequestKind.WRITE) == 0


async def test_the_bots_account_decides_for_people_and_a_note_names_them(
    open_erp: OpenErp, server: FakeTryton, company: ReferenceCompany
) -> None:
    erp = await open_erp(user="anna", decide_as_bot=True)
    first, second = (order.number for order in list(company.purchases.values())[:2])
    approved = await _decide(erp, first, "li.na")
    assert approved.outcome is DecisionOutcome.APPLIED
    assert (approved.document.review.approval.decided_by, approved.document.review.approval.reason) == ("li.na", "")
    rejected = await _decide(erp, second, "wang.qiang", Verdict.REJECT, REASON)
    assert rejected.outcome is DecisionOutcome.APPLIED
    assert (rejected.document.review.approval.decided_by, rejected.document.review.approval.reason) == (
        "wang.qiang",
        REASON,
    )
    notes = [params[0][0]["message"] for method, params in server.calls if method == "model.ir.note.create"]
    assert notes == ["Approved by li.na", f"Rejected by wang.qiang\n{REASON}"]
    assert (await _decide(erp, first, "wang.qiang")).outcome is DecisionOutcome.ALREADY_DECIDED


async def test_of_a_lost_answer_under_the_bots_account_the_order_tells(
    open_erp: OpenErp, server: FakeTryton, company: ReferenceCompany
) -> None:
    erp = await open_erp(user="anna", decide_as_bot=True)
    number = _waiting(company)
    server.faults.lose_write_answer()
    result = await _decide(erp, number, "li.na")
    assert result.outcome is DecisionOutcome.APPLIED
    assert resulting_order(result).review.approval.decided_by == ""


async def test_one_account_is_not_two_people(open_erp: OpenErp, company: ReferenceCompany, server: FakeTryton) -> None:
    erp = await open_erp(user="anna", decide_as_bot=True, approvers={"boris": SECRET})
    number = _waiting(company, levels=2)
    assert (await _decide(erp, number, "li.na")).outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    server.requests.clear()
    second = await _decide(erp, number, "wang.qiang")
    assert second.outcome is DecisionOutcome.NOT_PERMITTED
    assert "second account" in second.text
    assert server.requests.count(RequestKind.WRITE) == 0
    assert (await _decide(erp, number, "boris")).outcome is DecisionOutcome.APPLIED


async def test_who_clicked_already_is_told(open_erp: OpenErp, company: ReferenceCompany) -> None:
    """A click names nobody as who changed the order, and a second one of the same user counts for nothing."""
    erp = await open_erp(approvers={"carla": SECRET})
    number = _waiting(company, levels=2)
    result = await _decide(erp, number, "carla")
    assert result.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert resulting_order(result).review.approval.passed_by == ("carla",)


# Modules, drafts, changes


async def test_a_module_that_is_missing_is_named(erp: Erp, server: FakeTryton, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = tryton.tables
    monkeypatch.setattr(
        tryton,
        "tables",
        lambda *a: {k: v for k, v in complete(*a).items() if k not in ("production", "stock.order_point")},
    )
    with pytest.raises(Unsupported, match="production is not installed"):
        await erp.production_orders(ListQuery())
    level = await erp.stock("SKU123")
    assert level.reorder_point is None
    assert level.total.on_hand == 11370


async def test_a_state_of_somebody_elses_module_is_not_guessed_at(
    erp: Erp, server: FakeTryton, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = tryton.tables
    order = {**complete(server.company, {})["sale.sale"]()[0], "state": "on hold"}
    monkeypatch.setattr(tryton, "tables", lambda *a: complete(*a) | {"sale.sale": lambda: [order]})
    for question in (erp.order(order["number"]), erp.orders(ListQuery())):
        with pytest.raises(Invalid, match="on hold"):
            await question
    assert (await erp.invoice("INV-7")).number == "INV-7"


async def test_reorder_points_between_places_of_the_company_are_no_need_to_buy(erp: Erp) -> None:
    assert (await erp.stock("SKU123")).reorder_point == 15000


@pytest.mark.parametrize("wanted", ["SKU123", "sku123", "Sku123"])
async def test_codes_that_differ_in_case_alone_are_several_products(
    erp: Erp, company: ReferenceCompany, wanted: str
) -> None:
    for sku in ("sku123", "Sku123"):
        company.products[sku] = replace(company.products["SKU123"], sku=sku, barcode="")
        company.touch(Area.PRODUCTS, sku)
    assert (await erp.stock(wanted)).product.sku == wanted
    assert (await erp.stock("sKu123")).product.sku == "SKU123", "without its like, the first of those that fit"


async def test_stock_of_a_product_that_is_not_used_any_more_is_told_as_such(erp: Erp, server: FakeTryton) -> None:
    def retired(rows: Records) -> Records:
        used = [row | {"active": row["code"] != "SKU124"} for row in rows]
        return [{**used[0], "id": 0, "code": "SKU123", "name": "old", "active": False}, *used]

    genuine = server.table

    def table(model: str, context: Any, domain: Any) -> Records:
        if model != "product.product":
            return genuine(model, context, domain)
        rows = retired(genuine(model, context, [["active", "in", [True, False]]]))
        return rows if "'active'" in str(domain) else [row for row in rows if row["active"]]

    server.table = table  # type: ignore[method-assign]  # what the fake holds
    assert not (await erp.stock("SKU124")).product.is_active
    level = await erp.stock("SKU123")
    assert (level.product.is_active, level.total.on_hand) == (True, 11370)
    assert "SKU124" not in {product.sku for product in await erp.find_products("SKU124", limit=5)}


async def test_an_archived_product_gives_way_to_its_like_that_is_in_use(erp: Erp, company: ReferenceCompany) -> None:
    known = company.products["SKU123"]
    company.products |= {"SKU123": replace(known, is_active=False), "sku123": replace(known, sku="sku123", barcode="")}
    company.touch(Area.PRODUCTS, "sku123")
    assert (await erp.stock("sKu123")).product.sku == "sku123"
    assert not (await erp.stock("SKU123")).product.is_active, "asked for to the letter"
    assert {found.sku for found in await erp.find_products("sku123", limit=5)} == {"sku123"}


@pytest.mark.parametrize("wanted", ["SO-1001", "so-1001", "So-1001"])
async def test_numbers_that_differ_in_case_alone_are_several_documents(
    erp: Erp, company: ReferenceCompany, wanted: str
) -> None:
    for number in ("so-1001", "So-1001"):
        company.orders[number] = replace(company.orders["SO-1001"], number=number)
    assert (await erp.order(wanted)).number == wanted


async def test_trap_an_unnumbered_draft_is_asked_for_by_its_id(erp: Erp, company: ReferenceCompany) -> None:
    order = company.orders.pop("SO-1002")
    company.orders[""] = replace(order, number="")
    shown = f"({order.id})"
    assert (await erp.order(shown)).number == shown
    assert [found.number for found in (await erp.orders(ListQuery(text=shown))).items] == [shown]


async def test_trap_the_name_of_a_product_is_its_templates(erp: Erp, company: ReferenceCompany, clock: Clock) -> None:
    """Renaming a template changes its product, once, at the later of both times."""
    changes = await erp.changed_since(Area.PRODUCTS, "", limit=100)
    assert len(changes.items) == len(company.products)
    clock.advance(600)
    later = clock.now() + timedelta(seconds=1)
    found = tryton.tables

    def renamed(*arguments: Any) -> Any:
        known = found(*arguments)
        products = known["product.product"]()
        products[3]["template"]["last_modified_at"] = later
        return known | {
            "product.product": lambda: products,
            "product.template": lambda: [product["template"] for product in products],
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tryton, "tables", renamed)
        again = await erp.changed_since(Area.PRODUCTS, changes.cursor, limit=100)
    assert [(change.key, change.changed_at) for change in again.items] == [("SKU126", later)]


async def test_links_to_the_web_client(open_erp: OpenErp) -> None:
    linked, plain = await open_erp(web_url="https://erp.example.com/"), await open_erp()
    assert (await linked.order("SO-1001")).url == "https://erp.example.com/#company/model/sale.sale/5001"
    assert (await plain.order("SO-1001")).url == ""


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        vendor.options.model_validate(
            {"url": "http://127.0.0.1", "database": "a", "user": "b", "password": "c", "timezone": "Mars/Olympus"}
        )
