"""A company's own ERP by the README's steps: somebody has to choose who sees what, and a keeper sees no amount."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import EntryPoint
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.alerts import subscriptions
from bot.chat.registry import Commands
from bot.erp import vendors
from bot.erp.port import ListQuery
from bot.kit.company.sales import ZONE
from bot.kit.simulator.chat import SimMessage
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from bot.settings import ErpSettings, RuleSettings
from tests.erp.fakes.odoo import DATABASE, FakeOdoo
from tests.erp.fakes.odoo_records import BOT
from tests.scenario.conftest import KEEPER, BotSystem, run_system
from tests.scenario.processes import NO_INDEX, connected, environment, forked, run_dingerp, used_before
from tests.scenario.test_subscriptions import MovedClock
from tests.scenario.traffic import eventually
from tests.workbook_cells import read_sheets

MONEY = re.compile(r"[¥￥$€£]\s?-?\d|\b(?:CNY|USD|EUR)\s?-?\d|\d\s?(?:CNY|USD|EUR|元)\b")
MANAGER = "boss01"
SKU = next(iter(ReferenceCompany().products))
LISTS = ("order", "invoice", "po", "mo", "stock", "delivery", "receipt", "bill", "payment", "find", "report month")
ASKED_ABOUT = (*LISTS[:-1], "price", "product", "customer", "vendor", "why")


def rule(*commands: str, **more: Any) -> RuleSettings:
    return RuleSettings.model_validate({"commands": commands, **more})


ROLES = {"keeper": frozenset({KEEPER}), "manager": frozenset({MANAGER})}
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "presets": {"presets": True, "roles": ROLES},
    "presets without a role": {"presets": True, "roles": {"manager": frozenset({MANAGER})}},
    "one rule": {"rules": (rule("stock", roles=["*"], fields=["quantity"]),)},
    "one rule about nothing of the ERP": {"rules": (rule("help", roles=["*"]),)},
}


@asynccontextmanager
async def with_odoo(folder: Path, access: Mapping[str, Any], clock: MovedClock) -> AsyncIterator[BotSystem]:
    """A bot on a fake Odoo; what the command line reads is set as an operator would have set it."""
    server = FakeOdoo(ReferenceCompany(), Clock(), (19, 0))
    await server.start()
    options = {"vendor": "odoo", "url": server.url, "database": DATABASE, "user": BOT, "key": SECRET, "company": 1}
    erp = {"main": ErpSettings.model_validate(options)}
    try:
        async with run_system(folder, erp=erp, access={"open": False, **access}, clock=clock.now) as system:
            yield system
    finally:
        await server.stop()


class Watched:
    """Everything that the bot sends to DingTalk from now on: calls, answers to clicks, files."""

    def __init__(self, system: BotSystem) -> None:
        self._system = system
        self.sent: list[str] = []
        self._next, system.engine.timeline.on_entry = system.engine.timeline.on_entry, self._saw

    def _saw(self, entry: Any) -> None:
        if self._next is not None:
            self._next(entry)
        if entry.direction in ("call", "ack"):
            self.sent.append(orjson.dumps(entry.detail, default=str).decode())

    def amounts(self) -> list[str]:
        """Return what shows money, and its surroundings."""
        texts = [*self.sent, *(str(sheet.values) for sheet in self._sheets())]
        return [text[max(0, at.start() - 80) : at.end() + 20] for text in texts for at in MONEY.finditer(text)]

    def _sheets(self) -> Any:
        chat = self._system.engine.direct(KEEPER)
        for item in chat.items:
            if isinstance(item, SimMessage) and item.msgtype == "file":
                stored = self._system.engine.media.get(item.url.partition("id=")[2])
                assert stored is not None
                yield from read_sheets(stored.content)


async def lines_of(system: BotSystem) -> list[str]:
    """Return lines for every command: alone, with its examples, and about documents that there are."""
    hub, query = system.app.hub, ListQuery(limit=3)
    order = (await hub.orders(query)).value.items[0]
    invoice = (await hub.invoices(query)).value.items[0]
    bought = (await hub.purchase_orders(query)).value.items[0]
    numbers = (order.number, invoice.number, bought.number, order.customer, bought.vendor, SKU)
    commands = Commands.discover()
    return [
        *(f"/{name}" for name in commands),
        *(example for command in commands.values() for example in command.examples),
        *(f"/{name} {value}" for name in ASKED_ABOUT for value in numbers),
        *(f"/export {line}" for line in LISTS),
    ]


@pytest.mark.parametrize("one_in", [15, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("choice", CHOICES)
async def test_a_keeper_sees_no_amount_with_any_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, one_in: int
) -> None:
    """Of the cases, each a line in a place, one in so many is asked; the choices take turns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(vendors._OURS, "odoo", EntryPoint("odoo", "bot.erp.odoo.manifest:vendor", vendors.GROUP))
    monkeypatch.setattr(subscriptions, "_LOOKED_EVERY", 0.05)
    clock = MovedClock()
    async with with_odoo(tmp_path, CHOICES[choice], clock) as system:
        watched = Watched(system)
        own = system.engine.direct(KEEPER).id
        lines = await lines_of(system)
        assert len(lines) > 100
        turn = 4 * [*CHOICES].index(choice) % one_in
        for line, where in [*product(lines, (own, system.group))][turn::one_in]:
            card = await system.ask(line, where=where)
            for button in card.buttons[:6]:
                if button.request and system.see(card).button(button.id) is not None:
                    await system.press(card, button.id)
            await system.settle()
            assert not watched.amounts(), line
        at = (clock.now() + timedelta(minutes=10)).astimezone(ZONE)
        for line in LISTS:
            await system.ask(f"/subscribe {line} {at:%H:%M} daily", where=own)
        before = len(system.engine.cards)
        clock.ahead += timedelta(minutes=11)
        await eventually(lambda: len(system.engine.cards) > before, hint=lambda: before)
        await eventually(lambda: not system.count("outbox_waiting"), hint=lambda: "cards wait")
        assert not watched.amounts()
        if "presets" in CHOICES[choice]:
            await system.ask("/invoice", MANAGER, where=system.engine.direct(MANAGER).id)
            assert watched.amounts(), "whoever may see amounts gets them: the search would find some"


