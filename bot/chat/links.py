"""Buttons that lead from a record to what else the ERP tells of it or of its partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.parsing import command_line
from bot.chat.view_parts import Freshness
from bot.erp.answer import BETWEEN_SOURCES
from bot.erp.books import MARK
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import FOLLOWED, KINDS, D, Kind
from bot.erp.port import Capability
from bot.words.phrase import phrase

_LINKS = {
    **{kind.command: (kind.capability, kind.words.many) for kind in KINDS},
    "arrivals": (Capability.ARRIVALS, phrase("On its way")),
    "price": (Capability.PRICES, phrase("Prices")),
    "product": (Capability.PRODUCT_DETAILS, phrase("Product")),
    "shortage": (Capability.SHORTAGES, phrase("Shortages")),
    "stock": (Capability.STOCK, phrase("Stock")),
    "why": (Capability.STOCK, phrase("What is missing")),
}
"""What a command asks the ERP for, and what its button is called."""


def unanswered(erp: ErpHub) -> frozenset[tuple[str, str]]:
    """Return each command with each source that has no answer to it."""
    return frozenset(
        (command, source)
        for command, (capability, _) in _LINKS.items()
        for source in erp.sources
        if not erp.offers(capability, at=(source,))
    )


def sources_of(view: View) -> tuple[str, ...]:
    """Return the sources that all of a view is from; none where they are not known."""
    if view.books:
        return tuple(word.removeprefix(MARK) for word in view.books)
    if view.origin:
        return (view.origin,)
    seen = getattr(view, "freshness", None)
    return tuple(filter(None, seen.source.split(BETWEEN_SOURCES))) if isinstance(seen, Freshness) else ()


def offered(erp: ErpHub, *commands: str, of: Answer[Any]) -> tuple[str, ...]:
    """Return those of the commands that a source can answer that has what is shown.

    A button must not lead to a refusal, nor to a source that knows nothing of it.
    """
    return tuple(command for command in commands if erp.offers(_LINKS[command][0], at=of.sources))


_FOUND_BY_ORDER = {kind.command: kind.origin.command for kind in FOLLOWED if kind.origin and kind.order_call}
"""The commands that show what was moved for an order, with that which shows the order."""


def links_of(kind: Kind[D], erp: ErpHub, *, of: Answer[D]) -> tuple[str, ...]:
    """Return the commands that a card of a kind leads to, as far as a source that has its document can answer them."""
    leads = dict.fromkeys(lead.command for lead in (*kind.cards.tells, *kind.cards.about))
    found = offered(erp, *leads, of=of)
    return tuple(each for each in found if offered(erp, _FOUND_BY_ORDER.get(each, each), of=of))


_LISTED_BY_PRODUCT = {
    kind.command: (kind.by_product, kind.words.open) for kind in FOLLOWED if kind.by_product and kind.words.open
}
"""The commands whose open lists may be those of a product."""


def offered_by_product(erp: ErpHub, *, of: Answer[Any]) -> tuple[str, ...]:
    """Return the commands that can list the documents of a product, at a source that has it."""
    return tuple(
        command for command, (capability, _) in _LISTED_BY_PRODUCT.items() if erp.offers(capability, at=of.sources)
    )


def product_document_buttons(commands: Iterable[str], sku: str) -> Sequence[Button]:
    """Return a button for each command that asks it for the open documents of a product."""
    return [Button(_LISTED_BY_PRODUCT[command][1], Ask(command_line(command, "open", sku))) for command in commands]


def more_buttons(commands: Iterable[str], word: str) -> Sequence[Button]:
    """Return a button for each command that asks it about ``word``, such as a number or a partner."""
    return [Button(_LINKS[command][1], Ask(command_line(command, word))) for command in commands] if word else []
