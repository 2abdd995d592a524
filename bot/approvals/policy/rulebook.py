"""The rules of a company, ready to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.approvals.document import Document
from bot.approvals.policy.judging import judge
from bot.approvals.policy.planning import make_plan
from bot.approvals.policy.rule import By, Rule, RuleSet, Selector, Step
from bot.approvals.ruling import Ballot, Company, Need, Planning, Ruling
from bot.erp.model import Verdict

APPROVER = "approver"
"""The role whose members decide where a company wrote no rules (design, section 5)."""

DEFAULT = RuleSet(
    version="default",
    rules=(Rule(name="default", steps=(Step(Need.ANY, (Selector(By.ROLE, APPROVER),)),)),),
)


class RuleBook:
    """Implements `bot.approvals.ruling.Policy`."""

    def __init__(self, rules: RuleSet = DEFAULT) -> None:
        self._rules = rules

    @property
    def version(self) -> str:
        """Return what tells this set of rules from another, for the audit."""
        return self._rules.version

    def plan(self, document: Document, company: Company) -> Planning:
        """Return who has to agree, and why."""
        return make_plan(self._rules, document, company)

    @property
    def asks_categories(self) -> bool:
        """Return whether some rule looks at the categories of products."""
        return any(rule.scope.categories for rule in self._rules.rules)

    @property
    def asks_directory(self) -> bool:
        """Return whether some rule looks at managers or departments."""
        return any(map(_asks_directory, self._rules.rules)) or _by_manager(
            one for limit in self._rules.limits for one in limit.approvers
        )

    def substitutes_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        """Return who stands in for a person now."""
        found = (one.by for one in self._rules.substitutes if one.person == user_id and one.holds(now))
        return tuple(dict.fromkeys(found))

    def principals_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        """Return for whom a person stands in now."""
        found = (one.person for one in self._rules.substitutes if one.by == user_id and one.holds(now))
        return tuple(dict.fromkeys(found))

    def may(self, ballot: Ballot, user_id: str, verdict: Verdict) -> Ruling:
        """Return whether the person may say this now."""
        return judge(ballot, user_id, verdict, self._rules.substitutes)


def _asks_directory(rule: Rule) -> bool:
    named = (one for step in rule.steps for one in step.approvers)
    return bool(rule.scope.departments) or _by_manager((*named, *rule.escalate_to, *rule.scope.requesters))


def _by_manager(selectors: Iterable[Selector]) -> bool:
    return any(one.by is By.MANAGER for one in selectors)
