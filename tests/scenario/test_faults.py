"""Everything that the simulator can do wrong, each alone and under load.

Every question is answered exactly once or, where DingTalk itself makes that impossible, its failure is named and
counted. Nothing is ever answered twice, nothing is hammered, and afterwards all is well again without anybody's help.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.dingtalk.openapi import Patience
from bot.dingtalk.stream import StreamPolicy
from bot.simulator.cards import Face
from bot.simulator.config import SimulatorConfig
from bot.simulator.engine import ClickResult
from bot.simulator.faults import Faults
from bot.simulator.pushes import MESSAGES
from tests.scenario.conftest import ENGLISH, KEEPER, Town, town_in
from tests.scenario.traffic import PER_SECOND, Traffic, eventually

OPEN = "POST /v1.0/gateway/connections/open"
CREATE = "POST /v1.0/card/instances/createAndDeliver"

LOAD_SECONDS = 0.8
POLICY = StreamPolicy(
    open_timeout=0.5,
    backoff_first=0.05,
    backoff_max=0.3,
    unauthorized_wait=0.3,
    heartbeat=0.6,
    drain=0.5,
    close_timeout=0.2,
)
PATIENCE = Patience(per_try=0.5, connect=0.5, overall=4.0, tries=3, backoff=0.05)
CONFIG = SimulatorConfig(
    qps_limit=None,
    quota_limit=None,
    redelivery_delay=0.4,
    redeliveries=50,
    ping_interval=0.3,
    hard_close=0.5,
    click_timeout=0.6,
)
DEFECTS = frozenset({"question.defect", "stream.frame_lost", "stream.handler_failed", "stream.reader_failed"})
"""Events of the log that a fault of DingTalk must never cause."""

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one switch is flipped and what the people see meanwhile."""

    alone: Settings = field(default_factory=dict)
    load: Settings = field(default_factory=dict)
    beside: Mapping[str, Settings] = field(default_factory=dict)
    """Other switches that must be on for this one to show."""
    cut: bool = False
    """Connections are cut, so that new ones have to be opened."""
    via: str = "card"
    """How the answers go, at least some of them; the others are cards."""
    silent: bool = False
    """The answers do not repeat what was asked for."""
    reorders: bool = False
    """DingTalk itself brings questions late, so the answers cannot be in the order in which they were asked."""
    refused: str = ""
    """Named failure: the bot got the question but has no way to answer it."""
    missed: bool = False
    """Named failure: DingTalk lost the question before the bot got it."""


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

CLICK_FAULTS = ("no_params_id", "no_action_ids", "slow_toast", "late_ack_applies")


def test_every_switch_is_in_a_table() -> None:
    assert FAULTS.keys() | set(CLICK_FAULTS) == Faults(Random(0)).render().keys()


Quick = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture
def quick_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quick:
    """Return what opens a town that loses patience soon."""
    monkeypatch.chdir(tmp_path)
    return lambda patience=PATIENCE: town_in(tmp_path, CONFIG, policy=POLICY, patience=patience)


def count_strikes(faults: Faults) -> Counter[str]:
    """Return what will count how often each switch strikes."""
    strikes: Counter[str] = Counter()
    strike = faults.strike

    def counted(name: str, api: str = "") -> object:
        fault = strike(name, api)
        strikes[name] += fault is not None
        return fault

    faults.strike = counted  # type: ignore[method-assign, assignment]  # this one board only
    return strikes


