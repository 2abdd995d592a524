"""The stock of an Item in its warehouses by batch or by serial number (docs: platform/erp/erpnext.md#lots)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal

from bot.erp.erpnext.client import ErpNextClient, ListRequest, Row
from bot.erp.erpnext.mapping import Site, number
from bot.erp.errors import NotPermitted
from bot.erp.model import Lot, by_expiry
from bot.erp.values import malformed_is_invalid, text

_QUANTITIES = "erpnext.stock.doctype.batch.batch.get_batch_qty"
_BUNDLE, _ENTRY = "Serial and Batch Bundle", "Serial and Batch Entry"
_MOST_ENTRIES = 2_000
"""Entries of bundles that a question reads at most."""
_MOST_SERIALS = 2_000
"""Serial numbers of an Item that are shown at most: each piece has one."""


async def read_lots(frappe: ErpNextClient, item: Row, warehouses: Container[str], site: Site) -> tuple[Lot, ...]:
    """Return what lies in ``warehouses`` by lot; nothing of Items without, or if the account may not read them.

    Of an Item with batches and serial numbers its batches are told: they have the last days.
    """
    if item.get("has_batch_no") != 1 and item.get("has_serial_no") != 1:
        return ()
    read = _batches if item.get("has_batch_no") == 1 else _serials
    try:
        with malformed_is_invalid(site.source):
            lots = await read(frappe, str(item["name"]), site)
    except NotPermitted:
        return ()
    return by_expiry(lot for lot in lots if lot.warehouse in warehouses)


async def _batches(frappe: ErpNextClient, item: str, site: Site) -> list[Lot]:
    """Return the batches of all warehouses, expired ones too, whether or not any of them is reserved."""
    parameters = {
        "item_code": item,
        **dict.fromkeys(("for_stock_levels", "consider_negative_batches", "ignore_reserved_stock"), 1),
    }
    answer = await frappe.call(_QUANTITIES, parameters=parameters)
    # Releases before 15 know this for a single warehouse only.
    rows: list[Row] = [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []
    held = [(str(row["batch_no"]), str(row["warehouse"]), amount) for row in rows if (amount := number(row.get("qty")))]
    known = await _named(frappe, sorted({batch for batch, _, _ in held}))
    return [
        Lot(
            number=_number(batch, known),
            quantity=amount,
            expires_on=site.day(known.get(batch, {}).get("expiry_date")),
            warehouse=warehouse,
        )
        for batch, warehouse, amount in held
    ]


async def read_lots_of_lines(frappe: ErpNextClient, lines: Sequence[Row]) -> Mapping[str, str]:
    """Return the lots of lines by the lines' names; none if the account may not read them."""
    held = {str(line["name"]): [str(line["batch_no"])] for line in lines if line.get("batch_no")}
    bundles = {
        str(line["serial_and_batch_bundle"]): str(line["name"])
        for line in lines
        if line.get("serial_and_batch_bundle") and not line.get("batch_no")
    }
    try:
        if bundles:
            request = ListRequest(
                _ENTRY,
                ("parent", "batch_no"),
                [("parent", "in", sorted(bundles)), ("batch_no", "is", "set")],
                order_by="parent asc, idx asc",
                parent=_BUNDLE,
            )
            for entry in await frappe.rows(request, limit=_MOST_ENTRIES):
                held.setdefault(bundles[str(entry["parent"])], []).append(str(entry["batch_no"]))
        numbers = await _numbers_of(frappe, sorted({batch for batches in held.values() for batch in batches}))
    except NotPermitted:
        return {}
    return {line: ", ".join(dict.fromkeys(numbers[batch] for batch in batches)) for line, batches in held.items()}


async def _numbers_of(frappe: ErpNextClient, batches: Sequence[str]) -> dict[str, str]:
    """Return the numbers of batches by their names, which are the numbers only up to 16."""
    known = await _named(frappe, batches)
    return {batch: _number(batch, known) for batch in batches}


def _number(batch: str, known: Mapping[str, Row]) -> str:
    return text(known.get(batch, {}).get("batch_id")) or batch


async def _named(frappe: ErpNextClient, batches: Sequence[str]) -> dict[str, Row]:
    if not batches:
        return {}
    fields = ("name", "batch_id", "expiry_date")
    rows = await frappe.rows(ListRequest("Batch", fields, [("name", "in", batches)]))
    return {str(row["name"]): row for row in rows}


async def _serials(frappe: ErpNextClient, item: str, site: Site) -> list[Lot]:
    lying = [("item_code", "=", item), ("warehouse", "is", "set")]
    request = ListRequest("Serial No", ("name", "serial_no", "warehouse"), lying, order_by="name asc")
    rows = await frappe.rows(request, limit=_MOST_SERIALS)
    return [
        Lot(
            number=text(row.get("serial_no")) or str(row["name"]),
            quantity=Decimal(1),
            warehouse=str(row["warehouse"]),
        )
        for row in rows
    ]
