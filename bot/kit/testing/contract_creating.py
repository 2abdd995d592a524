"""Contract cases of creating: once, under the person's own name, exactly what was drafted, never repeated in doubt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import NotFound, NotPermitted, Unavailable, UnknownOutcome, Unsupported
from bot.erp.kinds import CREATED, SALES_ORDERS, Kind
from bot.erp.model import DocumentDraft, DraftLine, ErpRecord, OrderStatus
from bot.erp.port import Creates, Erp, ListQuery
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.contract_base import ContractBase, Network, OpenErp, case
from bot.kit.testing.contract_faults import SHORT
from bot.kit.testing.fake_erp import FakeServer, RequestKind

EACH_CREATED = ("kind", CREATED)
MARK = "7f3a9c21"


def creates(erp: Erp) -> Creates:
    """Return an adapter as what it offers besides the port."""
    assert isinstance(erp, Creates)
    return erp


class CreatingContract(ContractBase):
    """Beginning documents of each kind."""

    def draft(self, company: ReferenceCompany, kind: Kind[Any], **changed: Any) -> DocumentDraft:
        """Return a draft of what the company has."""
        customer = next(each for each in company.customers.values() if each.code and each.is_active)
        asked: dict[str, Any] = {
            "kind": kind.command,
            "partner": customer.code,
            "lines": (
                DraftLine(sku="SKU123", quantity=Decimal(20)),
                DraftLine(sku="SKU200", quantity=Decimal("2.5")),
            ),
            "mark": MARK,
            "by": self.seller,
        }
        return DocumentDraft(**asked | changed)

    async def total(self, erp: Erp, kind: Kind[Any]) -> int:
        """Return how many documents of a kind there are."""
        return (await erp.documents(kind, ListQuery(limit=1))).total

    @case("create.draft", "What was drafted is there to the digit, at the ERP's prices", over=EACH_CREATED)
    async def test_create_draft(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        draft = self.draft(company, kind)
        before = await self.total(erp, kind)
        created: Any = await creates(erp).create(draft)
        assert await self.total(erp, kind) == before + 1
        assert created == await erp.document(kind, created.number)
        assert created == await creates(erp).find_created(kind, draft.mark)
        assert kind.partner_of(created) == company.customers[draft.partner].name
        assert [(line.sku, line.quantity) for line in created.lines] == [
            (line.sku, line.quantity) for line in draft.lines
        ]
        assert all(line.price is not None for line in created.lines)

    @case("create.unconfirmed", "It stays a draft: nobody has confirmed it", over=EACH_CREATED)
    async def test_create_unconfirmed(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        created = await creates(erp).create(self.draft(company, kind))
        assert self.is_unconfirmed(created)

    def is_unconfirmed(self, document: ErpRecord) -> bool:
        """Return whether the ERP still has a document confirmed."""
        return SALES_ORDERS.record is type(document) and getattr(document, "status", None) is OrderStatus.DRAFT

    @case("create.by", "It is created in the name of the person", over=EACH_CREATED)
    async def test_create_by(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        created = await creates(erp).create(self.draft(company, kind))
        assert self.seller in created.created_by

    @case("create.twice", "The same draft again creates nothing, also from another process", over=EACH_CREATED)
    async def test_create_twice(self, open_erp: OpenErp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        first, second = await open_erp(), await open_erp()
        draft = self.draft(company, kind)
        created = await creates(first).create(draft)
        count = await self.total(first, kind)
        assert await creates(second).create(draft) == created
        assert await self.total(second, kind) == count
        assert await creates(second).create(self.draft(company, kind, mark="another1")) != created

    @case("create.unknown", "What the ERP does not have is not found, and nothing is created", over=EACH_CREATED)
    async def test_create_unknown(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        before = await self.total(erp, kind)
        nothing = (DraftLine(sku="NO-SUCH-CODE", quantity=Decimal(1)),)
        for changed in ({"partner": "NO-SUCH-CODE"}, {"lines": nothing}):
            with pytest.raises(NotFound):
                await creates(erp).create(self.draft(company, kind, **changed))
        assert await self.total(erp, kind) == before
        assert await creates(erp).find_created(kind, MARK) is None

    @case("create.outsider", "Who may not create changes nothing", over=EACH_CREATED)
    async def test_create_outsider(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        before = await self.total(erp, kind)
        for by in (self.outsider, "nobody we know", ""):
            with pytest.raises(NotPermitted):
                await creates(erp).create(self.draft(company, kind, by=by))
        assert await self.total(erp, kind) == before

    @case(
        "create.lost_done",
        "Of a write whose answer is lost, the mark tells that it was done",
        over=EACH_CREATED,
        network=Network.HTTP,
    )
    async def test_create_lost(
        self, open_erp: OpenErp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        for number, hang in enumerate((False, True)):
            erp = await open_erp(timeout=SHORT)
            before = await self.total(erp, kind)
            server.faults.lose_write_answer(hang=hang)
            server.requests.clear()
            created = await creates(erp).create(self.draft(company, kind, mark=f"lost{number}"))
            assert created == await creates(erp).find_created(kind, f"lost{number}")
            assert server.requests.count(RequestKind.WRITE) == 1
            assert await self.total(erp, kind) == before + 1

    @case(
        "create.lost_undone",
        "Of a draft that left no trace, the outcome is unknown, and it is not written again",
        over=EACH_CREATED,
        network=Network.HTTP,
    )
    async def test_create_lost_undone(
        self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        before = await self.total(erp, kind)
        server.faults.lose_write_answer(happens=False)
        server.requests.clear()
        with pytest.raises(UnknownOutcome):
            await creates(erp).create(self.draft(company, kind))
        assert server.requests.count(RequestKind.WRITE) == 1
        assert await creates(erp).find_created(kind, MARK) is None
        assert await self.total(erp, kind) == before

    @case(
        "create.lost_blind",
        "Where the ERP cannot be asked for the mark either, the outcome is unknown",
        over=EACH_CREATED,
        network=Network.HTTP,
    )
    async def test_create_lost_blind(
        self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        server.faults.lose_write_answer(then_down=True)
        with pytest.raises(UnknownOutcome):
            await creates(erp).create(self.draft(company, kind))
        server.faults.clear()
        assert await creates(erp).find_created(kind, MARK) is not None

    @case(
        "create.not_sent",
        "A draft that surely was not written is an error, and may be tried again",
        over=EACH_CREATED,
        network=Network.HTTP,
    )
    async def test_create_not_sent(
        self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        server.faults.maintenance(503)
        with pytest.raises(Unavailable):
            await creates(erp).create(self.draft(company, kind))
        server.faults.clear()
        assert await creates(erp).find_created(kind, MARK) is None
        assert (await creates(erp).create(self.draft(company, kind))).number

    @case("refuse.create", "What is not created is refused", refusal=True, over=EACH_CREATED)
    async def test_refuse_create(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        if kind in self.creates:
            assert kind.command in creates(erp).creates
            return
        assert not isinstance(erp, Creates) or kind.command not in erp.creates
        if isinstance(erp, Creates):
            with pytest.raises(Unsupported):
                await erp.create(self.draft(company, kind))
