"""Everything that the simulator can do wrong, each alone and under load.

Every question is answered exactly once or, where DingTalk itself makes that impossible, its failure is named and
counted. Nothing is ever answered twice, nothing is hammered, and afterwards all is well again without anybody's help.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from bot.simulator.faults import Faults
from bot.simulator.pushes import MESSAGES
from tests.scenario.conftest import HURRIED, KEEPER, PATIENCE, POLICY, OpenTown, town_in
from tests.scenario.test_click_faults import CLICK_FAULTS
from tests.scenario.traffic import PER_SECOND, Traffic, eventually
from tests.scenario.trial import LOAD_SECONDS, Fault, Trial

CREATING = {"api": "createAndDeliver"}

FAULTS: Mapping[str, Fault] = {
    "disconnect": Fault(alone={"count": 2}, load={"rate": 0.1}),
    "reset": Fault(alone={"count": 2}, load={"rate": 0.1}, reorders=True),
    "half_open": Fault(alone={"count": 1}, load={"count": 1}, reorders=True),
    "duplicate_push": Fault(),
    "no_redelivery": Fault(beside={"reset": {"count": 2}}, missed=True),
    "drop_offline": Fault(cut=True, missed=True, reorders=True),
    "quota_payload": Fault(silent=True),
    "unpublished_bot": Fault(silent=True),
    "slow_open": Fault(alone={"delay_ms": 700, "count": 1}, load={"delay_ms": 200}, cut=True, reorders=True),
    "open_401": Fault(cut=True, reorders=True),
    "open_503": Fault(cut=True, reorders=True),
    "open_close": Fault(cut=True, reorders=True),
    "html_error": Fault(alone=CREATING, load={**CREATING, "rate": 0.3}),
    "waf": Fault(alone={"count": 2, "delay_ms": 100}, load={"rate": 0.1, "delay_ms": 100}),
    "slow_api": Fault(alone={"delay_ms": 300}, load={"delay_ms": 300, "rate": 0.3}),
    "api_reset": Fault(alone=CREATING, load={**CREATING, "rate": 0.3}),
    "lying_timeout": Fault(alone=CREATING, load={**CREATING, "count": 10}),
    "qps_limit": Fault(alone={"count": 1}, load={"count": 3}),
    "quota_exhausted": Fault(via="webhook"),
    "scope_denied": Fault(alone={"api": "/card/"}, load={"api": "/card/"}, via="markdown"),
    "invalid_auth": Fault(alone={"count": 1}, load={**CREATING, "rate": 0.1}),
    "system_busy": Fault(alone={"api": "/card/"}, load={"api": "/card/", "rate": 0.8}, via="markdown"),
    "deliver_failed": Fault(via="markdown"),
    "template_unpublished": Fault(via="markdown"),
    "card_exists_error": Fault(beside={"lying_timeout": {**CREATING, "count": 3}}),
    "session_expired": Fault(beside={"quota_exhausted": {}}, refused="SessionExpired"),
}


def test_every_switch_is_in_a_table() -> None:
    assert FAULTS.keys() | set(CLICK_FAULTS) == Faults(Random(0)).render().keys()


@pytest.mark.parametrize("switch", FAULTS)
async def test_alone(switch: str, hurried_town: OpenTown) -> None:
    with capture_logs() as logs:
        async with hurried_town() as town:
            trial = Trial(town, switch, FAULTS[switch])
            trial.flip(trial.fault.alone)
            if trial.fault.cut:
                trial.cut()
            for _ in range(3):
                trial.traffic.ask()
            # Where nothing can be answered while it lasts, it lasts for more than one round of tries.
            await eventually(
                lambda: trial.settled or trial.opens >= 3 or trial.strikes[switch] >= 12, hint=trial.report
            )
            town.engine.faults.clear()
            await trial.settle()
            await trial.recover()
            trial.judge(logs)


@pytest.mark.parametrize("switch", FAULTS)
async def test_under_load(switch: str, hurried_town: OpenTown) -> None:
    with capture_logs() as logs:
        async with hurried_town() as town:
            trial = Trial(town, switch, FAULTS[switch])
            trial.traffic.ask()
            await trial.settle()
            trial.flip(trial.fault.load)
            for _ in range(4):
                if trial.fault.cut:
                    trial.cut()
                await trial.traffic.flow(LOAD_SECONDS / 4, PER_SECOND)
            town.engine.faults.clear()
            await trial.settle()
            await trial.recover()
            trial.judge(logs)


async def test_reconnect_storms_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pauses of a real run, whatever the gateway does; the SDK calls hundreds of times meanwhile."""
    monkeypatch.chdir(tmp_path)

    trials: dict[str, Trial] = {}
    async with AsyncExitStack() as stack:
        for switch in ("open_401", "open_503", "open_close", "disconnect", "reset"):
            town = await stack.enter_async_context(town_in(tmp_path / switch, HURRIED))
            trials[switch] = Trial(town, switch, FAULTS[switch])
        for trial in trials.values():
            trial.flip({})
            trial.cut()
        # Each of these connections had only just begun, so the pauses grow from the first: 1 to 2 s, 1 to 4 s, …
        await asyncio.gather(*(trial.traffic.flow(2.5) for trial in trials.values()))
        opens = {switch: trial.opens for switch, trial in trials.items()}
    assert opens["open_401"] == 1
    assert all(1 <= count <= 3 for count in opens.values()), opens


