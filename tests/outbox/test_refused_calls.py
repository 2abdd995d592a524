"""Half of all calls are refused as too fast, by each code of DingTalk: every critical alert arrives, and once."""

from __future__ import annotations

import pytest

from bot.outbox.delivery import DeliveryStepKind, Urgency
from tests.outbox.conftest import OutboxHarness

CODES = (
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
    "Forbidden.AccessDenied.QpsLimitForApi",
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi",
    "qps.exceed.limit",
    "request.overlimit",
    "oaplus.query.limit",
    "send.too.fast",
)
ALERTS = 12


async def deliver_alerts(system: OutboxHarness) -> None:
    for number in range(ALERTS):
        await system.owe(f"critical {number:02}", place=system.group, urgency=Urgency.NOW)
    for _ in range(60):
        await system.work()
        if system.count(DeliveryStepKind.SENT) == ALERTS:
            break
        system.clock.forward(minutes=5)
    assert sorted(card.title for card in system.cards) == [f"critical {number:02} r1" for number in range(ALERTS)]
    assert system.texts == []
    assert system.count(DeliveryStepKind.RETRIED) > 0


@pytest.mark.parametrize("code", CODES)
async def test_twelve_critical_alerts_of_twelve(system: OutboxHarness, code: str) -> None:
    assert system.engine is not None
    system.engine.faults.set("refused", on=True, rate=0.5, code=code, api="createAndDeliver")
    await deliver_alerts(system)


async def test_twelve_critical_alerts_of_twelve_from_a_blocked_address(system: OutboxHarness) -> None:
    assert system.engine is not None
    system.engine.faults.set("waf", on=True, rate=0.5, api="createAndDeliver")
    await deliver_alerts(system)
