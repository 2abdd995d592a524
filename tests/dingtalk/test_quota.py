from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.dingtalk.errors import DingTalkQuotaExhausted, DingTalkRateLimited
from bot.dingtalk.openapi import ApiRetryPolicy, OpenApi, pooled_session
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, Quota, SpentKey, falling_back, spending
from tests.dingtalk.conftest import GROUP_URL, KEYS, FakeDingTalk, Run

LAST_MOMENT = datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC)
"""One second before February begins in China."""


def calls(count: int) -> dict[SpentKey, int]:
    return {SpentKey(Quota.CALLS, Purpose.OTHER): count}


@dataclass
class FakeCallStore:
    """A store in memory that can be broken."""

    spent: dict[str, dict[SpentKey, int]] = field(default_factory=dict)
    broken: bool = False

    async def load(self, month: str) -> Mapping[SpentKey, int]:
        return dict(self.spent.get(month, {}))

    async def add(self, month: str, spent: Mapping[SpentKey, int]) -> Mapping[SpentKey, int]:
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("disk full")
        self.spent[month] = dict(Counter(self.spent.get(month, {})) + Counter(spent))
        return dict(self.spent[month])

    @property
    def calls(self) -> dict[str, int]:
        return {
            month: sum(count for key, count in spent.items() if key.quota is Quota.CALLS)
            for month, spent in self.spent.items()
        }


@dataclass
class Clock:
    now: datetime = LAST_MOMENT

    def __call__(self) -> datetime:
        return self.now


