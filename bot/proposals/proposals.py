"""The service of proposals: each change is one transaction, checked against what the proposal is then.

Whoever accepts a proposal writes its line: in the same transaction it becomes a message in the inbox, from its owner in
their own chat. So it is answered as anything that they type, under the rights that they have then, once, and also after
a crash.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Self, TypeVar

from bot.access.api_keys import ProgramKey
from bot.access.people import Person
from bot.access.policy import AccessPolicy, Denied
from bot.chat.answers.ports import InboxMessage
from bot.chat.arguments import Keyword
from bot.chat.errors import BadArgument
from bot.chat.message import Conversation
from bot.chat.parsing import MAX_LINE_BYTES, normalise
from bot.chat.program_asks import (
    ASKED_OTHERWISE,
    ID_BYTES,
    NOT_TO_YOU,
    SWEPT_AT_ONCE,
    AskNote,
    AskRefused,
    AskUnit,
    NoSuchAsk,
    TooManyAsks,
    UnfitAsk,
    is_seen,
)
from bot.chat.registry import Commands
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.unit_of_work import UnitOfWorkRunner
from bot.proposals.proposal import Proposal, ProposalRepository, ProposalState, ProposalStore
from bot.words.phrase import phrase

T = TypeVar("T")

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)
"""For how long a proposal may wait."""
MOST_OF_KEY, MOST_OF_OWNER = 10, 20
"""Proposals that wait or came within `WINDOW`: a program must not flood a person's chat."""
WINDOW = timedelta(hours=1)

TypedLine = Callable[[Proposal, Conversation], InboxMessage]
"""Makes the message that a proposal's owner would have written in a conversation."""


