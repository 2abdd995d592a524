"""What Odoo tells of products (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from bot.erp.model import Product
from bot.erp.odoo.mapping import Row, name_of, sku_of
from bot.erp.values import text

PRODUCT_TEXTS = ("default_code", "name", "barcode", "product_template_attribute_value_ids.name")
PRODUCT_FIELDS = ("default_code", "name", "display_name", "barcode", "uom_id", "categ_id", "active")
KIND = ("type", "is_storable", "is_kits")
"""Whether stock of a product is kept, and whether it is a kit; releases have some of them."""
PRICE_FIELDS = ("lst_price", "standard_price", "currency_id", "cost_currency_id")
FIGURES = ("qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty")


def product(row: Row) -> Product:
    """Return a product; its spec is the list of variant values, which only the display name contains."""
    name, shown = text(row.get("name")), text(row.get("display_name"))
    shown = shown.removeprefix(f"[{text(row.get('default_code'))}] ")
    variant = shown.startswith(f"{name} (") and shown.endswith(")")
    return Product(
        sku=sku_of(row),
        name=name,
        spec=shown[len(name) + 2 : -1] if variant else "",
        unit=name_of(row.get("uom_id")),
        category=name_of(row.get("categ_id")),
        barcode=text(row.get("barcode")),
        is_active=row.get("active") is not False,
    )
