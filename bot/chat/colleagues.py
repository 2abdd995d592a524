"""People who can be assigned work: those with a configured role, and those who used the bot in the same
conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from bot.access.people import People, Person
from bot.chat.context import QuestionContext

CONVERSATIONS, SEEN_PEOPLE = 1_000, 30
"""How many conversations are kept, and how many people in each."""


class Colleagues:
    """Knows userIds. Names are looked up only for displayed people, since a lookup may cost a call."""

    def __init__(self, people: People, roles: Mapping[str, frozenset[str]]) -> None:
        """``roles`` are the configured ones, with their userIds."""
        self._people = people
        self._by_role = tuple(dict.fromkeys(user_id for role in sorted(roles) for user_id in sorted(roles[role])))
        self._seen: LRUCache[str, LRUCache[str, None]] = LRUCache(CONVERSATIONS)

    def record_seen(self, context: QuestionContext) -> None:
        """Remember, until the process ends, that a person used the bot here."""
        if context.person.user_id:
            here = self._seen.setdefault(context.conversation.id, LRUCache(SEEN_PEOPLE))
            here[context.person.user_id] = None

    def candidates(self, context: QuestionContext) -> tuple[str, ...]:
        """Return the candidates: the asker, then people seen here, then people with a role."""
        me = (context.person.user_id,) if context.person.user_id else ()
        seen = self._seen.get(context.conversation.id, ())
        return tuple(dict.fromkeys((*me, *seen, *self._by_role)))

    async def lookup(self, user_ids: Sequence[str]) -> tuple[Person, ...]:
        """Return the people with these ids, without those unknown to the directory."""
        people = await asyncio.gather(*(self._people.identify(user_id, name="") for user_id in user_ids))
        return tuple(person for person in people if not person.is_external)
