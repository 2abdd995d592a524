"""Every exchange recorded from a real Odoo maps to the expected records and errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotFound, NotPermitted, Unsupported
from bot.erp.http import Http, HttpOptions
from bot.erp.model import (
    Approval,
    Area,
    Decision,
    DecisionOutcome,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    Verdict,
)
from bot.erp.odoo import mapping, stock
from bot.erp.odoo.client import Account, Json2Transport, JsonRpcTransport, MethodCall
from bot.erp.odoo.finance import invoice as invoice_of
from bot.erp.odoo.manifest import vendor
from bot.erp.odoo.production import production_order
from bot.erp.odoo.products import product as product_of
from bot.erp.odoo.purchases import purchase_order
from bot.erp.odoo.sales import sales_order
from bot.erp.port import Erp, Filter, ListQuery
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_checks import resulting_order
from tests.bare_records import with_review
from tests.erp.fakes.odoo import DATABASE
from tests.erp.odoo.recordings import BUYER, JSON2, JSON_RPC, MANAGER, VIEWER, Exchange, RecordedOdoo, find, load
from tests.rows import each_row

SITE = mapping.OdooSite(source="main", url="https://erp.example", zone=ZoneInfo("Asia/Shanghai"))
TODAY = date(2026, 11, 24)
BOLT = "不锈钢六角螺栓 M8×30"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24 {text}").replace(tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def figures(*numbers: str) -> Quantities:
    return Quantities(**dict(zip(Quantities.__dataclass_fields__, map(Decimal, numbers), strict=True)))


def sale(
    number: int, customer: str, status: OrderStatus, delivery: Progress, billing: Progress, total: str, changed: str
) -> SalesOrder:
    return SalesOrder(
        id=str(number),
        number=f"S{number:05}",
        customer=customer,
        status=status,
        delivery=delivery,
        billing=billing,
        # The recorded fields do not include the invoices.
        payment=None if billing is Progress.FULL else Progress.NONE,
        ordered_on=TODAY,
        promised_on=None,
        total=usd(total),
        salesperson="OdooBot",
        url=f"https://erp.example/mail/view?model=sale.order&res_id={number}",
        changed_at=at(changed),
        source="main",
    )


SHANGHAI, BEIJING, SHENZHEN = "上海华联商贸有限公司", "北京中科创新科技有限公司", "深圳市宏达电子有限公司"
_DELIVERED = (OrderStatus.DELIVERED, Progress.FULL, Progress.FULL)
_CANCELLED = (OrderStatus.CANCELLED, Progress.NONE, Progress.NONE)
SALES = {
    "S00025": sale(25, SHANGHAI, *_DELIVERED, "9579.5", "13:58:04"),
    "S00026": sale(26, BEIJING, *_DELIVERED, "5506.2", "13:58:04"),
    "S00027": sale(27, SHENZHEN, *_DELIVERED, "1719.25", "13:58:04"),
    "S00028": sale(28, SHANGHAI, OrderStatus.PARTLY_DELIVERED, Progress.PARTIAL, Progress.NONE, "8188", "13:58:04"),
    "S00029": sale(29, BEIJING, OrderStatus.OPEN, Progress.NONE, Progress.NONE, "11914", "13:58:04"),
    "S00031": sale(31, SHANGHAI, OrderStatus.DRAFT, Progress.NONE, Progress.NONE, "2753.1", "13:58:04"),
    "S00032": sale(32, BEIJING, *_CANCELLED, "22942.5", "13:58:04"),
}


def invoice(
    key: int, number: int, customer: str, status: InvoiceStatus, issued: date, due: date, total: str, still: str,
    origin: str, changed: str,
) -> Invoice:  # fmt: skip
    return Invoice(
        id=str(key),
        number=f"INV/2026/{number:05}",
        customer=customer,
        status=status,
        issued_on=issued,
        due_on=due,
        total=usd(total),
        open_amount=usd(still),
        order_number=origin,
        url=f"https://erp.example/mail/view?model=account.move&res_id={key}",
        changed_at=at(changed),
        source="main",
    )


UNPAID, PART_PAID = InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID
_OCT21, _NOV5, _NOV9, _NOV20 = date(2026, 10, 21), date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 20)
OVERDUE_19 = [
    invoice(115, 11, BEIJING, UNPAID, _OCT21, _NOV5, "5506.2", "5506.2", "S00026", "13:58:04"),
    invoice(4, 4, "Acme Corporation", UNPAID, _NOV9, _NOV9, "31750", "31750", "", "13:38:53"),
    invoice(116, 12, SHENZHEN, PART_PAID, _NOV5, _NOV20, "1719.25", "859.63", "S00027", "13:58:04"),
]
OVERDUE_18 = [
    invoice(4, 4, "Deco Addict", UNPAID, _NOV9, _NOV9, "31750", "31750", "", "14:02:04"),
    invoice(28, 7, SHENZHEN, PART_PAID, _NOV5, _NOV20, "1719.25", "859.63", "S00027", "14:08:39"),
    invoice(27, 6, BEIJING, UNPAID, _OCT21, _NOV5, "5506.2", "5506.2", "S00026", "14:08:39"),
]


def purchase(key: int, partner: str, total: str, changed: str) -> PurchaseOrder:
    return PurchaseOrder(
        id=str(key),
        number=f"P{key:05}",
        vendor=partner,
        review=Review(state=ReviewState.WAITING, version="", approval=Approval()),
        buyer="采购员 李娜",
        ordered_on=TODAY,
        due_on=TODAY,
        total=usd(total),
        received=Progress.NONE,
        url=f"https://erp.example/mail/view?model=purchase.order&res_id={key}",
        changed_at=at(changed),
        source="main",
    )


NINGBO, SUZHOU, DONGGUAN = "宁波永固紧固件厂", "苏州联创电子材料有限公司", "东莞精密电机有限公司"
WAITING_19 = [
    purchase(21, NINGBO, "14260", "14:08:31"),
    purchase(20, SUZHOU, "14421", "14:08:31"),
    purchase(19, DONGGUAN, "15249", "14:08:31"),
    purchase(18, SUZHOU, "17181", "14:08:31"),
    purchase(16, DONGGUAN, "17767.5", "13:58:04"),
]
WAITING_18 = [
    purchase(16, DONGGUAN, "17767.5", "14:08:39"),
    purchase(15, SUZHOU, "18078", "14:08:39"),
    purchase(14, SUZHOU, "22770", "14:08:39"),
]


def without_version(order: PurchaseOrder) -> PurchaseOrder:
    assert order.review.version
    return with_review(order, version="")


def production(
    number: int, name: str, status: ProductionStatus, planned: str, produced: str, start: date, ready: bool | None,
    changed: str,
) -> ProductionOrder:  # fmt: skip
    return ProductionOrder(
        id=str(number),
        number=f"WH/MO/{number:05}",
        sku="",
        name=name,
        unit="单位",
        planned=Decimal(planned),
        produced=Decimal(produced),
        status=status,
        start_on=start,
        due_on=None,
        # Each was done on the day on which it began; the others have a planned end.
        finished_on=start if status is _DONE else None,
        material_ready=ready,
        url=f"https://erp.example/mail/view?model=mrp.production&res_id={number}",
        changed_at=at(changed),
        source="main",
    )


DRAWER, CONTROLLER = "[FURN_8855] 抽屉", "[SKU-1008] 控制器总成 CT-8"
_PLANNED, _RUNNING, _DONE = ProductionStatus.PLANNED, ProductionStatus.RUNNING, ProductionStatus.DONE
PRODUCTIONS = [
    production(5, DRAWER, _DONE, "5", "5", date(2026, 11, 10), None, "13:38:49"),
    production(6, DRAWER, _DONE, "3", "3", date(2026, 11, 17), None, "13:38:49"),
    production(1, "[FURN_7800] 组合桌子", _PLANNED, "3", "0", TODAY, False, "13:38:41"),
    production(3, "[FURN_8522] 桌面", _PLANNED, "1", "0", TODAY, True, "13:38:41"),
    production(4, DRAWER, _DONE, "5", "5", TODAY, None, "13:38:41"),
    production(7, CONTROLLER, _DONE, "20", "20", TODAY, None, "13:58:04"),
    production(8, CONTROLLER, _RUNNING, "10", "0", TODAY, False, "13:58:04"),
    production(9, CONTROLLER, _PLANNED, "500", "0", TODAY, False, "13:58:04"),
    production(10, CONTROLLER, _PLANNED, "12", "0", TODAY, None, "13:58:04"),
    production(2, "[FURN_9666] 餐桌", _PLANNED, "1", "0", date(2026, 11, 25), None, "13:38:41"),
]

# Results expected from the rows of an exchange


def bolt(unit: str, numbers: Quantities) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        [row] = rows
        assert product_of(row) == Product(sku="SKU123", name=BOLT, unit=unit)
        assert stock.figures(row) == numbers

    return check


def orders(*wanted: SalesOrder) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        assert [sales_order(row, SITE) for row in rows] == list(wanted)

    return check


def invoices(*wanted: Invoice) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        assert [invoice_of(row, SITE) for row in rows] == list(wanted)

    return check


def purchases(*wanted: PurchaseOrder) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        found = [purchase_order(row, SITE) for row in rows]
        assert [without_version(order) for order in found] == list(wanted)
        assert len({order.review.version for order in found}) == len(found)

    return check


def productions(rows: Any) -> None:
    orders = [production_order(row, SITE) for row in rows]
    assert orders == PRODUCTIONS


def with_lines(rows: Any, products: dict[int, Any]) -> dict[str, Any]:
    lines = {row["id"]: {**row, "product": products} for row in rows}
    return {"id": 1, "currency_id": [1, "USD"], "lines": lines}


def sales_line(sku: str, name: str, numbers: tuple[str, str, str], price: str, amount: str) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        products = {row["product_id"][0]: {"id": 1, "default_code": sku, "name": name} for row in rows}
        order = sales_order(with_lines(rows, products), SITE)
        ordered, delivered, invoiced = map(Decimal, numbers)
        assert order.lines == (
            OrderLine(
                sku=sku,
                name=name,
                unit="单位",
                quantity=ordered,
                delivered=delivered,
                invoiced=invoiced,
                price=usd(price),
                amount=usd(amount),
            ),
        )

    return check


def purchase_line(rows: Any) -> None:
    products = {69: {"id": 69, "default_code": "SKU123", "name": BOLT}}
    order = purchase_order(with_lines(rows, products), SITE)
    line = PurchaseLine(sku="SKU123", name=BOLT, unit="单位", quantity=Decimal(20000), received=Decimal(0),
                        price=usd("0.62"), amount=usd("12400"))  # fmt: skip
    assert order.lines == (line,)


def places(total: Quantities, *wanted: Quantities) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        assert [stock.quants([row]) for row in rows] == list(wanted)
        assert stock.quants(rows) == total

    return check


def reorder_points(rows: Any) -> None:
    levels = {}
    for row in rows:
        product = {"id": row["product_id"][0], "name": row["product_id"][1]}
        levels[product["name"]] = stock.stock_level(product, (), [row], as_of=at("14:00:00"), site=SITE)
    assert levels["[SKU123] 不锈钢六角螺栓 M8×30"].reorder_point == 5000
    assert levels["[SKU-1006] USB-C 扩展坞"].reorder_point == 30
    # A rule of zero is a rule; no rule is None.
    assert levels["[FURN_9666] 餐桌"].reorder_point == 0
    assert len(levels) == 6


def state(wanted: ReviewState, approval: Approval) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        people = {7: {"id": 7, "login": "dingbot"}}
        [order] = (purchase_order({**row, "people": people}, SITE) for row in rows)
        assert (order.status, order.review.approval) == (wanted, approval)
        # The exchanges about the person who decided also contain the last writer.
        assert order.review.changed_by == approval.decided_by

    return check


def products(*wanted: tuple[str, str]) -> Callable[[Any], None]:
    return lambda rows: _same([(found.sku, found.name) for found in map(product_of, rows)], list(wanted))


def exactly(wanted: Any) -> Callable[[Any], None]:
    return lambda result: _same(result, wanted)


def _same(found: Any, wanted: Any) -> None:
    assert found == wanted


def prices(rows: Any) -> None:
    order = purchase_order(with_lines(rows, {}), SITE)
    assert [(line.quantity, line.price) for line in order.lines] == [
        (Decimal(20000), usd("0.62")),
        (Decimal(8000), usd("0.62")),
    ]


def changed(rows: Any) -> None:
    changes = [(mapping.number_of(row), mapping.moment(row["write_date"])) for row in rows]
    assert changes == [(f"S0000{n}", at("13:38:58")) for n in (1, 2, 3)]


_NOTHING: list[Any] = []
_WAITING = state(ReviewState.WAITING, Approval())
_APPROVED = Approval(decided_by="dingbot", decided_at=at("14:14:30"))

Expected = Callable[[Any], None] | tuple[type[ErpError], str]
"""A check of the result, or the error and part of its message."""

EXPECTED_19: Mapping[str, Expected] = {
    "product by exact SKU": bolt("单位", figures("3840", "3040", "800", "8000", "4680", "7160")),
    "product by exact SKU, warehouse 1": bolt("单位", figures("3040", "3040", "0", "8000", "4680", "6360")),
    "unknown SKU": exactly(_NOTHING),
    "products by part of a name": products(("CONS_25630", "螺丝"), ("CONS_89957", "螺栓"), ("SKU123", BOLT)),
    "warehouses": lambda rows: _same(
        [(row["id"], row["code"], row["name"]) for row in rows], [(1, "WH", "YourCompany"), (3, "SZ", "深圳分仓")]
    ),
    "quants of SKU123 in internal locations": places(
        figures("3840", "3040", "800", "0", "0", "3840"),
        figures("3040", "3040", "0", "0", "0", "3040"),
        figures("800", "0", "800", "0", "0", "800"),
    ),
    "reordering rules": reorder_points,
    **{f"sales order {number}": orders(order) for number, order in SALES.items()},
    "lines of S00026": sales_line("SKU-1003", "机械键盘 87键", ("12", "12", "12"), "399", "5506.2"),
    "lines of S00028": sales_line("SKU-1001", "不锈钢保温杯 500ml", ("80", "50", "0"), "89", "8188"),
    "overdue customer invoices of the company": invoices(*OVERDUE_19),
    "one invoice number without company filter (several companies)": invoices(
        invoice(10, 8, "LightsUp", UNPAID, TODAY, TODAY, "750", "750", "", "13:38:53")
    ),
    "purchase orders to approve": purchases(*WAITING_19),
    "lines of a purchase order": purchase_line,
    "approve as a user without the right: 200 and nothing happens": exactly({}),
    "state after that": _WAITING,
    "approve": exactly({}),
    "state after approve": state(ReviewState.APPROVED, _APPROVED),
    "approve again: 200": exactly({}),
    "message before reject": exactly([770]),
    "cancel (= reject)": exactly(None),
    "state after cancel": state(ReviewState.CANCELLED, Approval(decided_at=at("14:14:31"))),
    "purchase order as a user without any right": (NotPermitted, "不允许访问"),
    "vendor price history of a product": prices,
    "production orders": productions,
    "changed since": changed,
    "missing id: empty list": exactly(_NOTHING),
    "unknown field: 500": (Invalid, "Invalid field 'nope' on 'purchase.order'"),
    "unknown method: 404": (Unsupported, "purchase.order.nosuch"),
    "unknown argument: 422": (Invalid, "bogus"),
    "bad key: 401": (AuthFailed, "Invalid apikey"),
}

EXPECTED_18: Mapping[str, Expected] = {
    "product by SKU": bolt("Units", figures("3840", "3040", "800", "8000", "4680", "7160")),
    "quants": places(
        figures("3840", "3040", "800", "0", "0", "3840"),
        figures("3040", "3040", "0", "0", "0", "3040"),
        figures("800", "0", "800", "0", "0", "800"),
    ),
    "sales order": orders(replace(SALES["S00026"], changed_at=at("14:08:39"))),
    "purchase orders to approve": purchases(*WAITING_18),
    "overdue invoices": invoices(*OVERDUE_18),
    "missing record": exactly(_NOTHING),
    "unknown field": (Invalid, "Invalid field 'nope' on model 'purchase.order'"),
    "wrong password": (AuthFailed, ""),
}

_BY_HAND = {JSON2: {"version"}, JSON_RPC: {"version", "login"}}
"""Requests that are not method calls: see `test_release`."""


@asynccontextmanager
async def serving(*exchanges: Exchange) -> AsyncIterator[tuple[str, list[tuple[web.Request, Any]]]]:
    """Answer requests with the exchanges in turn, and record the requests."""
    left, asked = list(exchanges), []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((request, json.loads(await request.text() or "null")))
        response = left.pop(0).response
        return web.json_response(response["json"], status=response["status"])

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


@asynccontextmanager
async def http(url: str) -> AsyncIterator[Http]:
    client = Http(HttpOptions(url=url), now=Clock().now, source="main")
    try:
        yield client
    finally:
        await client.close()


async def check(expected: Expected, call: Callable[[], Any]) -> None:
    if isinstance(expected, tuple):
        kind, words = expected
        with pytest.raises(kind) as caught:
            await call()
        assert type(caught.value) is kind
        assert words in caught.value.detail
        assert "traceback" not in caught.value.detail
    else:
        expected(await call())


@pytest.mark.parametrize("file", [JSON2, JSON_RPC])
def test_every_exchange_has_an_expectation(file: str) -> None:
    expected = EXPECTED_19 if file == JSON2 else EXPECTED_18
    assert {exchange.title for exchange in load(file)} == {*expected, *_BY_HAND[file]}


@each_row("title", EXPECTED_19)
async def test_json2(title: str) -> None:
    exchange = find(JSON2, title)
    body = dict(exchange.request["json"])
    model, method = exchange.call
    call = MethodCall(
        model=model,
        method=method,
        ids=body.pop("ids", None),
        context=body.pop("context", {}),
        arguments=body,
        writes=method in ("button_approve", "button_cancel", "message_post"),
    )
    async with serving(exchange) as (url, asked):
        account = Account("dingbot", SecretStr(exchange.key))
        async with http(url) as client:
            await check(EXPECTED_19[title], lambda: Json2Transport(client, "odoo19").call(account, call))
    [(request, sent)] = asked
    assert (request.method, request.path) == (exchange.request["method"], exchange.request["path"])
    assert sent == exchange.request["json"]
    for name, value in exchange.request["headers"].items():
        assert request.headers[name] == value


@each_row("title", EXPECTED_18)
async def test_json_rpc(title: str) -> None:
    exchange, login = find(JSON_RPC, title), find(JSON_RPC, "login")
    database, uid, key, model, method, positional, named = exchange.request["json"]["params"]["args"]
    ids = tuple(positional[0]) if method == "read" else None
    names = ["fields"] if method == "read" else ["domain"]
    arguments_by_name = dict(zip(names, positional[1:] if method == "read" else positional, strict=True))
    context = named.get("context", {})
    arguments = {**arguments_by_name, **{name: value for name, value in named.items() if name != "context"}}
    call = MethodCall(model=model, method=method, ids=ids, arguments=arguments, context=context)
    # A refused key is tried once more, after asking for its user.
    answers = [login, exchange] if title != "wrong password" else [login, exchange, login, exchange]
    async with serving(*answers) as (url, asked):
        account = Account("dingbot", SecretStr(key))
        async with http(url) as client:
            await check(EXPECTED_18[title], lambda: JsonRpcTransport(client, database).call(account, call))
    assert len(asked) == len(answers)
    _, sent = asked[0]
    assert sent["params"] == {"service": "common", "method": "authenticate", "args": [database, "dingbot", key, {}]}
    _, sent = asked[1]
    sent_arguments = sent["params"]["args"]
    assert sent_arguments[:5] == [database, uid, key, model, method]
    # Recorded by position, sent by name where every release has the name.
    assert {**dict(zip(["ids", *names] if ids else names, sent_arguments[5], strict=False)), **sent_arguments[6]} == {
        **({"ids": list(ids)} if ids else {}),
        **arguments,
        **({"context": context} if context else {}),
    }


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 24, 15, tzinfo=UTC))


@asynccontextmanager
async def opened(file: str, clock: Clock, folder: Path, **options: Any) -> AsyncIterator[tuple[Erp, RecordedOdoo]]:
    """Open the adapter over a server with the records of a recording."""
    server = RecordedOdoo(ReferenceCompany(), clock, file)
    await server.start()
    key = next(iter(server._logins))
    settings = {"url": server.url, "database": DATABASE, "user": "dingbot", "key": key, "company": 1, **options}
    erp = await vendor.open(
        AdapterContext(name="main", data_dir=folder, now=clock.now), vendor.options.model_validate(settings)
    )
    try:
        yield erp, server
    finally:
        await erp.close()
        await server.stop()


@pytest.mark.parametrize(("file", "release"), [(JSON2, [19, 0]), (JSON_RPC, [18, 0])])
async def test_release(file: str, release: list[int], clock: Clock, tmp_path: Path) -> None:
    """The transport depends on the release, which the fake reports like the real servers."""
    exchange = find(file, "version").result
    assert exchange["version_info" if file == JSON2 else "server_version_info"][:2] == release
    async with opened(file, clock, tmp_path) as (erp, server):
        await erp.check()
        paths = [entry.path for entry in server.requests.entries]
    if file == JSON2:
        assert paths == ["/web/version", "/json/2/res.users/context_get"]
    else:
        assert paths == ["/web/version", *["/jsonrpc"] * 3]
        assert find(file, "login").result == 8


async def test_stock_of_the_recorded_company(clock: Clock, tmp_path: Path) -> None:
    async with opened(JSON2, clock, tmp_path, language="zh_CN") as (erp, _):
        level = await erp.stock("sku123")
        assert level.product == Product(sku="SKU123", name=BOLT, unit="单位")
        assert level.total == figures("3840", "3040", "800", "8000", "4680", "7160")
        assert {(place.code, place.name): place.quantities for place in level.per_warehouse} == {
            ("WH", "YourCompany"): figures("3040", "3040", "0", "8000", "4680", "6360"),
            ("SZ", "深圳分仓"): figures("800", "0", "800", "0", "0", "800"),
        }
        assert level.reorder_point == 5000
        assert level.below_reorder_point
        with pytest.raises(NotFound):
            await erp.stock("SKU-NOPE")


async def test_orders_of_the_recorded_company(clock: Clock, tmp_path: Path) -> None:
    async with opened(JSON2, clock, tmp_path) as (erp, _):
        found = await erp.order("s00026")
        assert (found.number, found.customer, found.total) == ("S00026", BEIJING, usd("5506.2"))
        [line] = found.lines
        assert (line.sku, line.unit, line.quantity, line.amount) == ("", "单位", Decimal(12), usd("5506.2"))
        listed = await erp.production_orders(ListQuery(text="MO"))
        assert listed.total == len(PRODUCTIONS)
        assert {order.number: order.status for order in listed.items} == {o.number: o.status for o in PRODUCTIONS}
        changes = await erp.changed_since(Area.SALES, "", limit=3)
        assert [change.key for change in changes.items] == ["S00001", "S00002", "S00003"]


@pytest.mark.parametrize(
    ("file", "overdue", "waiting"), [(JSON2, OVERDUE_19, WAITING_19), (JSON_RPC, OVERDUE_18, WAITING_18)]
)
async def test_lists_of_the_recorded_companies(
    file: str, overdue: list[Invoice], waiting: list[PurchaseOrder], clock: Clock, tmp_path: Path
) -> None:
    async with opened(file, clock, tmp_path) as (erp, server):
        found = await erp.invoices(ListQuery(filter=Filter.OVERDUE))
        by_due = sorted(overdue, key=lambda invoice: (invoice.due_on or TODAY, invoice.number))
        assert [replace(i, url="") for i in found.items] == [replace(i, url="") for i in by_due]
        pending = await erp.purchase_orders(ListQuery(filter=Filter.PENDING))
        assert {order.number for order in pending.items} == {order.number for order in waiting}
        assert {order.total for order in pending.items} == {order.total for order in waiting}
        assert server.url in pending.items[0].url


REASON = "钉钉拒绝：价格过高"


async def test_approving_without_the_right_is_not_permitted(clock: Clock, tmp_path: Path) -> None:
    """Recorded: the buyer's approval returns 200 and ``{}``, and the order still waits."""
    async with opened(JSON2, clock, tmp_path, approvers={"buyer": BUYER}) as (erp, server):
        seen = await erp.purchase_order("P00021")
        version = seen.review.version
        result = await erp.decide(Decision(number="P00021", version=version, verdict=Verdict.APPROVE, by="buyer"))
        assert result.outcome is DecisionOutcome.NOT_PERMITTED
        assert result.document == seen
        writes = [entry for entry in server.requests.entries if entry.path.endswith("button_approve")]
        assert [entry.headers["Authorization"] for entry in writes] == [f"bearer {BUYER}"]


