"""The suite that every ERP adapter passes.

Subclass `ErpContract` and say how the adapter is built and who may decide::

    class TestMyErp(ErpContract):
        approver, second_approver, outsider = "anna", "boris", "guest"

        @pytest.fixture
        def today(self) -> date:
            return date(2026, 11, 24)

        @pytest.fixture
        async def erp(self) -> AsyncIterator[Erp]:
            erp = await open_my_erp(now=...)
            yield erp
            await erp.close()

The suite finds its documents through the adapter itself. It needs a test company that has some of every kind that the
adapter's capabilities name, more than one page of them, and at least two purchase orders that wait for ``approver``.
A capability that the adapter does not claim must answer `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import ClassVar

import pytest

from bot.erp.errors import Unsupported
from bot.erp.model import (
    Area,
    Decision,
    Outcome,
    PurchaseOrder,
    PurchaseStatus,
    Verdict,
)
from bot.erp.port import Capability, Erp, Filter, ListQuery
from bot.testing.erp_checks import (
    KINDS,
    ORDERS,
    PURCHASES,
    Document,
    Kind,
    all_changes,
    check_aware,
    check_document,
    check_equal_days,
    check_figures,
    expect_not_found,
    order_of,
    without_lines,
)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


class ErpContract:
    """Behaviour that the port promises. ``today`` is the day that the adapter takes for its late lists."""

    approver: ClassVar[str]
    """An ERP user who may decide at the first level."""
    second_approver: ClassVar[str]
    """Another one, who may decide at the second level."""
    outsider: ClassVar[str]
    """One who may not decide at all."""

    @pytest.fixture
    def erp(self) -> Erp:
        """Return the adapter over a fresh test company; the subclass says how, mostly with an async generator."""
        raise NotImplementedError

    @pytest.fixture
    def today(self) -> date:
        """Return the day of the adapter's clock; the subclass says which."""
        raise NotImplementedError

    async def test_it_is_reachable_and_has_a_name(self, erp: Erp) -> None:
        await erp.check()
        assert erp.name
        assert erp.capabilities <= frozenset(Capability)

    # Products and stock

    async def test_products_are_found_by_code_name_spec_and_barcode_in_any_case(self, erp: Erp) -> None:
        for product in await erp.find_products("", limit=30):
            assert product.sku
            assert product.name
            assert product.unit
            for text in filter(None, (product.sku, product.name, product.spec, product.barcode)):
                for spelling in {text, text.upper(), text.lower()}:
                    found = await erp.find_products(spelling, limit=500)
                    assert product in found, f"{spelling!r} does not find {product.sku}"

    async def test_the_exact_code_is_the_best_match(self, erp: Erp) -> None:
        for product in await erp.find_products("", limit=50):
            assert (await erp.find_products(product.sku.lower(), limit=1))[0] == product

    async def test_product_search_keeps_its_limit_and_may_find_nothing(self, erp: Erp) -> None:
        assert len(await erp.find_products("", limit=3)) == 3
        assert await erp.find_products("no such product at all", limit=3) == ()

    @pytest.mark.parametrize("text", ["%", "_", "'", '"; --', "\\", "%%%__"])
    async def test_signs_of_query_languages_are_plain_text(self, erp: Erp, text: str) -> None:
        for product in await erp.find_products(text, limit=500):
            assert text in "\n".join((product.sku, product.name, product.spec, product.barcode))
        for kind in self._offered(erp):
            found = await kind.many(erp, ListQuery(text=text, limit=500))
            assert all(text in document.number + getattr(document, kind.partner) for document in found.items)

    async def test_stock_is_exact_and_adds_up(self, erp: Erp, today: date) -> None:
        self._needs(erp, Capability.STOCK)
        for product in await erp.find_products("", limit=30):
            level = await erp.stock(product.sku)
            assert level.product == product
            assert level.source == erp.name
            check_aware(level.as_of)
            for quantities in (level.total, *(place.quantities for place in level.per_warehouse)):
                check_figures(quantities)
            if Capability.STOCK_PER_WAREHOUSE in erp.capabilities and level.per_warehouse:
                on_hand = [place.quantities.on_hand for place in level.per_warehouse]
                assert level.total.on_hand == sum((figure for figure in on_hand if figure is not None), Decimal(0))
                codes = [place.code for place in level.per_warehouse]
                assert len(codes) == len(set(codes))

    async def test_stock_is_read_in_any_case_and_an_unknown_code_is_not_found(self, erp: Erp) -> None:
        self._needs(erp, Capability.STOCK)
        product = (await erp.find_products("", limit=1))[0]
        assert (
            (await erp.stock(product.sku.lower())).product == (await erp.stock(product.sku.upper())).product == product
        )
        await expect_not_found(erp.stock, "NO-SUCH-SKU")
        await expect_not_found(erp.stock, product.sku[:-1] + "%")
        await expect_not_found(erp.stock, "")

    # Documents of every kind

    @each_kind
    async def test_a_kind_is_offered_or_refused_by_name(self, erp: Erp, kind: Kind) -> None:
        if kind.capability in erp.capabilities:
            assert (await kind.many(erp, ListQuery(limit=1))).total > 20
        else:
            with pytest.raises(Unsupported):
                await kind.many(erp, ListQuery())

    @each_kind
    async def test_a_document_is_read_by_its_number_in_any_case(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        for listed in (await kind.many(erp, ListQuery(limit=20))).items:
            single = await kind.one(erp, listed.number.lower())
            assert single == await kind.one(erp, listed.number.upper())
            check_document(single, erp.name)
            check_document(listed, erp.name)
            assert without_lines(single) == without_lines(listed)

    @each_kind
    async def test_an_unknown_number_is_not_found(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        for number in ("NO-SUCH-NUMBER", "", "%", "*"):
            await expect_not_found(lambda number=number: kind.one(erp, number))

    @each_kind
    async def test_single_orders_have_lines_and_lists_have_none(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        if kind in (ORDERS, PURCHASES):
            listed = (await kind.many(erp, ListQuery(limit=5))).items
            assert all(document.lines == () for document in listed)
            for document in listed:
                assert (await kind.one(erp, document.number)).lines

    @each_kind
    async def test_all_are_listed_newest_first(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        found = (await kind.many(erp, ListQuery(limit=10_000))).items
        days = [getattr(document, kind.newest) for document in found]
        assert days == sorted(days, reverse=True)
        check_equal_days(found, days)

    @each_kind
    async def test_pages_neither_overlap_nor_miss_anything(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        for wanted in (Filter.ALL, *kind.due):
            whole = await kind.many(erp, ListQuery(filter=wanted, limit=10_000))
            assert len(whole.items) == whole.total
            paged: list[Document] = []
            while page := (await kind.many(erp, ListQuery(filter=wanted, offset=len(paged), limit=7))).items:
                assert len(page) <= 7
                paged += page
            assert [document.number for document in paged] == [document.number for document in whole.items]
            beyond = await kind.many(erp, ListQuery(filter=wanted, offset=whole.total + 5, limit=7))
            assert beyond.items == ()
            assert beyond.total == whole.total

    @each_kind
    async def test_text_matches_part_of_number_or_partner_in_any_case(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        everything = (await kind.many(erp, ListQuery(limit=10_000))).items
        sample = everything[len(everything) // 2]
        partner = getattr(sample, kind.partner)
        for text in (sample.number, sample.number[1:], partner, partner[1:-1]):
            for spelling in {text, text.lower(), text.upper()}:
                found = await kind.many(erp, ListQuery(text=spelling, limit=10_000))
                assert sample.number in [document.number for document in found.items], spelling
                assert found.total == len(found.items)

    @each_kind
    async def test_overdue_and_late_lists_are_complete_and_start_with_the_worst(
        self, erp: Erp, kind: Kind, today: date
    ) -> None:
        self._needs(erp, kind.capability)
        everything = (await kind.many(erp, ListQuery(limit=10_000))).items
        for wanted, due in kind.due.items():
            found = (await kind.many(erp, ListQuery(filter=wanted, limit=10_000))).items
            late = {document.number for document in everything if kind.days(document, today) > 0}
            assert {document.number for document in found} == late
            assert late, f"the test company has nothing {wanted}"
            days = [getattr(document, due) for document in found]
            assert days == sorted(days)
            check_equal_days(found, days)

    @each_kind
    async def test_a_list_that_the_kind_does_not_know_is_refused(self, erp: Erp, kind: Kind) -> None:
        self._needs(erp, kind.capability)
        known = {Filter.ALL, *kind.due, *([Filter.PENDING] if kind is PURCHASES else [])}
        for unknown in set(Filter) - known:
            with pytest.raises(Unsupported):
                await kind.many(erp, ListQuery(filter=unknown))

    async def test_pending_purchases_are_those_that_wait_oldest_first(self, erp: Erp) -> None:
        waiting = await self._waiting(erp)
        everything = (await erp.purchase_orders(ListQuery(limit=10_000))).items
        assert {order.number for order in waiting} == {
            order.number for order in everything if order.status is PurchaseStatus.WAITING
        }
        days = [order.ordered_on for order in waiting if order.ordered_on]
        assert days == sorted(days)
        assert all(order.approval is not None and order.approval.pending_for for order in waiting)

    # Decisions

    @pytest.mark.parametrize("verdict", Verdict)
    async def test_a_decision_is_applied_once(self, erp: Erp, verdict: Verdict) -> None:
        order = await self._for_approver(erp, levels=1)
        decision = self._decision(order, verdict)
        result = await erp.decide(decision)
        assert result.outcome is Outcome.APPLIED
        expected = PurchaseStatus.APPROVED if verdict is Verdict.APPROVE else PurchaseStatus.REJECTED
        changed = order_of(result)
        assert changed.status is expected
        assert changed == await erp.purchase_order(order.number)
        assert changed.version != order.version
        assert changed.approval is not None
        assert changed.approval.pending_for == ()
        assert changed.approval.decided_by == self.approver
        for verdict_again in Verdict:
            again = await erp.decide(self._decision(order, verdict_again))
            assert again.outcome is Outcome.ALREADY_DECIDED
            assert again.order == changed
        assert await erp.purchase_order(order.number) == changed

    async def test_another_version_than_the_one_shown_changes_nothing(self, erp: Erp) -> None:
        self._needs(erp, Capability.VERSION_CHECK)
        order = await self._for_approver(erp, levels=1)
        stale = Decision(
            number=order.number, version=f"{order.version}-before", verdict=Verdict.APPROVE, by=self.approver
        )
        result = await erp.decide(stale)
        assert result.outcome is Outcome.CHANGED_SINCE_SHOWN
        assert result.order == order == await erp.purchase_order(order.number)

    async def test_who_may_not_decide_changes_nothing(self, erp: Erp) -> None:
        order = await self._for_approver(erp, levels=1)
        for by in (self.outsider, "nobody we know", ""):
            result = await erp.decide(self._decision(order, Verdict.APPROVE, by))
            assert result.outcome is Outcome.NOT_PERMITTED
        assert await erp.purchase_order(order.number) == order

    async def test_two_levels_need_two_people(self, erp: Erp) -> None:
        order = await self._for_approver(erp, levels=2)
        first = await erp.decide(self._decision(order, Verdict.APPROVE))
        assert first.outcome is Outcome.MORE_APPROVALS_NEEDED
        between = order_of(first)
        assert between.status is PurchaseStatus.WAITING
        assert between.approval is not None
        assert between.approval.level == 2
        assert self.approver not in between.approval.pending_for
        assert (await erp.decide(self._decision(order, Verdict.APPROVE))).outcome is Outcome.ALREADY_DECIDED
        stale = await erp.decide(self._decision(order, Verdict.APPROVE, self.second_approver))
        assert stale.outcome is Outcome.CHANGED_SINCE_SHOWN
        same = await erp.decide(self._decision(between, Verdict.APPROVE))
        assert same.outcome is Outcome.NOT_PERMITTED
        second = await erp.decide(self._decision(between, Verdict.APPROVE, self.second_approver))
        assert second.outcome is Outcome.APPLIED
        assert order_of(second).status is PurchaseStatus.APPROVED

    async def test_nobody_decides_a_request_of_their_own(self, erp: Erp) -> None:
        order = await self._for_approver(erp, levels=1)
        assert self.approver != order.requester
        result = await erp.decide(self._decision(order, Verdict.APPROVE, order.requester))
        assert result.outcome is Outcome.NOT_PERMITTED

    async def test_deciding_on_an_unknown_order_is_not_found(self, erp: Erp) -> None:
        self._needs(erp, Capability.APPROVE)
        decision = Decision(number="NO-SUCH-NUMBER", version="1", verdict=Verdict.APPROVE, by=self.approver)
        await expect_not_found(lambda: erp.decide(decision))

    # Changes

    @pytest.mark.parametrize("area", Area)
    async def test_changes_come_once_each_in_order_of_time(self, erp: Erp, area: Area) -> None:
        self._needs(erp, Capability.CHANGED_SINCE)
        for limit in (1000, 7):
            items, cursor = await all_changes(erp, area, "", limit=limit, rounds=1000)
            assert items, f"the test company has nothing in {area}"
            keys = [change.key for change in items]
            assert len(keys) == len(set(keys))
            times = [change.changed_at for change in items]
            assert times == sorted(times)
            for change in items:
                assert change.area is area
                check_aware(change.changed_at)
            nothing = await erp.changed_since(area, cursor, limit=limit)
            assert nothing.items == ()
            assert nothing.cursor == cursor
            assert not nothing.more

    async def test_a_change_comes_after_the_cursor_even_at_an_equal_time(self, erp: Erp) -> None:
        self._needs(erp, Capability.CHANGED_SINCE)
        one, other = [order for order in await self._waiting(erp) if self._may_decide(order)][:2]
        _, cursor = await all_changes(erp, Area.PURCHASING, "", limit=1000, rounds=100)
        # The later number first: a cursor made of time and number would hide the second change.
        for order in sorted((one, other), key=lambda order: order.number, reverse=True):
            await erp.decide(self._decision(order, Verdict.REJECT))
            changes = await erp.changed_since(Area.PURCHASING, cursor, limit=10)
            assert [change.key for change in changes.items] == [order.number]
            cursor = changes.cursor
        assert (await erp.changed_since(Area.PURCHASING, cursor, limit=10)).items == ()

    # What the tests above need

    def _offered(self, erp: Erp) -> Iterable[Kind]:
        return [kind for kind in KINDS if kind.capability in erp.capabilities]

    def _needs(self, erp: Erp, capability: Capability) -> None:
        if capability not in erp.capabilities:
            pytest.skip(f"{erp.name} does not offer {capability}")

    async def _waiting(self, erp: Erp) -> tuple[PurchaseOrder, ...]:
        self._needs(erp, Capability.APPROVE)
        return (await erp.purchase_orders(ListQuery(filter=Filter.PENDING, limit=10_000))).items

    def _may_decide(self, order: PurchaseOrder) -> bool:
        return order.approval is not None and self.approver in order.approval.pending_for

    async def _for_approver(self, erp: Erp, *, levels: int) -> PurchaseOrder:
        """Return an order that waits for ``approver`` at the first of ``levels`` levels."""
        for order in await self._waiting(erp):
            approval = order.approval
            if approval and approval.level == 1 and approval.levels == levels and self._may_decide(order):
                return await erp.purchase_order(order.number)
        pytest.fail(f"the test company has no purchase order of {levels} levels that waits for {self.approver}")

    def _decision(self, order: PurchaseOrder, verdict: Verdict, by: str | None = None) -> Decision:
        return Decision(
            number=order.number,
            version=order.version,
            verdict=verdict,
            by=self.approver if by is None else by,
            reason="too dear *really* <b>",
        )
