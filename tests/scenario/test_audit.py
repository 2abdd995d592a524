"""The whole bot keeps its audit log: answers, refusals and limits; and nobody reads 300 orders in one go."""

from __future__ import annotations

from collections.abc import Iterator

from bot.access.audit import AuditKind, AuditSearch, RecordedEntry
from bot.erp.port import ListQuery
from bot.settings import RuleSettings
from bot.simulator.cards import SimCardView
from bot.store.audit.chain import AuditWitness
from bot.store.audit.checks import AuditFindings
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from tests.scenario.conftest import KEEPER, OUTSIDER, BotSystem, OpenSystem
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
