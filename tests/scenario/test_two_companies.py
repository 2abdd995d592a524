"""Two companies of one Odoo behind one bot, with equal numbers: whatever people tap or type reaches the right one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.admin.api_keys import add_key
from bot.erp.model import ReviewState
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from bot.settings import ErpSettings
from tests.commands.test_books import companies_in
from tests.erp.fakes.odoo import DATABASE, key_of
from tests.erp.fakes.odoo_companies import TwoCompanyOdoo
from tests.erp.fakes.odoo_records import BOT
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import YES, ApprovalScenario
from tests.scenario.conftest import READING, BotSystem, OpenSystem
from tests.scenario.test_export import file_of
from tests.scenario.traffic import eventually
from tests.web.api_client import api_client

OURS, THEIRS = "深圳公司", "上海公司"
BOSS = "boss01"


@pytest.fixture
async def odoo() -> AsyncIterator[TwoCompanyOdoo]:
    clock = Clock()
    server = TwoCompanyOdoo(ReferenceCompany(now=clock.now), clock)
    await server.start()
    yield server
    await server.stop()


def source_of(odoo: TwoCompanyOdoo, company: int) -> ErpSettings:
    account = {"vendor": "odoo", "url": odoo.url, "database": DATABASE, "user": BOT, "key": SECRET, "cache_seconds": 0}
    return ErpSettings.model_validate({**account, "company": company, "approvers": {"anna": key_of("anna")}})


def settings_of(odoo: TwoCompanyOdoo, *, approvers: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the settings of the bot; without ``approvers`` no card of an order comes between others."""
    return {
        **READING,
        "erp": {OURS: source_of(odoo, 1), THEIRS: source_of(odoo, 2)},
        "access": {
            "directory": True,
            "roles": {"approver": approvers},
            "accounts": {BOSS: {OURS: "anna", THEIRS: "anna"}},
        },
        "approvals": {"groups": (), "backlog": True},
        "alerts": {"default_groups": (BUYING,)},
        "poll": {"enabled": True, "seconds": 1.0, "list_seconds": 5.0, "areas": ("invoices",)},
        "outbox": {"per_second": 1000, "place_minute": 1000},
        "index": {"enabled": False},
    }


@pytest.fixture
async def system(open_system: OpenSystem, odoo: TwoCompanyOdoo) -> AsyncIterator[BotSystem]:
    async with open_system(clock=odoo.clock.now, **settings_of(odoo)) as opened:
        yield opened


async def test_a_number_of_both_companies_is_asked_back_and_each_button_opens_its_own(
    system: BotSystem, odoo: TwoCompanyOdoo
) -> None:
    own = system.engine.direct(BOSS).id
    for company in (OURS, THEIRS):
        choice = await system.ask("/invoice INV-7", BOSS, where=own)
        opened = await system.click(choice, f"INV-7 · {company}", BOSS)
        assert company in opened.tips
        amount = odoo.company.invoices["INV-7"].total.amount * (1 if company == OURS else 2)
        assert f"{amount:,.2f}" in opened.markdown
    listed = await system.ask(f"/invoice open @{THEIRS}", BOSS, where=own)
    assert THEIRS in listed.markdown
    assert OURS not in listed.markdown


async def test_a_sentence_a_file_and_a_subscription_keep_to_the_company_that_they_name(system: BotSystem) -> None:
    own = system.engine.direct(BOSS).id
    read = await system.ask(f"{THEIRS}的逾期发票", BOSS, where=own)
    assert f"/invoice overdue @{THEIRS}" in read.tips
    assert OURS not in read.markdown
    await system.ask(f"/export invoice open @{THEIRS}", BOSS, where=own)
    _, sheet = await file_of(system, BOSS)
    assert companies_in(sheet) - {None, ""} == {THEIRS}
    for company in (OURS, THEIRS):
        await system.ask(f"/subscribe invoice open @{company} 08:30", BOSS, where=own)
    subscribed = await system.ask(f"/subscriptions @{THEIRS}", BOSS, where=own)
    assert THEIRS in subscribed.markdown
    assert OURS not in subscribed.markdown


async def test_a_program_names_the_company_that_it_asks(system: BotSystem, odoo: TwoCompanyOdoo) -> None:
    token, *_ = await add_key(system.app.settings, BOSS, ["*"], "1d", odoo.clock.now())
    async with api_client(f"http://127.0.0.1:{system.app.port}", token) as client:
        several = await client.get("/invoice/INV-7")
        lines = [choice["line"] for choice in several.body["choices"]]
        assert (several.status, lines) == (409, [f"/invoice INV-7 @{company}" for company in (OURS, THEIRS)])
        for company in (OURS, THEIRS):
            one = (await client.get("/invoice/INV-7", source=company)).view
            assert (one["document"]["books"], one["freshness"]["source"]) == ([company], company)
            amount = odoo.company.invoices["INV-7"].total.amount * (1 if company == OURS else 2)
            assert Decimal(one["document"]["total"]["amount"]) == amount
            listed = (await client.get("/invoice", source=company)).view
            assert {company} == {name for row in listed["rows"] for name in row["books"]}
        unknown = await client.get("/invoice", source="nowhere")
        assert (unknown.status, unknown.body["errors"][0]["parameter"]) == (422, "source")


async def test_an_approval_reaches_the_order_of_its_own_company(
    open_system: OpenSystem, odoo: TwoCompanyOdoo, tmp_path: Path
) -> None:
    async with open_system(clock=odoo.clock.now, **settings_of(odoo, approvers=frozenset({BOSS}))) as system:
        scenario = ApprovalScenario(system, odoo.clock.now, tmp_path)
        await scenario.poll_pending()
        await decide_in_both(scenario, odoo)


async def decide_in_both(scenario: ApprovalScenario, odoo: TwoCompanyOdoo) -> None:
    """Approve an order of one company by its card, and the order of that number in the other by a typed line."""
    number = next(each.number for each in odoo.company.purchases.values() if each.status is ReviewState.WAITING)
    own = [copy.view for copy in scenario.copies(number) if copy.place == BOSS]
    (theirs,) = [view for view in own if THEIRS in view.tips]
    await scenario.press(theirs, YES, BOSS, where=scenario.system.engine.direct(BOSS).id)
    assert odoo.sister.purchases[number].status is not ReviewState.WAITING
    assert odoo.company.purchases[number].status is ReviewState.WAITING
    # By its number alone it is not clear which is meant; by its company it is.
    asked = await scenario.ask(f"/approve {number}", BOSS)
    assert odoo.company.purchases[number].status is ReviewState.WAITING, asked.title
    await scenario.ask(f"/approve {number} @{OURS}", BOSS)
    await eventually(lambda: odoo.company.purchases[number].status is not ReviewState.WAITING, hint=lambda: number)
