"""Programs propose to a whole bot over HTTP, and the owners of their keys have lines run by the buttons of cards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.bootstrap import services
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.proposals.proposals import MOST_OF_KEY
from tests.rows import each_row
from tests.scenario import test_gate
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem, OpenSystem
from tests.scenario.test_api import Door, opened
from tests.scenario.test_attacks import tell
from tests.scenario.test_rule_pages import every_card
from tests.web.api_client import ApiClient, Told

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

PROPOSALS = "/proposals"
YES, NO = "好，执行", "不执行"
APPROVE, WATCH = f"/approve {SMALL}", "/watch SO-1001"


async def propose(client: ApiClient, line: str = WATCH, name: str = "", **more: Any) -> Told:
    """Propose with an idempotency key."""
    body = {"line": line, "reason": "It is cheaper", **more}
    return await client.send(
        "POST", PROPOSALS, headers={"Idempotency-Key": name or line.encode().hex()[:100]}, json=body
    )


async def state_of(client: ApiClient, proposed: Told) -> str:
    return str((await client.get(f"{PROPOSALS}/{proposed.body['id']}")).body["state"])


async def card_of(system: BotSystem, who: str, line: str) -> SimCardView:
    """Return the card of a line that waits."""
    return await test_gate.card_of(system, who, line, YES)


def answers(system: BotSystem, who: str, text: str) -> list[SimCardView]:
    """Return the cards in somebody's own chat with a text."""
    return [card for card in every_card(system, who) if text in f"{card.title} {card.markdown}"]


@pytest.fixture
async def door(system: BotSystem) -> AsyncIterator[Door]:
    async with opened(system) as door:
        await door.key(BOSS, "propose")
        yield door


