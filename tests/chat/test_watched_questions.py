"""What an administrator is shown of what somebody else would see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.access.audit import AuditKind
from bot.access.grants import EVERYTHING, FULL_GRANT, Grant, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import DeniedNotice, NotRecordedNotice, OutOfDateNotice
from bot.cards.view import View
from bot.chat.answers.watched_questions import WatchedQuestions
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Message
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import Commands
from bot.efficiency.views import AlertEfficiency
from bot.words.disclosure import FieldClass
from tests.recording_audit import RecordingAudit

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
COMMANDS = Commands.discover()
KEEPER = Person(user_id="keeper01", name="王仓")
VIEWER = Person(user_id="it01", name="高翔")
SHANGHAI = Scope(warehouses=frozenset({"SH"}))


@dataclass
class Answering:
    """Answers everything as the person may see it; ``asked`` are the contexts."""

    grant: Grant = FULL_GRANT
    view: View = field(default_factory=OutOfDateNotice)
    asked: list[QuestionContext] = field(default_factory=list)

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        raise NotImplementedError

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        self.asked.append(context)
        return PreparedAnswer(self.view, "order", "answered", self.grant, reach={"order": (EVERYTHING,)})


@dataclass
class Log:
    """Whether what was recorded is written."""

    works: bool = True

    async def written(self) -> bool:
        return self.works

    async def can_write(self) -> bool:
        return self.works


def watched(*rules: AccessRule, handler: Answering, audit: RecordingAudit, log: Log | None = None) -> WatchedQuestions:
    policy = AccessPolicy(rules)
    return WatchedQuestions(handler, audit, log or Log(), COMMANDS, lambda: policy)


def rule(*commands: str, fields: frozenset[FieldClass] | None = None, scope: Scope = EVERYTHING) -> AccessRule:
    return AccessRule(commands=frozenset(commands), people=frozenset({"it01"}), fields=fields, scope=scope)


def context() -> QuestionContext:
    place = Conversation("page", ConversationKind.DIRECT)
    return QuestionContext(person=KEEPER, conversation=place, line="/order SO-1", now=NOW, only_asks=True)


async def test_a_look_is_recorded_as_the_viewers() -> None:
    handler, audit = Answering(), RecordingAudit()
    answer = await watched(rule("people", "order"), handler=handler, audit=audit).view_for(context(), VIEWER)
    assert isinstance(answer.view, OutOfDateNotice)
    (entry,) = audit.entries
    assert (entry.kind, entry.actor, entry.action, entry.detail) == (
        AuditKind.QUESTION,
        "it01",
        "see as",
        "keeper01: /order",
    )
    assert handler.asked[0].person is KEEPER


async def test_nothing_is_shown_that_is_not_written() -> None:
    handler, audit = Answering(), RecordingAudit()
    watching = watched(rule("people", "order"), handler=handler, audit=audit, log=Log(works=False))
    answer = await watching.view_for(context(), VIEWER)
    assert isinstance(answer.view, NotRecordedNotice)
    assert (answer.grant.fields, answer.outcome) == (frozenset(), "not_recorded")


@pytest.mark.parametrize(
    "rules",
    [
        (),
        (rule("order"),),
        (rule("*"),),
        (rule("people"), AccessRule(commands=frozenset({"order"}), people=frozenset({"boss01"}))),
        (rule("people"), rule("order", scope=SHANGHAI)),
    ],
    ids=["nobody", "not people", "not by name", "not the command", "a part of the documents"],
)
async def test_who_may_not_look_sees_nothing(rules: tuple[AccessRule, ...]) -> None:
    answer = await watched(*rules, handler=Answering(), audit=RecordingAudit()).view_for(context(), VIEWER)
    assert isinstance(answer.view, DeniedNotice)
    assert answer.grant.fields == frozenset()


async def test_what_both_may_see_is_shown() -> None:
    own = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
    theirs = Grant(fields=frozenset({FieldClass.QUANTITY, FieldClass.AMOUNT}), scopes=(EVERYTHING,))
    watching = watched(rule("people"), rule("order", fields=own), handler=Answering(theirs), audit=RecordingAudit())
    answer = await watching.view_for(context(), VIEWER)
    assert answer.grant.fields == {FieldClass.QUANTITY}


async def test_nobody_sees_what_somebody_did_by_looking_in_their_place() -> None:
    figures = AlertEfficiency(rows=(), total=0, line="/efficiency", month=NOW.date())
    watching = watched(rule("people", "order"), handler=Answering(view=figures), audit=RecordingAudit())
    answer = await watching.view_for(context(), VIEWER)
    assert "their own eyes" in str(as_denied(answer).reason)


def as_denied(answer: PreparedAnswer) -> DeniedNotice:
    assert isinstance(answer.view, DeniedNotice)
    return answer.view
