"""Orders that wait for people who left, and that nobody decides in their place: administrators are told of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.approvals.case import Case, CaseState
from bot.approvals.plan import Quorum, missing_approvers, tally
from bot.approvals.reassigning import people_in
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import RulesInForce
from bot.erp.model import Verdict
from bot.phrase import Words, phrase

_EVERY = timedelta(minutes=5)
_NAMED = 5
"""Orders that are named; there may be more."""


def gone_without_successor(rules: RulesInForce, case: Case, left: Collection[str]) -> tuple[str, ...]:
    """Return those who left and without whom an open case cannot be decided: nobody stands in for them."""
    waited = tally(case.plan, case.votes)
    if case.state is not CaseState.OPEN or isinstance(waited, Verdict):
        return ()
    level = case.plan.level(waited)
    missing = missing_approvers(level, case.votes)

    def is_replaced(person: str) -> bool:
        passed_on = {turn.to for turn in case.forwards if turn.person == person}
        return not passed_on.union(rules.policy.substitutes_of(person, rules.now)) <= {*left}

    gone = tuple(person for person in missing if person in left and not is_replaced(person))
    return () if level.quorum is Quorum.ANY and len(gone) < len(missing) else gone


class WaitingInVain:
    """Looks for such orders every few minutes, for as long as it is asked."""

    def __init__(
        self,
        service: ApprovalService,
        rules: Callable[[], RulesInForce],
        left_among: Callable[[Iterable[str]], Awaitable[frozenset[str]]],
        names_of: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]],
        now: Callable[[], datetime],
    ) -> None:
        """``left_among`` returns those of some people who left, ``names_of`` what they are or were called."""
        self._service = service
        self._rules = rules
        self._left_among = left_among
        self._names_of = names_of
        self._now = now
        self._known: Words = ""
        self._looked_at: datetime | None = None

    async def tell(self) -> Words:
        """Return which orders wait so, empty for none; raises a `bot.errors.DingerpError` when it cannot be read."""
        if self._looked_at is None or self._now() - self._looked_at >= _EVERY:
            self._known = await self._look()
            self._looked_at = self._now()
        return self._known

    async def _look(self) -> Words:
        cases = await self._service.open_cases()
        left = await self._left_among(frozenset().union(*map(people_in, cases)))
        rules = self._rules()
        found = [(case, gone) for case in cases if (gone := gone_without_successor(rules, case, left))]
        if not found:
            return ""
        names = await self._names_of([person for _, gone in found for person in gone])
        called = [(case.number, ", ".join(names.get(person, person) for person in gone)) for case, gone in found]
        waiting = tuple(f"{number} ({people})" for number, people in called[:_NAMED])
        return phrase(
            "%(count)s purchase orders wait for people who left: %(orders)s. Name others in the approval rules, "
            "or decide them in the ERP.",
            count=len(found),
            orders=waiting,
        )
