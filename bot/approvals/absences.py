"""When people are away, as they said themselves, and who decides instead of them meanwhile.

What somebody arranged counts as far as the approval rules allow it at the time of a vote
(`bot.approvals.policy.rule_policy.RuleBasedPolicy.with_absences`), and is read in the vote's own unit of work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.access.audit import AuditEntry, AuditKind
from bot.approvals.absence import Absence
from bot.approvals.deciders import awaited_voters
from bot.approvals.unit_of_work import CaseTransactions, CaseUnitOfWork
from bot.mechanisms.wakeup import Wakeup
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

SUBSTITUTE_CARD, DECLINED_CARD = "absence.substitute", "absence.declined"
"""Kinds of deliveries: for whoever is named as a substitute, and for whoever named somebody who does not stand in."""

_LOOKED_EVERY = 10.0
"""Seconds between two looks at which absences begin and end, and at what other processes stored."""

_KEPT = timedelta(days=1)
"""How long an absence is kept after its end: cards that tell of it are still drawn."""

Rearrange = Callable[[CaseUnitOfWork, Absence | None], Absence | None]
"""A person's stored absence → what it becomes; None changes nothing."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an absence would mean now: how many documents wait for the person, and for how many of them the substitute
    could decide.
    """

    waiting: int
    passed_on: int


class Absences:
    """Takes what people arrange, and has the cases that it concerns shown anew when it begins, changes or ends.

    All methods raise a `bot.words.errors.DingerpError` when the store is unavailable, and then nothing was done.
    """

    def __init__(
        self,
        transactions: CaseTransactions,
        *,
        show_anew: Callable[[str], Awaitable[None]],
        record: Callable[[AuditEntry], None],
    ) -> None:
        """``show_anew`` shows the cases for which a person is asked. ``record`` stores entries of the audit log."""
        self._transactions = transactions
        self._show_anew = show_anew
        self._record = record
        self._wakeup = Wakeup()

    @property
    def longest(self) -> timedelta:
        """How long people may say that they are away."""
        return self._transactions.policy().longest_absence

    def candidates(self, user_id: str) -> tuple[str, ...]:
        """Return whom the rules let a person name as their substitute."""
        allowed = self._transactions.policy().possible_substitutes(self._transactions.reader.company())
        return tuple(other for other in allowed if other != user_id)

    async def find(self, user_id: str) -> Absence | None:
        """Return a person's absence, also if it has just ended."""
        return next((each for each in await self._all() if each.user_id == user_id), None)

    async def of(self, user_id: str) -> Absence | None:
        """Return a person's present or coming absence."""
        found = await self.find(user_id)
        return None if found is None or found.is_over(self._transactions.now()) else found

    async def entrusted_to(self, user_id: str) -> tuple[Absence, ...]:
        """Return the present and coming absences with this substitute, the earliest first."""
        now = self._transactions.now()
        found = (each for each in await self._all() if each.substitute == user_id and not each.is_over(now))
        return tuple(sorted(found, key=lambda each: (each.begins, each.user_id)))

    async def foresee(self, user_id: str, substitute: str = "") -> Outlook:
        """Return what a person's absence would mean for what waits now."""
        return await self._transactions.query(lambda unit: _foresee(unit, user_id, substitute))

    async def arrange(self, user_id: str, begins: datetime, ends: datetime, substitute: str = "") -> None:
        """Store a person's absence in place of an earlier one, and tell the substitutes that it concerns."""

        await self._change(user_id, partial(_arranged, begins, ends, substitute, user_id), actor=user_id, action="away")

    async def end(self, user_id: str, *, actor: str | None = None) -> bool:
        """End a person's absence now, and tell the substitute; False if there is none. Who does it is in the log."""
        return await self._change(user_id, _ended, actor=user_id if actor is None else actor, action="away.ended")

    async def decline(self, user_id: str, by: str, *, actor: str | None = None) -> bool:
        """Take back that ``by`` stands in for a person, and tell that person; False if they do not."""
        actor = by if actor is None else actor
        return await self._change(user_id, partial(_without, by), actor=actor, action="away.declined")

    async def end_of(self, people: Collection[str]) -> None:
        """End what people who left the company arranged, and that others are to be substituted by them."""
        for absence in await self._all():
            if absence.user_id in people:
                await self.end(absence.user_id, actor="")
            elif absence.substitute in people:
                await self.decline(absence.user_id, absence.substitute, actor="")

    def poke(self) -> None:
        """Look soon: somebody said when they are away."""
        self._wakeup.call()

    async def run(self) -> None:
        """Have cases shown anew when absences begin, change and end, until cancelled."""
        while True:
            self._wakeup.clear()
            try:
                await self.work()
            except DingerpError as error:
                log.warning("absences.not_shown", error=type(error).__name__, detail=error.detail)
            await self._wakeup.sleep(_LOOKED_EVERY)

    async def work(self) -> None:
        """Have the cases shown anew that absences concern which are due."""
        for absence in await self._all():
            if absence.due_at <= self._transactions.now():
                await self._show_anew(absence.user_id)
                await self._transactions.transact(partial(_mark_shown, absence))

    async def _all(self) -> Sequence[Absence]:
        return await self._transactions.query(lambda unit: unit.cases.absences())

    async def _change(self, user_id: str, rearrange: Rearrange, *, actor: str, action: str) -> bool:
        changed = await self._transactions.transact(partial(_rearrange, user_id, rearrange))
        if changed is None:
            return False
        self._record(
            AuditEntry(
                kind=AuditKind.AWAY,
                at=self._transactions.now(),
                actor=actor,
                action=action,
                detail=f"{user_id}: {changed.begins:%F %H:%M %Z} – {changed.ends:%F %H:%M %Z}, "
                f"{changed.substitute or 'nobody'} decides instead",
            )
        )
        self.poke()
        return True


