"""The port that every adapter implements. A *source* is one configured ERP instance.

All calls may raise the classes of `bot.erp.errors` and nothing else. Reads may be repeated freely; `Erp.decide` acts
once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from bot.erp.capabilities import BY_PRODUCT as BY_PRODUCT
from bot.erp.capabilities import COMMON as COMMON
from bot.erp.capabilities import GOODS as GOODS
from bot.erp.capabilities import PARTNER_READS as PARTNER_READS
from bot.erp.capabilities import Capability as Capability
from bot.erp.kinds import PURCHASE_ORDERS, D, Kind
from bot.erp.list_query import NEWEST_FIRST as NEWEST_FIRST
from bot.erp.list_query import UNCHANGING as UNCHANGING
from bot.erp.list_query import Filter as Filter
from bot.erp.list_query import ListQuery as ListQuery
from bot.erp.list_query import Period as Period
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    ErpUser,
    Feed,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)


class Erp(Protocol):
    """One ERP of any vendor. Codes and numbers are compared ignoring case."""

    name: str
    """The source's name in the configuration."""
    capabilities: frozenset[Capability]

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name, spec or barcode contains ``text``, best match first; may be empty."""
        ...

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock; raises `NotFound`."""
        ...

    async def document(self, kind: Kind[D], number: str) -> D:
        """Return one document with all that it holds, or one partner, disabled ones included; raises `NotFound`."""
        ...

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return a part of a list, without what documents hold, but for the lines of `ListQuery.product`.

        It supports the filters of the kind; partners are those that are active, by their codes. What was finished on
        some days is `Unsupported` where the ERP does not offer `Capability.FINISHED_DAYS`.
        """
        ...

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[D, ...]:
        """Return the deliveries of a sales order or the receipts of a purchase order with their lines, oldest first.

        An order may have none; raises `NotFound` for no such order. A receipt of several orders is told whole for each
        of them.
        """
        ...

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject one revision of a document, once, and read it again.

        Raises `Unavailable` only if nothing was written; a timeout of the write is `DecisionOutcome.UNKNOWN`.
        """
        ...

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes after ``cursor`` (empty: from the beginning), oldest first."""
        ...

    async def check(self) -> None:
        """Connect to the ERP and log in; raises the errors that a read would raise."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@runtime_checkable
class ProductBatches(Protocol):
    """What an adapter may offer besides the port, so that an index of all products costs few calls."""

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return the products with these codes, each as `Erp.changed_since` spells it.

        A product that is not returned has been deleted, archived or disabled.
        """
        ...


@runtime_checkable
class ErpUsers(Protocol):
    """What an adapter may offer besides the port, so that people's accounts are found by what both sides know."""

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the accounts of people, without those of programs such as the bot's own."""
        ...


@runtime_checkable
class FeedReader(Protocol):
    """What an adapter may offer besides the port, so that bills, payments and deliveries are kept as well."""

    @property
    def feeds(self) -> frozenset[Feed]:
        """Return those whose changes it tells."""
        ...

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes as `Erp.changed_since` does, of feeds as well."""
        ...


@runtime_checkable
class KindDecisions(Protocol):
    """What an adapter may offer besides the port that decides more than purchase orders."""

    @property
    def decides(self) -> Mapping[str, frozenset[Verdict]]:
        """Return the verdicts that are taken besides those on purchase orders, by the command of the kind.

        It lists what waits of these kinds by `Filter.PENDING`, tells the `Review` of each, and takes decisions on it.
        """
        ...


@runtime_checkable
class Creates(Protocol):
    """What an adapter may offer besides the port, so that documents are begun in the ERP."""

    @property
    def creates(self) -> frozenset[str]:
        """Return the commands of the kinds whose documents it creates."""
        ...

    async def create(self, draft: DocumentDraft) -> ErpRecord:
        """Create a document that the ERP still has to confirm, and return it as it reads then.

        One with the same mark is returned in place of a second one. Raises `NotFound` for what the draft names and the
        ERP does not have, `Invalid` and `NotPermitted` as it refuses, `Unavailable` only if nothing was written; a
        write that is in doubt is `UnknownOutcome`.
        """
        ...

    async def find_created(self, kind: Kind[D], mark: str) -> D | None:
        """Return the document that was created with a mark; None if there is none (yet)."""
        ...


def does_create(erp: Erp, kind: Kind[Any]) -> bool:
    """Return whether documents of a kind can be created at an ERP and then be read."""
    return isinstance(erp, Creates) and kind.command in erp.creates and kind.capability in erp.capabilities


def verdicts_on(erp: Erp, kind: Kind[Any]) -> frozenset[Verdict]:
    """Return which verdicts an ERP takes on documents of a kind; none where it does not let decide them."""
    known = erp.decides.get(kind.command) if isinstance(erp, KindDecisions) else None
    if known is not None and kind.capability in erp.capabilities:
        return known
    if kind != PURCHASE_ORDERS:
        return frozenset()
    return verdicts_among(erp.capabilities)


def verdicts_among(capabilities: Collection[Capability | None]) -> frozenset[Verdict]:
    """Return the verdicts on purchase orders that some capabilities offer."""
    offered = {Verdict.APPROVE: Capability.APPROVE, Verdict.REJECT: Capability.REJECT}
    return frozenset(verdict for verdict, capability in offered.items() if capability in capabilities)


@runtime_checkable
class DocumentBatches(Protocol):
    """What an adapter may offer besides the port, so that keeping all documents with their lines costs few calls."""

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return the documents with these numbers, each with its lines, of an area or of a feed that it tells.

        Numbers are as the adapter's own lists and changes spell them; a document that is not returned is gone.
        Raises `Unsupported` for a kind of document that the adapter does not read.
        """
        ...
