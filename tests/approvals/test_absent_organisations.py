"""Organisations at random, with circles, chains and leavers, against a model that tries every way there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from bot.approvals.absences import Absence
from bot.approvals.case import Case
from bot.approvals.deciders import awaited_voters, check_verdict, find_away, find_dead_end
from bot.approvals.document_reader import Organisation
from bot.approvals.lifecycle import new_case
from bot.approvals.plan import ApprovalLevel, missing_approvers, tally
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import ApprovalRuleSet, AwayRule, SingleLimit, Substitute
from bot.approvals.unit_of_work import RulesInForce
from bot.erp.model import Money, Verdict
from tests.approvals.company import NOW, document, money
from tests.approvals.env import ACCOUNTS, APPROVE, PEOPLE, REJECT, rules
from tests.approvals.policy.test_planner import all_of, any_of, who

DAY = timedelta(days=1)
ORGANISATIONS = range(200)


class NothingSpent:
    def approved_today(self, user_id: str, currency: str) -> Money:
        return money(f"0 {currency}")


@dataclass(frozen=True)
class RandomOrganisation:
    """Rules, absences and one document that waits."""

    rules: ApprovalRuleSet
    absences: tuple[Absence, ...]
    requester: str
    editors: tuple[str, ...]
    accounts: dict[str, dict[str, str]]

    @property
    def in_force(self) -> RulesInForce:
        company = Organisation(roles={}, accounts=self.accounts).snapshot()
        policy = RuleBasedPolicy(self.rules).with_absences(self.absences, company)
        return RulesInForce(policy=policy, company=company, now=NOW)

    @property
    def allowed(self) -> frozenset[str]:
        return frozenset(selector.value for selector in self.rules.away.substitutes)

    def leads_to(self, person: str) -> set[str]:
        """Return whom somebody named, in the file or in the chat, who decides instead now."""
        by_file = {each.by for each in self.rules.substitutes if each.person == person and each.is_active(NOW)}
        own = {
            each.substitute
            for each in self.absences
            if each.user_id == person and each.begins <= NOW < each.ends and each.substitute in self.allowed
        }
        return by_file | own

    def ways(self, person: str, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Yield every way from a person to somebody else, without those who stand twice on it."""
        for by in self.leads_to(person):
            if by not in way:
                yield (*way, by)
                yield from self.ways(by, (*way, by))

    def is_involved(self, person: str) -> bool:
        return person == self.requester or person in self.editors

    def is_within(self, person: str) -> bool:
        limit = next((each for each in self.rules.limits if each.approvers == who(f"person:{person}")), None)
        return limit is None or limit.amounts[0].amount >= 3000

    def may(self, person: str, approver: str, verdict: Verdict) -> bool:
        """Return whether a person may decide in an approver's place, or as that approver."""
        if self.is_involved(person) or person not in self.accounts:
            return False
        alike = (person, approver) if verdict is APPROVE else ()
        if not all(map(self.is_within, alike)):
            return False
        if person == approver:
            return True
        return any(
            way[-1] == person
            and approver not in way
            and not any(map(self.is_involved, way[:-1]))
            and (verdict is REJECT or all(map(self.is_within, way[:-1])))
            for way in self.ways(approver)
        )


def organisation(seed: int) -> RandomOrganisation:
    random = Random(seed)

    def some(most: int, least: int = 1) -> list[str]:
        return random.sample(PEOPLE, random.randint(least, most))

    def span() -> tuple[timedelta, timedelta]:
        begins = random.choice((-2, -1, 0, 1)) * DAY
        return begins, begins + random.choice((1, 2, 3)) * DAY

    step = random.choice((any_of, all_of))(" ".join(f"person:{person}" for person in some(2)))
    absences, substitutes = [], []
    for person in some(8, least=5):
        begins, ends = span()
        absences.append(
            Absence(
                user_id=person,
                begins=NOW + begins,
                ends=NOW + ends,
                substitute=random.choice([other for other in ("", *PEOPLE) if other != person]),
                due_at=NOW,
            )
        )
    for person in some(3):
        begins, ends = span()
        by = random.choice([other for other in PEOPLE if other != person])
        substitutes.append(Substitute(person=person, by=by, begins=NOW + begins, ends=NOW + ends))
    poor = some(3)
    company = replace(
        rules(step, substitutes=tuple(substitutes)),
        limits=tuple(SingleLimit(approvers=who(f"person:{each}"), amounts=(money("100 CNY"),)) for each in poor),
        away=AwayRule(substitutes=who(" ".join(f"person:{person}" for person in some(8, least=5)))),
    )
    gone = set(some(2)) if random.random() < 0.3 else set()
    return RandomOrganisation(
        rules=company,
        absences=tuple(each for each in absences if each.user_id not in gone),
        requester=random.choice(PEOPLE),
        editors=tuple(some(1)) if random.random() < 0.3 else (),
        accounts={person: account for person, account in ACCOUNTS.items() if person not in gone},
    )


def waiting(company: RandomOrganisation) -> tuple[RulesInForce, Case, ApprovalLevel]:
    in_force = company.in_force
    waits = document(requester=company.requester, editors=company.editors)
    plan = in_force.policy.plan(waits, in_force.company).plan
    assert plan is not None
    case = new_case(in_force, waits, plan)
    waited = tally(plan, ())
    assert isinstance(waited, int)
    return in_force, case, plan.level(waited)


@pytest.mark.parametrize("seed", ORGANISATIONS)
def test_nobody_decides_who_may_not_and_everybody_who_may(seed: int) -> None:
    company = organisation(seed)
    in_force, case, level = waiting(company)
    waits = document(requester=company.requester, editors=company.editors)
    for person in PEOPLE:
        for verdict in Verdict:
            expected = any(company.may(person, approver, verdict) for approver in level.approvers)
            ruling = check_verdict(in_force, case, person, verdict, waits, NothingSpent())
            assert ruling.allowed is expected, (person, verdict, ruling)
            assert len(ruling.reasons) == 1
            if expected:
                assert company.may(person, ruling.on_behalf_of or person, verdict)


@pytest.mark.parametrize("seed", ORGANISATIONS)
def test_nothing_waits_for_nobody_without_saying_so(seed: int) -> None:
    company = organisation(seed)
    in_force, case, level = waiting(company)
    awaited = awaited_voters(in_force, case)
    assert set(awaited) == {
        person for person in PEOPLE for approver in level.approvers if company.may(person, approver, REJECT)
    }
    if not awaited:
        assert find_dead_end(in_force, case) is not None
    for each in find_away(in_force, case):
        assert each.user_id in missing_approvers(level, ())
        assert set(each.instead) == {
            person for person in awaited if person != each.user_id and company.may(person, each.user_id, REJECT)
        }


def test_the_organisations_hold_what_they_are_for() -> None:
    every = [organisation(seed) for seed in ORGANISATIONS]
    ways = [(each, person, way) for each in every for person in PEOPLE for way in each.ways(person)]
    assert sum(len(way) > 2 for _, _, way in ways) > 50, "chains"
    assert sum(person in each.leads_to(way[-1]) for each, person, way in ways) > 30, "circles"
    assert sum(len(each.accounts) < len(PEOPLE) for each in every) > 30
    assert sum(not awaited_voters(*waiting(each)[:2]) for each in every) > 3
