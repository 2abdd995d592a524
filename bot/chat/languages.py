"""The available languages, and the storage of people's choices."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

LANGUAGES: Mapping[str, str] = MappingProxyType({"zh_CN": "中文", "en": "English"})
"""Names of the languages that have a catalogue, by their codes: each in itself, for those who read no other."""


class LanguageChoice(Protocol):
    """Stores people's languages."""

    async def choose(self, user_id: str, code: str) -> None:
        """Store ``code`` (``zh_CN`` or ``en``) for this person; it applies from the answer to this question on."""
        ...
