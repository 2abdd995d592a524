"""The whole bot keeps its audit log: answers, refusals and limits; and nobody reads 300 orders in one go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.access.audit import AuditKind, AuditSearch, RecordedEntry
from bot.alerts import subscriptions
from bot.bootstrap import health
from bot.erp.port import ListQuery
from bot.kit.company.sales import ZONE
from bot.kit.simulator.cards import SimCardView
from bot.mechanisms.backoff import BackoffPolicy
from bot.outbox import health_reports
from bot.settings import RuleSettings
from bot.store.audit import log as audit_module
from bot.store.audit.chain import AuditWitness
from bot.store.audit.checks import AuditFindings
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from tests.alerts.intake.samples import cloud_event
from tests.scenario.alerts.scenario import WAREHOUSE
from tests.scenario.conftest import KEEPER, OUTSIDER, BotSystem, OpenSystem, run_system
from tests.scenario.test_subscriptions import MovedClock
from tests.scenario.test_trouble import said
from tests.scenario.traffic import eventually
from tests.unlimited import NO_LIMIT

ADMINISTRATOR, BOSS = "manager01", "it01"
FINANCE_ONLY = RuleSettings.model_validate({"name": "finance reads", "commands": ["invoice"], "roles": ["finance"]})


async def log_of(system: BotSystem) -> tuple[list[RecordedEntry], AuditFindings]:
    """Return what a bot that was stopped has recorded."""
    settings = system.app.settings
    database = Database(settings.database)
    try:
        log = StoredAudit(database, AuditWitness(settings.data_dir))
        return list(await log.search(AuditSearch(after=0))), await log.verify()
    finally:
        await database.close()


async def test_answers_and_refusals_are_recorded_until_the_bot_stops(open_system: OpenSystem) -> None:
    async with open_system(access={"rules": (FINANCE_ONLY,)}) as system:
        card = await system.ask("/order SO-1001")
        await system.click(card, "库存")
        await system.ask("/invoice INV-7")
        await system.ask("/order SO-1001", who=OUTSIDER)
    kept, found = await log_of(system)
    told = [
        (line.entry.kind, line.entry.actor, line.entry.action, line.entry.documents)
        for line in kept
        if line.entry.kind is not AuditKind.RULES
    ]
    assert told == [
        (AuditKind.QUESTION, KEEPER, "order", ("SO-1001",)),
        (AuditKind.REFUSAL, KEEPER, "invoice", ()),
        (AuditKind.REFUSAL, "external", "none", ()),
    ]
    assert kept[-2].entry.rule == "finance reads"
    assert (found.broken, found.witnessed) == ((), True)


async def test_numbers_that_somebody_guesses_are_recorded(open_system: OpenSystem) -> None:
    own = RuleSettings.model_validate({"name": "own orders", "commands": ["order"], "roles": ["*"], "own": True})
    async with open_system(access={"rules": (own,)}) as system:
        for line in ("/order SO-1003", "SO-1004", "/order SO-99999"):
            assert (await system.ask(line)).title == "没有找到"
    kept, _ = await log_of(system)
    refused = [line.entry for line in kept if line.entry.kind is AuditKind.REFUSAL]
    assert [(entry.actor, entry.documents, entry.outcome) for entry in refused] == [
        (KEEPER, (number,), "not_found") for number in ("SO-1003", "SO-1004", "SO-99999")
    ]


async def test_300_orders_are_not_read_in_one_go_and_administrators_hear_of_it(open_system: OpenSystem) -> None:
    limits = {"person": NO_LIMIT.model_copy(update={"documents_row": 20})}
    roles = {"admin": frozenset({ADMINISTRATOR})}
    async with open_system(limits=limits, access={"roles": roles}) as system:
        orders = (await system.app.hub.orders(ListQuery(limit=30))).value.items
        titles = [(await system.ask(f"/order {order.number}")).title for order in orders]
        assert [title for title in titles[20:] if title != "查询太频繁了"] == []
        assert "查询太频繁了" not in titles[:20]
        report = await system.engine.wait_for(lambda: next(reports(system), None), timeout=60)
        assert "limits.person.documents" in report.markdown
        assert len(list(reports(system))) == 1
    kept, _ = await log_of(system)
    refused = [line.entry for line in kept if line.entry.kind is AuditKind.REFUSAL]
    assert {entry.rule for entry in refused} == {"limits.person.documents_row"}
    assert len([line for line in kept if line.entry.kind is AuditKind.QUESTION]) == 20


def reports(system: BotSystem, administrator: str = ADMINISTRATOR) -> Iterator[SimCardView]:
    """Return the cards that tell an administrator of the keeper's limit."""
    views = (card.view_for(administrator) for card in system.engine.cards)
    return (view for view in views if view.title == "王仓 的查询到了上限")


