"""The port between commands or buttons and cases: what people ask, and what typed words mean as a vote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from bot.approvals.case import Case, CaseCard, CaseState
from bot.approvals.document import ApprovalDocument, fingerprint
from bot.approvals.document_reader import document_from_case
from bot.approvals.lifecycle import NO_ERP_APPROVERS, ErpApprovers, awaited_voters, find_erp_approvers
from bot.approvals.plan import Eligibility, PlanResult
from bot.approvals.service import ApprovalService, PendingCase, PlanExplanation
from bot.approvals.unit_of_work import CaseTransactions, CaseUnitOfWork
from bot.approvals.voting import VoteRequest, VoteResult, check_eligibility
from bot.batching import Batcher
from bot.cards.actions import RejectReason
from bot.chat.parsing import normalise, split
from bot.erp.model import Approval, PurchaseOrder, Verdict

FINGERPRINT_PREFIX = 8
"""Hex digits of a fingerprint that a button carries. They only tell a card of another revision: the case's id, which
stands beside them, is itself made of the whole fingerprint, and neither is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContext:
    """A case with what was before it and after it, and where its cards stand."""

    case: Case
    before: Case | None = None
    """The case of the revision before, if there was one."""
    newer: Case | None = None
    """The newest case of the document, if that is not this one."""
    cards: tuple[CaseCard, ...] = ()
    waited: tuple[str, ...] = ()
    """userIds of those who can bring it on now, their substitutes among them."""
    erp_approvers: ErpApprovers = NO_ERP_APPROVERS
    """Whom the ERP itself waits for, where those who decide here are not among them."""
    undo_until: datetime | None = None
    """Until when its decider can take it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionExplanation:
    """Why somebody may or may not decide about a document; the rulings are None where nobody can say anything now."""

    document: ApprovalDocument
    case: Case | None
    plan_result: PlanResult
    approve: Eligibility | None = None
    reject: Eligibility | None = None
    erp_approvers: ErpApprovers = NO_ERP_APPROVERS
    """Whom the ERP itself waits for now."""


class ApprovalFacade(Protocol):
    """What commands know of approvals.

    The caller has asked the access policy; who may decide is asked here, whoever calls. All raise a
    `bot.errors.DingerpError` when the store is away. `say` and `forward` return `Said.SILENT` when the ERP does not
    answer in time, and nothing is recorded then; `why` raises the `bot.erp.errors.ErpError`.
    """

    async def find(self, word: str) -> CaseContext | None:
        """Return a case by its id, or the newest one of the document with this number (`find_case_context`)."""
        ...

    async def cast_vote(self, word: VoteRequest) -> VoteResult:
        """Record what somebody decides; the ERP is told afterwards, by itself."""
        ...

    async def take_back(self, case_id: str, user_id: str) -> VoteResult:
        """Undo a decision that the ERP was not told yet."""
        ...

    async def forward(self, case_id: str, to: str, by: str) -> VoteResult:
        """Let ``to`` decide in the place of ``by``."""
        ...

    async def why(self, source: str, number: str, user_id: str) -> DecisionExplanation:
        """Return what holds for a document and a person."""
        ...

    async def pending(self, user_id: str) -> tuple[PendingCase, ...]:
        """Return the open cases in which it is a person's turn, oldest first."""
        ...

    async def open_case_for(self, order: PurchaseOrder, user_id: str) -> Case | None:
        """Return the open case of just this revision if the person may reject or approve it now."""
        ...


class ServiceFacade:
    """Implements `ApprovalFacade` on the book."""

    def __init__(self, desk: ApprovalService, office: CaseTransactions) -> None:
        self._desk = desk
        self._transactions = office
        self._find: Batcher[str, CaseContext | None] = Batcher(self._find_together)

    async def find(self, word: str) -> CaseContext | None:
        """Return a case by its id, or the newest one of the document with this number."""
        return await self._find(word)

    async def cast_vote(self, word: VoteRequest) -> VoteResult:
        """Record what somebody decides."""
        return await self._desk.cast_vote(word)

    async def take_back(self, case_id: str, user_id: str) -> VoteResult:
        """Undo a decision that the ERP was not told yet."""
        return await self._desk.take_back(case_id, user_id)

    async def forward(self, case_id: str, to: str, by: str) -> VoteResult:
        """Let ``to`` decide in the place of ``by``."""
        return await self._desk.forward(case_id, to, by)

    async def why(self, source: str, number: str, user_id: str) -> DecisionExplanation:
        """Return what holds for a document and a person."""
        why = await self._desk.why(source, number, user_id)
        return await self._transactions.read(lambda unit: _explain(unit, why, user_id))

    async def pending(self, user_id: str) -> tuple[PendingCase, ...]:
        """Return the open cases in which it is a person's turn, oldest first."""
        return await self._desk.pending(user_id)

    async def open_case_for(self, order: PurchaseOrder, user_id: str) -> Case | None:
        """Return the open case of just this revision if the person may reject or approve it now."""
        return await self._transactions.read(lambda unit: _open_to(unit, order, user_id))

    async def _find_together(self, words: Sequence[str]) -> Sequence[CaseContext | None]:
        # All cards of a case are composed at the same moment.
        found = await self._transactions.read(
            lambda unit: {word: find_case_context(unit, word) for word in dict.fromkeys(words)}
        )
        return [found[word] for word in words]


