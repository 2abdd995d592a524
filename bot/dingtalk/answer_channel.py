"""Sends answers: as a card, else as a plain message, else through the message's own webhook.

The next way is tried only when it is certain that the previous one left nothing in the conversation.
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
    DingTalkTextUnconfirmed,
)
from bot.dingtalk.robot import Robot
from bot.errors import DingerpError
from bot.outbox.spending import Purpose, falling_back, spending

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
        reserved: Callable[[], bool] = lambda: False,
    ) -> None:
        """``sparing`` returns the line in a language that says that the month's calls run out, or None while they last.

        When they run out, the message's own webhook is tried first, for it costs no call
        (docs: platform/dingtalk/robots.md#session-webhooks). While what is left is ``reserved`` for critical cards, it
        is the only way.
        """
        self._cards = cards
        self._robot = robot
        self._keys = keys
        self._templates = templates or TemplateChoice()
        self._now = now
        self._sparing = sparing
        self._reserved = reserved

    async def answer(
        self,
        message: Message,
        card: Card,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Make the card appear where ``message`` was written; see `bot.chat.ports.AnswerChannel`.

        Raises `DingTalkCardUnconfirmed` when the card may be there already: the same ``track_id`` may be tried again.
        Raises `DingTalkTextUnconfirmed` when a text may be there already. When all ways failed, raises an error after
        which a later attempt may work; without one, the webhook's error or, without a valid webhook, the card's.
        """
        group = message.conversation.kind is ConversationKind.GROUP
        with spending(Purpose.QUESTION, message.conversation.id if group else ""):
            return await self._answer(message, card, track_id, before_fallback)

    async def _answer(
        self, message: Message, card: Card, track_id: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> SentAnswer:
        line = self._sparing(card.language)
        if line is not None and await self._answer_unbilled(message, card, line, before_fallback):
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
            except DingTalkOutcomeUnknown as error:
                raise DingTalkCardUnconfirmed(error.detail, code=error.code, request_id=error.request_id) from error
            except DingerpError as error:
                refusal = error
                _log_failed_way(AnswerVia.CARD, card, error)
            else:
                return SentAnswer(AnswerVia.CARD)
        await before_fallback()
        errors = [refusal]
        # A month without calls, refused keys or no token leave no room for another API call.
        if reachable and not isinstance(refusal, DingTalkQuotaExhausted | DingTalkAuthFailed | DingTalkNoToken):
            try:
                with falling_back():
                    await self._send_markdown(message, card, robot_code)
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                errors.append(error)
                _log_failed_way(AnswerVia.MARKDOWN, card, error)
            else:
                return SentAnswer(AnswerVia.MARKDOWN)
        last = refusal
        webhook = message.webhook
        if webhook is not None and webhook.expires_at > self._now():
            try:
                with falling_back():
                    await self._robot.answer_session(webhook, title=card.title, markdown=card.twin)
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                errors.append(last := error)
            else:
                return SentAnswer(AnswerVia.WEBHOOK)
        raise next((error for error in errors if error.retry), last)

    async def _answer_unbilled(
        self, message: Message, card: Card, line: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> bool:
        """Answer through the message's webhook, if it has one; ``line`` says that calls are spared.

        Raises the webhook's error where no other way is allowed.
        """
        webhook = message.webhook
        refusal: DingerpError = DingTalkQuotaExhausted("the last calls of the month are kept for critical cards")
        if webhook is not None and webhook.expires_at > self._now():
            try:
                await before_fallback()
            except AnswerUnconfirmed:
                return False  # an earlier card may be there: only the same card may be tried again
            try:
                with falling_back():
                    await self._robot.answer_session(webhook, title=card.title, markdown=f"{card.twin}\n\n{line}")
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                refusal = error
                _log_failed_way(AnswerVia.WEBHOOK, card, error)
            else:
                return True
        if self._reserved():
            raise refusal
        return False

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


def _text_unconfirmed(error: DingTalkOutcomeUnknown) -> DingTalkTextUnconfirmed:
    return DingTalkTextUnconfirmed(error.detail, code=error.code, request_id=error.request_id)


def _log_failed_way(via: AnswerVia, card: Card, error: DingerpError) -> None:
    _log.warning("answer_way_failed", via=via.value, card=card.name, error=type(error).__name__, detail=error.detail)
