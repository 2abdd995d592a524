"""From the reference on a card to what happened: which rule, which calls, and how long each took."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.admin.traces import show_trace
from bot.settings import ErpSettings, RuleSettings, Settings
from bot.store.database import Database
from bot.store.tables import TRACE
from tests.scenario.conftest import ENGLISH, READING, BotSystem, OpenSystem
from tests.scenario.test_api import opened
from tests.web.page_client import page_client

_REFERENCE = re.compile(r"Reference: ([0-9A-Z]{8})$")


_AWAY = ErpSettings.model_validate({"vendor": "demo", "latency": 30, "timeout": 0.3})


async def told_of(settings: Settings, tips: str) -> str:
    """Return what ``dingerp trace`` tells of the reference in the small line of a card, as typed from a picture."""
    found = _REFERENCE.search(tips)
    assert found, tips
    return await told(settings, found[1].lower().replace("1", "l").replace("0", "o"))


async def told(settings: Settings, reference: str) -> str:
    """Return what ``dingerp trace`` tells of a reference."""
    return "\n".join(await show_trace(settings, reference, zone=ZoneInfo(settings.zone), form="text"))


async def test_a_failure_leads_to_the_call_that_failed(open_system: OpenSystem) -> None:
    async with open_system(erp={"demo": _AWAY}) as system:
        card = await system.ask("/po PO-1001", who=ENGLISH)
        assert card.title == "No answer from the ERP"
    said = await told_of(system.app.settings, card.tips)
    assert "asked: /po PO-1001\ncommand po, erp_down" in said
    assert re.search(r"erp \w+ +demo +timeout +\d+ ms", said), said


async def test_any_card_tells_its_rule_its_calls_and_who_was_shown_what(open_system: OpenSystem) -> None:
    rule = RuleSettings.model_validate({"name": "orders for all", "commands": {"order"}, "roles": {"*"}})
    async with open_system(trace={"on_cards": "all"}, access={"rules": (rule,)}) as system:
        card = await system.ask("/order SO-1001", who=ENGLISH)
        await system.settle()
    said = await told_of(system.app.settings, card.tips)
    assert "command order, answered; rule: orders for all" in said
    assert f"shown to {ENGLISH} in {system.group}: SO-1001" in said
    assert re.search(r"erp order +demo +ok +\d+ ms", said), said
    assert re.search(r"card +ok +\d+ ms", said), said


async def test_a_card_that_answers_is_as_quiet_as_before(system: BotSystem) -> None:
    card = await system.ask("/order SO-1001", who=ENGLISH)
    assert "Reference" not in card.tips


async def test_an_answer_of_a_moment_ago_is_told_as_one(open_system: OpenSystem) -> None:
    async with open_system(trace={"on_cards": "all"}) as system:
        await system.ask("/order SO-1001", who=ENGLISH)
        card = await system.ask("/order SO-1001", who=ENGLISH)
        await system.settle()
    said = await told_of(system.app.settings, card.tips)
    assert re.search(r"erp order +demo +recent +0 ms", said), said


async def test_a_sentence_is_told_with_the_line_that_it_was_read_as(open_system: OpenSystem) -> None:
    async with open_system(**READING, trace={"on_cards": "all"}) as system:
        card = await system.ask("where is SO-1001?", who=ENGLISH)
        await system.settle()
    assert "asked: where is SO-1001?, read as /delivery SO-1001" in await told_of(system.app.settings, card.tips)


async def test_a_company_may_keep_no_lines(open_system: OpenSystem) -> None:
    async with open_system(trace={"on_cards": "all", "keep_lines": False}) as system:
        card = await system.ask("/order SO-1001", who=ENGLISH)
        await system.settle()
    said = await told_of(system.app.settings, card.tips)
    assert "asked" not in said
    assert f"shown to {ENGLISH} in {system.group}: SO-1001" in said


async def test_a_page_without_an_answer_leads_to_the_call_that_failed(open_system: OpenSystem) -> None:
    async with open_system(erp={"demo": _AWAY}) as system:
        async with page_client(system.app.settings.http.public_url) as browser:
            await browser.log_in(ENGLISH)
            page = await browser.get("/ask?line=/po+PO-1001")
        found = re.search(r"Reference: ([0-9A-Z]{8})", page.text)
        assert found, page.text
    said = await told(system.app.settings, found[1])
    assert f"{found[1]}: page at" in said
    assert "asked: /po PO-1001\ncommand po, erp_down" in said
    assert re.search(r"erp \w+ +demo +(timeout|not called) +\d+ ms", said), said


async def test_a_program_without_an_answer_is_given_the_reference(open_system: OpenSystem) -> None:
    async with open_system(erp={"demo": _AWAY}) as system, opened(system) as door:
        await door.key(ENGLISH)
        problem = await door.client.ask("/po PO-1001")
        assert problem.status == 503
    said = await told(system.app.settings, problem.body["reference"])
    assert f"{problem.body['reference']}: request at" in said
    assert "asked: /po PO-1001\ncommand po, erp_down" in said


async def test_what_a_page_or_a_program_was_answered_leaves_no_trace(open_system: OpenSystem) -> None:
    async with open_system() as system, opened(system) as door:
        await door.key(ENGLISH)
        told_of_order = await door.client.ask("/order SO-1001")
        assert "reference" not in told_of_order.body
        async with page_client(system.app.settings.http.public_url) as browser:
            await browser.log_in(ENGLISH)
            await browser.get("/ask?line=/order+SO-1001")
    database = Database(system.app.settings.database)
    try:
        kept = await database.rows(select(TRACE.c.reference))
    finally:
        await database.close()
    assert list(kept) == []
