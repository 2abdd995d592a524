"""More questions than DingTalk accepts calls: they wait for their turn, and every question is answered by its card."""

from __future__ import annotations

import pytest

from bot.kit.simulator.config import SimulatorConfig
from tests.scenario.conftest import OpenSystem
from tests.scenario.traffic import Traffic, eventually

QPS = 20


@pytest.mark.soak
async def test_two_hundred_questions_at_a_hundred_a_second(open_system: OpenSystem) -> None:
    async with open_system(SimulatorConfig(qps_limit=QPS), limits={"qps": float(QPS)}) as system:
        traffic = Traffic(system.engine)
        await traffic.flow(2.0, per_second=100)
        await eventually(lambda: not traffic.unanswered, hint=lambda: len(traffic.unanswered))
        await system.settle()
        assert (traffic.answers, traffic.doubled, traffic.in_order) == (200, [], True)
        assert system.count("answers_sent_total", via="card") == 200
        assert system.count("api_calls_total", api="create_and_deliver", outcome="rate_limited") == 0
