"""Programs at the gate of a whole bot: they ask over HTTP, and people answer by the buttons of cards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from bot.admin.gate import list_requests, rotate_key, show_request
from bot.gate.facts import digest_of
from bot.kit.simulator.cards import SimCardView
from bot.words.errors import ConfigurationError
from tests.project.tree import ROOT
from tests.rows import each_row
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_rule_pages import every_card
from tests.web.api_client import ApiClient, Told

IT = "it01"
YES, NO, BACK = "放行", "不放行", "收回"
REQUESTS = "/gate/requests"
RULES = f"""
[[gate]]
name = "退款"
classes = ["refund"]
when = "decimal(data.amount) <= 10000"
levels = [{{any = ["person:{KEEPER}", "person:{IT}"]}}]

[[gate]]
name = "notes"
classes = ["note"]
allow = true
"""


@asynccontextmanager
async def gate_of(open_system: OpenSystem, folder: Path) -> AsyncIterator[Door]:
    """A bot with rules for its gate, and a program whose key was made for it."""
    file = folder / "approvals.toml"
    file.write_text(RULES)
    async with open_system(approvals={"rules": file}) as system, opened(system) as door:
        await door.key(BOSS, "gate")
        yield door


@pytest.fixture
async def gate(open_system: OpenSystem, tmp_path: Path) -> AsyncIterator[Door]:
    async with gate_of(open_system, tmp_path) as door:
        yield door


async def ask(client: ApiClient, name: str, gate_class: str = "refund", **facts: Any) -> Told:
    """Ask with an idempotency key."""
    body = {"class": gate_class, "action": "Refund order SO-1001", "facts": facts or {"amount": "12.50"}}
    return await client.send("POST", REQUESTS, headers={"Idempotency-Key": name}, json=body)


async def do(client: ApiClient, asked: Told, deed: str, **body: Any) -> Told:
    return await client.send("POST", f"{REQUESTS}/{asked.body['id']}/{deed}", json=body)


async def use(client: ApiClient, allowed: Told) -> Told:
    return await do(client, allowed, "use", **{name: allowed.body[name] for name in ("facts_sha256", "verdict")})


async def card_of(system: BotSystem, who: str, about: str, label: str = YES) -> SimCardView:
    """Return the newest card in somebody's own chat with a button and a text."""

    def there() -> list[SimCardView]:
        return [card for card in every_card(system, who) if card.button(label) and about in card.markdown]

    found: list[SimCardView] = await system.engine.wait_for(there)
    return found[-1]


async def tap(system: BotSystem, card: SimCardView, label: str, who: str = KEEPER) -> SimCardView:
    """Press a button, and return the card once it shows what became of it."""
    await system.press(card, label, who)
    await system.engine.wait_for(lambda: not system.see(card, who).button(label))
    return system.see(card, who)


async def state_of(client: ApiClient, asked: Told) -> Told:
    return await client.get(f"{REQUESTS}/{asked.body['id']}")


async def test_answers_that_show_a_request_follow_it(gate: Door) -> None:
    system, asked = gate.system, await ask(gate.client, "first", amount="12.50")
    await card_of(system, KEEPER, "12.50")
    typed = [await system.ask(line, KEEPER) for line in ("/gate", f"/gate {asked.body['id']}")]
    assert all("Refund order SO-1001" in card.markdown for card in typed)
    await tap(system, await card_of(system, IT, "12.50"), NO, IT)
    await system.engine.wait_for(lambda: "Refund order" not in system.see(typed[0]).markdown)
    await system.engine.wait_for(lambda: not system.see(typed[1]).button(YES))


