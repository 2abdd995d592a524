"""Values and common fields of Odoo's records (docs: platform/erp/odoo.md#values)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import values
from bot.erp.model import Money
from bot.erp.record_parts import GoodsParts, RecordOrigin
from bot.erp.values import text

Row = dict[str, Any]
"""A record as Odoo sends it, with the records that joins add to it."""

_DIGITS = 15
"""A binary float keeps this many digits; the rest is noise, such as in 0.30000000000000004."""


def reference(value: Any) -> int | None:
    """Return the id of a many2one, None for an empty one."""
    return value[0] if isinstance(value, list) and value else None


def references(value: Any) -> list[int]:
    """Return the ids of a many2one or a many2many."""
    return [part for part in value if isinstance(part, int)] if isinstance(value, list) else []


def linked(row: Row, name: str, into: str) -> Row:
    """Return the record that a many2one refers to, among those that a join put ``into`` the row; else an empty one."""
    found: Row = (row.get(into) or {}).get(reference(row.get(name)) or 0, {})
    return found


def lines_of(row: Row) -> list[Row]:
    """Return the lines that a join put into a document, without headings and notes."""
    return [line for line in (row.get("lines") or {}).values() if not line.get("display_type")]


def name_of(value: Any) -> str:
    """Return the name of a many2one."""
    return text(value[1]) if isinstance(value, list) and len(value) > 1 else ""


def number(value: Any) -> Decimal | None:
    """Return a number without binary float noise, None if the ERP does not report it."""
    try:
        return values.number(value, digits=_DIGITS)
    except ValueError:
        return None


def moment(value: Any) -> datetime | None:
    """Parse ``YYYY-MM-DD HH:MM:SS`` in UTC."""
    try:
        return datetime.fromisoformat(text(value)).replace(tzinfo=UTC)
    except ValueError:
        return None


def day(value: Any, zone: ZoneInfo) -> date | None:
    """Return the day of a date, or of a time in the company's zone."""
    if len(text(value)) == len("YYYY-MM-DD"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    at = moment(value)
    return None if at is None else at.astimezone(zone).date()


def money(value: Any, currency: Any, *, sign: int = 1) -> Money | None:
    """Return an amount, None without a currency."""
    amount, code = number(value), name_of(currency)
    return None if amount is None or not code else Money(amount * sign, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooSite:
    """What the records of a source have in common."""

    source: str
    url: str
    zone: ZoneInfo
    unnamed: str = ""
    """The login that decides on behalf of others, which is not shown as the person who decided."""

    def link(self, model: str, row: Row) -> str:
        """Return an address that opens the record in every release."""
        return f"{self.url}/mail/view?model={model}&res_id={row['id']}"

    def origin(self, model: str, row: Row) -> RecordOrigin:
        return {
            "id": str(row["id"]),
            "url": self.link(model, row),
            "changed_at": moment(row.get("write_date")),
            "source": self.source,
            "created_by": created_by(row),
        }


def created_by(row: Row) -> tuple[str, ...]:
    """Return who created a record: their name, and their login where that was read as well."""
    creator = row.get("create_uid")
    login = text(linked(row, "create_uid", "people").get("login"))
    return tuple(filter(None, (name_of(creator), login)))


def key_of(row: Row, field: str) -> str:
    """Return a code or number; without one (a draft may have a slash), the id as Odoo writes it: ``*12``."""
    return f"*{row['id']}" if text(row.get(field)) in {"", "/"} else text(row[field])


def number_of(row: Row) -> str:
    """Return a document's number."""
    return key_of(row, "name")


def sku_of(row: Row) -> str:
    """Return a product's code."""
    return key_of(row, "default_code")


def in_use(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return products without those that were archived and have a successor of the same code."""
    found = list(rows)
    taken = {key_of(row, "default_code").casefold() for row in found if row.get("active") is not False}
    return [
        row for row in found if row.get("active") is not False or key_of(row, "default_code").casefold() not in taken
    ]


def told_apart(rows: Iterable[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return records of one answer, with the id behind a code or number that several of them have."""
    found = list(rows)
    counts = Counter(key_of(row, key).casefold() for row in found)
    return [
        {**row, key: f"{row[key]}*{row['id']}"} if counts[key_of(row, key).casefold()] > 1 else row for row in found
    ]


def newest_first(parts: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Return the records of several lists by day, then by number; each list comes with the field of its day."""
    dated = [(text(row.get(field)), row) for field, rows in parts for row in rows]
    dated.sort(key=lambda each: (text(each[1].get("name")), each[1]["id"]))
    dated.sort(key=lambda each: each[0], reverse=True)
    return [row for _, row in dated]


def called(rows: Iterable[dict[str, Any]], text: str, key: str) -> list[dict[str, Any]]:
    """Return the records that are called ``text``: by their code or number, by their id, or by both."""
    found = list(rows)
    if exact := [row for row in found if key_of(row, key).casefold() == text.casefold()]:
        return exact
    both = [row for row in found if f"{row.get(key)}*{row['id']}".casefold() == text.casefold()]
    return [{**row, key: f"{row[key]}*{row['id']}"} for row in both]


def state_of(row: Row, known: Iterable[str]) -> Mapping[str, str]:
    """Return a state added by a custom module, shown next to the cautious status that the bot assumes."""
    state = text(row.get("state"))
    return MappingProxyType({} if state in known else {"state": state})


def in_force(row: Row) -> bool:
    """Whether an order is confirmed and not cancelled."""
    return row.get("state") in {"sale", "purchase", "done"}


def is_locked(row: Row) -> bool:
    """Whether an order is locked: a state in old releases, a separate flag in new ones."""
    return row.get("state") == "done" or row.get("locked") is True


def unit_of(line: Row) -> str:
    """Return the unit of a line or production order."""
    # Renamed in 19.
    return name_of(line.get("product_uom_id")) or name_of(line.get("product_uom"))


def goods_of(line: Row) -> GoodsParts:
    """Return the product of a line, a move or a production order."""
    product = linked(line, "product_id", "product")
    told = text(line.get("name")) or name_of(line.get("product_id"))
    return {
        "sku": sku_of(product) if product else "",
        "name": text(product.get("name")) if product else told,
        "unit": unit_of(line),
    }


def with_taxes(line: Row) -> Any:
    """Return a line's amount including taxes, like the order's total."""
    return line.get("price_total", line.get("price_subtotal"))
