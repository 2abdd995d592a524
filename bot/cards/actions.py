"""What a button means: small typed values that pack themselves into the token a card carries.

The token is short and self-contained and comes back from a client, so it is a request, never a proof: whoever
handles an action asks `bot.access` again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from bot.errors import DingerpError
from bot.phrase import Phrase, phrase

MAX_TOKEN_BYTES = 180
"""Keeps seven buttons within the documented kilobyte of a card value (DingTalk sheet, 5.12)."""

_SEPARATOR = "|"
_TYPED = re.compile(r"(.*\S)\s+\+(\d{1,6})", re.DOTALL)


class BadToken(DingerpError):
    """A button token that none of our actions wrote, or one of an older release."""

    def tell(self) -> Phrase:
        return phrase("This button is out of date. Please ask again.")


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer ``line`` as if the clicker had typed it, from the ``offset``-th row on."""

    kind: ClassVar[str] = "ask"

    line: str
    offset: int = 0

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        token = _SEPARATOR.join((self.kind, str(self.offset), self.line))
        if len(token.encode()) > MAX_TOKEN_BYTES:
            raise ValueError(f"button token of {len(token.encode())} bytes")
        return token

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping: ``/order late +8`` goes on after the eighth row."""
        return f"{self.line} +{self.offset}" if self.offset else self.line

    @classmethod
    def from_typed(cls, line: str) -> Ask:
        """Return what a normalised line asks for: the counterpart of `typed`."""
        match = _TYPED.fullmatch(line) if "+" in line else None
        return cls(match[1], int(match[2])) if match else cls(line)


Action: TypeAlias = Ask
"""Every action there is; later kinds join by ``|``."""


def unpack(token: str) -> Action:
    """Return the action that `pack` made this token from; raises `BadToken`."""
    kind, _, rest = token.partition(_SEPARATOR)
    offset, _, line = rest.partition(_SEPARATOR)
    too_long = len(token.encode()) > MAX_TOKEN_BYTES
    if kind != Ask.kind or too_long or not line.strip() or not (offset.isascii() and offset.isdigit()):
        raise BadToken(f"unknown button token of {len(token)} characters")
    return Ask(line, int(offset))