def shown(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("dingerp_api_calls_month")


async def test_the_count_goes_on_after_a_restart(metrics: Metrics) -> None:
    months = FakeCallStore({"2026-01": calls(40)})
    meter = MonthlyMeter(months, metrics=metrics, now=Clock())
    await meter.load()
    meter.count()
    assert (meter.used, shown(metrics)) == (41, 41)
    await meter.save()
    assert months.calls == {"2026-01": 41}
    assert meter.used == 41


async def test_a_month_begins_in_china(metrics: Metrics) -> None:
    clock, months = Clock(), FakeCallStore()
    meter = MonthlyMeter(months, metrics=metrics, now=clock)
    meter.count()
    clock.now = datetime(2026, 1, 31, 16, 0, 0, tzinfo=UTC)
    meter.count()
    meter.count()
    assert (meter.used, shown(metrics)) == (2, 2)
    await meter.save()
    assert months.calls == {"2026-01": 1, "2026-02": 2}


async def test_december_is_followed_by_january(metrics: Metrics) -> None:
    clock, months = Clock(datetime(2026, 12, 31, 15, 0, tzinfo=UTC)), FakeCallStore()
    meter = MonthlyMeter(months, metrics=metrics, now=clock)
    meter.count()
    clock.now = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    meter.count()
    await meter.save()
    assert months.calls == {"2026-12": 1, "2027-01": 1}


async def test_a_failed_save_loses_nothing(metrics: Metrics) -> None:
    months = FakeCallStore(broken=True)
    meter = MonthlyMeter(months, metrics=metrics, now=Clock())
    meter.count()
    with pytest.raises(OSError, match="disk"):
        await meter.save()
    assert meter.used == 1
    months.broken = False
    saving = asyncio.create_task(meter.save())
    await asyncio.sleep(0)
    meter.count()
    await saving
    assert (meter.used, months.calls) == (2, {"2026-01": 1})
    await meter.save()
    assert months.calls == {"2026-01": 2}


async def test_other_processes_count_too(metrics: Metrics) -> None:
    months = FakeCallStore()
    one, other = (MonthlyMeter(months, metrics=Metrics(), now=Clock()) for _ in range(2))
    one.count()
    other.count()
    await one.save()
    await other.save()
    assert other.used == 2


def test_it_saves_now_and_then_and_at_the_end(virtual: Run, metrics: Metrics) -> None:
    async def scenario() -> list[int]:
        months, seen = FakeCallStore(), []
        meter = MonthlyMeter(months, metrics=metrics, now=Clock())
        keeping = asyncio.create_task(meter.save_periodically(10))
        meter.count()
        await asyncio.sleep(11)
        seen.append(months.calls["2026-01"])
        meter.count()
        keeping.cancel()
        await asyncio.wait([keeping])
        seen.append(months.calls["2026-01"])
        return seen

    assert virtual(scenario()) == [1, 2]


async def test_only_billed_calls_that_dingtalk_worked_on_count(dingtalk: FakeDingTalk, metrics: Metrics) -> None:
    meter = MonthlyMeter(FakeCallStore(), metrics=metrics, now=Clock())
    dingtalk.token()
    dingtalk.post(GROUP_URL, payload={})
    dingtalk.post(GROUP_URL, status=403, payload={"code": "Forbidden.AccessDenied.QpsLimitForApi"})
    async with pooled_session() as session:
        patience = ApiRetryPolicy(overall=0.5)
        robot = Robot(OpenApi(session, KEYS, metrics=metrics, meter=meter, patience=patience))
        await robot.send_to_group("cid", "r", title="t", markdown="m")
        with pytest.raises(DingTalkRateLimited):
            await robot.send_to_group("cid", "r", title="t", markdown="m")
    assert meter.used == 1


async def test_a_call_with_a_token_that_has_ended_does_not_count(dingtalk: FakeDingTalk, metrics: Metrics) -> None:
    meter = MonthlyMeter(FakeCallStore(), metrics=metrics, now=Clock())
    dingtalk.token()
    dingtalk.post(GROUP_URL, status=400, payload={"code": "InvalidAuthentication"})
    dingtalk.token()
    dingtalk.post(GROUP_URL, payload={})
    async with pooled_session() as session:
        robot = Robot(OpenApi(session, KEYS, metrics=metrics, meter=meter))
        await robot.send_to_group("cid", "r", title="t", markdown="m")
    assert meter.used == 1, "only the repetition with a new token"


async def test_the_last_answer_says_whether_the_month_is_over(dingtalk: FakeDingTalk, metrics: Metrics) -> None:
    clock = Clock()
    meter = MonthlyMeter(FakeCallStore(), metrics=metrics, now=clock)
    dingtalk.token()
    over = {"status": 403, "payload": {"code": "Forbidden.AccessDenied.ApiCountLimitForOrg"}}
    for answer in (over, {"payload": {}}, over):
        dingtalk.post(GROUP_URL, **answer)
    seen = []
    async with pooled_session() as session:
        robot = Robot(OpenApi(session, KEYS, metrics=metrics, meter=meter))
        for _ in range(3):
            with suppress(DingTalkQuotaExhausted):
                await robot.send_to_group("cid", "r", title="t", markdown="m")
            seen.append(meter.exhausted)
    clock.now = datetime(2026, 1, 31, 16, 0, 0, tzinfo=UTC)
    assert (seen, meter.exhausted) == ([True, False, True], False)


async def test_after_a_minute_a_call_tries_whether_the_month_is_still_over(metrics: Metrics) -> None:
    clock = Clock(datetime(2026, 1, 20, tzinfo=UTC))
    meter = MonthlyMeter(FakeCallStore(), metrics=metrics, now=clock)
    meter.note_answer(exhausted=True)
    seen = []
    for seconds in (59, 1, 1):
        clock.now += timedelta(seconds=seconds)
        seen.append(meter.exhausted)
    meter.note_answer(exhausted=True)
    assert (seen, meter.exhausted) == ([True, False, False], True)


async def test_a_new_month_is_seen_without_a_call(metrics: Metrics) -> None:
    clock = Clock()
    meter = MonthlyMeter(FakeCallStore({"2026-01": calls(9_500)}), metrics=metrics, now=clock)
    await meter.load()
    assert meter.used == 9_500
    clock.now = datetime(2026, 1, 31, 16, 0, 0, tzinfo=UTC)
    assert meter.used == 0


async def test_uses_and_clicks_are_counted_by_purpose_and_group(metrics: Metrics) -> None:
    months = FakeCallStore()
    meter = MonthlyMeter(months, metrics=metrics, now=Clock())
    meter.count(Quota.USES, Purpose.QUESTION, "cidA")
    meter.count(Quota.CLICKS, Purpose.PAGE, "cidA")
    with spending(Purpose.ALERT, "cidB"):
        meter.count()
        with falling_back():
            meter.count(Quota.USES)
    assert (meter.used, meter.uses) == (1, 3)
    assert meter.spent_on(Quota.CALLS) == {SpentKey(Quota.CALLS, Purpose.ALERT, "cidB"): 1}
    assert meter.spent_on(Quota.USES) == {
        SpentKey(Quota.USES, Purpose.QUESTION, "cidA"): 1,
        SpentKey(Quota.CLICKS, Purpose.PAGE, "cidA"): 1,
        SpentKey(Quota.USES, Purpose.FALLBACK, "cidB"): 1,
    }
    await meter.save()
    again = MonthlyMeter(months, metrics=metrics, now=Clock(), clicks_count=False)
    await again.load()
    assert (again.used, again.uses) == (1, 2), "clicks do not count"
    labels = {"quota": "clicks", "purpose": "page"}
    assert metrics.registry.get_sample_value("dingerp_quota_spent_month", labels) == 1
