"""A trial of one of the simulator's faults: how it is switched on, and what must hold in spite of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from bot.chat.answers.ports import AnswerVia
from bot.dingtalk.quota import EXHAUSTED_FOR
from bot.kit.simulator.faults import SimFaults
from tests.scenario.conftest import POLICY, BotSystem
from tests.scenario.test_subscriptions import MovedClock
from tests.scenario.traffic import Traffic, eventually

OPEN = "POST /v1.0/gateway/connections/open"
LOAD_SECONDS = 0.8

DEFECTS = frozenset({"question.defect", "stream.frame_lost", "stream.handler_failed", "stream.reader_failed"})
"""Log events that a fault of DingTalk must never cause."""

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCase:
    """How one fault is switched on and what people see meanwhile."""

    alone: Settings = field(default_factory=dict)
    load: Settings = field(default_factory=dict)
    beside: Mapping[str, Settings] = field(default_factory=dict)
    """Other faults that must be on for this one to show."""
    cut: bool = False
    """Connections are cut, so that new ones have to be opened."""
    via: str = "card"
    """The form of at least some answers; the others are cards."""
    silent: bool = False
    """The answers do not repeat the question."""
    reorders: bool = False
    """DingTalk itself delays questions, so the answers cannot be in the order in which they were asked."""
    refused: str = ""
    """Named failure: the bot got the question but has no way to answer it."""
    missed: bool = False
    """Named failure: DingTalk lost the question before the bot got it."""


def count_strikes(faults: SimFaults) -> Counter[str]:
    """Return a counter of the strikes of each fault."""
    strikes: Counter[str] = Counter()
    trigger = faults.trigger

    def counted(name: str, api: str = "") -> object:
        fault = trigger(name, api)
        strikes[name] += fault is not None
        return fault

    faults.trigger = counted  # type: ignore[method-assign, assignment]  # these faults only
    return strikes


class FaultTrial:
    """One fault in one system: the questions asked, and what must hold for them afterwards."""

    def __init__(self, system: BotSystem, switch: str, fault: FaultCase, clock: MovedClock | None = None) -> None:
        self.system, self.switch, self.fault = system, switch, fault
        self._clock = clock
        self.traffic = Traffic(system.engine)
        self.strikes = count_strikes(system.engine.faults)
        self._began, self._opens = perf_counter(), system.engine.calls[OPEN]

    def flip(self, settings: Settings) -> None:
        """Switch the fault on, and those that it needs beside it."""
        for name, more in {**self.fault.beside, self.switch: settings}.items():
            self.system.engine.faults.set(name, on=True, **more)

    def cut(self) -> None:
        """Cut all connections."""
        pushes = self.system.engine.pushes
        for connection in list(pushes.connections.values()):
            pushes.stop_routing_to(connection)
            connection.abort()

    @property
    def opens(self) -> int:
        """Calls of ``connections/open`` since the start of the trial."""
        return self.system.engine.calls[OPEN] - self._opens

    @property
    def failed(self) -> int:
        """The number of questions whose failure is named and counted."""
        refused = (
            self.system.count("errors_total", room="channel", error=self.fault.refused) if self.fault.refused else 0
        )
        return int(refused) + (self.system.engine.pushes.undelivered if self.fault.missed else 0)

    @property
    def settled(self) -> bool:
        """Whether every question has its answer or its failure, and no work is left."""
        accounted = self.traffic.answers + self.failed >= len(self.traffic.questions)
        return accounted and not self.system.engine.pushes.in_flight and not self.system.count("questions_waiting")

    async def settle(self) -> None:
        await eventually(lambda: self.settled, hint=self.report)

    def report(self) -> str:
        """The current numbers, and the questions without an answer."""
        asked, failed = len(self.traffic.questions), self.failed
        lost = [question.sku for question in self.traffic.unanswered][:10]
        under_way, waiting = self.system.engine.pushes.in_flight, self.system.count("questions_waiting")
        return f"{asked} asked, {self.traffic.answers} answered, {failed=}, {under_way=}, {waiting=}, {lost=}"

    def judge(self, logs: list[Any]) -> None:
        """Check everything that must hold after the trial."""
        traffic, fault, failed = self.traffic, self.fault, self.failed
        assert self.strikes[self.switch] > 0
        assert not DEFECTS & {line["event"] for line in logs}
        assert traffic.doubled == []
        if fault.silent:
            assert all(asked == answered for asked, answered in traffic.per_group)
        else:
            # A message whose connection was cut before its acknowledgement counts as undelivered, and may be answered.
            known = len(traffic.unanswered) <= failed if fault.missed else len(traffic.unanswered) == failed
            assert known, self.report()
            assert traffic.in_order or fault.reorders
        sent = {via.value: self.system.count("answers_sent_total", via=via) for via in AnswerVia}
        assert sum(sent.values()) == traffic.answers
        assert sent[fault.via] > 0
        if fault.refused:
            assert failed > 0
            assert self.system.count("questions_total", command="stock", outcome="not_delivered") == failed
            assert [line["error"] for line in logs if line["event"] == "answer.not_delivered"] == [
                fault.refused
            ] * failed
        if fault.missed:
            assert failed > 0
            assert self.system.count("errors_total", room="stream", error="connection_lost") > 0
            assert any(line["event"] == "stream.ended" and line["reason"] == "connection lost" for line in logs)
        # No two opens in a row are closer than the first pause.
        assert self.opens <= 1 + (perf_counter() - self._began) / POLICY.backoff_first

    async def recover(self) -> None:
        """With all faults off, the next question gets a card; after a refusal for the month's quota, a minute later."""
        if self._clock is not None and self.strikes["quota_exhausted"]:
            self._clock.ahead += EXHAUSTED_FOR
        before = self._cards
        self.traffic.ask()
        await self.settle()
        assert self._cards == before + 1

    @property
    def _cards(self) -> float:
        """Cards of answers; a group where somebody without a user id wrote counts as one with outsiders."""
        return sum(self.system.count("answers_sent_total", via=via) for via in (AnswerVia.CARD, AnswerVia.OWN_CARD))
