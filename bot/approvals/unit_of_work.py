"""The repository of cases, and its units of work: one time, one policy, one company, stored together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from bot.approvals.absence import Absence
from bot.approvals.case import AuditRow, Case, CaseCard, CaseSearch
from bot.approvals.document import ApprovalDocument, DocumentKey
from bot.approvals.document_reader import DocumentReader
from bot.approvals.plan import ApprovalPolicy, CompanyDirectory
from bot.erp.kinds import Kind
from bot.erp.model import Money, Verdict
from bot.mechanisms.unit_of_work import Transactions, UnitOfWorkRunner
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place, PlaceKind


class CaseRepository(Protocol):
    """Reads see earlier writes of the same unit of work."""

    def case(self, case_id: str) -> Case | None:
        """Return a case, locked until the end of the unit of work: a second caller sees the first one's changes."""
        ...

    def newest(self, key: DocumentKey) -> Case | None:
        """Return the case of a document's newest revision, locked like `case`; its number in any spelling."""
        ...

    def revisions(self, word: str) -> Sequence[Case]:
        """Return all cases of the documents that ``word`` names by case id or number, newest first."""
        ...

    def called(self, short_ids: Sequence[str]) -> Sequence[Case]:
        """Return the cases with these short ids (`bot.approvals.case.short_id`), in this order."""
        ...

    def cases_of(self, number: str, source: str = "", limit: int = 100) -> Sequence[Case]:
        """Return all cases of documents with a number, newest first; without ``source``, of all sources."""
        ...

    def open_cases(self, user_id: str = "", limit: int = 500) -> Sequence[Case]:
        """Return the cases that take votes, oldest first; with ``user_id``, those that name the person.

        A case names everybody in its plan, those it was forwarded to, and its escalation people.
        """
        ...

    def search(self, wanted: CaseSearch) -> Sequence[Case]:
        """Return the cases that are wanted, newest first."""
        ...

    def searches(self) -> Mapping[tuple[str, str], datetime]:
        """Return when a source was last searched to the end for what waits of a kind, by both; of none if never."""
        ...

    def mark_searched(self, source: str, kind: Kind[Any], at: datetime) -> None:
        """Remember that a source was searched for what waits of a kind, whether or not there was any."""
        ...

    def absences(self) -> Sequence[Absence]:
        """Return all absences, also those that have just ended."""
        ...

    def change_absence(self, before: Absence | None, after: Absence | None) -> None:
        """Put a person's absence in place of the stored one; None for none. Raises `WriteConflict` if another process
        changed it meanwhile.
        """
        ...

    def put(self, case: Case) -> None:
        """Store a case. Raises `CaseConflict` if another process changed, opened or decided it meanwhile."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Case]:
        """Return cases whose ``due_at`` has come, the longest overdue first."""
        ...

    def next_due(self, after: datetime) -> datetime | None:
        """Return the next time after ``after`` at which a case is due."""
        ...

    def cards_of(self, case_id: str) -> Sequence[CaseCard]:
        """Return the places of a case's cards."""
        ...

    def put_card(self, card: CaseCard) -> None:
        """Store that a card of the case is at a place; idempotent."""
        ...

    def put_apart(self, card: CaseCard) -> None:
        """From now on treat a card as a delivery of its own that was part of a shared one."""
        ...

    def approved_on(self, user_id: str, currency: str, begins: datetime, ends: datetime) -> Money:
        """Return the sum in one currency approved by a person, or in their place, on the day between ``begins`` and
        ``ends``.

        The sum is locked until the end of the unit of work, so two concurrent cases cannot both use the same room.
        Cases that did not end in approval do not count.
        """
        ...

    def audit(self, row: AuditRow) -> None:
        """Append a line to the record."""
        ...

    def audit_rows_of(self, case_id: str) -> Sequence[AuditRow]:
        """Return the record of a case, oldest first."""
        ...

    def deliver(self, delivery: Delivery) -> None:
        """Queue the newest state of a card for a place."""
        ...

    def withdraw(self, card: str) -> None:
        """Cancel a delivery by its key."""
        ...

    def redraw_answers(self, case: Case, due_at: datetime) -> None:
        """Queue the newest state for answers that show the case's document, no earlier than ``due_at``."""
        ...


