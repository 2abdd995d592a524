"""Makes spellings comparable: width, case and the signs that people type for ``×`` do not matter."""

from __future__ import annotations

import unicodedata

_SIGNS = str.maketrans({"×": "x", "*": "x"})


def fold(text: str) -> str:
    """Return ``text`` as it is compared (``Ｍ４×10 `` and ``m4*10`` are the same)."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_SIGNS).strip()
