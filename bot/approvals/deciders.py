"""Who can move a case forward: by its plan, by their account in the ERP, and by the approvers the ERP expects.

All code that names, invites, lists or reminds people, or offers them a decision, calls `check_turn` for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from bot.approvals.absence import last_day
from bot.approvals.case import Case
from bot.approvals.document import ApprovalDocument, Bar
from bot.approvals.document_reader import document_from_case
from bot.approvals.plan import (
    ApprovalLevel,
    DailySpending,
    Eligibility,
    Quorum,
    VoteContext,
    is_within,
    lost_role,
    missing_approvers,
    tally,
)
from bot.approvals.policy.feasibility import blocked_level
from bot.approvals.standing_in import find_stand_ins
from bot.approvals.unit_of_work import RulesInForce
from bot.erp.model import Money, Review, Verdict
from bot.words.phrase import Phrase, phrase

_REFUSED = Bar(
    phrase("The ERP does not allow it for your account there."),
    phrase("The ERP does not allow it for their account there."),
)


class _NothingSpent:
    """A `bot.approvals.plan.DailySpending` of zero, for checks that ignore limits."""

    def approved_today(self, user_id: str, currency: str) -> Money:
        raise AssertionError("whose turn it is does not depend on what they approved today")


@dataclass(frozen=True)
class _DeciderCheck:
    """An open case with its document, as just read or as remembered: tells who can move it forward."""

    rules: RulesInForce
    case: Case
    document: ApprovalDocument
    left: Collection[str] = ()
    """The userIds of people in it who left the company, as far as known."""

    @cached_property
    def expected(self) -> frozenset[str]:
        """The accounts that the ERP waits for, lower-cased; empty if it does not tell."""
        return frozenset(map(str.casefold, _expected_accounts(self.document)))

    @cached_property
    def voters(self) -> frozenset[str]:
        return frozenset(vote.user_id for vote in self.case.votes)

    def missing_at(self, level: ApprovalLevel) -> tuple[str, ...]:
        return missing_approvers(level, self.case.votes)

    @cached_property
    def vote_context(self) -> VoteContext:
        """The subject of votes that no limit bounds."""
        case = self.case
        return VoteContext(
            document=self.document,
            plan=case.plan,
            votes=case.votes,
            spending=_NothingSpent(),
            now=self.rules.now,
            forwards=case.forwards,
        )

    def stand_ins(self, approver: str, verdict: Verdict = Verdict.REJECT) -> tuple[str, ...]:
        """Return the people who may give a verdict in an approver's place; without one, whose turn it may be."""
        policy, now = self.rules.policy, self.rules.now
        return find_stand_ins(approver, self.vote_context, verdict, lambda away: policy.substitutes_of(away, now))

    def lost_role(self, approver: str) -> str:
        return lost_role(self.case.plan, approver, self.rules.company)

    def bar(self, user_id: str) -> Bar | None:
        """Return why a person cannot decide, even if the plan and the ERP name them."""
        if user_id in self.case.refused:
            return _REFUSED
        source, review = self.case.source, self.document.review
        if not user_id or not self.rules.account_of(user_id, source):
            return Bar(
                phrase("You have no account in “%(source)s”.", source=source),
                phrase("They have no account in “%(source)s”.", source=source),
            )
        own = self.rules.company.account_of(user_id, source)
        if (involvement := self.document.involvement(user_id, own)) is not None:
            return involvement
        if review.requester and not self.document.requester and not own:
            # Under the bot's account the requester could be anybody.
            account = review.named(review.requester)
            return Bar(
                phrase(
                    "It cannot be told whether you requested it: “%(account)s” is nobody known here.", account=account
                ),
                phrase(
                    "It cannot be told whether they requested it: “%(account)s” is nobody known here.", account=account
                ),
            )
        return None

    def is_free(self, user_id: str) -> bool:
        """Return whether a person can still vote when their turn comes."""
        return user_id not in self.voters and user_id not in self.left and self.bar(user_id) is None

    def is_expected(self, user_id: str) -> bool:
        """Return whether the ERP would accept the person's decision, as far as it tells."""
        return not self.expected or self.rules.account_of(user_id, self.case.source).casefold() in self.expected

    def ends_with(self, level: ApprovalLevel) -> bool:
        """Return whether the next approval at a level is the last, in whose name the ERP is told."""
        is_last = level.number == len(self.case.plan.levels)
        return is_last and (level.quorum is Quorum.ANY or len(self.missing_at(level)) <= 1)

    def can_finish(self, approvers: Iterable[str], without: str = "") -> bool:
        """Return whether one of these approvers, or a substitute, could vote so that the ERP accepts it."""
        return any(
            self.is_expected(person) and self.is_free(person)
            for approver in approvers
            if not self.lost_role(approver)
            for person in (approver, *self.stand_ins(approver))
            if person != without
        )

    def rule_by_plan(self, user_id: str, verdict: Verdict, spending: DailySpending) -> Eligibility:
        """Return whether the plan waits for a person, regardless of the ERP."""
        bar = self.bar(user_id)
        if bar is not None:
            return _refuse(bar.own)
        eligibility = self.rules.policy.may(replace(self.vote_context, spending=spending), user_id, verdict)
        if eligibility.allowed and (role := self.lost_role(eligibility.on_behalf_of or user_id)):
            rule = self.case.plan.rule
            reason = phrase("“%(rule)s” names the role “%(role)s”, which you no longer have.", rule=rule, role=role)
            return self.refuse_for_others(reason, eligibility)
        return eligibility

    def refuse_for_others(self, reason: Phrase, eligibility: Eligibility) -> Eligibility:
        return _refuse(reason, ask=self.case.plan.level(eligibility.level).approvers)

    def why_stranded(self, user_id: str, eligibility: Eligibility) -> Phrase | None:
        """Return why the ERP could not be told in the end if this person approved now; None if it could.

        The ERP is told in the name of the last approver, and knows nothing of earlier levels.
        """
        if not self.expected:
            return None
        last, principal = self.case.plan.levels[-1], eligibility.on_behalf_of or user_id
        if eligibility.level != last.number:
            return None if self.can_finish(last.approvers, user_id) else self.waits_for_others()
        rest = [person for person in self.missing_at(last) if person != principal]
        if last.quorum is Quorum.ANY or not rest:
            return None if self.is_expected(user_id) else self.waits_for_others()
        if self.can_finish(rest, user_id):
            return None
        if self.is_expected(user_id):
            return phrase("The ERP takes your decision as the last one: the others come first.")
        return self.waits_for_others()

    def waits_for_others(self) -> Phrase:
        return phrase("The ERP waits for %(people)s: it would not take your decision.", people=self.expected_people())

    def expected_people(self) -> tuple[str, ...]:
        """The people the ERP waits for: userIds if known, otherwise ERP names or accounts."""
        source, review = self.case.source, self.document.review
        person_of = self.rules.company.person_of
        return tuple(
            person_of(source, account) or review.named(account) for account in _expected_accounts(self.document)
        )

    def check(self, user_id: str) -> Eligibility:
        """Return whether it is a person's turn. That is the right to reject, which no amount limits."""
        return self.with_erp(user_id, self.rule_by_plan(user_id, Verdict.REJECT, _NothingSpent()))

    def with_erp(self, user_id: str, eligibility: Eligibility) -> Eligibility:
        """Return a ruling of the plan, adjusted to what the ERP would accept."""
        stranded = self.why_stranded(user_id, eligibility) if eligibility.allowed else None
        return eligibility if stranded is None else self.refuse_for_others(stranded, eligibility)

    def missing_now(self) -> tuple[str, ...]:
        waited = tally(self.case.plan, self.case.votes)
        return () if isinstance(waited, Verdict) else self.missing_at(self.case.plan.level(waited))

    def awaited(self) -> tuple[str, ...]:
        missing = self.missing_now()
        found = dict.fromkeys((*missing, *(by for approver in missing for by in self.stand_ins(approver))))
        return tuple(user_id for user_id in found if self.check(user_id).allowed)

    def helpers(self, eligibility: Eligibility, user_id: str, verdict: Verdict) -> Eligibility:
        """Return a refusal with the people who can decide instead, if there are any."""
        if not eligibility.ask:
            return eligibility
        plan, total = self.case.plan, self.document.total
        ask = (
            person
            for person in self.awaited()
            if person != user_id and (verdict is Verdict.REJECT or is_within(plan.limits_of(person), total))
        )
        return replace(eligibility, ask=tuple(ask))

    def able_at(self, level: ApprovalLevel) -> tuple[str, ...]:
        """Return the approvers of a level who could approve, themselves or through a substitute."""
        ends = self.ends_with(level)
        return tuple(
            approver
            for approver in level.approvers
            if not self.lost_role(approver)
            and any(
                self.is_free(person)
                and self.is_within_limits(person, approver)
                and (not ends or self.is_expected(person))
                for person in (approver, *self.stand_ins(approver, Verdict.APPROVE))
            )
        )

    def is_within_limits(self, person: str, approver: str) -> bool:
        plan, total = self.case.plan, self.document.total
        instead = person == approver or is_within(plan.limits_of(approver, in_place=True), total)
        return instead and is_within(plan.limits_of(person), total)

    def why_stuck(self, approvers: Sequence[str]) -> Phrase | None:
        """Return the obstacles that keep approvers of a level from deciding, if somebody can remove them."""
        source = self.case.source
        without = tuple(person for person in approvers if not self.rules.account_of(person, source))
        if without:
            return phrase("%(people)s: no account in “%(source)s”", people=without, source=source)
        refused = tuple(person for person in approvers if person in self.case.refused)
        if refused:
            return phrase("the ERP refused %(people)s", people=refused)
        poor = tuple(person for person in approvers if not self.is_within_limits(person, person))
        return phrase("it is above the limits of %(people)s", people=poor) if poor else None


