"""What came of a document's checks: read when its case is opened, kept with it, and told to who may see it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.approvals.cards.view_builders import MOST_FLAGS, build_why_view
from bot.approvals.cards.views import Audience, CheckedLines
from bot.approvals.policy.rules import RuleScope
from bot.checks.check import CheckOutcome
from bot.erp.model import ErpRecord, Money
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass, cut
from bot.words.phrase import Phrase, phrase
from tests.approvals.company import NOW, money, po_key
from tests.approvals.env import ApprovalEnv, rules
from tests.approvals.policy.test_planner import any_of
from tests.approvals.test_presenter import GROUP, NEAR, ORDER, ComposerHarness, granting

FINE = CheckOutcome(check="price_above_last", looked_at=phrase("Last price"), as_of=NOW)
DEAR = replace(FINE, flags=(phrase("S1 is dearer"),))


@dataclass
class PlannedChecks:
    """Finds what it is told to find."""

    results: tuple[CheckOutcome, ...] = (DEAR,)
    bounds: list[tuple[Money, ...]] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    """Those of each document that was checked."""

    async def of(
        self, document: ErpRecord, bounds: tuple[Money, ...], seconds: float | None = None
    ) -> tuple[CheckOutcome, ...]:
        self.bounds.append(bounds)
        self.seconds.append(seconds)
        return self.results


@pytest.fixture
def checks() -> PlannedChecks:
    return PlannedChecks()


@pytest.fixture
def env(checks: PlannedChecks) -> ApprovalEnv:
    return ApprovalEnv(checks=checks, rules=rules(any_of("role:approver"), scope=RuleScope(below=money("5000 CNY"))))


async def test_a_revision_is_checked_once_with_the_bounds_of_its_rules(env: ApprovalEnv, checks: PlannedChecks) -> None:
    case = await env.submit(ORDER)
    await env.service.sync_document(case.key)
    explained = await env.service.why(case.key, "wang")
    assert (case.checks, explained.document.checks) == ((DEAR,), (DEAR,))
    assert checks.bounds == [(money("5000 CNY"),)]
    checks.results = (FINE,)
    env.erp.edit("PO-1", total=money("4000 CNY"))
    changed = await env.service.sync_document(case.key)
    assert changed is not None
    assert (changed.checks, len(checks.bounds)) == ((FINE,), 2)


async def test_what_waited_before_the_first_look_is_checked_where_a_rule_asks(
    env: ApprovalEnv, checks: PlannedChecks
) -> None:
    env.erp.submit(ORDER)
    case = await env.service.sync_document(po_key("main", "PO-1"), quiet=True)
    assert (case and case.checks, checks.bounds) == ((), [])
    env.rules = rules(any_of("role:approver"), scope=RuleScope(flags=frozenset({"price_above_last"})))
    env.erp.edit("PO-1", total=money("4000 CNY"))
    case = await env.service.sync_document(po_key("main", "PO-1"), quiet=True)
    assert (case and case.checks, len(checks.bounds)) == ((DEAR,), 1)


async def test_who_taps_on_a_changed_document_waits_for_its_checks_no_longer_than_for_the_erp(
    env: ApprovalEnv, checks: PlannedChecks
) -> None:
    case = await env.submit(ORDER)
    env.erp.edit("PO-1", total=money("4000 CNY"))
    result = await env.cast_vote("wang", case=case)
    assert result.newer_case is not None
    assert checks.seconds == [None, env.patience]


async def test_what_no_rule_is_for_is_not_checked(env: ApprovalEnv, checks: PlannedChecks) -> None:
    env.erp.submit(replace(ORDER, total=money("9000 CNY")))
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert checks.bounds == []


async def test_what_a_rule_finds_unflagged_is_not_checked_in_each_round(
    env: ApprovalEnv, checks: PlannedChecks
) -> None:
    env.rules = rules(any_of("role:approver"), scope=RuleScope(flags=frozenset({"price_above_last"})))
    checks.results = (FINE,)
    env.erp.submit(ORDER)
    for _ in range(3):
        assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert len(checks.bounds) == 1


async def test_a_rule_takes_what_could_not_be_checked_for_flagged(env: ApprovalEnv, checks: PlannedChecks) -> None:
    env.rules = rules(any_of("role:approver"), scope=RuleScope(flags=frozenset({"price_above_last"})))
    checks.results = (replace(FINE, is_whole=False),)
    assert (await env.submit(ORDER)).plan.rule == "rule"


@pytest.mark.parametrize(
    ("place", "fields", "scope", "shown"),
    [
        (NEAR, frozenset(), EVERYTHING, DEAR.flags),
        ("person:zoe", ALL_FIELDS, EVERYTHING, DEAR.flags),
        ("person:zoe", ALL_FIELDS - {FieldClass.PARTNER}, EVERYTHING, HIDDEN),
        # Who may see this vendor's documents only is not told what others took.
        ("person:zoe", ALL_FIELDS, Scope(partners=frozenset({"acme"})), None),
        ("person:zoe", SHARED_FIELDS, EVERYTHING, None),
        (GROUP, SHARED_FIELDS, EVERYTHING, None),
    ],
)
async def test_who_sees_what_the_checks_flag(
    env: ApprovalEnv, place: str, fields: frozenset[FieldClass], scope: Scope, shown: object
) -> None:
    case = await env.submit(ORDER)
    view = await ComposerHarness(env, reader_at=granting(fields, scope)).card(place)
    assert (view.checks and view.checks.flags) == shown if view.checks else shown is None
    explained = await env.service.why(case.key, "wang")
    audience, narrowed = Audience.of(private=fields >= {FieldClass.COST}), scope != EVERYTHING
    if place != NEAR:
        why = cut(build_why_view(explained, {}, audience, narrowed=narrowed), fields)
        assert (why.checks.flags if why.checks else None) == shown


async def test_a_card_has_room_for_a_few_flags(env: ApprovalEnv, checks: PlannedChecks) -> None:
    flags: tuple[Phrase, ...] = tuple(phrase("%(sku)s is dearer", sku=f"S{n}") for n in range(MOST_FLAGS + 2))
    checks.results = (replace(FINE, flags=flags),)
    case = await env.submit(ORDER)
    view = await ComposerHarness(env).card()
    assert isinstance(view.checks, CheckedLines)
    assert (view.checks.flags, view.checks.more) == (flags[:MOST_FLAGS], 2)
    whole = build_why_view(await env.service.why(case.key, "wang"), {}, Audience.PRICED).checks
    assert whole is not None
    assert (whole.flags, whole.more) == (flags, 0)
