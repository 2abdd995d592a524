"""The reference company as Tryton's records: amounts are decimals, quantities floats, times in UTC.

Where Tryton represents something differently than the company, the representation is invented here: a waiting order is
a quotation, delivered goods are done moves of a line, and a paid amount is a reconciled line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.model import (
    Area,
    Bill,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
)
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes import tryton_approvers as people
from tests.erp.fakes import tryton_goods as goods
from tests.erp.fakes import tryton_parties as parties
from tests.erp.fakes import tryton_receipts as receipts
from tests.erp.fakes.tryton_query import Record

_DIGITS = 6
LANGUAGES = ("en", "zh_CN")
_OWNED_BY = ("sale", "purchase", "move", "account")
"""Relations that name the company of lines."""
_SUPPLIER: Record = {"id": 901, "type": "supplier", "left": 1, "right": 2}
_CUSTOMER: Record = {"id": 902, "type": "customer", "left": 3, "right": 4}
_LOST: Record = {"id": 903, "type": "lost_found", "left": 5, "right": 6}


def tables(
    company: ReferenceCompany, context: Mapping[str, Any], company_id: int = 1
) -> dict[str, Callable[[], list[Record]]]:
    """Return every model by name; calling it builds its present records, which name the company."""
    return {name: _owned(build, company, company_id) for name, build in _tables(company, context).items()}


def _owned(build: Callable[[], list[Record]], company: ReferenceCompany, company_id: int) -> Callable[[], list[Record]]:
    def build_owned() -> list[Record]:
        owner, creator = {"id": company_id}, people.user(company, "dora")
        records = []
        for record in build():
            related = {name: {"company": owner, **record[name]} for name in _OWNED_BY if record.get(name)}
            records.append({"company": owner, "create_uid": creator, **record, **related})
        return records

    return build_owned


def _tables(company: ReferenceCompany, context: Mapping[str, Any]) -> dict[str, Callable[[], list[Record]]]:
    return {
        "product.product": lambda: [product | _here(company, product, context) for product in _products(company)],
        "product.template": lambda: [product["template"] for product in _products(company)],
        "stock.location": lambda: _locations(company, context),
        "stock.move": lambda: list(_moves(company)),
        "stock.lot": lambda: list(goods.lots(company, context)),
        "ir.lang": lambda: [{"id": n, "code": code, "translatable": True} for n, code in enumerate(LANGUAGES, 1)],
        "stock.order_point": lambda: list(_order_points(company)),
        "sale.sale": lambda: [_sale(company, order) for order in company.orders.values()],
        "account.invoice": lambda: list(_invoices(company)),
        "purchase.purchase": lambda: [_purchase(company, order) for order in company.purchases.values()],
        "production": lambda: [_production(company, order) for order in company.productions.values()],
        "stock.shipment.out": lambda: list(goods.shipments(company)),
        "stock.shipment.in": lambda: list(receipts.came_in(company)),
        "stock.shipment.in.return": lambda: list(receipts.went_back(company)),
        "sale.line": lambda: list(goods.lines_of("sale", _sale, company, company.orders)),
        "purchase.line": lambda: list(goods.lines_of("purchase", _purchase, company, company.purchases)),
        "purchase.product_supplier": lambda: list(goods.suppliers(company)),
        "product.product-production.bom": lambda: list(goods.boms_of_products(company)),
        "production.bom.input": lambda: list(goods.bom_inputs(company)),
        "party.party": lambda: parties.parties(company),
        "account.general_ledger.account.party": lambda: list(parties.ledger(company)),
        "account.move": lambda: list(parties.payment_moves(company)),
        "account.move.line": lambda: list(parties.payment_lines(company)),
        "res.user": lambda: people.users(company),
        "ir.model.button": people.buttons,
        "ir.model.button.rule": lambda: list(people.rules(company)),
        "ir.model.button.click": lambda: list(people.clicks(company)),
        "ir.model.log": lambda: list(people.log(company)),
        "ir.note": lambda: list(people.notes(company)),
    }


# Wire format


def encode(value: Any) -> Any:
    """Return a value in the server's JSON."""
    match value:
        case datetime():
            utc = value.astimezone(UTC)
            names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return {"__class__": "datetime", **{name: getattr(utc, name) for name in names}}
        case date():
            return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case timedelta():
            return {"__class__": "timedelta", "seconds": value.total_seconds()}
        case dict():
            return {name: encode(item) for name, item in value.items()}
        case list():
            return [encode(item) for item in value]
        case _:
            return value


