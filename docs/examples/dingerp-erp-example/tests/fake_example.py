"""A fake of the example ERP: the reference company behind the wire format that the adapter reads."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from bot.api import erps
from bot.kit.testing.company import DecisionNotAllowed, OrderNotFound, OrderNotWaiting
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind, exact_json

USER = "bot"
LONGEST_PAGE = 10
AREAS = {
    "products": erps.Area.PRODUCTS,
    "stock": erps.Area.STOCK,
    "purchases": erps.Area.PURCHASING,
}
REFUSALS = {OrderNotFound: 404, DecisionNotAllowed: 403, OrderNotWaiting: 409}


class FakeExample(FakeServer):
    """Sessions, faults, the clock and the log of requests come with the base class."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.post("/login", self._login),
            web.get("/{kind}", self._page),
            web.get("/{kind}/{key}", self._one),
            web.post("/purchases/{key}/decision", self._decide),
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        kind = request.path.split("/")[1]
        if kind == "login":
            return ParsedRequest(RequestKind.LOGIN)
        session = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return ParsedRequest(
            RequestKind.WRITE if request.method == "POST" else RequestKind.READ, AREAS.get(kind), session
        )

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if await request.json() != {"user": USER, "password": SECRET}:
            return self.say_login_refused(request)
        return exact_json({"token": self.new_session()})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        offset, limit = int(request.query.get("offset", 0)), int(request.query["limit"])
        records = [*self.company.records(AREAS[request.match_info["kind"]]).values()]
        items = records[offset : offset + min(limit, LONGEST_PAGE)]
        return exact_json({"total": len(records), "items": [render(item) for item in items]})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        records = self.company.records(AREAS[request.match_info["kind"]])
        found = self.company.find(records, request.match_info["key"])
        return exact_json({"error": "no such record"}, 404) if found is None else exact_json(render(found))

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        key, wanted = request.match_info["key"], await request.json()
        order = self.company.find(self.company.purchases, key)
        if order is not None and order.review.version != wanted["version"]:
            return exact_json({"error": "changed since"}, 409)
        try:
            decided = self.company.decide(key, erps.Verdict(wanted["verdict"]), wanted["by"], wanted["reason"])
        except tuple(REFUSALS) as refused:
            return exact_json({"error": type(refused).__name__}, REFUSALS[type(refused)])
        return exact_json(render(decided))


def render(record: Any) -> dict[str, Any]:
    """Return a record of the company as this ERP spells it."""
    match record:
        case erps.Product():
            return {"code": record.sku, "title": record.name, "unit": record.unit, "barcode": record.barcode}
        case erps.StockLevel():
            places = [
                {"code": place.code, "title": place.name, "stock": place.quantities.on_hand}
                for place in record.per_warehouse
            ]
            total = {"stock": record.total.on_hand}
            return {"product": render(record.product), "places": places, "total": total, "changed": record.as_of}
        case erps.PurchaseLine():
            return {"code": record.sku, "title": record.name, "unit": record.unit, "quantity": record.quantity}
        case erps.Approval():
            waits = list(record.pending_for)
            return {"waiting_for": waits, "level": record.level, "levels": record.levels, "by": record.decided_by}
        case erps.Money():
            return {"value": record.amount, "currency": record.currency}
        case erps.PurchaseOrder():
            return {
                "id": record.id,
                "number": record.number,
                "vendor": record.vendor,
                "state": record.status,
                "approval": record.review.approval and render(record.review.approval),
                "date": record.ordered_on,
                "due": record.due_on,
                "total": record.total and render(record.total),
                "received": record.received,
                "lines": [render(line) for line in record.lines],
                "version": record.review.version,
            }
    raise TypeError(type(record).__name__)
