"""Files of rules while the bot runs: none of them opens anything by accident, and the bot says which it has read."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from bot.access.audit import AuditKind
from bot.admin.access import check_access
from bot.admin.policy_context import check_policy
from bot.admin.route_check import check_rules
from bot.admin.rules_in_force import describe_running_rules
from bot.bootstrap import health, rules
from bot.doctor.local import check_lost_rules
from bot.doctor.results import CheckGrade
from bot.doctor.running import check_running
from bot.kit.simulator.chat import SimDelivery
from bot.outbox import health_reports
from bot.settings import HttpSettings, Settings
from bot.words.errors import ConfigurationError
from bot.words.names import NOTHING_KNOWN
from tests.alerts.intake.samples import cloud_event
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.scenario.test_audit import log_of
from tests.scenario.test_run import get
from tests.scenario.traffic import LONGEST_WAIT, eventually

BOSS, MANAGER = "boss01", "buymanager01"
_numbers = count(1)


async def may_read_invoices(system: BotSystem) -> bool:
    """Whether the warehouse keeper gets the invoices."""
    card = await system.ask("/invoice", KEEPER, where=system.engine.direct(KEEPER).id)
    return "INV-" in card.markdown


async def alerts_the_warehouse(system: BotSystem) -> bool:
    """Whether an event goes to the group of the default, and not to the one of the rules."""
    number = next(_numbers)
    event = cloud_event(id=f"E-{number}", subject=f"SKU{900 + number}", time=None)
    await system.app.alerts.intake.accept("demo", [event], via="webhook")
    places = (WAREHOUSE, BUYING)

    def shown() -> list[str]:
        chats = system.engine.chat.conversations
        return [place for place in places if any(event["subject"] in title for title in titles(chats[place]))]

    await eventually(shown, hint=lambda: [titles(system.engine.chat.conversations[place]) for place in places])
    return shown() == [WAREHOUSE]


async def lets_the_manager_decide(system: BotSystem) -> bool:
    """Whether the purchasing manager, who has the role of the default, is asked to decide an order."""
    await system.app.approvals.pending_poller.poll()
    await eventually(lambda: not system.count("outbox_waiting"), hint=lambda: "cards wait")
    return any("PO-" in title for title in titles(system.engine.direct(MANAGER)))


def titles(conversation: Any) -> list[str]:
    cards = (item.card for item in conversation.items if isinstance(item, SimDelivery))
    return [card.view_for(KEEPER).title for card in cards]


@dataclass(frozen=True, slots=True)
class Kind:
    """One file of rules: what closes, the word by which it opens, and whether it is open for somebody."""

    part: str
    file: str
    rules: str
    before: str
    """Further rules, which would stand before them and open it."""
    word: str
    is_open: Callable[[BotSystem], Awaitable[bool]]
    check: Callable[[Settings, Path | None], Awaitable[tuple[bool, list[str]]]]
    """What its command `check` does."""

    @property
    def beside(self) -> Path:
        """Its place beside the configuration."""
        return Path(self.file).absolute()

    @property
    def inside(self) -> Path:
        """Its place in the data folder."""
        return (Path("demo") / self.file).absolute()


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def empty(file: Path) -> None:
    write(file, "")


def remove(file: Path) -> None:
    file.unlink()


ACCESS = Kind(
    "access rules",
    "access.toml",
    '[[rules]]\nname = "invoices"\ncommands = ["invoice"]\nroles = ["admin"]\n',
    '[[rules]]\ncommands = ["stock"]\nroles = ["*"]\n',
    "open",
    may_read_invoices,
    check_access,
)
ALERTS = Kind(
    "alert rules",
    "alerts.toml",
    f'[default]\nto = ["group:{BUYING}"]\n',
    f'[[routes]]\nname = "orders"\ntypes = ["order.late"]\nto = ["group:{BUYING}"]\n',
    "default",
    alerts_the_warehouse,
    check_rules,
)
APPROVALS = Kind(
    "approval rules",
    "approvals.toml",
    '[[rules]]\nname = "elsewhere"\ncompanies = ["nobody"]\nlevels = [{any = ["person:boss01"]}]\n',
    '[[rules]]\nname = "nowhere"\ncompanies = ["none"]\nlevels = [{any = ["person:boss01"]}]\n',
    "default",
    lets_the_manager_decide,
    check_policy,
)
KINDS = pytest.mark.parametrize("kind", [ACCESS, ALERTS, APPROVALS], ids=lambda kind: kind.file)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(health, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(health_reports, "SETTLED", timedelta(0))


ACCOUNTS = {person: {"demo": person} for person in (MANAGER, BOSS)}
SETTINGS: Mapping[str, Any] = {
    "access": {
        "roles": {"approver": frozenset({MANAGER}), "admin": frozenset({BOSS})},
        "open": False,
        "accounts": ACCOUNTS,
    },
    "alerts": {"default_groups": (WAREHOUSE,)},
    "approvals": {"backlog": True, "technical_account": "robot"},
}


async def said(system: BotSystem, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    """Return what `/readyz` says once it says what is wanted; it answers 200 all the time."""
    ends = perf_counter() + LONGEST_WAIT
    while True:
        status, text = await get(system.app.port, "/readyz")
        body: Mapping[str, Any] = json.loads(text)
        assert status == 200, body
        if wanted(body):
            return body
        assert perf_counter() < ends, body
        await asyncio.sleep(0.02)


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


async def read(system: BotSystem, kind: Kind, file: Path) -> Mapping[str, Any]:
    """Wait until the bot has read a file."""
    wanted = {"file": str(file), "sha256": digest(file)}
    return await said(system, lambda body: bool(body["rules"][kind.part] == wanted))


@KINDS
async def test_a_file_that_loses_its_rules_opens_nothing(open_system: OpenSystem, kind: Kind) -> None:
    file = kind.beside
    write(file, kind.rules)
    async with open_system(**SETTINGS) as system:
        good = await read(system, kind, file)
        assert not await kind.is_open(system)
        write(file, "# nothing yet\n")
        body = await said(system, lambda body: body["parts"][kind.part]["status"] == "degraded")
        assert f"{kind.word} = true if" in body["parts"][kind.part]["reason"]
        assert body["rules"] == good["rules"], "the last good rules are in force"
        assert not await kind.is_open(system)
        boss = system.engine.direct(BOSS)
        await eventually(lambda: "机器人部分功能受限" in titles(boss), hint=lambda: titles(boss))
        remove(file)
        body = await said(system, lambda body: "cannot be read" in body["parts"][kind.part]["reason"])
        assert not await kind.is_open(system)
        write(file, f"{kind.word} = true\n")
        assert (await read(system, kind, file))["parts"][kind.part]["status"] == "ok"
        assert await kind.is_open(system)


@KINDS
async def test_a_file_that_was_cut_off_opens_nothing(open_system: OpenSystem, kind: Kind) -> None:
    file = kind.beside
    write(file, kind.before + kind.rules)
    async with open_system(**SETTINGS) as system:
        good = await read(system, kind, file)
        write(file, kind.before)
        body = await said(system, lambda body: "may be cut off" in body["parts"][kind.part].get("reason", ""))
        assert body["rules"] == good["rules"]
        assert not await kind.is_open(system)
        boss = system.engine.direct(BOSS)
        await eventually(lambda: "机器人部分功能受限" in titles(boss), hint=lambda: titles(boss))
        rows = "SELECT content FROM rule_file"
        await eventually(lambda: any(stored(system, rows)), hint=lambda: stored(system, rows))
        assert kind.rules not in str(stored(system, rows)), "it is sealed"
        settings = system.app.settings
    with pytest.raises(ConfigurationError, match="may be cut off"):
        async with open_system(**SETTINGS):
            raise AssertionError("it started")
    await assert_refused(settings, kind, "may be cut off")
    write(file, f"{kind.before}# end\n")
    async with open_system(**SETTINGS) as system:
        assert (await read(system, kind, file))["parts"][kind.part]["status"] == "ok"


@KINDS
async def test_a_file_that_is_created_while_the_bot_runs_is_read(open_system: OpenSystem, kind: Kind) -> None:
    beside, inside = kind.beside, kind.inside
    async with open_system(**SETTINGS) as system:
        nothing = {"file": "", "sha256": ""}
        assert (await said(system, lambda body: "rules" in body))["rules"][kind.part] == nothing
        write(inside, kind.rules)
        await read(system, kind, inside)
        if kind is not APPROVALS:  # the cards of the default are there already
            assert not await kind.is_open(system)
        write(beside, f"# the other\n{kind.rules}")
        body = await read(system, kind, beside)
        assert body["parts"][kind.part]["status"] == "degraded"
        assert body["parts"][kind.part]["reason"].startswith(f"{inside} is not read")
        remove(inside)
        await said(system, lambda body: body["parts"][kind.part]["status"] == "ok")


async def test_orders_can_be_decided_as_soon_as_there_are_rules(open_system: OpenSystem) -> None:
    access = {"roles": {"admin": frozenset({BOSS})}, "accounts": ACCOUNTS}
    async with open_system(**{**SETTINGS, "access": access}) as system:
        write(APPROVALS.beside, '[[rules]]\nname = "all"\nlevels = [{any = ["person:boss01"]}]\n')
        boss = system.engine.direct(BOSS)
        await eventually(lambda: any("PO-" in title for title in titles(boss)), hint=lambda: titles(boss))


@KINDS
async def test_a_start_without_the_rules_of_before_is_refused(open_system: OpenSystem, kind: Kind) -> None:
    file = kind.beside
    write(file, kind.rules)
    async with open_system(**SETTINGS) as system:
        await read(system, kind, file)
        rows = "SELECT path FROM rule_file"
        await eventually(lambda: stored(system, rows) == [str(file)], hint=lambda: stored(system, rows))
        settings = system.app.settings
    assert await check_lost_rules(settings, NOTHING_KNOWN) == []
    assert (await kind.check(settings, None))[0]
    for accident in (remove, empty):
        accident(file)
        with pytest.raises(ConfigurationError, match=f"{kind.word} = true if"):
            async with open_system(**SETTINGS):
                raise AssertionError("it started")
        await assert_refused(settings, kind, f"{kind.word} = true")
    write(file, f"{kind.word} = true\n")
    async with open_system(**SETTINGS) as system:
        await eventually(lambda: stored(system, rows) == [], hint=lambda: stored(system, rows))
    remove(file)
    async with open_system(**SETTINGS) as system:
        assert (await said(system, lambda body: "rules" in body))["rules"][kind.part]["file"] == ""


async def assert_refused(settings: Settings, kind: Kind, why: str) -> None:
    """What refuses a start is no secret before it: doctor and the command for the rules say the same."""
    fine, lines = await kind.check(settings, None)
    assert (fine, [why in line for line in lines].count(True)) == (False, 1), lines
    if kind.beside.is_file() and not kind.beside.stat().st_size:
        return  # that an empty file says nothing is told of the file itself
    (lost,) = await check_lost_rules(settings, NOTHING_KNOWN)
    assert (lost.grade, why in str(lost.words)) == (CheckGrade.BAD, True)


def stored(system: BotSystem, query: str) -> list[str]:
    with closing(sqlite3.connect(system.app.settings.database.removeprefix("sqlite:///"))) as database:
        return [path for (path,) in database.execute(query)]


@KINDS
async def test_the_tools_ask_the_running_bot(open_system: OpenSystem, kind: Kind) -> None:
    async with open_system(**SETTINGS) as system:
        http = HttpSettings.model_validate({"port": system.app.port})
        settings = system.app.settings.model_copy(update={"http": http})

        async def told() -> tuple[str, CheckGrade]:
            (line,) = await describe_running_rules(settings, kind.part)
            (grade,) = {
                found.grade for found in await check_running(settings) if str(found.words) == line.split(": ", 1)[-1]
            }
            return line, grade

        assert await told() == ("the running bot has read no file either", CheckGrade.GOOD)
        file = kind.beside
        write(file, kind.rules)
        name = str(file)
        # Asked once: it may read the file at any moment.
        (line,) = await describe_running_rules(settings, kind.part)
        if line != f"the running bot has read {name} as it is":
            assert line == f"warning: the running bot has not read {name}, and obeys no file"
        await read(system, kind, file)
        assert await told() == (f"the running bot has read {name} as it is", CheckGrade.GOOD)
        write(file, "")
        await said(system, lambda body: body["parts"][kind.part]["status"] == "degraded")
        assert await told() == (f"warning: the running bot obeys {name} as it was before", CheckGrade.BAD)
        remove(file)
        assert await told() == (f"warning: the running bot obeys {name}, which is not there", CheckGrade.BAD)


NOWHERE = "cidNobodyWroteHere0000000001=="


async def test_a_name_that_cards_die_of_is_told_to_administrators_with_its_line(
    open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOOKED_EVERY", 0.05)
    text = f'[default]\nto = ["group:{NOWHERE}", "group:{WAREHOUSE}"]\n'
    Path("alerts.toml").write_text(text, encoding="utf-8")  # noqa: ASYNC240 - a moment
    async with open_system(**{**SETTINGS, "alerts": {"rules": Path("alerts.toml")}}) as system:
        event = cloud_event(id="E-lost", subject="SKU123", time=None)
        await system.app.alerts.intake.accept("demo", [event], via="webhook")
        body = await said(system, lambda body: f"place group:{NOWHERE}" in body["parts"])
        part = body["parts"][f"place group:{NOWHERE}"]
        assert part["status"] == "degraded"
        assert part["reason"].startswith("alerts.toml line 2 (to): ")
        assert not any(WAREHOUSE in name for name in body["parts"])
        chat = system.engine.direct(BOSS)

        def told() -> list[str]:
            cards = (item.card for item in chat.items if isinstance(item, SimDelivery))
            return [card.view_for(BOSS).markdown for card in cards]

        await eventually(lambda: any(NOWHERE in text and "alerts.toml line 2" in text for text in told()), hint=told)


async def test_what_an_edit_opens_is_told_to_the_administrators(open_system: OpenSystem) -> None:
    file = ACCESS.beside
    rule = '[[rules]]\nname = "keepers"\ncommands = ["order"]\nroles = ["仓管"]\nfields = ["quantity"'
    write(file, f"{ACCESS.rules}{rule}]\n# end\n")
    async with open_system(**SETTINGS) as system:
        await read(system, ACCESS, file)
        boss = system.engine.direct(BOSS)
        write(file, f'{ACCESS.rules}{rule}, "amount"]\n# end\n')
        await read(system, ACCESS, file)
        await eventually(lambda: "权限放开了" in titles(boss), hint=lambda: titles(boss))
        cards = [item.card.view_for(BOSS) for item in boss.items if isinstance(item, SimDelivery)]
        (card,) = [card for card in cards if card.title == "权限放开了"]
        assert "仓管：可以看到 /order 里的金额" in card.markdown
        await eventually(lambda: system.count("audit_waiting") == 0, hint=lambda: "the log is not written")
    kept, _ = await log_of(system)
    (opened,) = [each.entry for each in kept if each.entry.outcome == "opened"]
    assert (opened.action, opened.kind) == ("access.toml", AuditKind.RULES)
    assert "warehouse keeper: may see amounts in /order" in opened.detail