async def test_approving_with_the_right_is_applied(clock: Clock, tmp_path: Path) -> None:
    async with opened(JSON2, clock, tmp_path) as (erp, _):
        seen = await erp.purchase_order("P00021")
        decision = Decision(number="P00021", version=seen.review.version, verdict=Verdict.APPROVE, by="dingbot")
        result = await erp.decide(decision)
        assert result.outcome is DecisionOutcome.APPLIED
        assert result.document is not None
        assert (resulting_order(result).status, resulting_order(result).review.approval) == (
            ReviewState.APPROVED,
            _APPROVED,
        )
        assert (await erp.decide(decision)).outcome is DecisionOutcome.ALREADY_DECIDED


async def test_rejecting_leaves_the_reason_and_cancels(clock: Clock, tmp_path: Path) -> None:
    async with opened(JSON2, clock, tmp_path) as (erp, server):
        seen = await erp.purchase_order("P00020")
        version = seen.review.version
        decision = Decision(number="P00020", version=version, verdict=Verdict.REJECT, by="dingbot", reason=REASON)
        result = await erp.decide(decision)
        assert result.outcome is DecisionOutcome.APPLIED
        assert result.document is not None
        assert resulting_order(result).status is ReviewState.CANCELLED
        methods = [entry.path.rpartition("/")[2] for entry in server.requests.entries]
        assert [name for name in methods if name in ("message_post", "button_cancel")] == [
            "message_post",
            "button_cancel",
        ]


def test_keys_of_the_recording_belong_to_three_users() -> None:
    assert {exchange.key for exchange in load(JSON2)} == {"", "bad", MANAGER, BUYER, VIEWER}
