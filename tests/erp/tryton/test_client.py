"""Tryton's wire format: logins, envelopes, typed values, and the kinds of refusals."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
    Unsupported,
)
from bot.erp.http import Http
from bot.erp.keys import escape_like
from bot.erp.tryton.client import Account, TrytonClient, TrytonRefusal, at, containing, decode, encode
from bot.erp.tryton.options import TrytonOptions
from bot.kit.testing.company import NOW
from tests.rows import each_row

HTML = "<!doctype html>\n<html lang=en>\n<title>Refused</title>\n<h1>Refused</h1>\n"
LOGIN = {"id": 1, "result": [2, "c314d6f9fd", None]}
PREFERENCES = {"id": 1, "result": {"company": 1, "employee": None, "language": "zh_CN", "groups": [5]}}


class Canned:
    """A server with prepared answers: first the queued ones, then those for the login and empty lists."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.answers: list[tuple[int, Any]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append((request.path, dict(request.headers), body))
        status, content = 200, self._usual(body["method"])
        if self.answers and body["method"] not in ("common.db.login", "model.res.user.get_preferences"):
            status, content = self.answers.pop(0)
        elif self.answers and self.answers[0][0] < 0:
            status, content = -self.answers[0][0], self.answers.pop(0)[1]
        if isinstance(content, str):
            return web.Response(text=content, status=status, content_type="text/html" if content else None)
        return web.json_response(content, status=status)

    def at_login(self, status: int, said: Any) -> None:
        """Return this answer to the next login."""
        self.answers.insert(0, (-status, said))

    def _usual(self, method: str) -> dict[str, Any]:
        usual = {"common.db.login": LOGIN, "model.res.user.get_preferences": PREFERENCES}
        return usual.get(method, {"id": 1, "result": []})


