"""Places named in settings or rules that no card reaches: which name on which line leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.mechanisms.health import PartHealth, degraded
from bot.outbox.place import Place, PlaceKind
from bot.rulefiles.names_in_force import NamesInForce
from bot.store.outbox.queue import StoredBacklog
from bot.words.names import NameKind
from bot.words.phrase import phrase

LOOKED_EVERY: Final = 30.0
"""Seconds between two checks."""

_TOLD_FOR = timedelta(days=1)
"""How long a place is reported after the last card to it was given up."""

_KINDS = {PlaceKind.GROUP: NameKind.CONVERSATION, PlaceKind.PERSON: NameKind.PERSON}


class UnreachedPlaces:
    """Reports such names to administrators through the bot's health."""

    def __init__(self, names: NamesInForce, backlog: StoredBacklog, now: Callable[[], datetime]) -> None:
        self._names = names
        self._backlog = backlog
        self._now = now
        self._parts: Mapping[str, PartHealth] = {}

    @property
    def parts(self) -> Mapping[str, PartHealth]:
        """Return the places, each as a degraded part of the bot."""
        return self._parts

    async def look(self) -> None:
        """Find named places that are not reached."""
        unreached = await self._backlog.unreached(self._now() - _TOLD_FOR)
        self._parts = {
            f"place {place}": degraded(phrase("%(where)s: %(why)s", where=where, why=why))
            for place, why in unreached.items()
            if (where := self._named_at(place))
        }

    def _named_at(self, place: Place) -> tuple[str, ...]:
        kind = _KINDS[place.kind]
        return tuple(str(each) for each in self._names.references if each.kind is kind and each.value == place.id)