ODOO = {
    "DINGERP_ERP__MAIN__VENDOR": "odoo",
    "DINGERP_ERP__MAIN__URL": "http://127.0.0.1:9",
    "DINGERP_ERP__MAIN__DATABASE": "company",
    "DINGERP_ERP__MAIN__USER": "bot",
    "DINGERP_ERP__MAIN__KEY": "secret",
    "DINGERP_ACCESS__OPEN": "",
    **NO_INDEX,
}
ASKED = "Nobody has said who may see what of main: set access.presets = true"


@pytest.mark.process
async def test_the_command_line_asks_for_the_choice_and_takes_it(tmp_path: Path) -> None:
    config = SimulatorConfig()
    async with simulator_running(config) as simulator:
        env = {**environment(config, simulator.url, used_before(tmp_path / "data"), **ODOO), "LC_ALL": "en_US.UTF-8"}
        for command in (("run",), ("doctor",), ("access", "check")):
            ended = await run_dingerp(*command, env=env, folder=tmp_path)
            assert ended.code != 0, command
            assert ASKED in ended.out + ended.err or "还没有人说明谁可以看 main" in ended.out + ended.err, command
        assert not simulator.engine.pushes.connections
        env["DINGERP_ACCESS__PRESETS"] = "true"
        checked = await run_dingerp("access", "check", env=env, folder=tmp_path)
        assert (checked.code, ASKED in checked.out) == (0, False), checked
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await connected(simulator.engine)
            await bot.saying("bot.running")
            assert (await bot.stop()).code == 0