def _explain(unit: CaseUnitOfWork, why: PlanExplanation, user_id: str) -> DecisionExplanation:
    case, document = why.case, why.document
    asked = case if case is not None and why.eligibility is not None else None
    plan = asked.plan if asked is not None else why.plan_result.plan
    accounts = (document.order.approval or Approval()).pending_for
    return DecisionExplanation(
        document=document,
        case=case,
        plan_result=why.plan_result,
        approve=why.eligibility,
        reject=check_eligibility(unit, asked, user_id, Verdict.REJECT, document) if asked is not None else None,
        erp_approvers=find_erp_approvers(unit, document.source, accounts, plan, asked),
    )


def _open_to(unit: CaseUnitOfWork, order: PurchaseOrder, user_id: str) -> Case | None:
    case = unit.cases.newest(order.source, order.number)
    if case is None or case.state is not CaseState.OPEN or case.fingerprint != fingerprint(order):
        return None
    # Who may reject has the turn; approving may still meet a limit, of which they are told then.
    may = check_eligibility(unit, case, user_id, Verdict.REJECT, document_from_case(case))
    return case if may.allowed else None


def find_case_context(unit: CaseUnitOfWork, word: str) -> CaseContext | None:
    """Return the folder of a case by its id or, of its newest revision, by the document's number.

    Where several ERPs have the number, the one that waits is meant.
    """
    book = unit.cases
    if (case := book.case(word)) is None:
        found = book.cases_of(word)
        case = next((one for one in found if not one.state.is_final), found[0] if found else None)
    if case is None:
        return None
    revisions = list(book.cases_of(case.number, case.source))
    place = next((i for i, one in enumerate(revisions) if one.id == case.id), None)
    before = None if place is None else next(iter(revisions[place + 1 : place + 2]), None)
    newer = revisions[0] if revisions and revisions[0].id != case.id else None
    return CaseContext(
        case=case,
        before=before,
        newer=newer,
        cards=tuple(book.cards_of(case.id)),
        waited=awaited_voters(unit, case) if case.state is CaseState.OPEN else (),
        erp_approvers=_mismatched_approvers(unit, case) if case.state is CaseState.OPEN else NO_ERP_APPROVERS,
        undo_until=_undo_until(unit, case),
    )


def _mismatched_approvers(unit: CaseUnitOfWork, case: Case) -> ErpApprovers:
    found = find_erp_approvers(unit, case.source, case.waits_for, case.plan, case)
    return found if found.mismatched else NO_ERP_APPROVERS


def _undo_until(unit: CaseUnitOfWork, case: Case) -> datetime | None:
    if case.state is not CaseState.WRITING or case.decision is None or case.attempted_at is not None:
        return None
    until = case.decision.at + unit.options.undo
    return until if until > unit.now else None


MAX_REASON = 200
"""Characters of a reason."""

_MENTIONS = re.compile(r"(?:@\S+\s+)+")
_SLASHES = "/\\、"

QUICK_REASONS: Mapping[RejectReason, tuple[str, ...]] = MappingProxyType(
    {
        RejectReason.PRICE: ("价格过高", "price too high"),
        RejectReason.BUDGET: ("超出预算", "over budget"),
        RejectReason.QUANTITY: ("数量有误", "wrong quantity"),
        RejectReason.NEEDLESS: ("不需要", "not needed"),
    }
)
"""The quick reasons as they are written into the record and the ERP: in Chinese, or for others in English."""


def is_explicit_command(line: str, names: Iterable[str]) -> bool:
    """Whether a line is a command and nothing but: “PO-1001 不同意” names the word for approving, too.

    That is a line that begins with a slash, or with one of the ``names`` as a word of its own.
    """
    text = _MENTIONS.sub("", normalise(line), count=1)
    if text[:1] and text[0] in _SLASHES:
        return True
    first = next(iter(split(text)), "").casefold()
    return first in {name.casefold() for name in names}


def parse_reason(text: str, language: str) -> tuple[RejectReason | None, str]:
    """Return the quick reason that a text is the code of, if any, and the reason in words."""
    try:
        quick = RejectReason(text.strip())
    except ValueError:
        return None, " ".join(text.split())[:MAX_REASON]
    words = QUICK_REASONS.get(quick, ("", ""))
    return quick, words[0 if language.startswith("zh") else 1]


def seen_fingerprint(folder: CaseContext, mark: str | None) -> str | None:
    """Return the fingerprint that somebody has seen; None when that cannot be told.

    A button tells the revision that it stood under. Who types a number means the only revision there ever was; after a
    change it is not known which one they have in mind.
    """
    case = folder.case
    if mark is not None:
        return case.fingerprint if mark and case.fingerprint.startswith(mark) else mark
    changed = folder.before is not None and folder.before.state is CaseState.SUPERSEDED
    return None if changed and case.state is CaseState.OPEN else case.fingerprint
