"""Tells administrators in chat which rights an edit of the access rules has opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from bot.cards.notices import OpenedRules
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.phrase import Phrase, pack_words, unpack_words

OPENED_RULES: Final = "opened_rules"
"""Kind of the deliveries."""

_ONLY_REVISION = 1
_MOST_LINES = 12
"""Lines per card; the audit log has all of them."""


def owed_openings(
    file: str, digest: str, openings: Sequence[Phrase], places: Sequence[Place], now: datetime
) -> tuple[Delivery, ...]:
    """Return the cards to queue for an edit; ``digest`` is that of the current file."""
    lines = [pack_words(each) for each in openings[:_MOST_LINES]]
    ref = orjson.dumps([file, lines, max(0, len(openings) - _MOST_LINES)]).decode()
    return tuple(
        Delivery(
            card=f"{OPENED_RULES}:{digest[:16]}:{now:%Y%m%dT%H%M%S}:{place}",
            place=place,
            kind=OPENED_RULES,
            ref=ref,
            revision=_ONLY_REVISION,
            urgency=Urgency.NOW,
            due_at=now,
        )
        for place in places
    )


class OpenedRulesComposer(SingleCardComposer):
    """A `bot.outbox.ports.Composer` whose ``ref`` holds the whole card, which never changes."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card."""
        file, lines, more = orjson.loads(ref)
        return ComposedCard(OpenedRules(file=file, lines=tuple(map(unpack_words, lines)), more=more), _ONLY_REVISION)