def decode(value: Any) -> Any:
    """Return a value of a request."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    parts = {name: part for name, part in value.items() if name != "__class__"}
    if kind == "datetime":
        return datetime(**parts, tzinfo=UTC)
    if kind == "date":
        return date(**parts)
    return Decimal(value["decimal"]) if kind == "Decimal" else {name: decode(item) for name, item in value.items()}


def _changed(company: ReferenceCompany, area: Area, key: str) -> Record:
    moment = company.changed_at(area, key).astimezone(UTC)
    return {"create_date": moment - timedelta(days=1), "write_date": moment, "last_modified_at": moment}


def _unit(name: str) -> Record:
    return {"id": 1 + sum(map(ord, name)), "name": name, "symbol": name, "digits": _DIGITS}


def _currency(money: Money | None) -> Record | None:
    return None if money is None else {"id": 1, "code": money.currency}


def _amount(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount


# Products and stock


def _products(company: ReferenceCompany) -> list[Record]:
    records = []
    for n, product in enumerate(company.products.values(), 1):
        changed = _changed(company, Area.PRODUCTS, product.sku)
        template: Record = {"id": 500 + n, "name": product.name, **changed}
        template |= {name: moment - timedelta(days=1) for name, moment in changed.items()}
        identifiers = [{"id": n, "type": None, "code": product.barcode}] if product.barcode else []
        record = {
            "id": n,
            "code": product.sku,
            "active": product.is_active,
            "name": product.name,
            "template": template,
            "default_uom": _unit(product.unit),
            "categories": [{"id": 1, "name": product.category}],
            "identifiers": identifiers,
            "list_price_used": _amount(company.list_prices.get(product.sku)),
            "cost_price": Decimal(0),
            **changed,
        }
        template["products"] = [record]
        records.append(record)
    return records


def _here(company: ReferenceCompany, product: Record, context: Mapping[str, Any]) -> Record:
    """Return a product's stock in the warehouses of the context, which is nothing without any."""
    level = company.stock.get(product["code"])
    wanted = [code for code in company.warehouses if _warehouse(company, code)["id"] in context.get("locations", ())]
    places = [place.quantities for place in level.per_warehouse if place.code in wanted] if level else []
    by_now = context.get("stock_date_end") == company.today
    forecasts = (figures.available if by_now else figures.forecast for figures in places)
    return {
        "quantity": float(sum(figures.on_hand or 0 for figures in places)),
        "forecast_quantity": float(sum(figure or 0 for figure in forecasts)),
    }


def _warehouse(company: ReferenceCompany, code: str) -> Record:
    n = list(company.warehouses).index(code) + 1
    return {
        "id": n,
        "type": "warehouse",
        "code": code,
        "name": company.warehouses[code],
        "left": 100 * n,
        "right": 100 * n + 9,
    }


def _zone(company: ReferenceCompany, code: str, name: str) -> Record:
    """Return the input, output or storage zone of a warehouse, whose bounds lie between the warehouse's."""
    n = ("input", "output", "storage").index(name)
    place = _warehouse(company, code)
    return {"id": 10 * place["id"] + n, "type": "storage", "left": place["left"] + 1 + 2 * n}


