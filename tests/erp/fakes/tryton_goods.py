"""What the reference company's goods are made of, who supplies them and what they cost, as Tryton's records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.erp.model import Lot
from bot.erp.model.goods import DeliveryStatus
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.tryton_query import Record

_BATCH = Decimal(4)
"""How many pieces a bill of materials makes."""


def product_id(company: ReferenceCompany, sku: str) -> int:
    """Return the id of a product."""
    return list(company.products).index(sku) + 1 if sku in company.products else 0


def _product(company: ReferenceCompany, sku: str) -> Record:
    return {"id": product_id(company, sku), "code": sku, "name": company.products[sku].name}


def lines_of(
    kind: str,
    spell: Callable[[ReferenceCompany, Any], Record],
    company: ReferenceCompany,
    documents: Mapping[str, Any],
) -> Iterator[Record]:
    """Yield the lines of all orders, each with its order."""
    for document in documents.values():
        order = spell(company, document)
        for n, line in enumerate(order["lines"]):
            yield line | {"id": 1_000 * order["id"] + n, kind: order}


def suppliers(company: ReferenceCompany) -> Iterator[Record]:
    """Yield who supplies products; every second names the template alone, and another template has none of ours."""
    n = 0
    for sku, supplies in company.supplies.items():
        own = product_id(company, sku)
        for supply in supplies:
            n += 1
            yield {
                "id": n,
                "template": {"id": 500 + own},
                "product": {"id": own} if n % 2 else None,
                "party": {"id": n, "name": supply.vendor},
                "code": supply.code or None,
                "lead_time": None if supply.lead_days is None else timedelta(days=supply.lead_days),
                "sequence": n,
            }
            yield {
                "id": 100 + n,
                "template": {"id": 500 + own},
                "product": {"id": 9_999},
                "party": {"id": n, "name": "Of another variant"},
                "code": None,
                "lead_time": None,
                "sequence": 0,
            }


def _bom(company: ReferenceCompany, whole: str) -> Record:
    made = company.products[whole]
    return {
        "id": product_id(company, whole),
        "active": True,
        "inputs": [
            {
                "id": 10 * product_id(company, whole) + n,
                "product": _product(company, part.sku),
                "quantity": float(part.quantity * _BATCH),
                "unit": {"id": 1, "symbol": part.unit},
            }
            for n, part in enumerate(company.components[whole])
        ],
        "outputs": [
            {
                "id": product_id(company, whole),
                "product": _product(company, whole),
                "quantity": float(_BATCH),
                "unit": {"id": 1, "symbol": made.unit},
            }
        ],
    }


def boms_of_products(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the links from products to their bills of materials; one that is no longer in use comes first."""
    for whole in company.components:
        bom, own = _bom(company, whole), {"id": product_id(company, whole)}
        yield {"id": 500 + own["id"], "product": own, "bom": bom | {"active": False, "inputs": []}, "sequence": None}
        yield {"id": own["id"], "product": own, "bom": bom, "sequence": 1}


def bom_inputs(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the parts of all bills of materials."""
    for whole in company.components:
        bom = _bom(company, whole)
        for part in bom["inputs"]:
            yield part | {"bom": bom}
            yield part | {"id": 9_000 + part["id"], "bom": bom | {"active": False}}


def lots(company: ReferenceCompany, context: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the lots of all products with what lies in the places of the context, and a lot that is used up."""
    codes = list(company.warehouses)
    here = {codes[place - 1] for place in context.get("locations", ())}
    for sku, level in company.stock.items():
        by_number: dict[str, list[Lot]] = {}
        for lot in level.lots:
            by_number.setdefault(lot.number, []).append(lot)
        for n, (number, parts) in enumerate(by_number.items()):
            lying = sum((part.quantity or Decimal(0) for part in parts if part.warehouse in here), Decimal(0))
            yield _lot(company, sku, n, number) | {
                "quantity": float(lying),
                # Of the two last days the first counts.
                "expiration_date": parts[0].expires_on and parts[0].expires_on + timedelta(days=n),
                "shelf_life_expiration_date": parts[0].expires_on if n else None,
            }
        if by_number:
            yield _lot(company, sku, len(by_number), "used up")


def _lot(company: ReferenceCompany, sku: str, n: int, number: str) -> Record:
    own = product_id(company, sku)
    last_days: Record = {"expiration_date": None, "shelf_life_expiration_date": None}
    return {
        "id": 1_000 * own + n,
        "number": number,
        "product": _product(company, sku),
        "quantity": 0.0,
        "active": True,
        **last_days,
    }


_STATES = {
    DeliveryStatus.PLANNED: "waiting",
    DeliveryStatus.READY: "packed",
    DeliveryStatus.SHIPPED: "done",
    DeliveryStatus.CANCELLED: "cancelled",
}


def shipments(company: ReferenceCompany) -> Iterator[Record]:
    """Yield shipments to customers; each has moves inside of the warehouse, too."""
    for n, delivery in enumerate(company.deliveries.values()):
        state = _STATES[delivery.status]
        sale = {"id": n, "number": delivery.order_number}
        outgoing = [
            {
                "id": 100 * n + m,
                "product": {"id": m, "code": line.sku, "name": line.name},
                "quantity": float(line.quantity),
                "unit": {"id": 1, "symbol": line.unit, "digits": 6},
                "state": "cancelled" if state == "cancelled" else "draft",
                "origin": {"id": m, "sale": sale},
            }
            for m, line in enumerate(delivery.lines)
        ]
        dropped = [] if state == "cancelled" else [{**outgoing[0], "id": 100 * n + 99, "state": "cancelled"}]
        yield {
            "id": int(delivery.id),
            "number": delivery.number,
            "state": state,
            "customer": {"id": n, "name": delivery.customer},
            "warehouse": {"id": 1, "name": delivery.warehouse},
            "planned_date": delivery.planned_on,
            "effective_date": delivery.shipped_on,
            "moves": [*outgoing, {"id": 100 * n + 98, "origin": None}],
            "outgoing_moves": [*outgoing, *dropped],
            "last_modified_at": delivery.changed_at,
        }
