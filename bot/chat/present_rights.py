"""Checks, at delivery, whether a person still has the rights with which an answer was found.

An answer may wait for an ERP, for its turn, or for DingTalk; meanwhile its asker may have left, or the rules changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bot.access.grants import Grant
from bot.access.people import People
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict
from bot.cards.notices import DeniedNotice
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.failures import QuestionOutcome, refuse
from bot.chat.registry import AnyCommand, Commands
from bot.words.phrase import phrase

CHANGED = phrase("Your rights have changed since you asked. Please ask again.")


@dataclass(frozen=True, slots=True)
class NotedRights:
    """The rules by which a question was answered."""

    context: QuestionContext
    policy: AccessPolicy


@dataclass(frozen=True, slots=True)
class PresentRights:
    """Compares the current rights with those of the question."""

    people: People
    policy: Callable[[], AccessPolicy]
    commands: Commands

    def note(self, context: QuestionContext) -> NotedRights:
        """Return the rights for a later comparison."""
        return NotedRights(context, self.policy())

    async def find_loss(self, noted: NotedRights, command: str) -> PreparedAnswer | None:
        """Return the text that replaces an answer of ``command``; None if its asker still has the same rights."""
        then = noted.context.person
        if then.user_id is None:
            return None
        person = await self.people.identify(then.user_id, name=then.name, is_admin=then.is_admin)
        policy = self.policy()
        if person.is_external:
            return refuse(replace(noted.context, person=person))
        if (person == then and policy is noted.policy) or command not in self.commands:
            return None
        asked = _requests(self.commands[command], noted.context.conversation)
        before = [noted.policy.decide(then, request) for request in asked]
        now = [policy.decide(person, request) for request in asked]
        if _seen(before) == _seen(now):
            return None
        return PreparedAnswer(DeniedNotice(reason=CHANGED), command, QuestionOutcome.DENIED, rule=now[0].rule)


def _requests(command: AnyCommand, where: Conversation) -> list[AccessRequest]:
    """Return the access requests for an answer: its command, and those whose documents it also shows."""
    shown = (AccessRequest(command=each, conversation_id=where.id) for each in command.shows)
    return [command.request(where), *shown]


def _seen(verdicts: Iterable[AccessVerdict]) -> list[tuple[bool, Grant]]:
    return [(verdict.allowed, verdict.grant) for verdict in verdicts]
