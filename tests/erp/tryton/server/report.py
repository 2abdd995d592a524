"""What the server itself reports for every record, for the tests to compare with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import demo_company as demo
from documents import Documents
from proteus import Model


def report(documents: Documents) -> dict[str, Any]:
    """Return the whole company as JSON; raises `SystemExit` if a document did not reach its state."""
    ground = documents.ground
    found = {
        "today": ground.today.isoformat(),
        "currency": demo.CURRENCY,
        "warehouses": {code: {"id": place.id, "name": place.name} for code, place in ground.warehouses.items()},
        "products": _stock(documents),
        "sales": [_sale(order) for order in documents.sales],
        "purchases": [_purchase(order) for order in documents.purchases],
        "receipts": _receipts(),
        "parties": _parties(documents),
        "payments": _payments(),
        "invoices": [_invoice(invoice, ground.today) for invoice in _all("account.invoice")],
        "productions": [_production(order) for order in documents.productions],
        "second_company": _second_company(documents),
    }
    _check(found)
    return found


def _check(found: dict[str, Any]) -> None:
    for kind, states in (
        ("sales", [spec.state for spec in demo.SALES]),
        ("purchases", [spec.state for spec in demo.PURCHASES]),
        ("productions", [spec[2] for spec in demo.PRODUCTIONS]),
    ):
        for record, state in zip(found[kind], states, strict=True):
            if record["state"] != state:
                raise SystemExit(f"{kind} {record['number'] or record['id']} is {record['state']}, not {state}")


def _all(model: str) -> list[Any]:
    return Model.get(model).find([], order=[("id", "ASC")])


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _date(value: dt.date | None) -> str | None:
    return None if value is None else value.isoformat()


def _stock(documents: Documents) -> dict[str, Any]:
    ground, product_model = documents.ground, Model.get("product.product")
    ids = [product.id for product in ground.products.values()]
    points = {(point.product.code, point.location.code): point.min_quantity for point in _all("stock.order_point")}
    levels = {}
    for code, warehouse in ground.warehouses.items():
        context = {**ground.config.context, "locations": [warehouse.id]}
        levels[code] = {row["id"]: row for row in product_model.read(ids, ["quantity", "forecast_quantity"], context)}
    lots = _lots(documents)
    return {
        sku: {
            "id": product.id,
            "name": product.template.name,
            "unit_symbol": product.template.default_uom.symbol,
            "lots": lots.get(sku, []),
            "warehouses": {
                code: {
                    "on_hand": rows[product.id]["quantity"],
                    "forecast": rows[product.id]["forecast_quantity"],
                    "minimum": points.get((sku, code)),
                }
                for code, rows in levels.items()
            },
        }
        for sku, product in ground.products.items()
    }


def _lots(documents: Documents) -> dict[str, list[dict[str, Any]]]:
    """Return what lies there by lot, warehouse for warehouse."""
    ground, lot_model = documents.ground, Model.get("stock.lot")
    lots = {lot.id: lot for lot in _all("stock.lot")}
    found: dict[str, list[dict[str, Any]]] = {}
    for code, warehouse in ground.warehouses.items():
        context = {**ground.config.context, "locations": [warehouse.id]}
        for row in lot_model.read(list(lots), ["quantity"], context):
            if row["quantity"]:
                lot = lots[row["id"]]
                entry = {
                    "number": lot.number,
                    "warehouse": code,
                    "quantity": row["quantity"],
                    "expiration_date": _date(lot.expiration_date),
                    "shelf_life_expiration_date": _date(lot.shelf_life_expiration_date),
                }
                found.setdefault(lot.product.code, []).append(entry)
    return found


def _second_company(documents: Documents) -> dict[str, Any]:
    """Return what is the second company's, as its own users see it."""
    ground, product_model = documents.ground, Model.get("product.product")
    with ground.in_second_company():
        sku = ground.products["SKU123"].id
        stock = {
            code: product_model.read([sku], ["quantity"], {**ground.config.context, "locations": [warehouse.id]})
            for code, warehouse in ground.warehouses.items()
        }
        return {
            "id": ground.second_company.id,
            "name": ground.second_company.party.name,
            "sales": [_sale(order) for order in documents.second_sales],
            "purchases": [_purchase(order) for order in documents.second_purchases],
            "stock": {"SKU123": {code: row["quantity"] for code, (row,) in stock.items()}},
        }


def _order(order: Any, moves: Callable[[Any], Any]) -> dict[str, Any]:
    order.reload()
    return {
        "id": order.id,
        "number": order.number,
        "reference": order.reference,
        "state": order.state,
        "party": order.party.name,
        "currency": order.currency.code,
        "total_amount": _amount(order.total_amount),
        "shipment_state": order.shipment_state,
        "invoice_state": order.invoice_state,
        "lines": [
            {
                "product": line.product.code,
                "name": line.product.template.name,
                "quantity": line.quantity,
                "unit_symbol": line.unit.symbol,
                "unit_price": _amount(line.unit_price),
                "amount": _amount(line.amount),
            }
            for line in order.lines
        ],
        "moves": [
            {"product": move.product.code, "quantity": move.quantity, "state": move.state}
            for shipment in order.shipments
            for move in moves(shipment)
        ],
        "invoices": [invoice.id for invoice in order.invoices],
    }


