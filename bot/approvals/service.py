"""The approval service behind commands, buttons, hooks and polling."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from bot.approvals import asking_back, nudging, voting
from bot.approvals.asking_back import CaseMessage
from bot.approvals.case import UNDER_WAY, AuditRow, Case, CaseCard, CaseConflict, CaseSearch, CaseState
from bot.approvals.case_context import CaseContext, DecisionExplanation, build_context, find_context
from bot.approvals.deciders import (
    Deciders,
    check_turn,
    find_away,
    find_barred,
    find_dead_end,
    find_deciders,
    find_erp_approvers,
)
from bot.approvals.document import FINGERPRINT_PREFIX, ApprovalDocument, DocumentKey, fingerprint
from bot.approvals.document_reader import document_from_case
from bot.approvals.lifecycle import (
    call_in_groups,
    close_deleted,
    close_externally_decided,
    new_case,
    open_case,
    separate_cards,
)
from bot.approvals.plan import Eligibility
from bot.approvals.reassigning import show_deciders
from bot.approvals.unit_of_work import CaseTransactions, CaseUnitOfWork
from bot.approvals.voting import (
    VoteOutcome,
    VoteRequest,
    VoteResult,
    check_takes_votes,
    check_vote,
    why_not_forward,
)
from bot.chat.revision_cases import RevisionCase
from bot.erp.errors import ErpError, NotFound
from bot.erp.kinds import Kind, review_of
from bot.erp.model import ErpRecord, Verdict
from bot.mechanisms.batching import Batcher
from bot.outbox.place import Place
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase

log = structlog.get_logger(__name__)

_CLOSED_BY_ERP_DECISION = {CaseState.OPEN, CaseState.EXPIRED, CaseState.FAILED, CaseState.SUPERSEDED}
"""Cases that end when their document is decided in the ERP; also those that came to nothing here, and those of a
revision whose successor was decided before anybody here saw it wait.
"""

_MAX_OPEN_CASES = 5_000
"""The maximum of documents that wait at the same time."""

_MAX_READS = 5
"""The number of reads of a document whose case changes during the read."""


class ApprovalService:
    """Operations on approvals for commands, buttons and events.

    The caller has checked the access policy; the right to decide is checked here, for every caller. All methods raise a
    `bot.words.errors.DingerpError` when the store is unavailable, and then nothing was done.
    """

    def __init__(self, transactions: CaseTransactions, *, poke: Callable[[], None], seconds: float) -> None:
        """``poke`` wakes the writer; ``seconds`` bounds the ERP while a click waits."""
        self._transactions = transactions
        self._poke = poke
        self._seconds = seconds
        self._find: Batcher[tuple[str, str], CaseContext | None] = Batcher(self._find_together)

    async def find(self, word: str, source: str = "") -> CaseContext | None:
        """Return a case by its id, or the newest one of a document number, at one source or at any."""
        return await self._find((word, source))

    async def cast_vote(self, request: VoteRequest) -> VoteResult:
        """Store a vote; the ERP is told afterwards. The result is silent if the ERP does not answer in time."""
        return await self._act(request.case, lambda unit, document: voting.vote(unit, request, document))

    async def forward(self, case: Case, to: str, by: str) -> VoteResult:
        """Let ``to`` substitute for the approver whose turn ``by`` has; both are userIds. May be silent, too."""
        return await self._act(case, lambda unit, document: voting.forward(unit, case.id, to, by, document))

    async def ask_back(self, case: Case, said: CaseMessage) -> VoteResult:
        """Put a question of somebody whose turn it is to the requester. May be silent, too."""
        return await self._act(case, lambda unit, document: asking_back.ask_back(unit, said, document))

    async def answer_inquiry(self, said: CaseMessage) -> VoteResult:
        """Store the requester's answer; the ERP is not asked."""
        return await self._transactions.transact(lambda unit: asking_back.answer_inquiry(unit, said))

    async def withdraw_inquiry(self, case: Case, user_id: str) -> VoteResult:
        """Take a question to the requester back."""
        return await self._transactions.transact(lambda unit: asking_back.withdraw_inquiry(unit, case.id, user_id))

    async def nudge(self, case: Case, user_id: str, name: str) -> VoteResult:
        """Remind the people whose turn it is, in somebody's name; the ERP is not asked."""
        return await self._transactions.transact(lambda unit: nudging.nudge(unit, case.id, user_id, name))

    async def take_back(self, case: Case, user_id: str) -> VoteResult:
        """Undo a decision before the ERP is told."""
        return await self._transactions.transact(lambda unit: voting.take_back(unit, case.id, user_id))

    async def context_after(self, known: CaseContext, result: VoteResult) -> CaseContext | None:
        """Return the context for a person who acted on a known case; None if there is no such case.

        A case just stored is not read again.
        """
        case = result.newer_case or result.case
        if case is None:
            return None
        waited_long = result.outcome is VoteOutcome.SILENT
        if case.id != known.case.id or case.state is CaseState.SUPERSEDED or waited_long:
            return await self.find(case.id)
        return await self._transactions.query(
            lambda unit: build_context(unit, case, before=known.before, newer=known.newer)
        )

    async def why(self, key: DocumentKey, user_id: str) -> DecisionExplanation:
        """Return who decides a document, by which rule, and whether this person may; stores nothing.

        Raises the classes of `bot.erp.errors`.
        """
        policy, reader = self._transactions.policy(), self._transactions.reader
        document, company = await reader.read_for_plan(key, policy)
        before = await self._transactions.query(lambda unit: unit.cases.newest(key))
        document = await reader.checked(document, company, policy, before)
        return await self._transactions.query(
            lambda unit: _explain(unit, document, user_id), self._transactions.begin_with(company)
        )

    async def pending(self, user_id: str) -> tuple[Case, ...]:
        """Return the open cases in which it is this person's turn, oldest first, without calling the ERP."""
        return await self._transactions.query(lambda unit: tuple(_pending(unit, user_id)))

    async def case_of(self, document: ErpRecord, user_id: str) -> RevisionCase | None:
        """Return the case of exactly this revision, and whether the person may decide it now; None without one."""
        return await self._transactions.query(lambda unit: _case_of(unit, document, user_id))

    async def decided_together(self, short_ids: Sequence[str], user_id: str) -> tuple[CaseRuling, ...]:
        """Return cases in this order, each with the ruling if the person approved it now."""
        return await self._transactions.query(
            lambda unit: tuple(_ruling_on(unit, case, user_id) for case in unit.cases.called(short_ids))
        )

    async def task_of(self, case: Case, user_id: str) -> ReaderTask:
        """Return a person's next step when viewing a case: decide it, or continue with the next one."""
        return await self._transactions.query(lambda unit: _task_of(unit, case, user_id))

    async def deciders(self, case: Case) -> Deciders:
        """Return who may decide a case now."""
        return await self._transactions.query(lambda unit: find_deciders(unit, case))

    async def deputies(self, case: Case, by: str, people: Sequence[str]) -> tuple[str, ...]:
        """Return which of these people ``by`` can forward an open case to."""
        document = document_from_case(case)
        return await self._transactions.query(
            lambda unit: tuple(to for to in people if why_not_forward(unit, case, to, by, document) is None)
        )

    async def sync_document(
        self, key: DocumentKey, *, again: bool = False, quiet: bool = False, seconds: float | None = None
    ) -> Case | None:
        """Read a document, and open, keep or close its case accordingly; return the open one.

        Safe for any document at any time, any number of times. ``again`` also reopens a document whose case ended
        undecided and that the ERP has not touched since; ``quiet`` shows no cards for a new case; its checks have
        ``seconds`` where somebody waits. Raises the classes of `bot.erp.errors`.
        """
        transactions = self._transactions
        for _ in range(_MAX_READS):
            before = await transactions.query(lambda unit: unit.cases.newest(key))
            try:
                document, company = await transactions.reader.read_for_plan(key, transactions.policy())
                # What waited before the bot's first look is only listed: advice on all of it would cost many calls.
                if not quiet or transactions.policy().asks_checks:
                    policy = transactions.policy()
                    document = await transactions.reader.checked(document, company, policy, before, seconds)
            except NotFound:
                if before is not None and not before.state.is_final:
                    await transactions.transact(partial(close_deleted, case_id=before.id))
                return None
            groups = transactions.groups(document)
            follow = partial(_follow, before=before, document=document, groups=groups, again=again, quiet=quiet)
            try:
                return await transactions.transact(follow, transactions.begin_with(company))
            except _CaseMoved:
                continue  # the data read may be older than the latest decision
        raise CaseConflict(key.number)

    async def show_deciders(self, user_id: str) -> None:
        """Show the cases anew whose decision may be for a person, or for those whom they substitute."""
        cases = await self._transactions.query(lambda unit: _naming(unit, user_id))
        for case in cases:
            await self._transactions.transact(partial(show_deciders, case_id=case.id))

    async def separate_cards(self, case_id: str, shared: str, places: Sequence[Place]) -> None:
        """Give places their own card in place of the one with the key ``shared``."""
        await self._transactions.transact(lambda unit: separate_cards(unit, case_id, shared, places))

    async def call_in_groups(self, case_id: str, people: Sequence[Place]) -> None:
        """Call, in the case's groups, people whose turn it is and whom its card did not reach."""
        await self._transactions.transact(lambda unit: call_in_groups(unit, case_id, people))

    async def case(self, case_id: str) -> Case | None:
        return await self._transactions.query(lambda unit: unit.cases.case(case_id))

    async def newest(self, number: str, source: str = "") -> Case | None:
        """Return the newest case of a document, at any source if none is given."""
        return await self._transactions.query(lambda unit: next(iter(unit.cases.cases_of(number, source, 1)), None))

    async def open_cases(self) -> tuple[Case, ...]:
        """Return the cases that take votes, oldest first."""
        return await self._transactions.query(lambda unit: tuple(unit.cases.open_cases(limit=_MAX_OPEN_CASES)))

    async def dead_ends(self, cases: Sequence[Case], left: Collection[str]) -> Sequence[tuple[Case, Phrase]]:
        """Return those of some open cases that nobody can complete now that people ``left``, each with the reason."""
        return await self._transactions.query(
            lambda unit: [(case, why) for case in cases if (why := find_dead_end(unit, case, left=left)) is not None]
        )

    async def search(self, wanted: CaseSearch) -> tuple[Case, ...]:
        """Return cases, the newest first."""
        return await self._transactions.query(lambda unit: tuple(unit.cases.search(wanted)))

    async def history(self, number: str, source: str = "") -> tuple[tuple[Case, tuple[AuditRow, ...]], ...]:
        """Return the record of a document, its newest case first; the id of one of its cases names it as well."""

        def read(unit: CaseUnitOfWork) -> tuple[tuple[Case, tuple[AuditRow, ...]], ...]:
            cases = unit.cases.cases_of(number, source) or (() if source else unit.cases.revisions(number))
            # What has the same number and is of another kind has a record of its own, by the id of its case.
            alike = (case for case in cases if case.kind == cases[0].kind)
            return tuple((case, tuple(unit.cases.audit_rows_of(case.id))) for case in alike)

        return await self._transactions.query(read)

    async def cards(self, case: Case) -> tuple[CaseCard, ...]:
        """Return where the cards of a case are, the oldest first."""
        return await self._transactions.query(lambda unit: tuple(unit.cases.cards_of(case.id)))

    @property
    def ruled_kinds(self) -> frozenset[str]:
        """The commands of the kinds of documents that any rule is for: the others are decided in the ERPs alone."""
        return self._transactions.policy().kinds

    def has_account(self, user_id: str, source: str) -> bool:
        """Return whether a person has an account at a source, without which nothing there waits for them."""
        transactions = self._transactions
        own = transactions.reader.company().account_of(user_id, source)
        return bool(own or transactions.options.account_for_all)

    async def searches(self) -> Mapping[tuple[str, str], datetime]:
        """Return when sources were last searched to the end for what waits, by source and command of the kind."""
        return await self._transactions.query(lambda unit: unit.cases.searches())

    async def mark_searched(self, source: str, kind: Kind[Any]) -> None:
        """Remember that a source was searched for what waits of a kind."""
        await self._transactions.transact(lambda unit: unit.cases.mark_searched(source, kind, unit.now))

    async def _find_together(self, asked: Sequence[tuple[str, str]]) -> Sequence[CaseContext | None]:
        # All cards of a case are composed at the same time.
        found = await self._transactions.query(
            lambda unit: {
                (word, source): find_context(unit, unit.cases.revisions(word), word, source)
                for word, source in dict.fromkeys(asked)
            }
        )
        return [found[each] for each in asked]

    async def _act(self, case: Case, act: Callable[[CaseUnitOfWork, ApprovalDocument], VoteResult]) -> VoteResult:
        if (over := check_takes_votes(case)) is not None:
            return over  # nobody's vote counts any more, so the ERP need not be asked
        try:
            document = await self._transactions.reader.read_for_vote(case.key, self._seconds)
        except NotFound:
            ended = await self._transactions.transact(
                lambda unit: close_deleted(unit, case.id) or unit.cases.case(case.id)
            )
            return VoteResult(outcome=VoteOutcome.ELSEWHERE, case=ended)
        except ErpError as error:
            log.warning("approvals.not_read", source=case.source, error=type(error).__name__)
            return VoteResult(outcome=VoteOutcome.SILENT, case=case, reasons=(error.tell(),))
        result = await self._transactions.transact(lambda unit: act(unit, document), on_commit=self._poke)
        if result.outcome is not VoteOutcome.CHANGED or result.case is None:
            return result
        try:
            return replace(result, newer_case=await self.sync_document(document.key, seconds=self._seconds))
        except DingerpError as error:
            # The case is stored as one to follow up: the writer does so once the ERP answers.
            log.warning("approvals.not_followed", source=document.source, error=type(error).__name__)
            return result


