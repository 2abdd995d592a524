"""What else a word may have been meant for that was looked for as a name and not found: /invoice opne."""

from __future__ import annotations

from dataclasses import dataclass

from bot.cards.notices import Suggestion
from bot.chat.arguments import Keyword, Signature, Word
from bot.chat.parsing import command_line, split
from bot.phrase import Phrase, phrase
from bot.spelling import misspelt_for

_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class ArgumentHints:
    """What was looked for and which words the command knows; and lines with the words that may have been meant."""

    notes: tuple[Phrase, ...] = ()
    lines: tuple[Suggestion, ...] = ()


def hint_arguments(command: str, signature: Signature, rest: str) -> ArgumentHints:
    """Return what to say of ``rest``, as which nothing was found; nothing where no word of the command was meant."""
    types = [parameter.type for parameter in signature.parameters]
    named = next((kind for kind in types if issubclass(kind, Word) and kind.takes_rest), None)
    keywords = [member for kind in types if issubclass(kind, Keyword) for member in kind]
    # Numbers, and names in Chinese, are no English word with a slip in it.
    if named is None or not keywords or not rest.isascii() or any(char.isdigit() for char in rest):
        return ArgumentHints()
    note = phrase(
        "It was looked for as %(kind)s. This command also knows the words: %(words)s.",
        kind=named.placeholder,
        words=tuple(member.label for member in keywords),
    )
    return ArgumentHints((note,), _corrected(command, keywords, split(rest)))


def _corrected(command: str, keywords: list[Keyword], words: tuple[str, ...]) -> tuple[Suggestion, ...]:
    lines: dict[str, None] = {}
    for place, word in enumerate(words):
        for member in keywords:
            if misspelt_for(word, member.words):
                lines[command_line(command, *words[:place], str(member), *words[place + 1 :])] = None
    return tuple(map(Suggestion, lines))[:_MOST_LINES]