def _decider_check(
    rules: RulesInForce, case: Case, document: ApprovalDocument, left: Collection[str] = ()
) -> _DeciderCheck:
    """Return the case with its document; those who had changed or approved it when it was first shown stay barred."""
    known = case.summary
    involved = replace(
        document, editors=document.editors | known.editors, passed_by=document.passed_by | known.passed_by
    )
    return _DeciderCheck(rules, case, involved, left)


def _expected_accounts(document: ApprovalDocument) -> tuple[str, ...]:
    return document.review.progress.pending_for


def _refuse(reason: Phrase, ask: tuple[str, ...] = ()) -> Eligibility:
    return Eligibility(allowed=False, reasons=(reason,), ask=ask)


def check_turn(rules: RulesInForce, case: Case, user_id: str, document: ApprovalDocument) -> Eligibility:
    """Return whether an open case waits for the person, by its plan and by what the ERP would accept."""
    check = _decider_check(rules, case, document)
    return check.helpers(check.check(user_id), user_id, Verdict.REJECT)


def check_named(rules: RulesInForce, case: Case, user_id: str, document: ApprovalDocument) -> Eligibility:
    """Return whether the plan waits for the person, so that they can forward to somebody the ERP waits for."""
    check = _decider_check(rules, case, document)
    return check.helpers(check.rule_by_plan(user_id, Verdict.REJECT, _NothingSpent()), user_id, Verdict.REJECT)


