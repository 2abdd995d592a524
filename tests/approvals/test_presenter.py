"""Cards as the outbox asks for them: with prices for one person, bare for a group, and what the requester is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.access.grants import EVERYTHING, NO_GRANT, Grant, Scope
from bot.approvals.cards.insights import Insights
from bot.approvals.cards.presenter import ApprovalComposer, CasePresenter, RequesterComposer
from bot.approvals.cards.views import ApprovalView, Audience, RequesterNotice, UnseenApproval
from bot.approvals.case import Case, CaseState
from bot.approvals.unit_of_work import ApprovalOptions, CardReach
from bot.chat.audiences import PlaceReader, ReaderAt
from bot.erp.kinds import Kind
from bot.erp.model import ErpRecord, ReviewState
from bot.outbox.place import Place
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from tests.approvals.company import money, po_key, waiting_order
from tests.approvals.env import PATIENCE, REJECT, ApprovalEnv, rules
from tests.approvals.policy.test_planner import any_of
from tests.approvals.test_insights import LEVELS, FakeInsightSource, line
from tests.chat.audience_parts import reader_by_kind
from tests.rows import each_row

NAMES = {"wang": "王经理", "wu": "吴工"}
ORDER = replace(waiting_order(requester="wu"), lines=(line("S1", "3 CNY", "1000"),))
NEAR = "person:wang"


class ComposerHarness:
    """One waiting order, and what composes its cards."""

    def __init__(
        self, env: ApprovalEnv, insight_seconds: float = PATIENCE, reader_at: ReaderAt = reader_by_kind
    ) -> None:
        self.env = env
        self.archive = FakeInsightSource([], LEVELS)
        find = env.process.service.find
        insights = Insights(lambda source: self.archive, now=env.clock, seconds=insight_seconds)
        self.showing = CasePresenter(self._read, insights, _names_of, now=env.clock, seconds=PATIENCE)
        arrive = env.terms.reach.values_arrive
        self.deciders = ApprovalComposer(find, self.showing, reader_at, values_arrive=arrive)
        self.told = RequesterComposer(find, self.showing, reader_at)

    async def _read(self, source: str, kind: Kind[Any], number: str) -> ErpRecord:
        document: ErpRecord = await self.env.erp.reread(source, kind, number)
        return document

    async def card(self, place: str = NEAR) -> ApprovalView:
        case = await self.env.newest()
        composed = await self.deciders.compose(f"{case.id}|{place}")
        assert isinstance(composed.view, ApprovalView)
        assert composed.revision == case.revision
        return composed.view


async def _names_of(user_ids: Sequence[str]) -> Mapping[str, str]:
    return {one: NAMES[one] for one in user_ids if one in NAMES}


@pytest.fixture
async def harness() -> ComposerHarness:
    env = ApprovalEnv(rules=rules(any_of("role:approver")))
    await env.submit(ORDER)
    return ComposerHarness(env)


async def test_one_person_sees_prices_and_a_group_does_not(harness: ComposerHarness) -> None:
    mine, theirs = await harness.card(), await harness.card("group:cidBuyers==")
    assert (mine.audience, mine.amount, mine.rows[0].line.price) == (Audience.PRICED, ORDER.total, money("3 CNY"))
    assert (theirs.audience, theirs.amount, theirs.rows[0].line.price) == (Audience.BARE, None, None)
    assert (set(mine.waited), mine.requester, mine.mute) == ({"王经理", "qian", "li"}, "吴工", False)
    assert mine.rows[0].insight.at_hand == Decimal(5)


async def test_the_order_is_read_once(harness: ComposerHarness) -> None:
    await harness.card()
    reads, calls = harness.env.erp.reads, len(harness.archive.calls)
    await harness.card("person:qian")
    await harness.card("group:cidBuyers==")
    assert (harness.env.erp.reads, len(harness.archive.calls)) == (reads, calls)


async def test_a_silent_erp_costs_the_lines_and_not_the_card(harness: ComposerHarness) -> None:
    harness.env.erp.away = True
    view = await harness.card()
    assert (view.read, view.rows, view.amount, view.partner) == (False, (), ORDER.total, "ACME")
    harness.env.erp.away = False
    assert (await harness.card()).read


async def test_what_the_erp_has_now_is_not_shown_as_what_was_asked_about(harness: ComposerHarness) -> None:
    harness.env.erp.edit("PO-1", total=money("9999 CNY"))
    view = await harness.card()
    assert (view.read, view.amount) == (False, ORDER.total)


async def test_a_slow_search_is_said_to_be_missing(harness: ComposerHarness) -> None:
    harness = ComposerHarness(harness.env, insight_seconds=0.05)
    harness.archive.slow = {"S1", "list ACME 20"}
    view = await harness.card()
    assert view.read
    assert len(view.missing) == 2


async def test_the_new_revision_shows_what_changed(harness: ComposerHarness) -> None:
    first = await harness.env.newest()
    await harness.card()
    harness.env.erp.edit("PO-1", total=money("9999 CNY"), lines=(line("S1", "3 CNY", "3333"),))
    await harness.env.service.sync_document(po_key("main", "PO-1"))
    view = await harness.card()
    changed = [("Amount", ORDER.total, money("9999 CNY")), ("Quantity", "1000 件", "3333 件")]
    assert [(str(one.label), one.before, one.now) for one in view.changes] == changed
    old = (await harness.deciders.compose(f"{first.id}|{NEAR}")).view
    assert isinstance(old, ApprovalView)
    assert (old.state, old.newer, len(old.changes)) == (CaseState.SUPERSEDED, view.case, 2)


async def test_the_end_is_shown_everywhere_and_told_to_the_requester(harness: ComposerHarness) -> None:
    await harness.env.cast_vote("wang", REJECT)
    await harness.env.run_until_idle()
    case = await harness.env.newest()
    for place in (NEAR, "group:cidBuyers=="):
        view = await harness.card(place)
        assert view.decision is not None
        assert (view.state, view.decision.reason) == (CaseState.REJECTED, "价格过高")
    told = await harness.told.compose(f"{case.id}|person:wu")
    assert isinstance(told.view, RequesterNotice)
    assert (told.view.state, told.view.amount, told.revision) == (CaseState.REJECTED, ORDER.total, case.revision)
    assert harness.env.erp.orders["PO-1"].status is ReviewState.REJECTED


async def test_nobody_remembers_it(harness: ComposerHarness) -> None:
    for composer in (harness.deciders, harness.told):
        composed = await composer.compose(f"{'0' * 24}-1|{NEAR}")
        assert (composed.view, composed.revision) == (None, 0)


GROUP = "group:cidBuyers=="


def granting(fields: frozenset[FieldClass], *scopes: Scope) -> ReaderAt:
    async def reader_at(place: Place, command: str) -> PlaceReader:
        assert command == "po"
        return PlaceReader(Grant(fields=fields, scopes=scopes or (EVERYTHING,)))

    return reader_at


@pytest.mark.parametrize(
    ("place", "fields", "amount", "vendor"),
    [
        (GROUP, SHARED_FIELDS, None, "ACME"),
        (GROUP, frozenset({FieldClass.QUANTITY}), None, HIDDEN),
        # A rule for the group's shared cards shows prices there, as the alert beside it does.
        (GROUP, ALL_FIELDS, ORDER.total, "ACME"),
        # Who is asked to decide sees it all, whatever the rules say of others.
        (NEAR, frozenset(), ORDER.total, "ACME"),
        ("person:zoe", ALL_FIELDS, ORDER.total, "ACME"),
        ("person:zoe", SHARED_FIELDS, None, "ACME"),
        ("person:zoe", frozenset(), None, HIDDEN),
    ],
)
async def test_a_card_shows_what_its_place_may_see(
    harness: ComposerHarness, place: str, fields: frozenset[FieldClass], amount: object, vendor: object
) -> None:
    view = await ComposerHarness(harness.env, reader_at=granting(fields)).card(place)
    assert (view.amount, view.partner) == (amount, vendor)
    prices = [row.line.price for row in view.rows]
    assert (prices == [money("3 CNY")]) is (amount is not None)


@each_row(
    ("scope", "is_shown"),
    [
        (Scope(sources=frozenset({ORDER.source})), True),
        (Scope(sources=frozenset({"other"})), False),
        (Scope(partners=frozenset({"acme"})), True),
        (Scope(partners=frozenset({"Bolt Co"})), False),
        # What is not remembered of the order is no reason to show it.
        (Scope(companies=frozenset({"Main"})), False),
        (Scope(warehouses=frozenset({"W1"})), False),
        (Scope(own=True), False),
    ],
)
async def test_a_group_is_told_of_an_order_outside_its_scope_that_there_is_one(
    harness: ComposerHarness, scope: Scope, *, is_shown: bool
) -> None:
    case = await harness.env.newest()
    deciders = ComposerHarness(harness.env, reader_at=granting(SHARED_FIELDS, scope)).deciders
    view = (await deciders.compose(f"{case.id}|{GROUP}")).view
    assert isinstance(view, ApprovalView if is_shown else UnseenApproval)


async def decided(harness: ComposerHarness) -> Case:
    """Return the case when the ERP has taken the first decider's approval."""
    await harness.env.cast_vote("wang")
    await harness.env.work()
    return await harness.env.newest()


