"""Requests to Odoo and its errors (docs: platform/erp/odoo.md#transports)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import (
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    UnknownOutcome,
    Unsupported,
)
from bot.erp.model import Area
from bot.erp.odoo.client import OdooClient
from bot.erp.odoo.options import OdooOptions
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, ParsedRequest, RequestKind
from bot.mechanisms.version import user_agent
from tests.erp.fakes.odoo import DATABASE, FakeOdoo
from tests.erp.fakes.odoo_engine import OdooError
from tests.erp.fakes.odoo_records import BOT
from tests.erp.odoo.conftest import Open


class RespondingOdoo(FakeOdoo):
    """Records requests, and answers methods of orders with a given error."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bodies: list[Any] = []
        self.error: OdooError | None = None
        self.instead: Callable[[web.Request], web.Response] | None = None

    async def understand(self, request: web.Request) -> ParsedRequest:
        if text := await request.text():
            self.bodies.append(json.loads(text))
        return await super().understand(request)

    async def _version(self, request: web.Request) -> web.StreamResponse:
        return await super()._version(request) if self.instead is None else self.instead(request)

    def _answer(self, asked: Any) -> Any:
        if self.error is not None and asked.method in ("read", "button_approve"):
            raise self.error
        return super()._answer(asked)


def telling(clock: Clock, release: tuple[int, int]) -> RespondingOdoo:
    return RespondingOdoo(ReferenceCompany(now=clock.now), clock, release)


def client_of(server: FakeOdoo, clock: Clock, **options: Any) -> OdooClient:
    settings = {"url": server.url, "database": DATABASE, "user": BOT, "key": SECRET, "company": 1, **options}
    return OdooClient(OdooOptions.model_validate(settings), now=clock.now, source="main")


# Which transport


@pytest.mark.parametrize(
    ("release", "json2"),
    [((14, 0), False), ((16, 0), False), ((18, 0), False), ((18, 3), False), ((18, 4), True), ((19, 0), True)],
)
async def test_the_release_chooses_the_transport(release: tuple[int, int], json2: bool, open_odoo: Open) -> None:
    erp, server = await open_odoo(release)
    await asyncio.gather(*(erp.invoice("INV-7") for _ in range(5)))
    await erp.check()
    paths = [entry.path for entry in server.requests.entries]
    assert paths.count("/web/version") == 1
    assert any(path.startswith("/json/2/") for path in paths) is json2
    assert ("/jsonrpc" in paths) is not json2


async def test_a_release_that_could_not_be_asked_is_asked_again(open_odoo: Open) -> None:
    erp, server = await open_odoo((18, 0))
    server.faults.maintenance()
    with pytest.raises(Unavailable):
        await erp.check()
    server.faults.clear()
    await erp.check()


async def test_an_upgrade_while_the_bot_runs_is_noticed(open_odoo: Open, clock: Clock) -> None:
    erp, server = await open_odoo((18, 0))
    before = await erp.purchase_order("PO-1001")
    upgraded = FakeOdoo(server.company, clock, (19, 0))
    server.release, server.models = upgraded.release, upgraded.models
    # Fields were renamed: one read fails, then the fields are read again.
    with pytest.raises(Invalid):
        await erp.purchase_order("PO-1001")
    assert await erp.purchase_order("PO-1001") == before
    assert server.requests.entries[-1].path.startswith("/json/2/")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: web.json_response({"version_info": []}),
        lambda _: web.json_response({"version_info": "x"}),
        lambda _: web.json_response({"version_info": ["saas", None]}),
    ],
)
async def test_a_server_that_is_no_odoo_is_unavailable(
    answer: Callable[[web.Request], web.Response], open_odoo: Open, clock: Clock
) -> None:
    server = telling(clock, (19, 0))
    server.instead = answer
    erp, _ = await open_odoo(server=server)
    with pytest.raises(Unavailable):
        await erp.check()


async def test_a_server_without_either_address_is_unavailable(clock: Clock) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    options = {"url": f"http://127.0.0.1:{runner.addresses[0][1]}", "user": "bot", "key": SECRET}
    client = OdooClient(OdooOptions.model_validate(options), now=clock.now, source="main")
    with pytest.raises(Unavailable, match="no Odoo"):
        await client.release()
    await client.close()
    await runner.cleanup()


# What is sent


