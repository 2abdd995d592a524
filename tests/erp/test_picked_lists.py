"""An ERP that cannot list what is open or of one partner is asked for more, and the bot picks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.erp.document_erp import MAX_PAGES, PAGE, DocumentErp
from bot.erp.errors import Unsupported
from bot.erp.kinds import D, Kind
from bot.erp.model import InvoiceStatus, Payment, PaymentDirection, Slice
from bot.erp.port import UNCHANGING, Capability, Filter, ListQuery
from tests.bare_records import bare
from tests.commands.company import TODAY, cny, invoice

INVOICES = (
    invoice("INV-1", "Acme", cny("10"), overdue=3),
    replace(invoice("INV-2", "Acme", cny("20")), status=InvoiceStatus.PAID),
    invoice("INV-3", "Acme East", cny("30"), overdue=9),
    invoice("INV-4", "ACME", cny("40"), overdue=5),
)


RECEIPT = bare(Payment, "PAY-1", paid_on=TODAY, amount=cny("1"))


class PlainErp(DocumentErp):
    """Knows text and the lists that every ERP has."""

    capabilities = frozenset(Capability)

    def __init__(self, documents: tuple[object, ...] = INVOICES) -> None:
        super().__init__("plain")
        self.known = documents
        self.asked: list[ListQuery] = []

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        assert not query.partner
        assert query.filter not in UNCHANGING
        self.asked.append(query)
        found: Slice[D] = kind.pick(self.known, query, TODAY)  # type: ignore[arg-type]  # they are of this kind
        return found


async def numbers(erp: PlainErp, query: ListQuery) -> list[str]:
    return [document.number for document in (await erp.invoices(query)).items]


async def test_a_partner_is_exactly_this_one() -> None:
    erp = PlainErp()
    assert await numbers(erp, ListQuery(partner="acme")) == ["INV-1", "INV-2", "INV-4"]
    assert (await erp.invoices(ListQuery(partner="acme", offset=1, limit=1))).total == 3
    assert await numbers(erp, ListQuery(partner="acm")) == []
    assert {query.text for query in erp.asked} == {"acme", "acm"}


async def test_what_is_open_comes_in_the_order_of_the_due_days() -> None:
    erp = PlainErp()
    assert await numbers(erp, ListQuery(filter=Filter.OPEN)) == ["INV-3", "INV-4", "INV-1"]
    assert await numbers(erp, ListQuery(filter=Filter.OPEN, partner="Acme")) == ["INV-4", "INV-1"]
    assert await numbers(erp, ListQuery(filter=Filter.OVERDUE, partner="Acme")) == ["INV-4", "INV-1"]
    assert await numbers(erp, ListQuery(filter=Filter.OPEN, partner="Acme", text="inv-1")) == ["INV-1"]


async def test_payments_of_one_direction_come_newest_first() -> None:
    old, new = (replace(RECEIPT, number=f"PAY-{n}", paid_on=TODAY - timedelta(days=9 - n)) for n in (1, 3))
    spent = replace(RECEIPT, number="PAY-2", direction=PaymentDirection.SPENT)
    erp = PlainErp((old, spent, new))
    for wanted, expected in ((Filter.RECEIVED, ["PAY-3", "PAY-1"]), (Filter.SPENT, ["PAY-2"])):
        found = await erp.payments(ListQuery(filter=wanted))
        assert [payment.number for payment in found.items] == expected


async def test_a_list_without_either_is_the_erps_own() -> None:
    erp = PlainErp()
    query = ListQuery(text="inv", limit=2)
    await erp.invoices(query)
    assert erp.asked == [query]


async def test_more_than_is_reasonable_is_not_read() -> None:
    many = tuple(invoice(f"INV-{n}", "Acme", cny("1")) for n in range(PAGE * MAX_PAGES + 1))
    erp = PlainErp(many)
    with pytest.raises(Unsupported):
        await erp.invoices(ListQuery(partner="Acme"))
    assert len(erp.asked) == MAX_PAGES
    assert (await PlainErp(many[1:]).invoices(ListQuery(partner="Acme"))).total == PAGE * MAX_PAGES
