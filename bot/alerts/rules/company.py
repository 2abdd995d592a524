"""What the rules take from the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from bot.outbox.place import Place, PlaceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The company that writes the rules."""

    zone: tzinfo
    default: tuple[Place, ...] = ()
    """Where alerts go that no rule sends elsewhere."""
    roles: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Role → user ids."""
    decides_in_chat: bool = False
    """Whether purchase orders that wait have cards of their own, for those who decide."""

    def people(self, role: str) -> tuple[Place, ...]:
        """Return the chats of those who have a role."""
        return tuple(Place(PlaceKind.PERSON, user) for user in sorted(self.roles.get(role, ())))
