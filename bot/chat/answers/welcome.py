"""The welcome: the first answer in a conversation suggests three things to try, which fit the person's role.

DingTalk does not report that a bot joined a group or that a person opened its chat (docs:
platform/dingtalk/messages.md#no-event-for-joining), so the first message is the occasion. The three are part of its
answer, because a separate card would cost a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.context import QuestionContext
from bot.chat.questions.first_questions import first_questions
from bot.chat.registry import Commands
from bot.mechanisms.recency import RecentItems
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000


class WelcomeStore(Protocol):
    """Stores the first message of each conversation across restarts; may raise a `DingerpError`."""

    async def claim(self, conversation_id: str, msg_id: str) -> str:
        """Return the first message of a conversation: this one, if none was stored before."""
        ...


class Welcomes:
    """Decides who is welcomed: each conversation once, with the answer to its first message."""

    def __init__(self, store: WelcomeStore, commands: Commands, policy: Callable[[], AccessPolicy]) -> None:
        self._store = store
        self._commands = commands
        self._policy = policy
        self._first: RecentItems[str, str] = RecentItems(_REMEMBERED)

    async def tries_for(self, msg_id: str, context: QuestionContext) -> tuple[Button, ...]:
        """Return the three things to try; empty except for the first message, or while the store is unavailable."""
        conversation_id = context.conversation.id
        first = self._first.get(conversation_id)
        if first is None:
            try:
                first = await self._store.claim(conversation_id, msg_id)
            except DingerpError as error:
                log.warning("welcome.not_kept", error=type(error).__name__, detail=error.detail)
                return ()
            self._first.put(conversation_id, first)
        return self._tries(context) if first == msg_id else ()

    def _tries(self, context: QuestionContext) -> tuple[Button, ...]:
        policy = self._policy()
        usable = {command.name for command in self._commands.usable(policy, context)}
        person = context.person
        fitting = first_questions(policy.roles_of(person), person.department_names, usable)
        return tuple(Button(question.label, Ask(question.line)) for question in fitting)