def check_verdict(
    rules: RulesInForce,
    case: Case,
    user_id: str,
    verdict: Verdict,
    document: ApprovalDocument,
    spending: DailySpending,
) -> Eligibility:
    """Return whether the person may give this verdict now and the ERP would accept it.

    A rejection ends the case at once, so it has to come from somebody the ERP waits for.
    """
    check = _decider_check(rules, case, document)
    eligibility = check.rule_by_plan(user_id, verdict, spending)
    if verdict is Verdict.APPROVE:
        eligibility = check.with_erp(user_id, eligibility)
    elif eligibility.allowed and not check.is_expected(user_id):
        eligibility = check.refuse_for_others(check.waits_for_others(), eligibility)
    return check.helpers(eligibility, user_id, verdict)


_NOT_EXPECTED = phrase("The ERP does not wait for them.")


def why_not_instead(
    rules: RulesInForce, case: Case, user_id: str, level: ApprovalLevel, document: ApprovalDocument
) -> Phrase | None:
    """Return why a person could not decide in an approver's place at a level."""
    check = _decider_check(rules, case, document)
    if (bar := check.bar(user_id)) is not None:
        return bar.theirs
    if user_id in check.voters:
        return phrase("They have agreed already.")
    if user_id in check.missing_at(level):
        return phrase("It is their turn as well.")
    return _NOT_EXPECTED if check.ends_with(level) and not check.is_expected(user_id) else None


def awaited_voters(rules: RulesInForce, case: Case) -> tuple[str, ...]:
    """Return the people who can move an open case forward: approvers who have not voted, and their substitutes."""
    return _decider_check(rules, case, document_from_case(case)).awaited()


def find_standing_in(rules: RulesInForce, case: Case, approvers: Iterable[str]) -> frozenset[str]:
    """Return who may decide in the place of some approvers."""
    check = _decider_check(rules, case, document_from_case(case))
    return frozenset(person for approver in approvers for person in check.stand_ins(approver))


def find_approve_only(rules: RulesInForce, case: Case, awaited: Iterable[str]) -> frozenset[str]:
    """Return the people whose rejection the ERP would not accept: it ends a case at any level, in the voter's name."""
    check = _decider_check(rules, case, document_from_case(case))
    return frozenset(user_id for user_id in awaited if not check.is_expected(user_id))


@dataclass(frozen=True, slots=True)
class Deciders:
    """The deciders of a case as userIds: ``entitled`` at any of its levels, ``awaited`` now."""

    entitled: frozenset[str]
    awaited: tuple[str, ...]


