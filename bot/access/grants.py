"""What a reader may see of a command's answer: which documents, and which fields of them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.disclosure import ALL_FIELDS, SHARED_FIELDS, FieldClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Documents that a rule covers: those that fit every restriction. None restricts nothing.

    ``warehouses`` holds codes or names, ``categories`` product categories, ``partners`` names of customers and vendors,
    ``companies`` companies of an ERP, ``sources`` names of configured ERPs. ``own``: only documents of which the reader
    is salesperson, buyer or requester.
    """

    sources: frozenset[str] | None = None
    companies: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    partners: frozenset[str] | None = None
    own: bool = False


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Which fields may be seen, and of which documents: those that any of ``scopes`` covers; without scopes none."""

    fields: frozenset[FieldClass]
    scopes: tuple[Scope, ...] = (EVERYTHING,)


FULL_GRANT = Grant(fields=ALL_FIELDS)
SHARED_GRANT = Grant(fields=SHARED_FIELDS)
NO_GRANT = Grant(fields=frozenset(), scopes=())