async def test_json2_sends_names_key_and_database(open_odoo: Open, clock: Clock) -> None:
    server = telling(clock, (19, 0))
    erp, _ = await open_odoo(server=server, language="zh_CN")
    await erp.invoices(ListQuery(filter=Filter.OVERDUE, text="a_b%", offset=3, limit=5))
    entry = next(entry for entry in server.requests.entries if entry.path.endswith("account.move/search_read"))
    assert entry.headers["Authorization"] == f"bearer {SECRET}"
    assert entry.headers["X-Odoo-Database"] == DATABASE
    assert entry.headers["Content-Type"].startswith("application/json")
    assert entry.headers["User-Agent"] == user_agent()
    body = next(body for body in server.bodies if "limit" in body)
    assert body["context"] == {"lang": "zh_CN", "allowed_company_ids": [1]}
    assert (body["offset"], body["limit"], body["order"]) == (3, 5, "invoice_date_due asc, name asc, id asc")
    assert "ids" not in body
    assert ["name", "ilike", r"a\_b\%"] in body["domain"]
    assert ["company_id", "=", 1] in body["domain"]


async def test_json_rpc_sends_database_user_and_key_in_every_call(open_odoo: Open, clock: Clock) -> None:
    server = telling(clock, (18, 0))
    erp, _ = await open_odoo(server=server)
    await erp.invoices(ListQuery(limit=1))
    calls = [body["params"]["args"] for body in server.bodies if body["params"]["service"] == "object"]
    assert {tuple(args[:3]) for args in calls} == {(DATABASE, 2, SECRET)}
    count = next(args for args in calls if args[4] == "search_count")
    # By position: the argument's name differs between releases.
    assert isinstance(count[5][0], list)
    assert "domain" not in count[6]


async def test_without_a_database_none_is_named(open_odoo: Open) -> None:
    erp, server = await open_odoo(database="")
    await erp.check()
    assert "X-Odoo-Database" not in server.requests.entries[-1].headers


async def test_only_needed_fields_that_exist_are_asked_for(open_odoo: Open, clock: Clock) -> None:
    server = telling(clock, (18, 0))
    erp, _ = await open_odoo(server=server)
    for _ in range(2):
        await erp.purchase_order("PO-1001")
    calls = [body["params"]["args"] for body in server.bodies if body["params"]["service"] == "object"]
    asked = [args for args in calls if args[4] == "fields_get"]
    assert len(asked) == len({args[3] for args in asked})
    lines = next(args for args in calls if args[3] == "purchase.order.line" and args[4] == "read")
    assert "product_uom" in lines[6]["fields"]
    assert "product_uom_id" not in lines[6]["fields"]


