"""The wire: accounts, pages, envelopes, odd answers, and what is asked at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import (
    AuthFailed,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
)
from bot.erp.model import Decision, DecisionOutcome, Verdict
from bot.erp.port import ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, RequestKind, exact_json
from tests.erp.fakes.plain import PAGE, USER, FakePlain, FakePlainWithApiKey, Paging
from tests.erp.rest.documented_config import api_options
from tests.erp.rest.scripted_server import SALE, Open, ScriptedServer, Start, sales


@pytest.fixture
def company() -> ReferenceCompany:
    return ReferenceCompany()


# Accounts

ACCOUNTS: dict[str, dict[str, Any]] = {
    "none": {},
    "bearer": {"token": SECRET},
    "basic": {"user": USER, "password": SECRET},
    "header": {"key": SECRET},
    "query": {"name": "key", "key": SECRET},
}


@pytest.mark.parametrize("kind", ACCOUNTS)
async def test_keys_go_where_they_belong(start: Start, open_erp: Open, company: ReferenceCompany, kind: Any) -> None:
    server = await start(FakePlainWithApiKey(company, Clock(), account=kind))
    erp = open_erp(**api_options(url=server.url, account={"kind": kind} | ACCOUNTS[kind]))
    seen = await erp.purchase_order("PO-1001")
    decided = await erp.decide(
        Decision(number=seen.number, version=seen.review.version, verdict=Verdict.APPROVE, by="anna", reason="")
    )
    assert decided.outcome is DecisionOutcome.APPLIED


@pytest.mark.parametrize("kind", [kind for kind in ACCOUNTS if kind != "none"])
async def test_a_wrong_key_is_told_after_one_request(
    start: Start, open_erp: Open, company: ReferenceCompany, kind: Any
) -> None:
    server = await start(FakePlainWithApiKey(company, Clock(), account=kind))
    wrong = {name: "wr0ng" if value == SECRET else value for name, value in ACCOUNTS[kind].items()}
    erp = open_erp(**api_options(url=server.url, account={"kind": kind} | wrong))
    with pytest.raises(AuthFailed) as caught:
        await erp.purchase_order("PO-1001")
    assert "wr0ng" not in f"{caught.value!s} {caught.value.__cause__!r}"
    assert len(server.requests.entries) == 1


@pytest.mark.parametrize(
    "account",
    [
        {"kind": "oauth2", "token_path": "oauth/token", "client_id": USER, "client_secret": SECRET, "send": "body"},
        {"kind": "oauth2", "token_path": "/oauth/token", "client_id": USER, "client_secret": SECRET, "scope": "erp"},
        {"kind": "login", "path": "/login", "user": USER, "password": SECRET},
    ],
)
async def test_tokens_are_got_once_and_renewed_once(
    start: Start, open_erp: Open, company: ReferenceCompany, account: dict[str, Any]
) -> None:
    server = await start(FakePlain(company, Clock()))
    erp = open_erp(**api_options(url=server.url, account=account))
    await erp.order("SO-1001")
    await erp.order("SO-1002")
    assert server.requests.count(RequestKind.LOGIN) == 1
    server.faults.expire_login()
    await erp.order("SO-1001")
    assert server.requests.count(RequestKind.LOGIN) == 2


@pytest.mark.parametrize("secret", ["wr0ng", "with:colon", "with%41 &+"])
async def test_a_wrong_secret_is_a_wrong_account(
    start: Start, open_erp: Open, company: ReferenceCompany, secret: str
) -> None:
    server = await start(FakePlain(company, Clock()))
    account = {"kind": "oauth2", "token_path": "/oauth/token", "client_id": USER, "client_secret": secret}
    with pytest.raises(AuthFailed) as caught:
        await open_erp(**api_options(url=server.url, account=account)).check()
    assert secret not in f"{caught.value!s} {caught.value.__cause__!r}"


async def test_a_login_without_a_token_is_a_wrong_account(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: {"success": False, "msg": "wrong password"}))
    account = {"kind": "login", "path": "/login", "user": USER, "password": SECRET}
    with pytest.raises(AuthFailed):
        await open_erp(**sales(server.url, of_source={"account": account})).order("1")


async def test_a_login_in_words_of_its_own(start: Start, open_erp: Open) -> None:
    def reply(request: web.Request) -> Any:
        if request.path == "/auth":
            return {"data": {"jwt": "abc"}}
        return SALE if request.headers.get("X-Token") == "abc" else web.Response(status=401)

    server = await start(ScriptedServer(reply))
    assert isinstance(server, ScriptedServer)
    account = {
        "kind": "login",
        "path": "/auth",
        "user": "u",
        "password": "p",
        "body": {"account": {"name": "{user}", "secret": "{password}"}, "app": 7},
        "token": "data.jwt",
        "header": "X-Token",
        "prefix": "",
    }
    assert (await open_erp(**sales(server.url, of_source={"account": account})).order("1")).number == "1"
    assert server.asked[0] == ("POST", "/auth", {"account": {"name": "u", "secret": "p"}, "app": 7})


# Pages

PAGINGS: dict[Paging, dict[str, Any]] = {
    "offset": {"params": {"offset": "{offset}", "limit": "{limit}"}, "paging": {"by": "offset"}, "at": "items"},
    "page": {"params": {"page": "{page}", "size": "{limit}"}, "paging": {"by": "page"}, "at": "items"},
    "cursor": {"params": {"cursor": "{cursor}"}, "paging": {"by": "cursor", "next": "next"}, "at": "items"},
    "next": {"paging": {"by": "next", "next": "links.next"}, "at": "items"},
    "link": {"paging": {"by": "next"}},
}


@pytest.mark.parametrize("paging", PAGINGS)
@pytest.mark.parametrize("size", [3, 10, 500])
async def test_long_lists_are_read_to_their_end(
    start: Start, open_erp: Open, company: ReferenceCompany, paging: Paging, size: int
) -> None:
    server = await start(FakePlainWithApiKey(company, Clock(), account="none", paging=paging))
    options = api_options(url=server.url, account={"kind": "none"})
    how = PAGINGS[paging] | {"paging": PAGINGS[paging]["paging"] | {"size": size}}
    options["finance"]["list"] = {"path": "/invoices"} | how
    found = await open_erp(**options).invoices(ListQuery(limit=500))
    assert sorted(invoice.number for invoice in found.items) == sorted(company.invoices)
    assert len(company.invoices) > 2 * PAGE


async def test_a_page_of_its_own_costs_one_request(start: Start, open_erp: Open, company: ReferenceCompany) -> None:
    server = await start(FakePlain(company, Clock()))
    erp = open_erp(**api_options(url=server.url))
    await erp.check()
    server.requests.clear()
    page = await erp.orders(ListQuery(offset=5, limit=5))
    assert (len(page.items), page.total) == (5, len(company.orders))
    assert len(server.requests.entries) == 1


async def test_a_list_whose_pages_repeat_is_refused(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: [SALE]))
    erp = open_erp(**sales(server.url, list={"path": "/o", "params": {"p": "{page}"}, "paging": {"by": "page"}}))
    with pytest.raises(Invalid, match="every page of a list is the same"):
        await erp.orders(ListQuery())


async def test_a_list_that_is_longer_than_its_answer_is_refused(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: {"rows": [SALE], "count": "2"}))
    erp = open_erp(**sales(server.url, list={"path": "/o", "at": "rows", "total": "count"}))
    with pytest.raises(Invalid, match="longer than its answer"):
        await erp.orders(ListQuery())


async def test_a_list_that_is_too_long_is_refused(start: Start, open_erp: Open, company: ReferenceCompany) -> None:
    server = await start(FakePlain(company, Clock()))
    erp = open_erp(**api_options(url=server.url, most_rows=20))
    with pytest.raises(Invalid, match=r"finance.list has more than 20 records"):
        await erp.invoices(ListQuery())


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:9/x", "//evil.example.com/x", "https://evil.example.com"])
async def test_our_key_does_not_follow_a_page_to_another_server(start: Start, open_erp: Open, elsewhere: str) -> None:
    server = await start(ScriptedServer(lambda request: {"items": [SALE], "next": elsewhere}))
    erp = open_erp(
        **sales(server.url, list={"path": "/o", "at": "items", "paging": {"by": "next", "next": "next"}}),
        account={"kind": "bearer", "token": SECRET},
    )
    with pytest.raises(Invalid, match="leads to another server"):
        await erp.orders(ListQuery())


# Answers


async def test_numbers_keep_every_digit(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: SALE))
    order = await open_erp(**sales(server.url)).order("1")
    assert order.total is not None
    assert order.total.amount == Decimal("12345678901234.56789")


@pytest.mark.parametrize("answer", [[], None, {"data": None}, {"no": "12"}, [{"no": "12"}, {"no": "11"}]])
async def test_what_is_not_the_number_asked_for_is_not_found(start: Start, open_erp: Open, answer: Any) -> None:
    """An API may search by the beginning of a number, or answer an unknown one with an empty list and status 200."""
    server = await start(ScriptedServer(lambda request: answer))
    with pytest.raises(NotFound):
        await open_erp(**sales(server.url)).order("1")


async def test_the_record_may_be_in_a_list(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: {"hits": [SALE | {"no": "10"}, SALE, SALE | {"no": "11"}]}))
    one = {"path": "/search", "params": {"n": "{number}"}, "at": "hits"}
    assert (await open_erp(**sales(server.url, one=one)).order("1")).number == "1"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Invalid), (403, NotPermitted), (404, Invalid), (302, Unavailable), (500, Unavailable), (429, RateLimited),
    ],
)  # fmt: skip
async def test_statuses_of_lists(start: Start, open_erp: Open, status: int, error: type[ErpError]) -> None:
    server = await start(ScriptedServer(lambda request: exact_json({"err": {"text": "<b>nein</b>"}}, status)))
    erp = open_erp(**sales(server.url, of_source={"error": "err.text"}))
    with pytest.raises(error) as caught:
        await erp.orders(ListQuery())
    if status in (400, 403, 500):
        assert caught.value.detail == "nein"


ENVELOPE = {
    "at": "code",
    "good": ["0", "200"],
    "errors": {"40101": "auth_expired", "44": "not_found", "29": "rate_limited", "13": "not_permitted"},
}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (40101, AuthFailed), ("44", NotFound), (29, RateLimited), (13, NotPermitted), (7, Invalid), (None, Unavailable),
    ],
)  # fmt: skip
async def test_refusals_in_an_envelope(start: Start, open_erp: Open, code: Any, error: type[ErpError]) -> None:
    server = await start(ScriptedServer(lambda request: {"code": code, "msg": "because", "data": None}))
    erp = open_erp(**sales(server.url, of_source={"envelope": ENVELOPE, "error": "msg"}))
    with pytest.raises(error):
        await erp.order("1")


async def test_good_codes_of_an_envelope(start: Start, open_erp: Open) -> None:
    for code in (0, "200"):
        server = await start(ScriptedServer(lambda request, code=code: {"code": code, "data": SALE}))  # type: ignore[misc]
        one = {"path": "/orders/{number}", "at": "data"}
        erp = open_erp(**sales(server.url, one=one, of_source={"envelope": ENVELOPE}))
        assert (await erp.order("1")).number == "1"


async def test_a_text_is_no_answer(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: web.Response(text="OK")))
    with pytest.raises(Unavailable):
        await open_erp(**sales(server.url)).order("1")


@pytest.mark.parametrize("number", ["", " ", ".", "..", "\0", "\ud800"])
async def test_numbers_that_would_ask_for_something_else_are_not_sent(
    start: Start, open_erp: Open, number: str
) -> None:
    server = await start(ScriptedServer(lambda request: SALE))
    assert isinstance(server, ScriptedServer)
    with pytest.raises(NotFound):
        await open_erp(**sales(server.url)).order(number)
    assert server.asked == []


async def test_odd_numbers_are_one_step_of_the_path(start: Start, open_erp: Open) -> None:
    number = "../a/b 50%?x#y"
    server = await start(ScriptedServer(lambda request: SALE | {"no": number}))
    assert isinstance(server, ScriptedServer)
    assert (await open_erp(**sales(server.url)).order(number)).number == number
    assert server.asked == [("GET", "/orders/..%2Fa%2Fb%2050%25%3Fx%23y", None)]
