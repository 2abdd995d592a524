"""What Odoo's documents and their lines have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.model import Progress
from bot.erp.odoo.values import Row, name_of, reference, text

Products = Mapping[int, Row]
"""Products by id, as lines and production orders name them."""

DELIVERED = {"pending": Progress.NONE, "started": Progress.NONE, "partial": Progress.PARTIAL, "full": Progress.FULL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where records come from, for what every record says of itself."""

    source: str
    url: str
    zone: ZoneInfo

    def link(self, model: str, row: Row) -> str:
        """Return an address that leads to the record in every release."""
        return f"{self.url}/mail/view?model={model}&res_id={row['id']}"


def nameless(row: Row) -> str:
    """Return what stands for a missing code or number: the id as Odoo writes it for drafts, ``*12``."""
    return f"*{row['id']}"


def number_of(row: Row) -> str:
    """Return a document's number; a draft may have none, or a slash."""
    return nameless(row) if text(row.get("name")) in {"", "/"} else text(row["name"])


def sku_of(row: Row) -> str:
    """Return a product's code."""
    return text(row.get("default_code")) or nameless(row)


def state_of(row: Row, known: Iterable[str]) -> Mapping[str, str]:
    """Return a state that an add-on invented, to be shown beside the cautious one that stands for it."""
    state = text(row.get("state"))
    return MappingProxyType({} if state in known else {"state": state})


def in_force(row: Row) -> bool:
    """Whether an order was confirmed and not cancelled."""
    return row.get("state") in {"sale", "purchase", "done"}


def is_locked(row: Row) -> bool:
    """Whether nobody can edit it: a state in old releases, a flag beside the state in new ones."""
    return row.get("state") == "done" or row.get("locked") is True


def progress(row: Row, status: str) -> Progress | None:
    """Return how much came or went; services have no such status, and nothing does before an order is in force."""
    return DELIVERED.get(row.get(status) or "") if in_force(row) else Progress.NONE


def unit_of(line: Row) -> str:
    """Return the unit of a line or production order."""
    # The field lost its old name with 19.
    return name_of(line.get("product_uom_id")) or name_of(line.get("product_uom"))


def line_sku(line: Row, products: Products) -> str:
    """Return the code of the product that a record names, empty for none."""
    found = products.get(reference(line.get("product_id")) or 0)
    return "" if found is None else sku_of(found)


def line_name(line: Row, products: Products) -> str:
    """Return the name of the product that a record names, else what is written there."""
    found = products.get(reference(line.get("product_id")) or 0)
    return text(line.get("name")) or name_of(line.get("product_id")) if found is None else text(found.get("name"))


def with_taxes(line: Row) -> Any:
    """Return a line's amount, with taxes as the order's total has them."""
    return line.get("price_total", line.get("price_subtotal"))