async def test_a_person_lets_a_program_through_once(gate: Door) -> None:
    asked = await ask(gate.client, "first", amount="12.50", why="<b>[late](https://x.example)</b>")
    assert (asked.status, asked.body["state"], asked.body["verdict"]) == (202, "pending", None)
    card = await card_of(gate.system, KEEPER, "12.50")
    assert "Refund order SO-1001" in card.markdown
    assert "](https" not in card.markdown
    assert "<b>" not in card.markdown
    other = await card_of(gate.system, IT, "12.50")
    shown = await tap(gate.system, card, YES)
    assert shown.button(BACK)
    assert not shown.button(YES)
    await gate.system.engine.wait_for(lambda: not gate.system.see(other, IT).button(YES))
    allowed = await state_of(gate.client, asked)
    assert allowed.body["state"] == "allowed"
    assert allowed.body["facts_sha256"] == digest_of('{"amount":"12.50","why":"<b>[late](https://x.example)</b>"}')
    known = {"If-None-Match": allowed.headers["ETag"]}
    assert (await gate.client.get(f"{REQUESTS}/{asked.body['id']}", headers=known)).status == 304
    changed = await do(gate.client, asked, "use", facts_sha256=digest_of("{}"), verdict=allowed.body["verdict"])
    assert (changed.status, changed.headers["Content-Type"][:24]) == (409, "application/problem+json")
    used = await asyncio.gather(*(use(gate.client, allowed) for _ in range(5)))
    assert Counter(told.status for told in used) == {200: 1, 409: 4}
    done = await do(gate.client, asked, "report", outcome="done", note="refund 4711")
    assert (done.body["state"], done.body["outcome"]) == ("used", "done")
    await gate.system.engine.wait_for(lambda: "refund 4711" in gate.system.see(card).markdown)
    keys = await gate.client.get("/gate/jwks.json")
    assert [key["crv"] for key in keys.body["keys"]] == ["Ed25519"]


async def test_racing_answers_make_one_verdict(gate: Door) -> None:
    asked = await ask(gate.client, "race")
    cards = [await card_of(gate.system, who, "12.50") for who in (KEEPER, IT)]
    await asyncio.gather(
        *(
            gate.system.press(card, label, who)
            for card, who, label in zip(cards * 2, (KEEPER, IT) * 2, (YES, NO, YES, NO), strict=True)
        )
    )
    told = (await state_of(gate.client, asked)).body
    assert told["state"] in {"allowed", "denied", "withdrawn"}
    assert told["verdict"]


async def test_a_denied_request_cannot_be_used(gate: Door) -> None:
    asked = await ask(gate.client, "deny")
    shown = await tap(gate.system, await card_of(gate.system, KEEPER, "12.50"), NO)
    assert not any(shown.button(label) for label in (YES, NO, BACK))
    denied = await state_of(gate.client, asked)
    assert denied.body["state"] == "denied"
    assert (await use(gate.client, denied)).status == 409


async def test_people_take_back_before_the_use_and_the_program_does_too(gate: Door) -> None:
    by_person, by_program = await ask(gate.client, "one"), await ask(gate.client, "two", "note")
    await tap(gate.system, await card_of(gate.system, KEEPER, "12.50"), YES)
    await tap(gate.system, await card_of(gate.system, IT, "12.50", BACK), BACK, IT)
    assert (await state_of(gate.client, by_person)).body["state"] == "withdrawn"
    assert (await do(gate.client, by_program, "withdraw")).body["state"] == "withdrawn"
    assert (await use(gate.client, by_program)).status == 409


async def test_only_whom_the_rule_names_answers(gate: Door) -> None:
    asked = await ask(gate.client, "named")
    for who in (BOSS, "sales_en"):
        await gate.system.ask(f"/gate {asked.body['id']} allow", who)
    assert (await state_of(gate.client, asked)).body["state"] == "pending"
    listed = await gate.system.ask("/闸口", KEEPER)
    assert "Refund order" in listed.markdown


async def test_whoever_decides_sees_all_facts(gate: Door) -> None:
    shortest = {"amount": "12.50", **{f"f{number}": "事" for number in range(36)}}
    longest = {"amount": "12.50", "last": "货" * 98, "z": "件" * 70}
    for name, facts in {"short": shortest, "long": longest}.items():
        asked = await ask(gate.client, name, **facts)
        assert asked.status == 202, asked.body
        card = await card_of(gate.system, KEEPER, [*facts.values()][-1])
        assert all(f"{label}：{value}" in card.markdown for label, value in facts.items())
        assert "截止" in card.markdown
        assert (await ask(gate.client, f"{name}er", **facts, more="x" * 100)).status == 422


async def test_the_same_again_is_the_same_request(gate: Door) -> None:
    first, again = await ask(gate.client, "same"), await ask(gate.client, "same")
    assert first.body["id"] == again.body["id"]
    assert (await ask(gate.client, "same", amount="13.50")).status == 409


