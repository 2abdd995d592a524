"""Texts about which documents a person may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.access.grants import Scope
from bot.words.phrase import Phrase, phrase


def describe_scope(scope: Scope) -> tuple[Phrase, ...]:
    """Return the restrictions of a scope; empty for one that covers all documents."""
    return tuple(_restrictions(scope))


def _restrictions(scope: Scope) -> Iterator[Phrase]:
    if scope.own:
        yield phrase("own documents")
    if scope.sources is not None:
        yield phrase("ERP: %(names)s", names=_listed(scope.sources))
    if scope.companies is not None:
        yield phrase("company: %(names)s", names=_listed(scope.companies))
    if scope.warehouses is not None:
        yield phrase("warehouse: %(names)s", names=_listed(scope.warehouses))
    if scope.categories is not None:
        yield phrase("category: %(names)s", names=_listed(scope.categories))
    if scope.partners is not None:
        yield phrase("partner: %(names)s", names=_listed(scope.partners))


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