async def test_who_has_nothing_to_do_with_an_order_is_told_that_there_is_one(harness: ComposerHarness) -> None:
    case = await harness.env.newest()
    closed = ComposerHarness(harness.env, reader_at=granting(SHARED_FIELDS, Scope(sources=frozenset({"other"}))))
    shared = (await closed.deciders.compose(f"{case.id}|person:zoe|{NEAR}")).view
    assert isinstance(shared, ApprovalView), "who decides keeps the card"
    waiting = (await closed.deciders.compose(f"{case.id}|person:zoe")).view
    ended = await decided(harness)
    told = (await closed.told.compose(f"{case.id}|person:zoe")).view
    assert (await closed.told.compose(f"{case.id}|{GROUP}")).view is None, "a group that saw nothing hears nothing"
    for view, state in ((waiting, case.state), (told, ended.state)):
        assert view == UnseenApproval(case=case.id, kind="po", state=state, since=case.opened_at)
        assert not view.buttons(), "it would only lead to a refusal"


async def test_who_decides_sees_the_order_on_the_card_of_a_group_that_may_not(harness: ComposerHarness) -> None:
    async def nothing(place: Place, command: str) -> PlaceReader:
        return PlaceReader(NO_GRANT)

    case = await harness.env.newest()
    unseen = UnseenApproval(case=case.id, kind="po", state=case.state, since=case.opened_at, shared=True)
    composed = await ComposerHarness(harness.env, reader_at=nothing).deciders.compose(f"{case.id}|{GROUP}|{NEAR}")
    assert (composed.view, [own.view for own in composed.own]) == (unseen, [unseen]), "nobody has values of their own"
    harness.env.terms = ApprovalOptions(reach=CardReach(values_arrive=lambda: True))
    composed = await ComposerHarness(harness.env, reader_at=nothing).deciders.compose(f"{case.id}|{GROUP}|{NEAR}")
    assert composed.view == unseen
    (own,) = composed.own
    assert isinstance(own.view, ApprovalView)
    assert (own.user_id, own.view.amount) == ("wang", ORDER.total)


async def test_who_requested_it_is_told_all_and_others_what_they_may_see(harness: ComposerHarness) -> None:
    case = await harness.env.newest()
    told = ComposerHarness(harness.env, reader_at=granting(SHARED_FIELDS)).told
    assert (await told.compose(f"{case.id}|person:wu")).view is None, "it is not over"
    await decided(harness)
    seen = []
    for place in ("person:wu", "person:zoe"):
        view = (await told.compose(f"{case.id}|{place}")).view
        assert isinstance(view, RequesterNotice)
        seen.append(view.amount)
    assert seen == [ORDER.total, HIDDEN]
