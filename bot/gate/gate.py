"""The gate itself: each change of a request is one transaction, checked against what the request is then."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from bot.access.policy import READ_ONLY
from bot.approvals.plan import ApprovalPlan, CompanyDirectory, Vote, VoteWay, lost_role, missing_approvers, tally
from bot.approvals.policy.gate_rules import GateQuestion, GateRuling, rule_on
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import GateRule
from bot.approvals.standing_in import follow
from bot.cards.escape import MAX_TEXT
from bot.chat.program_asks import (
    ASKED_OTHERWISE,
    ID_BYTES,
    NOT_TO_YOU,
    SEEN_BYTES,
    SWEPT_AT_ONCE,
    AskNote,
    AskRefused,
    AskUnit,
    NoSuchAsk,
    UnfitAsk,
    is_seen,
)
from bot.erp.model import Verdict
from bot.gate.facts import canonical, digest_of, flat
from bot.gate.request import (
    GateOutcome,
    GateRepository,
    GateRequest,
    GateState,
    GateStore,
)
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.unit_of_work import UnitOfWorkRunner
from bot.words.phrase import Phrase, phrase, reason_of

T = TypeVar("T")

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=7)
"""For how long a request may be open."""
MOST_ACTION = MAX_TEXT
_MOST_WAITING = 5_000
"""The number of requests that people may have to decide at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWish:
    """What a program asks for. ``asked_as`` is its idempotency key."""

    key: str
    owner: str
    owner_name: str
    asked_as: str
    gate_class: str
    action: str
    facts: Mapping[str, object]
    expires_in: timedelta


class GateUnit(AskUnit[GateRequest]):
    """One transaction at the gate."""

    action: ClassVar[str] = "gate"
    repository: GateRepository

    def note(self, ask: GateRequest) -> AskNote:
        """Return what the audit log says of a request; it holds no facts."""
        return AskNote(
            outcome=ask.outcome.value if ask.outcome is not None else ask.state.value,
            detail=f"{ask.gate_class}, facts {ask.digest}: {ask.reason}",
            rule=ask.rule,
        )


