"""Which parties are customers and which are vendors: Tryton's parties are neither, so their documents tell.

Docs: platform/erp/tryton.md#partners
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.erp import listing
from bot.erp.listing import Listing
from bot.erp.tryton.client import Account, Domain, Row

_LEDGER = "account.general_ledger.account.party"
_PAGE = 200
"""Documents of unknown parties that are read at once; each page makes at least one of them known."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the company's business: the kind of its accounts, the model of its orders, the type of invoices."""

    account: str
    order: str
    invoice: str

    @property
    def accounts(self) -> Domain:
        """The conditions for its accounts in the ledger."""
        return [[f"account.type.{self.account}", "=", True], ["party", "!=", None]]

    @property
    def invoices(self) -> Domain:
        """The conditions for its invoices."""
        return [["type", "=", self.invoice]]


SIDES: Mapping[Listing[Any], Side] = {
    listing.CUSTOMERS: Side("receivable", "sale.sale", "out"),
    listing.VENDORS: Side("payable", "purchase.purchase", "in"),
}


async def is_on(account: Account, side: Side, party: int) -> bool:
    """Return whether there is anything of a party on this side."""
    its: Domain = [["party", "=", party]]
    found = await asyncio.gather(
        account.search(_LEDGER, [*side.accounts, *its], ("party",), limit=1),
        account.search(side.order, its, ("party",), limit=1),
        account.search("account.invoice", [*side.invoices, *its], ("party",), limit=1),
    )
    return any(found)


async def read_parties(account: Account, side: Side) -> list[int]:
    """Return the ids of the parties on this side: those in the ledger, and those with documents that are not booked."""
    booked = _parties(await account.search(_LEDGER, side.accounts, ("party",)))
    others = await asyncio.gather(
        _read_others(account, side.order, [], booked),
        _read_others(account, "account.invoice", side.invoices, booked),
    )
    return sorted(booked.union(*others))


async def _read_others(account: Account, model: str, domain: Domain, known: Collection[int]) -> set[int]:
    found: set[int] = set()
    while True:
        unknown: Domain = [*domain, ["party", "not in", sorted({*known, *found})]]
        rows = await account.search(model, unknown, ("party",), limit=_PAGE)
        found |= _parties(rows)
        if len(rows) < _PAGE:
            return found


def _parties(rows: Collection[Row]) -> set[int]:
    return {row["party"] for row in rows if row["party"] is not None}
