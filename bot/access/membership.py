"""Membership of the organisation: from DingTalk's directory, cached in the database, and from messages to the bot.

The directory is asked about unknown people and, in the background, about people last checked some minutes ago; so a
known member's question waits for no call. An event takes effect at once. If the app may not read the directory, members
are the people who have written to the bot from inside the organisation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Protocol

import structlog
from cachetools import TTLCache

from bot.access.people import DirectoryEntry, NeverWrote
from bot.mechanisms.single_flight import SingleFlights
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

ASK_AGAIN_AFTER = timedelta(minutes=10)
"""The age at which an entry is refreshed, in case events are not subscribed to."""

OLDEST = timedelta(days=2)
"""The age at which an entry becomes invalid: two daily synchronisations were missed."""

LEAVING_STANDS = timedelta(hours=1)
"""For this long only an event makes a leaver a member again: the directory may lag behind its own events."""

WRITER_NOTED_EVERY = timedelta(days=1)

_REMEMBER_STRANGER = 60.0
"""Seconds before the directory is asked again about a person it does not know or show."""

_STRANGERS = 10_000

_KEPT = 10_000
"""The number of cached entries without roles."""


class DirectoryClosed(DingerpError):
    """The app may not read the directory, or not this person's entry in it."""


class Directory(Protocol):
    """DingTalk's directory over the wire."""

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Return the member's entry, None for outsiders.

        Raises `DirectoryClosed`, or another `DingerpError` if there is no answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """The known facts about a person, with their times: looked up, reported or written."""

    user_id: str
    entry: DirectoryEntry
    checked_at: datetime | None = None
    """When the directory was asked for ``entry``; None if never."""
    changed_at: datetime | None = None
    """When an event last reported a change of the entry."""
    left_at: datetime | None = None
    """When they were last known to be outside the organisation."""
    wrote_at: datetime | None = None
    """When they last wrote to the bot from inside the organisation; recorded once a day."""

    def is_listed(self, now: datetime) -> bool:
        """Return whether the directory's confirmation of their membership is still valid."""
        if self.checked_at is None or now - self.checked_at > OLDEST or self._is_gone(self.checked_at):
            return False
        return self.changed_at is None or self.changed_at <= self.checked_at

    def has_written(self) -> bool:
        """Return whether they have written to the bot and have not left since."""
        return self.wrote_at is not None and not self._is_gone(self.wrote_at)

    @property
    def is_gone(self) -> bool:
        """Whether the latest news is that they left."""
        later = (self.checked_at, self.changed_at, self.wrote_at)
        return self.left_at is not None and all(moment is None or moment <= self.left_at for moment in later)

    def has_left(self, now: datetime) -> bool:
        """Return whether they left so recently that no lookup is needed."""
        return self._is_gone(now)

    def _is_gone(self, moment: datetime) -> bool:
        """Return whether their departure overrides an observation at ``moment``."""
        if self.left_at is None:
            return False
        came_back = self.changed_at is not None and self.left_at < self.changed_at <= moment
        return not came_back and moment - self.left_at < LEAVING_STANDS


class PeopleStore(Protocol):
    """Stores facts about people; implemented by `bot.store.people`. Raises `DingerpError` when unavailable."""

    async def find(self, user_id: str) -> PersonRecord | None:
        """Return the facts about a person, without waiting for the database if possible."""
        ...

    async def record_entry(self, user_id: str, entry: DirectoryEntry, asked_at: datetime) -> None:
        """Store the directory's answer to a lookup at ``asked_at``."""
        ...

    async def record_left(self, user_ids: tuple[str, ...], at: datetime) -> None:
        """Store that these people are not in the organisation, including unknown ones."""
        ...

    async def record_changed(self, user_ids: tuple[str, ...], at: datetime) -> None:
        """Mark the data on these people as outdated, including unknown ones."""
        ...

    async def record_roles_changed(self, at: datetime) -> None:
        """Mark the data on everybody with a role as outdated."""
        ...

    async def record_writer(self, user_id: str, name: str, wrote_at: datetime) -> None:
        """Store that a person wrote."""
        ...


