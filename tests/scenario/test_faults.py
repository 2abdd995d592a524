"""Every fault of the simulator, alone and under load.

Every question is answered exactly once; where DingTalk itself makes that impossible, its failure is named and counted.
Nothing is answered twice, DingTalk is not hammered, and afterwards the bot recovers by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from time import perf_counter

import pytest
from structlog.testing import capture_logs

from bot.kit.simulator.faults import SimFaults
from bot.kit.simulator.push_dispatcher import MESSAGES
from tests.scenario.conftest import IMPATIENT, KEEPER, PATIENCE, POLICY, OpenSystem, run_system
from tests.scenario.fault_trial import LOAD_SECONDS, FaultCase, FaultTrial
from tests.scenario.test_click_faults import CLICK_FAULTS
from tests.scenario.test_subscriptions import MovedClock
from tests.scenario.traffic import PER_SECOND, Traffic, eventually

CREATING = {"api": "createAndDeliver"}

FAULTS: Mapping[str, FaultCase] = {
    "disconnect": FaultCase(alone={"count": 2}, load={"rate": 0.1}),
    "reset": FaultCase(alone={"count": 2}, load={"rate": 0.1}, reorders=True),
    "half_open": FaultCase(alone={"count": 1}, load={"count": 1}, reorders=True),
    "duplicate_push": FaultCase(),
    "no_redelivery": FaultCase(beside={"reset": {"count": 2}}, missed=True),
    "drop_offline": FaultCase(cut=True, missed=True, reorders=True),
    "quota_payload": FaultCase(silent=True),
    "unpublished_bot": FaultCase(silent=True),
    "slow_open": FaultCase(alone={"delay_ms": 700, "count": 1}, load={"delay_ms": 200}, cut=True, reorders=True),
    "open_401": FaultCase(cut=True, reorders=True),
    "open_503": FaultCase(cut=True, reorders=True),
    "open_close": FaultCase(cut=True, reorders=True),
    "html_error": FaultCase(alone=CREATING, load={**CREATING, "rate": 0.3}),
    "waf": FaultCase(alone={"count": 2, "delay_ms": 100}, load={"rate": 0.1, "delay_ms": 100}),
    "slow_api": FaultCase(alone={"delay_ms": 300}, load={"delay_ms": 300, "rate": 0.3}),
    "api_reset": FaultCase(alone=CREATING, load={**CREATING, "rate": 0.3}),
    "lying_timeout": FaultCase(alone=CREATING, load={**CREATING, "count": 10}),
    "qps_limit": FaultCase(alone={"count": 1}, load={"count": 3}),
    "refused": FaultCase(alone={"api": "/card/"}, load={"api": "/card/"}, via="markdown"),
    "quota_exhausted": FaultCase(via="webhook"),
    "scope_denied": FaultCase(alone={"api": "/card/"}, load={"api": "/card/"}, via="markdown"),
    "invalid_auth": FaultCase(alone={"count": 1}, load={**CREATING, "rate": 0.1}),
    "system_busy": FaultCase(alone={"api": "/card/"}, load={"api": "/card/", "rate": 0.8}, via="markdown"),
    "deliver_failed": FaultCase(via="markdown"),
    "template_unpublished": FaultCase(via="markdown"),
    "card_exists_error": FaultCase(beside={"lying_timeout": {**CREATING, "count": 3}}),
    "session_expired": FaultCase(beside={"quota_exhausted": {}}, refused="DingTalkSessionExpired"),
}

USUAL_UNDER_LOAD = {
    "disconnect",
    "half_open",
    "duplicate_push",
    "api_reset",
    "lying_timeout",
    "qps_limit",
    "system_busy",
    "quota_exhausted",
    "session_expired",
}
"""Faults that `make test` tries under load too: each way to be cut off, to be refused and to be told untruths."""


def test_every_switch_is_in_a_table() -> None:
    assert FAULTS.keys() | set(CLICK_FAULTS) == SimFaults(Random(0)).render().keys()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("switch", FAULTS)
async def test_alone(switch: str, open_impatient_system: OpenSystem) -> None:
    with capture_logs() as logs:
        clock = MovedClock()
        async with open_impatient_system(clock=clock.now) as system:
            trial = FaultTrial(system, switch, FAULTS[switch], clock)
            trial.flip(trial.fault.alone)
            if trial.fault.cut:
                trial.cut()
            for _ in range(3):
                trial.traffic.ask()
            # A fault that prevents every answer lasts for more than one round of tries.
            await eventually(
                lambda: trial.settled or trial.opens >= 3 or trial.strikes[switch] >= 12, hint=trial.report
            )
            system.engine.faults.clear()
            await trial.settle()
            await trial.recover()
            trial.judge(logs)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "switch", [pytest.param(switch, marks=[pytest.mark.soak] * (switch not in USUAL_UNDER_LOAD)) for switch in FAULTS]
)
async def test_under_load(switch: str, open_impatient_system: OpenSystem) -> None:
    with capture_logs() as logs:
        clock = MovedClock()
        async with open_impatient_system(clock=clock.now) as system:
            trial = FaultTrial(system, switch, FAULTS[switch], clock)
            trial.traffic.ask()
            await trial.settle()
            trial.flip(trial.fault.load)
            for _ in range(4):
                if trial.fault.cut:
                    trial.cut()
                await trial.traffic.flow(LOAD_SECONDS / 4, PER_SECOND)
            while not trial.strikes[switch]:  # a fault with a rate may spare every question so far
                await trial.traffic.flow(LOAD_SECONDS / 4, PER_SECOND)
            system.engine.faults.clear()
            await trial.settle()
            await trial.recover()
            trial.judge(logs)


async def test_reconnect_storms_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pauses of a real run, whatever the gateway does; the SDK makes hundreds of calls in that time."""
    monkeypatch.chdir(tmp_path)

    trials: dict[str, FaultTrial] = {}
    async with AsyncExitStack() as stack:
        for switch in ("open_401", "open_503", "open_close", "disconnect", "reset"):
            system = await stack.enter_async_context(run_system(tmp_path / switch, IMPATIENT))
            trials[switch] = FaultTrial(system, switch, FAULTS[switch])
        for trial in trials.values():
            trial.flip({})
            trial.cut()
        began = perf_counter()
        await asyncio.gather(*(trial.traffic.flow(2.5) for trial in trials.values()))
        await eventually(lambda: all(trial.opens for trial in trials.values()), hint=lambda: trials)
        opens, seconds = {switch: trial.opens for switch, trial in trials.items()}, perf_counter() - began
    assert opens["open_401"] == 1
    # Each of these connections had only just started, so the pauses grow from the first: 1 to 2 s, 1 to 4 s, …
    assert all(count <= 1 + seconds for count in opens.values()), (opens, seconds)


