"""A company at work: its ERP, its rules, its clock, and processes of the bot that may die at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.approvals.book import Book, Books
from bot.approvals.case import Case, CaseState
from bot.approvals.company import Organisation
from bot.approvals.office import Office
from bot.approvals.policy.rule import Rule, RuleSet, Substitute
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.reading import Reader
from bot.approvals.service import ApprovalDesk
from bot.approvals.unit import Terms
from bot.approvals.voting import Voted, Word
from bot.approvals.writing import Writer
from bot.erp.model import Decision, PurchaseOrder, Verdict
from bot.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.testing.approvals import MemoryBooks
from tests.approvals.parts import NOW, ROLES, document
from tests.approvals.policy.test_planning import any_of
from tests.approvals.small_erp import SmallErp

T = TypeVar("T")

CHINA = ZoneInfo("Asia/Shanghai")
GROUP = Place(PlaceKind.GROUP, "cidBuyers==")
PEOPLE = ("wang", "qian", "li", "zhao", "sun", "zhou", "wu", "zheng")
ACCOUNTS = {person: {"main": f"erp-{person}"} for person in PEOPLE}
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
class Life:
    """How many steps a process still lives; once dead it does nothing more."""

    steps: int | None = None

    def step(self) -> None:
        if self.steps is None:
            return
        if self.steps <= 0:
            raise Killed
        self.steps -= 1


class MortalBooks:
    """Books whose process may die before and after each commit."""

    def __init__(self, books: Books, life: Life) -> None:
        self._books = books
        self._life = life

    async def within(self, work: Callable[[Book], T]) -> T:
        self._life.step()
        result = await self._books.within(work)
        self._life.step()
        return result

    async def look(self, work: Callable[[Book], T]) -> T:
        self._life.step()
        result = await self._books.look(work)
        self._life.step()
        return result


def rules(*steps: object, substitutes: tuple[Substitute, ...] = (), **fields: object) -> RuleSet:
    """Return a set of one rule."""
    levels = steps or (any_of("role:approver"),)
    rule = Rule(name="rule", steps=levels, **fields)  # type: ignore[arg-type]  # fields of a rule
    return RuleSet(version="1", rules=(rule,), substitutes=substitutes)


class Process:
    """One process of the bot."""

    def __init__(self, world: World, life: Life) -> None:
        self.life = life
        organisation = Organisation(roles=ROLES, accounts=world.accounts)
        office = Office(
            books=MortalBooks(world.books, life),
            reader=Reader(world.erp, organisation),
            policy=lambda: RuleBook(world.rules),
            groups=lambda document: world.groups,
            now=world.clock,
            terms=world.terms,
        )
        self.writer = Writer(office, world.erp, follow=self._follow, metrics=world.metrics)
        self.desk = ApprovalDesk(office, poke=self.writer.poke, seconds=world.patience)

    async def _follow(self, source: str, number: str) -> Case | None:
        return await self.desk.submitted(source, number)


@dataclass
class World:
    """What outlives processes."""

    clock: Clock = field(default_factory=Clock)
    rules: RuleSet = field(default_factory=rules)
    books: Books = field(default_factory=MemoryBooks)
    terms: Terms = field(default_factory=Terms)
    accounts: dict[str, dict[str, str]] = field(default_factory=lambda: dict(ACCOUNTS))
    groups: Sequence[Place] = (GROUP,)
    metrics: Metrics = field(default_factory=Metrics)
    patience: float = 10.0
    """Seconds that a click waits for the ERP: so many that a busy machine is no slow ERP."""

    def __post_init__(self) -> None:
        self.erp = SmallErp(self.clock)
        self.process = self.start()

    @property
    def desk(self) -> ApprovalDesk:
        return self.process.desk

    def start(self, steps: int | None = None) -> Process:
        """Start a process, which lives for so many steps; the one before is forgotten."""
        life = Life(steps)
        self.erp.step = life.step
        self.process = Process(self, life)
        return self.process

    async def submit(self, order: PurchaseOrder | None = None) -> Case:
        """Let an order wait, and its case be opened."""
        order = order or document(requester="wu").order
        self.erp.submit(order)
        case = await self.desk.submitted("main", order.number)
        assert case is not None
        return case

    async def say(self, user: str, verdict: Verdict = APPROVE, case: Case | None = None, **fields: object) -> Voted:
        """Let somebody click on the newest card."""
        case = case or await self.newest()
        fields = {"reason": "价格过高" if verdict is REJECT else "", **fields}
        word = Word(case=case.id, user_id=user, name=user.title(), verdict=verdict, seen=case.fingerprint, **fields)  # type: ignore[arg-type]
        return await self.desk.say(word)

    async def newest(self, number: str = "PO-1") -> Case:
        case = await self.desk.newest(number)
        assert case is not None
        return case

    async def work(self) -> None:
        """Do all that is due at this moment."""
        for _ in range(50):
            await self.process.writer.round()
            if not self.process.writer._busy:
                return
            await self.process.writer.settled()
        raise AssertionError("it never comes to an end at one moment")

    async def rest(self, within: timedelta = timedelta(minutes=30)) -> None:
        """Let time pass until nothing more is to come, or as long as ``within``."""
        until = self.clock.time + within
        while True:
            await self.work()
            due = await self.books.within(lambda book: book.next_due(self.clock.time))
            if due is None or due > until:
                return
            self.clock.time = due.astimezone(CHINA)

    async def story(self, case: Case | None = None) -> list[str]:
        """Return the words of a case's record."""
        case = case or await self.newest()
        rows = await self.books.within(lambda book: list(book.rows_of(case.id)))
        return [row.what for row in rows]

    async def state(self, number: str = "PO-1") -> CaseState:
        return (await self.newest(number)).state


def cards(world: World, case_id: str) -> dict[str, int]:
    """Return the places of a case's cards with the newest state that each is owed; the memory book knows them."""
    assert isinstance(world.books, MemoryBooks)
    owed: dict[str, int] = {}
    for one in world.books.book.deliveries:
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
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)
