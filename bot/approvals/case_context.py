"""A case together with the data its cards show beside it, and why certain people decide a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from bot.approvals.case import Case, CaseState
from bot.approvals.deciders import (
    NO_ERP_APPROVERS,
    AwayApprover,
    ErpApprovers,
    awaited_voters,
    find_approve_only,
    find_away,
    find_erp_approvers,
)
from bot.approvals.document import ApprovalDocument
from bot.approvals.document_reader import document_from_case
from bot.approvals.plan import Eligibility, PlanResult
from bot.approvals.unit_of_work import RulesInForce
from bot.approvals.voting import undo_until
from bot.erp.model import Verdict
from bot.words.phrase import Phrase

_NOBODY: Mapping[str, Phrase] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContext:
    """A case with its predecessor and successor, and the people who can move it forward."""

    case: Case
    before: Case | None = None
    """The case of the previous revision, if there was one."""
    newer: Case | None = None
    """The newest case of the document, if it is not this one."""
    waited: tuple[str, ...] = ()
    """The userIds of those who can move it forward now, including substitutes."""
    away: tuple[AwayApprover, ...] = ()
    """Who is away of those for whom it waits."""
    erp_approvers: ErpApprovers = NO_ERP_APPROVERS
    """The approvers the ERP waits for, if none of them can decide here."""
    undo_until: datetime | None = None
    """Until when its decider can take it back."""
    read_only: bool = False
    """Whether nobody can decide at present, because writes to the ERP are off."""
    is_watched: bool = False
    """Whether the reader certainly has nothing to decide now, or nobody has."""
    next_case: str = ""
    """The id of the case the reader can continue with after this one."""
    can_reject: bool = True
    """Whether its source accepts rejections."""
    only_approve: frozenset[str] = frozenset()
    """The userIds among ``waited`` whose rejection the ERP would not accept."""
    others: tuple[Case, ...] = ()
    """Waiting cases of other documents that the same word means."""

    def without_checks(self) -> CaseContext:
        """Return the context for a reader who may not learn of other documents."""
        return replace(self, case=replace(self.case, checks=()))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionExplanation:
    """Why a person may or may not decide a document; the rulings are None if no decision is possible now."""

    document: ApprovalDocument
    case: Case | None
    plan_result: PlanResult
    approve: Eligibility | None = None
    reject: Eligibility | None = None
    erp_approvers: ErpApprovers = NO_ERP_APPROVERS
    """The approvers the ERP itself waits for now."""
    barred: Mapping[str, Phrase] = field(default_factory=lambda: _NOBODY)
    """The plan's approvers who cannot decide it, with the reason."""
    away: tuple[AwayApprover, ...] = ()
    """Who is away of those for whom it waits now."""
    dead_end: Phrase | None = None
    """Why nobody can complete it from here."""


def build_context(
    rules: RulesInForce, case: Case, *, before: Case | None = None, newer: Case | None = None
) -> CaseContext:
    """Return a case with its current context."""
    if case.state is not CaseState.OPEN:
        return CaseContext(
            case=case,
            before=before,
            newer=newer,
            undo_until=None if rules.read_only else undo_until(rules, case),
            read_only=rules.read_only,
        )
    approvers = find_erp_approvers(rules, document_from_case(case), case)
    waited = awaited_voters(rules, case)
    return CaseContext(
        case=case,
        before=before,
        newer=newer,
        waited=waited,
        away=find_away(rules, case),
        is_watched=not waited,
        erp_approvers=approvers if approvers.mismatched else NO_ERP_APPROVERS,
        read_only=rules.read_only,
        can_reject=Verdict.REJECT in rules.decides(case.source, case.kind),
        only_approve=find_approve_only(rules, case, waited),
    )


def find_context(rules: RulesInForce, cases: Sequence[Case], word: str, source: str = "") -> CaseContext | None:
    """Return the context of the case with this id among ``cases``, or else of the newest revision.

    ``cases`` are newest first; ``source`` restricts a number to one ERP. If several documents have the number, at
    several ERPs or of several kinds, the waiting one is meant; if several of those wait, the context holds the others
    too, since choosing one would be a guess.
    """
    by_id = next((case for case in cases if case.id == word), None)
    if source and by_id is None:
        cases = [case for case in cases if case.source == source]
    case = by_id or next((case for case in cases if not case.state.is_final), next(iter(cases), None))
    if case is None:
        return None
    waiting = [other for other in cases if other.state is CaseState.OPEN and other.key.folded != case.key.folded]
    revisions = [revision for revision in cases if revision.key.folded == case.key.folded]
    place = revisions.index(case)
    context = build_context(
        rules,
        case,
        before=next(iter(revisions[place + 1 : place + 2]), None),
        newer=revisions[0] if place else None,
    )
    return context if by_id else replace(context, others=tuple(waiting))
