"""How an ERP tells one kind of document: data for what is ordinary, functions where the ERP has traps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from bot.erp.port import NEWEST_FIRST, Filter, ListQuery, Period

Row = dict[str, Any]
"""A record as the ERP tells it; joins add to it what other records tell."""
Conditions = list[Any]
"""Conditions in the ERP's notation, all of which hold."""


class Terms(Protocol):
    """Says in the notation of an ERP what a list is asked for; holds the day, and what the ERP's release has."""

    def known(self, names: tuple[str, ...], /) -> tuple[str, ...]:
        """Return those of the fields that this release has."""
        ...

    def contains(self, names: tuple[str, ...], text: str, /) -> Conditions:
        """Return the condition that one of the fields contains a text, ignoring case; none for an empty text."""
        ...

    def is_named(self, names: tuple[str, ...], name: str, /) -> Conditions:
        """Return the condition that one of the fields is a name, ignoring case."""
        ...

    def within(self, name: str, period: Period, /) -> Conditions:
        """Return the condition that a day lies in a period; without a field, for what has no such day."""
        ...

    def has_product(self, path: str, product: str, /) -> Conditions:
        """Return the condition that a line is of a product, whose code has this path; without one none is."""
        ...


T = TypeVar("T", bound=Terms)
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


class Join(Protocol[S_contra]):
    """Reads what other records tell of rows, in one batch, and adds it to the rows.

    ``whole`` says whether the documents are shown with their lines.
    """

    def __call__(self, reads: S_contra, rows: list[Row], whole: bool, /) -> Awaitable[None]: ...


async def _as_they_are(_reads: object, documents: Sequence[Any]) -> Sequence[Any]:
    return documents


def _no_conditions(_terms: object) -> Conditions:
    return []


@dataclass(frozen=True, slots=True)
class NamedRows(Generic[T]):
    """Which rows are on a named list, and the field by which it is ordered and dated.

    Where the conditions match more than that, they are not ``exact``: the documents show which are meant.
    """

    by: str
    where: Callable[[T], Conditions]
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[T, S]):
    """Where the rows of one kind of document are, how they are searched and ordered, and what they become."""

    model: str
    """What the ERP calls such records."""
    fields: tuple[str, ...]
    build: Callable[[Row, Any], Any]
    """Returns the document of a row with what the joins added; the second argument is what the source's rows share."""
    joins: tuple[Join[S], ...] = ()
    complete: Callable[[S, Sequence[Any]], Awaitable[Sequence[Any]]] = _as_they_are
    """Completes documents by what only they say has to be read."""
    number: str = "name"
    """The field with the number or code."""
    days: tuple[str, ...] = ()
    """Fields with the day of the document, by which lists are ordered: the first of them that this release has."""
    due: str = ""
    texts: tuple[str, ...] = ()
    """Fields that are searched."""
    partners: tuple[str, ...] = ()
    """Fields with the name of the customer or vendor."""
    product: str = ""
    """The path to the code of the product of a line; empty where no list is asked for a product."""
    where: Callable[[T], Conditions] = _no_conditions
    """What holds for all documents of the kind."""
    lists: Mapping[Filter, NamedRows[T]] = field(default_factory=dict)

    def day_in(self, wanted: Filter, terms: T) -> str:
        """Return the field by which a list is dated: of what was done when that was."""
        if wanted in NEWEST_FIRST and wanted in self.lists:
            return self.lists[wanted].by
        return next(iter(terms.known(self.days)), "")

    def conditions(self, query: ListQuery, terms: T) -> Conditions:
        """Return the conditions of a list."""
        found = [*self.where(terms), *terms.contains(terms.known(self.texts), query.text)]
        if query.during is not None:
            found += terms.within(self.day_in(query.filter, terms), query.during)
        if query.due is not None:
            found += terms.within(self.due, query.due)
        if query.partner:
            found += terms.is_named(terms.known(self.partners), query.partner)
        if query.product:
            found += terms.has_product(self.product, query.product)
        return found + (self.lists[query.filter].where(terms) if query.filter in self.lists else [])

    def order_by(self, query: ListQuery, terms: T) -> tuple[tuple[str, bool], ...]:
        """Return the fields by which a list is ordered, each with whether the greatest comes first."""
        by_number = (self.number, False)
        if query.filter not in NEWEST_FIRST:
            return (self.lists[query.filter].by, False), by_number
        day = self.day_in(query.filter, terms)
        return ((day, True), by_number) if day else (by_number,)
