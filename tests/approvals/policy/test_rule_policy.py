"""What a set of rules says of itself, and who speaks for whom."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals.plan import Eligibility, Forward, VoteContext
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    RuleLevel,
    RuleScope,
    SingleLimit,
    Substitute,
)
from bot.erp.model import Verdict
from tests.approvals.company import NOW, FakeCompanyDirectory, FakeDailySpending, document, money
from tests.approvals.policy.test_evaluation import BOTH, TWO, said, stands_in
from tests.approvals.policy.test_planner import any_of, who
from tests.rows import each_row

PLAIN = ApprovalRule(name="r", steps=(any_of("role:finance"),))


def policy(
    *rules: ApprovalRule, substitutes: tuple[Substitute, ...] = (), limits: tuple[SingleLimit, ...] = ()
) -> RuleBasedPolicy:
    return RuleBasedPolicy(ApprovalRuleSet(version="v7", rules=rules, substitutes=substitutes, limits=limits))


@each_row(
    ("rules", "limits", "asks"),
    [
        ((PLAIN,), (), False),
        ((ApprovalRule(name="r", steps=(any_of("manager:1"),)),), (), True),
        ((PLAIN, ApprovalRule(name="s", steps=(any_of("role:a"), any_of("role:b manager:2")))), (), True),
        ((ApprovalRule(name="r", scope=RuleScope(departments=frozenset({"1"})), steps=PLAIN.steps),), (), True),
        ((ApprovalRule(name="r", scope=RuleScope(companies=frozenset({"1"})), steps=PLAIN.steps),), (), False),
        ((ApprovalRule(name="r", steps=PLAIN.steps, escalate_to=who("manager:1")),), (), True),
        ((ApprovalRule(name="r", steps=PLAIN.steps, escalate_to=who("person:a")),), (), False),
        ((ApprovalRule(name="r", scope=RuleScope(requesters=who("manager:1")), steps=PLAIN.steps),), (), True),
        ((PLAIN,), (SingleLimit(approvers=who("manager:1"), amounts=(money("1 CNY"),)),), True),
        ((PLAIN,), (SingleLimit(approvers=who("field:buyer"), amounts=(money("1 CNY"),)),), False),
    ],
)
def test_when_the_directory_is_asked(
    rules: tuple[ApprovalRule, ...], limits: tuple[SingleLimit, ...], asks: bool
) -> None:
    assert policy(*rules, limits=limits).asks_directory is asks


def test_when_categories_are_asked_for() -> None:
    assert not policy(PLAIN).asks_categories
    assert policy(
        PLAIN, ApprovalRule(name="s", scope=RuleScope(categories=frozenset({"a"})), steps=PLAIN.steps)
    ).asks_categories
    assert policy(PLAIN).version == "v7"


def test_who_stands_in_for_whom_now() -> None:
    over = stands_in("sun", "wang", begins=-timedelta(days=2), ends=-timedelta(days=1))
    twice = stands_in("wu", "wang")
    substitutes = (twice, stands_in("wu", "zhao"), stands_in("li", "wang"), over, over, twice)
    rules = policy(PLAIN, substitutes=substitutes)
    assert rules.substitutes_of("wang", NOW) == ("wu", "li")
    assert rules.substitutes_of("wu", NOW) == ()
    assert rules.principals_of("wu", NOW) == ("wang", "zhao")
    assert rules.principals_of("sun", NOW) == ()
    assert rules.principals_of("sun", over.begins) == ("wang",)
    assert rules.principals_of("sun", over.ends) == ()


def asked(
    steps: tuple[RuleLevel, ...],
    user: str,
    *,
    votes: str = "",
    forwards: str = "",
    substitutes: tuple[Substitute, ...] = (),
) -> Eligibility:
    """``forwards`` are written ``wang>wu``."""
    rules = policy(ApprovalRule(name="r", steps=steps), substitutes=substitutes)
    plan = rules.plan(document(), FakeCompanyDirectory()).plan
    assert plan is not None
    passed_on = [word.split(">") for word in forwards.split()]
    vote_context = VoteContext(
        document=document(),
        plan=plan,
        votes=said(votes),
        spending=FakeDailySpending(),
        now=NOW,
        forwards=tuple(Forward(person=person, to=to, at=NOW) for person, to in passed_on),
    )
    return rules.may(vote_context, user, Verdict.APPROVE)


def test_a_turn_that_was_passed_on() -> None:
    eligibility = asked(TWO, "wu", forwards="wang>wu qian>sun")
    assert (eligibility.allowed, eligibility.on_behalf_of, eligibility.level) == (True, "wang", 1)
    assert not asked(TWO, "sun", forwards="wang>wu qian>sun").allowed, "the turn of the second level"
    assert asked(TWO, "sun", forwards="wang>wu qian>sun", votes="wu@1=wang").on_behalf_of == "qian"
    assert asked(TWO, "wang", forwards="wang>wu").on_behalf_of == "", "who passed it on may still do it"
    assert not asked(TWO, "zheng", forwards="wang>wu").allowed


def test_a_vote_counts_at_its_own_level_alone() -> None:
    both = (any_of("person:wang"), any_of("person:wang"))
    away = (stands_in("wu", "wang"),)
    eligibility = asked(both, "wang", votes="wu@1=wang", substitutes=away)
    assert (eligibility.allowed, eligibility.level) == (True, 2)
    eligibility = asked(BOTH, "sun", votes="wu@1=sun", substitutes=(stands_in("wu", "sun"),))
    assert (eligibility.allowed, str(eligibility.reasons[0])) == (False, "wu has already stood in for you.")
    eligibility = asked(TWO, "wang", votes="wu@1=wang", substitutes=away)
    assert str(eligibility.reasons[0]) == "Your level has decided already; level 2 is next."
