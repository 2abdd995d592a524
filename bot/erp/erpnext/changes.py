"""Changes of a site by ``modified`` (docs: platform/erp/erpnext.md#lists)."""

from __future__ import annotations

from datetime import datetime

from bot.erp.erpnext import query
from bot.erp.erpnext.client import ErpNextClient, Row
from bot.erp.erpnext.mapping import Site
from bot.erp.following import StreamPage, follow, latest
from bot.erp.model import Changes, Followed


async def read_changes(
    frappe: ErpNextClient, site: Site, company: str, area: Followed, cursor: str, *, limit: int
) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""
    _, key = query.CHANGE_SOURCES[area]

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        rows = await frappe.rows(query.changes(area, since, site, company), limit=count)
        changes = [site.read(_change, row, key) for row in rows]
        return [StreamPage(latest(changes), changes[-1][1] if len(rows) == count else None)]

    return await follow(area, cursor, limit=limit, overlap=site.late, read=read)


def _change(row: Row, site: Site, key: str) -> tuple[str, datetime]:
    at = site.time(row["modified"])
    if at is None:
        raise ValueError("a record without a time of change")
    return str(row[key]), at
