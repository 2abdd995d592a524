"""A company that decides: bots as processes on one database, people in a simulated DingTalk, one ERP that counts."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import orjson
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bot.erp.model import Money, ReviewState, Verdict
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.config import SimulatorConfig, utc_now
from bot.kit.simulator.engine import ClickResult, SimEngine
from bot.kit.simulator.enterprise import Enterprise, SimPerson, demo_enterprise
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.store.database import Database
from bot.store.tables import APPROVAL_AUDIT, APPROVAL_CASE, DELIVERY
from tests.approvals.company import waiting_order
from tests.bare_records import with_review
from tests.scenario.approvals import remote_erp
from tests.scenario.approvals.remote_erp import RemoteErp
from tests.scenario.processes import NO_INDEX, Program, environment, forked, program, shared_database, used_before
from tests.scenario.traffic import LONGEST_WAIT

ROOT = Path(__file__).parents[3]
CONFIG = SimulatorConfig(quota_limit=None, qps_limit=None, history=20_000, timeline_size=200, click_timeout=30.0)
"""Many clicks at once on a busy machine: late answers have to be correct as well.

The bot itself says after less than 2 s that it is busy, so a longer wait does not change how many are told so.
"""

REQUESTER = "requester00"
GROUP = "cidQm7Tz/4b+BuyFin00002Bb=="
"""The simulated group of purchasing and finance."""

APPROVE, REJECT = "同意", "拒绝"
BUSY = "请稍候"
FAILED = "出了点问题"
OVER = "此卡片已失效"
"""What the card that asked somebody for the reason shows when its order was decided and it is tapped afterwards."""
TO_YOU_ALONE = "已单独发给你"
PATIENCE = 5.0
"""Seconds after which a person taps again."""
_NUMBER = re.compile(r"PO-\d{5}")
_STATUS = {Verdict.APPROVE: ReviewState.APPROVED, Verdict.REJECT: ReviewState.REJECTED}


@dataclass(frozen=True, slots=True)
class CardPlacement:
    """A card at a place, as its reader (in a group: everybody) sees it."""

    place: str
    track: str
    reader: str
    view: SimCardView

    @property
    def decidable(self) -> bool:
        """Whether it has a button to approve."""
        return self.view.button(APPROVE) is not None

    @property
    def in_group(self) -> bool:
        """Whether it is the group's card, which shows no amounts."""
        return self.place == GROUP

    @property
    def is_answer(self) -> bool:
        """Whether it answers its reader alone: the bot did not show it by itself."""
        return not self.track.startswith("c1-")


