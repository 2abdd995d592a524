"""In which books a document is, where there are several: each source has those of one company."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.erp.errors import ErpError
from bot.erp.model import ErpRecord
from bot.words.phrase import Phrase, phrase

MARK = "@"
"""Stands before the name of books in a line."""


@dataclass(frozen=True, slots=True)
class Books:
    """The books that a question is about, by the source that has them; an empty name stands for any."""

    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.source)

    @property
    def names(self) -> tuple[str, ...]:
        """What a line may call them after a `MARK`."""
        return (self.source,) if self.source else ()

    def hold(self, source: str) -> bool:
        """Return whether something of a source is in them."""
        return self.source in ("", source)


ALL_BOOKS = Books()


def books_of(record: ErpRecord) -> Books:
    """Return the books of a record of an answer; all of them where there is only one."""
    return Books(record.source if record.books else "")


class InSeveralBooks(ErpError):
    """Documents in several books have the number ``what``: choosing one would be a guess. ``books`` are their names."""

    def __init__(self, what: str, books: Iterable[tuple[str, ...]]) -> None:
        self.what = what
        self.books = tuple(books)
        super().__init__(f"{what} is in {len(self.books)} books")

    def tell(self) -> Phrase:
        return phrase(
            "“%(what)s” is in several books: %(names)s.", what=self.what, names=tuple(" · ".join(b) for b in self.books)
        )


class KnownBooks:
    """The books of all configured sources: nothing needs a name where there is one source."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._sources = tuple(sources)

    def names_of(self, source: str) -> tuple[str, ...]:
        """Return what tells a document of a source from others of its number."""
        return (source,) if len(self._sources) > 1 else ()

    def meant_by(self, name: str, visible: Iterable[str], *, whole: bool) -> tuple[Books, ...]:
        """Return the books that a name may mean, among those of the ``visible`` sources.

        A whole name goes before a part of one, which counts unless it must be ``whole``.
        """
        folded, among = name.casefold(), self.names(visible)
        named = [each for each in among if folded == each.casefold()]
        parts = [] if whole else [each for each in among if folded in each.casefold()]
        return tuple(map(Books, named or parts))

    def names(self, visible: Iterable[str]) -> tuple[str, ...]:
        """Return all that a line may name, among the books of the ``visible`` sources."""
        return tuple(visible) if len(self._sources) > 1 else ()
