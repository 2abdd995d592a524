"""Who can bring a case on: the approvers whose turn it is here, and whom the ERP itself waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.approvals.case import Case
from bot.approvals.plan import ApprovalPlan, lost_role, missing_approvers, tally
from bot.approvals.unit_of_work import RulesInForce
from bot.erp.model import PurchaseOrder, Verdict


def awaited_voters(rules: RulesInForce, case: Case) -> tuple[str, ...]:
    """Return who can bring an open case on: the level's approvers who have not spoken, and who stands in for them."""
    waited = tally(case.plan, case.votes)
    if isinstance(waited, Verdict):
        return ()
    missing = missing_approvers(case.plan.level(waited), case.votes)
    left = [user_id for user_id in missing if not lost_role(case.plan, user_id, rules.company)]
    found = [*left]
    for person in left:
        found += rules.policy.substitutes_of(person, rules.now)
    found += (turn.to for turn in case.forwards if turn.person in left)
    mute = {vote.user_id for vote in case.votes} | {*case.refused, case.summary.requester} | case.summary.editors
    return tuple(user_id for user_id in dict.fromkeys(found) if user_id not in mute)


@dataclass(frozen=True, slots=True)
class Deciders:
    """Who may decide a case: ``entitled`` at any of its levels, ``awaited`` now; all are userIds."""

    entitled: frozenset[str]
    awaited: tuple[str, ...]


def find_deciders(rules: RulesInForce, case: Case) -> Deciders:
    """Return who may decide a case by its plan, and by today's roles and substitutes."""
    named = [approver for level in case.plan.levels for approver in level.approvers]
    own = [person for person in named if not lost_role(case.plan, person, rules.company)]
    substitutes = (substitute for person in own for substitute in rules.policy.substitutes_of(person, rules.now))
    passed_on = (turn.to for turn in case.forwards if turn.person in own)
    return Deciders(frozenset((*own, *substitutes, *passed_on)) - {*case.refused}, awaited_voters(rules, case))


@dataclass(frozen=True, slots=True)
class ErpApprover:
    """Somebody whom the ERP waits for; ``user_id`` is empty where nobody in DingTalk is known behind the account."""

    account: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class ErpApprovers:
    """Whom the ERP waits for; ``people`` is empty where it does not tell."""

    people: tuple[ErpApprover, ...] = ()
    mismatched: bool = False
    """Whether the ERP would be told of an approval by none of them."""

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Return the userIds of those who are known here."""
        return tuple(approver.user_id for approver in self.people if approver.user_id)

    def display_names(self, names: Mapping[str, str], order: PurchaseOrder | None) -> tuple[str, ...]:
        """Return what they are called: in DingTalk where they are known there, else in the ERP, else by account."""
        return tuple(
            names.get(approver.user_id) or (order.named(approver.account) if order is not None else approver.account)
            for approver in self.people
        )


NO_ERP_APPROVERS = ErpApprovers()
"""Where the ERP names nobody, or nothing waits."""


def find_erp_approvers(
    rules: RulesInForce, source: str, accounts: Iterable[str], plan: ApprovalPlan | None, case: Case | None = None
) -> ErpApprovers:
    """Return whom the ERP waits for by their ``accounts``, and whether those meet who complete a plan."""
    people = tuple(ErpApprover(account, rules.company.person_of(source, account)) for account in accounts)
    return ErpApprovers(people, mismatched=plan is not None and _is_mismatched(rules, source, people, plan, case))


def _is_mismatched(
    rules: RulesInForce, source: str, people: Sequence[ErpApprover], plan: ApprovalPlan, case: Case | None
) -> bool:
    # The ERP is told in the name of the last one who agrees, and knows nothing of the levels before.
    ours = (rules.account_of(user_id, source) for user_id in _last_voters(rules, plan, case))
    return bool(people) and {approver.account for approver in people}.isdisjoint(ours)


def _last_voters(rules: RulesInForce, plan: ApprovalPlan, case: Case | None) -> tuple[str, ...]:
    """Return who may be the last to agree: the approvers of the last level, and who may decide in their place."""
    named = plan.levels[-1].approvers if plan.levels else ()
    substitutes = (substitute for person in named for substitute in rules.policy.substitutes_of(person, rules.now))
    passed_on = (turn.to for turn in case.forwards if turn.person in named) if case is not None else ()
    refused = case.refused if case is not None else ()
    return tuple(user_id for user_id in (*named, *substitutes, *passed_on) if user_id not in refused)
