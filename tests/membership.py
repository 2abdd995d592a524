"""Members of the organisation for tests, and the organisation itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.access.organisation import OwnOrganisation
from bot.access.people import DirectoryEntry

CORP = "dingcorp"
"""The bot's own organisation."""


def own_organisation() -> OwnOrganisation:
    return OwnOrganisation(CORP)


@dataclass(slots=True)
class EverybodyIsMember:
    """Implements `bot.access.people.Members`: everybody belongs to the organisation, under the names it was given, but
    for those who ``left``.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    roles: frozenset[str] = frozenset()
    wrote: list[tuple[str, str, datetime]] = field(default_factory=list)

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        return None if user_id in self.left else DirectoryEntry(name=self.names.get(user_id, ""), roles=self.roles)

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        self.wrote.append((user_id, name, wrote_at))