def find_deciders(rules: RulesInForce, case: Case) -> Deciders:
    """Return the deciders of a case by its plan, today's roles and substitutes, and what the ERP accepts."""
    check = _decider_check(rules, case, document_from_case(case))
    entitled = (
        person
        for level in case.plan.levels
        for approver in level.approvers
        if not check.lost_role(approver)
        for person in (approver, *check.stand_ins(approver))
        if check.bar(person) is None and (not check.ends_with(level) or check.is_expected(person))
    )
    return Deciders(frozenset(entitled), check.awaited())


@dataclass(frozen=True, slots=True)
class AwayApprover:
    """An approver who is away until a day, and who decides instead; all are userIds."""

    user_id: str
    until: date
    instead: tuple[str, ...]


def find_away(rules: RulesInForce, case: Case) -> tuple[AwayApprover, ...]:
    """Return who is away of those for whom an open case waits."""
    check = _decider_check(rules, case, document_from_case(case))
    awaited = check.awaited()
    return tuple(
        AwayApprover(
            approver,
            last_day(until, rules.now.tzinfo),
            tuple(person for person in check.stand_ins(approver) if person in awaited),
        )
        for approver in check.missing_now()
        if (until := rules.policy.away_until(approver, rules.now)) is not None
    )


def find_barred(rules: RulesInForce, case: Case, document: ApprovalDocument) -> Mapping[str, Phrase]:
    """Return the approvers of a plan who have not voted and cannot, with the reason as others may read it."""
    check = _decider_check(rules, case, document)
    found: dict[str, Phrase] = {}
    for level in case.plan.levels:
        for approver in check.missing_at(level):
            bar, role = check.bar(approver), check.lost_role(approver)
            if bar is not None:
                found[approver] = bar.theirs
            elif role:
                found[approver] = phrase("They no longer have the role “%(role)s”.", role=role)
            elif check.ends_with(level) and not check.is_expected(approver):
                found[approver] = _NOT_EXPECTED
    return found


def find_dead_end(
    rules: RulesInForce, case: Case, document: ApprovalDocument | None = None, left: Collection[str] = ()
) -> Phrase | None:
    """Return why nobody can complete an open case; None if no obstacle is known.

    ``left`` are people of the case who left the company. The reason names people by userId.
    """
    waited = tally(case.plan, case.votes)
    if isinstance(waited, Verdict):
        return None
    check = _decider_check(rules, case, document or document_from_case(case), left)
    now, *later = case.plan.levels[waited - 1 :]
    levels = [replace(now, approvers=check.missing_at(now)), *later]
    able = {level.number: check.able_at(level) for level in levels}
    blocked = blocked_level(levels, able)
    finishes = not check.expected or check.can_finish(levels[-1].approvers)
    if not blocked and finishes:
        return None
    level = next((level for level in levels if level.number == blocked), levels[-1])
    stuck = [person for person in level.approvers if person not in able[level.number]]
    if gone := tuple(person for person in stuck if person in left):
        return phrase("%(people)s left the company", people=gone)
    if not finishes:
        return phrase("the ERP waits for %(people)s", people=check.expected_people())
    return check.why_stuck(stuck) or phrase("nobody is left for level %(level)s", level=level.number)


@dataclass(frozen=True, slots=True)
class ErpApprover:
    """An approver the ERP waits for; ``user_id`` is empty if the account maps to nobody in DingTalk."""

    account: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class ErpApprovers:
    """The approvers the ERP waits for; ``people`` is empty if it does not tell."""

    people: tuple[ErpApprover, ...] = ()
    mismatched: bool = False
    """Whether an approval would reach the ERP in the name of none of them."""

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Return the userIds of the known ones."""
        return tuple(approver.user_id for approver in self.people if approver.user_id)

    def display_names(self, names: Mapping[str, str], review: Review | None) -> tuple[str, ...]:
        """Return their names: from DingTalk if known there, otherwise from the ERP, otherwise the account."""
        return tuple(
            names.get(approver.user_id) or (review.named(approver.account) if review is not None else approver.account)
            for approver in self.people
        )


NO_ERP_APPROVERS = ErpApprovers()
"""The value if the ERP names nobody, or nothing waits."""


def find_erp_approvers(rules: RulesInForce, document: ApprovalDocument, case: Case | None) -> ErpApprovers:
    """Return the approvers the ERP waits for, and whether they include the people who complete a case's plan."""
    accounts = _expected_accounts(document)
    people = tuple(ErpApprover(account, rules.company.person_of(document.source, account)) for account in accounts)
    if case is None or not people:
        return ErpApprovers(people)
    check = _decider_check(rules, case, document)
    last = case.plan.levels[-1:]
    return ErpApprovers(people, mismatched=not any(check.can_finish(level.approvers) for level in last))