async def test_no_question_is_asked_per_record(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    for ask, most in ((erp.orders, 3), (erp.purchase_orders, 2), (erp.production_orders, 3), (erp.invoices, 2)):
        await ask(ListQuery(limit=10_000))
        server.requests.clear()
        listed = await ask(ListQuery(limit=10_000))
        assert listed.total >= 24
        assert server.requests.count(RequestKind.READ) <= most


async def test_the_total_is_counted_only_where_the_page_does_not_tell(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    await erp.invoices(ListQuery(limit=100))
    server.requests.clear()
    assert (await erp.invoices(ListQuery(limit=100))).total == 26
    assert [entry.path.rpartition("/")[2] for entry in server.requests.entries] == ["search_read"]
    assert (await erp.invoices(ListQuery(limit=5))).total == 26
    assert (await erp.invoices(ListQuery(limit=5, offset=100))).total == 26
    assert (await erp.invoices(ListQuery(limit=5, offset=24))).total == 26
    counts = [entry.path for entry in server.requests.entries if entry.path.endswith("search_count")]
    assert len(counts) == 2


async def test_long_lists_are_read_in_pages(open_odoo: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.erp.odoo.client.PAGE", 10)
    erp, server = await open_odoo()
    found = await erp.orders(ListQuery(limit=10_000))
    assert found.total == len({order.number for order in found.items}) == 30
    pages = [entry for entry in server.requests.entries if entry.path.endswith("sale.order/search_read")]
    assert len(pages) == 4


async def test_few_calls_run_at_once(open_odoo: Open, clock: Clock) -> None:
    running = most = 0

    class Counting(FakeOdoo):
        async def _json2(self, request: web.Request) -> web.StreamResponse:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.002)
            answer = await super()._json2(request)
            running -= 1
            return answer

    server = Counting(ReferenceCompany(now=clock.now), clock)
    erp, _ = await open_odoo(server=server)
    await asyncio.gather(*(erp.invoice("INV-7") for _ in range(12)))
    assert most == 2


async def test_waiting_for_a_turn_ends_with_the_time_out(open_odoo: Open) -> None:
    erp, server = await open_odoo(timeout=2.0, parallel=1)
    await erp.invoice("INV-7")
    server.faults.hang()
    asked = await asyncio.gather(*(erp.invoice("INV-7") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in asked)


# What errors become

_ERRORS: list[tuple[str, int, type[ErpError]]] = [
    ("odoo.exceptions.AccessError", 403, NotPermitted),
    ("odoo.exceptions.AccessDenied", 403, AuthFailed),
    ("odoo.exceptions.MissingError", 404, NotFound),
    ("odoo.exceptions.UserError", 422, Invalid),
    ("odoo.exceptions.ValidationError", 422, Invalid),
    ("odoo.exceptions.RedirectWarning", 422, Invalid),
    ("odoo.exceptions.LockError", 409, Conflict),
    ("psycopg2.errors.SerializationFailure", 409, Conflict),
    ("builtins.ValueError", 500, Invalid),
    ("builtins.TypeError", 500, Invalid),
    ("builtins.KeyError", 500, Invalid),
    ("psycopg2.OperationalError", 500, Unavailable),
    ("builtins.ZeroDivisionError", 500, Unavailable),
]


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
@pytest.mark.parametrize(("name", "status", "kind"), _ERRORS, ids=[name for name, _, _ in _ERRORS])
async def test_the_name_of_an_error_decides(
    name: str, status: int, kind: type[ErpError], release: tuple[int, int], open_odoo: Open, clock: Clock
) -> None:
    server = telling(clock, release)
    await open_odoo(server=server)
    client = client_of(server, clock)
    server.error = OdooError(name, "价格 <b>too</b>\n\n high", status)
    with pytest.raises(kind) as caught:
        await client.call("purchase.order", "read", ids=[7001], fields=["name"])
    assert type(caught.value) is kind
    assert caught.value.source == "main"
    # The message in one line, never the traceback.
    assert kind in (AuthFailed, NotFound) or caught.value.detail == "价格 too high"
    assert "Traceback" not in str(caught.value)
    await client.close()


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
async def test_an_unknown_failure_of_a_write_leaves_its_outcome_open(
    release: tuple[int, int], open_odoo: Open, clock: Clock
) -> None:
    server = telling(clock, release)
    await open_odoo(server=server)
    client = client_of(server, clock)
    server.error = OdooError("builtins.ZeroDivisionError", "division by zero", 500)
    with pytest.raises(UnknownOutcome):
        await client.call("purchase.order", "button_approve", ids=[7001], writes=True)
    await client.close()


async def test_a_wrong_database_is_told(open_odoo: Open) -> None:
    erp, _ = await open_odoo(database="other")
    with pytest.raises(Unavailable, match="database"):
        await erp.check()
    erp, _ = await open_odoo((18, 0), database="other")
    with pytest.raises(AuthFailed):
        await erp.check()


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
async def test_an_app_that_is_not_installed_is_unsupported(
    release: tuple[int, int], open_odoo: Open, clock: Clock
) -> None:
    full = FakeOdoo(ReferenceCompany(now=clock.now), clock, release)
    lean = FakeOdoo(
        full.company, clock, release, models=lambda name: None if name.startswith("mrp.") else full.records(name)
    )
    erp, _ = await open_odoo(server=lean)
    with pytest.raises(Unsupported):
        await erp.production_orders(ListQuery())
    with pytest.raises(Unsupported):
        await erp.changed_since(Area.PRODUCTION, "", limit=5)
    assert (await erp.orders(ListQuery())).total == 30


@pytest.mark.parametrize("release", [(18, 0), (19, 0)], ids=["json-rpc", "json2"])
async def test_a_language_that_is_not_installed_says_so(release: tuple[int, int], open_odoo: Open) -> None:
    erp, _ = await open_odoo(release, language="fr_FR")
    with pytest.raises(Invalid, match="Invalid language code: fr_FR"):
        await erp.find_products("SKU123", limit=1)


def test_a_time_zone_is_checked() -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        OdooOptions.model_validate({"url": "https://erp.example", "user": "b", "key": "k", "timezone": "Mars/Olympus"})
