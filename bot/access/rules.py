"""A company's access rules: who may use which command where, and how much of its answer they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.access.grants import EVERYTHING, Grant, Scope
from bot.words.disclosure import ALL_FIELDS, SHARED_FIELDS, FieldClass

ANY = "*"
"""Stands for every command, including future ones, and for every member."""


class RuleEffect(StrEnum):
    """The effect of a rule on the people it names."""

    ALLOW = "allow"
    DENY = "deny"


MOST_LINES = 8
"""Lines of a document that a person begins: what they confirm has to be seen on one card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRight:
    """Which ``kinds`` of documents may be begun, by their commands, and how large: ``most_quantity`` is of one line, in
    the product's own unit.
    """

    kinds: frozenset[str]
    most_lines: int = MOST_LINES
    most_quantity: Decimal | None = None

    def permits(self, quantities: Sequence[Decimal]) -> bool:
        """Return whether a document with these quantities in its lines is within the limits."""
        fits = self.most_quantity is None or all(quantity <= self.most_quantity for quantity in quantities)
        return fits and len(quantities) <= self.most_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Grants ``commands`` to the people it names, or denies them; in all conversations, or in some.

    It names people by ``roles``, ``departments`` *or* ``people``. ``fields`` are the classes that an answer may show
    them, of documents within ``scope``; None: all of them. A denying rule removes ``fields``, or without ``fields`` the
    command. A ``shared`` rule names nobody: it sets what shared cards show. ``creates`` says which documents the people
    may begin; without it they begin none.
    """

    commands: frozenset[str]
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    name: str = ""
    effect: RuleEffect = RuleEffect.ALLOW
    fields: frozenset[FieldClass] | None = None
    scope: Scope = EVERYTHING
    shared: bool = False
    creates: CreationRight | None = None

    @property
    def allows(self) -> bool:
        """Whether it grants anything."""
        return self.effect is RuleEffect.ALLOW

    @property
    def takes_command(self) -> bool:
        """Whether it removes a whole command."""
        return not self.allows and self.fields is None

    @property
    def is_for_all(self) -> bool:
        """Whether it applies to every member."""
        return ANY in self.roles

    @property
    def grant(self) -> Grant:
        """Return the part of an answer that it grants."""
        default = SHARED_FIELDS if self.shared else ALL_FIELDS
        return Grant(fields=default if self.fields is None else self.fields, scopes=(self.scope,))

    def is_about(self, command: str) -> bool:
        """Return whether the rule is about this command."""
        return ANY in self.commands or command in self.commands

    def holds_in(self, conversation_id: str) -> bool:
        """Return whether the rule applies in this conversation."""
        return not self.conversations or conversation_id in self.conversations
