"""Rights that changed while an answer waited to be delivered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import DeniedNotice, ExternalNotice
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.present_rights import PresentRights
from bot.chat.registry import Commands
from bot.words.disclosure import FieldClass
from tests.membership import EverybodyIsMember

from .audience_parts import make_people

ASKED = QuestionContext(
    person=Person(user_id="sales01", name="Anna"),
    conversation=Conversation("cidA==", ConversationKind.GROUP),
    line="/find SO-1",
    now=datetime(2026, 11, 24, tzinfo=UTC),
)


def rules(command: str, **more: object) -> AccessPolicy:
    rule = AccessRule(commands=frozenset({command}), roles=frozenset({"*"}), **more)  # type: ignore[arg-type]
    return AccessPolicy([rule])


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands.discover()


@pytest.mark.parametrize(
    ("command", "now", "is_lost"),
    [
        ("order", rules("order"), False),
        ("order", rules("po", people=frozenset({"boss"})), False),
        ("order", rules("order", fields=frozenset({FieldClass.QUANTITY})), True),
        ("order", rules("order", conversations=frozenset({"cidB=="})), True),
        # What an answer shows besides.
        ("find", rules("order", fields=frozenset({FieldClass.QUANTITY})), True),
        ("find", rules("order", conversations=frozenset({"cidB=="})), True),
    ],
)
async def test_an_answer_that_its_asker_may_no_longer_see_is_lost(
    commands: Commands, command: str, now: AccessPolicy, *, is_lost: bool
) -> None:
    in_force = [AccessPolicy()]
    rights = PresentRights(make_people(), lambda: in_force[-1], commands)
    noted = rights.note(ASKED)
    assert await rights.find_loss(noted, command) is None

    in_force.append(now)
    lost = await rights.find_loss(noted, command)

    assert (lost is not None) is is_lost
    assert lost is None or isinstance(lost.view, DeniedNotice)


async def test_who_has_left_is_told_nothing(commands: Commands) -> None:
    members = EverybodyIsMember()
    rights = PresentRights(make_people(members), AccessPolicy, commands)
    noted = rights.note(ASKED)
    members.left.add("sales01")

    lost = await rights.find_loss(noted, "order")

    assert lost is not None
    assert isinstance(lost.view, ExternalNotice)