async def test_two_quick_taps_approve_once(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario, opened(scenario.system) as door:
        await door.key(MANAGER, "propose")
        proposed = await propose(door.client, APPROVE, reason="[late](https://x.example) <b>cheaper</b>")
        assert (proposed.status, proposed.body["state"]) == (202, "waiting")
        card = await card_of(scenario.system, MANAGER, APPROVE)
        assert "](https" not in card.markdown
        assert "<b>" not in card.markdown
        assert (await scenario.case(SMALL)).state is CaseState.OPEN, "nothing is done before the tap"
        await asyncio.gather(*(scenario.system.press(card, YES, MANAGER) for _ in range(2)))
        await scenario.settle()
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert len(await scenario.erp.decisions(SMALL)) == 1
        told = [plain_text(card) for card in answers(scenario.system, MANAGER, SMALL)]
        assert len([text for text in told if "审批通过" in text]) == 2, told  # the card of the case, and the answer
        shown = scenario.system.see(card, MANAGER)
        assert not shown.button(YES)
        assert "同意执行" in shown.markdown
        again = await scenario.ask(f"/proposal {proposed.body['id']} yes", MANAGER)
        assert "同意执行" in again.markdown
        assert await state_of(door.client, proposed) == "accepted"
        assert len(await scenario.erp.decisions(SMALL)) == 1


async def test_a_bot_that_is_killed_after_the_tap_runs_the_line_when_it_starts_again(
    open_approval_scenario: OpenApprovalScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulator_running(SimulatorConfig(qps_limit=None)) as simulator:
        with monkeypatch.context() as dying:
            dying.setattr(services, "answer_typed", lambda *_: None)
            async with open_approval_scenario(SMALL, simulator=simulator) as scenario, opened(scenario.system) as door:
                await door.key(MANAGER, "propose")
                proposed = await propose(door.client, APPROVE)
                await scenario.system.press(await card_of(scenario.system, MANAGER, APPROVE), YES, MANAGER)
                assert await state_of(door.client, proposed) == "accepted"
                assert not await scenario.erp.decisions(SMALL)
                token = door.client.token
        async with open_approval_scenario(SMALL, simulator=simulator) as scenario, opened(scenario.system) as door:
            door.client.token = token
            await scenario.settle()
            assert len(await scenario.erp.decisions(SMALL)) == 1
            assert await state_of(door.client, proposed) == "accepted"


async def test_whoever_lost_the_right_meanwhile_is_refused_and_told(open_system: OpenSystem, tmp_path: Path) -> None:
    rules = tmp_path / "access.toml"
    rules.write_text('[[rules]]\ncommands = ["stock"]\npeople = ["nobody"]\n')
    async with open_system(access={"file": rules}) as system, opened(system) as door:
        await door.key(KEEPER, "propose")
        proposed = await propose(door.client)
        rules.write_text('[[rules]]\ncommands = ["watch"]\npeople = ["nobody"]\n')
        assert not await system.app.read_rules_again()
        await system.press(await card_of(system, KEEPER, WATCH), YES, KEEPER)
        await system.engine.wait_for(lambda: len(every_card(system, KEEPER)) > 1)
        (_, refusal) = every_card(system, KEEPER)
        assert (refusal.title, "/watch" in refusal.markdown) == ("没有权限", True)
        assert await state_of(door.client, proposed) == "accepted"
        assert "SO-1001" not in (await system.ask("/watches", KEEPER)).markdown
        refused = await propose(door.client, "/watch SO-1002")
        assert (refused.status, bool(refused.body["detail"])) == (403, True)


async def test_a_person_leaves_it_and_a_program_takes_it_back(door: Door) -> None:
    left, taken = await propose(door.client), await propose(door.client, "/mute order.late 2h")
    card = await card_of(door.system, BOSS, WATCH)
    other = await card_of(door.system, BOSS, "/mute")
    listed = await door.system.ask("/提议", BOSS)
    assert WATCH in listed.markdown
    assert (await door.client.send("POST", f"{PROPOSALS}/{taken.body['id']}/withdraw", json={})).status == 200
    await door.system.press(card, NO, BOSS)
    await door.system.engine.wait_for(lambda: not door.system.see(card, BOSS).button(YES))
    await door.system.engine.wait_for(lambda: not door.system.see(other, BOSS).button(YES))
    told = await door.client.get(PROPOSALS)
    assert [each["state"] for each in told.body["proposals"]] == ["withdrawn", "declined"]
    assert left.body["id"] in str(told.body)
    first = await door.client.get(PROPOSALS, limit="1")
    rest = await door.client.get(PROPOSALS, limit="1", cursor=first.body["next"])
    assert (rest.body["proposals"], rest.body["next"]) == (told.body["proposals"][1:], None)
    assert (await door.client.get(PROPOSALS, cursor="unknown")).status == 422


async def test_only_the_owner_answers_and_only_in_their_own_chat(door: Door) -> None:
    proposed = await propose(door.client)
    line = f"/proposal {proposed.body['id']}"
    for who in (KEEPER, ENGLISH):
        assert WATCH not in (await door.system.ask(f"{line} yes", who)).markdown
    await door.system.ask(f"{line} yes", BOSS)
    assert await state_of(door.client, proposed) == "waiting", "not in a group"
    own = door.client.token
    await door.key(BOSS, "*")
    asked = await door.client.ask(f"{line} yes")
    assert asked.body["outcome"] == "bad_argument", "people alone answer"
    assert (await propose(door.client, name="x")).status == 403, "a key for all lines proposes none"
    await door.key(BOSS, "propose")
    assert (await door.client.get(f"{PROPOSALS}/{proposed.body['id']}")).status == 404
    door.client.token = own
    await tell(door.system, "user_leave_org", {"userId": [BOSS]})
    await door.system.engine.wait_for(lambda: not any(each.button(YES) for each in every_card(door.system, BOSS)))


@each_row(
    ("headers", "body", "status", "pointer"),
    [
        ({}, {"line": WATCH, "reason": "a"}, 400, ""),
        ({"Idempotency-Key": "a"}, {"line": WATCH}, 422, "/reason"),
        ({"Idempotency-Key": "a"}, {"line": WATCH, "reason": "a", "expires_in": 59}, 422, "/expires_in"),
        ({"Idempotency-Key": "a"}, {"line": "/order late", "reason": "a"}, 422, "/line"),
        ({"Idempotency-Key": "a"}, {"line": "which orders are late?", "reason": "a"}, 422, "/line"),
        ({"Idempotency-Key": "a"}, {"line": "/confirm 4f yes", "reason": "a"}, 422, "/line"),
    ],
)
async def test_what_cannot_be_proposed_is_said(
    headers: dict[str, str], body: Any, status: int, pointer: str, door: Door
) -> None:
    told = await door.client.send("POST", PROPOSALS, headers=headers, json=body)
    assert told.status == status, told.body
    assert told.headers["Content-Type"].startswith("application/problem+json")
    assert [each["pointer"] for each in told.body.get("errors", [])] == [pointer] * bool(pointer)


async def test_whoever_decides_sees_all_of_it(door: Door) -> None:
    line, reason = f"/approve PO-1055 {'x' * 83}", "货" * 100
    assert (await propose(door.client, line, reason=reason)).status == 202
    card = await card_of(door.system, BOSS, line)
    assert reason in card.markdown
    assert card.button(NO)
    assert "截止" in card.markdown
    assert (await propose(door.client, line, name="longer", reason=reason + "货")).status == 422


async def test_no_program_floods_its_owner(door: Door) -> None:
    assert {(await propose(door.client, f"/watch SO-10{n:02}")).status for n in range(MOST_OF_KEY)} == {202}
    told = await propose(door.client, "/watch SO-1099")
    assert (told.status, int(told.headers["Retry-After"]) > 0) == (429, True)