def _foresee(unit: CaseUnitOfWork, user_id: str, substitute: str) -> Outlook:
    away = Absence(
        user_id=user_id, begins=unit.now, ends=unit.now + timedelta(days=1), substitute=substitute, due_at=unit.now
    )
    then = replace(unit, policy=unit.policy.with_absences([away], unit.company))
    mine = [case for case in unit.cases.open_cases(user_id) if user_id in awaited_voters(unit, case)]
    return Outlook(len(mine), sum(substitute in awaited_voters(then, case) for case in mine))


def _rearrange(user_id: str, rearrange: Rearrange, unit: CaseUnitOfWork) -> Absence | None:
    """Change a person's absence and tell the substitutes that it concerns; return it if anything is different."""
    before = next((each for each in unit.cases.absences() if each.user_id == user_id), None)
    after = rearrange(unit, before)
    if after is None or (before is not None and after == replace(before, due_at=after.due_at, revision=after.revision)):
        return None
    unit.cases.change_absence(before, after)
    concerned = [each for each in (before, after) if each is not None and each.substitute]
    told = (_card(SUBSTITUTE_CARD, each, each.substitute, each.substitute, after, unit.now) for each in concerned)
    for card in {card.card: card for card in told}.values():
        unit.cases.deliver(card)
    return after


def _arranged(
    begins: datetime, ends: datetime, substitute: str, user_id: str, unit: CaseUnitOfWork, before: Absence | None
) -> Absence:
    known = before if before is not None and not before.is_over(unit.now) else None
    has_begun = known is not None and max(begins, known.begins) <= unit.now
    return Absence(
        user_id=user_id,
        begins=known.begins if known is not None and has_begun else max(begins, unit.now),
        ends=ends,
        substitute=substitute,
        due_at=unit.now,
        revision=before.revision + 1 if before is not None else 1,
    )


def _ended(unit: CaseUnitOfWork, before: Absence | None) -> Absence | None:
    if before is None or before.is_over(unit.now):
        return None
    return replace(before, ends=unit.now, due_at=unit.now, revision=before.revision + 1)


def _without(by: str, unit: CaseUnitOfWork, before: Absence | None) -> Absence | None:
    if before is None or before.substitute != by or before.is_over(unit.now):
        return None
    alone = replace(before, substitute="", due_at=unit.now, revision=before.revision + 1)
    unit.cases.deliver(_card(DECLINED_CARD, before, by, before.user_id, alone, unit.now))
    return alone


def _mark_shown(absence: Absence, unit: CaseUnitOfWork) -> None:
    """Note the next moment of an absence whose cases were shown anew; forget it if none is left."""
    if absence not in unit.cases.absences():
        return  # it was changed meanwhile, and is due again
    moments = (absence.begins, absence.ends, absence.ends + _KEPT)
    due_at = next((moment for moment in moments if moment > unit.now), None)
    unit.cases.change_absence(absence, None if due_at is None else replace(absence, due_at=due_at))


def _card(kind: str, absence: Absence, by: str, to: str, newest: Absence, now: datetime) -> Delivery:
    """Return a card for a person about ``by`` as a substitute, in the newest state."""
    return Delivery(
        card=f"{kind}:{absence.user_id}:{by}:{absence.begins:%Y%m%d%H%M%S}",
        place=Place(PlaceKind.PERSON, to),
        kind=kind,
        ref=f"{absence.user_id}|{by}",
        revision=newest.revision,
        urgency=Urgency.NOW,
        due_at=now,
    )
