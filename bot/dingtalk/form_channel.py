"""Sends forms: each a card for one person, using the configured template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.cards.card import CardForm
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CardApi, CardSpace
from bot.dingtalk.errors import DingTalkAccessDenied, DingTalkDeliveryFailed, DingTalkOutcomeUnknown, DingTalkRefused
from bot.dingtalk.form_wire import form_params
from bot.outbox.spending import Purpose, spending
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

TO_FILL_IN = phrase("To fill in")
"""Shown beside the title of a pending form."""
A_FORM_FOR_YOU = phrase("A form that only you can see")
"""Preview and notification: whether others see them is not documented (docs: platform/dingtalk/cards.md#spaces)."""

REFUSED_FOR = timedelta(hours=1)
"""How long no form is tried after DingTalk refused the template, which not every organisation may use."""
_TRIES = 2
"""A form with an unknown outcome is sent once more: the same id creates no second one."""


class DingTalkFormChannel:
    """The channel for forms; ``say`` translates a phrase into a language.

    ``spared``: calls are scarce, and a form costs one. ``in_own_chat``: private content goes into the person's own chat
    with the bot, not into the group.
    """

    def __init__(
        self,
        cards: CardApi,
        keys: AppKeys,
        *,
        template_id: str,
        say: Callable[[str, Phrase], str],
        now: Callable[[], datetime],
        spared: Callable[[], bool],
        in_own_chat: bool = False,
    ) -> None:
        self._cards = cards
        self._keys = keys
        self._template_id = template_id
        self._say = say
        self._now = now
        self._spared = spared
        self._in_own_chat = in_own_chat
        self._refused_until: datetime | None = None

    async def show(self, form: CardForm, *, user_id: str, where: Conversation, track_id: str) -> bool:
        """Send a form to one person; see `bot.chat.answers.forms.FormChannel`."""
        if self._spared() or (self._refused_until is not None and self._now() < self._refused_until):
            return False
        in_group = where.kind is ConversationKind.GROUP
        with spending(Purpose.QUESTION, where.id if in_group else ""):
            for _ in range(_TRIES):
                try:
                    await self._send(form, user_id, where, track_id)
                except DingTalkOutcomeUnknown as error:
                    _log_not_shown(error)
                except DingerpError as error:
                    _log_not_shown(error)
                    if _is_about_template(error):
                        self._refused_until = self._now() + REFUSED_FOR
                    return False
                else:
                    return True
        return False

    async def _send(self, form: CardForm, user_id: str, where: Conversation, track_id: str) -> None:
        in_group = where.kind is ConversationKind.GROUP and not self._in_own_chat
        await self._cards.create_and_deliver(
            track_id=track_id,
            params=form_params(form, self._say(form.language, TO_FILL_IN)),
            template_id=self._template_id,
            spaces=[CardSpace(where if in_group else Conversation(where.id, ConversationKind.DIRECT), user_id)],
            summary=self._say(form.language, A_FORM_FOR_YOU),
            robot_code=self._keys.robot(""),
            recipients=(user_id,) if in_group else (),
        )


def _is_about_template(error: DingerpError) -> bool:
    """Return whether every other person's form would fail too."""
    refused = isinstance(error, DingTalkRefused | DingTalkAccessDenied)
    return refused and not isinstance(error, DingTalkDeliveryFailed)


def _log_not_shown(error: DingerpError) -> None:
    log.warning("form.not_shown", error=type(error).__name__, detail=error.detail)
