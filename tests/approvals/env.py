"""A company at work: its ERP, its rules, its clock, and processes of the bot that may die at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.approvals.absences import Absences
from bot.approvals.case import Case, CaseState
from bot.approvals.document import DocumentKey
from bot.approvals.document_reader import DocumentReader, Organisation, RunsChecks
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import ApprovalRule, ApprovalRuleSet, RuleScope, Substitute
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import ApprovalOptions, CaseRepository, CaseStore, CaseTransactions
from bot.approvals.voting import VoteRequest, VoteResult
from bot.approvals.writeback_worker import WritebackWorker
from bot.erp.kinds import DECIDED, PURCHASE_ORDERS, Kind, kind_of
from bot.erp.model import Decision, ErpRecord, Verdict
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from tests.approvals.company import NOW, ROLES, waiting_order
from tests.approvals.fake_erp import FakeApprovalErp, WriteFault, name_of
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import any_of
from tests.recording_audit import RecordingAudit

T = TypeVar("T")

CHINA = ZoneInfo("Asia/Shanghai")
GROUP = Place(PlaceKind.GROUP, "cidBuyers==")
PEOPLE = ("wang", "qian", "li", "zhao", "sun", "zhou", "wu", "zheng")
ACCOUNTS = {person: {"main": f"erp-{person}"} for person in PEOPLE}
PATIENCE = 10.0
"""Seconds that whoever asks waits for an answer: so many that a busy machine is no slow ERP."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
APPROVE, REJECT = Verdict.APPROVE, Verdict.REJECT


class Killed(BaseException):
    """The process is dead."""


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time: datetime = field(default_factory=lambda: NOW.astimezone(CHINA))

    def __call__(self) -> datetime:
        return self.time

    def move(self, **spans: float) -> None:
        self.time += timedelta(**spans)


@dataclass
class Lifetime:
    """How many steps a process still lives; once dead it does nothing more."""

    steps: int | None = None

    def step(self) -> None:
        if self.steps is None:
            return
        if self.steps <= 0:
            raise Killed
        self.steps -= 1


class CrashingCaseStore:
    """A store whose process may die before and after each commit, and which calls the hooks of its company."""

    def __init__(self, env: ApprovalEnv, life: Lifetime) -> None:
        self._env = env
        self._store = env.store
        self._life = life

    async def transact(self, work: Callable[[CaseRepository], T]) -> T:
        self._life.step()
        await self._env.before_transact()

        def watched(repository: CaseRepository) -> T:
            result = work(repository)
            self._env.before_commit(result)
            return result

        result = await self._store.transact(watched)
        self._life.step()
        return result

    async def query(self, work: Callable[[CaseRepository], T]) -> T:
        self._life.step()
        result = await self._store.query(work)
        self._life.step()
        return result


def rules(*steps: object, substitutes: tuple[Substitute, ...] = (), **fields: object) -> ApprovalRuleSet:
    """Return a set of one rule."""
    levels = steps or (any_of("role:approver"),)
    fields = {"scope": RuleScope(kinds=frozenset(kind.command for kind in DECIDED)), **fields}
    rule = ApprovalRule(name="rule", steps=levels, **fields)  # type: ignore[arg-type]  # fields of a rule
    return ApprovalRuleSet(version="1", rules=(rule,), substitutes=substitutes)


class BotProcess:
    """One process of the bot."""

    def __init__(self, env: ApprovalEnv, life: Lifetime) -> None:
        self.life = life
        self.poked = asyncio.Event()
        """Set when the writer was told that there is something to do."""
        organisation = Organisation(roles=env.roles, accounts=env.accounts)
        transactions = CaseTransactions(
            store=CrashingCaseStore(env, life),
            reader=DocumentReader(env.erp, organisation, env.checks),
            policy=lambda: RuleBasedPolicy(env.rules),
            groups=lambda document: env.groups,
            now=env.clock,
            options=env.terms,
            read_only=lambda: env.read_only,
        )
        self.writer = WritebackWorker(transactions, env.erp, follow=self._follow, metrics=env.metrics)
        self.service = ApprovalService(transactions, poke=self._poke, seconds=env.patience)
        self.absences = Absences(transactions, show_anew=self.service.show_deciders, record=env.audit.record)

    def _poke(self) -> None:
        self.poked.set()
        self.writer.poke()

    async def _follow(self, key: DocumentKey) -> Case | None:
        return await self.service.sync_document(key)


async def _wait_for_nothing() -> None:
    pass


