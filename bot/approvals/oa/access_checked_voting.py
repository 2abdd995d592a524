"""Votes from DingTalk's approval app, which reach the bot without a check by the access policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from types import MappingProxyType

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.people import MembershipDoubt, People, Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict
from bot.approvals.case import Case
from bot.approvals.deciders import Deciders
from bot.approvals.oa.sync import VotingService
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.model import Verdict

_COMMANDS: Mapping[Verdict, str] = MappingProxyType({Verdict.APPROVE: "approve", Verdict.REJECT: "reject"})
"""The command for the same vote in chat."""


@dataclass(frozen=True, slots=True)
class AccessCheckedVoting:
    """A `bot.approvals.oa.sync.VotingService` that accepts only votes the person could cast in chat.

    ``policy`` returns the rules in force.
    """

    service: VotingService
    people: People
    policy: Callable[[], AccessPolicy]
    _: KW_ONLY
    audit: AuditLog
    now: Callable[[], datetime]

    async def cast_vote(self, request: VoteRequest) -> VoteResult:
        """Store a vote, if the access rules allow it and it counts.

        While the person is unknown the result is silent, as if the ERP had not answered: the vote is tried again later.
        """
        person = await self.people.identify(request.user_id, name=request.name)
        if person.doubt is MembershipDoubt.NO_ANSWER:
            return VoteResult(outcome=VoteOutcome.SILENT, case=request.case)
        verdict = self._decide(person, request.verdict)
        if not verdict.allowed:
            self._record_refusal(request, verdict)
            return VoteResult(outcome=VoteOutcome.REFUSED, case=request.case, reasons=(verdict.reason,))
        return await self.service.cast_vote(request)

    async def case(self, case_id: str) -> Case | None:
        return await self.service.case(case_id)

    async def open_cases(self) -> Sequence[Case]:
        return await self.service.open_cases()

    async def deciders(self, case: Case) -> Deciders:
        """Return who may decide a case now and may do so by the access rules; unknown rights exclude nobody."""
        deciders = await self.service.deciders(case)
        barred = {
            user_id for user_id in {*deciders.entitled, *deciders.awaited} if not await self._may_approve(user_id)
        }
        awaited = tuple(user_id for user_id in deciders.awaited if user_id not in barred)
        return Deciders(deciders.entitled - barred, awaited)

    async def _may_approve(self, user_id: str) -> bool:
        person = await self.people.identify(user_id, name="")
        return person.doubt is not None or self._decide(person, Verdict.APPROVE).allowed

    def _decide(self, person: Person, verdict: Verdict) -> AccessVerdict:
        return self.policy().decide(person, AccessRequest(command=_COMMANDS[verdict], writes=True, governed=True))

    def _record_refusal(self, request: VoteRequest, verdict: AccessVerdict) -> None:
        entry = AuditEntry(
            kind=AuditKind.REFUSAL,
            at=self.now(),
            actor=request.user_id,
            action=_COMMANDS[request.verdict],
            documents=(request.case.number,),
            rule=verdict.rule,
            outcome="denied",
            detail=str(verdict.reason),
        )
        self.audit.record(entry)
