"""What each role would see: asked of the very policy that would be in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.access.loader import AccessRuleSet, make_policy, review_access
from bot.access.people import Person
from bot.access.presets import ROLE_NAMES
from bot.chat.registry import installed_commands
from bot.setup.draft import AccessChoice, EnteredAccess
from bot.setup.files import DOCUMENT_COMMANDS, access_text
from bot.words.disclosure import FieldClass
from bot.words.names import KnownNames
from bot.words.phrase import Phrase, phrase
from bot.words.role_labels import label_role

_Sight: TypeAlias = tuple[tuple[str, ...], tuple[FieldClass, ...]]


@dataclass(frozen=True, slots=True)
class SeenByRoles:
    """Roles that see the same: the commands that they may use, and the classes of fields that some of these show."""

    roles: tuple[Phrase | str, ...]
    commands: tuple[str, ...]
    fields: tuple[FieldClass, ...]


def preview_access(choice: AccessChoice) -> Sequence[SeenByRoles]:
    """Return what the usual roles, and people without any, would see."""
    alike: dict[_Sight, list[Phrase | str]] = {}
    for role, seen in _rows(choice):
        alike.setdefault(seen, []).append(role)
    if len(alike) == 1:
        return tuple(SeenByRoles((phrase("everybody"),), *seen) for seen in alike)
    return tuple(SeenByRoles(tuple(roles), *seen) for seen, roles in alike.items())


def _rows(choice: AccessChoice) -> Iterator[tuple[Phrase | str, _Sight]]:
    policy = make_policy([_rules(choice)], {}, own_figures=True)
    commands = installed_commands()
    for role in (*ROLE_NAMES, ""):
        person = Person(user_id="preview", name="", roles=frozenset({role} if role else ()))
        verdicts = {name: policy.decide(person, commands[name].request()) for name in DOCUMENT_COMMANDS}
        allowed = {name: verdict.grant.fields for name, verdict in verdicts.items() if verdict.allowed}
        seen: frozenset[FieldClass] = frozenset().union(*allowed.values())
        label = label_role(role) if role else phrase("everybody else")
        yield label, (tuple(allowed), tuple(each for each in FieldClass if each in seen))


def _rules(choice: AccessChoice) -> AccessRuleSet:
    text = access_text(EnteredAccess(choice, (), by_directory=False))
    return review_access(text.encode(), KnownNames(), name="access.toml").rules