def _locations(company: ReferenceCompany, context: Mapping[str, Any]) -> list[Record]:
    """Return the warehouses; a product in the context adds its stock, at the end date if there is one."""
    names = list(company.products)
    sku = names[context["product"] - 1] if "product" in context else None
    level = company.stock.get(sku) if sku else None
    quantities = {place.code: place.quantities for place in level.per_warehouse} if level else {}
    records = []
    for code in company.warehouses:
        figures = quantities.get(code) or Quantities(on_hand=Decimal(0), available=Decimal(0), forecast=Decimal(0))
        forecast = figures.available if context.get("stock_date_end") == company.today else figures.forecast
        records.append(
            _warehouse(company, code)
            | {
                "quantity": None if sku is None else float(figures.on_hand or 0),
                "forecast_quantity": None if sku is None else float(forecast or 0),
            }
        )
    return records


def _moves(company: ReferenceCompany) -> Iterator[Record]:
    """Yield counted, incoming, outgoing and reserved quantities; the reserved ones are in the output zone."""
    known = {product["code"]: product for product in _products(company)}
    for sku, level in company.stock.items():
        common = {"product": known[sku], **_changed(company, Area.STOCK, sku)}
        number = 100 * known[sku]["id"]
        counted = {"state": "done", "internal_quantity": 0.0, "from_location": _LOST, "to_location": _LOST}
        yield {"id": number, **counted, **common}
        for place in level.per_warehouse:
            figures = place.quantities
            entrance, store, exit_ = (_zone(company, place.code, name) for name in ("input", "storage", "output"))
            for state, amount, start, end in (
                ("draft", figures.incoming, _SUPPLIER, entrance),
                ("draft", figures.outgoing, exit_, _CUSTOMER),
                ("assigned", figures.reserved, store, exit_),
            ):
                number += 1
                if amount:
                    locations = {"from_location": start, "to_location": end}
                    yield {"id": number, "state": state, "internal_quantity": float(amount), **locations, **common}


def _order_points(company: ReferenceCompany) -> Iterator[Record]:
    known = {product["code"]: product for product in _products(company)}
    for n, (sku, level) in enumerate(company.stock.items(), 1):
        if level.reorder_point is not None:
            rule = {"product": known[sku], "location": _warehouse(company, "MAIN")}
            yield {"id": n, "type": "purchase", "min_quantity": float(level.reorder_point), **rule}
            # Between two places of the company: no purchase is needed.
            yield {"id": 1_000 + n, "type": "internal", "min_quantity": 7.0, **rule}


# Documents

_SALES = {
    OrderStatus.DRAFT: "draft",
    OrderStatus.OPEN: "confirmed",
    OrderStatus.PARTLY_DELIVERED: "processing",
    OrderStatus.DELIVERED: "processing",
    OrderStatus.CLOSED: "done",
    OrderStatus.CANCELLED: "cancelled",
}
_INVOICES = {
    InvoiceStatus.DRAFT: "draft",
    InvoiceStatus.UNPAID: "posted",
    InvoiceStatus.PART_PAID: "posted",
    InvoiceStatus.PAID: "paid",
    InvoiceStatus.VOID: "cancelled",
}
_PURCHASES = {
    ReviewState.DRAFT: "draft",
    ReviewState.APPROVED: "processing",
    ReviewState.DONE: "done",
    ReviewState.CANCELLED: "cancelled",
}
_PRODUCTIONS = {
    ProductionStatus.PLANNED: "waiting",
    ProductionStatus.RELEASED: "assigned",
    ProductionStatus.RUNNING: "running",
    ProductionStatus.DONE: "done",
    ProductionStatus.CANCELLED: "cancelled",
}
_SHIPMENTS = {Progress.PARTIAL: "partially shipped", Progress.NONE: "waiting"}
_SETTLED = {Progress.FULL: "paid", Progress.PARTIAL: "partially paid"}


