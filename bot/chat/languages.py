"""The languages that people choose from, and where the choice is kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

LANGUAGES: Mapping[str, str] = MappingProxyType({"zh_CN": "中文", "en": "English"})
"""Names of the languages that have a catalogue, by their codes: each in itself, for those who read no other."""


class LanguageChoice(Protocol):
    """Remembers which language a person wants to read."""

    async def choose(self, user_id: str, code: str) -> None:
        """Keep ``code`` (``zh_CN`` or ``en``) for this person; it applies from the answer to this question on."""
        ...
