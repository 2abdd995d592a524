"""Which rule decides about which document, who is named, and why: read it as the documentation of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.approvals.document import Document
from bot.approvals.policy.rule import By, Rule, RuleSet, Scope, Selector, SingleLimit, Step
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.ruling import Expiry, Need
from tests.approvals.parts import SmallCompany, document, money

COMPANY = SmallCompany()


def who(text: str) -> tuple[Selector, ...]:
    """Return selectors written as ``role:finance person:sun``."""
    return tuple(Selector(By(word.partition(":")[0]), word.partition(":")[2]) for word in text.split())


def any_of(text: str) -> Step:
    return Step(Need.ANY, who(text))


def all_of(text: str) -> Step:
    return Step(Need.ALL, who(text))


def rules(*several: Rule, limits: tuple[SingleLimit, ...] = ()) -> RuleBook:
    return RuleBook(RuleSet(version="test", rules=several, limits=limits))


SMALL = Rule(name="small", scope=Scope(below=money("5000 CNY")), steps=(any_of("role:purchasing"),))
MIDDLE = Rule(
    name="middle",
    scope=Scope(at_least=money("5000 CNY"), below=money("50000 CNY")),
    steps=(any_of("role:purchasing"), any_of("role:finance")),
)
LARGE = Rule(
    name="large",
    scope=Scope(at_least=money("50000 CNY")),
    steps=(any_of("role:finance"), all_of("role:board")),
    confirm_from=money("100000 CNY"),
)
TIERS = rules(SMALL, MIDDLE, LARGE)


@dataclass(frozen=True)
class Fits:
    """A document, and the rule that decides (None: none does)."""

    name: str
    scope: Scope
    document: Document
    why_not: str = ""
    """Why the rule does not apply; empty: it does."""


FITS = [
    Fits("a rule without a scope is for everything", Scope(), document()),
    Fits("a rule without a scope is for an unknown amount", Scope(), document(None)),
    Fits("below its upper bound", Scope(below=money("5000 CNY")), document("4999.99 CNY")),
    Fits("the upper bound itself is outside", Scope(below=money("5000 CNY")), document("5000 CNY"), "amounts below"),
    Fits("above the upper bound", Scope(below=money("5000 CNY")), document("5000.01 CNY"), "amounts below"),
    Fits("the lower bound itself is inside", Scope(at_least=money("5000 CNY")), document("5000.00 CNY")),
    Fits("below the lower bound", Scope(at_least=money("5000 CNY")), document("4999.9999 CNY"), "amounts from"),
    Fits("another currency fits no lower bound", Scope(at_least=money("5000 CNY")), document("9000 USD"), "in CNY"),
    Fits("another currency fits no upper bound", Scope(below=money("5000 CNY")), document("1 USD"), "in CNY"),
    Fits("an unknown amount fits no bound", Scope(below=money("5000 CNY")), document(None), "does not tell the amount"),
    Fits("its currency", Scope(currencies=frozenset({"USD", "EUR"})), document("10 EUR")),
    Fits("another currency", Scope(currencies=frozenset({"USD", "EUR"})), document("10 CNY"), "in EUR, USD"),
    Fits("an unknown amount has no currency", Scope(currencies=frozenset({"USD"})), document(None), "does not tell"),
    Fits("a negative amount is below", Scope(below=money("5000 CNY")), document("-3 CNY")),
    Fits("its source", Scope(sources=frozenset({"main"})), document(source="MAIN")),
    Fits("another source", Scope(sources=frozenset({"main"})), document(source="other"), "other ERPs"),
    Fits("its company", Scope(companies=frozenset({"上海"})), document(company="上海")),
    Fits("another company", Scope(companies=frozenset({"上海"})), document(company="北京"), "other companies"),
    Fits("no company is another one", Scope(companies=frozenset({"上海"})), document(company=""), "other companies"),
    Fits("its department", Scope(departments=frozenset({"生产部"})), document()),
    Fits("another department", Scope(departments=frozenset({"行政部"})), document(), "other departments"),
    Fits("its supplier in any case", Scope(suppliers=frozenset({"acme"})), document(supplier="Acme")),
    Fits("another supplier", Scope(suppliers=frozenset({"acme"})), document(supplier="Acme 2"), "other suppliers"),
    Fits("one line of the category is enough", Scope(categories=frozenset({"b"})), document(categories=("A", "B"))),
    Fits("no line of the category", Scope(categories=frozenset({"b"})), document(categories=("A",)), "categories"),
    Fits("no lines", Scope(categories=frozenset({"b"})), document(categories=()), "categories"),
    Fits("its requester by name", Scope(requesters=who("person:li")), document(requester="li")),
    Fits("its requester by role", Scope(requesters=who("role:purchasing")), document(requester="zhao")),
    Fits("another requester", Scope(requesters=who("person:li")), document(requester="wu"), "other requesters"),
    Fits("nobody knows the requester", Scope(requesters=who("person:li")), document(requester=""), "requesters"),
    Fits(
        "all conditions at once",
        Scope(companies=frozenset({"上海"}), suppliers=frozenset({"acme"}), below=money("5000 CNY")),
        document("10 CNY"),
    ),
    Fits(
        "one of several conditions fails",
        Scope(companies=frozenset({"上海"}), suppliers=frozenset({"acme"}), below=money("5000 CNY")),
        document("10 CNY", supplier="other"),
        "other suppliers",
    ),
]


@pytest.mark.parametrize("case", FITS, ids=lambda case: case.name)
def test_which_documents_a_rule_is_for(case: Fits) -> None:
    planning = rules(Rule(name="r", scope=case.scope, steps=(any_of("person:qian"),))).plan(case.document, COMPANY)
    assert (planning.plan is None) == bool(case.why_not)
    if case.why_not:
        assert case.why_not in str(planning.reasons[0])
        assert str(planning.reasons[-1]) == "No rule is for this document, so it is decided in the ERP."
    else:
        assert [str(reason) for reason in planning.reasons] == ["“r” decides."]


@dataclass(frozen=True)
class Names:
    """A document, and who is named for each level."""

    name: str
    steps: tuple[Step, ...]
    document: Document
    levels: tuple[tuple[str, ...], ...]
    excluded: tuple[str, ...] = ()


NAMES = [
    Names("a person", (any_of("person:qian"),), document(), (("qian",),)),
    Names("a role, in its order", (any_of("role:purchasing"),), document(), (("wang", "zhao"),)),
    Names("a role that nobody has", (any_of("role:nobody"),), document(), ((),)),
    Names("an unknown role", (any_of("role:misspelt"),), document(), ((),)),
    Names("the nearest manager", (any_of("manager:1"),), document(), (("wu",),)),
    Names("the manager's manager", (any_of("manager:2"),), document(), (("zheng",),)),
    Names("a chain that is too short", (any_of("manager:9"),), document(), ((),)),
    Names("the manager of somebody unknown", (any_of("manager:1"),), document(requester=""), ((),)),
    Names("the buyer of the document", (any_of("field:buyer"),), document(buyer="erp-zhao"), (("zhao",),)),
    Names("no buyer", (any_of("field:buyer"),), document(), ((),)),
    Names("a buyer without an account here", (any_of("field:buyer"),), document(buyer="erp-x"), ((),)),
    Names("an account of another source", (any_of("field:buyer"),), document(buyer="erp-zhao", source="b"), ((),)),
    Names("several names, each once", (any_of("person:wang role:purchasing"),), document(), (("wang", "zhao"),)),
    Names(
        "two levels", (any_of("role:purchasing"), all_of("role:board")), document(), (("wang", "zhao"), ("sun", "zhou"))
    ),
    Names("the requester is left out", (any_of("role:approver"),), document(), (("wang", "qian"),), ("li",)),
    Names("a requester who is alone", (any_of("person:li"),), document(), ((),), ("li",)),
    Names("who changed it is left out", (any_of("role:board"),), document(editors=("sun",)), (("zhou",),), ("sun",)),
    Names("a manager who changed it is left out", (any_of("manager:1"),), document(editors=("wu",)), ((),), ("wu",)),
]


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.name)
def test_who_is_named(case: Names) -> None:
    plan = rules(Rule(name="r", steps=case.steps)).plan(case.document, COMPANY).plan
    assert plan is not None
    assert tuple(level.approvers for level in plan.levels) == case.levels
    assert tuple(one for level in plan.levels for one in level.excluded) == case.excluded


@pytest.mark.parametrize(
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
    planning = TIERS.plan(document(total), COMPANY)
    assert (planning.plan.rule if planning.plan else None) == rule
    assert len(planning.reasons) == {"small": 1, "middle": 2, "large": 3, None: 4}[rule]


@pytest.mark.parametrize(
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
        rules(Rule(name="r", steps=(any_of("person:qian"),), confirm_from=money("100 CNY")))
        .plan(document(total), COMPANY)
        .plan
    )
    assert plan is not None
    assert plan.confirm


def test_without_rules_the_approvers_decide() -> None:
    plan = RuleBook().plan(document(), COMPANY).plan
    assert plan is not None
    assert [level.approvers for level in plan.levels] == [("wang", "qian")]
    assert plan.levels[0].need is Need.ANY


def test_deadlines_limits_and_escalation_stand_in_the_plan() -> None:
    rule = Rule(
        name="r",
        steps=(any_of("person:qian"),),
        daily_limits=(money("9 CNY"),),
        remind_after=(timedelta(hours=4),),
        deadline=timedelta(days=1),
        on_expiry=Expiry.ESCALATE,
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