def _sale(order: Any) -> dict[str, Any]:
    record = _order(order, lambda shipment: shipment.outgoing_moves)
    return record | {"date": _date(order.sale_date), "shipping_date": _date(order.shipping_date)}


def _purchase(order: Any) -> dict[str, Any]:
    record = _order(order, lambda shipment: shipment.incoming_moves)
    record["moves"] += [
        {"product": move.product.code, "quantity": -move.quantity, "state": move.state}
        for shipment in order.shipment_returns
        for move in shipment.moves
    ]
    return record | {
        "date": _date(order.purchase_date),
        "delivery_date": _date(order.delivery_date),
        "two_users_to_confirm": order.total_amount >= demo.DOUBLE_CONFIRM_FROM,
    }


def _receipts() -> list[dict[str, Any]]:
    """Return what came in from suppliers and what went back to them, in whatever state."""
    both = (
        (False, "stock.shipment.in", lambda shipment: shipment.incoming_moves),
        (True, "stock.shipment.in.return", lambda shipment: shipment.moves),
    )
    return [
        {
            "id": shipment.id,
            "number": shipment.number,
            "state": shipment.state,
            "party": shipment.supplier.name,
            "warehouse": shipment.warehouse.name,
            "effective_date": _date(shipment.effective_date),
            "is_return": is_return,
            "moves": [
                {
                    "product": move.product.code,
                    "quantity": move.quantity,
                    "unit_symbol": move.unit.symbol,
                    "lot": move.lot and move.lot.number,
                    "state": move.state,
                    "effective_date": _date(move.effective_date),
                    "purchase": move.purchase and move.purchase.number,
                    "buyer": move.purchase and move.purchase.quoted_by and move.purchase.quoted_by.rec_name,
                }
                for move in moves(shipment)
            ],
        }
        for is_return, model, moves in both
        for shipment in _all(model)
    ]


def _parties(documents: Documents) -> dict[str, dict[str, Any]]:
    """Return the customers and suppliers by code: those of sales and purchases, and of invoices of either kind."""
    invoices = _all("account.invoice")
    sides = {
        "customer": [*documents.sales, *(each for each in invoices if each.type == "out")],
        "supplier": [*documents.purchases, *(each for each in invoices if each.type == "in")],
    }
    parties = {party.id: party for party in _all("party.party")}
    return {
        side: {
            party.code: {
                "id": party.id,
                "name": party.name,
                "address": party.addresses[0].full_address,
                "term": term.name if (term := getattr(party, f"{side}_payment_term")) else None,
                "owed": _amount(party.receivable if side == "customer" else -party.payable),
            }
            for party in (parties[key] for key in sorted({document.party.id for document in found}))
        }
        for side, found in sides.items()
    }


def _payments() -> list[dict[str, Any]]:
    """Return the partners' lines in the journals of cash, with the invoices that name them as theirs."""
    settled: dict[int, list[str]] = {}
    for invoice in _all("account.invoice"):
        for line in invoice.payment_lines:
            settled.setdefault(line.id, []).append(invoice.number)
    return [
        {
            "id": line.id,
            "number": move.number,
            "date": _date(move.date),
            "party": line.party.name,
            "of_customer": bool(line.account.type.receivable),
            "debit": _amount(line.debit),
            "credit": _amount(line.credit),
            "journal": move.journal.name,
            "settles": settled.get(line.id, []),
        }
        for move in _all("account.move")
        if move.journal.type == "cash"
        for line in move.lines
        if line.party
    ]


def _invoice(invoice: Any, today: dt.date) -> dict[str, Any]:
    dues = sorted(line.maturity_date for line in invoice.lines_to_pay if line.maturity_date)
    owed = [line.maturity_date for line in invoice.lines_to_pay if line.maturity_date and not line.reconciliation]
    return {
        "id": invoice.id,
        "number": invoice.number,
        "type": invoice.type,
        "state": invoice.state,
        "party": invoice.party.name,
        "reference": invoice.reference,
        "invoice_date": _date(invoice.invoice_date),
        "due_date": _date(dues[-1] if dues else None),
        "overdue": invoice.state == "posted" and bool(owed) and min(owed) < today,
        "currency": invoice.currency.code,
        "total_amount": _amount(invoice.total_amount),
        "amount_to_pay": _amount(invoice.amount_to_pay),
        "lines": [{"product": line.product and line.product.code, "quantity": line.quantity} for line in invoice.lines],
    }


def _production(production: Any) -> dict[str, Any]:
    production.reload()
    return {
        "id": production.id,
        "number": production.number,
        "state": production.state,
        "product": production.product.code,
        "name": production.product.template.name,
        "quantity": production.quantity,
        "unit_symbol": production.unit.symbol,
        "planned_start_date": _date(production.planned_start_date),
        "planned_date": _date(production.planned_date),
        "effective_date": _date(production.effective_date),
        "outputs": [
            {"product": move.product.code, "quantity": move.quantity, "state": move.state}
            for move in production.outputs
        ],
    }
