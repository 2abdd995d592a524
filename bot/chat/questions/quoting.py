"""The document meant by a person who replies to a card or message with a word.

DingTalk sends the title of a quoted card and often nothing else (docs: platform/dingtalk/messages.md#quotes). The first
number in a title is that of the product or document on the card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.chat.parsing import command_line, normalise

_CODE = re.compile(r"(?<![\w.,%¥$€/-])[A-Za-z0-9](?:[A-Za-z0-9_/.-]*[A-Za-z0-9])?(?![\w%])", re.ASCII)
_DAY_OR_AMOUNT = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{4})?|\d+\.\d+")
_IN_BRACKETS = re.compile(r"\([^)]*\)")
_FEWEST_DIGITS = 4
"""Digits of a number without letters: fewer are counts."""


def numbers_in(words: str) -> tuple[str, ...]:
    """Return possible product or document numbers, in text order, each once."""
    codes = _CODE.findall(_IN_BRACKETS.sub(" ", normalise(words)))
    return tuple(dict.fromkeys(code for code in codes if _is_number(code)))


def _is_number(code: str) -> bool:
    if _DAY_OR_AMOUNT.fullmatch(code) or not any(map(str.isdigit, code)):
        return False
    return any(map(str.isalpha, code)) or sum(map(str.isdigit, code)) >= _FEWEST_DIGITS


def takes_number(examples: Sequence[str]) -> bool:
    """Return whether a command is about one product or document, judged by its examples."""
    return any(numbers_in(example) for example in examples)


def line_about(command: str, number: str, rest: str) -> str:
    """Return the line that asks ``command`` for the quoted document, with the accompanying words."""
    return f"{command_line(command, number)} {rest}".strip()
