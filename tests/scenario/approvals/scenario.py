"""Purchase orders on a timeline: what people click and type, and then the state of the ERP, the cards and the record.

The whole bot runs against the simulated DingTalk and the demo company, over real sockets; its clock is the test's.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.engine import Connection

from bot.approvals.case import Case, CaseState
from bot.erp.model import PurchaseOrder
from bot.erp.port import Erp
from bot.kit.company import adapter
from bot.kit.simulator.cards import SimButton, SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.kit.simulator.engine import ClickResult
from bot.settings import ErpSettings
from bot.store.engines import looking_engine
from tests.scenario.alerts.scenario import BUYING, START, Clock
from tests.scenario.approvals.unreliable_erp import UnreliableErp
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.traffic import eventually

BOSS, MANAGER, BUYER, FINANCE = "boss01", "buymanager01", "buyer01", "finance01"
YES, NO, PASS, UNDO = "po.yes|", "po.no|", "po.pass|", "po.undo|"
"""Prefixes of the buttons' tokens."""

SMALL, LARGE, HALFWAY, OF_MANAGER = "PO-1001", "PO-1002", "PO-1003", "PO-1004"
"""Orders of the demo company: requested by the buyer; above 100 000, so that two people decide; the same with the first
approval given; requested by the purchasing manager."""

APPROVERS = (BOSS, MANAGER)
ACCOUNTS = (BOSS, MANAGER, BUYER, FINANCE, "planner01")


@dataclass(frozen=True, slots=True)
class CardCopy:
    """A card about an order at one place."""

    place: str
    """A group's id, or a userId for the person's own chat."""
    view: SimCardView

    @property
    def text(self) -> str:
        """Return the card's text without markup."""
        return plain_text(self.view)

    @property
    def decides(self) -> bool:
        """Whether it still has buttons to decide."""
        return any(button.id.startswith((YES, NO, PASS)) for button in self.view.buttons)


@dataclass(slots=True)
class ApprovalScenario:
    """A company that decides purchase orders, with any ERP."""

    system: BotSystem
    clock: Callable[[], datetime]
    folder: Path
    looks_at: str = field(default="", kw_only=True)
    """Address of the bot's database for the test itself, where the bot's leads through something that the test cuts."""

    async def poll_pending(self) -> None:
        """Poll the ERP for waiting orders, as the bot does every minute."""
        await self.system.app.approvals.pending_poller.poll()
        await self.settle()

    def copies(self, number: str) -> list[CardCopy]:
        """Return the cards about an order that the bot showed unasked, oldest first, as their readers see them."""
        chat = self.system.engine.chat
        found = []
        for place in chat.conversations.values():
            reader = "it01" if place.kind == "group" else place.members[0]
            name = place.id if place.kind == "group" else reader
            for item in place.items:
                if isinstance(item, SimDelivery) and item.card.out_track_id.startswith("c1-"):
                    view = item.card.view_for(reader)
                    if number in view.title:
                        found.append(CardCopy(name, view))
        return found

    def card(self, number: str, place: str) -> SimCardView:
        """Return the newest card about an order at a place."""
        return [copy.view for copy in self.copies(number) if copy.place == place][-1]

    def places(self, number: str) -> list[str]:
        """Return the places of the cards about an order."""
        return sorted(copy.place for copy in self.copies(number))

    async def press(self, card: SimCardView, token: str, who: str, *, where: str | None = None) -> SimCardView:
        """Press the button whose token begins with ``token``, let the bot finish, and return the clicker's first view.

        The token is sent even if the clicker's own view no longer has it, as by a client with an old view; ``where`` is
        a conversation other than the first in which they see the card.
        """
        token = find_button(card, token).id
        engine, before = self.system.engine, self.system.cards_of(who)
        result = await engine.click(card.out_track_id, who, params={"id": token}, conversation_id=where)
        assert result.ok, result.toast
        seen = await self.system.answer_to(card, who, before)
        await self.settle()
        return seen

    async def ask(self, text: str, who: str, *, where: str = "") -> SimCardView:
        """Ask the bot, in the person's own chat unless a group is named, and let the bot finish."""
        place = where or self.system.engine.direct(who).id
        view = await self.system.ask(text, who, where=place)
        await self.settle()
        return view

    async def case(self, number: str) -> Case:
        """Return the newest case of an order."""
        found = await self.system.app.approvals.service.newest(number)
        assert found is not None
        return found

    async def record(self, number: str) -> list[tuple[str, str]]:
        """Return the record of the newest case: each event and its person."""
        history = await self.system.app.approvals.service.history(number)
        return [(row.what, row.user_id) for row in history[0][1]]

    async def assert_ended(self, number: str, state: CaseState, *says: str) -> None:
        """Expect the newest case to have ended in this state, and every card about it to say so and to offer no
        button."""
        case = await self.case(number)
        assert case.state is state, (case.state, case.erp_text, await self.record(number))
        copies = self.copies(number)
        assert copies, "it was shown somewhere"
        for copy in copies:
            assert not copy.decides, (copy.place, copy.text)
            for text in says:
                assert text in copy.text, (copy.place, text, copy.text)

    @property
    def is_holding_answer(self) -> bool:
        """Whether the test holds an answer of the ERP back."""
        return False

    async def settle(self) -> None:
        """Wait until the bot has no work left at this time of its clock, except a write whose answer the test holds."""
        await self.system.settle()  # an answer may leave its card to be drawn again
        await self.settle_cases()

    async def settle_cases(self) -> None:
        """Wait until nothing is left to do of cases and cards; questions may be under way."""
        # One connection for all looks: each new one reads the whole schema first.
        with self._looking() as connection:
            is_quiet, rest = partial(self._is_quiet, connection), partial(self._rest, connection)
            await eventually(is_quiet, hint=rest)
            while not self.is_holding_answer:
                await self.system.app.approvals.writeback.wait_idle()
                if is_quiet():
                    break
                await eventually(is_quiet, hint=rest)

    @contextmanager
    def _looking(self) -> Iterator[Connection]:
        engine = looking_engine(self.looks_at or self.system.app.settings.database)
        try:
            with engine.connect() as connection:
                yield connection.execution_options(isolation_level="AUTOCOMMIT")
        finally:
            engine.dispose()

    def _is_quiet(self, connection: Connection) -> bool:
        if not any(self._rest(connection).values()):
            return True
        self.system.app.approvals.writeback.poke()
        self.system.app.alerts.outbox.poke()
        return False

    def _rest(self, connection: Connection) -> dict[str, int]:
        now = int(self.clock().timestamp() * 1000)
        due = {
            "cases": f"SELECT count(*) FROM approval_case WHERE due_us <= {now * 1000}",
            "deliveries": f"SELECT count(*) FROM delivery WHERE state = 'queued' AND due_ms <= {now}",
        }
        return {name: connection.exec_driver_sql(query).scalar_one() for name, query in due.items()}