def _sale(company: ReferenceCompany, order: SalesOrder) -> Record:
    shipped = {**_SHIPMENTS, Progress.FULL: "sent"}
    return {
        "id": int(order.id),
        "number": order.number or None,
        "reference": None,
        "state": _SALES[order.status],
        "party": parties.customer_of(company, order.customer),
        "sale_date": order.ordered_on,
        "shipping_date": order.promised_on,
        "shipment_state": shipped[order.delivery or Progress.NONE],
        "shipments": [
            {"id": int(each.id)} for each in company.deliveries.values() if each.order_number == order.number
        ],
        "invoice_state": _invoice_state(order),
        # By shipped quantity if only a part is billed; otherwise billed at once.
        "invoice_method": "fulfillment" if order.billing is Progress.PARTIAL else "order",
        "total_amount": _amount(order.total),
        "currency": _currency(order.total),
        "quoted_by": {"id": 1, "rec_name": order.salesperson},
        "lines": [_line(company, n, line) | _sold(line) for n, line in enumerate(order.lines, 1)] + [_remark()],
        **_changed(company, Area.SALES, order.number),
        **people.in_review(company, "sale.sale", order),
    }


def _invoice_state(order: SalesOrder) -> str:
    if order.billing is Progress.NONE:
        return "none"
    return _SETTLED.get(order.payment or Progress.NONE, "awaiting payment")


def _line(company: ReferenceCompany, n: int, line: OrderLine | PurchaseLine) -> Record:
    return {
        "id": n,
        "type": "line",
        "description": None,
        "product": {
            "id": goods.product_id(company, line.sku),
            "code": line.sku,
            "name": line.name,
            "type": "goods",
            "template": {"id": 1, "type": "goods"},
        },
        "quantity": float(line.quantity),
        "unit": _unit(line.unit),
        "unit_price": _amount(line.price),
        "amount": _amount(line.amount),
    }


def _remark() -> Record:
    """Return a comment line."""
    empty = dict.fromkeys(("product", "quantity", "unit", "unit_price", "amount", "shipping_date"))
    return {"id": 99, "type": "comment", "description": "…", "moves": [], "invoice_lines": [], **empty}


def _sold(line: OrderLine) -> Record:
    return {
        "shipping_date": line.due_on,
        "moves": _line_moves(line, line.delivered, _LOST, _CUSTOMER),
        "invoice_lines": [
            {"id": 1, "quantity": float(line.invoiced or 0), "invoice": {"id": 1, "state": "posted"}},
            {"id": 2, "quantity": 1_000.0, "invoice": {"id": 2, "state": "draft"}},
            {"id": 3, "quantity": 1_000.0, "invoice": None},
        ],
    }


def _line_moves(
    line: OrderLine | PurchaseLine, done: Decimal | None, start: Record, end: Record, due_on: date | None = None
) -> list[Record]:
    """Return the moves of a line; more than the ordered quantity was shipped, and the rest was returned."""
    unit, surplus = _unit(line.unit), Decimal("0.5")
    moves: list[tuple[str, Decimal, Record, Record]] = [("draft", line.quantity, start, end)]
    if done:
        moves += [("done", done + surplus, start, end), ("done", surplus, end, start), ("cancelled", done, start, end)]
    return [
        {
            "id": n,
            "state": state,
            "quantity": float(amount),
            "unit": unit,
            "from_location": a,
            "to_location": b,
            # What came earlier than the rest has the earlier day.
            "planned_date": due_on if state == "draft" else date(2000, 1, 1),
        }
        for n, (state, amount, a, b) in enumerate(moves, 1)
    ]


