"""Top boxes of groups (吊顶): a card that stays until it is closed.

Docs: platform/dingtalk/cards.md#spaces
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.dingtalk.card_api import CARD_GONE, CardApi
from bot.dingtalk.card_wire import TemplateChoice, card_params
from bot.dingtalk.errors import DingTalkRefused
from bot.dingtalk.send_failures import translating_errors
from bot.outbox.place import PlaceKind
from bot.outbox.ports import MarkerRequest, MarkerState, SendFailed, SendFailureKind

_LIFE = timedelta(days=7)
"""The lifetime of a box, which DingTalk requires."""
_OPEN, _CLOSED = MarkerState.OPEN.value, "closed"


class TopBoxKeeper:
    """Keeps one box per card, with the card as it was when the box was opened."""

    def __init__(self, cards: CardApi, templates: TemplateChoice, now: Callable[[], datetime]) -> None:
        self._cards = cards
        self._templates = templates
        self._now = now

    async def keep(self, asked: MarkerRequest) -> str:
        """Open or close it; no call if it is in the wanted state."""
        if asked.place.kind is not PlaceKind.GROUP:
            raise SendFailed(SendFailureKind.HOPELESS, "only groups have a top")
        if asked.marker.state is MarkerState.OPEN:
            return asked.standing or await self._open(asked)
        may_stand = asked.standing == _OPEN or (asked.doubtful and not asked.standing)
        return await self._close(asked) if may_stand else asked.standing

    async def _open(self, asked: MarkerRequest) -> str:
        template = self._templates.of(asked.card.name)
        with translating_errors():
            await self._cards.create_on_top(
                track_id=asked.track_id,
                params=card_params(asked.card, template),
                template_id=template.template_id,
                conversation_id=asked.place.id,
                until=self._now() + _LIFE,
            )
        return _OPEN

    async def _close(self, asked: MarkerRequest) -> str:
        with translating_errors():
            try:
                await self._cards.close_top(asked.track_id, asked.place.id)
            except DingTalkRefused as refusal:
                if refusal.code != CARD_GONE:
                    raise
        return _CLOSED
