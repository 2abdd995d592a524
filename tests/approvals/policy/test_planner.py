"""Which rule decides about which document, who is named, and why: read it as the documentation of the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import ExpiryAction, Quorum
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    RuleLevel,
    RuleScope,
    SelectorKind,
    SingleLimit,
)
from bot.checks.check import CheckOutcome
from bot.erp.kinds import BILLS
from bot.words.phrase import phrase
from tests.approvals.company import NOW, FakeCompanyDirectory, document, document_of, money, waiting_of
from tests.rows import each_row

COMPANY = FakeCompanyDirectory()


def who(text: str) -> tuple[ApproverSelector, ...]:
    """Return selectors written as ``role:finance person:sun``."""
    return tuple(
        ApproverSelector(SelectorKind(word.partition(":")[0]), word.partition(":")[2]) for word in text.split()
    )


def any_of(text: str) -> RuleLevel:
    return RuleLevel(Quorum.ANY, who(text))


def all_of(text: str) -> RuleLevel:
    return RuleLevel(Quorum.ALL, who(text))


def rules(*several: ApprovalRule, limits: tuple[SingleLimit, ...] = ()) -> RuleBasedPolicy:
    return RuleBasedPolicy(ApprovalRuleSet(version="test", rules=several, limits=limits))


SMALL = ApprovalRule(name="small", scope=RuleScope(below=money("5000 CNY")), steps=(any_of("role:purchasing"),))
MIDDLE = ApprovalRule(
    name="middle",
    scope=RuleScope(at_least=money("5000 CNY"), below=money("50000 CNY")),
    steps=(any_of("role:purchasing"), any_of("role:finance")),
)
LARGE = ApprovalRule(
    name="large",
    scope=RuleScope(at_least=money("50000 CNY")),
    steps=(any_of("role:finance"), all_of("role:board")),
    confirm_from=money("100000 CNY"),
)
TIERS = rules(SMALL, MIDDLE, LARGE)


DEARER = RuleScope(flags=frozenset({"price_above_last"}))
FINE = CheckOutcome(check="price_above_last", looked_at=phrase("Last price"), as_of=NOW)
FLAGGED = replace(FINE, flags=(phrase("Last price"),))
UNREAD = replace(FINE, is_whole=False)


@dataclass(frozen=True)
class RuleCase:
    """A document, and the rule that decides (None: none does)."""

    name: str
    scope: RuleScope
    document: ApprovalDocument
    why_not: str = ""
    """Why the rule does not apply; empty: it does."""


FITS = [
    RuleCase("a rule without a scope is for everything", RuleScope(), document()),
    RuleCase("a rule without a scope is for an unknown amount", RuleScope(), document(None)),
    RuleCase("below its upper bound", RuleScope(below=money("5000 CNY")), document("4999.99 CNY")),
    RuleCase(
        "the upper bound itself is outside", RuleScope(below=money("5000 CNY")), document("5000 CNY"), "amounts below"
    ),
    RuleCase("above the upper bound", RuleScope(below=money("5000 CNY")), document("5000.01 CNY"), "amounts below"),
    RuleCase("the lower bound itself is inside", RuleScope(at_least=money("5000 CNY")), document("5000.00 CNY")),
    RuleCase("below the lower bound", RuleScope(at_least=money("5000 CNY")), document("4999.9999 CNY"), "amounts from"),
    RuleCase(
        "another currency fits no lower bound", RuleScope(at_least=money("5000 CNY")), document("9000 USD"), "in CNY"
    ),
    RuleCase("another currency fits no upper bound", RuleScope(below=money("5000 CNY")), document("1 USD"), "in CNY"),
    RuleCase(
        "an unknown amount fits no bound",
        RuleScope(below=money("5000 CNY")),
        document(None),
        "does not tell the amount",
    ),
    RuleCase("its currency", RuleScope(currencies=frozenset({"USD", "EUR"})), document("10 EUR")),
    RuleCase("another currency", RuleScope(currencies=frozenset({"USD", "EUR"})), document("10 CNY"), "in EUR, USD"),
    RuleCase(
        "an unknown amount has no currency", RuleScope(currencies=frozenset({"USD"})), document(None), "does not tell"
    ),
    RuleCase("a negative amount is below", RuleScope(below=money("5000 CNY")), document("-3 CNY")),
    RuleCase("its source", RuleScope(sources=frozenset({"main"})), document(source="MAIN")),
    RuleCase("another source", RuleScope(sources=frozenset({"main"})), document(source="other"), "other ERPs"),
    RuleCase("its company", RuleScope(companies=frozenset({"上海"})), document(company="上海")),
    RuleCase("another company", RuleScope(companies=frozenset({"上海"})), document(company="北京"), "other companies"),
    RuleCase(
        "no company is another one", RuleScope(companies=frozenset({"上海"})), document(company=""), "other companies"
    ),
    RuleCase("its department", RuleScope(departments=frozenset({"生产部"})), document()),
    RuleCase("another department", RuleScope(departments=frozenset({"行政部"})), document(), "other departments"),
    RuleCase("its supplier in any case", RuleScope(suppliers=frozenset({"acme"})), document(supplier="Acme")),
    RuleCase(
        "another supplier", RuleScope(suppliers=frozenset({"acme"})), document(supplier="Acme 2"), "other vendors"
    ),
    RuleCase(
        "one line of the category is enough", RuleScope(categories=frozenset({"b"})), document(categories=("A", "B"))
    ),
    RuleCase(
        "no line of the category", RuleScope(categories=frozenset({"b"})), document(categories=("A",)), "categories"
    ),
    RuleCase("no lines", RuleScope(categories=frozenset({"b"})), document(categories=()), "categories"),
    RuleCase("its requester by name", RuleScope(requesters=who("person:li")), document(requester="li")),
    RuleCase("its requester by role", RuleScope(requesters=who("role:purchasing")), document(requester="zhao")),
    RuleCase("another requester", RuleScope(requesters=who("person:li")), document(requester="wu"), "other requesters"),
    RuleCase(
        "nobody knows the requester", RuleScope(requesters=who("person:li")), document(requester=""), "requesters"
    ),
    RuleCase("what a check flags", DEARER, document(checks=(FLAGGED,))),
    RuleCase("what a check could not look at", DEARER, document(checks=(UNREAD,))),
    RuleCase("what nobody checked", DEARER, document()),
    RuleCase("what a check finds in order", DEARER, document(checks=(FINE,)), "none of these checks flags it"),
    RuleCase(
        "a check of another kind of document",
        replace(DEARER, kinds=frozenset({"po", "bill"})),
        document_of(waiting_of(BILLS, "B-1")),
        "none of these checks flags it",
    ),
    RuleCase(
        "all conditions at once",
        RuleScope(companies=frozenset({"上海"}), suppliers=frozenset({"acme"}), below=money("5000 CNY")),
        document("10 CNY"),
    ),
    RuleCase(
        "one of several conditions fails",
        RuleScope(companies=frozenset({"上海"}), suppliers=frozenset({"acme"}), below=money("5000 CNY")),
        document("10 CNY", supplier="other"),
        "other vendors",
    ),
]


@each_row("case", FITS)
def test_which_documents_a_rule_is_for(case: RuleCase) -> None:
    plan_result = rules(ApprovalRule(name="r", scope=case.scope, steps=(any_of("person:qian"),))).plan(
        case.document, COMPANY
    )
    assert (plan_result.plan is None) == bool(case.why_not)
    if case.why_not:
        assert case.why_not in str(plan_result.reasons[0])
        assert str(plan_result.reasons[-1]) == "No rule is for this document, so it is decided in the ERP."
    else:
        assert str(plan_result.reasons[0]) == "“r” decides."


@each_row(
    ("result", "said"),
    [
        (FLAGGED, "Flagged by the check: Last price."),
        (UNREAD, "Taken for flagged, since it could not be checked: Last price."),
    ],
)
def test_a_rule_says_which_check_made_it_fit(result: CheckOutcome, said: str) -> None:
    rule = ApprovalRule(name="r", scope=DEARER, steps=(any_of("person:qian"),))
    assert str(rules(rule).plan(document(checks=(result,)), COMPANY).reasons[-1]) == said


def test_bounds_are_those_of_rules_for_such_a_document() -> None:
    other = ApprovalRule(
        name="other", scope=RuleScope(suppliers=frozenset({"x"}), below=money("7 CNY")), steps=(any_of("person:qian"),)
    )
    policy = rules(other, SMALL, MIDDLE, LARGE)
    assert policy.bounds(document(), COMPANY) == (money("5000 CNY"), money("50000 CNY"))


@dataclass(frozen=True)
class SelectorCase:
    """A document, and who is named for each level."""

    name: str
    steps: tuple[RuleLevel, ...]
    document: ApprovalDocument
    levels: tuple[tuple[str, ...], ...]
    excluded: tuple[str, ...] = ()


NAMES = [
    SelectorCase("a person", (any_of("person:qian"),), document(), (("qian",),)),
    SelectorCase("a role, in its order", (any_of("role:purchasing"),), document(), (("wang", "zhao"),)),
    SelectorCase("a role that nobody has", (any_of("role:nobody"),), document(), ((),)),
    SelectorCase("an unknown role", (any_of("role:misspelt"),), document(), ((),)),
    SelectorCase("the nearest manager", (any_of("manager:1"),), document(), (("wu",),)),
    SelectorCase("the manager's manager", (any_of("manager:2"),), document(), (("zheng",),)),
    SelectorCase("a chain that is too short", (any_of("manager:9"),), document(), ((),)),
    SelectorCase("the manager of somebody unknown", (any_of("manager:1"),), document(requester=""), ((),)),
    SelectorCase("the buyer of the document", (any_of("field:buyer"),), document(buyer="erp-zhao"), (("zhao",),)),
    SelectorCase("no buyer", (any_of("field:buyer"),), document(), ((),)),
    SelectorCase("a buyer without an account here", (any_of("field:buyer"),), document(buyer="erp-x"), ((),)),
    SelectorCase(
        "an account of another source", (any_of("field:buyer"),), document(buyer="erp-zhao", source="b"), ((),)
    ),
    SelectorCase("several names, each once", (any_of("person:wang role:purchasing"),), document(), (("wang", "zhao"),)),
    SelectorCase(
        "two levels", (any_of("role:purchasing"), all_of("role:board")), document(), (("wang", "zhao"), ("sun", "zhou"))
    ),
    SelectorCase("the requester is left out", (any_of("role:approver"),), document(), (("wang", "qian"),), ("li",)),
    SelectorCase("a requester who is alone", (any_of("person:li"),), document(), ((),), ("li",)),
    SelectorCase(
        "who changed it is left out", (any_of("role:board"),), document(editors=("sun",)), (("zhou",),), ("sun",)
    ),
    SelectorCase(
        "a manager who changed it is left out", (any_of("manager:1"),), document(editors=("wu",)), ((),), ("wu",)
    ),
]


@each_row("case", NAMES)
def test_who_is_named(case: SelectorCase) -> None:
    plan = rules(ApprovalRule(name="r", steps=case.steps)).plan(case.document, COMPANY).plan
    assert plan is not None
    assert tuple(level.approvers for level in plan.levels) == case.levels
    assert tuple(one for level in plan.levels for one in level.excluded) == case.excluded


@each_row(
    ("total", "rule"),
    [
        ("0 CNY", "small"),
        ("4999.99 CNY", "small"),
        ("5000 CNY", "middle"),
        ("49999.99 CNY", "middle"),
        ("50000 CNY", "large"),
        ("12345678901234.56 CNY", "large"),
        ("10 USD", None),
        (None, None),
    ],
)
def test_the_first_rule_that_fits_decides(total: str | None, rule: str | None) -> None:
    plan_result = TIERS.plan(document(total), COMPANY)
    assert (plan_result.plan.rule if plan_result.plan else None) == rule
    assert len(plan_result.reasons) == {"small": 1, "middle": 2, "large": 3, None: 4}[rule]


@each_row(
    ("total", "asks"),
    [("99999.99 CNY", False), ("100000 CNY", True), ("100000.01 CNY", True), ("60000 CNY", False)],
)
def test_a_large_amount_is_asked_for_twice(total: str, asks: bool) -> None:
    plan = TIERS.plan(document(total), COMPANY).plan
    assert plan is not None
    assert plan.confirm is asks


@pytest.mark.parametrize("total", ["5 USD", None])
def test_an_amount_that_cannot_be_compared_is_asked_for_twice(total: str | None) -> None:
    plan = (
        rules(ApprovalRule(name="r", steps=(any_of("person:qian"),), confirm_from=money("100 CNY")))
        .plan(document(total), COMPANY)
        .plan
    )
    assert plan is not None
    assert plan.confirm


def test_without_rules_the_approvers_decide() -> None:
    plan = RuleBasedPolicy().plan(document(), COMPANY).plan
    assert plan is not None
    assert [level.approvers for level in plan.levels] == [("wang", "qian")]
    assert plan.levels[0].quorum is Quorum.ANY


def test_deadlines_limits_and_escalation_stand_in_the_plan() -> None:
    rule = ApprovalRule(
        name="r",
        steps=(any_of("person:qian"),),
        daily_limits=(money("9 CNY"),),
        remind_after=(timedelta(hours=4),),
        deadline=timedelta(days=1),
        on_expiry=ExpiryAction.ESCALATE,
        escalate_to=who("role:board person:li"),
    )
    limits = (
        SingleLimit(approvers=who("person:qian"), amounts=(money("1 CNY"),)),
        SingleLimit(approvers=who("role:finance role:board"), amounts=(money("2 CNY"),)),
    )
    plan = rules(rule, limits=limits).plan(document(), COMPANY).plan
    assert plan is not None
    assert (plan.deadline, plan.on_expiry, plan.remind_after) == (rule.deadline, rule.on_expiry, rule.remind_after)
    assert plan.escalate_to == ("sun", "zhou"), "the requester is never among them"
    assert plan.daily_limits == (money("9 CNY"),)
    assert plan.single_limits == {"qian": (money("1 CNY"),), "sun": (money("2 CNY"),), "zhou": (money("2 CNY"),)}
