"""Cards for one person besides the group's card: in the group with that person as the only recipient, or in their own
chat with the bot (docs: platform/dingtalk/cards.md#spaces).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from bot.cards.card import Card
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CardApi, CardSpace
from bot.dingtalk.card_wire import TemplateChoice, card_params, changed_params
from bot.dingtalk.errors import DingTalkCardUnconfirmed, DingTalkOutcomeUnknown
from bot.words.phrase import Phrase, phrase

ONLY_YOU = phrase("An answer that only you can see")
"""Preview and notification of a card for the asker alone: whether others see them is not documented
(docs: platform/dingtalk/cards.md#spaces)."""


class PrivateWay(StrEnum):
    """How an asker in a group gets content that the group may not see; each way costs one call."""

    RECIPIENTS = "recipients"
    """A card in the group for the asker alone."""
    PRIVATE_DATA = "private_data"
    """The group's card, with private values for the asker."""
    DIRECT = "direct"
    """A card in the asker's own chat with the bot, and a line in the group."""


class DingTalkOwnCards:
    """The channel for own cards; ``say`` translates a phrase into a language."""

    def __init__(
        self,
        cards: CardApi,
        keys: AppKeys,
        *,
        templates: TemplateChoice | None = None,
        way: PrivateWay = PrivateWay.RECIPIENTS,
        say: Callable[[str, Phrase], str] = lambda language, words: str(words),
    ) -> None:
        """Of the ways, only `PrivateWay.DIRECT` leaves the group."""
        self._cards = cards
        self._keys = keys
        self._templates = templates or TemplateChoice()
        self._in_own_chat = way is PrivateWay.DIRECT
        self._say = say

    async def show(self, card: Card, *, user_id: str, where: Conversation, track_id: str) -> None:
        """Send a card to one person; raises `DingTalkCardUnconfirmed` if it may be there."""
        in_group = where.kind is ConversationKind.GROUP and not self._in_own_chat
        template = self._templates.of(card.name)
        try:
            await self._cards.create_and_deliver(
                track_id=track_id,
                params=card_params(card, template),
                template_id=template.template_id,
                spaces=[CardSpace(where if in_group else Conversation(where.id, ConversationKind.DIRECT), user_id)],
                summary=self._say(card.language, ONLY_YOU) if in_group else card.title,
                robot_code=self._keys.robot_code,
                recipients=(user_id,) if in_group else (),
            )
        except DingTalkOutcomeUnknown as error:
            raise DingTalkCardUnconfirmed(error.detail, code=error.code, request_id=error.request_id) from error

    async def change(self, card: Card, *, track_id: str, made_as: str) -> None:
        """Update such a card; idempotent."""
        try:
            await self._cards.update(track_id, changed_params(card, self._templates.of(made_as), made_as))
        except DingTalkOutcomeUnknown as error:
            raise DingTalkCardUnconfirmed(error.detail, code=error.code, request_id=error.request_id) from error
