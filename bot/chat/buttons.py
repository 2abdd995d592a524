"""Buttons that many views have."""

from __future__ import annotations

from collections.abc import Iterable

from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.line import command_line
from bot.phrase import phrase


def asks(command: str, words: Iterable[str]) -> list[Button]:
    """Return one button a word that asks ``command`` for it; repeated and empty words give none."""
    return [Button(word, Ask(command_line(command, word))) for word in dict.fromkeys(words) if word]


def into_erp(url: str) -> list[Button]:
    """Return the button that opens a document in the ERP, if that has an address to open."""
    return [Button(phrase("Open in the ERP"), url)] if url.startswith("https://") else []
