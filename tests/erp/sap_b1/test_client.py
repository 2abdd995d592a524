"""Wire format: sessions, error envelopes, pages, and text in filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    UnknownOutcome,
)
from bot.erp.http import HttpResponse
from bot.erp.port import ListQuery
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.adapter import SapB1Erp
from bot.erp.sap_b1.client import unwrap
from bot.erp.sap_b1.options import SapB1Options
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, RequestKind
from tests.erp.fakes.sap_b1 import NODE, FakeSapB1
from tests.erp.fakes.sap_b1_filter import ODataBadQuery, ODataFilter
from tests.rows import each_row

from .conftest import ACCOUNT, Open, both_versions

# Sessions (docs: platform/erp/sap-b1.md#login)


@both_versions
async def test_both_cookies_go_with_every_call(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.check()
    [session] = server.faults.sessions
    [read] = server.requests.of(RequestKind.READ)
    assert read.headers["Cookie"] == f"B1SESSION={session}; ROUTEID={NODE}"
    assert read.path.startswith(f"/b1s/{server.version}/")


async def test_a_session_ends_after_half_an_hour_without_a_call_and_is_renewed_once(
    erp: SapB1Erp, server: FakeSapB1, clock: Clock
) -> None:
    for minutes, logins in ((0, 1), (29, 1), (29, 1), (29, 1), (30, 2), (1, 2)):
        clock.advance(minutes * 60)
        await erp.check()
        assert server.requests.count(RequestKind.LOGIN) == logins


async def test_the_licence_seat_is_given_back(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.close()
    assert server.logouts == 0
    await erp.check()
    await erp.close()
    assert (server.logouts, server.faults.sessions) == (1, set())


async def test_a_logout_that_fails_hinders_nothing(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.check()
    server.faults.reset_connection()
    await erp.close()


async def test_paths_have_their_case_for_a_wrong_one_looks_like_an_ended_session(
    erp: SapB1Erp, server: FakeSapB1
) -> None:
    await erp.check()
    assert [request.path for request in server.requests.entries] == ["/b1s/v2/Login", "/b1s/v2/Items"]


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}, {"company": "SBOOTHER"}])
async def test_a_wrong_account_is_told_and_tried_once(open_with: Open, server: FakeSapB1, wrong: Any) -> None:
    with pytest.raises(AuthFailed):
        await open_with(**wrong).check()
    assert [request.call.kind for request in server.requests.entries] == [RequestKind.LOGIN]


@each_row("url", ["https://b1:50000/b1s/v2", "https://b1:50000/b1s/v1/", "b1:50000", "ftp://b1"])
def test_the_address_is_one_without_a_path(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        SapB1Options.model_validate({**ACCOUNT, "url": url})


# Error envelopes (docs: platform/erp/sap-b1.md#errors)


def answer(
    data: Any, status: int = 400, *, write: bool = False, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return HttpResponse(status, headers or {}, data, {}, None, UnknownOutcome if write else Unavailable)


def v1(code: Any, text: str) -> Any:
    return {"error": {"code": code, "message": {"lang": "zh-cn", "value": text}}}


def v2(code: Any, text: str) -> Any:
    return {"error": {"code": str(code), "message": text, "details": [{"code": "", "message": ""}]}}


@each_row("envelope", [v1, v2])
@each_row(
    ("status", "code", "text", "error"),
    [
        (401, 301, "Invalid session or session already timeout.", AuthExpired),
        (401, -1001, "", AuthExpired),
        (400, 301, "Invalid session", AuthExpired),
        (404, -2028, "No matching records found", NotFound),
        (400, -2028, "No matching records found", NotFound),
        (403, -1116, "", NotPermitted),
        (400, -1116, "", NotPermitted),
        (400, -5002, "You are not authorized to view this object", NotPermitted),
        (400, -5002, "您没有执行此操作的权限", NotPermitted),
        (400, -8023, "User code or password is incorrect", NotPermitted),
        (400, -5002, "Cannot add row", Invalid),
        (400, -10, "Item number is missing", Invalid),
        (400, -1029, "Field cannot be updated", Invalid),
        (400, -1000, "Property 'X' is invalid", Invalid),
        (412, -2039, "Another user modified data", Conflict),
        (400, -2039, "Another user modified data", Conflict),
        (500, -1102, "", Unavailable),
        (400, 100000085, "Fail to get DB Credentials from SLD", Unavailable),
        (500, -1, "Internal error", Unavailable),
    ],
)
def test_errors_by_status_and_code(envelope: Any, status: int, code: int, text: str, error: type[ErpError]) -> None:
    with pytest.raises(ErpError) as caught:
        unwrap(answer(envelope(code, text), status), what="1005")
    assert type(caught.value) is error
    if error in (Invalid, NotPermitted) and text:
        assert caught.value.detail == text


def test_a_failure_of_the_server_leaves_a_write_open() -> None:
    for status, code in ((500, -1), (500, -1102)):
        with pytest.raises(UnknownOutcome):
            unwrap(answer(v2(code, ""), status, write=True))


def test_what_is_no_envelope_is_told_by_its_status() -> None:
    for data in ("<html>413 Request Entity Too Large</html>", None, [1], {"error": "text"}, {}):
        with pytest.raises(Invalid, match="status 413"):
            unwrap(answer(data, 413))
    assert unwrap(answer(None, 204)) is None


async def test_bad_credentials_that_are_no_401_are_a_wrong_account_too(erp: SapB1Erp, server: FakeSapB1) -> None:
    server.say_login_refused = lambda request: server.refuse(100000027, "Login failed", 400)  # type: ignore[method-assign]
    server.faults.refuse_login()
    with pytest.raises(AuthFailed, match="Login failed"):
        await erp.check()


# Pages (docs: platform/erp/sap-b1.md#odata)


@both_versions
@pytest.mark.parametrize("cap", [None, 1, 7, 24])
async def test_pages_are_followed_to_the_end(
    open_with: Open, server: FakeSapB1, company: ReferenceCompany, cap: int | None
) -> None:
    server.cap = cap
    found = await open_with(page_rows=9).purchase_orders(ListQuery(limit=100))
    assert sorted(order.number for order in found.items) == sorted(company.purchases)


async def test_the_length_of_a_page_is_asked_for(open_with: Open, server: FakeSapB1) -> None:
    await open_with(page_rows=150).production_orders(ListQuery())
    assert {read.headers["Prefer"] for read in server.requests.of(RequestKind.READ)} == {"odata.maxpagesize=150"}


async def test_a_limit_is_not_cut_off_by_the_page(open_with: Open, server: FakeSapB1) -> None:
    # A $top below the page size omits the link to the next page, one above it does not.
    for size in (1, 5, 200):
        assert len(await open_with(page_rows=size).find_products("", limit=25)) == 25
    server.cap = 10
    assert len(await open_with().find_products("", limit=25)) == 25


async def test_a_list_that_is_too_long_is_refused(open_with: Open) -> None:
    with pytest.raises(Invalid, match="more than 10 records of ProductionOrders"):
        await open_with(most_rows=10).production_orders(ListQuery())


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.invalid/b1s/v2/Orders?$skip=20", "//elsewhere.invalid/Orders", "Users?$skip=20", "Login"],
)
async def test_a_next_page_somewhere_else_is_not_asked_for(erp: SapB1Erp, server: FakeSapB1, link: str) -> None:
    row = {"AbsoluteEntry": 1, "DocumentNumber": 1, "StartDate": "2026-11-01"}
    server.answers["ProductionOrders"] = 200, {"value": [row], "@odata.nextLink": link}
    with pytest.raises(Invalid, match="somewhere else"):
        await erp.production_orders(ListQuery())
    assert server.requests.count(RequestKind.READ) == 1


async def test_a_next_page_is_followed_however_it_is_spelled(open_with: Open, server: FakeSapB1) -> None:
    row = {"AbsoluteEntry": 1, "DocumentNumber": 1, "StartDate": "2026-11-01"}
    link = "/b1s/v2/ProductionOrders?$filter=StartDate ge 2025-01-01&$skip=1"
    server.answers["ProductionOrders"] = 200, {"value": [row], "@odata.nextLink": link}
    with pytest.raises(Invalid, match="ask for less"):
        await open_with(most_rows=2).production_orders(ListQuery())
    assert server.asked[1:] == [link.removeprefix("/b1s/v2/")] * 2
    assert "ge%202025" in server.raw[-1]


@pytest.mark.parametrize("data", [{}, {"value": None}, {"value": {}}, {"value": [1]}, [], "OK", None])
async def test_what_is_no_list_is_no_empty_list(erp: SapB1Erp, server: FakeSapB1, data: Any) -> None:
    server.answers["ProductionOrders"] = 200, data
    with pytest.raises(Invalid, match="did not answer with a list"):
        await erp.production_orders(ListQuery())


# Text in filters (docs: platform/erp/general.md#typed-text)


@given(st.text(max_size=60))
def test_no_text_leaves_its_literal(text: str) -> None:
    row = {"ItemCode": text, "ItemName": "other"}
    condition = ODataFilter(queries.equals("ItemCode", text), frozenset(row), folded=False).condition()
    assert condition(row)
    assert not condition({"ItemCode": text + "'", "ItemName": text})


@given(st.text(min_size=1, max_size=60))
def test_a_searched_text_matches_more_rather_than_less(text: str) -> None:
    where = queries.contains(("ItemCode", "ItemName"), text)
    row = {"ItemCode": "x", "ItemName": f"before {text} after"}
    assert not where or ODataFilter(where, frozenset(row), folded=False).condition()(row)


def test_conditions_are_spelled_as_documented() -> None:
    assert queries.equals("DocNum", 1005) == "DocNum eq 1005"
    assert queries.equals("ItemCode", "O'NEIL") == "ItemCode eq 'O''NEIL'"
    assert queries.one_of("DocEntry", [1, 2]) == "(DocEntry eq 1 or DocEntry eq 2)"
    assert queries.contains(("A", "B"), "x\ny'") == (
        "(contains(A,'x') and contains(A,'y''') or contains(B,'x') and contains(B,'y'''))"
    )
    assert queries.contains(("A",), "x" * 500) == f"contains(A,'{'x' * 50}')"
    assert (queries.day_text(date(2026, 1, 31), "v2"), queries.day_text(date(2026, 1, 31), "v1")) == (
        "2026-01-31",
        "'2026-01-31'",
    )


async def test_blanks_and_signs_are_encoded_for_the_address_once(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.find_products("a+b & 100% #1", limit=3)
    query = next(raw for raw in server.raw if "contains" in raw)
    assert "+" not in query
    assert "contains(ItemName,'a+b & 100% #1')" in unquote(query)


async def test_control_characters_and_long_texts_are_never_codes(erp: SapB1Erp, server: FakeSapB1) -> None:
    for sku in ("A\nB", "A\x00", "\u2028", "A" * 201, "", " "):
        with pytest.raises(NotFound):
            await erp.stock(sku)
        with pytest.raises(NotFound):
            await erp.order(sku)
    assert not server.requests.entries


async def test_cases_are_not_told_apart_at_the_server(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.stock("sku123")
    assert {read.headers["B1S-CaseInsensitive"] for read in server.requests.of(RequestKind.READ)} == {"true"}
    assert "Items?" in server.asked[0]
    assert "ItemCode eq 'sku123'" in server.asked[0]


async def test_numbers_are_never_floats(erp: SapB1Erp, server: FakeSapB1) -> None:
    exact = "12345678901234.56789012345678901"
    server.answers["Items"] = 200, {"value": [{"ItemCode": "X", "QuantityOnStock": Decimal(exact)}]}
    assert (await erp.stock("X")).total.on_hand == Decimal(exact)


def test_secrets_are_not_shown() -> None:
    options = SapB1Options.model_validate({**ACCOUNT, "url": "https://b1:50000", "approvers": {"anna": SECRET}})
    assert SECRET not in repr(options)


@each_row(
    "text",
    ["A eq", "A eq 'x", "B eq 1", "A like 'x'", "A eq 1)", "(A eq 1", "A eq 1 A eq 2", "A eq 9999999999", "A $ 1"],
)
def test_the_fake_refuses_filters_that_are_none(text: str) -> None:
    with pytest.raises(ODataBadQuery):
        ODataFilter(text, frozenset({"A"}), folded=False).condition()