class Gate:
    """Takes requests, votes, uses and reports. Raises a `DingerpError` when the store is away: nothing was done."""

    def __init__(
        self,
        store: GateStore,
        *,
        policy: Callable[[], RuleBasedPolicy],
        company: Callable[[], CompanyDirectory],
        company_around: Callable[[str], Awaitable[CompanyDirectory]],
        read_only: Callable[[], bool],
        issuer: str,
        chance: Callable[[], float],
        metrics: Metrics,
        on_enqueued: Callable[[], None],
    ) -> None:
        """``company_around`` also knows a person's managers; ``chance`` a number from 0 to 1 that nobody guesses."""
        self._units: UnitOfWorkRunner[GateRepository, GateUnit] = UnitOfWorkRunner(store, GateUnit, on_enqueued)
        self._policy = policy
        self._company = company
        self._company_around = company_around
        self._read_only = read_only
        self._issuer = issuer
        self._chance = chance
        self._metrics = metrics

    async def ask(self, wish: GateWish) -> GateRequest:
        """Take a request, and return it with its answer if the rules have one. The same again is the same request."""
        try:
            facts = canonical(wish.facts)
        except ValueError as error:
            raise UnfitAsk(phrase("These facts have no exact form: %(why)s.", why=reason_of(error))) from None
        company, chance = await self._company_around(wish.owner), self._chance()
        return await self._run(lambda unit: self._ask(unit, wish, facts, company, chance))

    async def read(self, request: str, key: str) -> GateRequest:
        """Return a program's request as it is now. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: unit.of_key(request, key))

    async def withdraw(self, request: str, key: str) -> GateRequest:
        """Take back a request that is not used yet. Raises `AskRefused`."""
        return await self._run(lambda unit: _withdraw(unit, unit.of_key(request, key)))

    async def use(self, request: str, key: str, digest: str, verdict: str) -> GateRequest:
        """Let a program through, once: with its verdict, for the facts of this hash. Raises `AskRefused`."""
        return await self._run(lambda unit: self._use(unit, unit.of_key(request, key), digest, verdict))

    async def report(self, request: str, key: str, outcome: GateOutcome, note: str) -> GateRequest:
        """Keep what came of an action, also when it is said late. Raises `AskRefused`."""
        return await self._run(lambda unit: _report(unit, unit.of_key(request, key), outcome, note))

    async def vote(self, request: str, user_id: str, name: str, verdict: Verdict) -> GateRequest:
        """Take a person's answer, and return the request as it is then.

        To reject what is allowed withdraws it, as long as it is not used. Raises `AskRefused`.
        """
        return await self._run(lambda unit: self._vote(unit, _shown(unit, request, user_id), user_id, name, verdict))

    async def look(self, request: str, user_id: str) -> GateRequest:
        """Return a request that a person was shown. Raises `NoSuchAsk`."""
        return await self._run(lambda unit: _shown(unit, request, user_id))

    async def find(self, request: str) -> GateRequest | None:
        """Return a request."""
        return await self._units.query(lambda unit: _as_now(unit, unit.repository.find(request)))

    async def waiting_for(self, user_id: str) -> Sequence[GateRequest]:
        """Return the requests that a person may decide now, those that end first before the others."""
        policy, company = self._policy(), self._company()

        def find(unit: GateUnit) -> Sequence[GateRequest]:
            waiting = (found.at(unit.now) for found in unit.repository.waiting(_MOST_WAITING))
            return [each for each in waiting if turn_of(each, user_id, policy, company, unit.now) is not None]

        return await self._units.query(find)

    async def public_keys(self) -> Sequence[Mapping[str, str]]:
        """Return the public keys of verdicts that may still be in use."""
        return await self._units.transact(lambda unit: [key.public for key in unit.repository.signing_keys()])

    async def sweep(self) -> None:
        """Do what time has made due: expire what nobody decided or used, and tell of what was not reported."""
        for request in await self._units.query(lambda unit: unit.repository.due(SWEPT_AT_ONCE)):
            await self._run(partial(GateUnit.find, ask=request))

    async def _run(self, work: Callable[[GateUnit], T]) -> T:
        def run(unit: GateUnit) -> tuple[T, Sequence[GateRequest]]:
            return work(unit), unit.changed

        result, changed = await self._units.transact(run)
        for request in changed:
            self._metrics.gate_requests.labels(request.state.value).inc()
        return result

    def _ask(self, unit: GateUnit, wish: GateWish, facts: str, company: CompanyDirectory, chance: float) -> GateRequest:
        digest, asked = digest_of(facts), digest_of("\n".join((wish.gate_class, wish.action, facts)))
        before = unit.asked_as(wish.key, wish.asked_as)
        if before is not None:
            if before.asked != asked:
                raise AskRefused(ASKED_OTHERWISE)
            return before
        policy = self._policy()
        question = GateQuestion(key=wish.key, owner=wish.owner, gate_class=wish.gate_class, facts=wish.facts)
        ruling = rule_on(policy.gate, question, company, unit.now)
        if self._read_only():
            ruling = GateRuling(plan=None, reason=READ_ONLY, rule=ruling.rule)
        elif ruling.rule is not None and ruling.plan is not None:
            ruling = _within_budget(unit, wish, ruling, ruling.rule)
        plan, rule = ruling.plan, ruling.rule or GateRule(name="", classes=())
        if plan is not None and plan.levels:
            _check_is_seen(wish.action, facts)
        request = GateRequest(
            id=secrets.token_hex(ID_BYTES),
            key=wish.key,
            owner=wish.owner,
            owner_name=wish.owner_name,
            gate_class=wish.gate_class,
            action=wish.action,
            facts=facts,
            digest=digest,
            asked_as=wish.asked_as,
            asked=asked,
            state=GateState.PENDING,
            reason=ruling.reason,
            rule=rule.name,
            policy=policy.version,
            plan=plan or ApprovalPlan(rule=rule.name, levels=()),
            asked_at=unit.now,
            expires_at=unit.now + wish.expires_in,
            report_within=rule.report_within,
        )
        if plan is None:
            request = self._decided(unit, request, GateState.DENIED, ruling.reason)
        elif not plan.levels:
            request = self._decided(unit, request, GateState.ALLOWED, ruling.reason)
            request = replace(request, shown_to=ruling.told if chance < rule.sample else ())
        else:
            request = _shown_to_next(request, policy, unit.now)
        return unit.change(request)

    def _decided(self, unit: GateUnit, request: GateRequest, state: GateState, reason: Phrase) -> GateRequest:
        """Return a request with its one verdict."""
        claims = {
            "iss": self._issuer,
            "aud": request.key,
            "sub": request.id,
            "iat": int(unit.now.timestamp()),
            "exp": int(request.expires_at.timestamp()),
            "jti": secrets.token_hex(ID_BYTES),
            "class": request.gate_class,
            "facts_sha256": request.digest,
            "verdict": state.value,
        }
        return replace(request.moved(state, reason), verdict=unit.repository.signing_keys()[0].sign(claims))

    def _vote(self, unit: GateUnit, request: GateRequest, user_id: str, name: str, verdict: Verdict) -> GateRequest:
        if request.state is GateState.ALLOWED and verdict is Verdict.REJECT:
            return _withdraw(unit, request, user_id)
        if request.state is not GateState.PENDING:
            return request
        if verdict is Verdict.APPROVE and self._read_only():
            raise AskRefused(READ_ONLY)
        policy = self._policy()
        instead_of = turn_of(request, user_id, policy, self._company(), unit.now)
        if instead_of is None:
            raise AskRefused(phrase("It is not yours to decide, or not your turn."))
        level = tally(request.plan, request.votes)
        assert not isinstance(level, Verdict), "a request that waits is not decided"
        said = Vote(
            user_id=user_id,
            name=name,
            level=level,
            verdict=verdict,
            at=unit.now,
            on_behalf_of="" if instead_of == user_id else instead_of,
            way=VoteWay.CARD,
        )
        request = replace(request, votes=(*request.votes, said))
        match tally(request.plan, request.votes):
            case Verdict.APPROVE:
                request = self._decided(unit, request, GateState.ALLOWED, phrase("%(name)s allowed it.", name=name))
            case Verdict.REJECT:
                request = self._decided(unit, request, GateState.DENIED, phrase("%(name)s denied it.", name=name))
            case _:
                agreed = phrase("%(name)s agreed; others have to as well.", name=name)
                request = _shown_to_next(request.moved(GateState.PENDING, agreed), policy, unit.now)
        return unit.change(request, user_id)

    def _use(self, unit: GateUnit, request: GateRequest, digest: str, verdict: str) -> GateRequest:
        if self._read_only():
            raise AskRefused(READ_ONLY)
        if request.state is not GateState.ALLOWED:
            raise AskRefused(phrase("It is %(state)s, and cannot be used.", state=request.state.called))
        if not secrets.compare_digest(verdict.encode(), request.verdict.encode()):
            raise AskRefused(phrase("This is not the verdict on this request."))
        if not secrets.compare_digest(digest.encode(), request.digest.encode()):
            raise AskRefused(phrase("The facts have changed: ask again with the new ones."))
        used = request.moved(GateState.USED, phrase("The program was let through."), used_at=unit.now)
        return unit.change(used)


def _withdraw(unit: GateUnit, request: GateRequest, by: str = "") -> GateRequest:
    if request.state is GateState.WITHDRAWN:
        return request
    if request.state not in (GateState.PENDING, GateState.ALLOWED):
        raise AskRefused(phrase("It is %(state)s: there is nothing to take back.", state=request.state.called))
    reason = phrase("It was taken back before it was used.") if by else phrase("The program took it back.")
    return unit.change(request.moved(GateState.WITHDRAWN, reason), by)


def _report(unit: GateUnit, request: GateRequest, outcome: GateOutcome, note: str) -> GateRequest:
    if request.outcome is not None:
        if (request.outcome, request.note) == (outcome, note):
            return request
        raise AskRefused(phrase("Something else was reported before."))
    if request.state not in (GateState.USED, GateState.UNCERTAIN):
        raise AskRefused(phrase("It is %(state)s: there is nothing to report.", state=request.state.called))
    done = outcome is GateOutcome.DONE
    reason = phrase("The program says that it is done.") if done else phrase("The program says that it failed.")
    return unit.change(request.moved(GateState.USED, reason, outcome=outcome, note=note))


def turn_of(
    request: GateRequest, user_id: str, policy: RuleBasedPolicy, company: CompanyDirectory, now: datetime
) -> str | None:
    """Return in whose place a person may decide now, which is mostly their own; None if they may not.

    Nobody decides twice, nobody on their own program, and nobody by a role that they have lost.
    """
    level = tally(request.plan, request.votes)
    spoken = {vote.user_id for vote in request.votes}
    if request.state is not GateState.PENDING or isinstance(level, Verdict) or user_id in {request.owner, *spoken}:
        return None
    missing = missing_approvers(request.plan.level(level), request.votes)
    turns = (who for who in missing if user_id == who or user_id in _stand_ins(request, who, policy, now))
    # Their own turn comes before those of others.
    candidates = sorted(turns, key=lambda who: who != user_id)
    return next((who for who in candidates if not lost_role(request.plan, who, company)), None)


def _stand_ins(request: GateRequest, approver: str, policy: RuleBasedPolicy, now: datetime) -> tuple[str, ...]:
    """Return who may decide in an approver's place: never the program's owner, nor whom only they name."""
    owner = request.owner
    found = follow(approver, lambda away: policy.substitutes_of(away, now), lambda person: person != owner)
    return tuple(person for person in found if person != owner)


def _shown_to_next(request: GateRequest, policy: RuleBasedPolicy, now: datetime) -> GateRequest:
    """Return a request whose card those get whose turn it is, and who stands in for them."""
    level = tally(request.plan, request.votes)
    assert not isinstance(level, Verdict), "a request that waits is not decided"
    awaited = missing_approvers(request.plan.level(level), request.votes)
    instead = (by for who in awaited for by in _stand_ins(request, who, policy, now))
    return replace(request, shown_to=tuple(dict.fromkeys((*request.shown_to, *awaited, *instead))))


def _as_now(unit: GateUnit, found: GateRequest | None) -> GateRequest | None:
    return None if found is None else found.at(unit.now)


def _shown(unit: GateUnit, request: str, user_id: str) -> GateRequest:
    found = unit.find(request)
    if found is None or user_id not in found.shown_to:
        raise NoSuchAsk(NOT_TO_YOU)
    return found


def _within_budget(unit: GateUnit, wish: GateWish, ruling: GateRuling, rule: GateRule) -> GateRuling:
    if rule.budget is None:
        return ruling
    today = unit.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit.repository.granted_since(wish.key, wish.gate_class, today) < rule.budget:
        return ruling
    spent = phrase("“%(rule)s” allows %(budget)s a day, and they are used up.", rule=rule.name, budget=rule.budget)
    return GateRuling(plan=None, reason=spent, rule=rule)


def _check_is_seen(action: str, facts: str) -> None:
    parts = [part for fact in flat(facts) for part in (fact.name, fact.value)]
    if not is_seen(action, *parts):
        reason = phrase(
            "People decide on what they see: %(most)s bytes of action and facts fit a card, %(longest)s characters one "
            "fact; send what matters.",
            most=SEEN_BYTES,
            longest=MAX_TEXT,
        )
        raise UnfitAsk(reason)
