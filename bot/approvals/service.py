"""What people and events do to approvals: the one door to it for commands, buttons, hooks and the polling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from bot.approvals import voting
from bot.approvals.case import AuditRow, Case, CaseConflict, CaseState
from bot.approvals.document import ApprovalDocument
from bot.approvals.document_reader import document_from_case
from bot.approvals.lifecycle import close_deleted, close_externally_decided, open_case
from bot.approvals.plan import Eligibility, PlanResult
from bot.approvals.unit_of_work import CaseTransactions, CaseUnitOfWork
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.errors import ErpError, NotFound
from bot.erp.model import PurchaseStatus, Verdict
from bot.errors import DingerpError

log = structlog.get_logger(__name__)

T = TypeVar("T")

_CLOSED_BY_ERP_DECISION = {CaseState.OPEN, CaseState.EXPIRED, CaseState.FAILED, CaseState.SUPERSEDED}
"""Cases that end when their document is decided in the ERP; also those in which nothing came of it here, and those of a
revision whose successor was decided before anybody here saw it wait."""

_MAX_OPEN_CASES = 5_000
"""More documents never wait at the same time."""

_MAX_READS = 5
"""Times that a document is read because its case changed while it was being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCase:
    """A case that waits for somebody, and what approving it would meet: their limit may be too low."""

    case: Case
    eligibility: Eligibility


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExplanation:
    """Why a document is decided by whom; ``eligibility`` is about the person who asked, where the case takes votes."""

    document: ApprovalDocument
    case: Case | None
    plan_result: PlanResult
    eligibility: Eligibility | None


