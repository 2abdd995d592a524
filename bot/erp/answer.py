"""What a question to the sources brings back: a value, and where and when it was true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.erp.errors import ErpError
from bot.words.phrase import Phrase

T = TypeVar("T")

BETWEEN_SOURCES = " + "
"""Stands between the names of sources whose answers are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer(Generic[T]):
    """The answer of one of several sources.

    ``value`` is None when it did not answer and nothing older is known; ``as_of`` is when the value was read.
    ``error`` is why the source does not answer now. ``counted``: it is part of the sum.
    """

    source: str
    value: T | None
    as_of: datetime | None = None
    error: ErpError | None = None
    counted: bool = True
    notes: tuple[Phrase, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether the source answered now."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer with the source it came from and the time at which it was true.

    ``failures`` tell which other sources (or, for a stale answer, the same) did not answer and why; ``notes`` are what
    else the reader should know. ``parts`` are the answers of the sources, where several answered or should have.
    """

    value: T
    source: str
    as_of: datetime
    stale: bool = False
    failures: tuple[Phrase, ...] = ()
    notes: tuple[Phrase, ...] = ()
    parts: tuple[SourceAnswer[T], ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources that have what the answer is about."""
        having = tuple(part.source for part in self.parts if part.value is not None)
        return having or tuple(filter(None, self.source.split(BETWEEN_SOURCES)))