class Trial:
    """One switch in one town: what was asked, and what must be true of it afterwards."""

    def __init__(self, town: Town, switch: str) -> None:
        self.town, self.switch, self.fault = town, switch, FAULTS[switch]
        self.traffic = Traffic(town.engine)
        self.strikes = count_strikes(town.engine.faults)
        self._began, self._opens = perf_counter(), town.engine.calls[OPEN]

    def flip(self, settings: Settings) -> None:
        """Switch the fault on, and what it needs beside it."""
        for name, more in {**self.fault.beside, self.switch: settings}.items():
            self.town.engine.faults.set(name, on=True, **more)

    def cut(self) -> None:
        """Cut all connections."""
        pushes = self.town.engine.pushes
        for connection in list(pushes.connections.values()):
            pushes.retire(connection)
            connection.abort()

    @property
    def opens(self) -> int:
        """Calls of ``connections/open`` since the beginning."""
        return self.town.engine.calls[OPEN] - self._opens

    @property
    def failed(self) -> int:
        """Questions whose failure is named and counted."""
        refused = self.town.count("errors_total", room="channel", error=self.fault.refused) if self.fault.refused else 0
        return int(refused) + (self.town.engine.pushes.undelivered if self.fault.missed else 0)

    @property
    def settled(self) -> bool:
        """Whether every question has its answer or its failure, and nothing is under way any more."""
        accounted = self.traffic.answers + self.failed >= len(self.traffic.questions)
        return accounted and not self.town.engine.pushes.under_way and not self.town.count("questions_waiting")

    async def settle(self) -> None:
        """Wait until `settled`."""
        await eventually(lambda: self.settled, 20, hint=self.report)

    def report(self) -> str:
        """What is missing."""
        asked, failed = len(self.traffic.questions), self.failed
        lost = [question.sku for question in self.traffic.unanswered][:10]
        under_way, waiting = self.town.engine.pushes.under_way, self.town.count("questions_waiting")
        return f"{asked} asked, {self.traffic.answers} answered, {failed=}, {under_way=}, {waiting=}, {lost=}"

    def judge(self, logs: list[Any]) -> None:
        """Everything that must hold once the trial is over."""
        traffic, fault, failed = self.traffic, self.fault, self.failed
        assert self.strikes[self.switch] > 0
        assert not DEFECTS & {line["event"] for line in logs}
        assert traffic.doubled == []
        if fault.silent:
            assert all(asked == answered for asked, answered in traffic.per_group)
        else:
            assert len(traffic.unanswered) == failed, self.report()
            assert traffic.in_order or fault.reorders
        sent = {via: self.town.count("answers_sent_total", via=via) for via in ("card", "markdown", "webhook")}
        assert sum(sent.values()) == traffic.answers
        assert sent[fault.via] > 0
        if fault.refused:
            assert failed > 0
            assert self.town.count("questions_total", command="stock", outcome="not_delivered") == failed
            assert [line["error"] for line in logs if line["event"] == "answer.not_delivered"] == [
                fault.refused
            ] * failed
        if fault.missed:
            assert failed > 0
            assert self.town.count("errors_total", room="stream", error="connection_lost") > 0
            assert any(line["event"] == "stream.ended" and line["reason"] == "connection lost" for line in logs)
        # No two opens in a row are closer than the first pause.
        assert self.opens <= 1 + (perf_counter() - self._began) / POLICY.backoff_first

    async def recover(self) -> None:
        """With all switches off, the next question gets a card by itself."""
        before = self.town.count("answers_sent_total", via="card")
        self.traffic.ask()
        await self.settle()
        assert self.town.count("answers_sent_total", via="card") == before + 1


@pytest.mark.parametrize("switch", FAULTS)
async def test_alone(switch: str, quick_town: Quick) -> None:
    with capture_logs() as logs:
        async with quick_town() as town:
            trial = Trial(town, switch)
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
async def test_under_load(switch: str, quick_town: Quick) -> None:
    with capture_logs() as logs:
        async with quick_town() as town:
            trial = Trial(town, switch)
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


NEXT, PREVIOUS = "下一页", "上一页"


def turn_of(town: Town, card: Face) -> str:
    """Return the button that turns the page of this card as it is now."""
    return NEXT if any(button.text == NEXT for button in town.see(card).buttons) else PREVIOUS


def hold_answers(town: Town) -> None:
    """Hold the bot's answers to clicks up for longer than the client waits."""
    town.engine.faults.set("slow_toast", on=True, delay_ms=int(CONFIG.click_timeout * 1300))


@pytest.mark.parametrize("switch", ["no_params_id", "no_action_ids"])
async def test_a_click_needs_only_one_of_its_two_names(switch: str, quick_town: Quick) -> None:
    async with quick_town() as town:
        card = await town.ask("/order late")
        town.engine.faults.set(switch, on=True)
        turned = await town.click(card, NEXT)
        assert turned.markdown != card.markdown
        assert any(button.text == PREVIOUS for button in turned.buttons)


async def test_a_click_without_any_name_is_told_so(quick_town: Quick) -> None:
    async with quick_town() as town:
        card = await town.ask("/order late")
        for switch in ("no_params_id", "no_action_ids"):
            town.engine.faults.set(switch, on=True)
        await town.click(card, NEXT)
        assert town.count("clicks_total", outcome="out_of_date") == 1
        town.engine.faults.clear()
        assert town.see(card, who=ENGLISH).markdown == card.markdown


async def test_an_answer_that_is_held_up_shows_as_a_failed_click(quick_town: Quick) -> None:
    async with quick_town() as town:
        card = await town.ask("/order late")
        hold_answers(town)
        result = await town.press(card, NEXT)
        assert (result.ok, bool(result.toast)) == (False, True)
        town.engine.faults.clear()
        assert town.see(card).markdown == card.markdown
        assert (await town.click(card, NEXT)).markdown != card.markdown