@dataclass(frozen=True, slots=True)
class ClickAnswer:
    """A click, and the clicker's card when the answer came."""

    who: str
    pressed: str
    result: ClickResult
    view: SimCardView

    @property
    def is_busy(self) -> bool:
        """Whether it only says that the bot is busy; on a card that others hold, too, beside what stays there."""
        return self.view.title.startswith(BUSY) or self.view.tips.startswith(BUSY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """Counts in the bots' database."""

    states: Counter[str]
    unsent: int
    dead: int

    @property
    def settled(self) -> bool:
        """Whether no work is left, open decisions aside."""
        return not (self.unsent or self.states["writing"] or self.states["unknown"])


@dataclass(slots=True, kw_only=True)
class ApprovalCluster:
    """The running company with its ERP and its database; bots are started by the tests."""

    engine: SimEngine
    erp: RemoteErp
    people: Sequence[str]
    env: dict[str, str]
    folder: Path
    database: Database
    elsewhere: Set[str] = frozenset()
    """Conversations whose cards are about other matters."""

    def submit(self, numbers: Iterable[int]) -> list[str]:
        """Create waiting purchase orders in the ERP; return their numbers."""
        template = waiting_order(requester="wu")
        done = []
        for number in numbers:
            total = Money(Decimal(1000 + number), "CNY")
            name = f"PO-{number:05}"
            self.erp.erp.submit(
                with_review(
                    replace(
                        template,
                        id=name,
                        number=name,
                        total=total,
                        vendor=f"ACME{number:05}",
                        lines=tuple(replace(line, amount=total) for line in template.lines),
                    ),
                    requester=f"erp-{REQUESTER}",
                )
            )
            done.append(name)
        return done

    @asynccontextmanager
    async def bot(self, name: str = "bot", checkout: Path = ROOT, **more: str) -> AsyncIterator[Program]:
        """Start a bot, as in a checkout of the project, for the duration of the block; it may not be ready yet."""
        folder, env = self.folder / name, {**self.env, "PYTHONPATH": str(checkout), **more}
        starting = (
            forked(remote_erp.__name__, "run", env=env, folder=folder)
            if checkout == ROOT
            else program("-m", remote_erp.__name__, "run", env=env, folder=folder)
        )
        async with starting as started:
            yield started

    def cards(self) -> dict[str, list[CardPlacement]]:
        """Return all cards about purchase orders, by number: those for deciders and those for requesters.

        An answer that "please wait" covers is about none, and so is one that is over.
        """
        found: dict[str, list[CardPlacement]] = {}
        for card, shared in self._placements():
            # The result of a reader's own click may cover the order for a while.
            number = _NUMBER.search(f"{card.view.title} {card.view.markdown} {shared.title} {shared.markdown}")
            if number is not None:
                found.setdefault(number.group(), []).append(card)
            else:
                # A tap while the database is away says so on the tapped card, until that is drawn again.
                assert card.view.title == FAILED or (card.is_answer and card.view.title in (BUSY, OVER)), card
        return found

    def _placements(self) -> Iterator[tuple[CardPlacement, SimCardView]]:
        """Yield every card at every place, and what everybody sees of it."""
        for conversation in self.engine.chat.conversations.values():
            for item in conversation.items if conversation.id not in self.elsewhere else ():
                if isinstance(item, SimDelivery):
                    reader = conversation.members[0]
                    view = item.card.view_for(reader if conversation.kind != "group" else "")
                    yield CardPlacement(conversation.id, view.out_track_id, reader, view), item.card.view_for("")

    async def shown(self, numbers: Sequence[str], copies: int, seconds: float = LONGEST_WAIT) -> None:
        """Wait until every order has its cards."""
        wanted = len(numbers) * copies
        ends = perf_counter() + seconds
        while (there := sum(len(cards) for cards in self.cards().values())) < wanted:
            assert perf_counter() < ends, f"{there} of {wanted} cards within {seconds:g} s"
            await asyncio.sleep(0.05)

    async def press(
        self, card: CardPlacement, button: str = APPROVE, who: str = "", *, fields: Mapping[str, str] | None = None
    ) -> ClickAnswer:
        """Press a button with this text; ``fields`` are the values entered into the card's fields."""
        who = who or card.reader
        result = await self.engine.click(card.track, who, button, fields=fields)
        return ClickAnswer(who, button, result, self.view(card, who))

    async def press_stale(self, card: CardPlacement, button: str = APPROVE) -> ClickAnswer:
        """Press a button of the card as it was read; it may have changed meanwhile."""
        shown = card.view.button(button)
        assert shown is not None, card
        result = await self.engine.click(card.track, card.reader, params=shown.params)
        return ClickAnswer(card.reader, button, result, self.view(card))

    async def ask_back(self, card: CardPlacement, button: str, choice: str) -> CardPlacement:
        """Press a button until the bot asks its presser back; return the card of their own that offers this choice.

        Before that they may be told that the bot is busy, or that the order could not be read in time; and a card that
        could not be sent is made at the next tap.
        """
        ends = perf_counter() + LONGEST_WAIT
        while True:
            told = await self.press_stale(card, button)
            assert perf_counter() < ends, told
            taps_again = perf_counter() + PATIENCE
            while TO_YOU_ALONE in told.view.tips and perf_counter() < taps_again:
                own = self._answer_beside(card)
                if own is not None and own.view.button(choice) is not None:
                    return own
                await asyncio.sleep(0.02)

    def _answer_beside(self, card: CardPlacement) -> CardPlacement | None:
        """Return the newest card by which the bot answered this reader alone about the same order."""
        (number,) = set(_NUMBER.findall(f"{card.view.title} {card.view.markdown}"))
        for item in reversed(self.engine.chat.conversations[card.place].items):
            if isinstance(item, SimDelivery):
                view = item.card.view_for(card.reader)
                answer = replace(card, track=view.out_track_id, view=view)
                if answer.is_answer and number in view.title:
                    return answer
        return None

    def view(self, card: CardPlacement, who: str = "") -> SimCardView:
        """Return a card as this person sees it now."""
        instance = self.engine.cards.get(card.track)
        assert instance is not None
        return instance.view_for(who or card.reader)

    async def decisions(self) -> dict[str, str]:
        """Return the decider's account by order number, from the bots' database."""
        query = select(APPROVAL_CASE.c.body)
        bodies = await self.database.run(lambda connection: connection.execute(query).scalars().all())
        cases = [orjson.loads(body) for body in bodies]
        return {case["number"]: case["decision"]["account"] for case in cases if case["decision"]}

    async def audited(self) -> Counter[str]:
        """Return the number of audit entries of each kind."""
        query = select(APPROVAL_AUDIT.c.what, func.count()).group_by(APPROVAL_AUDIT.c.what)
        rows = await self.database.run(lambda connection: connection.execute(query).all())
        return Counter(dict(map(tuple, rows)))

    async def case_counts(self) -> DatabaseState:
        return await self.database.run(_read)

    async def settled(self, cases: int, seconds: float = LONGEST_WAIT) -> DatabaseState:
        """Return the counts when ``cases`` cases are final and every card was sent; fails after ``seconds``."""
        ends = perf_counter() + seconds
        while True:
            counts = await self.case_counts()
            final = sum(count for state, count in counts.states.items() if state not in ("open", "writing", "unknown"))
            if counts.settled and final >= cases:
                return counts
            assert perf_counter() < ends, f"not within {seconds:g} s: {counts}"
            await asyncio.sleep(0.05)

    async def wait_until_uncovered(self, seconds: float = LONGEST_WAIT) -> None:
        """Wait until no card shows "please wait": a late answer is shown within 15 seconds."""
        ends = perf_counter() + seconds
        while covered := [card for card, _ in self._placements() if card.view.title == BUSY]:
            assert perf_counter() < ends, f"not within {seconds:g} s: {covered}"
            await asyncio.sleep(0.05)

    def verdicts(self) -> dict[str, list[tuple[Verdict, str]]]:
        """Return all decisions that the ERP was given, by order number, including those without effect."""
        written: dict[str, list[tuple[Verdict, str]]] = {}
        for decision in self.erp.erp.written:
            written.setdefault(decision.number, []).append((decision.verdict, decision.by))
        return written

    def assert_decided_once(self, numbers: Sequence[str], copies: int) -> None:
        """Every order was written once, has that status in the ERP, and all its cards show it.

        ``copies`` are those that the bot showed by itself, beside its answers to single people.
        """
        written, cards = self.verdicts(), self.cards()
        for number in numbers:
            ((verdict, account),) = written.get(number, [])
            assert self.erp.erp.orders[number].status is _STATUS[verdict]
            shown = cards[number]
            assert sum(not card.is_answer for card in shown) == copies, (number, [card.place for card in shown])
            verb = "已同意" if verdict is Verdict.APPROVE else "已拒绝"
            for card in shown:
                assert not card.decidable, (number, card)
                assert verb in card.view.title + card.view.markdown + card.view.tips, (number, card.view)
                assert account.removeprefix("erp-") in card.view.markdown + card.view.tips, (number, account, card.view)


def with_people(people: Sequence[str]) -> Enterprise:
    """Return the demo company with more people, each with their own chat with the bot."""
    company = demo_enterprise()
    more = {
        user_id: SimPerson(user_id=user_id, name=user_id, english=user_id, title="采购", department=1)
        for user_id in (*people, REQUESTER)
    }
    return replace(company, people={**company.people, **more})


@asynccontextmanager
async def open_cluster(
    folder: Path,
    people: Sequence[str],
    *,
    database_url: str = "",
    erp_seconds: float = 0.0,
    group: bool = True,
    todos: bool = False,
    speed: float = 0.0,
    config: SimulatorConfig = CONFIG,
) -> AsyncIterator[ApprovalCluster]:
    """Open everything but the bots; ``speed`` is that of their clock and of DingTalk's, 0 for the real one."""
    began = time.time()
    if speed:
        # The bot looks for what DingTalk made after a moment on the bot's own clock.
        config = replace(config, now=partial(remote_erp.fast_clock, began, speed))
    async with AsyncExitStack() as stack:
        with patch("bot.kit.simulator.engine.demo_enterprise", lambda: with_people(people)):
            simulator = await stack.enter_async_context(simulator_running(config))
        erp = RemoteErp(utc_now, erp_seconds)
        erp_url = await stack.enter_async_context(erp.serving())
        accounts = {user_id: {"main": f"erp-{user_id}"} for user_id in (*people, REQUESTER)}
        more = {
            "DINGERP_ERP__MAIN__VENDOR": remote_erp.VENDOR,
            "DINGERP_ERP__MAIN__URL": erp_url,
            "DINGERP_DATABASE_URL": database_url,
            "DINGERP_REPLICAS": "2" if database_url else "",
            "DINGERP_POLL__ENABLED": "false",
            "DINGERP_LIMITS__QPS": "inf",
            "DINGERP_OUTBOX__PER_SECOND": "1000",
            "DINGERP_OUTBOX__PLACE_MINUTE": "100000",
            "DINGERP_ACCESS__ROLES": orjson.dumps({"approver": list(people)}).decode(),
            "DINGERP_ACCESS__ACCOUNTS": orjson.dumps(accounts).decode(),
            "DINGERP_APPROVALS__BACKLOG": "true",
            "DINGERP_NOTIFY__TODO": str(todos).lower(),
            "DINGERP_APPROVALS__GROUPS": orjson.dumps([GROUP] if group else []).decode(),
            "DINGERP_APPROVALS__GROUP_CARDS": "waiting",
            "PYTHONPATH": str(ROOT),
        }
        if speed:
            more |= {remote_erp.BEGAN: str(began), remote_erp.SPEED: str(speed)}
        database = shared_database(database_url or f"sqlite:///{folder / 'data' / 'dingerp.sqlite3'}")
        stack.push_async_callback(database.close)
        yield ApprovalCluster(
            engine=simulator.engine,
            erp=erp,
            people=people,
            env=environment(config, simulator.url, used_before(folder / "data"), **more, **NO_INDEX),
            folder=folder,
            database=database,
        )


def _read(connection: Connection) -> DatabaseState:
    states = connection.execute(select(APPROVAL_CASE.c.state, func.count()).group_by(APPROVAL_CASE.c.state))
    cards = dict(map(tuple, connection.execute(select(DELIVERY.c.state, func.count()).group_by(DELIVERY.c.state))))
    return DatabaseState(
        states=Counter(dict(map(tuple, states))), unsent=cards.get("queued", 0), dead=cards.get("dead", 0)
    )
