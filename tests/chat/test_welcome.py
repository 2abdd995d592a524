"""Newcomers are shown three things to try, once in each conversation, with the answer to its first message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.actions import Ask
from bot.chat.answers.welcome import Welcomes
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import Commands
from bot.store.chat.conversations import StoredWelcomes
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.rows import each_row

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
COMMANDS = Commands.discover()


@dataclass
class MemoryWelcomes:
    """Keeps first messages in memory, or is away."""

    first: dict[str, str] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    async def claim(self, conversation_id: str, msg_id: str) -> str:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.first.setdefault(conversation_id, msg_id)


def context(*roles: str, conversation: str = "cidA==") -> QuestionContext:
    person = Person(user_id="u1", name="王小明", roles=frozenset(roles))
    return QuestionContext(
        person=person, conversation=Conversation(conversation, ConversationKind.GROUP), line="/stock", now=NOW
    )


def welcomes(store: MemoryWelcomes | None = None, policy: AccessPolicy | None = None) -> Welcomes:
    rules = policy or AccessPolicy()
    return Welcomes(store or MemoryWelcomes(), COMMANDS, lambda: rules)


async def lines(welcome: Welcomes, msg_id: str, asked: QuestionContext) -> list[str]:
    """Return the lines that somebody is shown to try."""
    buttons = await welcome.tries_for(msg_id, asked)
    return [button.does.line for button in buttons if isinstance(button.does, Ask)]


@each_row(
    ("roles", "expected"),
    [
        (("keeper",), ["/arrivals today", "/delivery due today", "/shortage"]),
        (("销售",), ["/order due this week", "/order late", "/invoice overdue"]),
        (("keeper", "approver"), ["/pending", "/report month", "/order late"]),
        ((), ["/order late", "/shortage", "/invoice overdue"]),
    ],
)
async def test_they_fit_the_role(roles: tuple[str, ...], expected: list[str]) -> None:
    assert await lines(welcomes(), "m1", context(*roles)) == expected


async def test_what_the_person_may_not_use_is_replaced() -> None:
    rules = tuple(
        AccessRule(commands=frozenset({name}), roles=frozenset({"boss"})) for name in ("shortage", "arrivals")
    )
    shown = await lines(welcomes(policy=AccessPolicy(rules=rules)), "m1", context("keeper"))
    assert shown == ["/delivery due today", "/order late", "/invoice overdue"]


async def test_once_in_each_conversation_and_again_with_the_same_message() -> None:
    store = MemoryWelcomes()
    welcome = welcomes(store)
    assert len(await welcome.tries_for("m1", context())) == 3
    assert await welcome.tries_for("m2", context()) == ()
    assert len(await welcome.tries_for("m1", context())) == 3, "its answer was not sent yet"
    assert len(await welcome.tries_for("m3", context(conversation="cidB=="))) == 3
    assert store.asked == 2
    after_a_restart = welcomes(store)
    assert await after_a_restart.tries_for("m4", context()) == ()
    assert len(await after_a_restart.tries_for("m3", context(conversation="cidB=="))) == 3


async def test_while_the_store_is_away_nobody_is_welcomed_and_everybody_later() -> None:
    store = MemoryWelcomes(away=True)
    welcome = welcomes(store)
    assert await welcome.tries_for("m1", context()) == ()
    store.away = False
    assert len(await welcome.tries_for("m2", context())) == 3


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_of_two_processes_the_first_counts(request: pytest.FixtureRequest, kind: str) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    first, second = Database(url), Database(url)
    await first.migrate()
    assert await StoredWelcomes(first).claim("cidA==", "m1") == "m1"
    assert await StoredWelcomes(second).claim("cidA==", "m2") == "m1"
    assert await StoredWelcomes(second).claim("cidB==", "m2") == "m2"
    await first.close()
    await second.close()
