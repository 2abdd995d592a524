"""The languages that people can read the bot in, and the port to where their choice is kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from bot.phrase import Phrase, phrase

LANGUAGES: Mapping[str, Phrase] = MappingProxyType({"zh_CN": phrase("Chinese"), "en": phrase("English")})
"""What the languages with a catalogue are called, by their codes."""


class LanguageChoice(Protocol):
    """Remembers which language a person wants to read."""

    async def choose(self, user_id: str, code: str) -> None:
        """Keep ``code`` (``zh_CN`` or ``en``) for this person; it holds from the answer to this question on."""
        ...
