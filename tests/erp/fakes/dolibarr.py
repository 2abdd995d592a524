"""A Dolibarr that holds the reference company (docs: platform/erp/others.md#dolibarr).

One key stands for one user, who gives every approval that is asked for. Lists have pages from 0 on, and one after the
last is 404. Third parties, warehouses and products are named by their ids; lines and stock stand in objects by theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.erp.model import (
    Area,
    Bill,
    Customer,
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
    ReviewState,
    SalesOrder,
    Supplier,
    Verdict,
)
from bot.erp.model.goods import GoodsReceipt
from bot.kit.testing.company import CompanyRefusal, OrderNotFound
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind, exact_json

ZONE = ZoneInfo("Asia/Shanghai")
PAGE = 100
KEY_USER, SECOND = "anna", "boris"
"""Whose key it is, and in whose name the company keeps a second approval, which the key's user gives too."""

_KINDS = {
    "products": Area.PRODUCTS,
    "orders": Area.SALES,
    "invoices": Area.FINANCE,
    "supplierorders": Area.PURCHASING,
    "mos": Area.PRODUCTION,
    "supplierinvoices": Area.PURCHASING,
    "receptions": Area.PURCHASING,
}
_ORDERS = {
    OrderStatus.CANCELLED: "-1", OrderStatus.DRAFT: "0", OrderStatus.OPEN: "1", OrderStatus.PARTLY_DELIVERED: "2",
    OrderStatus.DELIVERED: "3", OrderStatus.CLOSED: "3",
}  # fmt: skip
_INVOICES = {
    InvoiceStatus.DRAFT: "0", InvoiceStatus.UNPAID: "1", InvoiceStatus.PART_PAID: "1", InvoiceStatus.PAID: "2",
    InvoiceStatus.VOID: "3",
}  # fmt: skip
_PURCHASES = {
    ReviewState.DRAFT: "0", ReviewState.WAITING: "1", ReviewState.APPROVED: "2", ReviewState.DONE: "5",
    ReviewState.CANCELLED: "6", ReviewState.REJECTED: "9",
}  # fmt: skip
_PRODUCTIONS = {
    ProductionStatus.PLANNED: "0", ProductionStatus.RELEASED: "1", ProductionStatus.RUNNING: "2",
    ProductionStatus.DONE: "3", ProductionStatus.CANCELLED: "9",
}  # fmt: skip
_BY_CODE = re.compile(r"\(t\.(code_client|code_fournisseur):=:'([^'()%*]+)'\)")
_MODES = {"1": "client", "4": "fournisseur"}
_BY_REF = re.compile(r"\(t\.ref:=:'([^'()%*]+)'\)")
_CAME_IN = "(t.fk_statut:>:0)"
_OF_ORDER = re.compile(r"\(el\.fk_source:=:(\d+)\)")
_SINCE = re.compile(r"\(t\.tms:>=:'(\d{14})'\)")


def can_be_code(code: str) -> bool:
    """Whether a product's ref can be like this: characters that file names cannot have are taken out of it."""
    return not re.search(r"[/\"'#%?\\]", code)


def is_reception(receipt: GoodsReceipt) -> bool:
    """Whether there can be a reception like this: of one order, and not back to the vendor."""
    return len(receipt.order_numbers) == 1 and not receipt.is_return


