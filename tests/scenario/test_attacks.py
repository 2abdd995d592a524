"""Attempts to read or decide what one must not: each is refused, and nothing of the ERP is in the answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.access.people import DirectoryEntry
from bot.approvals.case import CaseState
from bot.kit.demo import FINANCE_GROUP
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.push_dispatcher import CALLBACK, CARD_CALLBACK, SimPush
from bot.settings import RuleSettings
from bot.store.database import Database
from bot.store.engines import sqlite_file
from bot.store.people import StoredPeople
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    YES,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
)
from tests.scenario.bad_clicks import private
from tests.scenario.conftest import KEEPER, OUTSIDER, BotSystem, OpenSystem, run_system
from tests.scenario.notice_checks import Notice, plain_text
from tests.scenario.test_bad_inputs import InputCheckpoint
from tests.scenario.traffic import LONGEST_WAIT

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

DIRECTORY = "/topapi/v2/user/get"
INVOICE = "ask|0|/invoice INV-7"
README: Mapping[str, Any] = {"access": {"directory": None}, "dingtalk": {"corp_id": ""}}
"""The settings of the README: nothing is said of the organisation or of the directory."""

SHARED: Mapping[str, Any] = {"cards": {"private_way": "private_data"}}
"""The answers to questions in a group stand there for everybody, outsiders included."""

FOREIGN = {"corpId": "dingother"}

_FIGURE = re.compile(r"¥|\d,\d{3}|\d\.\d\d")


def refused(card: SimCardView, *titles: str) -> None:
    """Expect a refusal that tells nothing."""
    assert card.title in titles, plain_text(card)
    assert not _FIGURE.search(plain_text(card)), plain_text(card)
    assert "INV-" not in plain_text(card)
    assert not [button for button in card.buttons if button.text not in {"重试", "帮助"}]


def refused_on(card: SimCardView, shown: SimCardView, *titles: str) -> None:
    """Expect a tap to be refused: by a card that tells nothing, or by a note on the card, which stays as it was."""
    if shown.title in titles:
        refused(shown, *titles)
        return
    assert (shown.title, shown.markdown) == (card.title, card.markdown), plain_text(shown)
    assert [title for title in titles if title in shown.tips], plain_text(shown)


OWN_CARD = "已单独发给你"
"""The note on a group's card for whoever gets what they tapped for on a card of their own."""


async def forge(system: BotSystem, card: SimCardView, who: str, token: str = INVOICE, **raw: Any) -> SimCardView:
    """Have somebody send a token that no button of theirs has, and return what they see then."""
    result = await system.engine.click(card.out_track_id, who, params={"id": token}, raw=raw)
    assert result.ok
    return system.see(card, who)


@pytest.mark.parametrize("closed", [False, True], ids=["with the permission", "without the permission"])
async def test_an_outsider_in_the_group_reads_nothing_by_clicking(open_system: OpenSystem, closed: bool) -> None:
    orders = RuleSettings.model_validate({"commands": ["order"], "shared": True, "fields": ["quantity"]})
    settings = {**README, **SHARED, "access": {**README["access"], "rules": (orders,)}}
    async with open_system(**settings) as system:
        if closed:
            system.engine.faults.set("scope_denied", on=True, api="/topapi/")
        refused(await system.ask("/invoice INV-7", OUTSIDER), Notice.EXTERNAL)
        card = await system.ask("/help")
        expected = Notice.UNCONFIRMED if closed else Notice.EXTERNAL
        refused_on(card, await forge(system, card, OUTSIDER), expected)
        for number in ("INV-1", "SO-1001", "PO-1001"):
            refused_on(card, await forge(system, card, OUTSIDER, f"ask|0|/{number}"), expected)
        assert system.see(card).title == card.title


