"""Finds the person behind the ids of a message or click, with roles and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import structlog

from bot.words.errors import DingerpError


class MembershipDoubt(StrEnum):
    """Why a person's membership of the organisation is unknown."""

    NO_ANSWER = "no_answer"
    """The directory or the database did not answer; it may shortly."""
    NEVER_WROTE = "never_wrote"
    """The directory may not be read, and they have never written to the bot."""


@dataclass(frozen=True, slots=True)
class KeyScope:
    """What the key of a program leaves of its owner's rights (`bot.access.api_keys`): the ``commands`` that it opens,
    and the commands whose documents it may see; None for all. ``key`` is its id.
    """

    key: str
    commands: frozenset[str] | None
    documents: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who asks or clicks. Only known members have a ``user_id``: without it nothing can be granted to them.

    ``departments`` are ids, ``department_names`` the names of these and of all their parents. ``doubt`` says why a
    person without a ``user_id`` may still be a member; ``claimed_id`` is the id from their click or message, kept only
    for the record of refusals. ``key`` is there when a program asks for them: it narrows what they may do and see.
    """

    user_id: str | None
    name: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    department_names: frozenset[str] = frozenset()
    is_admin: bool = False
    language: str = "zh_CN"
    doubt: MembershipDoubt | None = None
    claimed_id: str = ""
    key: KeyScope | None = None

    def __hash__(self) -> int:
        """Hash only the identifying fields: every question looks up several decisions about its asker."""
        return hash((self.user_id, self.claimed_id, self.name))

    def with_key(self, key: KeyScope) -> Person:
        """Return this person as the program with a key asks for them."""
        return replace(self, key=key)

    @property
    def is_outsider(self) -> bool:
        """Whether this is certainly an outsider."""
        return self.user_id is None and self.doubt is None

    @property
    def is_external(self) -> bool:
        """Whether this is not a known member of the organisation."""
        return self.user_id is None


log = structlog.get_logger(__name__)

_KEPT = 10_000
"""The number of cached members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A member of the organisation; see `Person`. Department names come from the list of all departments."""

    name: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    department_names: frozenset[str] = frozenset()
    is_admin: bool = False
    manager: str | None = None
    """userId, empty for nobody; None if unknown: department lists do not include it."""

    def __hash__(self) -> int:
        return hash((self.name, self.roles))


class NeverWrote(DingerpError):
    """Only a message to the bot could prove membership, and there was none."""


class Members(Protocol):
    """Knows the members of the organisation; implemented by `bot.access.membership.Membership`."""

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Return the member's entry, None for outsiders.

        Raises `NeverWrote`, or another `DingerpError` if membership is currently unknown: neither counts as a yes.
        """
        ...

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        """Record that the member wrote to the bot from inside the organisation. Raises a `DingerpError`."""
        ...


class LanguageChoices(Protocol):
    """The languages that people chose."""

    def chosen(self, user_id: str) -> str | None:
        """Return the person's choice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """A member as the bot's own directory has them."""

    user_id: str
    name: str
    roles: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    is_admin: bool = False


class PeopleReader(Protocol):
    """Lists the members that the bot knows; implemented by `bot.store.people`, and costs no call."""

    async def listed(self, text: str, limit: int) -> Sequence[ListedPerson]:
        """Return members by userId, at most ``limit``; with a ``text`` those with it in their name or userId.

        Raises a `DingerpError` when the store is unavailable.
        """
        ...


class People:
    """Identifies people. Anybody who is not a known member is treated as an outsider."""

    def __init__(
        self,
        *,
        languages: LanguageChoices,
        default_language: str,
        configured_languages: Mapping[str, str],
        directory: Members,
    ) -> None:
        self._languages = languages
        self._default = default_language
        self._configured = configured_languages
        self._members = directory

    async def identify(
        self, user_id: str | None, *, name: str, is_admin: bool = False, wrote_at: datetime | None = None
    ) -> Person:
        """Return the person; outsiders and unconfirmed members have no ``user_id``.

        ``wrote_at`` is the time of the current message, if DingTalk vouches that it came from inside the organisation.
        Outsiders in a group can click its cards, and their clicks carry a userId too (docs:
        platform/dingtalk/callbacks.md#who-clicked).
        """
        if user_id is None:
            return Person(user_id=None, name=name, language=self.language(None))
        is_noted = wrote_at is None or await self._note_writer(user_id, name, wrote_at)
        try:
            entry = await self._members.entry(user_id)
        except NeverWrote:
            if not is_noted:
                return self._outsider(user_id, name, MembershipDoubt.NO_ANSWER)
            log.info("people.never_wrote")
            return self._outsider(user_id, name, MembershipDoubt.NEVER_WROTE)
        except DingerpError as error:
            log.warning("directory.silent", error=type(error).__name__, detail=error.detail)
            return self._outsider(user_id, name, MembershipDoubt.NO_ANSWER)
        if entry is None:
            log.warning("directory.no_member")
            return self._outsider(user_id, name)
        return _member(user_id, name or entry.name or user_id, is_admin, self.language(user_id), entry)

    async def _note_writer(self, user_id: str, name: str, wrote_at: datetime) -> bool:
        """Record that a person wrote; return whether that worked. Known members need no record."""
        try:
            await self._members.record_writer(user_id, name=name, wrote_at=wrote_at)
        except DingerpError as error:
            log.warning("people.not_noted", error=type(error).__name__, detail=error.detail)
            return False
        return True

    def _outsider(self, user_id: str, name: str, doubt: MembershipDoubt | None = None) -> Person:
        """Return a person who counts as an outsider: for certain, or with a ``doubt``."""
        return Person(user_id=None, name=name, language=self.language(user_id), doubt=doubt, claimed_id=user_id)

    def language(self, user_id: str | None) -> str:
        """Return a person's language: chosen, configured, or the default."""
        if user_id is None:
            return self._default
        return self._languages.chosen(user_id) or self._configured.get(user_id, self._default)


@lru_cache(maxsize=_KEPT)
def _member(user_id: str, name: str, is_admin: bool, language: str, entry: DirectoryEntry) -> Person:
    """Return a member, as the same object each time, so that cached decisions are found by identity."""
    return Person(
        user_id=user_id,
        name=name,
        roles=entry.roles,
        departments=entry.departments,
        department_names=entry.department_names,
        is_admin=is_admin or entry.is_admin,
        language=language,
    )
