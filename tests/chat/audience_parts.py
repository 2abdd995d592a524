"""Audiences for tests: rules given by hand, and outsiders that are known as long as the test runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.access.grants import FULL_GRANT, SHARED_GRANT, Grant, Scope
from bot.access.people import Members, People
from bot.access.policy import AccessPolicy
from bot.cards.notices import WithheldNotice
from bot.cards.view import View
from bot.chat.audiences import Audiences, PlaceReader
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import installed_commands
from bot.outbox.place import Place, PlaceKind
from tests.membership import EverybodyIsMember


@dataclass(slots=True)
class MemoryOutsiders:
    """Implements `bot.chat.audiences.KnownOutsiders`."""

    groups: set[str] = field(default_factory=set)

    def are_in(self, conversation_id: str) -> bool:
        return conversation_id in self.groups

    def note(self, conversation_id: str) -> None:
        self.groups.add(conversation_id)


class NoLanguages:
    """Nobody has chosen a language."""

    def chosen(self, user_id: str) -> str | None:
        return None


def make_people(members: Members | None = None) -> People:
    """Return people among ``members``; without them, everybody is one."""
    known = members or EverybodyIsMember()
    return People(languages=NoLanguages(), default_language="zh_CN", configured_languages={}, directory=known)


def make_audiences(
    policy: AccessPolicy | None = None,
    *,
    people: People | None = None,
    outsiders: MemoryOutsiders | None = None,
) -> Audiences:
    """Return audiences by ``policy``; without it by no rules."""
    rules = policy or AccessPolicy()
    return Audiences(
        policy=lambda: rules,
        people=people or make_people(),
        outsiders=outsiders or MemoryOutsiders(),
        commands=installed_commands(),
    )


def answer_to(
    command: str, grant: Grant = FULL_GRANT, *, view: View | None = None, **reach: tuple[Scope, ...]
) -> PreparedAnswer:
    """Return an answer whose asker sees what they are granted: of the command's own documents, or of those given."""
    shown = reach or {command: grant.scopes}
    return PreparedAnswer(view or WithheldNotice(), command, "answered", grant, reach=shown)


async def reader_by_kind(place: Place, command: str) -> PlaceReader:
    """Return readers who may see what places may see by no rules."""
    return PlaceReader(SHARED_GRANT if place.kind is PlaceKind.GROUP else FULL_GRANT)


async def sees_all(place: Place, command: str) -> PlaceReader:
    """Let every reader see everything."""
    return PlaceReader(FULL_GRANT)
