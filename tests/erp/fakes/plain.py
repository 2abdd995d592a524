"""A plain JSON server of no particular vendor: the example of a fake, and the server behind mapped JSON sources.

``POST /login`` returns a token for the header ``Authorization: Bearer …``, and so does ``POST /oauth/token`` for
client credentials. ``GET /products``, ``/orders``, ``/invoices``, ``/purchases``, ``/productions``, ``/customers``,
``/vendors``, ``/bills``, ``/payments``, ``/deliveries``, ``/receipts``, ``/warehouses``, ``/holdings`` return pages
(``offset``, ``limit`` up to `PAGE`) as ``{"total", "items"}``; with a number appended, they return a single record.
``/stock/<sku>`` returns the stock of a product, ``/products/<sku>/details`` its price, vendors and components. With
``view`` (``all``, ``late``, ``overdue``, ``pending``) and ``q``, the server filters and sorts documents itself; ``POST
/search/<kind>`` does so with a body. Orders and purchases are restricted to those with a product by ``item``,
deliveries and receipts to those of an order by ``order``, holdings to those of a warehouse by ``store``. ``GET
/changes/<area>`` returns keys and times from ``since`` on. ``POST /purchases/<number>/decision`` decides the version in
its body.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

from aiohttp import web

from bot.erp import kinds
from bot.erp.goods import GoodsDelivery, GoodsReceipt
from bot.erp.kinds import lines_of_product
from bot.erp.model import (
    Approval,
    Area,
    Bill,
    Customer,
    Feed,
    Invoice,
    Money,
    OrderLine,
    Payment,
    Product,
    ProductionOrder,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    SalesOrder,
    StockLevel,
    Supplier,
    Verdict,
    WarehouseStock,
)
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import (
    Clock,
    DecisionNotAllowed,
    OrderNotFound,
    OrderNotWaiting,
    ReferenceCompany,
    keys_by_change_time,
)
from bot.kit.testing.fake_erp import SECRET, FakeServer, Handler, ParsedRequest, RequestKind, exact_json

PAGE = 10
"""Maximum length of a page; longer ones are cut off silently."""

USER = "bot"

_AREAS = {
    "products": Area.PRODUCTS,
    "stock": Area.STOCK,
    "orders": Area.SALES,
    "invoices": Area.FINANCE,
    "purchases": Area.PURCHASING,
    "productions": Area.PRODUCTION,
    "customers": Area.SALES,
    "vendors": Area.PURCHASING,
    "bills": Area.PURCHASING,
    "payments": Area.FINANCE,
    "deliveries": Area.SALES,
    "receipts": Area.PURCHASING,
    "warehouses": Area.STOCK,
    "holdings": Area.STOCK,
}


_LISTINGS: Mapping[str, kinds.Kind[Any]] = {
    "orders": kinds.SALES_ORDERS,
    "invoices": kinds.INVOICES,
    "purchases": kinds.PURCHASE_ORDERS,
    "productions": kinds.PRODUCTION_ORDERS,
    "bills": kinds.BILLS,
    "payments": kinds.PAYMENTS,
    "deliveries": kinds.DELIVERIES,
    "receipts": kinds.RECEIPTS,
}

Paging = Literal["offset", "page", "cursor", "next", "link"]


class FakePlain(FakeServer):
    """The plain server; account `USER` with the fakes' common `SECRET`.

    ``paging`` is how it returns long lists: by ``offset`` with the total, by ``page`` and ``size``, by an opaque
    ``cursor``, or with the URL of the next page in the body (``next``) or in the Link header (``link``).
    """

    def __init__(self, company: ReferenceCompany, clock: Clock, *, paging: Paging = "offset") -> None:
        super().__init__(company, clock)
        self.paging: Paging = paging

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/login", self._login),
            web.post("/oauth/token", self._token),
            web.post("/search/{kind}", self._search),
            web.get("/changes/{area}", self._changes),
            web.post("/purchases/{key}/decision", self._decide),
            web.get("/{kind}", self._page),
            web.get("/{kind}/{key}", self._one),
            web.get("/products/{key}/details", self._details),
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        if request.path in ("/login", "/oauth/token"):
            return ParsedRequest(RequestKind.LOGIN)
        parts = request.path.strip("/").split("/")
        area = _AREAS.get(parts[1] if parts[0] in ("changes", "search") else parts[0])
        kind = RequestKind.WRITE if request.method == "POST" and parts[0] != "search" else RequestKind.READ
        return ParsedRequest(kind, area, request.headers.get("Authorization", "").removeprefix("Bearer "))

    async def _login(self, request: web.Request) -> web.StreamResponse:
        account = await request.json()
        if account != {"user": USER, "password": SECRET}:
            return self.say_login_refused(request)
        return exact_json({"token": self.new_session()})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        """Return a token for client credentials in the header or the form (RFC 6749, 4.4)."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return exact_json({"error": "unsupported_grant_type"}, 400)
        credentials = (form.get("client_id"), form.get("client_secret"))
        header = request.headers.get("Authorization", "")
        if header:
            user, _, secret = b64decode(header.removeprefix("Basic ")).decode().partition(":")
            credentials = (unquote_plus(user), unquote_plus(secret))
        if credentials != (USER, SECRET):
            return exact_json({"error": "invalid_client"}, 401)
        return exact_json({"access_token": self.new_session(), "token_type": "Bearer", "expires_in": 3600})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind not in _AREAS:
            return _say("no such address", 404)
        return self._part(request, self._records(kind, request.query))

    async def _search(self, request: web.Request) -> web.StreamResponse:
        kind, body = request.match_info["kind"], await request.json()
        if kind not in _AREAS:
            return _say("no such address", 404)
        records = self._records(kind, {"view": body.get("view", "all"), "q": body.get("text", "")})
        offset, limit = body["from"], min(body["count"], PAGE)
        return exact_json({"found": {"count": len(records), "rows": list(map(render, records[offset:][:limit]))}})

    def _kept(self, kind: str) -> dict[str, Any]:
        """Return the records of a kind by number."""
        company = self.company
        own: dict[str, dict[str, Any]] = {
            "customers": company.customers,
            "vendors": company.vendors,
            "bills": company.bills,
            "payments": company.payments,
            "deliveries": company.deliveries,
            "receipts": company.receipts,
            "warehouses": {code: NamedStore(code, name) for code, name in company.warehouses.items()},
            "holdings": {f"{each.level.product.sku} {each.place.code}": each for each in _holdings(company)},
        }
        return own[kind] if kind in own else company.records(_AREAS[kind])

    def _records(self, kind: str, parameters: Mapping[str, str]) -> list[Any]:
        """Return the records of a kind: all in their stored order, or those of a view in its order."""
        records = [record for record in self._kept(kind).values() if _is_asked(record, parameters)]
        if "view" not in parameters:
            return records
        query = ListQuery(filter=Filter(parameters["view"]), text=parameters.get("q", ""), limit=len(records))
        today = date.fromisoformat(parameters["today"]) if "today" in parameters else self.company.today
        return list(_LISTINGS[kind].pick(records, query, today).items)

    def _part(self, request: web.Request, records: list[Any]) -> web.StreamResponse:
        """Answer with one page of records, in the server's way of paging."""
        size = min(int(request.query.get("size" if self.paging == "page" else "limit", PAGE)), PAGE)
        if self.paging == "page":
            start = (int(request.query.get("page", 1)) - 1) * size
        elif self.paging == "cursor":
            start = int(request.query.get("cursor", "at-0").removeprefix("at-"))
        else:
            start = int(request.query.get("offset", 0))
        items = [render(item) for item in records[start : start + size]]
        following = start + size if start + size < len(records) else None
        match self.paging:
            case "cursor":
                return exact_json({"items": items, "next": None if following is None else f"at-{following}"})
            case "next":
                address = str(request.rel_url.update_query(offset=str(following)))
                return exact_json({"items": items, "links": {"next": None if following is None else address}})
            case "link":
                url, next_url = request.url, request.url.update_query(offset=str(following))
                links = {} if following is None else {"Link": f'<{url}>; rel="self", <{next_url}>; rel="next"'}
                return exact_json(items, headers=links)
            case "page":
                return exact_json({"items": items})
            case _:
                return exact_json({"total": len(records), "items": items})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        kind, key = request.match_info["kind"], request.match_info["key"]
        found = self.company.find(self._kept(kind), key) if kind in _AREAS else None
        return _say("no such record", 404) if found is None else exact_json(render(found))

    async def _details(self, request: web.Request) -> web.StreamResponse:
        company = self.company
        product = company.find(company.products, request.match_info["key"])
        if product is None:
            return _say("no such record", 404)
        supplies, parts = company.supplies.get(product.sku, ()), company.components.get(product.sku, ())
        wholes = [
            {"code": sku, "title": company.products[sku].name, "unit": company.products[sku].unit, "per": part.quantity}
            for sku, made_of in company.components.items()
            for part in made_of
            if part.sku == product.sku
        ]
        return exact_json(
            {
                "price": _money(company.list_prices[product.sku]),
                "vendors": [{"name": each.vendor, "code": each.code, "days": each.lead_days} for each in supplies],
                "parts": [
                    {"code": each.sku, "title": each.name, "unit": each.unit, "per": each.quantity} for each in parts
                ],
                "in": wholes,
            }
        )

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        since = datetime.fromisoformat(request.query["since"]) if "since" in request.query else None
        times = self._change_times(request.match_info["area"])
        items = [{"key": key, "changed": at} for key, at in times if since is None or at >= since]
        return exact_json(items[: int(request.query["limit"])])

    def _change_times(self, kind: str) -> list[tuple[str, datetime]]:
        """Return the keys of a kind with their times of change, least recently changed first."""
        company = self.company
        if kind in set(Feed):
            times = [(number, record.changed_at) for number, record in company.fed(Feed(kind)).items()]
            return sorted(times, key=lambda each: (each[1], each[0]))
        area = _AREAS[kind]
        return [(key, company.changed_at(area, key)) for key in keys_by_change_time(company, area)]

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        order = self.company.find(self.company.purchases, request.match_info["key"])
        body = await request.json()
        if order is not None and order.version != body["version"]:
            return _say("the order was changed", 409)
        try:
            verdict = Verdict(body["verdict"])
            decided = self.company.decide(request.match_info["key"], verdict, body["by"], body["reason"])
        except OrderNotFound:
            return _say("no such record", 404)
        except OrderNotWaiting:
            return _say("the order is not waiting", 409)
        except DecisionNotAllowed:
            return _say("not your turn", 403)
        return exact_json(render(decided))