@dataclass
class ApprovalEnv:
    """What outlives processes."""

    clock: Clock = field(default_factory=Clock)
    rules: ApprovalRuleSet = field(default_factory=rules)
    store: CaseStore = field(default_factory=MemoryCaseStore)
    terms: ApprovalOptions = field(default_factory=ApprovalOptions)
    accounts: dict[str, dict[str, str]] = field(default_factory=lambda: dict(ACCOUNTS))
    groups: Sequence[Place] = (GROUP,)
    metrics: Metrics = field(default_factory=Metrics)
    before_transact: Callable[[], Awaitable[None]] = _wait_for_nothing
    """Awaited before each unit of work that may change something."""
    before_commit: Callable[[object], None] = lambda result: None
    """Gets what each of them returned; nothing is stored where it raises."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=lambda: ROLES)
    """Those of the configuration, which is read at the start of a process."""
    read_only: bool = False
    audit: RecordingAudit = field(default_factory=RecordingAudit)
    kind: Kind[Any] = PURCHASE_ORDERS
    """What kind of document ``key`` names."""
    checks: RunsChecks | None = None
    patience: float = PATIENCE
    """Seconds that a click waits for the ERP."""

    def __post_init__(self) -> None:
        self.erp = FakeApprovalErp(self.clock)
        self.process = self.start()

    @property
    def key(self) -> DocumentKey:
        """The document that most tests are about."""
        return DocumentKey("main", self.kind, "PO-1")

    @property
    def name(self) -> str:
        """Its name in the ERP's ``orders``."""
        return name_of(self.kind.command, self.key.number)

    @property
    def service(self) -> ApprovalService:
        return self.process.service

    def start(self, steps: int | None = None) -> BotProcess:
        """Start a process, which lives for so many steps; the one before is forgotten."""
        life = Lifetime(steps)
        self.erp.step = life.step
        self.process = BotProcess(self, life)
        return self.process

    async def submit(self, document: ErpRecord | None = None) -> Case:
        """Let a document wait, and its case be opened."""
        document = document or waiting_order(requester="wu")
        self.erp.submit(document)
        case = await self.service.sync_document(DocumentKey("main", kind_of(document), document.number))
        assert case is not None
        return case

    async def cast_vote(
        self, user: str, verdict: Verdict = APPROVE, case: Case | None = None, **fields: object
    ) -> VoteResult:
        """Let somebody click on the newest card."""
        case = case or await self.newest()
        fields = {"reason": "价格过高" if verdict is REJECT else "", **fields}
        word = VoteRequest(case=case, user_id=user, name=user.title(), verdict=verdict, seen=case.fingerprint, **fields)  # type: ignore[arg-type]
        return await self.service.cast_vote(word)

    async def wang_approves(self, *faults: WriteFault) -> Case:
        """Ask about an order, and let Wang approve it, while the ERP has these faults; return its case as asked."""
        case = await self.submit()
        self.erp.faults += faults
        await self.cast_vote("wang")
        return case

    async def newest(self, number: str = "PO-1") -> Case:
        case = await self.service.newest(number)
        assert case is not None
        return case

    async def work(self) -> None:
        """Do all that is due at this moment."""
        for _ in range(50):
            await self.process.writer.run_once()
            if not self.process.writer._busy:
                return
            await self.process.writer.wait_idle()
        raise AssertionError("it never comes to an end at one moment")

    async def run_until_idle(self, within: timedelta = timedelta(minutes=30)) -> None:
        """Let time pass until nothing more is to come, or as long as ``within``."""
        until = self.clock.time + within
        while True:
            await self.work()
            due = await self.store.transact(lambda cases: cases.next_due(self.clock.time))
            if due is None or due > until:
                return
            self.clock.time = due.astimezone(CHINA)

    async def audit_actions(self, case: Case | None = None) -> list[str]:
        """Return the words of a case's record."""
        case = case or await self.newest()
        rows = await self.store.transact(lambda cases: list(cases.audit_rows_of(case.id)))
        return [row.what for row in rows]

    async def state(self, number: str = "PO-1") -> CaseState:
        return (await self.newest(number)).state


def cards(env: ApprovalEnv, case_id: str) -> dict[str, int]:
    """Return the places of a case's cards with the newest state that each is owed; the memory cases knows them."""
    assert isinstance(env.store, MemoryCaseStore)
    owed: dict[str, int] = {}
    for one in env.store.repository.deliveries:
        if one.ref.startswith(f"{case_id}|"):
            # The card's key is kind, case, place, and for reminders a number.
            name = one.card.replace(f":{case_id}:", ":")
            owed[name] = max(owed.get(name, 0), one.revision)
    return owed


def decision(version: str, by: str) -> Decision:
    """Return what somebody approves in the ERP itself."""
    return Decision(number="PO-1", version=version, verdict=APPROVE, by=by)


async def until(done: Callable[[], bool]) -> None:
    """Let others work until something is so."""
    async with asyncio.timeout(60):
        while not done():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)