async def test_redelivered_before_its_acknowledgement_it_is_answered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = replace(HURRIED, redelivery_delay=0.0, redeliveries=3)
    async with town_in(tmp_path, config, policy=POLICY, patience=PATIENCE) as town:
        traffic = Traffic(town.engine)
        await traffic.flow(0.4)
        await eventually(lambda: not town.engine.pushes.under_way, hint=lambda: town.engine.pushes.under_way)
        # DingTalk may give a message up before the bot has stored it, which then is answered all the same.
        await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
        await town.settle()
        frames = town.count("frames_total", type="CALLBACK", topic=MESSAGES)
        assert frames >= 2 * len(traffic.questions)
        assert (traffic.unanswered, traffic.doubled, traffic.in_order) == ([], [], True)


async def test_a_card_that_may_stand_is_never_followed_by_a_text(hurried_town: OpenTown) -> None:
    """The first try leaves a doubt; what DingTalk certainly refuses afterwards must not be answered another way."""
    async with hurried_town(patience=replace(PATIENCE, per_try=0.2)) as town:
        trial = Trial(town, "lying_timeout", FAULTS["lying_timeout"])
        trial.flip(CREATING)
        trial.traffic.ask()
        await town.engine.wait_for(lambda: trial.strikes["lying_timeout"] > PATIENCE.tries, timeout=10)
        town.engine.faults.clear()
        town.engine.faults.set("scope_denied", on=True, api="/card/")
        await town.engine.wait_for(lambda: trial.strikes["scope_denied"] > 2, timeout=10)
        town.engine.faults.clear()
        await trial.settle()
        assert trial.traffic.answers == 1
        assert town.count("answers_sent_total", via="card") == 1


async def test_an_outage_of_everything_is_sat_out(hurried_town: OpenTown) -> None:
    """Not even a token can be had: the answer waits until DingTalk is back."""
    async with hurried_town(patience=replace(PATIENCE, overall=0.3)) as town:
        trial = Trial(town, "system_busy", FAULTS["system_busy"])
        town.engine.faults.set("waf", on=True, delay_ms=50)
        town.engine.faults.set("api_reset", on=True, api="accessToken")
        for _ in range(3):
            trial.traffic.ask()
        await town.engine.wait_for(lambda: trial.strikes["api_reset"] > 2 * PATIENCE.tries, timeout=10)
        assert trial.traffic.answers == 0
        town.engine.faults.clear()
        await trial.settle()
        assert (trial.traffic.unanswered, trial.traffic.doubled) == ([], [])


async def test_without_a_staff_id_a_direct_chat_is_answered_by_its_webhook(
    hurried_town: OpenTown,
) -> None:
    async with hurried_town() as town:
        town.engine.faults.set("unpublished_bot", on=True)
        direct = town.engine.direct(KEEPER)
        message = town.engine.say(direct.id, KEEPER, "/stock SKU123")
        await town.engine.wait_for(lambda: town.answers(message))
        await town.settle()
        assert len(town.answers(message)) == 1
        assert town.count("answers_sent_total", via="webhook") == 1
