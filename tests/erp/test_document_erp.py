"""The base of adapters: what holds for all kinds of documents before and after the vendor is asked."""

from __future__ import annotations

from typing import Any

import pytest

from bot.erp import kinds
from bot.erp.document_erp import DocumentErp
from bot.erp.errors import Invalid, NotFound, Unsupported
from bot.erp.kinds import D, Kind
from bot.erp.model import Slice
from bot.erp.port import UNCHANGING, Capability, Filter, ListQuery
from tests.rows import each_row

KINDS: tuple[Kind[Any], ...] = (
    *kinds.AREA_KINDS,
    kinds.CUSTOMERS,
    kinds.VENDORS,
    kinds.BILLS,
    kinds.PAYMENTS,
)
SINGLE = tuple(kind.call for kind in KINDS)


class RecordingErp(DocumentErp):
    """Records the calls that reached it, and answers with nothing, or fails."""

    capabilities = frozenset(Capability)

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__("acme")
        self.asked: list[tuple[Any, Any]] = []
        self.failure = failure

    async def read_document(self, kind: Kind[D], number: str) -> D:
        self.asked.append((kind, number))
        raise self.failure or NotFound(number)

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        self.asked.append((kind, query))
        if self.failure is not None:
            raise self.failure
        return Slice(items=(), total=0)


class SalesErp(RecordingErp):
    capabilities = frozenset({Capability.SALES_ORDERS})


@each_row(("call", "kind"), [*zip(SINGLE, KINDS, strict=True)])
async def test_every_call_reaches_the_vendor_with_its_kind(call: str, kind: Kind[Any]) -> None:
    erp = RecordingErp()
    with pytest.raises(NotFound):
        await getattr(erp, call)("A-1")
    known = [Filter.ALL, *(each for each in kind.filters if each not in UNCHANGING)]
    query = ListQuery(filter=known[-1])
    await getattr(erp, f"{call}s")(query)
    assert erp.asked == [(kind, "A-1"), (kind, query)]


async def test_what_is_not_offered_is_refused_by_name() -> None:
    erp = SalesErp()
    await erp.orders(ListQuery())
    for call in SINGLE[1:]:
        with pytest.raises(Unsupported, match="here") as caught:
            await getattr(erp, call)("A-1")
        assert caught.value.source == "acme"
        with pytest.raises(Unsupported):
            await getattr(erp, f"{call}s")(ListQuery())
    assert len(erp.asked) == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [(Filter.SPENT, "no list of spent here"), (Filter.PENDING, "no orders wait for a decision here")],
)
async def test_a_list_that_a_kind_does_not_have_is_not_asked_for(wanted: Filter, said: str) -> None:
    erp = RecordingErp()
    with pytest.raises(Unsupported, match=said) as caught:
        await erp.orders(ListQuery(filter=wanted))
    assert (caught.value.source, erp.asked) == ("acme", [])


@each_row("number", ["", "  ", "A\0", "A\nB", "\ud800", "9" * 201])
async def test_a_number_that_cannot_exist_is_not_asked_for(number: str) -> None:
    erp = RecordingErp()
    with pytest.raises(NotFound):
        await erp.order(number)
    assert not erp.asked


@each_row("failure", [KeyError("state"), ValueError("x"), TypeError("x"), AttributeError("x"), ZeroDivisionError("x")])
async def test_an_answer_that_cannot_be_read_is_invalid(failure: Exception) -> None:
    erp = RecordingErp(failure)
    for call in (erp.invoice("A-1"), erp.invoices(ListQuery())):
        with pytest.raises(Invalid, match=type(failure).__name__) as caught:
            await call
        assert caught.value.source == "acme"
        assert caught.value.__cause__ is failure


async def test_a_base_alone_offers_nothing() -> None:
    class Bare(DocumentErp):
        capabilities = frozenset(Capability)

    with pytest.raises(Unsupported):
        await Bare("acme").order("A-1")
    with pytest.raises(Unsupported):
        await Bare("acme").orders(ListQuery())
