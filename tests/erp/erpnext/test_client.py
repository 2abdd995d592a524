"""Frappe's wire format: keys, URLs, pages, envelopes (docs: platform/erp/erpnext.md#requests, #errors)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.erp.erpnext.client import Account, ErpNextClient, ListRequest, pattern, response_message
from bot.erp.errors import (
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
)
from bot.erp.http import Http, HttpOptions
from bot.kit.testing.company import NOW
from tests.rows import each_row

ACCOUNT = Account("a-key", "a-secret")


@dataclass
class Asked:
    """A recorded request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """Returns the given answers, or the result of `reply` for a request."""

    url: str = ""
    status: int = 200
    data: Any = field(default_factory=lambda: {"data": []})
    reply: Callable[[Asked], Any] | None = None
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        body = json.loads(text) if text else None
        raw = request.raw_path.partition("?")[0]
        self.asked.append(Asked(request.method, raw, dict(request.query), dict(request.headers), body))
        data = self.reply(self.asked[-1]) if self.reply else self.data
        if isinstance(data, str):
            return web.Response(text=data, status=self.status, content_type="text/html")
        return web.json_response(data, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[Http]:
    http = Http(HttpOptions(url=server.url), now=lambda: NOW, source="main")
    yield http
    await http.close()


@pytest.fixture
def frappe(http: Http) -> ErpNextClient:
    return ErpNextClient(http, ACCOUNT, page=3)


# Requests


async def test_a_key_pair_goes_with_every_request_and_no_csrf_token_or_cookie(
    server: Server, frappe: ErpNextClient
) -> None:
    server.data = {"data": {"name": "A"}, "message": 1}
    await frappe.document("Item", "A")
    await frappe.count(ListRequest("Item", ()))
    await frappe.call("frappe.auth.get_logged_user")
    await frappe.act("some.method", {}, Account("other", "secret"))
    await frappe.update("Item", "A", {}, ACCOUNT)
    tokens = [asked.headers["Authorization"] for asked in server.asked]
    assert tokens == ["token a-key:a-secret"] * 3 + ["token other:secret", "token a-key:a-secret"]
    for asked in server.asked:
        assert asked.headers["Accept"] == "application/json"
        assert not {"X-Frappe-CSRF-Token", "Cookie"} & set(asked.headers)


def test_a_secret_is_not_shown() -> None:
    assert "a-secret" not in repr(ACCOUNT)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("PO-1", "PO-1"),
        ("采购/1 号", "%E9%87%87%E8%B4%AD%2F1%20%E5%8F%B7"),
        ("A?b#c%d+e", "A%3Fb%23c%25d%2Be"),
        ("../x", "..%2Fx"),
    ],
)
async def test_doctypes_and_names_are_escaped(server: Server, frappe: ErpNextClient, name: str, path: str) -> None:
    server.data = {"data": {"name": name}}
    await frappe.document("Purchase Order", name)
    assert server.asked[0].path == f"/api/resource/Purchase%20Order/{path}"


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
async def test_a_name_that_would_be_another_address_is_not_asked_for(
    server: Server, frappe: ErpNextClient, name: str
) -> None:
    with pytest.raises(NotFound):
        await frappe.document("Item", name)
    assert server.asked == []


async def test_a_list_is_asked_for_in_json_and_always_with_a_length(server: Server, frappe: ErpNextClient) -> None:
    lookup = ListRequest("Item", ("name", "item_name"), [("disabled", "=", 0)], [("name", "like", "%螺%")], "name asc")
    await frappe.rows(lookup, start=40, limit=2)
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("GET", "/api/resource/Item")
    assert asked.query == {
        "fields": '["name","item_name"]',
        "filters": '[["disabled","=",0]]',
        "or_filters": '[["name","like","%螺%"]]',
        "order_by": "name asc",
        "limit_start": "40",
        "limit_page_length": "2",
    }


async def test_a_child_table_names_its_parent(server: Server, frappe: ErpNextClient) -> None:
    await frappe.rows(ListRequest("Item Barcode", ("parent",), parent="Item"))
    assert server.asked[0].query["parent"] == "Item"


def pages(total: int) -> Callable[[Asked], Any]:
    def reply(asked: Asked) -> Any:
        start, length = int(asked.query["limit_start"]), int(asked.query["limit_page_length"])
        return {"data": [{"name": str(n)} for n in range(total)[start : start + length]]}

    return reply


@pytest.mark.parametrize(
    ("total", "limit", "lengths", "rows"),
    [
        (8, None, ["3", "3", "3"], 8),
        (6, None, ["3", "3", "3"], 6),
        (0, None, ["3"], 0),
        (8, 2, ["2"], 2),
        (8, 7, ["3", "3", "1"], 7),
        (4, 7, ["3", "3"], 4),
        (8, 0, [], 0),
    ],
)
async def test_lists_are_paged(
    server: Server, frappe: ErpNextClient, total: int, limit: int | None, lengths: list[str], rows: int
) -> None:
    server.reply = pages(total)
    found = await frappe.rows(ListRequest("Item", ("name",)), limit=limit)
    assert [row["name"] for row in found] == [str(n) for n in range(rows)]
    assert [asked.query["limit_page_length"] for asked in server.asked] == lengths


async def test_what_does_not_fit_into_an_address_goes_into_a_body(server: Server, frappe: ErpNextClient) -> None:
    names = [f"采购订单-{n:05}" for n in range(60)]
    lookup = ListRequest("Version", ("name",), [("docname", "in", names)])
    server.data = {"message": [{"name": "A"}]}
    assert await frappe.rows(lookup) == [{"name": "A"}]
    server.data = {"message": 1}
    assert await frappe.count(lookup) == 1
    rows, count = server.asked
    assert (rows.method, rows.path) == ("POST", "/api/method/frappe.client.get_list")
    assert rows.body == {
        "doctype": "Version",
        "fields": ["name"],
        "filters": [["docname", "in", names]],
        "limit_start": 0,
        "limit_page_length": 3,
    }
    assert (count.method, count.path) == ("POST", "/api/method/frappe.desk.reportview.get_count")
    assert count.body == {"doctype": "Version", "filters": [["docname", "in", names]]}


