"""What several replicas remember of an asker: read before each question, and stored after it.

The asker's next question may reach another replica as soon as the answer is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from bot.chat.context import QuestionContext
from bot.chat.message import Message
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.dialogues import Dialogues
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


class SharedLanguages(Protocol):
    """The languages that people chose at any replica."""

    async def refresh(self, user_id: str) -> None:
        """Read a person's choice. May raise a `DingerpError`."""
        ...


class RememberingQuestions:
    """A question handler that shares what another one remembers. Without the store it goes on with what it knows."""

    def __init__(
        self,
        handler: QuestionHandler,
        languages: SharedLanguages,
        language_of: Callable[[str], str],
        dialogues: Dialogues | None,
    ) -> None:
        """``language_of`` returns a person's language, by what ``languages`` know."""
        self._handler = handler
        self._languages = languages
        self._language_of = language_of
        self._dialogues = dialogues

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return self._handler.hint_for(message)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line."""
        answer = await self._handler.view_for(await self._refreshed(context))
        if self._dialogues is not None:
            await self._dialogues.save()
        return answer

    async def _refreshed(self, context: QuestionContext) -> QuestionContext:
        if (user_id := context.person.user_id) is None:
            return context
        try:
            await self._languages.refresh(user_id)
            if self._dialogues is not None:
                await self._dialogues.refresh(context)
        except DingerpError as error:
            log.warning("memory.not_read", error=type(error).__name__, detail=error.detail)
        return replace(context, person=replace(context.person, language=self._language_of(user_id)))