CaseStore: TypeAlias = Transactions[CaseRepository]
"""Units of work on different cases run concurrently, on the same case one after another. A thousand people who click at
one case wait for each other at its lock, not at reads.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReach:
    """Decides which places may share one card: everybody there sees the same, unless values for single people are
    delivered.
    """

    values_arrive: Callable[[], bool] = lambda: False
    language_of: Callable[[Place], str] = lambda place: ""
    """Returns the language of cards at a place."""
    sees_all: Callable[[Place, Case], bool] = lambda group, case: False
    """Returns whether everybody in a group may see all that the deciders see."""
    sees_any: Callable[[Place, Case], bool] = lambda group, case: True
    """Returns whether everybody in a group may see anything of a case."""

    def split(self, places: Iterable[Place], case: Case, *, told: bool = False) -> list[list[Place]]:
        """Return the places of each card about a case: all share one language, and either all see the document or none
        does.

        Places only ``told`` the outcome need no more than any of them may see. Groups that may see nothing of it are
        apart.
        """
        shared: dict[tuple[bool, str], list[Place]] = {}
        alike = self.values_arrive() and not told
        for place in places:
            sees = self.sees_any if told else self.sees_all
            is_open = place.kind is PlaceKind.PERSON or sees(place, case)
            key = (True, "") if alike else (is_open, self.language_of(place))
            shared.setdefault(key, []).append(place)
        return list(shared.values())


class GroupCards(StrEnum):
    """When groups are shown a case. At its end they share one card with the requester."""

    AUTO = "auto"
    """While it waits, where they share the card of those who decide, which costs no call, or where each place has a
    card of its own; else at its end."""
    WAITING = "waiting"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalOptions:
    """Operator settings besides the policy."""

    undo: timedelta = timedelta(0)
    """How long a decision can be taken back before the ERP is told."""
    technical_account: bool = False
    """Whether a decider without an ERP account decides under the bot's own, with their name in the reason. Otherwise
    they cannot decide.
    """
    own_account: str = ""
    """The bot's own account, as decisions name it."""
    one_card: bool = False
    """Whether places share cards as far as ``reach`` allows; otherwise each has its own."""
    group_cards: GroupCards = GroupCards.WAITING
    reach: CardReach = CardReach()
    answer_within: timedelta = timedelta(days=1)
    """How long a question to the requester stays open without an answer."""
    todos: bool = False
    """Whether the people whose turn it is get a to-do, unless the rule says otherwise."""
    write_lease: timedelta = timedelta(seconds=60)
    """Longer than any write: a write recorded this long ago without an outcome was interrupted."""
    assume_lost_after: timedelta = timedelta(seconds=90)
    """A write that cannot be found in the ERP so long after it was sent did not happen: longer than servers work on it.
    """

    @property
    def account_for_all(self) -> str:
        """The account under which those decide who have none; empty if they cannot."""
        return self.own_account if self.technical_account else ""


DecidesAt: TypeAlias = Callable[[str, Kind[Any]], frozenset[Verdict]]
"""Source and kind of document → the verdicts that the source accepts."""


def no_limits(_source: str, _kind: Kind[Any]) -> frozenset[Verdict]:
    """Accept every verdict."""
    return frozenset(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInForce:
    """The rules at one moment; needs no reads."""

    policy: ApprovalPolicy
    company: CompanyDirectory
    now: datetime
    """In the company's zone, whose days daily limits use."""
    options: ApprovalOptions = ApprovalOptions()
    read_only: bool = False
    """Whether writes to all ERPs are off."""
    decides: DecidesAt = no_limits
    """Which verdicts a source accepts on documents of a kind."""

    def account_of(self, user_id: str, source: str) -> str:
        """Return the ERP account in whose name a person decides; empty if they have none."""
        return self.company.account_of(user_id, source) or self.options.account_for_all


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnitOfWork(RulesInForce):
    """The context shared by the stages: one time, one policy, one company, and the repository."""

    cases: CaseRepository

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return the amount a person approved today; see `bot.approvals.plan.DailySpending`."""
        begins = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self.cases.approved_on(user_id, currency, begins, begins + timedelta(days=1))

    def audit(self, case: Case, what: str, *, user_id: str = "", detail: str = "", seen: str = "") -> None:
        self.cases.audit(AuditRow(at=self.now, case=case.id, what=what, user_id=user_id, detail=detail, seen=seen))


class CaseTransactions(UnitOfWorkRunner[CaseRepository, CaseUnitOfWork]):
    """Runs units of work on cases under the rules in force."""

    def __init__(
        self,
        *,
        store: CaseStore,
        reader: DocumentReader,
        policy: Callable[[], ApprovalPolicy],
        groups: Callable[[ApprovalDocument], Sequence[Place]],
        now: Callable[[], datetime],
        options: ApprovalOptions,
        read_only: Callable[[], bool] = lambda: False,
        decides: DecidesAt = no_limits,
        on_enqueued: Callable[[], None] = lambda: None,
    ) -> None:
        """``now`` is in the company's zone; ``policy`` returns the rules in force, which may be edited at any time.
        Each unit of work adds what people arranged themselves.

        ``groups`` lists the groups that get a document's bare card, ``read_only`` whether writes to the ERPs are off;
        ``decides`` tells which verdicts a source accepts on a kind. ``on_enqueued`` is called when cards may have been
        queued.
        """
        super().__init__(store, self.begin_with(None), on_enqueued)
        self.reader = reader
        self.policy = policy
        self.groups = groups
        self.now = now
        self.options = options
        self.read_only = read_only
        self.decides = decides

    def begin_with(self, company: CompanyDirectory | None) -> Callable[[CaseRepository], CaseUnitOfWork]:
        """Return the factory of units of work with people as in ``company``; None means the settings."""

        def begin(cases: CaseRepository) -> CaseUnitOfWork:
            # The unit's time is that of its start, after waiting for the store.
            people = company if company is not None else self.reader.company()
            return CaseUnitOfWork(
                cases=cases,
                policy=self.policy().with_absences(cases.absences(), people),
                company=people,
                now=self.now(),
                options=self.options,
                read_only=self.read_only(),
                decides=self.decides,
            )

        return begin