@dataclass(frozen=True, slots=True)
class NamedStore:
    """A warehouse of the company."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a warehouse has of a product."""

    level: StockLevel
    place: WarehouseStock


def _holdings(company: ReferenceCompany) -> Iterable[Holding]:
    for level in company.stock.values():
        for place in level.per_warehouse:
            yield Holding(level, place)


def _is_asked(record: Any, parameters: Mapping[str, str]) -> bool:
    match record:
        case SalesOrder() | PurchaseOrder() if "item" in parameters:
            return bool(lines_of_product(record, parameters["item"]))
        case GoodsDelivery() if "order" in parameters:
            return record.order_number == parameters["order"]
        case GoodsReceipt() if "order" in parameters:
            return parameters["order"] in record.order_numbers
        case Holding() if "store" in parameters:
            return record.place.code == parameters["store"]
        case _:
            return True


class FakePlainWithApiKey(FakePlain):
    """The plain server with `SECRET` in every request instead of a login, at the place that ``account`` names."""

    login_needed = False

    def __init__(
        self,
        company: ReferenceCompany,
        clock: Clock,
        *,
        account: Literal["none", "bearer", "basic", "header", "query"],
        paging: Paging = "offset",
    ) -> None:
        super().__init__(company, clock, paging=paging)
        self.account = account

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        for route in super().routes():
            assert isinstance(route, web.RouteDef)
            yield web.route(route.method, route.path, self._for_those_with_the_key(route.handler))

    def _for_those_with_the_key(self, handler: Any) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._has_key(request):
                return self.say_login_refused(request)
            answer: web.StreamResponse = await handler(request)
            return answer

        return guarded

    def _has_key(self, request: web.Request) -> bool:
        match self.account:
            case "bearer":
                return request.headers.get("Authorization") == f"Bearer {SECRET}"
            case "basic":
                return (
                    request.headers.get("Authorization") == f"Basic {b64encode(f'{USER}:{SECRET}'.encode()).decode()}"
                )
            case "header":
                return request.headers.get("X-API-Key") == SECRET
            case "query":
                return request.query.get("key") == SECRET
            case _:
                return True