@dataclass(frozen=True, slots=True)
class ReaderTask:
    """Whether the reader can decide a case now; if not, the id of the first case they can, if any."""

    decides: bool = False
    next_case: str = ""


@dataclass(frozen=True, slots=True)
class CaseRuling:
    """A case, and whether a person may approve it now; None if they have, or if nobody can any more."""

    case: Case
    approve: Eligibility | None = None


class _CaseMoved(Exception):
    """The case changed while its document was being read."""


def _follow(
    unit: CaseUnitOfWork,
    *,
    before: Case | None,
    document: ApprovalDocument,
    groups: Sequence[Place],
    again: bool,
    quiet: bool,
) -> Case | None:
    """Bring a document's case in line with the ERP; ``before`` is the case from before the read."""
    newest = unit.cases.newest(document.key)
    if _revision_of(newest) != _revision_of(before):
        raise _CaseMoved
    if newest is not None and newest.state in _CLOSED_BY_ERP_DECISION and not document.review.waits:
        close_externally_decided(unit, newest, document.read)
    return open_case(unit, document, groups, again=again, quiet=quiet)


def _revision_of(case: Case | None) -> tuple[str, CaseState] | None:
    return None if case is None else (case.id, case.state)


def _explain(unit: CaseUnitOfWork, document: ApprovalDocument, user_id: str) -> DecisionExplanation:
    case = unit.cases.newest(document.key)
    open_now = case if case is not None and case.state is CaseState.OPEN else None
    result = unit.policy.plan(document, unit.company)
    is_over = case is None or case.state.is_final
    asked = open_now
    if is_over and document.review.waits and result.plan is not None:
        asked = new_case(unit, document, result.plan)
    rulings = {
        verdict: check_vote(unit, open_now, user_id, verdict, document) for verdict in Verdict if open_now is not None
    }
    return DecisionExplanation(
        document=document,
        case=case,
        plan_result=result,
        approve=rulings.get(Verdict.APPROVE),
        reject=rulings.get(Verdict.REJECT),
        erp_approvers=find_erp_approvers(unit, document, asked),
        barred=find_barred(unit, asked, document) if asked is not None else {},
        away=find_away(unit, open_now) if open_now is not None else (),
        dead_end=find_dead_end(unit, asked, document) if asked is not None and case in (None, open_now) else None,
    )