class Membership:
    """Membership from the directory, or from messages while the app may not read it."""

    def __init__(
        self,
        store: PeopleStore,
        directory: Directory | None,
        *,
        now: Callable[[], datetime],
        with_roles: bool = True,
    ) -> None:
        """Without ``directory``, or while it is closed, only a message to the bot makes a person a member.

        ``with_roles``: the directory's roles count.
        """
        self._store = store
        self._directory = directory
        self._now = now
        self._with_roles = with_roles
        self._is_closed = False
        self._strangers: MutableMapping[str, DirectoryClosed | None] = TTLCache(
            _STRANGERS, _REMEMBER_STRANGER, lambda: now().timestamp()
        )
        self._asking: SingleFlights[str, DirectoryEntry | None] = SingleFlights()
        self._noting: SingleFlights[str, None] = SingleFlights()
        self._refreshing: set[asyncio.Task[None]] = set()

    def set_closed(self, closed: bool) -> None:
        """Set whether the directory is closed to the app."""
        self._is_closed = closed

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        now = self._now()
        known = await self._store.find(user_id)
        if known is not None and known.is_listed(now):
            assert known.checked_at is not None, "it is listed since then"
            if now - known.checked_at > ASK_AGAIN_AFTER and self._may_ask():
                self._refresh(user_id)
            return self._shown(known.entry)
        if known is not None and known.has_left(now):
            return None
        if self._may_ask():
            try:
                return self._shown(await self._ask(user_id))
            except DirectoryClosed as error:
                log.info("directory.closed", detail=error.detail)
        return self._by_writing(known)

    async def entry_with_manager(self, user_id: str) -> DirectoryEntry | None:
        """Return the entry with the manager, from the directory unless stored; None for outsiders.

        Raises a `DingerpError` if the directory does not answer.
        """
        now = self._now()
        known = await self._store.find(user_id)
        if known is not None and known.is_listed(now) and known.entry.manager is not None:
            return self._shown(known.entry)
        if known is not None and known.has_left(now):
            return None
        if not self._may_ask():
            raise DirectoryClosed("the directory may not be read, which alone knows managers")
        return self._shown(await self._ask(user_id))

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        """Record that the member wrote to the bot from inside the organisation. Raises a `DingerpError`.

        Concurrent messages of a member count as the first of them.
        """
        wrote_at = min(wrote_at, self._now())
        known = await self._store.find(user_id)
        if known is None or not known.has_written() or wrote_at - _time(known.wrote_at) > WRITER_NOTED_EVERY:
            await self._noting.join(user_id, partial(self._store.record_writer, user_id, name, wrote_at))

    async def record_left(self, user_ids: tuple[str, ...]) -> None:
        """Record that people left: all their rights end now. Raises a `DingerpError`."""
        await self._store.record_left(user_ids, self._now())

    async def record_changed(self, user_ids: tuple[str, ...]) -> None:
        """Record that people's entries changed or were added: they are looked up before they count again.

        Raises a `DingerpError`.
        """
        for user_id in user_ids:
            self._strangers.pop(user_id, None)
        await self._store.record_changed(user_ids, self._now())

    async def record_roles_changed(self) -> None:
        """Record renamed or removed roles: everybody with a role is looked up again. Raises a `DingerpError`."""
        await self._store.record_roles_changed(self._now())

    def _may_ask(self) -> bool:
        return self._directory is not None and not self._is_closed

    def _shown(self, entry: DirectoryEntry | None) -> DirectoryEntry | None:
        return entry if entry is None or self._with_roles or not entry.roles else _without_roles(entry)

    def _by_writing(self, known: PersonRecord | None) -> DirectoryEntry | None:
        if known is not None and known.has_written():
            return DirectoryEntry(name=known.entry.name)
        raise NeverWrote("the directory may not be read, and this person never wrote")

    async def _ask(self, user_id: str) -> DirectoryEntry | None:
        if user_id in self._strangers:
            if (closed := self._strangers[user_id]) is not None:
                raise closed.with_traceback(None)
            return None
        return await self._asking.join(user_id, partial(self._look_up, user_id))

    async def _look_up(self, user_id: str) -> DirectoryEntry | None:
        assert self._directory is not None, "it may be asked"
        while True:
            asked_at = self._now()
            try:
                entry = await self._directory.entry(user_id)
            except DirectoryClosed as error:
                self._strangers[user_id] = error
                raise
            if entry is None:
                self._strangers[user_id] = None
                if await self._store.find(user_id) is not None:
                    await self._store.record_left((user_id,), asked_at)
                return None
            await self._store.record_entry(user_id, entry, asked_at)
            known = await self._store.find(user_id)
            # An event that came during the lookup is newer.
            if known is None or known.has_left(asked_at):
                return None
            if known.is_listed(self._now()):
                return known.entry

    def _refresh(self, user_id: str) -> None:
        task = asyncio.create_task(self._bring_up_to_date(user_id))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _bring_up_to_date(self, user_id: str) -> None:
        try:
            await self._ask(user_id)
        except DingerpError as error:
            log.info("directory.not_refreshed", error=type(error).__name__, detail=error.detail)


@lru_cache(maxsize=_KEPT)
def _without_roles(entry: DirectoryEntry) -> DirectoryEntry:
    return replace(entry, roles=frozenset())


def _time(moment: datetime | None) -> datetime:
    assert moment is not None, "who has written has a time of it"
    return moment
