"""Small checks that several cases of the ERP contract share."""

from __future__ import annotations

import string
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any, TypeVar

import pytest

from bot.erp.errors import NotFound, UnknownRest
from bot.erp.kinds import KINDS, D, Kind
from bot.erp.model import Area, Change, Changes, DecisionResult, Followed, PurchaseOrder, Slice
from bot.erp.port import Erp, FeedReader, Filter, ListQuery
from bot.kit.testing.company import TODAY

T = TypeVar("T")


SINGLE_ONLY = frozenset(kind.inside for kind in KINDS if kind.inside)
"""Fields that only a single document has: they are empty in lists."""


def filters_of(kind: Kind[Any]) -> tuple[Filter, ...]:
    """Return the lists that the kind knows."""
    return (Filter.ALL, *kind.filters)


async def read_list(erp: Erp, kind: Kind[D], query: ListQuery) -> Slice[D]:
    """Read a part of a list; nothing where the ERP says that it cannot know what is overdue."""
    try:
        return await erp.documents(kind, query)
    except UnknownRest:
        assert query.filter is Filter.OVERDUE
        return Slice(items=(), total=0)


def expected_numbers(kind: Kind[Any], documents: Iterable[Any], query: ListQuery, today: date = TODAY) -> list[str]:
    """Return the numbers that ``query`` must give, out of all documents."""
    return numbers(kind.pick(documents, query, today))


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def case_variants(text: str) -> tuple[str, ...]:
    """Return a text in the cases of ASCII letters: of other letters even databases disagree about the case."""
    return tuple(dict.fromkeys((text, text.translate(_LOWER), text.translate(_UPPER))))


def sample_evenly(items: Iterable[T], count: int) -> list[T]:
    """Return up to ``count`` of the items, evenly spread from the first to the last."""
    known = list(items)
    if len(known) <= count:
        return known
    return [known[n * (len(known) - 1) // (count - 1)] for n in range(count)]


def numbers(found: Slice[Any]) -> list[str]:
    """Return the numbers of what a list holds."""
    return [document.number for document in found.items]


def without_lines(document: Any) -> dict[str, Any]:
    """Return a document's fields as they are the same in a list and alone."""
    return {name: getattr(document, name) for name in document.__dataclass_fields__ if name not in SINGLE_ONLY}


def resulting_document(result: DecisionResult) -> Any:
    """Return the document that a decision left behind."""
    assert result.document is not None
    return result.document


def resulting_order(result: DecisionResult) -> PurchaseOrder:
    """Return the order that a decision left behind."""
    assert isinstance(result.document, PurchaseOrder)
    return result.document


async def expect_not_found(call: Callable[..., Awaitable[object]], *args: str) -> None:
    """Check that the call finds nothing."""
    with pytest.raises(NotFound):
        await call(*args)


async def changed_since(erp: Erp | FeedReader, area: Followed, cursor: str, limit: int) -> Changes:
    """Return the next changes of an area, or of a feed that the ERP tells."""
    if isinstance(area, Area):
        return await erp.changed_since(area, cursor, limit=limit)
    assert isinstance(erp, FeedReader)
    return await erp.changed_since(area, cursor, limit=limit)


async def all_changes(
    erp: Erp | FeedReader,
    area: Followed,
    cursor: str = "",
    *,
    limit: int = 7,
    between: Callable[[int], None] = lambda _: None,
) -> tuple[list[Change], str]:
    """Return all changes after ``cursor`` and the last cursor; ``between`` is called after each page with its count."""
    items: list[Change] = []
    for page in range(1_000):
        changes = await changed_since(erp, area, cursor, limit)
        assert len(changes.items) <= limit
        items += changes.items
        cursor = changes.cursor
        if not changes.more:
            return items, cursor
        between(page)
    pytest.fail(f"changes of {area} do not end")