async def test_a_count_is_asked_with_the_same_conditions(server: Server, frappe: ErpNextClient) -> None:
    server.data = {"message": 41}
    lookup = ListRequest("Item", ("name",), [("disabled", "=", 0)], [("name", "like", "%a%")], "name asc")
    assert await frappe.count(lookup) == 41
    assert server.asked[0].query == {
        "doctype": "Item",
        "filters": '[["disabled","=",0]]',
        "or_filters": '[["name","like","%a%"]]',
    }


@each_row(
    ("text", "wanted"),
    [
        ("abc", "%abc%"),
        ("50%", "%50_%"),
        ("a_b", "%a_b%"),
        ("a\\b", "%a_b%"),
        ("two\nlines", "%two%lines%"),
        ("", "%%"),
    ],
)
def test_wildcards_cannot_be_escaped_so_more_is_matched(text: str, wanted: str) -> None:
    assert pattern(text) == wanted


# Refusals


def envelope(kind: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"exception": f"frappe.exceptions.{kind}: {message}", "exc_type": kind, "exc": "[]"}
    if message:
        data["_server_messages"] = json.dumps([json.dumps({"message": message, "title": "Message"})])
    return data | more


CASES: list[tuple[int, Any, type[ErpError]]] = [
    (401, envelope("AuthenticationError"), AuthFailed),
    (403, envelope("PermissionError", "User <strong>bot@example.com</strong> has no access"), NotPermitted),
    (403, envelope("PermissionError", "User <strong>Guest</strong> has no access"), AuthFailed),
    (403, envelope("PermissionError"), NotPermitted),
    (404, envelope("DoesNotExistError", "Item A not found"), NotFound),
    (404, {}, NotFound),
    # A host without a site: it is not the document that is missing.
    (404, "<h1>erp.example.com does not exist</h1>", Unavailable),
    (409, envelope("DuplicateEntryError"), Conflict),
    (417, envelope("TimestampMismatchError", "Document has been modified"), Conflict),
    (417, envelope("WorkflowTransitionError", "Not a valid Workflow Action"), Conflict),
    (417, envelope("WorkflowPermissionError", "Not allowed"), NotPermitted),
    (417, envelope("ValidationError", "Not authorized since <b>Grand Total</b> exceeds limits"), Invalid),
    (417, envelope("MandatoryError", "Value missing"), Invalid),
    (417, envelope("DataError", "Field not permitted in query: x"), Invalid),
    (417, envelope("DoesNotExistError", "Purchase Order A not found"), NotFound),
    (429, envelope("TooManyRequestsError"), RateLimited),
    (503, envelope("SessionStopped"), Unavailable),
    (500, envelope("ProgrammingError"), Unavailable),
    (301, "<html>moved</html>", Unavailable),
]


@pytest.mark.parametrize(("status", "data", "kind"), CASES)
async def test_refusals_by_their_class(
    server: Server, frappe: ErpNextClient, status: int, data: Any, kind: type[ErpError]
) -> None:
    server.status, server.data = status, data
    with pytest.raises(ErpError) as caught:
        await frappe.document("Item", "A")
    assert type(caught.value) is kind
    assert caught.value.source == "main"
    assert "<" not in caught.value.detail


@pytest.mark.parametrize(("status", "kind"), [(500, UnknownOutcome), (502, UnknownOutcome), (503, Unavailable)])
async def test_a_failed_write_may_have_happened(
    server: Server, frappe: ErpNextClient, status: int, kind: type[ErpError]
) -> None:
    server.status, server.data = status, envelope("OperationalError")
    with pytest.raises(kind):
        await frappe.act("some.method", {}, ACCOUNT)
    assert len(server.asked) == 1


@pytest.mark.parametrize("data", [{}, {"message": "x"}, [1], {"data": None}, {"data": "x"}, {"data": ["x"]}])
async def test_an_answer_without_data_is_no_data(server: Server, frappe: ErpNextClient, data: Any) -> None:
    server.data = data
    with pytest.raises(Unavailable):
        await frappe.rows(ListRequest("Item", ("name",)))
    with pytest.raises(Unavailable):
        await frappe.document("Item", "A")


async def test_a_count_that_is_no_number_is_no_count(server: Server, frappe: ErpNextClient) -> None:
    server.data = {"message": None}
    with pytest.raises(Unavailable):
        await frappe.count(ListRequest("Item", ("name",)))


@each_row(
    ("data", "wanted"),
    [
        (envelope("X", "User <strong>a</strong> lacks<br>the right &amp; role"), "User a lacks the right & role"),
        ({"_server_messages": json.dumps([json.dumps({"message": "one"}), "plain two"])}, "one plain two"),
        ({"_server_messages": "[]", "exception": "frappe.exceptions.X: from here"}, "from here"),
        ({"_server_messages": "no json", "_error_message": "No right to <b>X</b>"}, "No right to X"),
        ({"_server_messages": 7, "exception": "frappe.exceptions.PermissionError"}, ""),
        ({"_server_messages": json.dumps([json.dumps({"title": "no message"})])}, ""),
        ({}, ""),
    ],
)
def test_messages_are_decoded_twice_and_without_their_html(data: dict[str, Any], wanted: str) -> None:
    assert response_message(data) == wanted