def _invoices(company: ReferenceCompany) -> Iterator[Record]:
    for invoice in company.invoices.values():
        orders = [{"id": 1, "number": invoice.order_number}] if invoice.order_number else []
        party = parties.customer_of(company, invoice.customer)
        yield _invoice(invoice) | {
            "type": "out",
            "party": party,
            "reference": None,
            "sales": orders,
            "purchases": [],
            **_changed(company, Area.FINANCE, invoice.number),
        }
    for bill in company.bills.values():
        orders = [{"id": 1, "number": bill.order_number}] if bill.order_number else []
        party = parties.vendor_of(company, bill.vendor)
        yield _invoice(bill) | {
            "type": "in",
            "party": party,
            "reference": bill.reference or None,
            "sales": [],
            "purchases": orders,
            "last_modified_at": bill.changed_at,
            **_validated(bill),
            **people.in_review(company, "account.invoice", bill),
        }


def _validated(bill: Bill) -> Record:
    """Return the move that a bill has as soon as it is validated."""
    if bill.review is None or not bill.review.waits:
        return {}
    due = [{"id": int(bill.id), "maturity_date": bill.due_on, "reconciliation": None}]
    return {"lines_to_pay": due, "move": {"id": 1, "lines": due}}


def _invoice(invoice: Invoice | Bill) -> Record:
    state = _INVOICES[invoice.status]
    settled = None if state == "posted" else 1
    due = [{"id": int(invoice.id), "maturity_date": invoice.due_on, "reconciliation": settled}]
    return {
        "id": int(invoice.id),
        "number": invoice.number or None,
        "state": state,
        "invoice_date": invoice.issued_on,
        "total_amount": _amount(invoice.total),
        # Nothing is owed before an invoice is posted.
        "amount_to_pay": _amount(invoice.open_amount) if state == "posted" else Decimal(0),
        "currency": _currency(invoice.total),
        "lines_to_pay": [] if state == "draft" else due,
        "move": None if state == "draft" else {"id": 1, "lines": due},
    }


def _purchase(company: ReferenceCompany, order: PurchaseOrder) -> Record:
    known = order.status in (ReviewState.APPROVED, ReviewState.DONE)
    shipped = {**_SHIPMENTS, Progress.FULL: "received"}
    return {
        "id": int(order.id),
        "number": order.number or None,
        "reference": None,
        "state": _PURCHASES.get(order.status),
        "party": parties.vendor_of(company, order.vendor),
        "warehouse": {"id": 1, "name": "Main"},
        "shipments": receipts.of_order(company, order, returned=False),
        "shipment_returns": receipts.of_order(company, order, returned=True),
        "purchase_date": order.ordered_on,
        "delivery_date": order.due_on,
        "shipment_state": shipped[order.received or Progress.NONE] if known else "none",
        "total_amount": _amount(order.total),
        "currency": _currency(order.total),
        "quoted_by": {"id": 1, "rec_name": order.buyer},
        "lines": [
            _line(company, n, line) | {"moves": _line_moves(line, line.received, _SUPPLIER, _LOST, order.due_on)}
            for n, line in enumerate(order.lines, 1)
        ]
        + [_remark()],
        **_changed(company, Area.PURCHASING, order.number),
        **people.in_review(company, "purchase.purchase", order),
    }


def _production(company: ReferenceCompany, order: ProductionOrder) -> Record:
    own = goods.product_id(company, order.sku)
    product = {"id": own, "code": order.sku, "name": order.name, "template": {"id": 1, "name": order.name}}
    produced, other = order.produced or Decimal(0), {"id": 9_999}
    outputs = (("done", produced, product), ("draft", order.planned, product), ("done", Decimal(3), other))
    return {
        "id": int(order.id),
        "number": order.number or None,
        "reference": None,
        "state": _PRODUCTIONS[order.status],
        "product": product,
        "quantity": float(order.planned),
        "unit": _unit(order.unit),
        "planned_start_date": order.start_on,
        "planned_date": order.due_on,
        "effective_date": order.finished_on,
        "outputs": [
            {"id": n, "state": state, "quantity": float(amount), "product": made}
            for n, (state, amount, made) in enumerate(outputs, 1)
        ],
        **_changed(company, Area.PRODUCTION, order.number),
    }
