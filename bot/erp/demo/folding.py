"""Makes what people and buttons send comparable: width, case and the signs that people type for ``×`` do not matter."""

from __future__ import annotations

import unicodedata

_SIGNS = str.maketrans({"×": "x", "*": "x"})


def fold(text: str) -> str:
    """Return ``text`` as it is compared (``Ｍ４×10 `` and ``m4*10`` are the same)."""
    whole = text.encode(errors="replace").decode()  # half a surrogate pair is text to Python and not to SQLite
    return unicodedata.normalize("NFKC", whole).casefold().translate(_SIGNS).strip()


def whole_number(text: str) -> int | None:
    """Return the number that ``text`` spells in plain digits, if a database can hold it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
