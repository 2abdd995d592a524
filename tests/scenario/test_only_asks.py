"""No subscription, file, sentence or answer of a language model changes anything: database and ERP are as they were."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bot.settings import UnderstandingSettings
from bot.store.engines import sqlite_file
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.understanding.language_model.fake_model import FakeModel, fake

__all__ = ["fake", "open_approval_scenario"]  # pytest finds fixtures in the module

NOTED = {
    *("alembic_version", "api_day", "api_month", "audit", "audit_document", "audit_head", "delivery", "delivery_spend"),
    *("delivery_step", "dialogue", "heartbeat", "inbox", "standing_answer", "standing_document", "welcome"),
    *("directory_walk", "person", "department", "organisation", "erp_copy", "poll_position", "poll_subject", "trace"),
    "unread_sentence",
}
"""Tables that every question adds to, or that the bot writes by itself."""

LINES = (
    f"/pending {SMALL} {BOSS} forward",
    f"/待我审批 {SMALL} {BOSS} 转交",
    f"/approve {SMALL}",
    f"/reject {SMALL} too dear",
    f"/clarify {SMALL} why so dear",
    f"/nudge {SMALL}",
    "/new order C001 SKU123×20",
    "/away today confirm",
    "/proposal 4f1a9c yes",
    "/mute order 1h",
    "/mute stock.* 30d",
    "/unmute stock.low",
    "/watch SKU123",
    "/lang en",
    "/bind demo somebody",
    "/unbind demo",
    "/subscribe order late 9:00",
    "/unsubscribe all",
    "/alerts nothing ack",
)


def state(scenario: DemoApprovalScenario) -> dict[str, list[Any]]:
    """Return the rows of all tables that a change would show in."""
    file = sqlite_file(scenario.system.app.settings.database)
    with closing(sqlite3.connect(file or "")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables if name not in NOTED}


def ways(line: str) -> Iterator[str]:
    """Yield the lines that would have somebody else carry a line out."""
    yield f"/export {line[1:]}"
    yield f"/导出 {line[1:]}"
    yield f"/subscribe {line[1:]} 16:01 daily"
    yield f"帮我看一下{line[1:]}这件事情今天可以了吗"


@pytest.mark.parametrize("one_in", [4, pytest.param(1, marks=pytest.mark.soak)])
async def test_nothing_changes_unless_somebody_types_or_presses_it(
    open_approval_scenario: OpenApprovalScenario, fake: FakeModel, one_in: int
) -> None:
    """Of the four ways of a line one in so many is tried, in turn, and always the answer of a language model."""
    model = {"url": fake.url, "key": "hush", "model": "qwen"}
    sentences = {"understanding": UnderstandingSettings.model_validate({"model": model})}
    async with open_approval_scenario(SMALL, **sentences) as scenario:
        await scenario.ask("/help", MANAGER)
        before = state(scenario)
        for turn, line in enumerate(LINES):
            for said in [*ways(line)][turn % one_in :: one_in]:
                await scenario.ask(said, MANAGER)
            fake.say(line)
            await scenario.ask(f"明天又要被念叨 {line[1:]}", MANAGER)
            assert state(scenario) == before, line
        assert scenario.erp.told == []
        said = await scenario.ask(f"/approve {SMALL}", MANAGER)
        assert state(scenario) != before, plain_text(said)
