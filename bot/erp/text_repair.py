"""Texts as ERPs give them: what is wrong with their characters, and what can be repaired for certain."""

from __future__ import annotations

import re

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_INVISIBLE = "\ufeff\u200b"
_BLANKS = " \t\r\n\u00a0\u3000"

# UTF-8 that was read as GBK: the first two bytes of a character of three (E4 to E9, 80 to BF) make one of these.
_AS_GBK = "".join(
    bytes((lead, trail)).decode("gbk", "ignore") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0)
)
_SYMBOLS = "×°±²³µ·½¼¾Øø®"
"""The Latin characters that are in any description; damaged texts have others beside them."""
_LATIN = "".join(sign for code in range(0x80, 0x100) if (sign := chr(code)) not in _SYMBOLS)
_SIEVE = re.compile(f"[{_CONTROL}{_LATIN}\ud800-\udfff\ufffd{_INVISIBLE}{_AS_GBK}锟鍔?]")
"""Finds every text that may be wrong, and a few that are not."""

_TO_REMOVE = re.compile(f"[{_CONTROL}{_INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOST = re.compile("\ufffd|锟斤拷|^[?？ ]*[?？]{2}[?？ ]*$")
_UTF8_AS_LATIN = re.compile("[\xc2-\xf4][\x80-\xbf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
_PAIR = "[\xb0-\xd7][\xa1-\xfe]"
_GBK_AS_LATIN = re.compile(f"(?:[\x00-\x7f]|{_PAIR})*?(?:{_PAIR}){{2}}(?:[\x00-\x7f]|{_PAIR})*")
"""Nothing beyond ASCII but pairs that are the common Chinese characters."""
_GBK_SET = re.compile(f"[{_AS_GBK}]")


def suspicious(text: str) -> bool:
    """Return whether a text needs a closer look; quick, for the thousands that do not."""
    return _SIEVE.search(text) is not None


def lone_surrogate(text: str) -> bool:
    """Return whether a text holds half of a character, which no file and no network can carry."""
    return _SURROGATE.search(text) is not None


def lost(text: str) -> bool:
    """Return whether characters were replaced by question marks somewhere: what they were cannot be known."""
    return _LOST.search(text) is not None


def without_controls(text: str) -> str:
    """Return the text without NUL, other control characters and invisible marks."""
    return _TO_REMOVE.sub("", text)


def stripped(text: str) -> str:
    """Return the text without blanks around it, the Chinese one among them."""
    return text.strip(_BLANKS)


def decoded(text: str) -> str | None:
    """Return the text that was meant where it was decoded with the wrong encoding, None where it was not.

    The bytes must make sense in the right encoding without a single fault, which chance does not bring about.
    """
    if _UTF8_AS_LATIN.search(text):
        for wrong in ("cp1252", "latin-1"):
            if (meant := _recoded(text, wrong, "utf-8")) is not None:
                return meant
    if _GBK_AS_LATIN.fullmatch(text) and (meant := _recoded(text, "latin-1", "gbk")) is not None:
        return meant
    if _GBK_SET.search(text) and (meant := _recoded(text, "gbk", "utf-8")) is not None:
        return meant
    return None


def _recoded(text: str, wrong: str, right: str) -> str | None:
    try:
        meant = text.encode(wrong).decode(right)
    except UnicodeError:
        return None
    return meant if meant != text and "\ufffd" not in meant else None
