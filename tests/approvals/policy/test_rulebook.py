"""What a set of rules says of itself, and who speaks for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.approvals.policy.rule import Rule, RuleSet, Scope, SingleLimit, Step, Substitute
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.ruling import Ballot, Forward, Ruling
from bot.erp.model import Verdict
from tests.approvals.parts import NOW, SmallCompany, Spent, document, money
from tests.approvals.policy.test_judging import BOTH, TWO, said, stands_in
from tests.approvals.policy.test_planning import any_of, who

PLAIN = Rule(name="r", steps=(any_of("role:finance"),))


def book(*rules: Rule, substitutes: tuple[Substitute, ...] = (), limits: tuple[SingleLimit, ...] = ()) -> RuleBook:
    return RuleBook(RuleSet(version="v7", rules=rules, substitutes=substitutes, limits=limits))


@pytest.mark.parametrize(
    ("rules", "limits", "asks"),
    [
        ((PLAIN,), (), False),
        ((Rule(name="r", steps=(any_of("manager:1"),)),), (), True),
        ((PLAIN, Rule(name="s", steps=(any_of("role:a"), any_of("role:b manager:2")))), (), True),
        ((Rule(name="r", scope=Scope(departments=frozenset({"1"})), steps=PLAIN.steps),), (), True),
        ((Rule(name="r", scope=Scope(companies=frozenset({"1"})), steps=PLAIN.steps),), (), False),
        ((Rule(name="r", steps=PLAIN.steps, escalate_to=who("manager:1")),), (), True),
        ((Rule(name="r", steps=PLAIN.steps, escalate_to=who("person:a")),), (), False),
        ((Rule(name="r", scope=Scope(requesters=who("manager:1")), steps=PLAIN.steps),), (), True),
        ((PLAIN,), (SingleLimit(approvers=who("manager:1"), amounts=(money("1 CNY"),)),), True),
        ((PLAIN,), (SingleLimit(approvers=who("field:buyer"), amounts=(money("1 CNY"),)),), False),
    ],
)
def test_when_the_directory_is_asked(rules: tuple[Rule, ...], limits: tuple[SingleLimit, ...], asks: bool) -> None:
    assert book(*rules, limits=limits).asks_directory is asks


def test_when_categories_are_asked_for() -> None:
    assert not book(PLAIN).asks_categories
    assert book(PLAIN, Rule(name="s", scope=Scope(categories=frozenset({"a"})), steps=PLAIN.steps)).asks_categories
    assert book(PLAIN).version == "v7"


def test_who_stands_in_for_whom_now() -> None:
    over = stands_in("sun", "wang", begins=-timedelta(days=2), ends=-timedelta(days=1))
    twice = stands_in("wu", "wang")
    substitutes = (twice, stands_in("wu", "zhao"), stands_in("li", "wang"), over, over, twice)
    rules = book(PLAIN, substitutes=substitutes)
    assert rules.substitutes_of("wang", NOW) == ("wu", "li")
    assert rules.substitutes_of("wu", NOW) == ()
    assert rules.principals_of("wu", NOW) == ("wang", "zhao")
    assert rules.principals_of("sun", NOW) == ()
    assert rules.principals_of("sun", over.begins) == ("wang",)
    assert rules.principals_of("sun", over.ends) == ()


def asked(
    steps: tuple[Step, ...], user: str, *, votes: str = "", forwards: str = "", substitutes: tuple[Substitute, ...] = ()
) -> Ruling:
    """``forwards`` are written ``wang>wu``."""
    rules = book(Rule(name="r", steps=steps), substitutes=substitutes)
    plan = rules.plan(document(), SmallCompany()).plan
    assert plan is not None
    passed_on = [word.split(">") for word in forwards.split()]
    ballot = Ballot(
        document=document(),
        plan=plan,
        votes=said(votes),
        spending=Spent(),
        now=NOW,
        forwards=tuple(Forward(person=person, to=to, at=NOW) for person, to in passed_on),
    )
    return rules.may(ballot, user, Verdict.APPROVE)


def test_a_turn_that_was_passed_on() -> None:
    ruling = asked(TWO, "wu", forwards="wang>wu qian>sun")
    assert (ruling.allowed, ruling.on_behalf_of, ruling.level) == (True, "wang", 1)
    assert not asked(TWO, "sun", forwards="wang>wu qian>sun").allowed, "the turn of the second level"
    assert asked(TWO, "sun", forwards="wang>wu qian>sun", votes="wu@1=wang").on_behalf_of == "qian"
    assert asked(TWO, "wang", forwards="wang>wu").on_behalf_of == "", "who passed it on may still do it"
    assert not asked(TWO, "zheng", forwards="wang>wu").allowed


def test_a_vote_counts_at_its_own_level_alone() -> None:
    both = (any_of("person:wang"), any_of("person:wang"))
    away = (stands_in("wu", "wang"),)
    ruling = asked(both, "wang", votes="wu@1=wang", substitutes=away)
    assert (ruling.allowed, ruling.level) == (True, 2)
    ruling = asked(BOTH, "sun", votes="wu@1=sun", substitutes=(stands_in("wu", "sun"),))
    assert (ruling.allowed, str(ruling.reasons[0])) == (False, "wu has already stood in for you.")
    ruling = asked(TWO, "wang", votes="wu@1=wang", substitutes=away)
    assert str(ruling.reasons[0]) == "Your level has decided already; level 2 is next."