class FakeDolibarr(FakeServer):
    """The REST interface of Dolibarr, for the key `SECRET`."""

    login_needed = False

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.get("/thirdparties", self._parties),
            web.get("/warehouses", self._warehouses),
            web.get("/{kind}", self._list),
            web.get("/{kind}/ref/{ref}", self._one),
            web.get(r"/{kind}/{id:\d+}", self._by_id),
            web.get("/supplierinvoices/{id}/payments", self._payments),
            web.post("/supplierorders/{id}/approve", self._approve),
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        area = _KINDS.get(request.path.strip("/").split("/")[0])
        filters, mode = request.query.get("sqlfilters", ""), request.query.get("mode", "")
        if "code_client" in filters or mode == "1":
            area = Area.SALES
        if "code_fournisseur" in filters or mode == "4":
            area = Area.PURCHASING
        if "includestockdata" in request.query:
            area = Area.STOCK
        return ParsedRequest(RequestKind.WRITE if request.method == "POST" else RequestKind.READ, area)

    def _refusal(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse | None:
        if request.headers.get("DOLAPIKEY") != SECRET:
            return self.say_login_refused(request)
        return super()._refusal(request, call)

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        return _say(401, "Unauthorized")

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return _say(401 if call.kind is RequestKind.OTHER else 403, "Forbidden: Not allowed")

    async def _parties(self, request: web.Request) -> web.StreamResponse:
        rows = list(map(self._customer, self.company.customers.values()))
        rows += map(self._vendor, self.company.vendors.values())
        if by_code := _BY_CODE.fullmatch(request.query.get("sqlfilters", "")):
            rows = [row for row in rows if (row[by_code[1]] or "").casefold() == by_code[2].casefold()]
        elif "mode" in request.query:
            side = _MODES[request.query["mode"]]
            # Codes are made by a mask of letters, digits and dashes.
            rows = [row for row in rows if row[side] == "1" and "*" not in row[f"code_{side}"]]
        return self._page(request, rows)

    async def _warehouses(self, request: web.Request) -> web.StreamResponse:
        rows = [
            {"id": str(n), "ref": code, "lieu": name}
            for n, (code, name) in enumerate(self.company.warehouses.items(), 1)
        ]
        return self._page(request, rows)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind not in _KINDS:
            return _say(404, "Not found")
        rows = self._rows(kind)
        filters = request.query.get("sqlfilters", "")
        if kind == "receptions":
            rows = [row for row in rows if _CAME_IN not in filters or int(row["statut"]) > 0]
            filters = filters.replace(_CAME_IN, "").removesuffix(" and ")
        if by_ref := _BY_REF.fullmatch(filters):
            rows = [row for row in rows if row["ref"].casefold() == by_ref[1].casefold()]
        elif (of_order := _OF_ORDER.fullmatch(filters)) and kind == "receptions":
            rows = [row for row in rows if row["origin_id"] == of_order[1]]
        elif since := _SINCE.fullmatch(filters):
            at = datetime.strptime(since[1], "%Y%m%d%H%M%S").replace(tzinfo=ZONE).timestamp()
            rows = sorted((row for row in rows if row["date_modification"] >= at), key=_changed)
        elif filters:
            return _say(403, "Access refused")
        return self._page(request, rows)

    async def _one(self, request: web.Request) -> web.StreamResponse:
        kind, ref = request.match_info["kind"], request.match_info["ref"]
        if not re.fullmatch(r"[^'()%*]+", ref):
            return _say(403, "Access refused")
        for row in self._rows(kind) if kind in _KINDS else []:
            if row["ref"].casefold() == ref.casefold():
                return exact_json(row)
        return _say(404, "Not found")

    async def _by_id(self, request: web.Request) -> web.StreamResponse:
        kind, key = request.match_info["kind"], request.match_info["id"]
        for row in self._rows(kind) if kind in _KINDS else []:
            if row["id"] == key:
                return exact_json(row)
        return _say(404, "Not found")

    async def _payments(self, request: web.Request) -> web.StreamResponse:
        """Return what was paid on a bill, in two parts; a credit note that is set off is among the payments."""
        bill = next((each for each in self.company.bills.values() if each.id == request.match_info["id"]), None)
        if bill is None or bill.total is None or bill.open_amount is None:
            return _say(404, "Supplier invoice not found")
        paid = bill.total.amount - bill.open_amount.amount
        parts = (paid / 4, paid - paid / 4) if paid else ()
        return exact_json([{"amount": format(part, "f"), "type": "VIR", "ref": "SPAY"} for part in parts])

    async def _approve(self, request: web.Request) -> web.StreamResponse:
        order = next((o for o in self.company.purchases.values() if o.id == request.match_info["id"]), None)
        if order is None or request.headers.get("DOLAPIKEY") != SECRET:
            return _say(404, "Not found")
        if order.status is not ReviewState.WAITING:
            return web.Response(status=304)
        first = order.review.approval is None or order.review.approval.level == 1
        second = (await request.json()).get("secondlevel", 0) == 1
        if not first and not second:
            # It was stamped already, and stays as it is.
            return exact_json(self._purchase(order))
        try:
            decided = self.company.decide(order.number, Verdict.APPROVE, SECOND if second else KEY_USER)
        except OrderNotFound:
            return _say(404, "Not found")
        except CompanyRefusal as refusal:
            return _say(403, str(refusal))
        return exact_json(self._purchase(decided))

    def _page(self, request: web.Request, rows: list[dict[str, Any]]) -> web.StreamResponse:
        size = min(int(request.query.get("limit", PAGE)), PAGE)
        start = int(request.query.get("page", 0)) * size
        part = rows[start : start + size]
        return exact_json(part) if part else _say(404, "Not found")

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        if kind == "receptions":
            return self._receptions()
        records = self.company.records(_KINDS[kind])
        spell: Mapping[str, Callable[[Any], dict[str, Any]]] = {
            "products": self._product,
            "orders": self._order,
            "invoices": self._invoice,
            "supplierorders": self._purchase,
            "mos": self._production,
            "supplierinvoices": self._bill,
        }
        if kind == "supplierinvoices":
            records = self.company.bills
        return [spell[kind](each) for key, each in records.items() if can_be_code(getattr(each, "sku", key))]

    def _receptions(self) -> list[dict[str, Any]]:
        """Return what came in, which is of one order each, with a draft and a cancelled one."""
        came = [each for each in self.company.receipts.values() if is_reception(each)]
        other = self._reception(came[0])
        others = [other | {"id": str(n), "ref": f"(PROV{n})", "statut": status} for n, status in ((1, "0"), (2, "-1"))]
        return [*map(self._reception, came), *others]

    def _reception(self, receipt: GoodsReceipt) -> dict[str, Any]:
        [order] = receipt.order_numbers
        products = list(self.company.products)
        return {
            "id": receipt.id,
            "ref": receipt.number,
            "socid": self._seller(receipt.vendor),
            "statut": "1" if int(receipt.id) % 2 else "2",
            "origin": "order_supplier",
            "origin_id": self.company.purchases[order].id,
            "date_reception": _epoch(receipt.received_on),
            "lines": [
                {"fk_product": str(products.index(line.sku) + 1), "qty": line.quantity, "batch": line.lot or None}
                for line in receipt.lines
            ],
        }

    def _buyer(self, name: str) -> str:
        return next(customer.id for customer in self.company.customers.values() if customer.name == name)

    def _seller(self, name: str) -> str:
        return next(vendor.id for vendor in self.company.vendors.values() if vendor.name == name)

    def _customer(self, customer: Customer) -> dict[str, Any]:
        limit = None if customer.credit_limit is None else _text(customer.credit_limit)
        own = {"client": "1", "fournisseur": "0", "code_client": customer.code, "code_fournisseur": None}
        return _party(customer) | own | {"outstanding_limit": limit}

    def _vendor(self, vendor: Supplier) -> dict[str, Any]:
        own = {"client": "0", "fournisseur": "1", "code_client": None, "code_fournisseur": vendor.code}
        return _party(vendor) | own | {"outstanding_limit": None}

    def _bill(self, bill: Bill) -> dict[str, Any]:
        return {
            "id": bill.id,
            "ref": bill.number,
            "ref_supplier": bill.reference,
            "socid": self._seller(bill.vendor),
            "statut": _INVOICES[bill.status],
            "type": "2" if bill.is_credit_note else "0",
            "date": _epoch(bill.issued_on),
            "date_echeance": _epoch(bill.due_on),
            "tms": _seconds(bill.changed_at),
            **_money(bill.total, bill.changed_at),
        }

    def _product(self, product: Product) -> dict[str, Any]:
        level, warehouses = self.company.stock[product.sku], list(self.company.warehouses)
        return {
            "id": str(list(self.company.products).index(product.sku) + 1),
            "ref": product.sku,
            "label": product.name,
            "barcode": product.barcode,
            "stock_reel": level.total.on_hand,
            "stock_theorique": level.total.forecast,
            "seuil_stock_alerte": level.reorder_point,
            "status": "1",
            "date_modification": int(self.company.product_changes[product.sku].timestamp()),
            "stock_warehouse": {
                str(warehouses.index(place.code) + 1): {"id": str(n), "real": place.quantities.on_hand}
                for n, place in enumerate(level.per_warehouse, 41)
            },
        }

    def _order(self, order: SalesOrder) -> dict[str, Any]:
        return {
            "id": order.id,
            "ref": order.number,
            "socid": self._buyer(order.customer),
            "statut": _ORDERS[order.status],
            "date": _epoch(order.ordered_on),
            "delivery_date": _epoch(order.promised_on),
            "lines": [_line(line) for line in order.lines],
            **_money(order.total, order.changed_at),
        }

    def _invoice(self, invoice: Invoice) -> dict[str, Any]:
        return {
            "id": invoice.id,
            "ref": invoice.number,
            "socid": self._buyer(invoice.customer),
            "statut": _INVOICES[invoice.status],
            "type": "2" if invoice.is_credit_note else "0",
            "date": _epoch(invoice.issued_on),
            "date_lim_reglement": _epoch(invoice.due_on),
            "remaintopay": _text(invoice.open_amount),
            **_money(invoice.total, invoice.changed_at),
        }

    def _purchase(self, order: PurchaseOrder) -> dict[str, Any]:
        received = {Progress.PARTIAL: "4", Progress.FULL: "5"}
        approved = order.status is ReviewState.APPROVED
        state = received.get(order.received or Progress.NONE) if approved else None
        given = (
            order.review.approval.decided_by
            if order.review.approval and order.status is not ReviewState.REJECTED
            else ""
        )
        return {
            "id": order.id,
            "ref": order.number,
            "socid": self._seller(order.vendor),
            "statut": state or _PURCHASES[order.status],
            "user_author_id": order.review.requester,
            "user_approve_id": given or None,
            "date_commande": _epoch(order.ordered_on),
            "delivery_date": _epoch(order.due_on),
            "date_livraison": None,
            "lines": {str(n): _line(line) for n, line in enumerate(order.lines, 1)},
            **_money(order.total, order.changed_at),
        }

    def _production(self, order: ProductionOrder) -> dict[str, Any]:
        return {
            "id": order.id,
            "ref": order.number,
            "status": _PRODUCTIONS[order.status],
            "fk_product": str(list(self.company.products).index(order.sku) + 1),
            "qty": order.planned,
            "date_start_planned": _epoch(order.start_on),
            "date_end_planned": _epoch(order.due_on),
            "date_modification": _seconds(order.changed_at),
        }


def _party(party: Customer | Supplier) -> dict[str, Any]:
    return {
        "id": party.id,
        "name": party.name,
        "phone": party.phone or None,
        "email": party.email or None,
        "address": party.address or None,
        "status": "1" if party.is_active else "0",
        "date_modification": _seconds(party.changed_at),
    }


def _say(status: int, message: str) -> web.Response:
    return exact_json({"error": {"code": status, "message": message}}, status)


def _changed(row: Mapping[str, Any]) -> tuple[int, str]:
    return row["date_modification"], row["ref"]


def _epoch(day: date | None) -> int | str:
    return "" if day is None else int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def _seconds(moment: datetime | None) -> int:
    assert moment is not None
    return int(moment.timestamp())


def _text(money: Money | None) -> str:
    return format(Decimal(0) if money is None else money.amount, "f")


def _money(total: Money | None, changed_at: datetime | None) -> dict[str, Any]:
    currency = total.currency if total else ""
    return {"total_ttc": _text(total), "multicurrency_code": currency, "date_modification": _seconds(changed_at)}


def _line(line: OrderLine | PurchaseLine) -> dict[str, Any]:
    return {
        "product_ref": line.sku,
        "product_label": line.name,
        "qty": line.quantity,
        "total_ttc": _text(line.amount),
    }
