"""The way back to who asked: a card first, then a plain message, then the message's own webhook.

Each next way is taken only when it is certain that the one before left nothing in the conversation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from bot.cards.card import Card
from bot.chat.message import ConversationKind, Message
from bot.chat.ports import AnswerUnconfirmed, AnswerVia, SentAnswer
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice, card_params
from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkCardUnconfirmed,
    DingTalkNoToken,
    DingTalkNotReachable,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
)
from bot.dingtalk.robot import Robot
from bot.errors import DingerpError

_log = structlog.get_logger(__name__)


class DingTalkAnswerChannel:
    """Implements `bot.chat.ports.AnswerChannel`; ``now`` gives an aware time."""

    def __init__(
        self,
        cards: CardApi,
        robot: Robot,
        keys: AppKeys,
        *,
        templates: TemplateChoice | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sparing: Callable[[str], str | None] = lambda language: None,
    ) -> None:
        """``sparing`` returns, while the month's calls run out, the line in that language that says so; else None.

        Then the message's own webhook is the first way, for it costs no call
        (docs: platform/dingtalk/robots.md#session-webhooks).
        """
        self._cards = cards
        self._robot = robot
        self._keys = keys
        self._templates = templates or TemplateChoice()
        self._now = now
        self._sparing = sparing

    async def answer(
        self,
        message: Message,
        card: Card,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Make the card appear where ``message`` was written; see `bot.chat.ports.AnswerChannel`.

        Raises `DingTalkCardUnconfirmed` when the card may stand already: the same ``track_id`` may be tried again.
        Raises `DingTalkOutcomeUnknown` when a text may stand already. When all ways failed, raises the error of one
        that may work later; if there is none, that of the webhook or, if the message has none that still works, of
        the card.
        """
        line = self._sparing(card.language)
        if line is not None and await self._spare(message, card, line, before_fallback):
            return SentAnswer(AnswerVia.WEBHOOK)
        robot_code = self._keys.robot(message.robot_code)
        in_group = message.conversation.kind is ConversationKind.GROUP
        reachable = in_group or message.sender.staff_id is not None
        refusal: DingerpError
        if not reachable:
            refusal = DingTalkNotReachable("a person outside the organisation in a direct chat")
        else:
            try:
                await self._send_card(message, card, track_id, robot_code)
            except DingTalkOutcomeUnknown as trouble:
                raise DingTalkCardUnconfirmed(
                    trouble.detail, code=trouble.code, request_id=trouble.request_id
                ) from trouble
            except DingerpError as trouble:
                refusal = trouble
                _log_failed_way(AnswerVia.CARD, card, trouble)
            else:
                return SentAnswer(AnswerVia.CARD)
        await before_fallback()
        troubles = [refusal]
        # A month without calls, refused keys or no token leave no room for another API call.
        if reachable and not isinstance(refusal, DingTalkQuotaExhausted | DingTalkAuthFailed | DingTalkNoToken):
            try:
                await self._send_markdown(message, card, robot_code)
            except DingTalkOutcomeUnknown:
                raise
            except DingerpError as trouble:
                troubles.append(trouble)
                _log_failed_way(AnswerVia.MARKDOWN, card, trouble)
            else:
                return SentAnswer(AnswerVia.MARKDOWN)
        last = refusal
        webhook = message.webhook
        if webhook is not None and webhook.expires_at > self._now():
            try:
                await self._robot.answer_session(webhook, title=card.title, markdown=card.twin)
            except DingTalkOutcomeUnknown:
                raise
            except DingerpError as trouble:
                troubles.append(last := trouble)
            else:
                return SentAnswer(AnswerVia.WEBHOOK)
        raise next((trouble for trouble in troubles if trouble.retry), last)

    async def _spare(
        self, message: Message, card: Card, line: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> bool:
        """Answer without a call that counts, if the message has a webhook; ``line`` says that calls are spared."""
        webhook = message.webhook
        if webhook is None or webhook.expires_at <= self._now():
            return False
        try:
            await before_fallback()
        except AnswerUnconfirmed:
            return False  # a card of before may stand: only the same card may be tried again
        try:
            await self._robot.answer_session(webhook, title=card.title, markdown=f"{card.twin}\n\n{line}")
        except DingTalkOutcomeUnknown:
            raise
        except DingerpError as trouble:
            _log_failed_way(AnswerVia.WEBHOOK, card, trouble)
            return False
        return True

    async def _send_card(self, message: Message, card: Card, track_id: str, robot_code: str) -> None:
        template = self._templates.of(card.name)
        await self._cards.create_and_deliver(
            track_id=track_id,
            params=card_params(card, template),
            template_id=template.template_id,
            conversation=message.conversation,
            summary=card.title,
            robot_code=robot_code,
            user_id=message.sender.staff_id,
        )

    async def _send_markdown(self, message: Message, card: Card, robot_code: str) -> None:
        group, person = message.conversation, message.sender.staff_id
        if group.kind is ConversationKind.DIRECT and person is not None:
            await self._robot.send_to_people([person], robot_code, title=card.title, markdown=card.twin)
        else:
            await self._robot.send_to_group(group.id, robot_code, title=card.title, markdown=card.twin)


def _log_failed_way(via: AnswerVia, card: Card, trouble: DingerpError) -> None:
    _log.warning(
        "answer_way_failed", via=via.value, card=card.name, error=type(trouble).__name__, detail=trouble.detail
    )
