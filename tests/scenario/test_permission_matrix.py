"""The permission matrix on the wire: each command × eight roles × group, group with an outsider, and own chat.

The table for people (``docs/reference/permissions.md``) says what the decision function answers; here is what the bot
then really sends, with the ready rules in force.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from itertools import count

import pytest

from bot.access.loader import AccessRuleSet, make_policy
from bot.access.people import Person
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import Commands
from bot.kit.simulator.chat import SimConversation
from bot.words.disclosure import FieldClass
from tests.project.permission_page import people
from tests.scenario.conftest import OUTSIDER, READING, OpenSystem
from tests.scenario.notice_checks import Notice
from tests.scenario.test_least_disclosure import LINES, MONEY, DisclosureFixture, open_fixture
from tests.scenario.wire import TO_PEOPLE, WireCall

STAFF = {
    "keeper": "keeper01",
    "sales": "sales01",
    "purchasing": "buyer01",
    "finance": "finance01",
    "production": "planner01",
    "manager": "salesmanager01",
    "admin": "it01",
    "no role": "quality01",
}
MEMBERS = (*STAFF.values(), OUTSIDER)
INSIDE, MIXED = "cidInside00000000000000==", "cidMixed000000000000000=="
MONEY_CLASSES = {FieldClass.AMOUNT, FieldClass.COST}


FURTHER = (
    "/mo late",
    "/find SO-100",
    "/subscribe order late 9:00",
    "/unsubscribe order late",
    "/watch SO-1001",
    "/unwatch SO-1001",
    "/mute order.late 2h",
    "/unmute order.late",
    "/approve",
    "/reject PO-1001",
    "/bind",
    "/unbind demo",
    "/lang",
)


def asked(commands: Commands) -> tuple[str, ...]:
    """Return lines that ask every command: by its first example those that no list above names."""
    listed = (*LINES, *FURTHER)
    named = {commands.parse(line).command for line in listed}
    return (*listed, *((*known.examples, f"/{name}")[0] for name, known in commands.items() if name not in named))


@pytest.fixture
async def matrix(open_system: OpenSystem) -> AsyncIterator[DisclosureFixture]:
    """A system with the ready rules, and two groups with somebody of each role."""
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles, "outsider_groups": (MIXED,)}
    async with open_system(access=access, **READING) as system:
        for group, members in ((INSIDE, MEMBERS[:-1]), (MIXED, MEMBERS)):
            system.engine.chat.conversations[group] = SimConversation(
                id=group, kind="group", title=group, members=members, items=deque(maxlen=500)
            )
        yield await open_fixture(system)


@pytest.mark.parametrize("one_in", [8, pytest.param(1, marks=pytest.mark.soak)])
async def test_each_command_for_each_role_in_each_place(matrix: DisclosureFixture, one_in: int) -> None:
    """Of the cases, one in so many is asked: each line by three of the roles somewhere."""
    system, commands = matrix.system, Commands.discover()
    refused = 0
    for number, (role, person) in enumerate(people()):
        turns = count(number)
        who = STAFF[role]
        places = {INSIDE: "group", MIXED: "group with an outsider", system.engine.direct(who).id: "alone"}
        for line in asked(commands):
            typed = line.format(customer=matrix.customer, vendor=matrix.vendor)
            named = commands.parse(typed).command
            for where, place in places.items():
                if next(turns) % one_in:
                    continue
                calls = await matrix.asking(line, where, who)
                case = (role, typed, place)
                check_shared(matrix, calls, where, case)
                for call in calls:
                    assert call.place.readers <= {who}, case
                told = "".join(call.private_texts.get(who, "") or call.shared_text for call in calls)
                if named is None:
                    continue
                if not allowed(named, person):
                    refused += 1
                    assert Notice.DENIED in told, case
                check_own(matrix, told, named, person, case)
    assert refused


def check_shared(matrix: DisclosureFixture, calls: list[WireCall], where: str, case: tuple[str, ...]) -> None:
    for call in calls:
        if call.api != TO_PEOPLE:
            assert not MONEY.search(call.shared_text), (case, call.shared_text)
        if where == MIXED:
            assert not named_in(call.shared_text, matrix, case), (case, call.shared_text)


def named_in(text: str, matrix: DisclosureFixture, case: tuple[str, ...]) -> list[str]:
    """Return the partners whom a text names, but not those whom the asker named."""
    return [name for name in matrix.partners if name in text and name not in case[1]]


def check_own(matrix: DisclosureFixture, told: str, command: str, person: Person, case: tuple[str, ...]) -> None:
    """Expect no figure and no name of a class that the person may see in none of the command's documents."""
    fields = granted(command, person)
    if not fields & MONEY_CLASSES:
        assert not MONEY.search(told), (case, told)
    if FieldClass.PARTNER not in fields:
        assert not named_in(told, matrix, case), (case, told)


POLICY = make_policy([AccessRuleSet(presets=True)], {})
COMMANDS = Commands.discover()
GROUP = Conversation(INSIDE, ConversationKind.GROUP)


def allowed(command: str, person: Person) -> bool:
    return POLICY.decide(person, COMMANDS[command].request(GROUP)).allowed


def granted(command: str, person: Person) -> frozenset[FieldClass]:
    """Return the classes that a person may see of any of the documents that a command shows."""
    documents = COMMANDS[command].shows
    verdicts = [POLICY.decide(person, COMMANDS[name].request(GROUP)) for name in documents]
    return frozenset().union(*(verdict.grant.fields for verdict in verdicts if verdict.allowed))
