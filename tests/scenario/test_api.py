"""Programs of the whole bot: who gets in by a key, what it opens, and that its answers are the chat's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NoReturn

import pytest

from bot.access.audit import AuditKind, AuditSearch
from bot.admin.api_keys import add_key, list_keys, revoke_key
from bot.chat.answers.page_answers import PageAnswers
from bot.settings.sections.rights import AllowanceSettings
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.held_rights import hold_rights
from bot.web.failed_proofs import OF_ADDRESS
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem, OpenSystem
from tests.scenario.test_attacks import tell
from tests.web.api_client import ApiClient, api_client

BOSS = "boss01"


@dataclass
class Door:
    """A running bot, and a program that asks it."""

    system: BotSystem
    client: ApiClient
    made: list[str] = field(default_factory=list)

    async def key(self, owner: str = BOSS, *scopes: str, expires: str = "30d") -> str:
        """Make a key, ask with it from now on, and return its id."""
        now = datetime.now(UTC)
        token, said, *_ = await add_key(self.system.app.settings, owner, scopes or ("*",), expires, now)
        self.client.token = token
        return said.partition(":")[0]


@asynccontextmanager
async def opened(system: BotSystem) -> AsyncIterator[Door]:
    """Let a program come to a running bot."""
    async with api_client(f"http://127.0.0.1:{system.app.port}") as client:
        yield Door(system, client)


@pytest.fixture
async def door(system: BotSystem) -> AsyncIterator[Door]:
    async with opened(system) as door:
        yield door


async def test_without_any_key_there_is_no_api(door: Door) -> None:
    asked = await door.client.ask("/order SO-1001")
    assert asked.status == 404
    key = await door.key()
    assert (await door.client.ask("/order SO-1001")).status == 200
    door.client.token = ""
    asked = await door.client.ask("/order SO-1001")
    assert (asked.status, asked.headers["WWW-Authenticate"]) == (401, 'Bearer realm="dingerp"')
    await revoke_key(door.system.app.settings, key)
    assert (await door.client.ask("/order SO-1001")).status == 404


async def test_a_key_asks_as_its_owner(door: Door) -> None:
    await door.key(ENGLISH)
    told = await door.client.ask("/order SO-1001")
    assert told.view["card"] == "order"
    assert told.view["document"]["number"] == "SO-1001"
    assert told.view["document"]["total"]["currency"] == "CNY"
    assert "SO-1001" in told.body["text"]
    assert {"asked", "command", "outcome", "choices"} <= told.body.keys()
    chinese = await door.client.ask("/order SO-1001", language="zh_CN")
    assert chinese.body["text"] != told.body["text"]
    assert chinese.view["document"] == told.view["document"]


async def test_a_sentence_is_read_as_in_the_chat(open_system: OpenSystem) -> None:
    async with open_system(understanding={"enabled": True}) as system, opened(system) as door:
        client = door.client
        await door.key()
        assert (await client.ask("which orders are late?")).body["asked"] == "/order late"
        # Each question stands alone: nothing goes on from the one before.
        assert not (await client.ask("and last month?")).body["asked"].startswith("/order late")


@each_row(
    "line",
    [
        "/approve PO-1001",
        "/reject PO-1001 too dear",
        "/watch SO-1001",
        "/mute order.late 2h",
        "/lang en",
        "/alerts 1 ack",
        "/export order",
        "/chart sales",
    ],
)
async def test_a_program_changes_nothing(line: str, door: Door) -> None:
    await door.key()
    told = await door.client.ask(line)
    assert told.status == 403 or told.body["outcome"] != "answered", told.body
    assert not any("does" in choice for choice in told.body.get("choices", ()))


async def test_a_key_opens_what_its_scopes_say(door: Door) -> None:
    await door.key(BOSS, "order", "stock")
    assert (await door.client.ask("/order late")).status == 200
    told = await door.client.ask("/invoice")
    assert (told.status, told.body["rule"]) == (403, "api key")
    assert told.headers["Content-Type"].startswith("application/problem+json")
    assert {*told.body["words"]} == {"en", "zh_CN"}
    found = await door.client.ask("SO-1001")
    assert found.body["outcome"] == "unknown_command", "to search everything is a command of its own"


async def test_whoever_leaves_takes_their_keys_along(door: Door) -> None:
    await door.key(KEEPER)
    assert (await door.client.ask("/stock SKU-1001")).status == 200
    await tell(door.system, "user_leave_org", {"userId": [KEEPER]})
    assert await list_keys(door.system.app.settings, datetime.now(UTC)) == ["there are no keys, so there is no API"]
    assert (await door.client.ask("/stock SKU-1001")).status == 404


async def test_the_audit_log_has_every_answer_with_the_key_and_its_owner(door: Door) -> None:
    key = await door.key(BOSS, "order", "help")
    for line in ("/order SO-1001", "/help", "/po"):
        await door.client.ask(line)
    database = Database(door.system.app.settings.database)
    folder = door.system.app.settings.data_dir
    audit = StoredAudit(database, AuditWitness(folder), journal=folder, now=partial(datetime.now, UTC))
    try:
        while len(entries := await audit.search(AuditSearch(actor=BOSS))) < 3:  # noqa: ASYNC110 - kept with a commit
            await asyncio.sleep(0.01)
        (made,) = await audit.search(AuditSearch(action="api key add"))
    finally:
        await database.close()
    assert {(each.entry.kind, each.entry.action, each.entry.conversation) for each in entries} == {
        (AuditKind.QUESTION, "order", f"api:{key}"),
        (AuditKind.QUESTION, "help", f"api:{key}"),
        (AuditKind.REFUSAL, "po", f"api:{key}"),
    }
    assert {each.entry.detail for each in entries if each.entry.kind is AuditKind.QUESTION} == {f"by the API key {key}"}
    assert f"key {key} of {BOSS}" in made.entry.detail
    assert door.client.token not in made.entry.detail


async def test_each_key_has_a_limit_of_its_own(open_system: OpenSystem) -> None:
    allowed = AllowanceSettings(questions_minute=2, documents_day=0, documents_row=0)
    async with open_system(limits={"key": allowed}) as system, opened(system) as door:
        client = door.client
        await door.key()
        assert [(await client.ask("/help")).status for _ in range(2)] == [200, 200]
        told = await client.ask("/help")
        assert told.status == 429
        assert 0 < int(told.headers["Retry-After"]) <= 120
        assert "This key asked 2 questions" in told.body["words"]["en"]["detail"]
        await door.key()
        assert (await client.ask("/help")).status == 200, "another key of the same person"
        assert "SO-1001" in (await system.ask("/order SO-1001", BOSS)).title


async def test_a_key_ends_when_it_was_said_to(open_system: OpenSystem) -> None:
    time = [datetime.now(UTC)]
    async with open_system(clock=lambda: time[0]) as system, opened(system) as door:
        client = door.client
        await door.key(expires="2h")
        assert (await client.ask("/help")).status == 200
        time[0] = datetime.now(UTC) + timedelta(hours=2)  # the key was made by the real clock
        assert (await client.ask("/help")).status == 401


@each_row(
    "scope, expires, says",
    [
        ("ordr", "30d", "did you mean order?"),
        ("approve", "30d", "no command that asks"),
        ("order", "soon", "is no time"),
        ("order", "900d", "within 366 days"),
        ("order", "2020-01-01", "within 366 days"),
    ],
)
async def test_a_key_is_made_of_what_there_is(scope: str, expires: str, says: str, door: Door) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        await door.key(BOSS, scope, expires=expires)
    assert (await door.client.ask("/help")).status == 404


async def test_a_key_tells_whose_it_is_and_what_it_may_do(door: Door) -> None:
    key = await door.key(KEEPER, "stock", "invoice", "order")
    told = await door.client.get("/whoami")
    assert told.status == 200
    assert (told.body["key"], told.body["owner"], told.body["scopes"]) == (key, KEEPER, ["invoice", "order", "stock"])
    assert {*told.body["commands"]} <= {"invoice", "order", "stock"}
    assert told.body["limits"] == {"questions_minute": 120, "documents_day": 5_000, "documents_row": 600}
    assert datetime.fromisoformat(told.body["expires_at"]) > datetime.now(UTC) + timedelta(days=29)
    assert door.client.token not in str(told.body)


async def test_whoever_guesses_keys_has_to_wait_and_no_program_does(open_system: OpenSystem) -> None:
    time = [datetime.now(UTC)]
    async with open_system(clock=lambda: time[0]) as system, opened(system) as door:
        client = door.client
        await door.key()
        good = client.token
        assert (await client.ask("/help")).status == 200
        client.token = f"dgp_00000000_{'x' * 43}"
        seen = [(await client.ask("/help")).status for _ in range(OF_ADDRESS.most + 2)]
        assert seen == [401] * OF_ADDRESS.most + [429] * 2
        told = await client.ask("/help")
        assert int(told.headers["Retry-After"]) == OF_ADDRESS.regained.total_seconds()
        client.token = ""
        assert (await client.ask("/help")).status == 401, "who shows no key guesses none"
        client.token = good
        assert (await client.ask("/help")).status == 200, "a program behind the same proxy"
        await door.key()
        assert (await client.ask("/help")).status == 429, "a key that was not seen before waits, too"
        time[0] += OF_ADDRESS.regained
        assert (await client.ask("/help")).status == 200


async def test_what_is_asked_for_and_not_there_is_counted(door: Door) -> None:
    await door.key()
    await door.client.get("/nothing/here")
    assert door.system.count("program_requests_total", route="nothing", status="404") == 1


async def test_a_token_is_worth_nothing_in_part(door: Door) -> None:
    await door.key()
    token = door.client.token
    for other in (token[:-1], token[:-1] + ("a" if token[-1] != "a" else "b"), token.split("_")[1], "", "é"):
        door.client.token = other
        assert (await door.client.ask("/help")).status == 401


@each_row(
    "sent, status, pointer",
    [
        ({"json": {}}, 422, "/line"),
        ({"json": {"line": ""}}, 422, "/line"),
        ({"json": {"line": "x" * 401}}, 422, "/line"),
        ({"json": {"line": 7}}, 422, "/line"),
        ({"json": {"line": "/help", "language": "fr"}}, 422, "/language"),
        ({"json": {"line": "/help", "more/~": 1}}, 422, "/more~1~0"),
        ({"json": []}, 422, ""),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, None),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, None),
        ({"data": b" " * 20_000, "headers": {"Content-Type": "application/json"}}, 413, None),
    ],
)
async def test_a_wrong_request_is_told_what_would_do(
    sent: dict[str, Any], status: int, pointer: str | None, door: Door
) -> None:
    await door.key()
    told = await door.client.send("POST", "/questions", **sent)
    assert (told.status, told.body["status"]) == (status, status)
    assert told.headers["Content-Type"] == "application/problem+json"
    if pointer is not None:
        (error,) = told.body["errors"]
        assert error["pointer"] == pointer
        assert error["example"]
        assert error["detail"]


async def test_a_restored_key_waits_for_its_owner_and_can_be_revoked_meanwhile(door: Door) -> None:
    key = await door.key(BOSS, "order")
    settings, now = door.system.app.settings, datetime.now(UTC)
    database = Database(settings.database)
    try:
        await database.unlock()
        await database.run(lambda connection: hold_rights(connection, now))
        assert (await door.client.ask("/order late")).status == 404
        assert await list_keys(settings, now) == [f"{key}  {BOSS}  order  waits for its owner's /restored"]
        own = door.system.engine.direct(BOSS).id
        assert f"{key}: order" in (await door.system.ask("/restored", BOSS, where=own)).markdown
        await door.system.ask("/restored keep", BOSS, where=own)
        assert (await door.client.ask("/order late")).status == 200
        await database.run(lambda connection: hold_rights(connection, now))
        await revoke_key(settings, key)
        await door.system.ask("/restored keep", BOSS, where=own)
        assert (await door.client.ask("/order late")).status == 404
    finally:
        await database.close()


async def test_a_defect_is_a_problem_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_asked: object, **_how: object) -> NoReturn:
        raise RuntimeError("secret")

    await door.key()
    monkeypatch.setattr(PageAnswers, "look_up", fail)
    asked = await door.client.ask("/order SO-1001")
    assert (asked.status, asked.headers["Content-Type"]) == (500, "application/problem+json")
    assert re.fullmatch(r"[0-9A-Z]{8}", asked.body["reference"])
    assert "secret" not in str(asked.body)
    assert door.system.count("errors_total", room="api", error="RuntimeError") == 1
