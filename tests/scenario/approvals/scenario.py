"""Purchase orders on a time axis: what people click and say, and what the ERP, every card and the record say then.

The whole bot runs against the simulated DingTalk and the demo company, over real sockets; its clock is the test's.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from bot.approvals.case import Case, CaseState
from bot.erp.demo import adapter
from bot.erp.model import PurchaseOrder
from bot.erp.port import Erp
from bot.settings import ErpSettings
from bot.simulator.cards import SimButton, SimCardView
from bot.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import BUYING, START, Clock
from tests.scenario.approvals.unreliable_erp import UnreliableErp
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.traffic import eventually

BOSS, MANAGER, BUYER, FINANCE = "boss01", "buymanager01", "buyer01", "finance01"
YES, NO, PASS, UNDO = "po.yes|", "po.no|", "po.pass|", "po.undo|"
"""How the tokens of buttons begin."""

SMALL, LARGE, HALFWAY, OF_MANAGER = "PO-1001", "PO-1002", "PO-1003", "PO-1004"
"""The demo company's: requested by the buyer; above 100 000, so that two have to agree; the same with the first
approval; and one that the purchasing manager requested."""

APPROVERS = (BOSS, MANAGER)
ACCOUNTS = (BOSS, MANAGER, BUYER, FINANCE, "planner01")


@dataclass(frozen=True, slots=True)
class CardCopy:
    """A card about an order where it stands."""

    place: str
    """A group's id, or the userId whose chat it is."""
    face: SimCardView

    @property
    def words(self) -> str:
        """Return all that it says, without markup."""
        return words(self.face)

    @property
    def decides(self) -> bool:
        """Whether it still offers to decide."""
        return any(button.id.startswith((YES, NO, PASS)) for button in self.face.buttons)


@dataclass(slots=True)
class ApprovalScenario:
    """A company in which purchase orders are decided, in whatever ERP they are."""

    system: BotSystem
    clock: Callable[[], datetime]
    folder: Path

    async def poll_pending(self) -> None:
        """Let the bot look through what waits in the ERP, as it does every minute."""
        await self.system.app.approvals.pending_poller.poll()
        await self.settle()

    def copies(self, number: str) -> list[CardCopy]:
        """Return the cards that the bot showed by itself about an order, oldest first, as their readers see them."""
        chat = self.system.engine.chat
        found = []
        for place in chat.conversations.values():
            reader = "it01" if place.kind == "group" else place.members[0]
            name = place.id if place.kind == "group" else reader
            for item in place.items:
                if isinstance(item, SimDelivery) and item.card.out_track_id.startswith("c1-"):
                    face = item.card.view_for(reader)
                    if number in face.title:
                        found.append(CardCopy(name, face))
        return found

    def card(self, number: str, place: str) -> SimCardView:
        """Return the newest card about an order at a place."""
        return [copy.face for copy in self.copies(number) if copy.place == place][-1]

    def places(self, number: str) -> list[str]:
        """Return where cards about an order stand."""
        return sorted(copy.place for copy in self.copies(number))

    async def press(self, card: SimCardView, token: str, who: str, *, where: str | None = None) -> SimCardView:
        """Press the button whose token begins so, let everything happen, and return what the clicker saw at once.

        The token is sent even if the clicker's own view no longer has it, as by a client that shows an old one;
        ``where`` is a conversation other than the first in which they see the card.
        """
        token = find_button(card, token).id
        engine = self.system.engine
        result = await engine.click(card.out_track_id, who, params={"id": token}, conversation_id=where)
        assert result.ok, result.toast
        seen = self.system.see(card, who)
        await self.settle()
        return seen

    async def ask(self, text: str, who: str, *, where: str = "") -> SimCardView:
        """Say something to the bot, in one's own chat with it unless a group is named, and let everything happen."""
        place = where or self.system.engine.direct(who).id
        face = await self.system.ask(text, who, where=place)
        await self.settle()
        return face

    async def case(self, number: str) -> Case:
        """Return the newest case of an order."""
        found = await self.system.app.approvals.service.newest(number)
        assert found is not None
        return found

    async def record(self, number: str) -> list[tuple[str, str]]:
        """Return the record of the newest case: what happened, and by whom."""
        history = await self.system.app.approvals.service.history(number)
        return [(row.what, row.user_id) for row in history[0][1]]

    async def ends(self, number: str, state: CaseState, *says: str) -> None:
        """Expect the newest case to have ended so, and every card about it everywhere to say that and offer nothing."""
        case = await self.case(number)
        assert case.state is state, (case.state, case.erp_text, await self.record(number))
        copies = self.copies(number)
        assert copies, "it was shown somewhere"
        for copy in copies:
            assert not copy.decides, (copy.place, copy.words)
            for text in says:
                assert text in copy.words, (copy.place, text, copy.words)

    @property
    def is_holding_answer(self) -> bool:
        """Whether the test lets the bot wait for an answer of the ERP."""
        return False

    async def settle(self) -> None:
        """Wait until the bot has nothing more to do at this moment, but for a write whose answer the test holds."""
        await eventually(self._is_quiet, 20, hint=self._rest)
        while not self.is_holding_answer:
            await self.system.app.approvals.writeback.wait_idle()
            if self._is_quiet():
                break
            await eventually(self._is_quiet, 20, hint=self._rest)
        await self.system.settle()

    def _is_quiet(self) -> bool:
        if not any(self._rest().values()):
            return True
        self.system.app.approvals.writeback.poke()
        self.system.app.alerts.outbox.poke()
        return False

    def _rest(self) -> dict[str, int]:
        now = int(self.clock().timestamp() * 1000)
        due = {
            "cases": f"SELECT count(*) FROM approval_case WHERE due_us <= {now * 1000}",
            "deliveries": f"SELECT count(*) FROM delivery WHERE state = 'queued' AND due_ms <= {now}",
        }
        with closing(sqlite3.connect(self.folder / "demo" / "dingerp.sqlite3", timeout=5)) as connection:
            return {name: connection.execute(query).fetchone()[0] for name, query in due.items()}


