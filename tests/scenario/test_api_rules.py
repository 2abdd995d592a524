"""Rules by the API: administrators' programs read, check and rehearse them, and none of that changes a rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from bot.rulefiles.document import MAX_BYTES
from tests.rows import each_row
from tests.scenario.conftest import OpenSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_api_documents import fits

ADMIN = "it01"


@pytest.fixture
async def door(open_system: OpenSystem, tmp_path: Path) -> AsyncIterator[Door]:
    async with open_system() as system, opened(system) as door:
        await door.key(ADMIN)
        yield door


async def test_the_overview_is_the_chat_s(door: Door) -> None:
    told = await door.client.get("/rules", language="en")
    assert fits(told, "/rules") == []
    assert told.view == (await door.client.ask("/rules", language="en")).view
    assert [row["subject"] for row in told.view["rows"]] == ["access", "alerts", "approvals"]


@each_row("subject", ["access", "alerts", "approvals"])
async def test_a_file_is_read_as_it_lies_there(subject: str, door: Door) -> None:
    told = await door.client.get(f"/rules/{subject}")
    assert fits(told, "/rules/{subject}") == []
    assert (told.status, told.body["subject"]) == (200, subject)


@each_row(
    "subject,text,lines",
    [
        ("access", "[roles\n", [1]),
        ("access", "[roles]\nboss = 5\n", [1]),
        ("alerts", '[[route]]\nname = "x"\n', [1]),
        ("access", "", [1]),
    ],
)
async def test_a_text_is_checked_and_nothing_is_written(subject: str, text: str, lines: list[int], door: Door) -> None:
    before = (await door.client.get(f"/rules/{subject}")).body
    told = await door.client.send("POST", f"/rules/{subject}/check", json={"text": text, "language": "en"})
    assert fits(told, "/rules/{subject}/check", "post") == []
    assert (told.status, [each["line"] for each in told.body["errors"]][:1]) == (200, lines)
    assert (await door.client.get(f"/rules/{subject}")).body == before


async def test_a_text_is_rehearsed_as_on_the_page(door: Door) -> None:
    rules = '[[rules]]\nname = "finance"\nroles = ["finance"]\ncommands = ["invoice"]\nfields = ["amount"]\n'
    told = await door.client.send("POST", "/rules/access/rehearse", json={"text": rules, "language": "en"})
    assert fits(told, "/rules/{subject}/rehearse", "post") == []
    assert (told.status, told.body["errors"], told.body["headings"]) == (200, [], ["Right", "Who, and what"])
    assert told.body["rows"]
    wrong = await door.client.send("POST", "/rules/access/rehearse", json={"text": "[roles\n"})
    assert (wrong.status, bool(wrong.body["errors"]), wrong.body["rows"]) == (200, True, [])


@each_row("deed", ["", "/check", "/rehearse"])
async def test_who_is_no_administrator_learns_nothing(deed: str, door: Door) -> None:
    await door.key(BOSS)
    path = f"/rules/access{deed}"
    told = await (door.client.send("POST", path, json={"text": ""}) if deed else door.client.get(path))
    assert (told.status, told.body.keys() & {"text", "warnings", "figures"}) == (403, set())


async def test_a_text_that_is_too_long_is_refused(door: Door) -> None:
    body = orjson.dumps({"text": "规" * (MAX_BYTES // 3 + 1)})
    told = await door.client.send(
        "POST", "/rules/access/check", data=body, headers={"Content-Type": "application/json"}
    )
    assert told.status == 413
    told = await door.client.send("POST", "/rules/nothing/check", json={"text": ""})
    assert told.status == 404