class ApprovalService:
    """All methods raise `bot.errors.DingerpError` when the store is away, and then nothing was done."""

    def __init__(self, office: CaseTransactions, *, poke: Callable[[], None], seconds: float) -> None:
        """``poke`` wakes the writer; ``seconds`` is how long the ERP may take while somebody waits for a click."""
        self._transactions = office
        self._poke = poke
        self._seconds = seconds
        self._at_work: set[asyncio.Task[Any]] = set()

    async def sync_document(self, source: str, number: str, *, again: bool = False, quiet: bool = False) -> Case | None:
        """Read a document, and open, keep or close its case accordingly; return the open one.

        May be called for any document at any time, as often as anybody likes. ``again`` also asks anew about one whose
        case ended without a decision and that the ERP has not touched since; ``quiet`` shows no cards of a new case.
        Raises the classes of `bot.erp.errors`.
        """
        return await self._finish(self._sync_document(source, number, again, quiet))

    async def cast_vote(self, word: VoteRequest) -> VoteResult:
        """Store somebody's word. When the ERP does not answer in time, that is what came of it."""
        return await self._act(word.case, lambda unit, document: voting.vote(unit, word, document))

    async def forward(self, case_id: str, to: str, by: str) -> VoteResult:
        """Let ``to`` stand in for the approver whose turn ``by`` has; both are userIds."""
        return await self._act(case_id, lambda unit, document: voting.forward(unit, case_id, to, by, document))

    async def take_back(self, case_id: str, user_id: str) -> VoteResult:
        """Undo a decision that the ERP was not told yet."""
        return await self._finish(self._transactions.run(lambda unit: voting.take_back(unit, case_id, user_id)))

    async def case(self, case_id: str) -> Case | None:
        """Return one case."""
        return await self._transactions.query(lambda book: book.case(case_id))

    async def newest(self, number: str, source: str = "") -> Case | None:
        """Return the newest case of a document, at any source if none is named."""
        return next(iter(await self._transactions.query(lambda book: book.cases_of(number, source, 1))), None)

    async def has_seen_source(self, source: str) -> bool:
        """Return whether a source was looked through, or there ever was a case of it."""
        return await self._transactions.query(lambda book: book.has_seen_source(source))

    async def mark_source_seen(self, source: str) -> None:
        """Remember that a source was looked through for what waits."""
        await self._transactions.run(lambda unit: unit.cases.mark_source_seen(source))

    async def open_cases(self) -> tuple[Case, ...]:
        """Return the cases that take votes, oldest first."""
        return await self._transactions.query(lambda book: tuple(book.open_cases(limit=_MAX_OPEN_CASES)))

    async def pending(self, user_id: str) -> tuple[PendingCase, ...]:
        """Return the open cases in which it is this person's turn, oldest first, without asking the ERP."""
        return await self._transactions.read(lambda unit: _pending(unit, user_id))

    async def history(self, number: str, source: str = "") -> tuple[tuple[Case, tuple[AuditRow, ...]], ...]:
        """Return the record of a document, its newest case first."""
        return await self._transactions.query(
            lambda book: tuple((one, tuple(book.audit_rows_of(one.id))) for one in book.cases_of(number, source))
        )

    async def why(self, source: str, number: str, user_id: str) -> PlanExplanation:
        """Return who decides on a document and by which rule, and whether this person may; stores nothing.

        Raises the classes of `bot.erp.errors`.
        """
        document, company = await self._transactions.reader.read_for_plan(source, number, self._transactions.policy())

        def explain(unit: CaseUnitOfWork) -> PlanExplanation:
            case = unit.cases.newest(source, number)
            open_now = case is not None and case.state is CaseState.OPEN
            eligibility = (
                voting.check_eligibility(unit, case, user_id, Verdict.APPROVE, document) if case and open_now else None
            )
            plan_result = unit.policy.plan(document, unit.company)
            return PlanExplanation(document=document, case=case, plan_result=plan_result, eligibility=eligibility)

        return await self._transactions.read(explain, company)

    async def _act(self, case_id: str, act: Callable[[CaseUnitOfWork, ApprovalDocument], VoteResult]) -> VoteResult:
        case = await self.case(case_id)
        if case is None:
            return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
        if case.state is not CaseState.OPEN:
            # Nobody's word counts any more, so the ERP need not be asked.
            return VoteResult(
                outcome=VoteOutcome.CHANGED if case.state is CaseState.SUPERSEDED else VoteOutcome.LATE, case=case
            )
        try:
            document = await self._transactions.reader.read_for_vote(case.source, case.number, self._seconds)
        except NotFound:
            ended = await self._finish(self._transactions.run(lambda unit: close_deleted(unit, case_id)))
            return VoteResult(outcome=VoteOutcome.ELSEWHERE, case=ended or await self.case(case_id))
        except ErpError as error:
            log.warning("approvals.not_read", source=case.source, error=type(error).__name__)
            return VoteResult(outcome=VoteOutcome.SILENT, case=case, reasons=(error.tell(),))
        return await self._finish(self._store(act, document))

    async def _store(
        self, act: Callable[[CaseUnitOfWork, ApprovalDocument], VoteResult], document: ApprovalDocument
    ) -> VoteResult:
        vote_result = await self._transactions.run(lambda unit: act(unit, document))
        self._poke()
        if vote_result.outcome is not VoteOutcome.CHANGED or vote_result.case is None:
            return vote_result
        try:
            return replace(
                vote_result, newer_case=await self._sync_document(document.source, document.number, again=False)
            )
        except DingerpError as error:
            # The case is stored as one that has to be followed: the writer does it when the ERP answers.
            log.warning("approvals.not_followed", source=document.source, error=type(error).__name__)
            return vote_result

    async def _sync_document(self, source: str, number: str, again: bool, quiet: bool = False) -> Case | None:
        for _ in range(_MAX_READS):
            before = await self._transactions.query(lambda book: book.newest(source, number))
            policy = self._transactions.policy()
            try:
                document, company = await self._transactions.reader.read_for_plan(source, number, policy)
            except NotFound:
                if before is not None and not before.state.is_final:
                    await self._transactions.run(lambda unit, one=before.id: close_deleted(unit, one))  # type: ignore[misc]  # one argument in the end
                return None
            groups = self._transactions.groups(document)

            def take_in(
                unit: CaseUnitOfWork,
                before: Case | None = before,
                document: ApprovalDocument = document,
                groups: Any = groups,
            ) -> Case | None:
                newest = unit.cases.newest(source, number)
                if _revision_of(newest) != _revision_of(before):
                    raise _CaseMoved
                if (
                    newest
                    and newest.state in _CLOSED_BY_ERP_DECISION
                    and document.order.status is not PurchaseStatus.WAITING
                ):
                    close_externally_decided(unit, newest, document.order)
                return open_case(unit, document, groups, again=again, quiet=quiet)

            try:
                return await self._transactions.run(take_in, company)
            except _CaseMoved:
                continue  # what was read may be older than what was decided since
        raise CaseConflict(number)

    async def _finish(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """Finish what was begun even if whoever asked goes away: a click that is over time has still been made."""
        task = asyncio.ensure_future(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)


class _CaseMoved(Exception):
    """The case is not as it was when the document began to be read."""


def _revision_of(case: Case | None) -> tuple[str, CaseState] | None:
    return None if case is None else (case.id, case.state)


def _pending(unit: CaseUnitOfWork, user_id: str) -> tuple[PendingCase, ...]:
    names = (user_id, *unit.policy.principals_of(user_id, unit.now))
    cases = {case.id: case for name in names for case in unit.cases.open_cases(name)}
    found = []
    for case in sorted(cases.values(), key=lambda one: (one.opened_at, one.id)):
        document = document_from_case(case)
        # Who may reject has the turn; approving may still meet a limit, which the ruling then tells.
        if voting.check_eligibility(unit, case, user_id, Verdict.REJECT, document).allowed:
            eligibility = voting.check_eligibility(unit, case, user_id, Verdict.APPROVE, document)
            found.append(PendingCase(case=case, eligibility=eligibility))
    return tuple(found)
