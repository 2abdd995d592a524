"""Documents that are begun from outside the ERP."""

from __future__ import annotations

from dataclasses import dataclass

from bot.erp.model.values import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """How much of a product, in the product's own unit."""

    sku: str
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDraft:
    """What a document is to be made of; prices and everything else are the ERP's own."""

    kind: str
    """The command of the document's kind (`bot.erp.kinds.kind.Kind.command`)."""
    partner: str
    """The code of the customer or vendor."""
    lines: tuple[DraftLine, ...]
    mark: str
    """Stands in the document's reference, so that it is found again: each draft has one of its own."""
    by: str
    """The ERP user on whose behalf it is created."""