@dataclass(slots=True)
class DemoApprovalScenario(ApprovalScenario):
    """A hall with the demo company, whose ERP and whose time are in the test's hand."""

    clock: Clock
    erp: UnreliableErp

    async def at(self, text: str) -> None:
        """Move the clock to so much after the start: ``30s``, ``5m``, ``2h``, ``1d``; then let everything happen."""
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


def words(card: SimCardView) -> str:
    """Return all that a card says, without markup."""
    return re.sub(r"<[^>]*>|\\", " ", f"{card.title} {card.markdown} {card.tips}")


def find_button(card: SimCardView, token: str) -> SimButton:
    """Return the button whose token begins so."""
    found = next((button for button in card.buttons if button.id.startswith(token)), None)
    assert found is not None, (token, [(button.text, button.id) for button in card.buttons], words(card))
    return found


def tokens(card: SimCardView) -> list[str]:
    """Return what the buttons of a card are about."""
    return [button.id.partition("|")[0] for button in card.buttons]


OpenApprovalScenario = Callable[..., Any]


@pytest.fixture
def open_approval_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenApprovalScenario:
    """Return what opens a docket: ``open_approval_scenario(SMALL, rules="…")``."""
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
    approvals: dict[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[DemoApprovalScenario]:
    """Open a company in whose ERP only these orders wait, each shown in ``groups`` and to who may decide.

    Without ``rules`` any of ``approvers`` decides; ``accounts`` are the people with an account in the ERP.
    """
    clock, held = Clock(), []
    file = folder / "approvals.toml"
    if rules:
        file.write_text(rules)
    real = adapter.open_demo

    async def open_moody(*args: Any, **kwargs: Any) -> Erp:
        erp = UnreliableErp(await real(*args, **kwargs))
        await erp.only(numbers)
        held.append(erp)
        return erp

    # No answer is remembered and no source left alone: what the ERP does now is what the test is about.
    source = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 0, "breaker_failures": 0})
    changes = {
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(approvers)},
            "accounts": {account: {"demo": account} for account in accounts},
        },
        "approvals": {"groups": tuple(groups), "backlog": True, "rules": file, **(approvals or {})},
        "outbox": {"per_second": 1000, "place_minute": 1000},
        "erp": {"demo": source},
        **changes,
    }
    with patch.object(adapter, "open_demo", open_moody):
        async with run_system(folder, clock=clock, **changes) as system:
            scenario = DemoApprovalScenario(system, clock, folder, held[0])
            await scenario.poll_pending()
            yield scenario
