"""The views that answers may hold: each class that a command or a plug-in returns, one for the name of each card."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cards.view import View
from bot.chat.document_views import view_of_list, view_of_one
from bot.chat.records.order_moves import view_of_moves
from bot.erp.kinds import KINDS


def known_views() -> tuple[type[View], ...]:
    """Return the classes of all views, in the order of their names."""
    found = _by_card()
    return tuple(found[card] for card in sorted(found))


def view_of_card(card: str) -> type[View]:
    """Return the class of the views that a card is drawn of."""
    return _by_card()[card]


def _by_card() -> dict[str, type[View]]:
    for kind in KINDS:
        # Those that nobody wrote are made when they are first asked for.
        view_of_list(kind)
        view_of_one(kind)
        if kind.order_call:
            view_of_moves(kind)
    return {view.card: view for view in _subclasses(View) if isinstance(getattr(view, "card", None), str)}


def _subclasses(cls: type[View]) -> Iterator[type[View]]:
    for each in cls.__subclasses__():
        yield from _subclasses(each)
        # A dataclass with slots is made anew; the class it was made of lives on until it is collected.
        if "__slots__" in vars(each) and "__dataclass_fields__" in vars(each):
            yield each