def _say(text: str, status: int) -> web.Response:
    return exact_json({"error": text}, status)


def render(record: Any) -> dict[str, Any]:
    """Return a record of the company in this server's format."""
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
        "active": product.is_active,
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
        "batches": [
            {"batch": lot.number, "store": lot.warehouse, "stock": lot.quantity, "expires": lot.expires_on}
            for lot in level.lots
        ],
        "total": _figures(level.total),
        "minimum": level.reorder_point,
        "changed": level.as_of,
    }


def _holding(holding: Holding) -> dict[str, Any]:
    level = holding.level
    return {
        "product": _product(level.product),
        "minimum": level.reorder_point,
        "store": holding.place.code,
        **_figures(holding.place.quantities),
    }


def _delivery(delivery: GoodsDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "number": delivery.number,
        "order": delivery.order_number,
        "customer": delivery.customer,
        "state": delivery.status,
        "planned": delivery.planned_on,
        "left": delivery.shipped_on,
        "carrier": delivery.carrier,
        "tracking": delivery.tracking,
        "seller": delivery.salesperson,
        "store": delivery.warehouse,
        "lines": [
            {"code": line.sku, "title": line.name, "unit": line.unit, "quantity": line.quantity}
            for line in delivery.lines
        ],
        "changed": delivery.changed_at,
    }


