"""Follows changes of the organisation: checks the affected open cases until each could be read."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import structlog

from bot.approvals.case import Case
from bot.approvals.document_reader import Organisation
from bot.approvals.reassigning import people_in, reassign
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import CaseTransactions
from bot.erp.errors import NotFound
from bot.mechanisms.backoff import Backoff, BackoffPolicy
from bot.mechanisms.wakeup import Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_IDLE = 3600.0
"""Seconds between two checks for remaining work; a change wakes it at once."""

_PAUSES = BackoffPolicy(first=5.0, longest=300.0)


class StaffChanges:
    """Records changes at once, and processes them in the background."""

    def __init__(self, service: ApprovalService, transactions: CaseTransactions, chains: Organisation) -> None:
        self._service = service
        self._transactions = transactions
        self._chains = chains
        self._changed: set[str] = set()
        self._left: set[str] = set()
        self._is_all_open = True
        """Whether every case that names managers must be checked: changes before the start sent no event."""
        self._done: set[str] = set()
        """Cases of the current round that need no further check."""
        self._wakeup = Wakeup()
        self._backoff = Backoff(_PAUSES)

    def note(self, changed: Collection[str], left: Collection[str] = ()) -> None:
        """Have the cases of these people checked soon; people who return no longer count as gone."""
        self._left.difference_update(changed)
        self._left.update(left)
        self._changed.update(changed, left)
        self._begin()

    def note_accounts(self, people: Collection[str]) -> None:
        """Have the cases of people checked soon whose ERP accounts changed."""
        self._changed.update(people)
        self._begin()

    def note_all(self) -> None:
        """Have all cases that name managers checked: changes may have come without an event."""
        self._is_all_open = True
        self._begin()

    def _begin(self) -> None:
        self._done.clear()
        self._wakeup.call()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            self._wakeup.clear()
            if await self.work():
                self._backoff.succeeded()
                await self._wakeup.sleep(_IDLE)
            else:
                await self._wakeup.sleep(self._backoff.failed())

    async def work(self) -> bool:
        """Check the cases of changed people; False if some could not be read and need a retry."""
        people, left, everything = frozenset(self._changed), frozenset(self._left), self._is_all_open
        if not people and not everything:
            return True
        try:
            await self._work_on(people, left, everything=everything)
        except DingerpError as error:
            log.warning("approvals.not_reassigned", error=type(error).__name__, detail=error.detail)
            return False
        if self._changed == people:
            self._changed, self._left, self._is_all_open = set(), set(), False
        return True

    async def _work_on(self, people: frozenset[str], left: frozenset[str], *, everything: bool) -> None:
        trouble: DingerpError | None = None
        for case in await self._service.open_cases():
            if case.id in self._done:
                continue
            try:
                if (everything and case.plan.by_manager) or await self._concerns(case, people):
                    await self._reassign(case, left)
            except DingerpError as error:
                trouble = error  # the others do not wait for it
            else:
                self._done.add(case.id)
        if trouble is not None:
            raise trouble

    async def _concerns(self, case: Case, people: frozenset[str]) -> bool:
        if people & people_in(case):
            return True
        by_manager, requester = case.plan.by_manager, case.summary.requester
        return bool(by_manager and requester) and not people.isdisjoint(await self._chains.managers_of(requester))

    async def _reassign(self, case: Case, left: frozenset[str]) -> None:
        transactions = self._transactions
        try:
            document, company = await transactions.reader.read_for_plan(
                case.key, transactions.policy(), managers=bool(case.plan.by_manager)
            )
        except NotFound:
            return  # the next poll ends its case
        work = partial(reassign, case_id=case.id, document=document, left=left)
        await transactions.transact(work, transactions.begin_with(company))
