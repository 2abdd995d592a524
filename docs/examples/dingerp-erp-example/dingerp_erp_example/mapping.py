"""From the ERP's JSON to the bot's records; what is not mapped here is not told."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.erp import model as m


def product(item: Any) -> m.Product:
    return m.Product(sku=item["code"], name=item["title"], unit=item["unit"], barcode=item["barcode"])


def stock(item: Any, source: str) -> m.StockLevel:
    return m.StockLevel(
        product=product(item["product"]),
        total=m.Quantities(on_hand=Decimal(item["total"]["stock"])),
        per_warehouse=tuple(map(_place, item["places"])),
        reorder_point=None,
        as_of=datetime.fromisoformat(item["changed"]),
        source=source,
    )


def _place(item: Any) -> m.WarehouseStock:
    return m.WarehouseStock(
        code=item["code"], name=item["title"], quantities=m.Quantities(on_hand=Decimal(item["stock"]))
    )


def purchase_order(item: Any, source: str) -> m.PurchaseOrder:
    return m.PurchaseOrder(
        id=item["id"],
        number=item["number"],
        vendor=item["vendor"],
        status=m.PurchaseStatus(item["state"]),
        approval=_approval(item["approval"]) if item["approval"] else None,
        ordered_on=date.fromisoformat(item["date"]),
        due_on=date.fromisoformat(item["due"]) if item["due"] else None,
        total=m.Money(Decimal(item["total"]["value"]), item["total"]["currency"]),
        received=m.Progress(item["received"]),
        lines=tuple(map(_line, item["lines"])),
        version=item["version"],
        source=source,
    )


def _approval(it: Any) -> m.Approval:
    return m.Approval(pending_for=tuple(it["waiting_for"]), level=it["level"], levels=it["levels"], decided_by=it["by"])


def _line(item: Any) -> m.PurchaseLine:
    return m.PurchaseLine(sku=item["code"], name=item["title"], unit=item["unit"], quantity=Decimal(item["quantity"]))
