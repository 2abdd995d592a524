"""Changes of a site by ``modified`` (docs: platform/erp/erpnext.md#lists)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.erp import kinds
from bot.erp.erpnext.client import Condition, ErpNextClient, ListRequest, Row
from bot.erp.erpnext.mapping import Site
from bot.erp.erpnext.plans import PLANS
from bot.erp.erpnext.query import of_company
from bot.erp.following import StreamPage, follow, latest
from bot.erp.model import Area, Changes, Followed

CHANGE_SOURCES: Mapping[Followed, tuple[str, str]] = {
    Area.PRODUCTS: ("Item", "name"),
    # An item has one Bin per warehouse: it changed when any of its Bins did.
    Area.STOCK: ("Bin", "item_code"),
    **{kind.followed: (PLANS[kind].model, "name") for kind in kinds.FOLLOWED},
}
"""The DocTypes to follow, and the field with the record's key."""


_OF_ALL_COMPANIES = (Area.PRODUCTS, Area.STOCK)


def _changes(area: Followed, since: datetime | None, site: Site, company: str) -> ListRequest:
    """Return the request for an area's changes since a time, oldest first; ``company`` limits it to its documents."""
    doctype, key = CHANGE_SOURCES[area]
    filters: list[Condition] = [] if area in _OF_ALL_COMPANIES else of_company(company)
    if since is not None:
        filters.append(("modified", ">=", site.text(since)))
    return ListRequest(doctype, tuple(dict.fromkeys((key, "modified"))), filters, order_by="modified asc, name asc")


async def read_changes(
    frappe: ErpNextClient, site: Site, company: str, area: Followed, cursor: str, *, limit: int
) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""
    _, key = CHANGE_SOURCES[area]

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        rows = await frappe.rows(_changes(area, since, site, company), limit=count)
        changes = [site.read(_change, row, key) for row in rows]
        return [StreamPage(latest(changes), changes[-1][1] if len(rows) == count else None)]

    return await follow(area, cursor, limit=limit, overlap=site.late, read=read)


def _change(row: Row, site: Site, key: str) -> tuple[str, datetime]:
    at = site.time(row["modified"])
    if at is None:
        raise ValueError("a record without a time of change")
    return str(row[key]), at
