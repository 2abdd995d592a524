"""A case: one revision of one document on its way from being shown to being decided, here or in the ERP
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from bot.approvals.document import DocumentKey
from bot.approvals.plan import ApprovalPlan, Forward, Vote
from bot.checks.check import CheckOutcome
from bot.erp.kinds import Kind, deciding_of, review_of
from bot.erp.model import DecisionOutcome, ErpRecord, Money, PartnerName, ReviewState, Verdict
from bot.mechanisms.unit_of_work import WriteConflict
from bot.outbox.place import Place
from bot.words.disclosure import FieldClass, Stating
from bot.words.phrase import Phrase, phrase

_EXTERNAL_VERDICTS: Mapping[ReviewState | None, Verdict] = MappingProxyType(
    {
        ReviewState.APPROVED: Verdict.APPROVE,
        ReviewState.DONE: Verdict.APPROVE,
        ReviewState.REJECTED: Verdict.REJECT,
    }
)
"""States that only a decision leads to (docs: platform/erp/records.md#purchase-orders). A draft or a cancelled document
may have been rejected or withdrawn: the ERP does not tell which.
"""

_EXTERNAL_HEADLINES: Mapping[Verdict | None, Phrase] = MappingProxyType(
    {
        Verdict.APPROVE: phrase("Approved in the ERP"),
        Verdict.REJECT: phrase("Rejected in the ERP"),
        None: phrase("Decided in the ERP"),
    }
)

_WITHDRAWN: Mapping[ReviewState | None, Phrase] = MappingProxyType(
    {
        ReviewState.DRAFT: phrase("It is a draft again in the ERP."),
        ReviewState.CANCELLED: phrase("It was cancelled in the ERP."),
        None: phrase("It is not in the ERP any more."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalDecision:
    """The ERP's account of a document that no longer waits."""

    status: ReviewState | None = None
    """None if unknown; for a withdrawn document: it no longer exists."""
    by: str = ""
    """The decider's name in the ERP; empty if unknown, or if nobody decided."""
    at: datetime | None = None
    """The time of the decision."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None if there was none or the ERP does not tell."""
        return _EXTERNAL_VERDICTS.get(self.status)


def read_external_decision(document: ErpRecord) -> ExternalDecision:
    """Return what the ERP reports about a document that no longer waits.

    Decider and time are kept for decisions only: on a cancelled one they belong to an earlier level.
    """
    review = review_of(document)
    there, approval = ExternalDecision(status=review.state), review.progress
    if there.verdict is None:
        return there
    return ExternalDecision(status=review.state, by=review.named(approval.decided_by), at=approval.decided_at)


def external_headline(there: ExternalDecision | None) -> Phrase:
    """Return the title of a case that was decided in the ERP."""
    return _EXTERNAL_HEADLINES[there.verdict if there is not None else None]


def withdrawal_text(there: ExternalDecision | None) -> Phrase:
    """Return the fate of a document that no longer waits and was not decided."""
    if there is None:
        return phrase("It was taken back or deleted in the ERP.")
    return _WITHDRAWN.get(there.status, _WITHDRAWN[None])


def external_decision_text(there: ExternalDecision) -> Phrase | None:
    """Return the text for a person who tries to decide too late; None if there is nothing to tell."""
    match there.verdict:
        case Verdict.APPROVE:
            return _approved(there)
        case Verdict.REJECT:
            return _rejected(there)
        case _:
            return phrase("%(name)s decided it in the ERP already.", name=there.by) if there.by else None


def _approved(there: ExternalDecision) -> Phrase:
    if not there.by:
        return phrase("It was approved in the ERP already.")
    if there.at is None:
        return phrase("%(name)s approved it in the ERP already.", name=there.by)
    return phrase("%(name)s approved it in the ERP already, at %(time)s.", name=there.by, time=there.at)


def _rejected(there: ExternalDecision) -> Phrase:
    if not there.by:
        return phrase("It was rejected in the ERP already.")
    if there.at is None:
        return phrase("%(name)s rejected it in the ERP already.", name=there.by)
    return phrase("%(name)s rejected it in the ERP already, at %(time)s.", name=there.by, time=there.at)


class CaseState(StrEnum):
    """The state of a case. Only `OPEN` takes votes."""

    OPEN = "open"
    WRITING = "writing"
    """Decided in chat; the ERP is being told, or asked whether it already knows."""
    UNKNOWN = "unknown"
    """The ERP may or may not have been changed: it is read until that is known, and not written again before."""
    APPROVED = "approved"
    REJECTED = "rejected"
    DECIDED_ELSEWHERE = "decided_elsewhere"
    """The ERP had a decision that did not come from here."""
    FAILED = "failed"
    """The ERP cannot be told; `Case.said` holds its reason."""
    SUPERSEDED = "superseded"
    """The document changed: its new revision has its own case."""
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """No longer waiting, without a decision: deleted, cancelled, back to draft."""

    @property
    def is_final(self) -> bool:
        """Whether the case can no longer change."""
        return self not in {CaseState.OPEN, CaseState.WRITING, CaseState.UNKNOWN}


UNDER_WAY: Mapping[CaseState, Phrase] = MappingProxyType(
    {
        CaseState.WRITING: phrase("Decided, the ERP is being updated"),
        CaseState.UNKNOWN: phrase("The ERP did not confirm yet"),
        CaseState.FAILED: phrase("The ERP could not be updated"),
    }
)
"""States in which a document still waits in the ERP, although it was decided here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecision:
    """The result of the votes: the first to complete the plan, or any valid rejection. A case has at most one."""

    verdict: Verdict
    by: str
    """The userId of the last voter, in whose name the ERP is told."""
    name: str
    account: str
    """Their account in the ERP."""
    reason: Annotated[str, Stating(FieldClass.COST)]
    at: datetime


class InquiryEnd(StrEnum):
    """How a question to the requester ended."""

    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Nobody answered in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A decider's question to the requester. While it is open, no vote counts unless the voter insists, and reminders
    and deadlines wait.
    """

    by: str
    """The userId of the decider who asks."""
    name: str
    text: Annotated[str, Stating(FieldClass.COST)]
    at: datetime
    until: datetime
    """When it lapses without an answer."""
    ended: InquiryEnd | None = None
    ended_at: datetime | None = None
    answer: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Somebody's reminder to the people whose turn it was."""

    by: str
    """The userId of the person who reminded them."""
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """The remembered part of a document, for lists, limits and duties; cards show the ERP's current data."""

    partner: PartnerName = ""
    total: Money | None = None
    day: date | None = None
    """The day of the document."""
    due_on: date | None = None
    requester: str = ""
    """The userId; empty if nobody in DingTalk is known behind the ERP account."""
    requested_by: str = ""
    """The requester's account in the ERP."""
    editors: frozenset[str] = frozenset()
    passed_by: frozenset[str] = frozenset()
    """The userIds of those who approved the ERP's earlier levels: nobody is asked at two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``id`` is derived from its key, fingerprint and round: the same revision never has two open cases."""

    id: str
    source: str
    kind: Kind[Any]
    number: str
    fingerprint: str
    version: str
    """The ERP's version at the last read; the write checks it. An unchanged version means an untouched document."""
    level: int = 1
    """The ERP's own level at that version, of ``levels``."""
    levels: int = 1
    waits_for: tuple[str, ...] = ()
    """The accounts the ERP itself waited for at that version; empty if it does not tell."""
    summary: DocumentSummary = DocumentSummary()
    checks: tuple[CheckOutcome, ...] = ()
    """What came of the checks when it was opened."""
    state: CaseState
    plan: ApprovalPlan
    policy: str
    """The version of the rules behind the plan."""
    votes: tuple[Vote, ...] = ()
    forwards: tuple[Forward, ...] = ()
    refused: tuple[str, ...] = ()
    """The userIds that the ERP itself refused: others have to decide."""
    inquiries: tuple[Inquiry, ...] = ()
    """The questions to the requester, in their order: at most the last one is open."""
    nudge: Nudge | None = None
    """The newest one."""
    decision: CaseDecision | None = None
    attempted_at: datetime | None = None
    """When the ERP was last told; set before the call, so that a crash leaves a trace that it may have happened."""
    attempts: int = 0
    outcome: DecisionOutcome | None = None
    erp_text: Annotated[str, Stating(FieldClass.COST)] = ""
    """The ERP's own message about the write, or the message id of why it could not be told."""
    elsewhere: ExternalDecision | None = None
    """The outcome in the ERP itself; None if it did not end that way, or nothing is known of it."""
    opened_at: datetime
    due_at: datetime | None = None
    """When time alone does something next: a reminder, the deadline, another check of the ERP.

    A final case with a due time waits for its successor: the document has to be read again.
    """
    reminders: int = 0
    expired: bool = False
    """Whether the deadline has passed and the plan's action on it was done."""
    revision: int = 1
    """Grows with every visible change."""

    @property
    def inquiry(self) -> Inquiry | None:
        """The question that is open, if there is one: the end of a case is also the end of its question."""
        last = self.inquiries[-1] if self.inquiries else None
        return last if last is not None and last.ended is None and self.state is CaseState.OPEN else None

    @property
    def counts_from(self) -> datetime:
        """When the time of reminders and deadlines began: they wait while a question is open."""
        waited = (one.ended_at - one.at for one in self.inquiries if one.ended_at is not None)
        return self.opened_at + sum(waited, timedelta(0))

    @property
    def key(self) -> DocumentKey:
        """The document that it is about."""
        return DocumentKey(self.source, self.kind, self.number)

    @property
    def title(self) -> Phrase:
        """What its document is called, with its number."""
        return deciding_of(self.kind).title(self.number)

    @property
    def state_name(self) -> str:
        """The name of its current state on cards."""
        return f"{self.id}#{self.revision}"


class ApprovalCardKind(StrEnum):
    """The purpose of a card; also the kind of its deliveries, which selects the composer."""

    APPROVAL = "approval"
    """For those who decide."""
    TOLD = "approval_told"
    """For the requester, and for groups that get no other card: the outcome."""
    ASKED = "approval_asked"
    """For the requester: the questions of those who decide, and the answers."""
    TO_DO = "approval_todo"
    """A to-do for the people whose turn it is."""
    CALL = "approval_call"
    """For a person whose turn it is and whose own chat the card did not reach: it calls them in a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard:
    """A place where the case's card stands.

    ``for_user`` is set for a one-to-one card with prices, and for a group's card that calls somebody.
    """

    case: str
    place: Place
    for_user: str = ""
    kind: ApprovalCardKind = ApprovalCardKind.APPROVAL
    copy: int = 0
    """Counts the cards of its kind there: updating an existing card notifies nobody."""
    shared: str = ""
    """The key of the delivery that shows it here and elsewhere; empty for a card of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One immutable line of the audit record: who did what, when, having seen which revision, by which rule."""

    at: datetime
    case: str
    what: str
    """A short fixed word: opened, shown, vote, refused, decided, written, outcome, reminded, forwarded …"""
    user_id: str = ""
    detail: str = ""
    seen: str = ""
    """The fingerprint that they were shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSearch:
    """Which cases are wanted: those that wait for votes, or no longer do, or both; begun within a time, with a part of
    a number.
    """

    waiting: bool | None = None
    number: str = ""
    since: datetime | None = None
    before: datetime | None = None
    limit: int


_LIMIT_STATES = {CaseState.OPEN, CaseState.WRITING, CaseState.UNKNOWN, CaseState.APPROVED}
"""States in which an approval counts against its voter's limit: it may still take effect, or it has."""


def possible_voters(case: Case) -> frozenset[str]:
    """Return the userIds of everybody who may come to decide: by the plan, by escalation, or by forwarding."""
    approvers = {user_id for level in case.plan.levels for user_id in level.approvers}
    return frozenset(approvers | {*case.plan.escalate_to} | {turn.to for turn in case.forwards})


def limit_votes(case: Case) -> tuple[Vote, ...]:
    """Return the approvals that count against daily limits."""
    if case.state not in _LIMIT_STATES:
        return ()
    return tuple(vote for vote in case.votes if vote.verdict is Verdict.APPROVE)


SHORT_DIGITS = 10
"""The hex digits of a short case id: eight cases, the rows of a page, fit the line of a button."""


def short_id(case_id: str) -> str:
    """Return a short form of a case id: its first digits, and its round."""
    digits, dash, round_ = case_id.partition("-")
    return f"{digits[:SHORT_DIGITS]}{dash}{round_}"


class CaseConflict(WriteConflict):
    """Another process changed the case first."""
