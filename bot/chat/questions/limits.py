"""Limits on questions, and the record of what was shown to whom, and what was refused.

It stands between the pipelines of messages and clicks and the dispatcher, so that neither can be bypassed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.access.audit import (
    HIDDEN_DOCUMENT,
    NO_MEMBER,
    AuditEntry,
    AuditKind,
    AuditLog,
    RequiredAudit,
    say_limit,
)
from bot.access.limits import LimitedParty, LimitKind, LimitReached
from bot.access.people import Person
from bot.access.shared_limits import ReaderLimits
from bot.access.shown import find_opened
from bot.cards.notices import DeniedNotice, ExternalNotice, LimitNotice, UnconfirmedNotice
from bot.chat.context import QuestionContext
from bot.chat.message import ConversationKind, Message
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.recording import AnswerRecord
from bot.mechanisms.metrics import Metrics
from bot.words.phrase import Phrase, phrase

LIMITED = "limited"
"""Outcome of a question refused by a limit."""

EXTERNAL = "external"
"""Actor of entries about outsiders without a userId here."""

_WAY_ON = phrase("Lists are shown all the same, and a whole one comes as a file: %(line)s", line="/export order open")

LimitListener = Callable[[QuestionContext, LimitReached], None]
"""Called for every question refused by a limit."""


class LimitedQuestions:
    """A question handler that applies limits and recording around another one."""

    def __init__(
        self,
        handler: QuestionHandler,
        *,
        limits: ReaderLimits,
        writing: Collection[str],
        audit: AuditLog,
        metrics: Metrics,
        reached: LimitListener,
        required: RequiredAudit | None = None,
        records_all: bool = False,
    ) -> None:
        """``writing`` are the commands that change something: their answers are always shown. With ``required`` other
        answers that must be recorded are shown only once that log has stored their entry; with ``records_all`` those
        that show no documents are recorded as well.
        """
        self._handler = handler
        self._limits = limits
        self._writing = writing
        self._audit = audit
        self._record = AnswerRecord(audit, required, records_all)
        self._metrics = metrics
        self._reached = reached
        self._told: dict[tuple[str | None, str], datetime] = {}
        """Who was told where about their limit, and when they may ask again."""

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return self._handler.hint_for(message)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line, unless a limit is exceeded."""
        person, where = _counted_party(context.person), _counted_conversation(context)
        if person is not None:
            reached = await self._limits.take_question(person, where, context.now)
            if reached is not None:
                return self._refuse(context, reached, command="none")
        answer = await self._handler.view_for(context)
        if isinstance(answer.view, DeniedNotice | ExternalNotice | UnconfirmedNotice):
            self._record_refusal(context, answer)
            return answer
        if person is None:
            return answer
        if answer.guessed:
            return await self._take_guess(context, answer, person, where)
        # The rows of a list are not opened documents: the whole list is available as a file.
        opened = find_opened(answer.view) if answer.command not in self._writing else ()
        if opened:
            reached = await self._limits.take_documents(person, where, opened, context.now)
            if reached is not None:
                return self._refuse(context, reached, command=answer.command)
        return await self._record.keep(context, answer)

    async def _take_guess(
        self, context: QuestionContext, answer: PreparedAnswer, person: str, where: str
    ) -> PreparedAnswer:
        """Record a request for a document that may only be hidden from the asker, and count it like a shown one."""
        guess = (answer.guessed,)
        reached = await self._limits.take_documents(person, where, guess, context.now)
        if reached is not None:
            return self._refuse(context, reached, command=answer.command)
        entry = _refusal(context, answer.command, outcome=answer.outcome, rule=answer.rule, detail=str(HIDDEN_DOCUMENT))
        self._audit.record(replace(entry, documents=guess))
        return answer

    def _refuse(self, context: QuestionContext, reached: LimitReached, *, command: str) -> PreparedAnswer:
        self._metrics.limits_reached.labels(reached.kind, reached.whose).inc()
        detail = str(say_limit(reached.allowed))
        self._audit.record(_refusal(context, command, outcome=LIMITED, rule=reached.rule, detail=detail))
        self._reached(context, reached)
        minute = timedelta(minutes=1)
        # Cards show no seconds: a limit that ends within this minute is shown to end with the next.
        until = reached.until.replace(second=0, microsecond=0) + minute
        way = None if reached.kind is LimitKind.QUESTIONS_MINUTE else _WAY_ON
        notice = LimitNotice(reason=_reason(reached), until=until, way=way)
        return PreparedAnswer(notice, command, LIMITED, is_told_already=self._is_told_already(context, reached))

    def _is_told_already(self, context: QuestionContext, reached: LimitReached) -> bool:
        """Return whether this person was already told here about the limit: each repetition would cost a call as well.

        The answer to a click costs none. A limit on documents answers a question, and is said each time.
        """
        if context.clicked or reached.kind is not LimitKind.QUESTIONS_MINUTE:
            return False
        key = context.person.user_id, context.conversation.id
        if (until := self._told.get(key)) is not None and until > context.now:
            return True
        self._told.pop(key, None)
        # The person told longest ago is first: each call removes one expired entry, so that none stay for ever.
        oldest = next(iter(self._told), None)
        if oldest is not None and self._told[oldest] <= context.now:
            del self._told[oldest]
        self._told[key] = reached.until
        return False

    def _record_refusal(self, context: QuestionContext, answer: PreparedAnswer) -> None:
        detail = str(answer.view.reason) if isinstance(answer.view, DeniedNotice) else str(NO_MEMBER)
        self._audit.record(_refusal(context, answer.command, outcome=answer.outcome, rule=answer.rule, detail=detail))


