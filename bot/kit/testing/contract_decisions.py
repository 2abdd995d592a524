"""Contract cases of approving and rejecting: once, by people who may, on what they saw, never repeated in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import AuthFailed, Invalid, NotFound, RateLimited, Unavailable
from bot.erp.kinds import DECIDED, Kind
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, ReviewState, Verdict
from bot.erp.port import Capability, Erp, verdicts_on
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import REASON, ContractBase, Network, OpenErp, case
from bot.kit.testing.contract_faults import SHORT
from bot.kit.testing.erp_checks import all_changes, resulting_document
from bot.kit.testing.fake_erp import FakeServer, Installation, RequestKind

APPROVE = (Capability.APPROVE,)
REJECT = (Capability.APPROVE, Capability.REJECT)
VERSION = (Capability.APPROVE, Capability.VERSION_CHECK)
FOLLOWED = (Capability.APPROVE, Capability.CHANGED_SINCE)
EACH_DECIDED = ("kind", DECIDED)


class DecisionsContract(ContractBase):
    """Deciding on documents of each kind. What came of it is read at the ERP itself, beside the adapter."""

    @case(
        "decide.approve",
        "An approval is applied, and the answer is what the ERP then has",
        needs=APPROVE,
        over=EACH_DECIDED,
    )
    async def test_approve(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.APPLIED
        after = await installation.document(kind, number)
        assert after.review.state is ReviewState.APPROVED
        self.assert_same(resulting_document(result), after)
        assert resulting_document(result) == await erp.document(kind, number)
        assert resulting_document(result).review.version != seen.review.version

    @case(
        "decide.reject",
        "A rejection is applied, and its reason stands in the ERP word for word",
        needs=REJECT,
        over=EACH_DECIDED,
    )
    async def test_reject(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        result = await erp.decide(self.decision(seen, Verdict.REJECT))
        assert result.outcome is DecisionOutcome.APPLIED
        after = await installation.document(kind, number)
        assert after.review.state is ReviewState.REJECTED
        assert after.review.progress.reason == REASON
        self.assert_same(resulting_document(result), after)
        assert resulting_document(result).review.version != seen.review.version

    @case("decide.by", "It is done in the name of the person who decided", needs=APPROVE, over=EACH_DECIDED)
    async def test_by(self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]) -> None:
        for number, by in zip(self.waiting_numbers(company, kind), (self.approver, self.colleague), strict=False):
            seen = await erp.document(kind, number)
            assert (await erp.decide(self.decision(seen, by=by))).outcome is DecisionOutcome.APPLIED
            assert (await installation.document(kind, number)).review.progress.decided_by == by

    @case("decide.twice", "The same decision again changes nothing", needs=APPROVE, over=EACH_DECIDED)
    async def test_twice(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number = self.waiting_numbers(company, kind)[0]
        decision = self.decision(await erp.document(kind, number))
        first = await erp.decide(decision)
        after = await installation.document(kind, number)
        again = await erp.decide(decision)
        assert again.outcome is DecisionOutcome.ALREADY_DECIDED
        assert again.document == first.document
        assert await installation.document(kind, number) == after

    @case("decide.opposite", "The opposite decision afterwards changes nothing", needs=REJECT, over=EACH_DECIDED)
    async def test_opposite(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        for number, verdict, opposite in zip(
            self.waiting_numbers(company, kind), Verdict, reversed(Verdict), strict=False
        ):
            seen = await erp.document(kind, number)
            await erp.decide(self.decision(seen, verdict))
            after = await installation.document(kind, number)
            late = await erp.decide(self.decision(seen, opposite, self.colleague))
            assert late.outcome is DecisionOutcome.ALREADY_DECIDED
            assert await installation.document(kind, number) == after

    @case(
        "decide.two_people",
        "Of two people at once one is applied, and the other is told",
        needs=APPROVE,
        over=EACH_DECIDED,
    )
    async def test_two_people(
        self, open_erp: OpenErp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        first, second = await open_erp(), await open_erp()
        number, seen = await self._first_waiting(first, company, kind)
        await second.check()
        if isinstance(installation, FakeServer):
            installation.faults.synchronize_writes(2)
        results = await asyncio.gather(
            first.decide(self.decision(seen)), second.decide(self.decision(seen, by=self.colleague))
        )
        outcomes = [result.outcome for result in results]
        assert sorted(outcomes) == sorted((DecisionOutcome.APPLIED, DecisionOutcome.ALREADY_DECIDED))
        await self._is_by_the_applied(results, installation, kind, number)

    @case(
        "decide.against_each_other",
        "Of an approval and a rejection at once one is applied",
        needs=REJECT,
        over=EACH_DECIDED,
    )
    async def test_against(
        self, open_erp: OpenErp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        first, second = await open_erp(), await open_erp()
        number, seen = await self._first_waiting(first, company, kind)
        await second.check()
        if isinstance(installation, FakeServer):
            installation.faults.synchronize_writes(2)
        results = await asyncio.gather(
            first.decide(self.decision(seen)), second.decide(self.decision(seen, Verdict.REJECT, self.colleague))
        )
        assert sorted(result.outcome for result in results) == sorted(
            (DecisionOutcome.APPLIED, DecisionOutcome.ALREADY_DECIDED)
        )
        status = (await installation.document(kind, number)).review.state
        applied = next(n for n, result in enumerate(results) if result.outcome is DecisionOutcome.APPLIED)
        assert status is (ReviewState.APPROVED, ReviewState.REJECTED)[applied]

    @case(
        "decide.changed", "A document that changed since it was shown is not decided", needs=VERSION, over=EACH_DECIDED
    )
    async def test_changed(
        self, erp: Erp, company: ReferenceCompany, clock: Clock, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        clock.advance(60)
        company.set_total(number, Decimal("99999.99"), kind=kind)
        before = await installation.document(kind, number)
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
        assert await installation.document(kind, number) == before
        self.assert_same(resulting_document(result), before)
        assert (await erp.decide(self.decision(resulting_document(result)))).outcome is DecisionOutcome.APPLIED

    @case(
        "decide.changed_at_once",
        "A changed total is noticed even where the time of change is the same",
        needs=VERSION,
        over=EACH_DECIDED,
    )
    async def test_changed_at_once(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        company.set_total(number, Decimal("99999.99"), kind=kind, at=company.documents(kind)[number].changed_at)
        assert (await erp.decide(self.decision(seen))).outcome is DecisionOutcome.CHANGED_SINCE_SHOWN

    @case(
        "decide.cancelled", "A document that was cancelled meanwhile is not decided", needs=APPROVE, over=EACH_DECIDED
    )
    async def test_cancelled(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        company.cancel(number, kind=kind)
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.ALREADY_DECIDED
        assert (await installation.document(kind, number)).review.state is ReviewState.CANCELLED

    @case("decide.outsider", "Who may not decide changes nothing", needs=APPROVE, over=EACH_DECIDED)
    async def test_outsider(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        before = await installation.document(kind, number)
        for by in (self.outsider, self.second_approver, "nobody we know", ""):
            result = await erp.decide(self.decision(seen, by=by))
            assert result.outcome is DecisionOutcome.NOT_PERMITTED, by
        assert await installation.document(kind, number) == before

    @case("decide.own", "Nobody decides a request of their own", needs=APPROVE, over=EACH_DECIDED)
    async def test_own(self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        result = await erp.decide(self.decision(seen, by=self.requester))
        assert result.outcome is DecisionOutcome.NOT_PERMITTED
        assert (await installation.document(kind, number)).review.state is ReviewState.WAITING

    @case(
        "decide.no_right",
        "A right that the ERP denies at the write is told, not taken for success",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_no_right(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.forbid_deciding()
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.NOT_PERMITTED
        assert company.documents(kind)[number].review.state is ReviewState.WAITING

    @case(
        "decide.levels",
        "The first of two levels is recorded; the second, by another person, applies",
        needs=APPROVE,
        over=EACH_DECIDED,
    )
    async def test_levels(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind, levels=2)
        first = await erp.decide(self.decision(seen))
        assert first.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
        between = resulting_document(first)
        assert between.review.state is ReviewState.WAITING
        self.assert_same(between, await installation.document(kind, number))
        same_person = await erp.decide(self.decision(between))
        assert same_person.outcome in {DecisionOutcome.NOT_PERMITTED, DecisionOutcome.ALREADY_DECIDED}
        assert (await installation.document(kind, number)).review.state is ReviewState.WAITING
        second = await erp.decide(self.decision(between, by=self.second_approver))
        assert second.outcome is DecisionOutcome.APPLIED
        assert (await installation.document(kind, number)).review.state is ReviewState.APPROVED

    @case(
        "decide.level_again",
        "The first level again, on what was seen before, changes nothing",
        needs=APPROVE,
        over=EACH_DECIDED,
    )
    async def test_level_again(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind, levels=2)
        await erp.decide(self.decision(seen))
        between = await installation.document(kind, number)
        again = await erp.decide(self.decision(seen))
        assert again.outcome is DecisionOutcome.ALREADY_DECIDED
        assert await installation.document(kind, number) == between

    @case("decide.level_reject", "A rejection at the first of two levels is final", needs=REJECT, over=EACH_DECIDED)
    async def test_level_reject(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number = self.waiting_numbers(company, kind, levels=2)[0]
        result = await erp.decide(self.decision(await erp.document(kind, number), Verdict.REJECT))
        assert result.outcome is DecisionOutcome.APPLIED
        assert (await installation.document(kind, number)).review.state is ReviewState.REJECTED

    @case("decide.draft", "A document that was never submitted is not decided", needs=APPROVE, over=EACH_DECIDED)
    async def test_draft(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        number = next(o.number for o in company.documents(kind).values() if o.review.state is ReviewState.DRAFT)
        seen = await erp.document(kind, number)
        with pytest.raises(Invalid):
            await erp.decide(self.decision(seen))
        assert (await installation.document(kind, number)).review.state is ReviewState.DRAFT

    @case("decide.not_found", "Deciding on an unknown document finds nothing", needs=APPROVE, over=EACH_DECIDED)
    async def test_unknown_order(self, erp: Erp, kind: Kind[Any]) -> None:
        for number in ("NO-SUCH-NUMBER", ""):
            with pytest.raises(NotFound):
                await erp.decide(
                    Decision(kind=kind.command, number=number, version="1", verdict=Verdict.APPROVE, by=self.approver)
                )

    @case(
        "decide.lost_done",
        "Of a write whose answer is lost, the document tells that it was done",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_done(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.lose_write_answer()
        server.requests.clear()
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.APPLIED
        assert company.documents(kind)[number].review.state is ReviewState.APPROVED
        assert server.requests.count(RequestKind.WRITE) == 1

    @case(
        "decide.lost_silent",
        "Of a write that is never answered too, within its time",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_silent(
        self, open_erp: OpenErp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        erp = await open_erp(timeout=SHORT)
        _, seen = await self._first_waiting(erp, company, kind)
        server.faults.lose_write_answer(hang=True)
        server.requests.clear()
        assert (await erp.decide(self.decision(seen))).outcome is DecisionOutcome.APPLIED
        assert server.requests.count(RequestKind.WRITE) == 1

    @case(
        "decide.lost_undone",
        "Of a write that left no trace, the outcome is unknown, and it is not sent again",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_undone(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.lose_write_answer(happens=False)
        server.requests.clear()
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.UNKNOWN
        self.assert_same(resulting_document(result), company.documents(kind)[number])
        assert server.requests.count(RequestKind.WRITE) == 1
        assert company.documents(kind)[number].review.state is ReviewState.WAITING

    @case(
        "decide.lost_blind",
        "Where the document cannot be read again either, the outcome is unknown",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_blind(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        _, seen = await self._first_waiting(erp, company, kind)
        server.faults.lose_write_answer(then_down=True)
        server.requests.clear()
        result = await erp.decide(self.decision(seen))
        assert (result.outcome, result.document) == (DecisionOutcome.UNKNOWN, None)
        assert server.requests.count(RequestKind.WRITE) == 1

    @case(
        "decide.lost_other",
        "Somebody else's decision is not taken for a lost one",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_other(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.lose_write_answer(
            happens=False, meanwhile=lambda: company.decide(number, Verdict.APPROVE, self.colleague, kind=kind)
        )
        result = await erp.decide(self.decision(seen))
        assert result.outcome is DecisionOutcome.ALREADY_DECIDED

    @case(
        "decide.lost_level",
        "Of a lost first level, the document tells that it was recorded",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_lost_level(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        _, seen = await self._first_waiting(erp, company, kind, levels=2)
        server.faults.lose_write_answer()
        server.requests.clear()
        assert (await erp.decide(self.decision(seen))).outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
        assert server.requests.count(RequestKind.WRITE) == 1

    @case(
        "decide.not_sent",
        "A decision that surely did not happen is an error, and may be tried again",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_not_sent(self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.maintenance(503)
        with pytest.raises(Unavailable):
            await erp.decide(self.decision(seen))
        server.faults.clear()
        server.faults.rate_limit(1, retry_after=7)
        with pytest.raises(RateLimited):
            await erp.decide(self.decision(seen))
        server.faults.clear()
        assert company.documents(kind)[number].review.state is ReviewState.WAITING
        assert (await erp.decide(self.decision(seen))).outcome is DecisionOutcome.APPLIED

    @case(
        "decide.expired",
        "A login that ran out is renewed, and the decision is done once",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_expired_at_decision(
        self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.expire_login()
        version = int(company.documents(kind)[number].review.version)
        assert (await erp.decide(self.decision(seen))).outcome is DecisionOutcome.APPLIED
        assert int(company.documents(kind)[number].review.version) == version + 1

    @case(
        "decide.wrong_account",
        "With a wrong account nothing is decided",
        needs=APPROVE,
        over=EACH_DECIDED,
        network=Network.HTTP,
    )
    async def test_wrong_account(
        self, erp: Erp, company: ReferenceCompany, server: FakeServer, kind: Kind[Any]
    ) -> None:
        number, seen = await self._first_waiting(erp, company, kind)
        server.faults.refuse_login()
        with pytest.raises(AuthFailed):
            await erp.decide(self.decision(seen))
        assert company.documents(kind)[number].review.state is ReviewState.WAITING

    @case("decide.followed", "A decision shows among the changes", needs=FOLLOWED, over=EACH_DECIDED)
    async def test_followed(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        _, cursor = await all_changes(erp, kind.followed)
        for number in reversed(self.waiting_numbers(company, kind)[:3]):
            await erp.decide(self.decision(await erp.document(kind, number)))
            items, cursor = await all_changes(erp, kind.followed, cursor)
            assert [change.key for change in items] == [number]

    @case("refuse.decide", "What cannot be decided is said so, and nothing changes", over=EACH_DECIDED, refusal=True)
    async def test_refused_verdicts(
        self, erp: Erp, company: ReferenceCompany, installation: Installation, kind: Kind[Any]
    ) -> None:
        assert verdicts_on(erp, kind) == self.verdicts(kind)
        number = next(iter(company.documents(kind)))
        before = await installation.document(kind, number)
        for verdict in set(Verdict) - self.verdicts(kind):
            decision = Decision(
                kind=kind.command, number=number, version="1", verdict=verdict, by=self.approver, reason=REASON
            )
            assert (await erp.decide(decision)).outcome is DecisionOutcome.UNSUPPORTED
        assert await installation.document(kind, number) == before

    async def _first_waiting(
        self, erp: Erp, company: ReferenceCompany, kind: Kind[Any], *, levels: int = 1
    ) -> tuple[str, Any]:
        """Return the number of a document that waits for its first approval, and the document as people see it."""
        number = self.waiting_numbers(company, kind, levels=levels)[0]
        return number, await erp.document(kind, number)

    async def _is_by_the_applied(
        self, results: Sequence[DecisionResult], installation: Installation, kind: Kind[Any], number: str
    ) -> None:
        """Check that whose decision the ERP has is the one who was told so."""
        people = (self.approver, self.colleague)
        applied = next(n for n, result in enumerate(results) if result.outcome is DecisionOutcome.APPLIED)
        after = await installation.document(kind, number)
        assert after.review.progress.decided_by == people[applied]
