from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

import pytest

from bot.access.people import Entry, People
from bot.access.person import Person
from bot.access.policy import AccessPolicy
from bot.alerts.acting import AlertActions
from bot.alerts.board import AlertBoard
from bot.approvals.asking import Approvals
from bot.approvals.showing import Showing
from bot.approvals.unit import Terms
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.colleagues import Colleagues
from bot.chat.desk import QuestionDesk
from bot.chat.language import LanguageChoice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.pipeline import Answer
from bot.chat.registry import Commands
from bot.erp.hub import ErpHub
from bot.metrics import Metrics
from tests.commands.alerting import Board
from tests.commands.approving import Counter
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


class Members:
    """The directory of a small company; who is not in it is from outside."""

    NAMES = MappingProxyType(
        {"keeper01": "王仓", "buyer01": "赵采", "manager01": "陈经理", "sales01": "李销"}
        | {f"clerk{number:02}": f"职员{number}" for number in range(20)}
    )

    async def entry(self, user_id: str) -> Entry | None:
        return Entry(name=self.NAMES[user_id]) if user_id in self.NAMES else None


class NoChoice:
    """Nobody has chosen a language."""

    def chosen(self, user_id: str) -> str | None:
        return None


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
def board() -> Board:
    return Board()


@pytest.fixture
def colleagues() -> Colleagues:
    people = People(languages=NoChoice(), default_language="zh_CN", configured_languages={}, directory=Members())
    return Colleagues(people, {"approver": frozenset({"manager01", "gone01"}), "buyer": frozenset({"buyer01"})})


@pytest.fixture
def terms() -> Terms:
    return Terms()


@pytest.fixture
def counter(company: Company, hub: ErpHub, terms: Terms) -> Counter:
    return Counter(company, hub, Members.NAMES, terms)


@pytest.fixture
def desk(
    commands: Commands,
    hub: ErpHub,
    policy: AccessPolicy,
    choices: Choices,
    board: Board,
    colleagues: Colleagues,
    counter: Counter,
) -> QuestionDesk:
    return QuestionDesk(
        commands=commands,
        policy=policy,
        collaborators={
            ErpHub: hub,
            LanguageChoice: choices,
            AlertBoard: board,
            AlertActions: board,
            Colleagues: colleagues,
            Approvals: counter.approvals,
            Showing: counter.showing,
        },
        seconds=5,
        reference=lambda: "abc123",
    )


@pytest.fixture
def ask(desk: QuestionDesk) -> Ask:
    """Ask a line as the keeper does in a group."""

    async def ask(
        line: str, *, offset: int = 0, person: Person = KEEPER, where: Conversation = GROUP, now: datetime = NOW
    ) -> Answer:
        return await desk.view_for(Asking(person=person, conversation=where, line=line, offset=offset, now=now))

    return ask


def lines(view: View) -> list[str]:
    """Return what the buttons of a view ask, with the offset behind a plus sign."""
    return [button.does if isinstance(button.does, str) else button.does.typed for button in view.buttons()]


def as_(kind: type[V], answer: Answer) -> V:
    """Return the answer's view, which must be of this kind."""
    assert isinstance(answer.view, kind), answer.view
    return answer.view