async def test_without_a_role_the_directory_s_administrators_hear_of_it(open_system: OpenSystem) -> None:
    limits = {"person": NO_LIMIT.model_copy(update={"questions_minute": 2})}
    async with open_system(limits=limits) as system:
        await system.ask("/help", who=BOSS)
        for _ in range(3):
            await system.ask("/help")
        await system.engine.wait_for(lambda: next(reports(system, BOSS), None), timeout=60)


REFUSING = "CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"
FORGED = (
    "INSERT INTO audit SELECT max(seq) + 1, at_ms, kind, 'ghost', action, conversation, documents, shown, rule,"
    " outcome, detail, hash, hash FROM audit"
)


def change(system: BotSystem, statement: str) -> None:
    file = system.app.settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot look at its audit log, and tell what is wrong, in moments instead of minutes."""
    monkeypatch.setattr(audit_module, "INSPECTED_EVERY", 0.05)
    monkeypatch.setattr(audit_module, "RETRYING", BackoffPolicy(first=0.05, longest=0.05))
    monkeypatch.setattr(health, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(health_reports, "SETTLED", timedelta())


def told(system: BotSystem) -> str:
    """Return what the newest card says that an administrator has of the bot's health."""
    views = [card.view_for(ADMINISTRATOR) for card in system.engine.cards]
    return next((view.markdown for view in reversed(views) if "审计日志" in view.markdown), "")


ADMINISTRATORS = {"access": {"roles": {"admin": frozenset({ADMINISTRATOR})}}}


@pytest.mark.usefixtures("watched")
async def test_a_log_that_cannot_be_written_is_told_and_nothing_of_it_is_lost(open_system: OpenSystem) -> None:
    async with open_system(**ADMINISTRATORS) as system:
        await system.ask("/order SO-1001")
        change(system, REFUSING)
        await system.ask("/order SO-1002")
        _, body = await said(system, lambda body: body["parts"]["audit log"]["status"] == "degraded")
        assert body["status"] == "degraded"
        assert "answers go on" in body["parts"]["audit log"]["reason"]
        assert system.count("audit_written") == 0
        await system.engine.wait_for(lambda: "审计日志写不进去" in told(system), timeout=60)
        change(system, "DROP TRIGGER refuse")
        await eventually(lambda: system.count("audit_written") == 1, hint=lambda: "the log is not written")
        assert system.count("audit_waiting") == 0
    kept, _ = await log_of(system)
    assert [entry.entry.documents for entry in kept if entry.entry.actor == KEEPER] == [("SO-1001",), ("SO-1002",)]


