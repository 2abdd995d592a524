from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from bot.access.person import Person
from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.desk import QuestionDesk
from bot.chat.language import LanguageChoice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.pipeline import Answer
from bot.chat.registry import Commands
from bot.erp.hub import ErpHub
from bot.metrics import Metrics
from tests.commands.company import NOW, Company

V = TypeVar("V", bound=View)

GROUP = Conversation("cidGroup==", ConversationKind.GROUP, "仓库群")
KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"warehouse"}))

Ask = Callable[..., Awaitable[Answer]]


class Choices:
    """Remembers languages in a dictionary."""

    def __init__(self) -> None:
        self.chosen: dict[str, str] = {}

    async def choose(self, user_id: str, code: str) -> None:
        self.chosen[user_id] = code


@pytest.fixture(scope="session")
def commands() -> Commands:
    return Commands.discover()


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def hub(company: Company) -> AsyncIterator[ErpHub]:
    hub = ErpHub([company], metrics=Metrics(), now=lambda: NOW, timeout=0.05)
    yield hub
    await hub.close()


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy()


@pytest.fixture
def choices() -> Choices:
    return Choices()


@pytest.fixture
def desk(commands: Commands, hub: ErpHub, policy: AccessPolicy, choices: Choices) -> QuestionDesk:
    return QuestionDesk(
        commands=commands,
        policy=policy,
        collaborators={ErpHub: hub, LanguageChoice: choices},
        seconds=5,
        reference=lambda: "abc123",
    )


@pytest.fixture
def ask(desk: QuestionDesk) -> Ask:
    """Ask a line as the keeper does in a group."""

    async def ask(line: str, *, offset: int = 0, person: Person = KEEPER) -> Answer:
        return await desk.view_for(Asking(person=person, conversation=GROUP, line=line, offset=offset, now=NOW))

    return ask


def lines(view: View) -> list[str]:
    """Return what the buttons of a view ask, with the offset behind a plus sign."""
    return [button.does if isinstance(button.does, str) else button.does.typed for button in view.buttons()]


def as_(kind: type[V], answer: Answer) -> V:
    """Return the answer's view, which must be of this kind."""
    assert isinstance(answer.view, kind), answer.view
    return answer.view
