"""A plain JSON server of no vendor in particular: the worked example of a fake, and what a mapped JSON source asks.

``POST /login`` gives a token for the header ``Authorization: Bearer …``. ``GET /products``, ``/orders``, ``/invoices``,
``/purchases``, ``/productions`` give pages (``offset``, ``limit`` up to `PAGE`, at most) as ``{"total", "items"}``, the
same with a number behind it one record, ``/stock/<sku>`` the stock of a product. ``GET /changes/<area>`` gives keys and
times from ``since`` on. ``POST /purchases/<number>/decision`` decides the version that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.erp.model import (
    Approval,
    Area,
    Invoice,
    Money,
    OrderLine,
    Product,
    ProductionOrder,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    SalesOrder,
    StockLevel,
    Verdict,
)
from bot.testing.company import NoSuchOrder, NotAllowed, NotWaiting, by_change
from bot.testing.fake_erp import SECRET, Call, FakeServer, Kind, exact_json

PAGE = 10
"""The longest page; a longer one that is asked for is cut off without a word."""

USER = "bot"

_AREAS = {
    "products": Area.PRODUCTS,
    "stock": Area.STOCK,
    "orders": Area.SALES,
    "invoices": Area.FINANCE,
    "purchases": Area.PURCHASING,
    "productions": Area.PRODUCTION,
}


class FakePlain(FakeServer):
    """The plain server; account `USER` with the fakes' common `SECRET`."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/login", self._login),
            web.get("/changes/{area}", self._changes),
            web.post("/purchases/{key}/decision", self._decide),
            web.get("/{kind}", self._page),
            web.get("/{kind}/{key}", self._one),
        )

    async def understand(self, request: web.Request) -> Call:
        if request.path == "/login":
            return Call(Kind.LOGIN)
        parts = request.path.strip("/").split("/")
        area = _AREAS.get(parts[1] if parts[0] == "changes" else parts[0])
        kind = Kind.WRITE if request.method == "POST" else Kind.READ
        return Call(kind, area, request.headers.get("Authorization", "").removeprefix("Bearer "))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        account = await request.json()
        if account != {"user": USER, "password": SECRET}:
            return self.say_login_refused(request)
        return exact_json({"token": self.new_session()})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind not in _AREAS:
            return _say("no such address", 404)
        records = list(self.company.records(_AREAS[kind]).values())
        offset, limit = int(request.query.get("offset", 0)), min(int(request.query.get("limit", PAGE)), PAGE)
        return exact_json({"total": len(records), "items": [render(item) for item in records[offset : offset + limit]]})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        kind, key = request.match_info["kind"], request.match_info["key"]
        found = self.company.find(self.company.records(_AREAS[kind]), key) if kind in _AREAS else None
        return _say("no such record", 404) if found is None else exact_json(render(found))

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        area = _AREAS[request.match_info["area"]]
        since = datetime.fromisoformat(request.query["since"]) if "since" in request.query else None
        times = [(key, self.company.changed_at(area, key)) for key in by_change(self.company, area)]
        items = [{"key": key, "changed": at} for key, at in times if since is None or at >= since]
        return exact_json(items[: int(request.query["limit"])])

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        order = self.company.find(self.company.purchases, request.match_info["key"])
        wanted = await request.json()
        if order is not None and order.version != wanted["version"]:
            return _say("the order was changed", 409)
        try:
            verdict = Verdict(wanted["verdict"])
            decided = self.company.decide(request.match_info["key"], verdict, wanted["by"], wanted["reason"])
        except NoSuchOrder:
            return _say("no such record", 404)
        except NotWaiting:
            return _say("the order is not waiting", 409)
        except NotAllowed:
            return _say("not your turn", 403)
        return exact_json(render(decided))


def _say(text: str, status: int) -> web.Response:
    return exact_json({"error": text}, status)


def render(record: Any) -> dict[str, Any]:
    """Return a record of the company as this server spells it."""
    for kind, spell in _SPELL.items():
        if isinstance(record, kind):
            return spell(record)
    raise TypeError(type(record).__name__)


def _money(money: Money | None) -> dict[str, Any] | None:
    return None if money is None else {"value": money.amount, "currency": money.currency}


def _product(product: Product) -> dict[str, Any]:
    return {
        "code": product.sku,
        "title": product.name,
        "spec": product.spec,
        "unit": product.unit,
        "group": product.category,
        "barcode": product.barcode,
    }


def _figures(figures: Quantities) -> dict[str, Any]:
    return {
        "stock": figures.on_hand,
        "reserved": figures.reserved,
        "free": figures.available,
        "coming": figures.incoming,
        "going": figures.outgoing,
        "expected": figures.forecast,
    }


def _stock(level: StockLevel) -> dict[str, Any]:
    return {
        "product": _product(level.product),
        "places": [{"code": p.code, "title": p.name, **_figures(p.quantities)} for p in level.per_warehouse],
        "total": _figures(level.total),
        "minimum": level.reorder_point,
        "changed": level.as_of,
    }


def _line(line: OrderLine | PurchaseLine) -> dict[str, Any]:
    common = {
        "code": line.sku,
        "title": line.name,
        "unit": line.unit,
        "quantity": line.quantity,
        "price": _money(line.price),
        "amount": _money(line.amount),
    }
    if isinstance(line, PurchaseLine):
        return common | {"received": line.received}
    return common | {"delivered": line.delivered, "invoiced": line.invoiced, "due": line.due_on}


def _order(order: SalesOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "customer": order.customer,
        "state": order.status,
        "delivered": order.delivery,
        "billed": order.billing,
        "paid": order.payment,
        "date": order.ordered_on,
        "promised": order.promised_on,
        "total": _money(order.total),
        "lines": [_line(line) for line in order.lines],
        "seller": order.salesperson,
        "changed": order.changed_at,
    }


def _invoice(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "number": invoice.number,
        "customer": invoice.customer,
        "state": invoice.status,
        "date": invoice.issued_on,
        "due": invoice.due_on,
        "total": _money(invoice.total),
        "open": _money(invoice.open_amount),
        "credit": invoice.is_credit_note,
        "order": invoice.order_number,
        "changed": invoice.changed_at,
    }


def _approval(approval: Approval | None) -> dict[str, Any] | None:
    if approval is None:
        return None
    return {
        "waiting_for": list(approval.pending_for),
        "level": approval.level,
        "levels": approval.levels,
        "by": approval.decided_by,
        "at": approval.decided_at,
        "reason": approval.reason,
    }


def _purchase(order: PurchaseOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "vendor": order.vendor,
        "state": order.status,
        "approval": _approval(order.approval),
        "requester": order.requester,
        "buyer": order.buyer,
        "date": order.ordered_on,
        "due": order.due_on,
        "total": _money(order.total),
        "received": order.received,
        "lines": [_line(line) for line in order.lines],
        "version": order.version,
        "changed": order.changed_at,
    }


def _production(order: ProductionOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "code": order.sku,
        "title": order.name,
        "unit": order.unit,
        "planned": order.planned,
        "done": order.produced,
        "scrap": order.scrapped,
        "state": order.status,
        "start": order.start_on,
        "due": order.due_on,
        "material": order.material_ready,
        "order": order.sales_order,
        "changed": order.changed_at,
    }


_SPELL: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Product: _product,
    StockLevel: _stock,
    SalesOrder: _order,
    Invoice: _invoice,
    PurchaseOrder: _purchase,
    ProductionOrder: _production,
}