@dataclass(slots=True)
class DemoApprovalScenario(ApprovalScenario):
    """The demo company; the test controls its ERP and its clock."""

    clock: Clock
    erp: UnreliableErp

    async def at(self, text: str) -> None:
        """Move the clock to this time after the start (``30s``, ``5m``, ``2h``, ``1d``), then let the bot do all that
        is due."""
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[text[-1]]
        moment = START + timedelta(**{unit: float(text[:-1])})
        assert moment >= self.clock.now, "time goes forward"
        self.clock.now = moment
        await self.settle()

    async def order(self, number: str) -> PurchaseOrder:
        """Return the order as the ERP itself has it."""
        return await self.erp.inner.purchase_order(number)

    @property
    def is_holding_answer(self) -> bool:
        return self.erp.answers is not None


def plain_text(card: SimCardView) -> str:
    """Return a card's text without markup."""
    return re.sub(r"<[^>]*>|\\", " ", f"{card.title} {card.markdown} {card.tips}")


def find_button(card: SimCardView, token: str) -> SimButton:
    """Return the button whose token begins with ``token``."""
    found = next((button for button in card.buttons if button.id.startswith(token)), None)
    assert found is not None, (token, [(button.text, button.id) for button in card.buttons], plain_text(card))
    return found


def tokens(card: SimCardView) -> list[str]:
    """Return what the buttons of a card are about."""
    return [button.id.partition("|")[0] for button in card.buttons]


OpenApprovalScenario = Callable[..., Any]


@pytest.fixture
def open_approval_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenApprovalScenario:
    """Return a function that opens a scenario: ``open_approval_scenario(SMALL, rules="…")``."""
    monkeypatch.chdir(tmp_path)
    return partial(run_approval_scenario, tmp_path)


@asynccontextmanager
async def run_approval_scenario(
    folder: Path,
    *numbers: str,
    rules: str = "",
    groups: Sequence[str] = (BUYING,),
    approvers: Iterable[str] = APPROVERS,
    accounts: Iterable[str] = ACCOUNTS,
    group_cards: str | None = "waiting",
    approvals: dict[str, Any] | None = None,
    begins: datetime = START,
    looks_at: str = "",
    **changes: Any,
) -> AsyncIterator[DemoApprovalScenario]:
    """Open a company with only these orders waiting in the ERP, each shown in ``groups`` and to its deciders.

    Without ``rules`` any of ``approvers`` decides; ``accounts`` are the people with an account in the ERP. With None
    as ``group_cards`` groups are shown what they are by default.
    """
    clock, held = Clock(begins), []
    file = folder / "approvals.toml"
    if rules:
        file.write_text(rules)
    real = adapter.open_demo

    async def open_moody(*args: Any, **kwargs: Any) -> Erp:
        erp = UnreliableErp(await real(*args, **kwargs))
        await erp.only(numbers)
        held.append(erp)
        return erp

    # No read cache and no breaker: the tests are about what the ERP does now.
    source = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 0, "breaker_failures": 0})
    changes = {
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(approvers)},
            "accounts": {account: {"demo": account} for account in accounts},
        },
        "approvals": {
            "groups": tuple(groups),
            "backlog": True,
            "rules": file if file.is_file() else None,
            **({"group_cards": group_cards} if group_cards else {}),
            **(approvals or {}),
        },
        "outbox": {"per_second": 1000, "place_minute": 1000},
        "erp": {"demo": source},
        # Sentences and the index are there where a test is about them: learning the names costs a fifth of most tests.
        "index": {"enabled": False},
        "understanding": {"enabled": False},
        **changes,
    }
    with patch.object(adapter, "open_demo", open_moody):
        async with run_system(folder, clock=clock, **changes) as system:
            scenario = DemoApprovalScenario(system, clock, folder, held[0], looks_at=looks_at)
            with patch.object(system.engine, "click", partial(_click_first, scenario, system.engine.click)):
                await scenario.poll_pending()
                yield scenario


async def _click_first(
    scenario: DemoApprovalScenario, click: Callable[..., Awaitable[ClickResult]], *args: Any, **kwargs: Any
) -> ClickResult:
    """Have a click answered before the ERP answers the write that it causes."""
    with scenario.erp.slower_than_click():
        return await click(*args, **kwargs)
