"""A plain JSON server of no particular vendor: the example of a fake, and the server behind mapped JSON sources.

``POST /login`` returns a token for the header ``Authorization: Bearer …``, and so does ``POST /oauth/token`` for
client credentials. ``GET /products``, ``/orders``, ``/invoices``, ``/purchases``, ``/productions``, ``/customers``,
``/vendors``, ``/bills``, ``/payments``, ``/deliveries``, ``/receipts``, ``/warehouses``, ``/holdings`` return pages
(``offset``, ``limit`` up to `PAGE`) as ``{"total", "items"}``; with a number appended, they return a single record.
``/stock/<sku>`` returns the stock of a product, ``/products/<sku>/details`` its price, vendors and components. With
``view`` (``all``, ``late``, ``overdue``, ``pending``) and ``q``, the server filters and sorts documents itself; ``POST
/search/<kind>`` does so with a body. Orders and purchases are restricted to those with a product by ``item``,
deliveries and receipts to those of an order by ``order``, holdings to those of a warehouse by ``store``. ``GET
/changes/<area>`` returns keys and times from ``since`` on. ``POST /<kind>/<number>/decision`` decides the version in
its body.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

from aiohttp import web

from bot.erp import kinds
from bot.erp.kinds import Kind, lines_of_product
from bot.erp.kinds.quotations import Quotation
from bot.erp.model import (
    Approval,
    Area,
    Bill,
    Customer,
    Feed,
    Invoice,
    Lot,
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
from bot.erp.model.goods import ComponentUse, DeliveryLine, GoodsDelivery, GoodsReceipt, ReceiptLine, Supply
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
from tests.erp.fakes.shapes import named

PAGE = 10
"""Maximum length of a page; longer ones are cut off silently."""

USER = "bot"

_KINDS: Mapping[str, Kind[Any]] = {
    "orders": kinds.SALES_ORDERS,
    "invoices": kinds.INVOICES,
    "purchases": kinds.PURCHASE_ORDERS,
    "productions": kinds.PRODUCTION_ORDERS,
    "customers": kinds.CUSTOMERS,
    "vendors": kinds.VENDORS,
    "bills": kinds.BILLS,
    "payments": kinds.PAYMENTS,
    "deliveries": kinds.DELIVERIES,
    "quotations": kinds.QUOTATIONS,
    "receipts": kinds.RECEIPTS,
}
_AREAS: Mapping[str, Area] = {
    "products": Area.PRODUCTS,
    "stock": Area.STOCK,
    "warehouses": Area.STOCK,
    "holdings": Area.STOCK,
    **{name: kind.area for name, kind in _KINDS.items()},
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
            web.post("/{kind}/{key}/decision", self._decide),
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
        match kind:
            case "products" | "stock":
                return company.records(_AREAS[kind])
            case "warehouses":
                return {code: NamedStore(code, name) for code, name in company.warehouses.items()}
            case "holdings":
                return {f"{each.level.product.sku} {each.place.code}": each for each in _holdings(company)}
            case _:
                return company.documents(_KINDS[kind])

    def _records(self, kind: str, parameters: Mapping[str, str]) -> list[Any]:
        """Return the records of a kind: all in their stored order, or those of a view in its order."""
        records = [record for record in self._kept(kind).values() if _is_asked(record, parameters)]
        if "view" not in parameters:
            return records
        query = ListQuery(filter=Filter(parameters["view"]), text=parameters.get("q", ""), limit=len(records))
        today = date.fromisoformat(parameters["today"]) if "today" in parameters else self.company.today
        return list(_KINDS[kind].pick(records, query, today).items)

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
                "price": render(company.list_prices[product.sku]),
                "vendors": render(supplies),
                "parts": render(parts),
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
            times = [(number, record.changed_at) for number, record in company.records(Feed(kind)).items()]
            return sorted(times, key=lambda each: (each[1], each[0]))
        area = _AREAS[kind]
        return [(key, company.changed_at(area, key)) for key in keys_by_change_time(company, area)]

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        key, kind = request.match_info["key"], _KINDS[request.match_info["kind"]]
        document = self.company.find(self.company.documents(kind), key)
        body = await request.json()
        if document is not None and document.review.version != body["version"]:
            return _say("the document was changed", 409)
        try:
            verdict = Verdict(body["verdict"])
            decided = self.company.decide(key, verdict, body["by"], body["reason"], kind=kind)
        except OrderNotFound:
            return _say("no such record", 404)
        except OrderNotWaiting:
            return _say("the document is not waiting", 409)
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
        case SalesOrder() | Quotation() | PurchaseOrder() if "item" in parameters:
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


_REVIEW = (
    "review.approval=approval review.requester=requester review.changed_by=editor review.version=version "
    "review.state=review"
)
_SHAPES: Mapping[type, str] = {
    Money: "amount=value currency",
    Product: "sku=code name=title spec unit category=group barcode is_active=active",
    ComponentUse: "sku=code name=title unit quantity=per",
    Supply: "vendor=name code lead_days=days",
    Quantities: "on_hand=stock reserved available=free incoming=coming outgoing=going forecast=expected",
    Lot: "number=batch warehouse=store quantity=stock expires_on=expires",
    WarehouseStock: "code name=title",
    StockLevel: "product per_warehouse=places lots=batches total reorder_point=minimum as_of=changed",
    NamedStore: "code name=title",
    OrderLine: "sku=code name=title unit quantity price amount delivered invoiced due_on=due",
    PurchaseLine: "sku=code name=title unit quantity price amount received",
    SalesOrder: "id number customer status=state delivery=delivered billing=billed payment=paid ordered_on=date "
    f"promised_on=promised total lines salesperson=seller changed_at=changed {_REVIEW}",
    Quotation: "id number customer status=state quoted_on=date valid_until=valid total lines salesperson=seller "
    f"order_number=order changed_at=changed {_REVIEW}",
    Invoice: "id number customer status=state issued_on=date due_on=due total open_amount=open is_credit_note=credit "
    "order_number=order changed_at=changed",
    Approval: "pending_for=waiting_for level levels decided_by=by decided_at=at reason",
    PurchaseOrder: "id number vendor status=state buyer ordered_on=date due_on=due total received lines "
    f"changed_at=changed {_REVIEW}",
    ProductionOrder: "id number sku=code name=title unit planned produced=done scrapped=scrap status=state "
    "start_on=start due_on=due finished_on=finished material_ready=material sales_order=order changed_at=changed",
    Customer: "id code name=title address payment_terms=terms is_active=active changed_at=changed salesperson=seller "
    "credit_limit=limit receivable=owes",
    Supplier: "id code name=title address payment_terms=terms is_active=active changed_at=changed buyer payable=owed",
    Bill: "id number vendor status=state issued_on=date due_on=due total open_amount=open is_credit_note=credit "
    f"order_number=order reference=paper changed_at=changed {_REVIEW}",
    Payment: "id number direction=way status=state paid_on=date amount method changed_at=changed",
    DeliveryLine: "sku=code name=title unit quantity",
    GoodsDelivery: "id number order_number=order customer status=state planned_on=planned shipped_on=left carrier "
    "tracking salesperson=seller warehouse=store lines changed_at=changed",
    ReceiptLine: "sku=code name=title unit lot",
    GoodsReceipt: "id number order_numbers=orders vendor received_on=date warehouse=store is_return=back owners=people "
    "lines changed_at=changed",
}
"""What this server tells of each record: the fields, and the server's own names of them."""


def render(value: Any) -> Any:
    """Return a record of the company, or a part of one, in this server's format."""
    if isinstance(value, tuple):
        return [render(each) for each in value]
    told = {name: render(each) for name, each in named(value, _SHAPES.get(type(value), "")).items()}
    match value:
        case Holding():
            level, place = value.level, value.place
            return {"product": render(level.product), "minimum": level.reorder_point, "store": place.code} | render(
                place.quantities
            )
        case WarehouseStock():
            return told | render(value.quantities)
        case Customer() | Supplier():
            return told | {"contact": {"person": value.contact, "phone": value.phone, "mail": value.email}}
        case Payment():
            partner = {"name": value.partner, "kind": value.partner_kind}
            return told | {"partner": partner, "settles": [{"number": number} for number in value.settles]}
        case ReceiptLine():
            return told | {"quantity": abs(value.quantity)}
        case _:
            return told or value
