"""A case repository in memory, for tests of whatever works with approvals: it passes the suite of the stored one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.approvals.absence import Absence
from bot.approvals.case import (
    AuditRow,
    Case,
    CaseCard,
    CaseConflict,
    CaseSearch,
    CaseState,
    limit_votes,
    possible_voters,
    short_id,
)
from bot.approvals.document import DocumentKey
from bot.approvals.lifecycle import card_key, round_of
from bot.erp.kinds import Kind
from bot.erp.model import Money
from bot.mechanisms.unit_of_work import WriteConflict
from bot.outbox.delivery import Delivery
from tests.memory_transactions import MemoryTransactions


class MemoryCaseRepository:
    """Implements `bot.approvals.unit_of_work.CaseRepository`."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.cards: dict[str, CaseCard] = {}
        self.rows: list[AuditRow] = []
        self.searched: dict[tuple[str, str], datetime] = {}
        self.away: dict[str, Absence] = {}
        self.deliveries: list[Delivery] = []
        """All that were ever asked for, in order."""
        self.redrawn: list[str] = []
        """Numbers of the documents whose answers were to be drawn again."""

    def __copy__(self) -> MemoryCaseRepository:
        """Return a repository with the same content, for what may have to be taken back."""
        twin = MemoryCaseRepository()
        for name, value in vars(self).items():
            setattr(twin, name, copy(value))
        return twin

    def case(self, case_id: str) -> Case | None:
        """Return one case."""
        return self.cases.get(case_id)

    def newest(self, key: DocumentKey) -> Case | None:
        """Return the case of a document's newest revision."""
        return next(iter(self._of(key)), None)

    def _of(self, key: DocumentKey) -> list[Case]:
        found = [one for one in self.cases.values() if one.key.folded == key.folded]
        return sorted(found, key=_newest, reverse=True)

    def revisions(self, word: str) -> Sequence[Case]:
        """Return all cases of the documents that a case's id or a number means, newest first."""
        meant = {
            one.key.folded for one in self.cases.values() if one.id == word or one.number.casefold() == word.casefold()
        }
        found = [one for one in self.cases.values() if one.key.folded in meant]
        return sorted(found, key=_newest, reverse=True)

    def called(self, short_ids: Sequence[str]) -> Sequence[Case]:
        """Return the cases in the order of their short ids."""
        return [case for short in short_ids for case in self.cases.values() if short_id(case.id) == short]

    def cases_of(self, number: str, source: str = "", limit: int = 100) -> Sequence[Case]:
        """Return all cases of a document, newest first."""
        folded = number.casefold()
        found = [one for one in self.cases.values() if one.number.casefold() == folded and source in ("", one.source)]
        return sorted(found, key=_newest, reverse=True)[:limit]

    def open_cases(self, user_id: str = "", limit: int = 500) -> Sequence[Case]:
        """Return the cases that take votes, oldest first."""
        found = [one for one in self.cases.values() if one.state is CaseState.OPEN]
        return sorted((one for one in found if not user_id or user_id in possible_voters(one)), key=_opened)[:limit]

    def search(self, wanted: CaseSearch) -> Sequence[Case]:
        """Return the cases that are wanted, newest first."""
        found = [
            one
            for one in self.cases.values()
            if wanted.waiting in (None, one.state is CaseState.OPEN)
            and wanted.number.casefold() in one.number.casefold()
            and (wanted.since is None or one.opened_at >= wanted.since)
            and (wanted.before is None or one.opened_at < wanted.before)
        ]
        return sorted(found, key=_newest, reverse=True)[: wanted.limit]

    def searches(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each source was searched for a kind."""
        return self.searched

    def mark_searched(self, source: str, kind: Kind[Any], at: datetime) -> None:
        """Remember that a source was searched."""
        self.searched[source, kind.command] = at

    def absences(self) -> Sequence[Absence]:
        """Return all absences."""
        return list(self.away.values())

    def change_absence(self, before: Absence | None, after: Absence | None) -> None:
        """Put an absence in place of the stored one."""
        changed = after or before
        assert changed is not None, "something is there before or after"
        known = self.away.pop(changed.user_id, None)
        if (known and known.revision) != (before and before.revision):
            raise WriteConflict(changed.user_id)
        if after is not None:
            self.away[after.user_id] = after

    def put(self, case: Case) -> None:
        """Store a case."""
        known = self.cases.get(case.id)
        for other in self._of(case.key):
            if other.id == case.id:
                continue
            both_live = not other.state.is_final and not case.state.is_final
            if both_live or (known is None and round_of(other) == round_of(case)):
                raise CaseConflict(case.id)
        self.cases[case.id] = case

    def due(self, now: datetime, limit: int) -> Sequence[Case]:
        """Return cases whose time has come, the longest waiting first."""
        found = [one for one in self.cases.values() if one.due_at is not None and one.due_at <= now]
        return sorted(found, key=_due)[:limit]

    def next_due(self, after: datetime) -> datetime | None:
        """Return when time will change something next."""
        times = (one.due_at for one in self.cases.values() if one.due_at is not None)
        return min((at for at in times if at > after), default=None)

    def cards_of(self, case_id: str) -> Sequence[CaseCard]:
        """Return where the case's cards stand."""
        return [card for card in self.cards.values() if card.case == case_id]

    def put_card(self, card: CaseCard) -> None:
        """Remember that a card of the case stands at a place."""
        self.cards.setdefault(card_key(card.case, card.place, card.kind, card.copy), card)

    def put_apart(self, card: CaseCard) -> None:
        """Let a card stand alone from now on."""
        self.cards[card_key(card.case, card.place, card.kind, card.copy)] = card

    def approved_on(self, user_id: str, currency: str, begins: datetime, ends: datetime) -> Money:
        """Return the sum of what was approved on a day by a person, or in their place."""
        sums = Decimal(0)
        for case in self.cases.values():
            total = case.summary.total
            if total is None or total.currency != currency:
                continue
            counted = (one for one in limit_votes(case) if user_id in (one.user_id, one.on_behalf_of))
            votes = (one for one in counted if begins <= one.at < ends)
            sums += sum((total.amount for _ in votes), Decimal(0))
        return Money(sums, currency)

    def audit(self, row: AuditRow) -> None:
        """Write a line of the record."""
        self.rows.append(row)

    def audit_rows_of(self, case_id: str) -> Sequence[AuditRow]:
        """Return the record of a case, oldest first."""
        return [row for row in self.rows if row.case == case_id]

    def deliver(self, delivery: Delivery) -> None:
        """Owe a place the newest state of a card."""
        self.deliveries.append(delivery)

    def withdraw(self, card: str) -> None:
        """Owe a delivery no longer."""
        self.deliveries[:] = [delivery for delivery in self.deliveries if delivery.card != card]

    def redraw_answers(self, case: Case, due_at: datetime) -> None:
        """Owe the answers that show the case's document its newest state."""
        self.redrawn.append(case.number)


class MemoryCaseStore(MemoryTransactions[MemoryCaseRepository]):
    """Implements `bot.approvals.unit_of_work.CaseStore`."""

    def __init__(self, repository: MemoryCaseRepository | None = None) -> None:
        super().__init__(repository or MemoryCaseRepository())


def _newest(case: Case) -> tuple[datetime, int]:
    return case.opened_at, round_of(case)


def _opened(case: Case) -> datetime:
    return case.opened_at


def _due(case: Case) -> datetime:
    assert case.due_at is not None, "only what is due is sorted"
    return case.due_at
