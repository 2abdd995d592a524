"""The words of a condition, before CEL reads it: enough to find comparisons of figures and what is not allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_TOKEN = re.compile(
    r"""(?P<blank>(?:\s|//[^\n]*)+)
    |(?P<string>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign><=|>=|==|!=|&&|\|\||.)""",
    re.X | re.S,
)


class Kind(StrEnum):
    """What a token is."""

    STRING = "string"
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text from ``start`` to ``end``."""

    kind: Kind
    text: str
    start: int
    end: int


def cut(text: str) -> list[Token]:
    """Return the tokens of a condition. Any text can be cut; what is no CEL, CEL will say."""
    return [
        Token(Kind(match.lastgroup or "sign"), match[0], match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "blank"
    ]
