"""From the ERP's JSON to the bot's records."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.api import erps


def product(item: Any) -> erps.Product:
    return erps.Product(sku=item["code"], name=item["title"], unit=item["unit"], barcode=item["barcode"])


def stock(item: Any, source: str) -> erps.StockLevel:
    return erps.StockLevel(
        product=product(item["product"]),
        total=erps.Quantities(on_hand=Decimal(item["total"]["stock"])),
        per_warehouse=tuple(map(_place, item["places"])),
        reorder_point=None,
        as_of=datetime.fromisoformat(item["changed"]),
        source=source,
    )


def _place(item: Any) -> erps.WarehouseStock:
    return erps.WarehouseStock(
        code=item["code"], name=item["title"], quantities=erps.Quantities(on_hand=Decimal(item["stock"]))
    )


def purchase_order(item: Any, source: str) -> erps.PurchaseOrder:
    return erps.PurchaseOrder(
        id=item["id"],
        number=item["number"],
        vendor=item["vendor"],
        review=_review(item, item["approval"]),
        ordered_on=date.fromisoformat(item["date"]),
        due_on=date.fromisoformat(item["due"]) if item["due"] else None,
        total=erps.Money(Decimal(item["total"]["value"]), item["total"]["currency"]),
        received=erps.Progress(item["received"]),
        lines=tuple(map(_line, item["lines"])),
        source=source,
    )


def _review(item: Any, it: Any) -> erps.Review:
    waits = tuple(it["waiting_for"]) if it else ()
    told = erps.Approval(pending_for=waits, level=it["level"], levels=it["levels"], decided_by=it["by"]) if it else None
    return erps.Review(state=erps.ReviewState(item["state"]), version=item["version"], approval=told)


def _line(item: Any) -> erps.PurchaseLine:
    return erps.PurchaseLine(
        sku=item["code"], name=item["title"], unit=item["unit"], quantity=Decimal(item["quantity"])
    )
