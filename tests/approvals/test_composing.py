"""Cards as the outbox asks for them: with prices for one person, bare for a group, and what the requester is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.approvals.asking import OfficeApprovals
from bot.approvals.case import CaseState
from bot.approvals.composing import ApprovalComposer, ToldComposer
from bot.approvals.insights import Insights
from bot.approvals.showing import Showing
from bot.approvals.views import ApprovalTold, ApprovalView, Face
from bot.erp.model import PurchaseOrder, PurchaseStatus
from tests.approvals.parts import document, money
from tests.approvals.policy.test_planning import any_of
from tests.approvals.test_insights import LEVELS, Archive, line
from tests.approvals.world import REJECT, World, rules

NAMES = {"wang": "王经理", "wu": "吴工"}
ORDER = replace(document(requester="wu").order, lines=(line("S1", "3 CNY", "1000"),))
NEAR = "person:wang"


class Bench:
    """One waiting order, and what composes its cards."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.archive = Archive([], LEVELS)
        find = OfficeApprovals(world.process.desk, world.process.desk._office).find
        insights = Insights(lambda source: self.archive, now=world.clock, seconds=0.05)
        self.showing = Showing(self._read, insights, _names_of, now=world.clock, seconds=0.1)
        self.deciders = ApprovalComposer(find, self.showing)
        self.told = ToldComposer(find, self.showing)

    async def _read(self, source: str, number: str) -> PurchaseOrder:
        return await self.world.erp.reread(source, number)

    async def card(self, place: str = NEAR) -> ApprovalView:
        case = await self.world.newest()
        composed = await self.deciders.compose(f"{case.id}|{place}")
        assert isinstance(composed.view, ApprovalView)
        assert composed.revision == case.revision
        return composed.view


async def _names_of(user_ids: Sequence[str]) -> Mapping[str, str]:
    return {one: NAMES[one] for one in user_ids if one in NAMES}


@pytest.fixture
async def bench() -> Bench:
    world = World(rules=rules(any_of("role:approver")))
    await world.submit(ORDER)
    return Bench(world)


async def test_one_person_sees_prices_and_a_group_does_not(bench: Bench) -> None:
    mine, theirs = await bench.card(), await bench.card("group:cidBuyers==")
    assert (mine.face, mine.amount, mine.rows[0].price) == (Face.PRICED, ORDER.total, money("3 CNY"))
    assert (theirs.face, theirs.amount, theirs.rows[0].price) == (Face.BARE, None, None)
    assert (set(mine.waited), mine.requester, mine.mute) == ({"王经理", "qian", "li"}, "吴工", False)
    assert mine.rows[0].at_hand == Decimal(5)


async def test_the_order_is_read_once(bench: Bench) -> None:
    await bench.card()
    reads, calls = bench.world.erp.reads, len(bench.archive.calls)
    await bench.card("person:qian")
    await bench.card("group:cidBuyers==")
    assert (bench.world.erp.reads, len(bench.archive.calls)) == (reads, calls)


async def test_a_silent_erp_costs_the_lines_and_not_the_card(bench: Bench) -> None:
    bench.world.erp.away = True
    view = await bench.card()
    assert (view.read, view.rows, view.amount, view.vendor) == (False, (), ORDER.total, "ACME")
    bench.world.erp.away = False
    assert (await bench.card()).read


async def test_what_the_erp_has_now_is_not_shown_as_what_was_asked_about(bench: Bench) -> None:
    bench.world.erp.edit("PO-1", total=money("9999 CNY"))
    view = await bench.card()
    assert (view.read, view.amount) == (False, ORDER.total)


async def test_a_slow_search_is_said_to_be_missing(bench: Bench) -> None:
    bench.archive.slow = {"S1", "list ACME 20"}
    view = await bench.card()
    assert view.read
    assert len(view.missing) == 2


async def test_the_new_revision_shows_what_changed(bench: Bench) -> None:
    first = await bench.world.newest()
    await bench.card()
    bench.world.erp.edit("PO-1", total=money("9999 CNY"), lines=(line("S1", "3 CNY", "3333"),))
    await bench.world.desk.submitted("main", "PO-1")
    view = await bench.card()
    changed = [("Amount", ORDER.total, money("9999 CNY")), ("Quantity", "1000 件", "3333 件")]
    assert [(str(one.label), one.before, one.now) for one in view.changes] == changed
    old = (await bench.deciders.compose(f"{first.id}|{NEAR}")).view
    assert isinstance(old, ApprovalView)
    assert (old.state, old.newer, len(old.changes)) == (CaseState.SUPERSEDED, view.case, 2)


async def test_the_end_is_shown_everywhere_and_told_to_the_requester(bench: Bench) -> None:
    await bench.world.say("wang", REJECT)
    await bench.world.rest()
    case = await bench.world.newest()
    for place in (NEAR, "group:cidBuyers=="):
        view = await bench.card(place)
        assert view.decision is not None
        assert (view.state, view.decision.reason) == (CaseState.REJECTED, "价格过高")
    told = await bench.told.compose(f"{case.id}|person:wu")
    assert isinstance(told.view, ApprovalTold)
    assert (told.view.state, told.view.amount, told.revision) == (CaseState.REJECTED, ORDER.total, case.revision)
    assert bench.world.erp.orders["PO-1"].status is PurchaseStatus.REJECTED


async def test_nobody_remembers_it(bench: Bench) -> None:
    for composer in (bench.deciders, bench.told):
        composed = await composer.compose(f"{'0' * 24}-1|{NEAR}")
        assert (composed.view, composed.revision) == (None, 0)
