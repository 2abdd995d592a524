"""The bot and a company's directory: walked through, followed by events, and done without."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import running as app_running
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import RuleSettings
from bot.store.people import StoredPeople
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem, run_system, system_settings
from tests.scenario.notice_checks import Notice, plain_text
from tests.scenario.test_attacks import tell
from tests.scenario.traffic import eventually

USER, LIST = "POST /topapi/v2/user/get", "POST /topapi/v2/user/list"
WALKS: Mapping[str, Any] = {"directory": True, "sync_hours": 24}
SALES_ONLY = RuleSettings(commands=frozenset({"order"}), roles=frozenset({"sales"}))


async def walked(folder: Path) -> None:
    """Wait until the bot has been told of everybody."""

    def ended() -> bool:
        with closing(sqlite3.connect(folder / "demo" / "dingerp.sqlite3", timeout=5)) as connection:
            return bool(connection.execute("SELECT count(*) FROM directory_walk WHERE ended_us > 0").fetchone()[0])

    await eventually(ended, hint=dict)


async def test_whom_a_walk_found_is_never_asked_for(tmp_path: Path) -> None:
    config = SimulatorConfig(qps_limit=None, further_staff=230)
    async with run_system(tmp_path, config, access=WALKS) as system:
        await walked(tmp_path)
        people, chat = system.engine.enterprise.people, system.engine.direct
        for who in ("staff00000", "staff00229", KEEPER):
            assert people[who].name in (await system.ask("/whoami", who, where=chat(who).id)).title
        roles = plain_text(await system.ask("/whoami", "staff00000", where=chat("staff00000").id))
        assert "销售" in roles
        assert system.engine.calls[LIST] == 9 + 1 + 5
        assert not system.engine.calls[USER]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("event", ["label_user_change", "user_modify_org", "org_admin_remove", "label_conf_del"])
async def test_a_lost_role_counts_with_the_event_also_for_an_old_card(open_system: OpenSystem, event: str) -> None:
    async with open_system(access={"directory": True, "rules": (SALES_ONLY,)}) as system:
        card = await system.ask("/order late", "sales01")
        assert (await system.click(card, "下一页", "sales01")).title == card.title
        person = system.engine.person("sales01")
        system.engine.enterprise.people["sales01"] = type(person)(
            user_id=person.user_id, name=person.name, english=person.english, title="", department=person.department
        )
        await tell(system, event, {} if event == "label_conf_del" else {"userId": ["sales01"]})
        assert (await system.click(card, "下一页", "sales01")).title == Notice.DENIED


async def test_a_lost_role_does_not_count_while_the_directory_is_silent(open_system: OpenSystem) -> None:
    async with open_system(access={"directory": True, "rules": (SALES_ONLY,)}) as system:
        await system.ask("/order late", "sales01")
        system.engine.faults.set("system_busy", on=True, api="/topapi/v2/user/get")
        system.engine.change_roles("sales01", ["finance"])
        await tell(system, "user_modify_org", {"userId": ["sales01"]})
        assert (await system.ask("/order late", "sales01")).title == Notice.UNCONFIRMED
        system.engine.faults.set("system_busy", on=False)
        assert (await system.ask("/order late", "sales01")).title == Notice.DENIED


async def test_known_members_go_on_while_the_directory_is_away(open_system: OpenSystem) -> None:
    async with open_system() as system:
        await system.ask("/help")
    async with open_system(clock=lambda: datetime.now(UTC) + timedelta(hours=25)) as system:
        system.engine.faults.set("system_busy", on=True, api="/topapi/")
        card = await system.ask("/order late")
        assert (await system.click(card, "下一页")).title == card.title
        assert (await system.ask("/help", "sales01")).title == Notice.UNCONFIRMED
        assert (await system.ask("/help")).title == Notice.HELP
        system.engine.faults.clear()
        assert (await system.ask("/help", "sales01")).title == Notice.HELP


async def test_who_comes_back_is_a_member_again(open_system: OpenSystem) -> None:
    async with open_system() as system:
        await system.ask("/help")
        await tell(system, "user_leave_org", {"userId": [KEEPER]})
        assert (await system.ask("/help")).title == Notice.EXTERNAL
        await tell(system, "user_add_org", {"userId": [KEEPER]})
        assert (await system.ask("/help")).title == Notice.HELP


async def test_a_leaver_whom_the_bot_never_met_is_none(open_system: OpenSystem) -> None:
    async with open_system() as system:
        system.engine.dismiss(KEEPER)
        card = await system.ask("/help", "sales01")
        await system.engine.click(card.out_track_id, KEEPER, params={"id": "ask|0|/order late"})
        view = system.see(card)
        # The group keeps its card, and nothing is shown but the refusal.
        assert (view.tips, view.title, view.markdown) == (Notice.EXTERNAL, card.title, card.markdown)
        assert len(system.engine.cards) == 1


async def test_events_of_another_organisation_are_not_ours(open_system: OpenSystem) -> None:
    async with open_system() as system:
        await system.ask("/help")
        object.__setattr__(system.engine.config, "corp_id", "dingother")
        await tell_foreign(system)
        assert (await system.ask("/help", raw={"chatbotCorpId": None, "senderCorpId": None})).title == Notice.HELP


async def test_an_event_that_the_database_hangs_on_is_pushed_again(
    open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DingTalk waits three seconds: it is told to come again while the database still hangs, and then it counts."""
    async with open_system(SimulatorConfig(qps_limit=None, redelivery_delay=3.0)) as system:
        await system.ask("/help")
        hangs, entered = asyncio.Event(), asyncio.Event()
        record_left = StoredPeople.record_left

        async def hanging(people: StoredPeople, *told: Any) -> None:
            entered.set()
            await hangs.wait()
            await record_left(people, *told)

        monkeypatch.setattr(StoredPeople, "record_left", hanging)
        system.engine.dismiss(KEEPER)
        await entered.wait()

        def answers() -> list[bool]:
            """Return for each ACK of the event whether it asked for the event again."""
            told = system.engine.timeline.after()
            return [entry.summary == "later" for entry in told if (entry.direction, entry.name) == ("ack", "*")]

        await eventually(lambda: True in answers(), hint=answers)
        assert False not in answers()
        hangs.set()
        await eventually(lambda: False in answers(), hint=answers)
        assert (await system.ask("/help")).title == Notice.EXTERNAL


async def tell_foreign(system: BotSystem) -> None:
    """Push an event about a colleague with the same userId elsewhere."""
    system.engine.emit_event("user_leave_org", {"userId": [KEEPER]})
    await system.engine.wait_for(lambda: not system.engine.pushes.in_flight)


async def test_a_missing_permission_is_told_of_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = SimulatorConfig(qps_limit=None)
    async with simulator_running(config) as simulator:
        simulator.engine.faults.set("scope_denied", on=True, api="/topapi/")
        access = {"directory": None, "sync_hours": 24}
        settings = system_settings(config, simulator.url, tmp_path, {"access": access})
        with capture_logs() as logs:
            async with app_running(settings):
                await eventually(lambda: [log for log in logs if "consequence" in log], hint=dict)
    (told,) = [log for log in logs if log["event"] == "directory.permission_missing"]
    assert "only people who have written to the bot" in told["consequence"]
    assert "qyapi_get_member" in told["remedy"]
