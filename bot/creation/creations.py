"""The service of previews and answers: each change is one transaction, checked against what is there then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from bot.access.areas import NEW
from bot.access.audit import AuditEntry, AuditKind
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict, Denied
from bot.creation.creation import Creation, CreationRepository, CreationState, CreationStore
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.unit_of_work import UnitOfWorkRunner
from bot.words.phrase import phrase

T = TypeVar("T")

AccountOf = Callable[[str, str], str]
"""Returns the account of a person (userId) at a source, empty where none is known."""

DROPPED = phrase("You dropped it, so nothing was created.")
_NOT_YOURS = phrase("Only who asked for it can create or drop it.")
_OTHER_ACCOUNT = phrase("Your account in this ERP has changed since: ask for it again.")


class CreationUnit:
    """One transaction: what is found is as it is now, and every change is recorded."""

    def __init__(self, repository: CreationRepository) -> None:
        self.repository = repository
        self.now = repository.now
        self.changed: list[Creation] = []

    def find(self, creation: str) -> Creation | None:
        found = self.repository.find(creation)
        return found if found is None or (now := found.at(self.now)) is found else self.change(now)

    def change(self, creation: Creation, detail: str = "") -> Creation:
        """Store a creation in its new state, and its entry in the audit log, which names no partner and no price."""
        entry = AuditEntry(
            kind=AuditKind.DECISION,
            at=self.now,
            actor=creation.user_id,
            action=NEW,
            conversation=creation.conversation,
            documents=tuple(filter(None, (creation.number,))),
            outcome=creation.state,
            detail=f"{creation.kind} {creation.mark} at {creation.source} as {creation.account} {detail}".rstrip(),
        )
        self.repository.put(creation)
        self.repository.redraw(creation)
        self.repository.record(entry)
        self.changed.append(creation)
        return creation


class Creations:
    """Keeps previews, and takes their persons' answers. Raises a `DingerpError` when the store is away."""

    def __init__(
        self,
        store: CreationStore,
        *,
        policy: Callable[[], AccessPolicy],
        account_of: AccountOf,
        metrics: Metrics,
        on_change: Callable[[], None],
    ) -> None:
        """``on_change`` wakes who writes, and who draws cards."""
        self.units: UnitOfWorkRunner[CreationRepository, CreationUnit] = UnitOfWorkRunner(
            store, CreationUnit, on_change
        )
        self._policy = policy
        self._account_of = account_of
        self._metrics = metrics

    def account_at(self, person: Person, source: str) -> str:
        """Return the account under which a person creates there. Raises `Denied` for somebody without one."""
        account = self._account_of(person.user_id or "", source)
        if not account:
            reason = phrase(
                "You have no account of your own in “%(source)s”, and nothing is created under another name: "
                "ask for one with /bind.",
                source=source,
            )
            raise Denied(AccessVerdict(False, reason))
        return account

    def check(self, person: Person, conversation: str, kind: str, quantities: Sequence[Decimal]) -> None:
        """Raise `Denied` for what the access rules do not let a person create."""
        request = AccessRequest(command=NEW, conversation_id=conversation, reserved=True)
        verdict = self._policy().decide_creation(person, request, kind, quantities)
        if not verdict.allowed:
            raise Denied(verdict)

    async def propose(self, creation: Creation) -> Creation:
        """Keep a preview that its person may confirm."""
        return await self.transact(lambda unit: unit.change(creation))

    async def look(self, creation: str, person: Person) -> Creation | None:
        """Return a person's own creation as it is now; None if there is none. Raises `Denied` for another's."""

        def read(unit: CreationUnit) -> Creation | None:
            found = unit.repository.find(creation)
            return None if found is None else _own(found, person).at(unit.now)

        return await self.units.query(read)

    async def answer(self, creation: str, person: Person, *, creates: bool) -> Creation | None:
        """Take the answer to a preview, and return what has become of it; None if there is no such preview.

        Any further answer changes nothing. Raises `Denied`.
        """

        def work(unit: CreationUnit) -> Creation | None:
            found = unit.find(creation)
            if found is None or _own(found, person).state is not CreationState.PREVIEW:
                return found
            if not creates:
                return unit.change(found.moved(CreationState.DROPPED, DROPPED))
            self.check(person, found.conversation, found.kind, [line.quantity for line in found.lines])
            if self.account_at(person, found.source) != found.account:
                raise Denied(AccessVerdict(False, _OTHER_ACCOUNT))
            return unit.change(found.moved(CreationState.WRITING, due_at=unit.now))

        return await self.transact(work)

    async def transact(self, work: Callable[[CreationUnit], T]) -> T:
        """Return the result of a transaction, and count what has changed by it."""

        def counted(unit: CreationUnit) -> tuple[T, Sequence[Creation]]:
            return work(unit), unit.changed

        result, changed = await self.units.transact(counted)
        for each in changed:
            self._metrics.creations.labels(each.state).inc()
        return result


def _own(found: Creation, person: Person) -> Creation:
    if not person.user_id or found.user_id != person.user_id:
        raise Denied(AccessVerdict(False, _NOT_YOURS))
    return found
