"""Votes that come from DingTalk's approval app, where nobody has asked the access policy yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest
from bot.approvals.case import Case
from bot.approvals.native.oa_sync import VotingService
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.model import Verdict

_COMMANDS: Mapping[Verdict, str] = MappingProxyType({Verdict.APPROVE: "approve", Verdict.REJECT: "reject"})
"""The command that says the same in chat."""


class IdentifiesPeople(Protocol):
    """Knows people; implemented by `bot.access.people.People`."""

    async def identify(self, user_id: str | None, *, name: str) -> Person:
        """Return the person behind a userId."""
        ...


class RightfulVotes:
    """Implements `bot.approvals.native.oa_sync.VotingService`: what counts is what the person could say in chat."""

    def __init__(self, service: VotingService, people: IdentifiesPeople, policy: Callable[[], AccessPolicy]) -> None:
        self._service = service
        self._people = people
        self._policy = policy

    async def cast_vote(self, request: VoteRequest) -> VoteResult:
        """Store somebody's vote, if the access rules let them say it and it counts."""
        person = await self._people.identify(request.user_id, name=request.name)
        asked = AccessRequest(command=_COMMANDS[request.verdict], writes=True, governed=True)
        verdict = self._policy().decide(person, asked)
        if not verdict.allowed:
            return VoteResult(outcome=VoteOutcome.REFUSED, case=request.case, reasons=(verdict.reason,))
        return await self._service.cast_vote(request)

    async def case(self, case_id: str) -> Case | None:
        return await self._service.case(case_id)

    async def open_cases(self) -> Sequence[Case]:
        return await self._service.open_cases()
