"""In which books a document is, where there are several: those of a source, or of one company within a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.erp.errors import ErpError
from bot.erp.model import ErpRecord
from bot.phrase import Phrase, phrase

MARK = "@"
"""Stands before the name of books in a line."""


@dataclass(frozen=True, slots=True)
class Books:
    """The books that a question is about; empty names stand for any."""

    source: str = ""
    company: str = ""

    def __bool__(self) -> bool:
        return bool(self.source or self.company)

    @property
    def names(self) -> tuple[str, ...]:
        """What a line calls them, each after a `MARK`."""
        return tuple(name for name in (self.source, self.company) if name)

    def hold(self, source: str, company: str = "") -> bool:
        """Return whether something of a source, and of a company there, is in them."""
        return (not self.source or self.source == source) and (
            not self.company or self.company.casefold() == company.casefold()
        )


ALL_BOOKS = Books()


def books_of(record: ErpRecord) -> Books:
    """Return the books of a record of an answer; all of them where there is only one."""
    source, company = (name if name in record.books else "" for name in (record.source, record.company))
    return Books(source, company)


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
    """The sources that are configured, and the companies that were seen in each."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.sources = tuple(sources)
        self._companies: dict[str, dict[str, str]] = {}

    def note(self, source: str, companies: Iterable[str]) -> None:
        """Remember companies of a source."""
        for company in companies:
            if company:
                self._companies.setdefault(source, {}).setdefault(company.casefold(), company)

    def companies(self, source: str) -> tuple[str, ...]:
        """Return the companies of a source, where there are several."""
        known = self._companies.get(source, {})
        return tuple(known.values()) if len(known) > 1 else ()

    def is_one(self, source: str) -> bool:
        """Return whether all documents of a source are in the same books as those of any other."""
        return len(self.sources) == 1 and not self.companies(source)

    def names_of(self, source: str, company: str) -> tuple[str, ...]:
        """Return what tells a document from others of its number: its source, its company, both or nothing."""
        named = source if len(self.sources) > 1 else ""
        return Books(named, company if self.companies(source) else "").names

    def meant_by(self, name: str, visible: Iterable[str]) -> tuple[Books, ...]:
        """Return the books that a name may mean, among those of the ``visible`` sources.

        A source's whole name goes first, then a company's, then a part of one.
        """
        folded, among = name.casefold(), tuple(visible)
        if len(self.sources) > 1:
            named = tuple(Books(source) for source in among if source.casefold() == folded)
            if named:
                return named
        companies = {each.casefold(): each for source in among for each in self.companies(source)}
        if folded in companies:
            return (Books(company=companies[folded]),)
        return tuple(Books(company=each) for key, each in companies.items() if folded in key)

    def names(self, visible: Iterable[str]) -> tuple[str, ...]:
        """Return all that a line may name, among the books of the ``visible`` sources."""
        among = tuple(visible)
        sources = among if len(self.sources) > 1 else ()
        return (*sources, *dict.fromkeys(each for source in among for each in self.companies(source)))