def _refusal(context: QuestionContext, action: str, *, outcome: str, rule: str, detail: str) -> AuditEntry:
    return AuditEntry(
        kind=AuditKind.REFUSAL,
        at=context.now,
        actor=context.person.user_id or context.person.claimed_id or EXTERNAL,
        action=action,
        conversation=context.conversation.id,
        rule=rule,
        outcome=outcome,
        detail=detail,
    )


def _counted_party(person: Person) -> str | None:
    """Return whose questions are counted: a person's, or those of a program that asks for them."""
    return person.key.key if person.key is not None and person.user_id is not None else person.user_id


def _counted_conversation(context: QuestionContext) -> str:
    """Return the group; empty for a person's own chat, where only the person's limits apply."""
    group = context.conversation.kind is ConversationKind.GROUP
    return context.conversation.id if group else ""


def _reason(reached: LimitReached) -> Phrase:
    person, most = reached.whose is LimitedParty.PERSON, reached.allowed
    if reached.whose is LimitedParty.KEY:
        if reached.kind is LimitKind.QUESTIONS_MINUTE:
            return phrase("This key asked %(num)s questions within a minute, which is the limit.", num=most)
        return phrase("This key opened %(num)s documents, which is the limit for now.", num=most)
    match reached.kind:
        case LimitKind.QUESTIONS_MINUTE if person:
            return phrase("You asked %(num)s questions within a minute, which is the limit.", num=most)
        case LimitKind.QUESTIONS_MINUTE:
            return phrase("This group asked %(num)s questions within a minute, which is the limit.", num=most)
        case LimitKind.DOCUMENTS_DAY if person:
            return phrase("You opened %(num)s documents today, which is the limit.", num=most)
        case LimitKind.DOCUMENTS_DAY:
            return phrase("This group opened %(num)s documents today, which is the limit.", num=most)
    minutes = int(reached.row / timedelta(minutes=1))
    if person:
        return phrase(
            "You opened %(num)s documents within %(minutes)s minutes, which is the limit.", num=most, minutes=minutes
        )
    return phrase(
        "This group opened %(num)s documents within %(minutes)s minutes, which is the limit.", num=most, minutes=minutes
    )