def _receipt(receipt: GoodsReceipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "number": receipt.number,
        "orders": receipt.order_numbers,
        "vendor": receipt.vendor,
        "date": receipt.received_on,
        "store": receipt.warehouse,
        "back": receipt.is_return,
        "people": receipt.owners,
        "lines": [
            {
                "code": line.sku,
                "title": line.name,
                "unit": line.unit,
                "quantity": abs(line.quantity),
                "lot": line.lot,
            }
            for line in receipt.lines
        ],
        "changed": receipt.changed_at,
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
        "editor": order.changed_by,
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
        "finished": order.finished_on,
        "material": order.material_ready,
        "order": order.sales_order,
        "changed": order.changed_at,
    }


def _partner(partner: Customer | Supplier) -> dict[str, Any]:
    return {
        "id": partner.id,
        "code": partner.code,
        "title": partner.name,
        "contact": {"person": partner.contact, "phone": partner.phone, "mail": partner.email},
        "address": partner.address,
        "terms": partner.payment_terms,
        "active": partner.is_active,
        "changed": partner.changed_at,
    }


def _customer(customer: Customer) -> dict[str, Any]:
    money = {"limit": _money(customer.credit_limit), "owes": _money(customer.receivable)}
    return {**_partner(customer), "seller": customer.salesperson, **money}


def _vendor(vendor: Supplier) -> dict[str, Any]:
    return {**_partner(vendor), "buyer": vendor.buyer, "owed": _money(vendor.payable)}


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "id": bill.id,
        "number": bill.number,
        "vendor": bill.vendor,
        "state": bill.status,
        "date": bill.issued_on,
        "due": bill.due_on,
        "total": _money(bill.total),
        "open": _money(bill.open_amount),
        "credit": bill.is_credit_note,
        "order": bill.order_number,
        "paper": bill.reference,
        "changed": bill.changed_at,
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "number": payment.number,
        "partner": {"name": payment.partner, "kind": payment.partner_kind},
        "way": payment.direction,
        "state": payment.status,
        "date": payment.paid_on,
        "amount": _money(payment.amount),
        "method": payment.method,
        "settles": [{"number": number} for number in payment.settles],
        "changed": payment.changed_at,
    }


_SPELL: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Product: _product,
    StockLevel: _stock,
    SalesOrder: _order,
    Invoice: _invoice,
    PurchaseOrder: _purchase,
    ProductionOrder: _production,
    Customer: _customer,
    Supplier: _vendor,
    Bill: _bill,
    Payment: _payment,
    GoodsDelivery: _delivery,
    GoodsReceipt: _receipt,
    NamedStore: lambda store: {"code": store.code, "title": store.name},
    Holding: _holding,
}
