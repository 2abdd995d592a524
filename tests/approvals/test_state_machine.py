"""Whatever people, the ERP, the clock and crashes do in whatever order: what must always hold holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.approvals.case import AuditRow, Case, CaseState
from bot.approvals.plan import ExpiryAction
from bot.approvals.unit_of_work import ApprovalOptions, CaseStore
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult
from bot.erp.errors import ErpError, Invalid
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, Money, ReviewState, Verdict
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from bot.store.tables import DELIVERY
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import PEOPLE, ApprovalEnv, Clock, Killed, rules
from tests.approvals.fake_erp import WriteFault, version_number
from tests.approvals.memory_repository import MemoryCaseRepository, MemoryCaseStore
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import all_of, any_of, who
from tests.bare_records import with_review
from tests.examples import examples
from tests.store.migrating import make_tables

T = TypeVar("T")

pytestmark = pytest.mark.timeout(300)  # many steps of many lives: ten seconds where nothing else runs

NUMBERS = ("PO-1", "PO-2", "PO-3")
HOUR = timedelta(hours=1)
RULES = (
    rules(),
    rules(any_of("role:purchasing"), any_of("role:finance")),
    rules(
        all_of("role:board"),
        deadline=HOUR,
        on_expiry=ExpiryAction.ESCALATE,
        escalate_to=who("person:zheng role:finance"),
    ),
    rules(deadline=HOUR, on_expiry=ExpiryAction.CLOSE, remind_after=(HOUR / 4, HOUR / 2)),
    rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang", ends=100 * HOUR),)),
    rules(daily_limits=(Money(Decimal(7000), "CNY"),), confirm_from=Money(Decimal(4000), "CNY")),
)
FAULTS: tuple[WriteFault | ErpError | DecisionResult, ...] = (
    *WriteFault,
    Invalid("预算不足"),
    DecisionResult(outcome=DecisionOutcome.UNKNOWN, document=None),
)
TERMS = (
    ApprovalOptions(),
    ApprovalOptions(undo=timedelta(seconds=20)),
    ApprovalOptions(technical_account=True, own_account="bot"),
)

WITHOUT_ACCOUNT = "zhou"
"""Of whom nobody knows what they do in the ERP."""

number = st.sampled_from(NUMBERS)
person = st.sampled_from((*PEOPLE, "stranger"))
requester = st.sampled_from(("wu", "wu", "wang", "zhou", "stranger"))
forbidden = st.sampled_from((None, None, "erp-wang"))
verdict = st.sampled_from((Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT))
reason = st.sampled_from(("贵", "贵", ""))
steps = st.sampled_from((None, None, None, *range(14)))
"""After how many steps the process dies while it does something; None: it does not."""


MAY_BE_WRITTEN = {
    CaseState.WRITING,
    CaseState.UNKNOWN,
    CaseState.APPROVED,
    CaseState.REJECTED,
    CaseState.SUPERSEDED,
    CaseState.DECIDED_ELSEWHERE,
    CaseState.WITHDRAWN,
}
"""States of cases that the ERP was told of: the last three if the ERP kept its word to itself, or changed its mind."""


class ApprovalMachine(RuleBasedStateMachine):
    """A company with its people, an ERP, and a bot that may die at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.store = self.open_store()
        self.writes: Counter[tuple[str, str]] = Counter()
        """Case and account → writes that were applied."""
        self.asked: list[Case] = []
        """All cases that anybody ever saw."""
        self.run(self.begin(ApprovalOptions()))

    def open_store(self) -> CaseStore:
        return MemoryCaseStore()

    def run(self, work: Awaitable[T]) -> T:
        async def wrapped() -> T:
            return await work

        return self.runner.run(wrapped())

    async def begin(self, terms: ApprovalOptions) -> None:
        accounts = {one: {"main": f"erp-{one}"} for one in PEOPLE if one != WITHOUT_ACCOUNT}
        self.env = ApprovalEnv(clock=self.clock, store=self.store, terms=terms, accounts=accounts)
        self.decide = self.env.erp.decide
        self.env.erp.decide = self.count_writes  # type: ignore[method-assign]

    async def count_writes(self, source: str, decision: Decision) -> DecisionResult:
        before = len(self.env.erp.written)
        case = await self.store.transact(lambda repository: repository.newest(po_key(source, decision.number)))
        assert case is not None
        assert case.state is CaseState.WRITING
        assert case.attempted_at is not None
        try:
            return await self.decide(source, decision)
        finally:
            # Others may have been written meanwhile.
            self.writes[case.id, decision.by] += sum(one is decision for one in self.env.erp.written[before:])

    @initialize(terms=st.sampled_from(TERMS), chosen=st.sampled_from(RULES), quiet=st.booleans())
    def choose(self, terms: ApprovalOptions, chosen: object, quiet: bool) -> None:
        self.run(self.begin(terms))
        self.env.rules = chosen  # type: ignore[assignment]
        self.env.erp.names_nobody = quiet
        self.env.erp.levels["PO-3"] = (("erp-wang", "erp-qian", "erp-zhao"), ("erp-sun", "erp-qian"))
        for one in NUMBERS:
            self.submit(one, "wu", 3000, None)

    def may_die(self, after: int | None, act: Callable[[], Awaitable[T]]) -> T | None:
        """Do something with a process that dies after some steps; another one is started then."""
        self.env.start(after)
        result = None
        with suppress(Killed, ErpError):
            result = self.run(act())
        self.env.start()
        return result

    # What happens in the ERP.

    @rule(
        one=number,
        requester=st.sampled_from(("wu", "wu", "wang", "zhou", "stranger")),
        total=st.sampled_from((3000, 5000)),
        after=steps,
    )
    def submit(self, one: str, requester: str, total: int, after: int | None) -> None:
        erp, before = self.env.erp, self.env.erp.orders.get(one)
        if before is not None and before.status is ReviewState.WAITING:
            return
        order = replace(waiting_order(f"{total} CNY", requester=requester), number=one)
        submitted = 0 if before is None else version_number(before.review.version)
        erp.submit(with_review(order, version=f"v{submitted + 1}"))
        self.poll(one, after)

    @rule(one=number, vendor=st.sampled_from(("ACME", "OTHER", "", "")), by=person)
    def edit(self, one: str, vendor: str, by: str) -> None:
        if one in self.env.erp.orders:
            self.env.erp.edit(one, changed_by=f"erp-{by}", **({"vendor": vendor} if vendor else {}))

    @rule(one=number, by=person, verdict=verdict)
    def decide_in_the_erp(self, one: str, by: str, verdict: Verdict) -> None:
        order = self.env.erp.orders.get(one)
        if order is not None:
            self.env.erp.apply(Decision(number=one, version=order.review.version, verdict=verdict, by=f"erp-{by}"))

    @rule(one=number, status=st.sampled_from((ReviewState.DRAFT, ReviewState.CANCELLED)))
    def give_back(self, one: str, status: ReviewState) -> None:
        order = self.env.erp.orders.get(one)
        if order is not None and order.status is ReviewState.WAITING:
            self.env.erp.edit(one, state=status)

    @rule(
        away=st.sampled_from((True, False, False)),
        fault=st.sampled_from((None, *FAULTS)),
        forbidden=st.sampled_from((None, "erp-wang")),
    )
    def trouble(self, away: bool, fault: WriteFault | None, forbidden: str | None) -> None:
        self.env.erp.away = away
        self.env.erp.faults = [fault] if fault is not None else []
        self.env.erp.forbidden = {forbidden} if forbidden else set()

    # What people and the bot do.

    @rule(one=number, after=steps)
    def poll(self, one: str, after: int | None) -> None:
        case = self.may_die(after, lambda: self.env.service.sync_document(po_key("main", one)))
        if case is not None:
            self.saw(case)

    @rule(data=st.data(), verdict=verdict, reason=reason, sure=st.sampled_from((True, True, False)), after=steps)
    def click(self, data: st.DataObject, verdict: Verdict, reason: str, sure: bool, after: int | None) -> None:
        if not self.asked:
            return
        case = self.draw_case(data)
        named = [one for level in case.plan.levels for one in level.approvers] + [one.to for one in case.forwards]
        by = data.draw(st.sampled_from((*named, *named, *PEOPLE, "stranger")))
        word = VoteRequest(
            case=case, user_id=by, name=by, verdict=verdict, seen=case.fingerprint, reason=reason, confirmed=sure
        )
        order = self.env.erp.orders.get(case.number)
        vote_result = self.may_die(after, lambda: self.env.service.cast_vote(word))
        self.heard(vote_result)
        if (
            vote_result is not None
            and vote_result.outcome in (VoteOutcome.RECORDED, VoteOutcome.DECIDED)
            and by != WITHOUT_ACCOUNT
        ):
            assert order is not None
            assert order.review.changed_by != f"erp-{by}"

    @rule(data=st.data(), fault=st.sampled_from((None, None, *FAULTS)), after=steps)
    def agree(self, data: st.DataObject, fault: WriteFault | None, after: int | None) -> None:
        """All whom a plan names click, and the writer works; the first write meets a fault."""
        if not self.asked:
            return
        case, erp = self.draw_case(data), self.env.erp
        erp.faults = [fault] if fault is not None else []

        async def all_click() -> None:
            for level in case.plan.levels:
                for one in level.approvers:
                    word = VoteRequest(case=case, user_id=one, name=one, verdict=Verdict.APPROVE, seen=case.fingerprint)
                    self.heard(await self.env.service.cast_vote(replace(word, confirmed=True)))
            await self.env.process.writer.run_once()
            await self.env.process.writer.wait_idle()

        self.may_die(after, all_click)

    @rule(data=st.data(), by=person, to=person, after=steps)
    def forward(self, data: st.DataObject, by: str, to: str, after: int | None) -> None:
        if self.asked:
            case = self.draw_case(data)
            self.heard(self.may_die(after, lambda: self.env.service.forward(case, to, by)))

    @rule(data=st.data(), by=person)
    def take_back(self, data: st.DataObject, by: str) -> None:
        if self.asked:
            case = self.draw_case(data)
            self.heard(self.run(self.env.service.take_back(case, by)))

    @rule(after=steps)
    def work(self, after: int | None) -> None:
        async def round_() -> None:
            await self.env.process.writer.run_once()
            await self.env.process.writer.wait_idle()

        self.may_die(after, round_)

    @rule(seconds=st.sampled_from((1, 5, 30, 61, 100, 1000)))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule(chosen=st.sampled_from(RULES))
    def write_rules(self, chosen: object) -> None:
        self.env.rules = chosen  # type: ignore[assignment]

    def draw_case(self, data: st.DataObject) -> Case:
        """Return a case that somebody saw, mostly one of the last, as it is by now."""
        seen = data.draw(st.sampled_from((*self.asked, *self.asked[-3:], *self.asked[-3:])))
        found = self.run(self.store.transact(lambda repository: repository.case(seen.id)))
        assert found is not None
        return found

    def saw(self, case: Case) -> None:
        if case.id not in {one.id for one in self.asked}:
            self.asked.append(case)

    def heard(self, vote_result: VoteResult | None) -> None:
        if vote_result is None:
            return
        if vote_result.outcome in (VoteOutcome.REFUSED, VoteOutcome.SILENT):
            assert vote_result.reasons
            assert all(str(one) for one in vote_result.reasons)
        if vote_result.outcome in (
            VoteOutcome.RECORDED,
            VoteOutcome.DECIDED,
            VoteOutcome.LATE,
            VoteOutcome.ELSEWHERE,
            VoteOutcome.CHANGED,
        ):
            assert vote_result.case is not None
        if vote_result.newer_case is not None:
            self.saw(vote_result.newer_case)

    # What always holds.

    def everything(self) -> list[tuple[Case, list[AuditRow]]]:
        return self.run(
            self.store.transact(
                lambda repository: [
                    (case, list(repository.audit_rows_of(case.id)))
                    for one in NUMBERS
                    for case in repository.cases_of(one, limit=1000)
                ]
            )
        )

    @invariant()
    def at_most_one_decision_and_one_write(self) -> None:
        for case, rows in self.everything():
            words = Counter(row.what for row in rows)
            decided = words["decided"] - words["taken_back"] - words["erp_refused"]
            assert decided == (case.decision is not None)
            assert sum(count for (one, _), count in self.writes.items() if one == case.id) <= 1
            assert words["opened"] == 1

    @invariant()
    def nobody_without_the_right(self) -> None:
        for case, _ in self.everything():
            names = [vote.user_id for vote in case.votes]
            assert len(names) == len(set(names))
            for vote in case.votes:
                approver = vote.on_behalf_of or vote.user_id
                assert approver in case.plan.levels[vote.level - 1].approvers
                if vote.on_behalf_of:
                    forwarded = {(one.person, one.to) for one in case.forwards}
                    assert (approver, vote.user_id) in forwarded | {("wang", "zhao")}
                assert vote.user_id not in (case.summary.requester, *case.summary.editors, "")
                # Under the bot's own account nobody needs one there: then a case can be forwarded to anybody.
                assert vote.user_id != "stranger" or self.env.terms.technical_account
                assert f"erp-{vote.user_id}" != case.summary.requested_by
                assert vote.reason or vote.verdict is Verdict.APPROVE

    @invariant()
    def the_erp_was_told_what_was_decided(self) -> None:
        cases = {case.id: (case, rows) for case, rows in self.everything()}
        for case_id, by in +self.writes:
            case, rows = cases[case_id]
            assert case.state in MAY_BE_WRITTEN
            told = {row.user_id for row in rows if row.what == "writing"}
            assert by == "bot" or by.removeprefix("erp-") in told

    @invariant()
    def one_undecided_case_of_a_document(self) -> None:
        live = Counter(case.number for case, _ in self.everything() if not case.state.is_final)
        assert all(count == 1 for count in live.values())

    def teardown(self) -> None:
        try:
            self.come_to_rest()
        finally:
            self.close()

    def close(self) -> None:
        self.runner.close()

    def come_to_rest(self) -> None:
        """The ERP is back, nobody does anything more: then the ERP and the record agree."""
        erp = self.env.erp
        erp.away, erp.faults, erp.forbidden = False, [], set()
        self.env.start()

        async def rest() -> None:
            for _ in range(3):
                await self.env.run_until_idle(3 * HOUR)
                for one in NUMBERS:
                    if one in erp.orders:
                        await self.env.service.sync_document(po_key("main", one))
            await self.env.run_until_idle(3 * HOUR)

        self.run(rest())
        newest: dict[str, Case] = {}
        for case, _ in self.everything():
            newest.setdefault(case.number, case)
            assert case.state not in (CaseState.WRITING, CaseState.UNKNOWN)
            assert case.due_at is None or case.state is CaseState.OPEN
            self.check_cards(case)
        for case in newest.values():
            self.check_agreement(case)
        self.at_most_one_decision_and_one_write()
        self.nobody_without_the_right()

    def check_agreement(self, case: Case) -> None:
        review, since = self.env.erp.orders[case.number].review, self.env.erp.waits_since[case.number]
        if review.waits:
            kept = case.version == review.version
            assert case.state is CaseState.OPEN or (kept and case.state in (CaseState.EXPIRED, CaseState.FAILED))
            return
        assert case.state.is_final
        if version_number(case.version) < version_number(since):
            return  # It waited again and was settled before anybody here looked: the case tells of the time before.
        match review.state:
            case ReviewState.APPROVED:
                assert case.state in (CaseState.APPROVED, CaseState.DECIDED_ELSEWHERE)
            case ReviewState.REJECTED:
                assert case.state in (CaseState.REJECTED, CaseState.DECIDED_ELSEWHERE)
            case _:
                assert case.state is not CaseState.APPROVED

    def check_cards(self, case: Case) -> None:
        assert isinstance(self.store, MemoryCaseStore)
        repository: MemoryCaseRepository = self.store.repository
        owed: dict[str, int] = {}
        for one in repository.deliveries:
            if one.fact.endswith(f"/{case.number}") and one.ref.startswith(case.id):
                owed[one.card] = max(owed.get(one.card, 0), one.revision)
        assert len(owed) == len(repository.cards_of(case.id))
        if case.state.is_final:
            assert set(owed.values()) == {case.revision}


class StoredApprovalMachine(ApprovalMachine):
    """The same on a database."""

    def open_store(self) -> CaseStore:
        self.database = Database("sqlite://")
        make_tables(self.database)
        return StoredCaseTransactions(self.database, self.clock)

    def close(self) -> None:
        self.run(self.database.close())
        super().close()

    def check_cards(self, case: Case) -> None:
        query = DELIVERY.select().where(DELIVERY.c.ref.startswith(case.id, autoescape=True))
        rows = self.database.run_blocking(lambda connection: connection.execute(query).all())
        cards = self.run(self.store.transact(lambda repository: len(repository.cards_of(case.id))))
        assert len(rows) == cards
        if case.state.is_final:
            assert {row.wanted for row in rows} == {case.revision}


TestApprovals = ApprovalMachine.TestCase
TestApprovals.settings = settings(max_examples=examples(1 / 4), stateful_step_count=40)
TestStored = StoredApprovalMachine.TestCase
TestStored.settings = settings(max_examples=examples(1 / 8), stateful_step_count=30)