async def test_an_answer_that_is_held_up_may_still_apply(quick_town: Quick) -> None:
    async with quick_town() as town:
        card = await town.ask("/order late")
        hold_answers(town)
        town.engine.faults.set("late_ack_applies", on=True)
        assert not (await town.press(card, NEXT)).ok
        await eventually(lambda: town.see(card).private_to_viewer, hint=lambda: town.see(card))
        assert any(button.text == PREVIOUS for button in town.see(card).buttons)


@pytest.mark.parametrize("switch", CLICK_FAULTS)
async def test_clicks_under_load(switch: str, quick_town: Quick) -> None:
    with capture_logs() as logs:
        async with quick_town() as town:
            traffic, strikes = Traffic(town.engine), count_strikes(town.engine.faults)
            cards = [await town.ask("/order late") for _ in range(5)]
            held = switch in ("slow_toast", "late_ack_applies")
            if held:
                hold_answers(town)
            if switch != "slow_toast":
                town.engine.faults.set(switch, on=True)

            async def click(number: int) -> ClickResult:
                await asyncio.sleep(number / PER_SECOND)
                return await town.press(cards[number % len(cards)], turn_of(town, cards[number % len(cards)]))

            clicks = (click(number) for number in range(round(LOAD_SECONDS * PER_SECOND)))
            results = await asyncio.gather(traffic.flow(LOAD_SECONDS), *clicks)
            assert [result.ok for result in results[1:]] == [not held] * (len(results) - 1)
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
            await eventually(lambda: not town.engine.pushes.under_way, hint=lambda: town.engine.pushes.under_way)
            if switch == "late_ack_applies":
                await eventually(lambda: all(town.see(card).private_to_viewer for card in cards), hint=lambda: cards)
            town.engine.faults.clear()
            assert (await town.press(cards[0], turn_of(town, cards[0]))).ok
    assert strikes[switch] > 0
    assert town.count("clicks_total", outcome="answered") == len(results)
    assert (traffic.doubled, traffic.in_order) == ([], True)
    assert not DEFECTS & {line["event"] for line in logs}


async def test_reconnect_storms_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pauses of a real run, whatever the gateway does; the SDK calls hundreds of times meanwhile."""
    monkeypatch.chdir(tmp_path)

    trials: dict[str, Trial] = {}
    async with AsyncExitStack() as stack:
        for switch in ("open_401", "open_503", "open_close", "disconnect", "reset"):
            town = await stack.enter_async_context(town_in(tmp_path / switch, CONFIG))
            trials[switch] = Trial(town, switch)
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
    config = replace(CONFIG, redelivery_delay=0.0, redeliveries=3)
    async with town_in(tmp_path, config, policy=POLICY, patience=PATIENCE) as town:
        traffic = Traffic(town.engine)
        await traffic.flow(0.4)
        await eventually(lambda: not town.engine.pushes.under_way, hint=lambda: town.engine.pushes.under_way)
        await eventually(lambda: not town.count("questions_waiting"), hint=lambda: traffic.unanswered)
        frames = town.count("frames_total", type="CALLBACK", topic=MESSAGES)
        assert frames >= 2 * len(traffic.questions)
        assert (traffic.unanswered, traffic.doubled, traffic.in_order) == ([], [], True)


async def test_a_card_that_may_stand_is_never_followed_by_a_text(quick_town: Quick) -> None:
    """The first try leaves a doubt; what DingTalk certainly refuses afterwards must not be answered another way."""
    async with quick_town(replace(PATIENCE, per_try=0.2)) as town:
        trial = Trial(town, "lying_timeout")
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


async def test_an_outage_of_everything_is_sat_out(quick_town: Quick) -> None:
    """Not even a token can be had: the answer waits until DingTalk is back."""
    async with quick_town(replace(PATIENCE, overall=0.3)) as town:
        trial = Trial(town, "system_busy")
        town.engine.faults.set("waf", on=True, delay_ms=50)
        town.engine.faults.set("api_reset", on=True, api="accessToken")
        for _ in range(3):
            trial.traffic.ask()
        await town.engine.wait_for(lambda: trial.strikes["api_reset"] > 2 * PATIENCE.tries, timeout=10)
        assert trial.traffic.answers == 0
        town.engine.faults.clear()
        await trial.settle()
        assert (trial.traffic.unanswered, trial.traffic.doubled) == ([], [])


async def test_without_an_account_in_the_company_a_direct_chat_is_answered_by_its_webhook(quick_town: Quick) -> None:
    async with quick_town() as town:
        town.engine.faults.set("unpublished_bot", on=True)
        direct = town.engine.direct(KEEPER)
        message = town.engine.say(direct.id, KEEPER, "/stock SKU123")
        await town.engine.wait_for(lambda: town.answers(message))
        await town.settle()
        assert len(town.answers(message)) == 1
        assert town.count("answers_sent_total", via="webhook") == 1
