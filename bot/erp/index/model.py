"""What the index keeps: one entry per product, and how far each source has been followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.erp.model import Product

VERSION = 1
"""Counts the ways in which entries were made; an index of another one is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One product as it is searched.

    ``key`` tells the products of a source apart, ``code`` and ``name`` are folded for ranking. ``plain`` is all that
    can be searched as it is written; ``initials`` and ``syllables`` are the pinyin of the name, each spelling after a
    line break.
    """

    key: str
    code: str
    name: str
    plain: str
    initials: str
    syllables: str
    product: Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a source has been followed.

    A *walk* reads all products from the beginning; what it does not come upon is gone. ``walking``: the walk has not
    reached the end; ``walked_at``: when the last one did. ``synced_at``: up to when all changes are known, None before
    the first walk's end. ``trouble``: the class of the error that the last attempt ended with.
    """

    source: str
    cursor: str = ""
    walk: int = 1
    walking: bool = True
    walked_at: datetime | None = None
    synced_at: datetime | None = None
    trouble: str = ""
    version: int = VERSION
