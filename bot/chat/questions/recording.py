"""Records answers that show documents, whether for a person, a subscription, or a redrawn card."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.access.audit import AuditEntry, AuditKind, AuditLog, NotRecorded, RequiredAudit, say_key
from bot.access.shown import find_shown
from bot.cards.notices import NotRecordedNotice
from bot.chat.context import QuestionContext
from bot.chat.message import Message
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.failures import QuestionOutcome


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """The destination of records. With ``required`` no answer is shown whose entry that log has not stored.

    ``every`` answer is recorded, also what shows no documents: where programs ask.
    """

    audit: AuditLog
    required: RequiredAudit | None = None
    every: bool = False

    async def keep(self, context: QuestionContext, answer: PreparedAnswer) -> PreparedAnswer:
        """Record an answer if it shows documents; return it, or why it is not shown."""
        person = context.person.user_id
        classes, documents = find_shown(answer.view)
        if person is None or answer.guessed or not (documents or classes or self.every):
            return answer
        self.audit.record(
            AuditEntry(
                kind=AuditKind.QUESTION,
                at=context.now,
                actor=person,
                action=answer.command,
                conversation=context.conversation.id,
                documents=documents,
                shown=tuple(sorted(classes & answer.grant.fields)),
                rule=answer.rule,
                outcome=answer.outcome,
                detail=str(say_key(context.person.key.key)) if context.person.key else answer.general,
            )
        )
        # A change is reported in any case.
        if answer.changes or self.required is None or await self.required.written():
            return answer
        notice = NotRecordedNotice(problem=NotRecorded().tell(), line=context.line)
        return PreparedAnswer(notice, answer.command, QuestionOutcome.NOT_RECORDED)


@dataclass(frozen=True, slots=True)
class RecordedQuestions:
    """A question handler that records around another one: for answers that nobody asks for."""

    handler: QuestionHandler
    record: AnswerRecord

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return self.handler.hint_for(message)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line, and record the documents shown."""
        return await self.record.keep(context, replace(await self.handler.view_for(context), general=""))