@pytest.mark.sampled(2)
@pytest.mark.parametrize("settings", [README, {}], ids=["README", "configured"])
@pytest.mark.parametrize("corp_id", ["dingother", "", "DINGDEMOCORP", " dingdemocorp"])
async def test_a_click_from_another_organisation_changes_nothing(
    open_system: OpenSystem, settings: Mapping[str, Any], corp_id: str
) -> None:
    async with open_system(**settings) as system:
        card = await system.ask("/order late")
        seen = await forge(system, card, KEEPER, corpId=corp_id)
        assert (seen.title, seen.markdown) == (card.title, card.markdown)
        assert system.count("clicks_total", outcome="foreign_organisation") == 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize("fault", ["html_error", "api_reset", "slow_api", ""])
async def test_a_click_before_the_first_message_counts_only_if_the_app_belongs_there(
    open_system: OpenSystem, fault: str
) -> None:
    # A directory that is slow is not waited for.
    async with open_system(**README, limits={"click_seconds": 1.5}) as system:
        card = await system.ask("/help", OUTSIDER, raw={"chatbotCorpId": None})
        for corp_id in ("dingother", "", "../..", "dingdemocorp/../dingother"):
            refused_on(system.see(card), await forge(system, card, KEEPER, corpId=corp_id), Notice.UNCONFIRMED)
            assert "请先在群里 @我 发一条消息" in plain_text(system.see(card))
        if fault:
            system.engine.faults.set(fault, on=True, api="/v1.0/oauth2/")
            refused_on(system.see(card), await forge(system, card, KEEPER), Notice.UNCONFIRMED)
            refused_on(system.see(card), await forge(system, card, OUTSIDER), Notice.UNCONFIRMED)
            await system.ask("/help")
        assert OWN_CARD in (await forge(system, card, KEEPER)).tips
        refused_on(system.see(card), await forge(system, card, OUTSIDER), Notice.EXTERNAL)
        seen = system.see(card)
        assert (await forge(system, card, KEEPER, corpId="dingother")).markdown == seen.markdown


async def test_a_message_to_the_bot_of_another_organisation_gets_no_answer(open_system: OpenSystem) -> None:
    async with open_system(**README) as system:
        await system.ask("/help")
        before = InputCheckpoint.now(system, system.group)
        system.engine.say(
            system.group, KEEPER, "/invoice INV-7", raw={"chatbotCorpId": "dingother", "senderCorpId": "dingother"}
        )
        assert (await before.ack()).status == 200
        assert not await before.answers(some=False)
        assert system.count("questions_total", command="none", outcome="foreign_organisation") == 1


async def test_a_sender_of_another_organisation_is_none_of_ours(open_system: OpenSystem) -> None:
    async with open_system(**README) as system:
        await system.ask("/help")
        refused(await system.ask("/invoice INV-7", raw={"senderCorpId": "dingother"}), Notice.EXTERNAL)


async def test_what_was_learnt_outlives_a_restart(open_system: OpenSystem) -> None:
    async with open_system(**README) as system:
        card = await system.ask("/order late")
        kept = card.out_track_id
    # A directory that is slow is not waited for.
    async with open_system(**README, limits={"click_seconds": 1.5}) as system:
        card = await system.ask("/help", OUTSIDER, raw={"chatbotCorpId": None})
        assert kept != card.out_track_id
        assert OWN_CARD in (await forge(system, card, KEEPER)).tips
        assert (await forge(system, card, OUTSIDER, corpId="dingother")).title == card.title


