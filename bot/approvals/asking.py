"""What people ask and say of purchase orders in a chat: the port between buttons or commands and the life of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.approvals.awaited import NOBODY, Expected, expected
from bot.approvals.case import Case, CaseCard, CaseState
from bot.approvals.document import Document, fingerprint
from bot.approvals.office import Office
from bot.approvals.opening import waited_for
from bot.approvals.reading import remembered
from bot.approvals.ruling import Planning, Ruling
from bot.approvals.service import ApprovalDesk, Pending, Why
from bot.approvals.unit import Unit
from bot.approvals.voting import Voted, Word, may_now
from bot.erp.model import Approval, PurchaseOrder, Verdict
from bot.gathering import Gathering

SEEN = 8
"""Hex digits of a fingerprint that a button carries. They only tell a card of another revision: the case's id, which
stands beside them, is itself made of the whole fingerprint, and neither is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A case with what was before it and after it, and where its cards stand."""

    case: Case
    before: Case | None = None
    """The case of the revision before, if there was one."""
    newer: Case | None = None
    """The newest case of the document, if that is not this one."""
    cards: tuple[CaseCard, ...] = ()
    waited: tuple[str, ...] = ()
    """userIds of those who can bring it on now, their substitutes among them."""
    expected: Expected = NOBODY
    """Whom the ERP itself waits for, where those who decide here are not among them."""
    undo_until: datetime | None = None
    """Until when its decider can take it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why somebody may or may not decide about a document; the rulings are None where nobody can say anything now."""

    document: Document
    case: Case | None
    planning: Planning
    approve: Ruling | None = None
    reject: Ruling | None = None
    expected: Expected = NOBODY
    """Whom the ERP itself waits for now."""


class Approvals(Protocol):
    """What commands know of approvals.

    The caller has asked the access policy; who may decide is asked here, whoever calls. All raise a
    `bot.errors.DingerpError` when the store is away. `say` and `forward` return `Said.SILENT` when the ERP does not
    answer in time, and nothing is recorded then; `why` raises the `bot.erp.errors.ErpError`.
    """

    async def find(self, word: str) -> Folder | None:
        """Return a case by its id, or the newest one of the document with this number (`look_up`)."""
        ...

    async def say(self, word: Word) -> Voted:
        """Record what somebody decides; the ERP is told afterwards, by itself."""
        ...

    async def take_back(self, case_id: str, user_id: str) -> Voted:
        """Undo a decision that the ERP was not told yet."""
        ...

    async def forward(self, case_id: str, to: str, by: str) -> Voted:
        """Let ``to`` decide in the place of ``by``."""
        ...

    async def why(self, source: str, number: str, user_id: str) -> Reasons:
        """Return what holds for a document and a person."""
        ...

    async def pending(self, user_id: str) -> tuple[Pending, ...]:
        """Return the open cases in which it is a person's turn, oldest first."""
        ...

    async def open_to(self, order: PurchaseOrder, user_id: str) -> Case | None:
        """Return the open case of just this revision if the person may reject or approve it now."""
        ...


class OfficeApprovals:
    """Implements `Approvals` on the book."""

    def __init__(self, desk: ApprovalDesk, office: Office) -> None:
        self._desk = desk
        self._office = office
        self._find: Gathering[str, Folder | None] = Gathering(self._find_together)

    async def find(self, word: str) -> Folder | None:
        """Return a case by its id, or the newest one of the document with this number."""
        return await self._find(word)

    async def say(self, word: Word) -> Voted:
        """Record what somebody decides."""
        return await self._desk.say(word)

    async def take_back(self, case_id: str, user_id: str) -> Voted:
        """Undo a decision that the ERP was not told yet."""
        return await self._desk.take_back(case_id, user_id)

    async def forward(self, case_id: str, to: str, by: str) -> Voted:
        """Let ``to`` decide in the place of ``by``."""
        return await self._desk.forward(case_id, to, by)

    async def why(self, source: str, number: str, user_id: str) -> Reasons:
        """Return what holds for a document and a person."""
        why = await self._desk.why(source, number, user_id)
        return await self._office.look(lambda unit: _reasons(unit, why, user_id))

    async def pending(self, user_id: str) -> tuple[Pending, ...]:
        """Return the open cases in which it is a person's turn, oldest first."""
        return await self._desk.pending(user_id)

    async def open_to(self, order: PurchaseOrder, user_id: str) -> Case | None:
        """Return the open case of just this revision if the person may reject or approve it now."""
        return await self._office.look(lambda unit: _open_to(unit, order, user_id))

    async def _find_together(self, words: Sequence[str]) -> Sequence[Folder | None]:
        # All cards of a case are composed at the same moment.
        found = await self._office.look(lambda unit: {word: look_up(unit, word) for word in dict.fromkeys(words)})
        return [found[word] for word in words]


def _reasons(unit: Unit, why: Why, user_id: str) -> Reasons:
    case, document = why.case, why.document
    asked = case if case is not None and why.ruling is not None else None
    plan = asked.plan if asked is not None else why.planning.plan
    accounts = (document.order.approval or Approval()).pending_for
    return Reasons(
        document=document,
        case=case,
        planning=why.planning,
        approve=why.ruling,
        reject=may_now(unit, asked, user_id, Verdict.REJECT, document) if asked is not None else None,
        expected=expected(unit, document.source, accounts, plan, asked),
    )


def _open_to(unit: Unit, order: PurchaseOrder, user_id: str) -> Case | None:
    case = unit.book.newest(order.source, order.number)
    if case is None or case.state is not CaseState.OPEN or case.fingerprint != fingerprint(order):
        return None
    # Who may reject has the turn; approving may still meet a limit, of which they are told then.
    may = may_now(unit, case, user_id, Verdict.REJECT, remembered(case))
    return case if may.allowed else None


def look_up(unit: Unit, word: str) -> Folder | None:
    """Return the folder of a case by its id or, of its newest revision, by the document's number.

    Where several ERPs have the number, the one that waits is meant.
    """
    book = unit.book
    if (case := book.case(word)) is None:
        found = book.named(word)
        case = next((one for one in found if not one.state.is_final), found[0] if found else None)
    if case is None:
        return None
    revisions = list(book.named(case.number, case.source))
    place = next((i for i, one in enumerate(revisions) if one.id == case.id), None)
    before = None if place is None else next(iter(revisions[place + 1 : place + 2]), None)
    newer = revisions[0] if revisions and revisions[0].id != case.id else None
    return Folder(
        case=case,
        before=before,
        newer=newer,
        cards=tuple(book.cards_of(case.id)),
        waited=waited_for(unit, case) if case.state is CaseState.OPEN else (),
        expected=_expected(unit, case) if case.state is CaseState.OPEN else NOBODY,
        undo_until=_undo_until(unit, case),
    )


def _expected(unit: Unit, case: Case) -> Expected:
    found = expected(unit, case.source, case.waits_for, case.plan, case)
    return found if found.unmet else NOBODY


def _undo_until(unit: Unit, case: Case) -> datetime | None:
    if case.state is not CaseState.WRITING or case.decision is None or case.attempted_at is not None:
        return None
    until = case.decision.at + unit.terms.undo
    return until if until > unit.now else None
