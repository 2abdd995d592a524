"""Whom work can be given to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.access.people import DirectoryEntry, People, Person
from bot.chat.colleagues import SEEN_PEOPLE, Colleagues
from bot.chat.context import QuestionContext, place_of, places_of
from bot.chat.message import Conversation, ConversationKind
from bot.outbox.place import Place


class NoLanguages:
    def chosen(self, user_id: str) -> str | None:
        return None


class FakeDirectory:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        self.asked.append(user_id)
        return None if user_id.startswith("gone") else DirectoryEntry(name=user_id.title(), roles=frozenset({"buyer"}))

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        """Nobody needs to be remembered: the entries say who is a member."""


@pytest.fixture
def directory() -> FakeDirectory:
    return FakeDirectory()


@pytest.fixture
def colleagues(directory: FakeDirectory) -> Colleagues:
    people = People(languages=NoLanguages(), default_language="en", configured_languages={}, directory=directory)
    return Colleagues(people, {"buyer": frozenset({"bo", "ann"}), "approver": frozenset({"max", "bo"})})


def context(
    user_id: str | None, conversation: str = "cidA==", kind: ConversationKind = ConversationKind.GROUP
) -> QuestionContext:
    person = Person(user_id=user_id, name="x")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return QuestionContext(person=person, conversation=Conversation(conversation, kind), line="/alerts", now=now)


def test_first_oneself_then_those_met_here_then_the_roles(colleagues: Colleagues) -> None:
    for user_id, where in (("carl", "cidA=="), ("dora", "cidA=="), ("eve", "cidB=="), (None, "cidA==")):
        colleagues.record_seen(context(user_id, where))
    assert colleagues.candidates(context("dora")) == ("dora", "carl", "bo", "max", "ann")
    assert colleagues.candidates(context("ann", "cidC==")) == ("ann", "bo", "max")


def test_so_many_are_remembered_at_one_place(colleagues: Colleagues) -> None:
    for number in range(SEEN_PEOPLE + 10):
        colleagues.record_seen(context(f"u{number}"))
    met = colleagues.candidates(context("me"))
    assert len(met) == 1 + SEEN_PEOPLE + 3
    assert "u0" not in met
    assert f"u{SEEN_PEOPLE + 9}" in met


async def test_names_are_looked_up_only_for_those_who_are_shown(
    colleagues: Colleagues, directory: FakeDirectory
) -> None:
    people = await colleagues.lookup(("bo", "gone1", "max"))
    assert [(person.user_id, person.name) for person in people] == [("bo", "Bo"), ("max", "Max")]
    assert sorted(directory.asked) == ["bo", "gone1", "max"]


def test_a_question_stands_in_a_group_or_in_ones_own_chat() -> None:
    group, own = Place.parse("group:cidA=="), Place.parse("person:ann")
    assert place_of(context("ann")) == group
    assert places_of(context("ann")) == (group, own)
    direct = context("ann", "cidDirect==", ConversationKind.DIRECT)
    assert place_of(direct) == own
    assert places_of(direct) == (own,)
