"""Requests to Frappe besides those of plans, and conditions that several of them have.

Docs: platform/erp/erpnext.md#areas, #lists
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from bot.erp.erpnext.client import Condition, ListRequest, pattern
from bot.erp.erpnext.mapping import text_to_html
from bot.erp.port import Period

_DATED = "1900-01-01"
"""Excludes missing dates: Frappe compares them as the year 1, which is before every day."""


def of_company(company: str) -> list[Condition]:
    """Return the condition for what belongs to a company; none if no company is configured."""
    return [("company", "=", company)] if company else []


def within(name: str, period: Period) -> list[Condition]:
    """Return the conditions for days, or times on them, in a period."""
    return [(name, ">=", period.first.isoformat()), up_to(name, period.last)]


def up_to(name: str, day: date) -> Condition:
    """Return the condition for days, and for times on them."""
    return (name, "<", (day + timedelta(days=1)).isoformat())


def before(name: str, today: date) -> list[Condition]:
    """Return the conditions for days before today."""
    return [(name, "<", today.isoformat()), (name, ">", _DATED)]


def items(text: str = "", *, names: Sequence[str] = ()) -> ListRequest:
    """Return the search for items by part of code, name or spec, or by ``names`` instead."""
    filters: list[Condition] = [("disabled", "=", 0), ("has_variants", "=", 0)]
    if names:
        filters.append(("name", "in", names))
    any_of = []
    if text:
        # The description is HTML, so the text is escaped like it.
        any_of = [(name, "like", pattern(text)) for name in ("name", "item_name")]
        any_of.append(("description", "like", pattern(text_to_html(text).replace("<br>", "\n"))))
    return ListRequest(
        "Item",
        ("name", "item_name", "description", "stock_uom", "item_group", "variant_of"),
        filters,
        any_of,
        "name asc",
    )


def variants(text: str) -> ListRequest:
    """Return the search for items by a value that makes them a variant."""
    conditions = [("parenttype", "=", "Item"), ("attribute_value", "like", pattern(text))]
    return ListRequest("Item Variant Attribute", ("parent",), conditions, parent="Item")


def barcodes(text: str) -> ListRequest:
    """Return the search for items by part of a barcode."""
    return ListRequest("Item Barcode", ("parent", "barcode"), [("barcode", "like", pattern(text))], parent="Item")


def bins(item: str) -> ListRequest:
    """Return the request for an item's Bins."""
    fields = (
        *("warehouse", "actual_qty", "reserved_qty", "reserved_qty_for_production", "reserved_qty_for_sub_contract"),
        *("ordered_qty", "planned_qty", "projected_qty"),
    )
    return ListRequest("Bin", fields, [("item_code", "=", item)], order_by="warehouse asc")


def warehouses(names: Sequence[str], company: str) -> ListRequest:
    """Return the request for warehouses by name; ``company`` limits it to that company."""
    filters = [("name", "in", names), *of_company(company)]
    return ListRequest("Warehouse", ("name", "warehouse_name", "company"), filters)


def companies() -> ListRequest:
    """Return the request for the currencies of all companies."""
    return ListRequest("Company", ("name", "default_currency"))