async def test_redelivered_before_its_acknowledgement_it_is_answered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = replace(IMPATIENT, redelivery_delay=0.0, redeliveries=3)
    async with run_system(tmp_path, config, policy=POLICY, patience=PATIENCE) as system:
        traffic = Traffic(system.engine)
        await traffic.flow(0.4)
        await eventually(lambda: not system.engine.pushes.in_flight, hint=lambda: system.engine.pushes.in_flight)
        # DingTalk may give up a message before the bot has stored it; it is answered nevertheless.
        await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
        await system.settle()
        frames = system.count("frames_total", type="CALLBACK", topic=MESSAGES)
        assert frames >= 2 * len(traffic.questions)
        assert (traffic.unanswered, traffic.doubled, traffic.in_order) == ([], [], True)


async def test_a_card_that_may_stand_is_never_followed_by_a_text(open_impatient_system: OpenSystem) -> None:
    """After an uncertain first try, a certain refusal must not lead to another form of answer."""
    async with open_impatient_system(patience=replace(PATIENCE, per_try=0.2)) as system:
        trial = FaultTrial(system, "lying_timeout", FAULTS["lying_timeout"])
        trial.flip(CREATING)
        trial.traffic.ask()
        await system.engine.wait_for(lambda: trial.strikes["lying_timeout"] > PATIENCE.tries, timeout=60)
        system.engine.faults.clear()
        system.engine.faults.set("scope_denied", on=True, api="/card/")
        await system.engine.wait_for(lambda: trial.strikes["scope_denied"] > 2, timeout=60)
        system.engine.faults.clear()
        await trial.settle()
        assert trial.traffic.answers == 1
        assert system.count("answers_sent_total", via="card") == 1


async def test_an_outage_of_everything_is_sat_out(open_impatient_system: OpenSystem) -> None:
    """Not even a token is available: the answer waits until DingTalk is back."""
    async with open_impatient_system(patience=replace(PATIENCE, overall=0.3)) as system:
        trial = FaultTrial(system, "system_busy", FAULTS["system_busy"])
        system.engine.faults.set("waf", on=True, delay_ms=50)
        system.engine.faults.set("api_reset", on=True, api="accessToken")
        for _ in range(3):
            trial.traffic.ask()
        await system.engine.wait_for(lambda: trial.strikes["api_reset"] > 2 * PATIENCE.tries, timeout=60)
        assert trial.traffic.answers == 0
        system.engine.faults.clear()
        await trial.settle()
        assert (trial.traffic.unanswered, trial.traffic.doubled) == ([], [])


async def test_without_a_staff_id_a_direct_chat_is_answered_by_its_webhook(
    open_impatient_system: OpenSystem,
) -> None:
    async with open_impatient_system() as system:
        system.engine.faults.set("unpublished_bot", on=True)
        direct = system.engine.direct(KEEPER)
        message = system.engine.say(direct.id, KEEPER, "/stock SKU123")
        await system.engine.wait_for(lambda: system.answers(message))
        await system.settle()
        assert len(system.answers(message)) == 1
        assert system.count("answers_sent_total", via="webhook") == 1
