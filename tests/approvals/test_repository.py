"""One suite for all case repositories, in memory, on SQLite and on PostgreSQL; a unit of work is a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import func, select, text

from bot.access.audit import AuditKind, AuditSearch
from bot.approvals.absence import Absence
from bot.approvals.case import (
    ApprovalCardKind,
    AuditRow,
    Case,
    CaseCard,
    CaseConflict,
    CaseDecision,
    CaseSearch,
    CaseState,
    DocumentSummary,
    ExternalDecision,
    short_id,
)
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, ExpiryAction, Forward, Quorum, Vote
from bot.approvals.unit_of_work import CaseRepository, CaseStore
from bot.erp.kinds import PURCHASE_ORDERS, SALES_ORDERS
from bot.erp.model import DecisionOutcome, Money, ReviewState, Verdict
from bot.mechanisms.unit_of_work import WriteConflict
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place, PlaceKind
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import APPROVAL_AUDIT, APPROVAL_DECISION, DELIVERY
from bot.words.phrase import phrase
from tests.approvals.company import NOW, po_key
from tests.approvals.memory_repository import MemoryCaseStore

SECOND = timedelta(seconds=1)
GROUP = Place(PlaceKind.GROUP, "cid|Odd==")


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CaseStore]:
    if request.param == "memory":
        yield MemoryCaseStore()
        return
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield StoredCaseTransactions(database, lambda: NOW)
    await database.close()


def a_case(number: str = "PO-1", round_: int = 1, **fields: object) -> Case:
    values: dict[str, object] = {
        "id": f"{number}{fields.get('source', '')}-{round_}",
        "source": "main",
        "kind": PURCHASE_ORDERS,
        "number": number,
        "fingerprint": "f",
        "version": "v1",
        "state": CaseState.OPEN,
        "plan": ApprovalPlan(
            rule="r", levels=(ApprovalLevel(number=1, quorum=Quorum.ANY, approvers=("wang", "qian"), excluded={}),)
        ),
        "policy": "1",
        "opened_at": NOW,
    }
    return Case(**values | fields)  # type: ignore[arg-type]  # fields of a case


def vote(user_id: str, verdict: Verdict = Verdict.APPROVE, at: timedelta = SECOND) -> Vote:
    return Vote(user_id=user_id, name=user_id, level=1, verdict=verdict, at=NOW + at)


DECISION = CaseDecision(verdict=Verdict.REJECT, by="wang", name="王", account="erp-w", reason="贵", at=NOW + 2 * SECOND)

FULL = a_case(
    "PO-Ä1",
    level=2,
    waits_for=("erp-w",),
    summary=DocumentSummary(
        partner="ACME 螺丝",
        total=Money(Decimal("12345678901234567890.1230"), "CNY"),
        due_on=date(2026, 12, 1),
        requester="li",
        requested_by="erp-li",
        editors=frozenset({"a", "b"}),
    ),
    state=CaseState.WRITING,
    plan=ApprovalPlan(
        rule="大额",
        levels=(
            ApprovalLevel(
                number=1, quorum=Quorum.ALL, approvers=("wang",), excluded={"li": phrase("They requested it.")}
            ),
            ApprovalLevel(number=2, quorum=Quorum.ANY, approvers=("sun", "zhou"), excluded={}),
        ),
        confirm=True,
        remind_after=(timedelta(hours=1, microseconds=1), timedelta(hours=2)),
        deadline=timedelta(days=2),
        on_expiry=ExpiryAction.ESCALATE,
        escalate_to=("boss",),
        single_limits=MappingProxyType({"wang": (Money(Decimal("1.10"), "CNY"), Money(Decimal(2), "USD"))}),
        daily_limits=(Money(Decimal("0.1"), "EUR"),),
    ),
    votes=(replace(vote("wang"), reason="r", on_behalf_of="qian", level=2), vote("sun", Verdict.REJECT)),
    forwards=(Forward(person="wang", to="wu", at=NOW + timedelta(microseconds=7)),),
    refused=("zhao",),
    decision=DECISION,
    attempted_at=NOW + timedelta(microseconds=3),
    attempts=2,
    outcome=DecisionOutcome.UNKNOWN,
    erp_text="不知道",
    elsewhere=ExternalDecision(status=ReviewState.REJECTED, by="孙", at=NOW + timedelta(microseconds=5)),
    due_at=NOW + timedelta(seconds=9, microseconds=1),
    reminders=1,
    expired=True,
    revision=7,
)


async def put(store: CaseStore, *those: Case) -> None:
    def work(cases: CaseRepository) -> None:
        for case in those:
            cases.case(case.id)
            cases.put(case)

    await store.transact(work)


class TestCases:
    async def test_a_case_comes_back_as_it_was(self, store: CaseStore) -> None:
        await put(store, FULL)
        assert await store.transact(lambda cases: cases.case(FULL.id)) == FULL

    async def test_a_plain_one_too_and_what_changes_in_it(self, store: CaseStore) -> None:
        case = a_case()
        await put(store, case)
        assert await store.transact(lambda cases: cases.case(case.id)) == case
        later = replace(case, votes=(vote("qian"),), refused=("wang",), due_at=NOW, revision=2)
        await put(store, later)
        assert await store.transact(lambda cases: cases.case(case.id)) == later
        await put(store, replace(later, votes=(), due_at=None))
        assert await store.transact(lambda cases: cases.case(case.id)) == replace(later, votes=(), due_at=None)

    async def test_nothing_is_there_at_first(self, store: CaseStore) -> None:
        found = await store.transact(
            lambda cases: (
                cases.case("x"),
                cases.newest(po_key("main", "PO-1")),
                list(cases.cases_of("PO-1")),
                list(cases.open_cases()),
                list(cases.due(NOW, 10)),
                cases.next_due(NOW),
                list(cases.cards_of("x")),
                list(cases.audit_rows_of("x")),
                cases.approved_on("wang", "CNY", NOW, NOW + SECOND),
            )
        )
        assert found == (None, None, [], [], [], None, [], [], Money(Decimal(0), "CNY"))

    async def test_reads_see_what_was_put_before_in_the_same_unit(self, store: CaseStore) -> None:
        def work(cases: CaseRepository) -> tuple[object, ...]:
            case = a_case(due_at=NOW)
            cases.put(case)
            cases.put(replace(case, revision=2))
            cases.put_card(CaseCard(case=case.id, place=GROUP))
            cases.audit(AuditRow(at=NOW, case=case.id, what="opened"))
            found = (
                cases.case(case.id),
                cases.newest(po_key("main", "po-1")),
                *cases.due(NOW, 5),
                *cases.open_cases("wang"),
            )
            return (*found, len(cases.cards_of(case.id)), len(cases.audit_rows_of(case.id)))

        *same, cards, rows = await store.transact(work)
        assert same == [a_case(due_at=NOW, revision=2)] * 4
        assert (cards, rows) == (1, 1)

    async def test_a_unit_that_raises_leaves_nothing(self, store: CaseStore) -> None:
        case = a_case()
        await put(store, case)

        def work(cases: CaseRepository) -> None:
            cases.case(case.id)
            cases.put(replace(case, state=CaseState.WRITING, votes=(vote("wang"),), decision=DECISION, due_at=NOW))
            cases.put_card(CaseCard(case=case.id, place=GROUP))
            cases.audit(AuditRow(at=NOW, case=case.id, what="vote"))
            cases.put(a_case("PO-2"))
            cases.deliver(Delivery(card="c", place=GROUP, kind="approval", ref="r", revision=1, due_at=NOW))
            raise RuntimeError("halfway")

        with pytest.raises(RuntimeError, match="halfway"):
            await store.transact(work)
        left = await store.transact(
            lambda cases: (
                cases.case(case.id),
                list(cases.cards_of(case.id)),
                list(cases.audit_rows_of(case.id)),
                list(cases.cases_of("PO-2")),
                list(cases.due(NOW, 5)),
            )
        )
        assert left == (case, [], [], [], [])

    async def test_the_newest_round_counts_whatever_the_spelling_and_the_source(self, store: CaseStore) -> None:
        old = a_case(state=CaseState.SUPERSEDED)
        new = a_case("po-1", 2)
        other = a_case(source="other", id="other-1")
        await put(store, old, new, other)
        found = await store.transact(
            lambda cases: (
                cases.newest(po_key("main", "Po-1")),
                cases.newest(po_key("other", "PO-1")),
                [one.id for one in cases.cases_of("pO-1", "main")],
                {one.id for one in cases.cases_of("PO-1")},
                len(cases.cases_of("PO-1", limit=1)),
            )
        )
        assert found == (new, other, [new.id, old.id], {new.id, old.id, other.id}, 1)

    async def test_revisions_are_meant_by_an_id_or_by_a_number_in_any_spelling(self, store: CaseStore) -> None:
        first, second = a_case(state=CaseState.SUPERSEDED), a_case("po-1", 2, opened_at=NOW + SECOND)
        elsewhere = a_case(source="other", opened_at=NOW - SECOND)
        await put(store, first, second, elsewhere, a_case("PO-2"))

        async def meant(word: str) -> list[Case]:
            return await store.query(lambda cases: list(cases.revisions(word)))

        for case in (first, second):
            assert await meant(case.id) == [second, first]
        assert await meant(elsewhere.id) == [elsewhere]
        for number in ("PO-1", "pO-1"):
            assert await meant(number) == [second, first, elsewhere]
        for nothing in ("", "PO-9", "PO-1-9"):
            assert await meant(nothing) == []

    async def test_short_ids_mean_cases_in_their_order(self, store: CaseStore) -> None:
        cases = [replace(a_case(f"PO-{name[0]}"), id=name) for name in (f"{'a' * 24}-1", f"{'b' * 24}-2")]
        await put(store, *cases)
        shorts = [short_id(cases[1].id), "cccccccccc-1", "", "aaaaaaaaaa", "aaaaaaaaaa-2", short_id(cases[0].id)]
        found = await store.query(lambda known: list(known.called(shorts)))
        assert [case.id for case in found] == [cases[1].id, cases[0].id]


class TestUnique:
    async def test_two_undecided_cases_of_a_document_cannot_be(self, store: CaseStore) -> None:
        for state in (CaseState.OPEN, CaseState.WRITING, CaseState.UNKNOWN):
            number = f"PO-{state}"
            await put(store, a_case(number, state=state))
            with pytest.raises(CaseConflict):
                await put(store, a_case(number, 2))
            await put(store, a_case(number, state=CaseState.SUPERSEDED), a_case(number, 2))

    async def test_two_first_cases_cannot_be(self, store: CaseStore) -> None:
        await put(store, a_case(state=CaseState.APPROVED))
        with pytest.raises(CaseConflict):
            await put(store, a_case(id="another-1"))

    async def test_searches_of_a_source_are_kept_by_kind(self, store: CaseStore) -> None:
        await put(store, a_case())
        for at in (NOW, NOW + SECOND):
            await store.transact(lambda cases, at=at: cases.mark_searched("main", PURCHASE_ORDERS, at))
        await store.transact(lambda cases: cases.mark_searched("main", SALES_ORDERS, NOW))
        assert await store.query(lambda cases: dict(cases.searches())) == {
            ("main", "po"): NOW + SECOND,
            ("main", "order"): NOW,
        }

    async def test_open_cases_of_somebody(self, store: CaseStore) -> None:
        forwarded = a_case("PO-2", opened_at=NOW - SECOND, forwards=(Forward(person="wang", to="wu", at=NOW),))
        escalates = a_case("PO-3", plan=replace(a_case().plan, levels=(), escalate_to=("sun",)))
        await put(store, a_case(), forwarded, escalates, a_case("PO-4", state=CaseState.WRITING))

        def numbers(user_id: str, limit: int = 500) -> Callable[[CaseRepository], list[str]]:
            return lambda cases: [one.number for one in cases.open_cases(user_id, limit)]

        assert await store.transact(numbers("")) == ["PO-2", "PO-1", "PO-3"]
        assert await store.transact(numbers("", 1)) == ["PO-2"]
        assert await store.transact(numbers("wang")) == ["PO-2", "PO-1"]
        assert await store.transact(numbers("wu")) == ["PO-2"]
        assert await store.transact(numbers("sun")) == ["PO-3"]
        assert await store.transact(numbers("zheng")) == []

    async def test_the_search_for_cases(self, store: CaseStore) -> None:
        over = a_case("PO-20", opened_at=NOW - SECOND, state=CaseState.APPROVED)
        await put(store, a_case("PO-1"), over)

        async def found(**wanted: Any) -> list[str]:
            search = CaseSearch(**{"limit": 9, **wanted})
            return await store.transact(lambda cases: [case.number for case in cases.search(search)])

        assert await found() == ["PO-1", "PO-20"]
        assert await found(limit=1) == ["PO-1"]
        assert await found(waiting=True) == ["PO-1"]
        assert await found(waiting=False) == ["PO-20"]
        assert await found(number="o-2") == ["PO-20"]
        assert await found(number="%") == []
        assert await found(since=NOW) == ["PO-1"]
        assert await found(before=NOW) == ["PO-20"]

    async def test_what_is_due(self, store: CaseStore) -> None:
        moments = {"PO-1": NOW, "PO-2": NOW - SECOND, "PO-3": NOW + timedelta(microseconds=1), "PO-4": None}
        await put(store, *(a_case(number, due_at=at) for number, at in moments.items()))

        def numbers(limit: int) -> Callable[[CaseRepository], list[str]]:
            return lambda cases: [one.number for one in cases.due(NOW, limit)]

        assert await store.transact(numbers(9)) == ["PO-2", "PO-1"]
        assert await store.transact(numbers(1)) == ["PO-2"]
        assert await store.transact(lambda cases: cases.next_due(NOW)) == moments["PO-3"]
        assert await store.transact(lambda cases: cases.next_due(NOW + SECOND)) is None


class TestRelatedRows:
    async def test_cards_once_each(self, store: CaseStore) -> None:
        cards = [
            CaseCard(case="c", place=GROUP),
            CaseCard(case="c", place=Place(PlaceKind.PERSON, "wang"), for_user="wang"),
            CaseCard(case="c", place=Place(PlaceKind.PERSON, "wang"), for_user="wang", copy=2),
            CaseCard(case="c", place=Place(PlaceKind.PERSON, "wang"), for_user="wang", kind=ApprovalCardKind.TOLD),
        ]
        for _ in range(2):
            await store.transact(lambda cases: [cases.put_card(card) for card in (*cards, *cards)])
        await store.transact(lambda cases: cases.put_card(CaseCard(case="d", place=GROUP)))
        assert await store.transact(lambda cases: list(cases.cards_of("c"))) == cards

    async def test_the_record_keeps_its_order(self, store: CaseStore) -> None:
        rows = [
            AuditRow(at=NOW + timedelta(microseconds=2 - number), case="c", what=f"w{number}", detail="价", seen="f")
            for number in range(3)
        ]
        await store.transact(lambda cases: [cases.audit(row) for row in rows])
        await store.transact(lambda cases: cases.audit(AuditRow(at=NOW, case="d", what="x", user_id="u")))
        assert await store.transact(lambda cases: list(cases.audit_rows_of("c"))) == rows

    async def test_what_somebody_approved_on_a_day(self, store: CaseStore) -> None:
        def worth(number: str, amount: str, currency: str = "CNY", **fields: object) -> Case:
            brief = DocumentSummary(total=Money(Decimal(amount), currency))
            return a_case(number, **{"summary": brief, "votes": (vote("wang"), vote("sun")), **fields})

        await put(
            store,
            worth("PO-1", "0.1"),
            worth("PO-2", "0.2", state=CaseState.WRITING),
            worth("PO-3", "12345678901234567890.01", state=CaseState.APPROVED),
            worth("PO-4", "7", state=CaseState.UNKNOWN, votes=(vote("sun"),)),
            worth("PO-5", "100", "USD"),
            worth("PO-6", "1000", state=CaseState.REJECTED),
            worth("PO-7", "1000", state=CaseState.EXPIRED),
            worth("PO-8", "1000", votes=(vote("wang", Verdict.REJECT),)),
            worth("PO-9", "1000", votes=(vote("wang", at=-SECOND),)),
            worth("PO-10", "1000", votes=(vote("wang", at=timedelta(days=1)),)),
            a_case("PO-11", votes=(vote("wang"),)),
            worth("PO-12", "3", "EUR", votes=(replace(vote("zhao"), on_behalf_of="wang"),)),
        )

        def spent(user_id: str, currency: str) -> Callable[[CaseRepository], Money]:
            return lambda cases: cases.approved_on(user_id, currency, NOW, NOW + timedelta(days=1))

        assert await store.transact(spent("wang", "CNY")) == Money(Decimal("12345678901234567890.31"), "CNY")
        assert await store.transact(spent("wang", "USD")) == Money(Decimal(100), "USD")
        assert await store.transact(spent("sun", "EUR")) == Money(Decimal(0), "EUR")
        for person in ("wang", "zhao"):
            assert await store.transact(spent(person, "EUR")) == Money(Decimal(3), "EUR"), "it counts for both"
        await put(store, worth("PO-3", "5", state=CaseState.FAILED))
        assert await store.transact(spent("wang", "CNY")) == Money(Decimal("0.3"), "CNY")


class TestDatabase:
    async def test_deliveries_are_owed_in_the_same_transaction(self, database: Database) -> None:
        store = StoredCaseTransactions(database, lambda: NOW)

        def owe(cases: CaseRepository) -> None:
            for revision in (1, 2):
                cases.deliver(Delivery(card="c", place=GROUP, kind="approval", ref="r", revision=revision, due_at=NOW))

        await store.transact(owe)
        rows = await database.run(lambda connection: connection.execute(select(DELIVERY)).all())
        assert [(row.card, row.wanted, row.kind) for row in rows] == [("c", 2, "approval")]

    async def test_a_case_that_another_unit_changed_is_taken(self, database: Database) -> None:
        """A unit of work that went by what it read before it locked anything."""
        store = StoredCaseTransactions(database, lambda: NOW)
        await put(store, a_case(due_at=NOW))

        def late(cases: CaseRepository) -> None:
            (found,) = cases.due(NOW, 1)
            cases._stamps[found.id] -= 1  # type: ignore[attr-defined]  # as if it had been read one writing ago
            cases.put(replace(found, state=CaseState.WRITING))

        with pytest.raises(CaseConflict):
            await store.transact(late)
        with pytest.raises(CaseConflict):
            await store.transact(lambda cases: cases.put(a_case(revision=9)))

    async def test_there_is_one_decision(self, database: Database) -> None:
        store = StoredCaseTransactions(database, lambda: NOW)
        decided = a_case(state=CaseState.WRITING, decision=DECISION)
        await put(store, a_case())
        await database.run(
            lambda connection: connection.execute(
                APPROVAL_DECISION.insert(), {"case_id": decided.id, "verdict": "approve", "user_id": "x", "at_us": 1}
            )
        )
        with pytest.raises(CaseConflict):
            await put(store, decided)
        await database.run(lambda connection: connection.execute(APPROVAL_DECISION.delete()))
        await put(store, decided)
        await put(store, replace(decided, decision=None, state=CaseState.OPEN))
        await put(store, replace(decided, decision=replace(DECISION, by="qian")))
        rows = await database.run(lambda connection: connection.execute(select(APPROVAL_DECISION)).all())
        assert [(row.case_id, row.user_id, row.verdict) for row in rows] == [(decided.id, "qian", "reject")]

    @pytest.mark.parametrize("change", ["UPDATE approval_audit SET detail = 'x'", "DELETE FROM approval_audit"])
    async def test_the_record_only_grows(self, database: Database, change: str) -> None:
        store = StoredCaseTransactions(database, lambda: NOW)
        await store.transact(lambda cases: cases.audit(AuditRow(at=NOW, case="c", what="opened")))
        with pytest.raises(StoreUnavailable):
            await database.run(lambda connection: connection.execute(text(change)))
        count = select(func.count()).select_from(APPROVAL_AUDIT)
        assert await database.run(lambda connection: connection.scalar(count)) == 1

    async def test_decisions_stand_in_the_audit_log_with_the_same_commit(
        self, database: Database, tmp_path: Path
    ) -> None:
        store, case = StoredCaseTransactions(database, lambda: NOW), a_case()
        await put(store, case)

        def decide(cases: CaseRepository) -> None:
            cases.case(case.id)
            for what, user_id, detail in (
                ("vote", "wang", "approve at level 1: 便宜 5000"),
                ("refused", "li", "over the limit of CNY 5000"),
                ("decided", "wang", "approve"),
                ("outcome", "", "applied ACME 螺丝"),
                ("reminded", "", "1"),
            ):
                cases.audit(AuditRow(at=NOW, case=case.id, what=what, user_id=user_id, detail=detail))

        def fails(cases: CaseRepository) -> None:
            decide(cases)
            raise ValueError("too late")

        with pytest.raises(ValueError, match="too late"):
            await store.transact(fails)
        await store.transact(decide)
        log = StoredAudit(database, AuditWitness(tmp_path))
        kept = [found.entry for found in await log.search(AuditSearch(document="po-1", after=0))]
        assert [(entry.kind, entry.actor, entry.action, entry.outcome, entry.rule) for entry in kept] == [
            (AuditKind.DECISION, "wang", "vote", "approve", "r"),
            (AuditKind.REFUSAL, "li", "vote", "refused", "r"),
            (AuditKind.DECISION, "wang", "decide", "approve", "r"),
            (AuditKind.DECISION, "dingerp", "tell the ERP", "applied", "r"),
        ]
        assert not [word for word in ("5000", "便宜", "ACME") if word in repr(kept)]
        assert (await log.verify()).broken == ()


async def race(one: Database, other: Database, work: Callable[[CaseRepository], object], times: int) -> list[object]:
    both = [StoredCaseTransactions(database, lambda: NOW) for database in (one, other)]
    return await asyncio.gather(*(both[number % 2].transact(work) for number in range(times)), return_exceptions=True)


class TestTwoProcesses:
    """Two databases objects are what two processes have of one database."""

    async def test_of_many_who_vote_one_decides(self, two: tuple[Database, Database]) -> None:
        await put(StoredCaseTransactions(two[0], lambda: NOW), a_case())

        def decide(cases: CaseRepository) -> bool:
            case = cases.case(a_case().id)
            assert case is not None
            if case.decision is not None:
                return False
            cases.put(replace(case, state=CaseState.WRITING, decision=DECISION, revision=case.revision + 1))
            return True

        said = await race(*two, decide, 60)
        assert said.count(True) == 1
        assert said.count(False) == 59

    async def test_of_many_who_open_one_does(self, two: tuple[Database, Database]) -> None:
        def open_(cases: CaseRepository) -> bool:
            if cases.newest(po_key("main", "PO-1")) is not None:
                return False
            cases.put(a_case())
            return True

        said = await race(*two, open_, 40)
        assert said.count(True) == 1
        assert [one for one in said if not isinstance(one, bool | CaseConflict)] == []

    async def test_a_limit_per_day_is_not_passed_by_two_cases_at_the_same_moment(
        self, two: tuple[Database, Database]
    ) -> None:
        numbers = [f"PO-{number}" for number in range(20)]
        brief = DocumentSummary(total=Money(Decimal(10), "CNY"))
        await put(StoredCaseTransactions(two[0], lambda: NOW), *(a_case(number, summary=brief) for number in numbers))

        def approve(number: str) -> Callable[[CaseRepository], bool]:
            def work(cases: CaseRepository) -> bool:
                case = cases.newest(po_key("main", number))
                assert case is not None
                spent = cases.approved_on("wang", "CNY", NOW, NOW + timedelta(days=1))
                if spent.amount + 10 > 50:
                    return False
                cases.put(replace(case, votes=(vote("wang"),)))
                return True

            return work

        both = [StoredCaseTransactions(database, lambda: NOW) for database in two]
        said = await asyncio.gather(
            *(both[place % 2].transact(approve(number)) for place, number in enumerate(numbers))
        )
        assert said.count(True) == 5


async def test_an_absence_is_changed_only_as_it_was_read(store: CaseStore) -> None:
    absence = Absence(user_id="wang", begins=NOW, ends=NOW + timedelta(days=3), substitute="sun", due_at=NOW)
    alone = replace(absence, substitute="", revision=2)
    changes: list[tuple[Absence | None, Absence | None, Sequence[Absence], bool]] = [
        (None, absence, [absence], True),
        (None, alone, [absence], False),
        (absence, alone, [alone], True),
        (absence, replace(absence, revision=2), [alone], False),
        (absence, None, [alone], False),
        (alone, None, [], True),
        (alone, absence, [], False),
    ]
    for before, after, stored, is_written in changes:
        with nullcontext() if is_written else pytest.raises(WriteConflict):
            await store.transact(lambda cases, was=before, now=after: cases.change_absence(was, now))
        assert await store.query(lambda cases: cases.absences()) == stored