@pytest.fixture
async def canned() -> AsyncIterator[Canned]:
    canned = Canned()
    app = web.Application()
    app.router.add_post("/{database}/rpc/", canned.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    canned.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield canned
    await runner.cleanup()


@pytest.fixture
async def account(canned: Canned) -> AsyncIterator[Account]:
    options = TrytonOptions(url=canned.url, database="demo", user="dingbot", password="DingBot#2026", page=3)
    http = Http(options, now=lambda: NOW, source="main")
    yield Account(TrytonClient(options, http), options.user, options.password)
    await http.close()


async def test_a_call_has_three_keys_and_ends_with_the_context(canned: Canned, account: Account) -> None:
    await account.read("sale.sale", "search_count", [], 0, None, context={"active_test": False})
    paths, headers, bodies = zip(*canned.requests, strict=True)
    assert set(paths) == {"/demo/rpc/"}
    assert all(set(body) == {"id", "method", "params"} for body in bodies)
    login, preferences, call = bodies
    assert (login["method"], login["params"]) == ("common.db.login", ["dingbot", {"password": "DingBot#2026"}])
    assert (preferences["method"], preferences["params"]) == ("model.res.user.get_preferences", [True, {}])
    assert call["method"] == "model.sale.sale.search_count"
    # The user's preferences, except empty ones and those that do not affect answers.
    own = [["company", "=", 1], []]
    assert call["params"] == [own, 0, None, {"company": 1, "language": "zh_CN", "active_test": False}]
    assert "Authorization" not in headers[0]
    assert headers[2]["Authorization"] == "Session " + base64.b64encode(b"dingbot:2:c314d6f9fd").decode()
    assert "gzip" in headers[2]["Accept-Encoding"]


def test_the_session_of_the_sheet() -> None:
    assert base64.b64encode(b"admin:1:abc").decode() == "YWRtaW46MTphYmM="


async def test_company_and_language_of_the_options_go_before_those_of_the_account(canned: Canned) -> None:
    options = TrytonOptions(
        url=canned.url, database="demo", user="dingbot", password="DingBot#2026", company=7, language="en"
    )
    http = Http(options, now=lambda: NOW, source="main")
    await Account(TrytonClient(options, http), "dingbot", options.password).read("sale.sale", "search_count", [])
    own = [["company", "=", 7], []]
    assert canned.requests[-1][2]["params"] == [own, {"company": 7, "language": "en"}]
    await http.close()


async def test_pages_go_on_while_they_are_full(canned: Canned, account: Account) -> None:
    rows = [{"id": n} for n in range(1, 9)]
    canned.answers = [(200, {"id": 1, "result": rows[n : n + 3]}) for n in (0, 3, 6)]
    assert await account.search("sale.sale", [], ["id"]) == rows
    pages = [body["params"][1:3] for _, _, body in canned.requests[2:]]
    assert pages == [[0, 3], [3, 3], [6, 3]]


async def test_a_limit_is_asked_for_and_no_more(canned: Canned, account: Account) -> None:
    rows = [{"id": n} for n in range(1, 9)]
    canned.answers = [(200, {"id": 1, "result": rows[:3]}), (200, {"id": 1, "result": rows[3:4]})]
    assert await account.search("sale.sale", [], ["id"], offset=10, limit=4) == rows[:4]
    pages = [body["params"][1:3] for _, _, body in canned.requests[2:]]
    assert pages == [[10, 3], [13, 1]]
    assert await account.search("sale.sale", [], ["id"], limit=0) == []


USER_ERROR = ["UserError", ['You are not allowed to access "Purchase".', "Within groups: 只读查询", None]]
OF_A_CALL: list[tuple[int, Any, type[ErpError], str]] = [
    (200, {"id": 1, "error": USER_ERROR}, TrytonRefusal, "You are not allowed to access"),
    (200, {"id": 1, "error": ["UserWarning", ["name", "Really?", "It is late."]]}, Invalid, "Really? It is late."),
    (200, {"id": 1, "error": ["ConcurrencyException", "Records were modified in the meanwhile"]}, Conflict, "changed"),
    (200, {"id": 1, "error": ["LoginException", ["otp", "Code", "char"]]}, AuthFailed, "more than a password"),
    (200, {"id": 1, "error": ["'sale.sale'", ""]}, Unsupported, "not installed"),
    (200, {"id": 1, "error": ["'no_such_field'", ""]}, Invalid, "no_such_field"),
    (200, {"id": 1, "error": []}, Invalid, "without a word"),
    (403, HTML, Unsupported, "does not offer model.sale.sale.confirm"),
    (404, HTML, AuthFailed, "no database 'demo'"),
    (413, HTML, Invalid, "records_limit"),
    (422, HTML, Invalid, "Refused"),
    (429, HTML, RateLimited, "too many"),
]


@pytest.mark.parametrize(("status", "said", "error", "words"), OF_A_CALL)
async def test_trap_errors_come_with_status_200_or_as_pages(
    canned: Canned, account: Account, status: int, said: Any, error: type[ErpError], words: str
) -> None:
    canned.answers = [(status, said)]
    with pytest.raises(error, match=re.escape(words)) as caught:
        await account.write("sale.sale", "confirm", [1])
    assert type(caught.value) is error
    assert "<" not in caught.value.detail


async def test_of_a_read_a_user_error_is_a_missing_right(canned: Canned, account: Account) -> None:
    """The message may be Chinese; domains and fields are the adapter's, so nothing else can be wrong."""
    canned.answers = [(200, {"id": 1, "error": ["UserError", ["不允许访问“采购”。", "", None]]})]
    with pytest.raises(NotPermitted, match="不允许"):
        await account.read("purchase.purchase", "search_read", [])


@pytest.mark.parametrize("said", ["<html>busy</html>", {"id": 1}, [], {"id": 1, "result": {"__class__": "date"}}])
async def test_what_is_no_answer_leaves_a_write_unknown(canned: Canned, account: Account, said: Any) -> None:
    canned.answers = [(200, said), (200, said)]
    with pytest.raises(Unavailable):
        await account.read("sale.sale", "search_read", [])
    with pytest.raises(UnknownOutcome):
        await account.write("sale.sale", "confirm", [1])


AT_LOGIN: list[tuple[int, Any, type[ErpError]]] = [
    (401, HTML, AuthFailed),
    (404, HTML, AuthFailed),
    (429, HTML, RateLimited),
    (502, HTML, Unavailable),
    (200, {"id": 1, "error": ["LoginException", ["otp", "Code", "char"]]}, AuthFailed),
    (200, {"id": 1, "error": ["'res.user'", ""]}, Unavailable),
    (200, {"id": 1, "result": None}, Unavailable),
    (200, {"id": 1, "result": [2]}, Unavailable),
]


@pytest.mark.parametrize(("status", "said", "error"), AT_LOGIN)
async def test_logins_that_fail(
    canned: Canned, account: Account, status: int, said: Any, error: type[ErpError]
) -> None:
    canned.at_login(status, said)
    with pytest.raises(error) as caught:
        await account.read("sale.sale", "search_read", [])
    assert type(caught.value) is error
    assert len(canned.requests) == 1
    assert await account.read("sale.sale", "search_read", []) == []


async def test_trap_a_dead_session_is_401_without_a_word(canned: Canned, account: Account) -> None:
    assert await account.read("sale.sale", "search_read", []) == []
    canned.answers = [(401, "")]
    assert await account.read("sale.sale", "search_read", []) == []
    methods = [body["method"] for _, _, body in canned.requests]
    assert methods.count("common.db.login") == 2
    canned.answers = [(401, ""), (401, "")]
    with pytest.raises(AuthFailed):
        await account.read("sale.sale", "search_read", [])
    with pytest.raises(AuthExpired):
        await account._client.call(_gone, "model.sale.sale.search_count", [[], {}])


async def _gone(*_: Any, **__: Any) -> Any:
    raise AuthExpired("over", source="main")


VALUES = [
    (Decimal("12.50"), {"__class__": "Decimal", "decimal": "12.50"}),
    (date(2026, 11, 13), {"__class__": "date", "year": 2026, "month": 11, "day": 13}),
    (
        datetime(2026, 11, 24, 15, 55, 49, 872469, tzinfo=UTC),
        {
            "__class__": "datetime",
            "year": 2026,
            "month": 11,
            "day": 24,
            "hour": 15,
            "minute": 55,
            "second": 49,
            "microsecond": 872469,
        },
    ),
    ({"party.": {"name": "上海", "id": 3}, "lines": [1, 2]}, {"party.": {"name": "上海", "id": 3}, "lines": [1, 2]}),
    (None, None),
]


@each_row(("ours", "theirs"), VALUES)
def test_values_both_ways(ours: Any, theirs: Any) -> None:
    assert encode([ours]) == [theirs]
    assert decode([theirs]) == [ours]
    assert json.loads(json.dumps(encode(ours))) == theirs


def test_times_are_sent_as_utc() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert encode(datetime(2026, 11, 24, 7, 30, tzinfo=shanghai))["day"] == 23


@each_row(
    "value",
    [
        {"__class__": "Decimal", "decimal": "a lot"},
        {"__class__": "Decimal"},
        {"__class__": "date", "year": 2026, "month": 13, "day": 1},
        {"__class__": "datetime", "year": 2026, "month": 1, "day": 1},
    ],
)
def test_values_out_of_shape(value: Any) -> None:
    with pytest.raises(ValueError, match="not a value of Tryton"):
        decode([value])


def test_fields_of_related_records() -> None:
    row = {"id": 1, "party.": {"id": 3, "name": "上海", "lang.": None}}
    assert at(row, "party.name") == "上海"
    assert at(row, "party.lang.code") is None
    with pytest.raises(KeyError):
        at(row, "party.code")


def test_patterns_mean_just_the_text() -> None:
    assert escape_like("50%_off\\") == "50\\%\\_off\\\\"
    assert containing("a_b", ("number", "party.name")) == [
        ["OR", ["number", "ilike", "%a\\_b%"], ["party.name", "ilike", "%a\\_b%"]]
    ]
    assert containing("", ("number",)) == []
