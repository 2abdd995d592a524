"""The permission matrix of ``docs/reference/permissions.md``: what the ready rules give each role, and each group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from bot.access.areas import AREA_COMMANDS
from bot.access.grants import Grant
from bot.access.loader import AccessRuleSet, make_policy
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessVerdict
from bot.access.presets import ROLE_NAMES
from bot.cards.actions import (
    AckAlert,
    Action,
    AlertAction,
    ApprovalAction,
    ApproveAll,
    ApproveCase,
    Ask,
    AssignAlert,
    ClarifyCase,
    ForwardCase,
    RejectCase,
    SnoozeAlert,
    UndoDecision,
)
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import AnyCommand, Commands
from bot.words.disclosure import FieldClass

ACTIONS: tuple[Action, ...] = (
    AckAlert("a1"),
    SnoozeAlert("a1"),
    AssignAlert("a1"),
    ApproveCase("c1", "12345678"),
    RejectCase("c1", "12345678"),
    ForwardCase("c1"),
    ClarifyCase("c1"),
    UndoDecision("c1"),
    ApproveAll("12345678"),
)
"""An example of each button that does something; one that asks a line is bound like the line."""

LETTERS = {
    FieldClass.QUANTITY: "Q",
    FieldClass.AMOUNT: "A",
    FieldClass.COST: "C",
    FieldClass.PARTNER: "P",
    FieldClass.CONTACT: "T",
    FieldClass.MATERIALS: "M",
}
REFUSED = "–"
GROUP = Conversation("cidGroup==", ConversationKind.GROUP)


def people() -> Iterator[tuple[str, Person]]:
    """Yield a person for each ready role, and one without any."""
    for role in ROLE_NAMES:
        yield role, Person(user_id=f"{role}01", name=role, roles=frozenset({role}))
    yield "no role", Person(user_id="member01", name="member")


def policy() -> AccessPolicy:
    """Return the policy of the ready rules alone."""
    return make_policy([AccessRuleSet(presets=True)], {})


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the rows of commands, then those of buttons."""
    commands, rules = Commands.discover(), policy()
    for command in commands.values():
        yield f"`/{command.name}`", *_cells(command, rules)
    for action in ACTIONS:
        named = commands.parse(action.question[0]).command
        assert named is not None, f"{action} asks no command"
        yield f"button `{action.prefix}`", *_cells(commands[named], rules)


def head() -> tuple[str, ...]:
    """Return the head of the table."""
    return ("", *(role for role, _ in people()), "group", "group with outsiders")


def check_actions() -> None:
    """Raise `AssertionError` for an action without a row."""
    known = {Ask, *get_args(AlertAction), *get_args(ApprovalAction)}
    assert {type(action) for action in ACTIONS} | {Ask} == known, "each action has a row in the permission matrix"


def _cells(command: AnyCommand, rules: AccessPolicy) -> Iterator[str]:
    shows = command.name in AREA_COMMANDS.values()
    for _, person in people():
        yield _own(rules.decide(person, command.request(GROUP)), shows=shows)
    for outsiders in (False, True):
        yield _letters(rules.shared_answer(GROUP.id, command.name, command.shows, outsiders=outsiders))


def _own(verdict: AccessVerdict, *, shows: bool) -> str:
    if not verdict.allowed:
        return REFUSED
    if not shows:
        return "yes"
    own = " own" if any(scope.own for scope in verdict.grant.scopes) else ""
    return _letters(verdict.grant) + own


def _letters(grant: Grant) -> str:
    return "".join(letter for field, letter in LETTERS.items() if field in grant.fields) or "nothing"
