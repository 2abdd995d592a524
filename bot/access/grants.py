"""What a reader may see in a command's answer: its documents, and their fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.words.disclosure import ALL_FIELDS, SHARED_FIELDS, FieldClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The documents a rule covers: those that meet every restriction. A field that is None restricts nothing.

    ``warehouses`` holds codes or names, ``categories`` product categories, ``partners`` names of customers and vendors,
    ``companies`` companies of an ERP, ``sources`` names of configured ERPs. ``own``: only documents whose salesperson,
    buyer or requester is the reader.
    """

    sources: frozenset[str] | None = None
    companies: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    partners: frozenset[str] | None = None
    own: bool = False

    def includes(self, other: Scope) -> bool:
        """Return whether this scope covers every document that ``other`` covers."""
        pairs = (
            (self.sources, other.sources),
            (self.companies, other.companies),
            (self.warehouses, other.warehouses),
            (self.categories, other.categories),
            (self.partners, other.partners),
        )
        return (not self.own or other.own) and all(
            mine is None or (theirs is not None and theirs <= mine) for mine, theirs in pairs
        )

    def common(self, other: Scope) -> Scope:
        """Return the intersection of both scopes."""
        return Scope(
            sources=_both(self.sources, other.sources),
            companies=_both(self.companies, other.companies),
            warehouses=_both(self.warehouses, other.warehouses),
            categories=_both(self.categories, other.categories),
            partners=_both(self.partners, other.partners),
            own=self.own or other.own,
        )


def _both(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> frozenset[str] | None:
    if mine is None or theirs is None:
        return theirs if mine is None else mine
    folded = {word.casefold() for word in theirs}
    return frozenset(word for word in mine if word.casefold() in folded)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The visible fields, and the visible documents: those covered by any of ``scopes``; without scopes none."""

    fields: frozenset[FieldClass]
    scopes: tuple[Scope, ...] = (EVERYTHING,)

    def __hash__(self) -> int:
        """Hash only the fields, whose hash is cached: the scopes would be hashed for every question."""
        return hash(self.fields)


FULL_GRANT = Grant(fields=ALL_FIELDS)
SHARED_GRANT = Grant(fields=SHARED_FIELDS)
NO_GRANT = Grant(fields=frozenset(), scopes=())


def merge_grants(grants: Iterable[Grant]) -> Grant:
    """Merge several grants: the documents of all, and the fields that each may show of them.

    Grants for the same documents add their fields. Grants for different documents cannot: a merged grant has one set of
    fields, so only the fields visible on all of them remain.
    """
    fields: dict[Scope, frozenset[FieldClass]] = {}
    for grant in grants:
        for scope in grant.scopes:
            fields[scope] = fields.get(scope, frozenset()) | grant.fields
    widest = tuple(scope for scope in fields if not any(other != scope and other.includes(scope) for other in fields))
    if not widest:
        return NO_GRANT
    seen = (fields[scope] for scope in widest)
    return Grant(fields=ALL_FIELDS.intersection(*seen), scopes=widest)


def common_grant(grants: Iterable[Grant]) -> Grant:
    """Return the intersection of several grants: their common fields, for the documents that all cover."""
    first, *others = grants
    fields, scopes = first.fields, first.scopes
    for other in others:
        fields, scopes = fields & other.fields, common_scopes(scopes, other.scopes)
    return Grant(fields=fields, scopes=scopes) if scopes else NO_GRANT


def common_scopes(first: tuple[Scope, ...], second: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Return scopes for the documents covered by both."""
    if first == second:
        return first
    return tuple(dict.fromkeys(mine.common(theirs) for mine in first for theirs in second))
