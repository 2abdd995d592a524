"""Redraws answer cards: asks the same question again for the same person, under the current rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from bot.access.people import People
from bot.chat.answers.probe_results import UNCONFIRMED, ProbeResults
from bot.chat.answers.standing_answers import CardReaders, StandingAnswer, StandingAnswers
from bot.chat.audiences import Audiences
from bot.chat.context import QuestionContext
from bot.chat.message import ConversationKind
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.failures import NO_ANSWER_NOW
from bot.chat.registry import Commands
from bot.outbox.ports import ComposedCard, OwnView, SendFailed, SendFailureKind
from bot.words.disclosure import cut


@dataclass(frozen=True, slots=True)
class AnswerComposer:
    """Composes the cards of standing answers for the outbox, which identifies them by their DingTalk ids.

    ``handler`` answers without counting, since nobody is asking.
    """

    answers: StandingAnswers
    _: KW_ONLY
    handler: QuestionHandler
    commands: Commands
    people: People
    audiences: Audiences
    now: Callable[[], datetime]
    confirmed: Callable[[], ProbeResults] = lambda: UNCONFIRMED

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; nothing for a card no longer kept.

        Raises `SendFailed` while there is no answer: until then the card stays as it is.
        """
        answer = await self.answers.find(ref)
        if answer is None or not self._only_shows(answer.line):
            return ComposedCard(None, 0)
        prepared = await self._ask(answer)
        if prepared.outcome in NO_ANSWER_NOW:
            raise SendFailed(SendFailureKind.UNCOMPOSED, "there is no answer now")
        language = self.people.language(answer.user_id)
        own = cut(prepared.view, prepared.grant.fields)
        if answer.readers is CardReaders.ASKER:
            return ComposedCard(own, answer.revision, language)
        shared = self.audiences.share(own, prepared, answer.conversation.id).view
        arrives = answer.readers is CardReaders.ALL_AND_ASKER and self.confirmed().private_values
        more = (OwnView(answer.user_id, own),) if arrives else ()
        return ComposedCard(shared, answer.revision, language, more)

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Never called: only unseen cards are folded."""
        raise AssertionError("answers stand already")

    def _only_shows(self, line: str) -> bool:
        """Return whether a line only reads: asking again must never change anything."""
        return self.commands.parse(line).command is not None and self.commands.only_asks(line)

    async def _ask(self, answer: StandingAnswer) -> PreparedAnswer:
        person = await self.people.identify(answer.user_id, name="")
        alone_in_group = answer.readers is CardReaders.ASKER and answer.conversation.kind is ConversationKind.GROUP
        context = QuestionContext(
            person=person,
            conversation=answer.conversation,
            line=answer.line,
            offset=answer.first_row,
            now=self.now(),
            # In a group, a card for the asker alone is as private as the answer to a click.
            clicked=alone_in_group,
        )
        return await self.handler.view_for(context)
