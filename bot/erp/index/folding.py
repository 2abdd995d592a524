"""Makes what people type and what ERPs write comparable: width, case, blanks and the characters typed for ``×``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.erp.index.pinyin import spell
from bot.erp.index.port import IndexEntry, Readings
from bot.erp.model import Product

_SIGNS = str.maketrans({"×": "x", "*": "x", "\u200b": None, "\ufeff": None, "\0": None})
_TEXTS = ("sku", "name", "spec", "unit", "category", "barcode")
_MOST_WORDS = 16
"""Further words of a search are left out: nobody types them, and a statement has its limits."""


def fold(text: str) -> str:
    """Return ``text`` as it is compared (``Ｍ４×10 `` and ``m4*10`` are the same)."""
    return " ".join(unicodedata.normalize("NFKC", _storable(text)).casefold().translate(_SIGNS).split())


def words(text: str) -> Sequence[str]:
    """Return the words of a folded text, each once."""
    return tuple(dict.fromkeys(text.split()))[:_MOST_WORDS]


def key_of(sku: str) -> str:
    """Return what distinguishes the products of a source: codes are compared ignoring case."""
    return _storable(sku).casefold()


def entries(products: Iterable[Product], readings: Readings) -> list[IndexEntry]:
    """Return products as they are kept."""
    return [_entry(product, readings) for product in products]


def _entry(product: Product, readings: Readings) -> IndexEntry:
    code, name = fold(product.sku), fold(product.name)
    initials, syllables = spell(name, readings)
    texts: dict[str, Any] = {field: _storable(getattr(product, field)) for field in _TEXTS}
    return IndexEntry(
        key=key_of(product.sku),
        code=code,
        name=name,
        plain="\n".join((code, name, fold(product.spec), fold(product.barcode))),
        initials=initials,
        syllables=syllables,
        product=replace(product, **texts),
    )


def _storable(text: str) -> str:
    """Return ``text`` without what PostgreSQL or UTF-8 cannot hold: half a surrogate pair and the character NUL."""
    return text.encode(errors="replace").decode().replace("\0", "")
