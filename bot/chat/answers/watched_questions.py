"""What somebody else would see of a line, shown to an administrator: recorded first, and no more than they may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.access.audit import AuditEntry, AuditKind, AuditLog, NotRecorded, RequiredAudit
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict
from bot.access.shown import find_shown
from bot.cards.notices import DeniedNotice, NotRecordedNotice
from bot.chat.context import QuestionContext
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.failures import QuestionOutcome
from bot.chat.registry import Commands
from bot.words.phrase import phrase

PEOPLE = "people"
"""The command whose users may look on."""
SEEN_AS = "see as"
"""The action in the audit log."""

_PARTLY = phrase("You may see only some of these documents yourself, so not what others see of them.")

_THEIRS = phrase("What somebody did is for their own eyes: it is shown to nobody in their place.")


@dataclass(frozen=True, slots=True)
class WatchedQuestions:
    """``handler`` neither counts nor records, and lets no line change anything."""

    handler: QuestionHandler
    audit: AuditLog
    stored: RequiredAudit
    commands: Commands
    policy: Callable[[], AccessPolicy]

    async def view_for(self, context: QuestionContext, viewer: Person) -> PreparedAnswer:
        """Return what the person of a context would see, cut to what the viewer may see as well."""
        policy = self.policy()
        own = policy.decide(viewer, AccessRequest(command=PEOPLE, reserved=True))
        if not own.allowed or viewer.user_id is None:
            return _denied(PEOPLE, own)
        answer = await self.handler.view_for(context)
        answer = self._within(answer, viewer, policy)
        classes, documents = find_shown(answer.view)
        entry = AuditEntry(
            kind=AuditKind.QUESTION,
            at=context.now,
            actor=viewer.user_id,
            action=SEEN_AS,
            conversation=context.conversation.id,
            documents=documents,
            shown=tuple(sorted(classes & answer.grant.fields)),
            rule=answer.rule,
            outcome=answer.outcome,
            detail=f"{context.person.user_id}: /{answer.command}",
        )
        self.audit.record(entry)
        if await self.stored.written():
            return answer
        notice = NotRecordedNotice(problem=NotRecorded().tell(), line=context.line)
        return PreparedAnswer(notice, answer.command, QuestionOutcome.NOT_RECORDED)

    def _within(self, answer: PreparedAnswer, viewer: Person, policy: AccessPolicy) -> PreparedAnswer:
        """Return an answer with the fields that both may see; a refusal where the viewer sees other documents."""
        command = self.commands.get(answer.command)
        if command is None:
            return answer
        if answer.view.tells_of_asker:
            return _denied(command.name, AccessVerdict(False, _THEIRS))
        own = policy.decide(viewer, command.request())
        if not own.allowed:
            return _denied(command.name, own)
        areas = [each for each in answer.reach if answer.reach[each]]
        if not policy.sees_all(viewer, areas):
            return _denied(command.name, AccessVerdict(False, _PARTLY))
        grants = [own.grant, *(policy.decide_area(viewer, each).grant for each in areas)]
        fields = answer.grant.fields.intersection(*(grant.fields for grant in grants))
        return replace(answer, grant=replace(answer.grant, fields=fields))


def _denied(command: str, verdict: AccessVerdict) -> PreparedAnswer:
    return PreparedAnswer(DeniedNotice(reason=verdict.reason, ask=verdict.ask), command, QuestionOutcome.DENIED)