async def test_a_foreign_boss_with_the_same_user_id_decides_nothing(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, dingtalk={"corp_id": ""}) as scenario:
        await scenario.ask("/help", MANAGER)
        card = scenario.card(SMALL, BOSS)
        token = find_button(card, YES).id
        engine = scenario.system.engine
        assert (await engine.click(card.out_track_id, BOSS, params={"id": token}, raw=FOREIGN)).ok
        await scenario.settle()
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert not await scenario.erp.decisions(SMALL)
        await scenario.press(card, YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", ["html_error", "system_busy", "qps_limit", "api_reset", "waf", "slow_api"])
async def test_no_error_of_the_directory_makes_an_outsider_a_member(
    open_impatient_system: OpenSystem, fault: str
) -> None:
    async with open_impatient_system(limits={"click_seconds": 0.9}, **SHARED) as system:
        card = await system.ask("/help")
        system.engine.faults.set(fault, on=True, api=DIRECTORY, delay_ms=5_000)
        for _ in range(2):
            result = await system.engine.click(card.out_track_id, OUTSIDER, params={"id": INVOICE})
            if result.ok:
                refused_on(card, system.see(card, OUTSIDER), Notice.UNCONFIRMED, Notice.BUSY)
            assert "INV-7" not in plain_text(system.see(card, OUTSIDER))
        system.engine.faults.set(fault, on=False)
        await eventually_external(system, card)


async def eventually_external(system: BotSystem, card: SimCardView) -> None:
    """Expect the outsider to be known as one as soon as the directory answers."""
    async with asyncio.timeout(LONGEST_WAIT):
        while Notice.EXTERNAL not in (shown := await _clicked_by_outsider(system, card)).tips:
            # A click that was not answered in time leaves the card as everybody sees it.
            if shown.title != card.title:
                refused(shown, Notice.UNCONFIRMED, Notice.BUSY)
        refused_on(card, shown, Notice.EXTERNAL)


async def _clicked_by_outsider(system: BotSystem, card: SimCardView) -> SimCardView:
    await system.engine.click(card.out_track_id, OUTSIDER, params={"id": INVOICE})
    return system.see(card, OUTSIDER)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("spelling", ["userId", "UserId"])
@pytest.mark.parametrize("settings", [README, {}], ids=["README", "configured"])
async def test_a_leaver_is_refused_from_the_event_on(
    open_system: OpenSystem, settings: Mapping[str, Any], spelling: str
) -> None:
    async with open_system(**settings) as system:
        card = await system.ask("/order late")
        assert (await system.click(card, "下一页")).title == card.title
        await tell(system, "user_leave_org", {spelling: [KEEPER]})
        # The directory still lists them: the event stands above it.
        refused_on(card, await system.click(card, "下一页"), Notice.EXTERNAL)
        refused_on(card, await forge(system, card, KEEPER), Notice.EXTERNAL)
        refused(await system.ask("/invoice INV-7"), Notice.EXTERNAL)


async def tell(system: BotSystem, event: str, data: Mapping[str, Any]) -> None:
    """Push an event and wait for its ACK."""
    before = InputCheckpoint.now(system, system.group)
    system.engine.emit_event(event, data)
    await before.ack()


async def test_a_leaver_decides_nothing_with_an_old_card(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        card = scenario.card(SMALL, MANAGER)
        await tell(scenario.system, "user_leave_org", {"userId": [MANAGER]})
        refused_on(card, await scenario.press(card, YES, MANAGER), Notice.EXTERNAL)
        refused(await scenario.ask(f"/approve {SMALL}", MANAGER), Notice.EXTERNAL)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert not await scenario.erp.decisions(SMALL)


async def test_a_role_that_was_taken_away_before_a_restart_decides_nothing(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, approvers=(BOSS, MANAGER)) as scenario:
        card = scenario.card(SMALL, MANAGER)
        token = find_button(card, YES).id
    async with open_approval_scenario(SMALL, approvers=(BOSS,)) as scenario:
        await shown_to(scenario.system, card, MANAGER, token, where=scenario.system.engine.direct(MANAGER).id)
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.settle()
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert not await scenario.erp.decisions(SMALL)
        # A click that is answered too late, as on a busy machine, is told so and ruled on by nobody.
        assert {who for what, who in await scenario.record(SMALL) if what == "refused"} == {MANAGER}


@pytest.mark.parametrize("shared", [False, True], ids=["of each approver", "of all approvers"])
async def test_the_private_card_of_another_opens_nothing(
    open_approval_scenario: OpenApprovalScenario, shared: bool
) -> None:
    groups = () if shared else (BUYING,)
    async with open_approval_scenario(SMALL, groups=groups, approvals={"one_card": shared}) as scenario:
        card = scenario.card(SMALL, MANAGER)
        token = find_button(card, YES).id
        for who in ("planner01", KEEPER, OUTSIDER):
            shown = await shown_to(scenario.system, card, who, token)
            assert "这是别人单聊里的卡片" in shown
            assert not _FIGURE.search(shown)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN


async def test_a_forwarded_card_opens_nothing_where_it_is_closed(open_system: OpenSystem) -> None:
    finance = RuleSettings(commands=frozenset({"*"}), roles=frozenset({"*"}), conversations=frozenset({FINANCE_GROUP}))
    async with open_system(access={"rules": (finance,)}) as system:
        card = await system.ask("/invoice INV-7", "finance01", where=FINANCE_GROUP)
        assert "INV-7" in await shown_to(system, card, "finance01", INVOICE, where=FINANCE_GROUP)
        for who in (KEEPER, "finance01"):
            shown = await shown_to(system, card, who, INVOICE, where=system.group)
            assert Notice.DENIED in shown
            assert not _FIGURE.search(shown)


async def test_a_replayed_decision_is_told_to_the_erp_once(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        card = scenario.card(SMALL, MANAGER)
        token = find_button(card, YES).id
        for _ in range(3):
            await shown_to(scenario.system, card, MANAGER, token)
            await scenario.settle()
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]


async def shown_to(system: BotSystem, card: SimCardView, who: str, token: str, *, where: str = "") -> str:
    """Push a click on a card that the clicker need not see, and return all that the answer shows them."""
    content = private(ids=[token], params={"id": token})
    data = {
        "extension": "{}",
        "corpId": system.engine.config.corp_id,
        "spaceType": "im",
        "spaceId": where or system.group,
        "userIdType": 1,
        "type": "actionCallback",
        "userId": who,
        "outTrackId": card.out_track_id,
        "content": content,
        "value": content,
    }
    before = InputCheckpoint.now(system, system.group)
    connection = system.engine.pushes.any_connection()
    assert connection is not None
    push = SimPush(type=CALLBACK, topic=CARD_CALLBACK, data=orjson.dumps(data).decode())
    system.engine.pushes.send(connection, push)
    ack = await before.ack()
    return str(ack.detail["data"])


async def test_a_leaver_among_20_000_is_refused_before_the_clock_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moment = datetime.now(UTC)
    config = SimulatorConfig(qps_limit=None, further_staff=20_000)
    leaver, colleague = "staff00042", "staff19999"
    async with run_system(tmp_path, clock=lambda: moment) as system:
        database = sqlite_file(system.app.settings.database)
    await list_everybody(f"sqlite:///{database}", moment, config.further_staff)
    async with run_system(tmp_path, config, clock=lambda: moment) as system:
        own = await system.ask("/order late", leaver, where=system.engine.direct(leaver).id)
        others = await system.ask("/order late", colleague, where=system.engine.direct(colleague).id)
        assert (await system.click(own, "下一页", leaver)).title == own.title
        assert not system.engine.calls[f"POST {DIRECTORY}"], "all of them were known"
        await tell(system, "user_leave_org", {"userId": [leaver]})
        refused(await system.click(own, "下一页", leaver), Notice.EXTERNAL)
        refused(await forge(system, own, leaver), Notice.EXTERNAL)
        refused(await system.ask("/invoice INV-7", leaver, where=system.engine.direct(leaver).id), Notice.EXTERNAL)
        assert (await system.click(others, "下一页", colleague)).title == others.title


async def list_everybody(url: str, at: datetime, count: int) -> None:
    """Let the database know everybody as a walk through the directory leaves them."""
    database = Database(url)
    entry = DirectoryEntry(name="x", roles=frozenset({"sales"}), departments=frozenset({"40"}))
    await StoredPeople(database, now=lambda: at).record_entries({f"staff{n:05}": entry for n in range(count)}, at)
    await database.close()
