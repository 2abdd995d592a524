"""Why a text is not TOML, in words for people who do not know TOML."""

from __future__ import annotations

import re
from typing import Final

from bot.words.phrase import Phrase, Words, phrase

_AT = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.S)

_WIDE = str.maketrans("“”„‘’＂＇，＝［］｛｝【】：＃", '"""\'\'"\',=[]{}[]:#')
"""Characters of a Chinese keyboard → their TOML equivalents."""

_PLAIN: Final = {
    str(words): words
    for words in (
        phrase("Cannot overwrite a value"),
        phrase("Escaped character is not a Unicode scalar value"),
        phrase("Expected '=' after a key in a key/value pair"),
        phrase("Expected ']' at the end of a table declaration"),
        phrase("Expected ']]' at the end of an array declaration"),
        phrase("Expected newline or end of document after a statement"),
        phrase("Invalid date or datetime"),
        phrase("Invalid hex value"),
        phrase("Invalid initial character for a key part"),
        phrase("Invalid statement"),
        phrase("Invalid value"),
        phrase("Unclosed array"),
        phrase("Unclosed inline table"),
        phrase("Unescaped '\\' in a string"),
        phrase("Unterminated string"),
    )
}
"""The messages of Python's parser. Source: Python 3.11, ``Lib/tomllib/_parser.py``."""


def explain_toml_error(error: ValueError, text: str) -> tuple[int, Phrase]:
    """Return the line, from 1, and the problem there; ``error`` is that of `tomllib` for ``text``.

    It may also concern a number with thousands of digits, which has no line.
    """
    match = _AT.fullmatch(str(error))
    if match is None:
        return 1, phrase("no TOML: %(why)s", why=str(error)[:200])
    line, column = (int(match[2]), int(match[3])) if match[2] else (text.count("\n") + 1, 0)
    why = _explain(match[1][:200], text.split("\n")[line - 1], column)
    return line, phrase("no TOML, column %(column)s: %(why)s", column=str(column), why=why) if column else phrase(
        "no TOML: %(why)s", why=why
    )


def _explain(problem: str, line: str, column: int) -> Phrase:
    """Return the problem at a column of a line, counted from 1."""
    found = line[column - 1 : column]
    hint: Words = phrase('texts stand in quotes, an example is name = "finance"')
    if (meant := found.translate(_WIDE)) != found:
        hint = phrase("%(found)s is a Chinese character, TOML needs %(meant)s", found=found, meant=meant)
    elif problem == "Cannot overwrite a value":
        hint = phrase("this key stands here a second time")
    return phrase("%(what)s; %(hint)s", what=_in_words(problem), hint=hint)


def _in_words(problem: str) -> Words:
    if match := re.fullmatch(r"(?:Found invalid|Illegal) character (.+)", problem, re.S):
        return phrase("Illegal character %(what)s", what=match[1])
    if match := re.fullmatch(r"Cannot declare (.+) twice", problem, re.S):
        return phrase("Cannot declare %(what)s twice", what=match[1])
    if match := re.fullmatch(r"Duplicate inline table key (.+)", problem, re.S):
        return phrase("Duplicate inline table key %(what)s", what=match[1])
    if match := re.fullmatch(r"Cannot (?:mutate immutable|redefine) namespace (.+)", problem, re.S):
        return phrase("Cannot redefine namespace %(what)s", what=match[1])
    if match := re.fullmatch(r"Expected (['\"].{1,3}['\"])", problem, re.S):
        return phrase("Expected %(what)s", what=match[1])
    return _PLAIN.get(problem, problem)