@dataclass(frozen=True, slots=True)
class ProposalAsker:
    """Who proposes: a program by its key, or a shared table. Nothing that it asked for outlives ``until``."""

    id: str
    user_id: str
    """Whose it is."""
    until: datetime

    @classmethod
    def of_key(cls, key: ProgramKey) -> Self:
        """Return the program with a key."""
        return cls(key.id, key.user_id, key.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalWish:
    """What is to be run. ``asked_as`` is the asker's idempotency key, ``owner`` whose the asker is, as they are now."""

    asker: ProposalAsker
    owner: Person
    asked_as: str
    line: str
    reason: str
    expires_in: timedelta


class ProposalUnit(AskUnit[Proposal]):
    """One transaction on proposals."""

    action: ClassVar[str] = "proposal"
    repository: ProposalRepository

    def note(self, ask: Proposal) -> AskNote:
        """Return what the audit log says: the command, and neither its words nor those of the program."""
        by = f"the shared table {ask.sheet}" if ask.sheet else f"the API key {ask.key}"
        return AskNote(outcome=ask.state.value, detail=f"/{ask.command}, by {by}")

    def end(self, proposal: Proposal, state: ProposalState, by: str = "") -> Proposal:
        """Return a proposal with an end, unless it has one already."""
        ended = proposal.ended(state, self.now)
        return proposal if ended is proposal else self.change(ended, by)


class Proposals:
    """Takes proposals and answers. Raises a `DingerpError` when the store is away: nothing was done."""

    def __init__(
        self,
        store: ProposalStore,
        *,
        commands: Commands,
        policy: Callable[[], AccessPolicy],
        typed: TypedLine,
        metrics: Metrics,
        on_enqueued: Callable[[], None],
    ) -> None:
        self._units: UnitOfWorkRunner[ProposalRepository, ProposalUnit] = UnitOfWorkRunner(
            store, ProposalUnit, on_enqueued
        )
        self._commands = commands
        self._policy = policy
        self._typed = typed
        self._metrics = metrics
        self._answer_now: Callable[[InboxMessage], None] = lambda message: None

    def hand_lines_to(self, answer_now: Callable[[InboxMessage], None]) -> None:
        """Have accepted lines answered at once; without anybody who does they wait in the inbox for the next start."""
        self._answer_now = answer_now

    async def propose(self, wish: ProposalWish) -> Proposal:
        """Put a line to its owner. The same again is the same proposal, and so is a line that waits already.

        Raises `UnfitAsk` for what is no such line, `Denied` for what its owner may not do now, and `AskRefused`.
        """
        line, command = self._check(wish)
        return await self._run(lambda unit: _propose(unit, wish, line, command))

    async def read(self, proposal: str, key: str) -> Proposal:
        """Return a program's proposal as it is now. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: unit.of_key(proposal, key))

    async def withdraw(self, proposal: str, key: str) -> Proposal:
        """Take back what waits; what has an end keeps it. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: unit.end(unit.of_key(proposal, key), ProposalState.WITHDRAWN))

    async def of_key(self, key: str, after: str, limit: int) -> Sequence[Proposal] | None:
        """Return a key's proposals, the newest first, from the one after an id on; None for an unknown id."""

        def find(unit: ProposalUnit) -> Sequence[Proposal] | None:
            found = unit.repository.of_key(key, after, limit)
            return None if found is None else [each.at(unit.now) for each in found]

        return await self._units.query(find)

    async def look(self, proposal: str, user_id: str) -> Proposal:
        """Return what was proposed to a person. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: _to(unit, proposal, user_id))

    async def waiting_for(self, user_id: str) -> Sequence[Proposal]:
        """Return what waits for a person, what ends first before the others."""

        def find(unit: ProposalUnit) -> Sequence[Proposal]:
            return [each for each in unit.repository.waiting(user_id) if each.at(unit.now) is each]

        return await self._units.query(find)

    async def accept(self, proposal: str, user_id: str, where: Conversation) -> Proposal:
        """Have the line run in its owner's own chat, and return the proposal as it is then. Raises `NoSuchAsk`."""
        written: list[InboxMessage] = []

        def accept(unit: ProposalUnit) -> Proposal:
            written.clear()
            found = _to(unit, proposal, user_id)
            accepted = unit.end(found, ProposalState.ACCEPTED, user_id)
            if accepted is not found:
                written.append(self._typed(accepted, where))
                unit.repository.type(written[0])
            return accepted

        def answer() -> None:
            for message in written:
                self._answer_now(message)

        return await self._run(accept, answer)

    async def decline(self, proposal: str, user_id: str) -> Proposal:
        """Leave it, and return the proposal as it is then. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: unit.end(_to(unit, proposal, user_id), ProposalState.DECLINED, user_id))

    async def find(self, proposal: str) -> Proposal | None:
        """Return a proposal as it is now."""

        def find(unit: ProposalUnit) -> Proposal | None:
            found = unit.repository.find(proposal)
            return None if found is None else found.at(unit.now)

        return await self._units.query(find)

    async def sweep(self) -> None:
        """End what nobody answered in time."""
        for proposal in await self._units.query(lambda unit: unit.repository.due(SWEPT_AT_ONCE)):
            await self._run(partial(ProposalUnit.find, ask=proposal))

    async def _run(self, work: Callable[[ProposalUnit], T], on_commit: Callable[[], None] | None = None) -> T:
        def run(unit: ProposalUnit) -> tuple[T, Sequence[Proposal]]:
            return work(unit), unit.changed

        result, changed = await self._units.transact(run, on_commit=on_commit)
        for proposal in changed:
            self._metrics.proposals.labels(proposal.state.value).inc()
        return result

    def _check(self, wish: ProposalWish) -> tuple[str, str]:
        """Return the line as it is run, and its command: one that changes something, and that its owner may use now."""
        line = normalise(wish.line)
        parsed = self._commands.parse(line)
        if not line.startswith("/") or parsed.command is None:
            raise UnfitAsk(phrase("This is no line of a command: it begins with / and the name of one."))
        command = self._commands[parsed.command]
        if self._commands.rest_only_asks(command.name, parsed.rest):
            raise UnfitAsk(phrase("This line only asks, so nobody has to decide it: ask it by POST /questions."))
        themselves = UnfitAsk(phrase("Only the person themselves answers with this command: no program proposes it."))
        if not command.proposable:
            raise themselves
        try:
            _, named = command.signature.parse(parsed.rest)
        except BadArgument as error:
            raise UnfitAsk(error.tell()) from None
        if any(isinstance(each, Keyword) and each.answers for each in named.values()):
            raise themselves
        if len(line.encode()) > MAX_LINE_BYTES or not is_seen(line, wish.reason):
            raise UnfitAsk(phrase("People decide on what they see: line and reason have to fit a card."))
        verdict = self._policy().decide(wish.owner, command.request())
        if not verdict.allowed:
            raise Denied(verdict)
        return line, command.name


def _propose(unit: ProposalUnit, wish: ProposalWish, line: str, command: str) -> Proposal:
    asker, owner = wish.asker, wish.asker.user_id
    before = unit.asked_as(asker.id, wish.asked_as)
    if before is not None:
        if (before.line, before.reason) != (line, wish.reason):
            raise AskRefused(ASKED_OTHERWISE)
        return before
    lately = [each.at(unit.now) for each in unit.repository.recent(owner, unit.now - WINDOW)]
    own = [each for each in lately if each.key == asker.id]
    for each in own:
        if each.line == line and each.state is ProposalState.WAITING:
            return each
    if len(own) >= MOST_OF_KEY or len(lately) >= MOST_OF_OWNER:
        raise TooManyAsks(phrase("Too much was proposed to this person: let them answer first."))
    proposal = Proposal(
        id=secrets.token_hex(ID_BYTES),
        key=asker.id,
        owner=owner,
        line=line,
        command=command,
        reason=wish.reason,
        asked_as=wish.asked_as,
        asked_at=unit.now,
        expires_at=min(unit.now + wish.expires_in, asker.until),
    )
    return unit.change(proposal)


def _to(unit: ProposalUnit, proposal: str, user_id: str) -> Proposal:
    found = unit.find(proposal)
    if found is None or found.owner != user_id:
        raise NoSuchAsk(NOT_TO_YOU)
    return found