@each_row(
    ("headers", "body", "status"),
    [
        ({}, {"class": "note", "action": "a", "facts": {}}, 400),
        ({"Idempotency-Key": "a b"}, {"class": "note", "action": "a", "facts": {}}, 400),
        ({"Idempotency-Key": "a"}, {"class": "note", "action": "a", "facts": {"amount": 1.5}}, 422),
        ({"Idempotency-Key": "a"}, {"class": "note", "action": "a"}, 422),
        ({"Idempotency-Key": "a"}, {"class": "No Class", "action": "a", "facts": {}}, 422),
        ({"Idempotency-Key": "a"}, {"class": "note", "action": "a", "facts": {}, "expires_in": 1}, 422),
        ({"Idempotency-Key": "a"}, {"class": "refund", "action": "a", "facts": {"amount": "1", "x": "y" * 101}}, 422),
    ],
)
async def test_what_cannot_be_asked_is_said(headers: dict[str, str], body: Any, status: int, gate: Door) -> None:
    told = await gate.client.send("POST", REQUESTS, headers=headers, json=body)
    assert told.status == status, told.body
    assert told.headers["Content-Type"].startswith("application/problem+json")


async def test_the_gate_is_open_to_keys_that_were_made_for_it(gate: Door) -> None:
    asked = await ask(gate.client, "mine", "note")
    own = gate.client.token
    await gate.key(BOSS, "*")
    assert (await ask(gate.client, "other", "note")).status == 403
    await gate.key(BOSS, "gate")
    assert (await state_of(gate.client, asked)).status == 404
    tried = await gate.client.ask(f"/gate {asked.body['id']} allow")
    assert tried.body["outcome"] == "bad_argument", "people alone answer"
    gate.client.token = ""
    assert (await ask(gate.client, "none", "note")).status == 401
    gate.client.token = own
    assert (await state_of(gate.client, asked)).status == 200


async def test_operators_see_requests_and_change_the_key(gate: Door) -> None:
    settings = gate.system.app.settings
    before = (await ask(gate.client, "before", "note")).body
    assert "signs from now on" in await rotate_key(settings)
    after = (await ask(gate.client, "after", "note")).body
    assert before["verdict"].partition(".")[0] != after["verdict"].partition(".")[0]
    assert len((await gate.client.get("/gate/jwks.json")).body["keys"]) == 2
    listed = "\n".join(await list_requests(settings, "allowed", 10, zone=UTC))
    assert before["id"] in listed
    shown = "\n".join(await show_request(settings, before["id"], zone=UTC))
    assert "amount = 12.50" in shown
    with pytest.raises(ConfigurationError):
        await show_request(settings, "nothing", zone=UTC)
    with pytest.raises(ConfigurationError):
        await list_requests(settings, "open", 10, zone=UTC)


@pytest.mark.process
async def test_the_example_of_the_guide_asks_uses_and_reports(gate: Door) -> None:
    guide = (ROOT / "docs/how-to/ask-leave-at-the-gate.md").read_text()
    code = guide.partition("```python\n")[2].partition("```")[0]
    env = {"BOT_URL": gate.client.base, "BOT_KEY": gate.client.token, "PATH": ""}
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=env, stdout=subprocess.PIPE)
    await tap(gate.system, await card_of(gate.system, KEEPER, "120.50"), YES)
    said, _ = await program.communicate()
    first, last = said.decode().splitlines()
    assert first.startswith("allowed ")
    assert last == "done"


async def test_no_program_answers_for_its_owner(gate: Door) -> None:
    asked = await ask(gate.client, "first")
    await card_of(gate.system, KEEPER, "12.50")
    await gate.key(KEEPER)
    line = f"/gate {asked.body['id']}"
    read = await gate.client.send("POST", "/questions", json={"line": line})
    assert read.status == 200, read.body
    refused = await gate.client.send("POST", "/questions", json={"line": f"{line} allow"})
    assert (refused.body["command"], refused.body["outcome"]) == ("gate", "bad_argument")
    card = await card_of(gate.system, KEEPER, "12.50")
    assert card.button(YES), "nobody has answered"
