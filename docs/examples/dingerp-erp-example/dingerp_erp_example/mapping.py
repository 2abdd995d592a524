"""From the ERP's JSON to the bot's records."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.erp.model import (
    Approval,
    Money,
    Product,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    Quantities,
    StockLevel,
    WarehouseStock,
)

JSON = dict[str, Any]


def product(item: JSON) -> Product:
    return Product(sku=item["code"], name=item["title"], unit=item["unit"], barcode=item["barcode"])


def quantities(item: JSON) -> Quantities:
    return Quantities(on_hand=Decimal(item["stock"]), available=Decimal(item["free"]))


def stock(item: JSON, source: str) -> StockLevel:
    places = (WarehouseStock(code=p["code"], name=p["title"], quantities=quantities(p)) for p in item["places"])
    return StockLevel(
        product=product(item["product"]),
        total=quantities(item["total"]),
        per_warehouse=tuple(places),
        reorder_point=None,
        as_of=datetime.fromisoformat(item["changed"]),
        source=source,
    )


def purchase_order(item: JSON, source: str) -> PurchaseOrder:
    approval = item["approval"]
    return PurchaseOrder(
        id=item["id"],
        number=item["number"],
        vendor=item["vendor"],
        status=PurchaseStatus(item["state"]),
        approval=approval
        and Approval(
            pending_for=tuple(approval["waiting_for"]),
            level=approval["level"],
            levels=approval["levels"],
            decided_by=approval["by"],
            decided_at=approval["at"] and datetime.fromisoformat(approval["at"]),
            reason=approval["reason"],
        ),
        requester=item["requester"],
        ordered_on=_day(item["date"]),
        due_on=_day(item["due"]),
        total=_money(item["total"]),
        received=Progress(item["received"]),
        lines=tuple(
            PurchaseLine(
                sku=line["code"],
                name=line["title"],
                unit=line["unit"],
                quantity=Decimal(line["quantity"]),
                amount=_money(line["amount"]),
            )
            for line in item["lines"]
        ),
        version=item["version"],
        changed_at=datetime.fromisoformat(item["changed"]),
        source=source,
    )


def _money(item: JSON) -> Money:
    return Money(Decimal(item["value"]), item["currency"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