@pytest.mark.usefixtures("watched")
async def test_a_forged_entry_is_told_until_somebody_accepts_it(open_system: OpenSystem) -> None:
    async with open_system(**ADMINISTRATORS) as system:
        await system.ask("/order SO-1001")
        await eventually(lambda: system.count("audit_waiting") == 0, hint=lambda: "some of it waits")
        change(system, FORGED)
        await system.ask("/order SO-1002")
        await said(system, lambda body: "broken" in body["parts"]["audit log"]["reason"])
        assert system.count("audit_broken") > 0
        await system.engine.wait_for(lambda: "审计日志不完整" in told(system), timeout=60)
    kept, found = await log_of(system)
    assert [entry.entry.documents for entry in kept if entry.entry.actor == KEEPER] == [("SO-1001",), ("SO-1002",)]
    (forged,) = [entry.seq for entry in kept if entry.entry.actor == "ghost"]
    assert f"entry {forged} was changed: its content does not have its hash" in found.broken


@pytest.mark.usefixtures("watched")
async def test_without_a_required_log_nothing_is_shown_changed_or_exported(open_system: OpenSystem) -> None:
    async with open_system(audit={"required": True}, **ADMINISTRATORS) as system:
        assert "SO-1001" in (await system.ask("/order SO-1001")).title
        change(system, REFUSING)
        lines = ("/order SO-1002", "SO-1002", "/export order late", "/mute order 1h", "/lang en", "/approve PO-1001")
        for line in lines:
            card = await system.ask(line)
            assert card.title == "无法记录，因此未执行", line
            assert "SO-1002" not in card.markdown
        assert (await system.ask("/help")).title != "无法记录，因此未执行"
        change(system, "DROP TRIGGER refuse")
        await eventually(lambda: system.count("audit_written") == 1, hint=lambda: "the log is not written")
        assert "SO-1002" in (await system.ask("/order SO-1002")).title
        assert "已静音" not in (await system.ask("/mute")).markdown


@pytest.mark.usefixtures("watched")
async def test_alerts_are_sent_without_a_required_log_and_the_health_says_so(open_system: OpenSystem) -> None:
    alerts = {"default_groups": (WAREHOUSE,)}
    async with open_system(audit={"required": True}, alerts=alerts, **ADMINISTRATORS) as system:
        change(system, REFUSING)
        assert (await system.ask("/order SO-1002")).title == "无法记录，因此未执行"
        event = cloud_event(id="E-1", subject="SKU901", time=None)
        await system.app.alerts.intake.accept("demo", [event], via="webhook")

        def shown() -> bool:
            return any("SKU901" in card.view_for(KEEPER).title for card in system.engine.cards)

        await eventually(shown, hint=lambda: [card.view_for(KEEPER).title for card in system.engine.cards])
        await system.engine.wait_for(lambda: "预警照常发送" in told(system), timeout=60)


async def test_what_a_subscription_shows_is_recorded_and_waits_for_a_required_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subscriptions, "_LOOKED_EVERY", 0.05)
    monkeypatch.setattr(audit_module, "RETRYING", BackoffPolicy(first=0.05, longest=0.05))
    clock = MovedClock()
    async with run_system(tmp_path, clock=clock.now, audit={"required": True}) as system:
        at = (clock.now() + timedelta(minutes=10)).astimezone(ZONE)
        await system.ask(f"/subscribe order late {at:%H:%M} daily")
        await eventually(lambda: system.count("audit_waiting") == 0, hint=lambda: "some of it waits")
        change(system, REFUSING)
        clock.ahead += timedelta(minutes=11)
        await eventually(lambda: troubles(system) == ["uncomposed"], hint=lambda: troubles(system))
        assert len(system.engine.cards) == 1
        change(system, "DROP TRIGGER refuse")
        clock.ahead += timedelta(minutes=5)
        await eventually(lambda: len(system.engine.cards) == 2, hint=lambda: troubles(system))
    kept, _ = await log_of(system)
    assert [bool(line.entry.documents) for line in kept if (line.entry.actor, line.entry.action) == (KEEPER, "order")]


def troubles(system: BotSystem) -> list[str]:
    """Return how the last tries of deliveries failed."""
    file = system.app.settings.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as connection:
        return [trouble for (trouble,) in connection.execute("SELECT trouble FROM delivery WHERE trouble != ''")]