def _naming(unit: CaseUnitOfWork, user_id: str) -> Sequence[Case]:
    """Return the open cases that name a person, or somebody for whom they substitute, oldest first."""
    names = (user_id, *unit.policy.principals_of(user_id, unit.now))
    cases = {case.id: case for name in names for case in unit.cases.open_cases(name)}
    return sorted(cases.values(), key=lambda case: (case.opened_at, case.id))


def _pending(unit: CaseUnitOfWork, user_id: str) -> Iterator[Case]:
    """Yield the cases in which it is a person's turn, oldest first; the first one costs no check of the others."""
    for case in _naming(unit, user_id):
        if check_turn(unit, case, user_id, document_from_case(case)).allowed:
            yield case


def _ruling_on(unit: CaseUnitOfWork, case: Case, user_id: str) -> CaseRuling:
    if case.state is not CaseState.OPEN or any(vote.user_id == user_id for vote in case.votes):
        return CaseRuling(case)
    return CaseRuling(case, check_vote(unit, case, user_id, Verdict.APPROVE, document_from_case(case)))


def _task_of(unit: CaseUnitOfWork, case: Case, user_id: str) -> ReaderTask:
    if case.state is CaseState.OPEN and _has_turn(unit, case, user_id):
        return ReaderTask(decides=True)
    return ReaderTask(next_case=next((waiting.id for waiting in _pending(unit, user_id)), ""))


def _case_of(unit: CaseUnitOfWork, document: ErpRecord, user_id: str) -> RevisionCase | None:
    case = unit.cases.newest(DocumentKey.of(document))
    if case is None or not review_of(document).waits or case.fingerprint != fingerprint(document):
        return None
    if case.state is not CaseState.OPEN or not _has_turn(unit, case, user_id):
        return RevisionCase(progress=UNDER_WAY.get(case.state))
    reject = check_vote(unit, case, user_id, Verdict.REJECT, document_from_case(case))
    return RevisionCase(id=case.id, seen=case.fingerprint[:FINGERPRINT_PREFIX], can_reject=reject.allowed)


def _has_turn(unit: CaseUnitOfWork, case: Case, user_id: str) -> bool:
    # A limit may still prevent approval, and is reported when it does.
    return not unit.read_only and check_turn(unit, case, user_id, document_from_case(case)).allowed
