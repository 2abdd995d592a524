"""Mentions (@) of people in a card (docs: platform/dingtalk/cards.md#mentions)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.cards.budget import Budget
from bot.cards.card import Card
from bot.cards.escape import escape_text

_MAX_NAME = 20
_PLAIN_ID = re.compile(r"[\w.@-]{1,64}")


def can_be_called(user_id: str) -> bool:
    """Return whether a userId is allowed in a markdown tag."""
    return _PLAIN_ID.fullmatch(user_id) is not None


def naming(card: Card, called: Mapping[str, str], budget: Budget) -> Card:
    """Return a card whose first line names the people it mentions; unchanged if that does not fit."""
    if not called:
        return card
    names = " ".join([f"<a atId={user_id}>@{escape_text(name, _MAX_NAME)}</a>" for user_id, name in called.items()])
    body = f"{names}\n\n{card.body}"
    return card.with_body(body) if budget.holds(body) else card
