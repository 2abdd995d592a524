"""Whom work can be given to: the people of the configured roles, and those who were met at the same place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from bot.access.people import People, Person
from bot.chat.context import QuestionContext

PLACES, MET = 1_000, 30
"""Conversations that are remembered, and people in each."""


class Colleagues:
    """Knows user ids; names are looked up only for those that are shown, since a look-up may cost a call."""

    def __init__(self, people: People, roles: Mapping[str, frozenset[str]]) -> None:
        """``roles`` are the configured ones, with their user ids."""
        self._people = people
        self._by_role = tuple(dict.fromkeys(one for role in sorted(roles) for one in sorted(roles[role])))
        self._met: LRUCache[str, LRUCache[str, None]] = LRUCache(PLACES)

    def record_seen(self, context: QuestionContext) -> None:
        """Remember that somebody used the bot here, until the process ends."""
        if context.person.user_id:
            here = self._met.setdefault(context.conversation.id, LRUCache(MET))
            here[context.person.user_id] = None

    def candidates(self, context: QuestionContext) -> tuple[str, ...]:
        """Return who can be chosen: the asker, then those met here, then the people of the roles."""
        me = (context.person.user_id,) if context.person.user_id else ()
        met = self._met.get(context.conversation.id, ())
        return tuple(dict.fromkeys((*me, *met, *self._by_role)))

    async def lookup(self, user_ids: Sequence[str]) -> tuple[Person, ...]:
        """Return the people with these ids; those whom the directory does not know are left out."""
        people = await asyncio.gather(*(self._people.identify(one, name="") for one in user_ids))
        return tuple(person for person in people if not person.is_external)
