"""Finds the person behind the ids of a message or a click, with roles and a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.errors import DingerpError


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who asks or clicks. ``user_id`` is None for people outside the organisation."""

    user_id: str | None
    name: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    is_admin: bool = False
    language: str = "zh_CN"

    @property
    def is_external(self) -> bool:
        """Whether this is not known to be a member of the organisation."""
        return self.user_id is None


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A member in the organisation's directory."""

    name: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    is_admin: bool = False


_EMPTY_ENTRY = DirectoryEntry(name="")


class Directory(Protocol):
    """The organisation's directory, which caches its answers for minutes."""

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Return the member's entry, None for people outside. Raises a `DingerpError` when there is no answer."""
        ...


class LanguageChoices(Protocol):
    """The languages that people chose."""

    def chosen(self, user_id: str) -> str | None:
        """Return the person's choice."""
        ...


class People:
    """Identifies people. Without a directory, names and administrators are known from the message alone."""

    def __init__(
        self,
        *,
        languages: LanguageChoices,
        default_language: str,
        configured_languages: Mapping[str, str],
        directory: Directory | None = None,
    ) -> None:
        self._languages = languages
        self._default = default_language
        self._configured = configured_languages
        self._directory = directory

    async def identify(self, user_id: str | None, *, name: str, is_admin: bool = False) -> Person:
        """Return the person; without the directory's answer its roles are missing, and nothing else.

        People whom the directory does not know are external: outsiders in a group can click its cards, and their
        clicks have a user id too (docs: platform/dingtalk/callbacks.md#who-clicked).
        """
        if user_id is None:
            return Person(user_id=None, name=name, language=self.language(None))
        entry = await self._entry(user_id)
        if entry is None:
            log.warning("directory.no_member")
            return Person(user_id=None, name=name, language=self.language(user_id))
        return Person(
            user_id=user_id,
            name=name or entry.name or user_id,
            roles=entry.roles,
            departments=entry.departments,
            is_admin=is_admin or entry.is_admin,
            language=self.language(user_id),
        )

    def language(self, user_id: str | None) -> str:
        """Return a person's language: chosen, configured, or the default."""
        if user_id is None:
            return self._default
        return self._languages.chosen(user_id) or self._configured.get(user_id, self._default)

    async def _entry(self, user_id: str) -> DirectoryEntry | None:
        if self._directory is None:
            return _EMPTY_ENTRY
        try:
            return await self._directory.entry(user_id)
        except DingerpError as error:
            log.warning("directory.silent", error=type(error).__name__, detail=error.detail)
            return _EMPTY_ENTRY
