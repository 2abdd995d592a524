"""Which pushes are uses, and what for."""

from __future__ import annotations

import pytest
from dingtalk_stream import EventMessage

from bot.cards.actions import AckAlert, ApproveCase, Ask
from bot.cards.card import Click
from bot.dingtalk.pushed_uses import count_click, count_event
from bot.dingtalk.quota import MonthlyMeter
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, Quota, SpentKey
from tests.dingtalk.test_quota import Clock, FakeCallStore


@pytest.fixture
def meter(metrics: Metrics) -> MonthlyMeter:
    return MonthlyMeter(FakeCallStore(), metrics=metrics, now=Clock())


def event(kind: str) -> EventMessage:
    return EventMessage.from_dict({"headers": {"eventType": kind}, "data": "{}"})


@pytest.mark.parametrize(
    ("kind", "purpose"),
    [
        ("user_leave_org", None),
        ("org_change", None),
        ("label_conf_add", None),
        ("org_remove", Purpose.DIRECTORY),
        ("bpms_task_change", Purpose.APPROVAL),
        ("chat_update_title", Purpose.OTHER),
    ],
)
def test_events(meter: MonthlyMeter, kind: str, purpose: Purpose | None) -> None:
    count_event(meter, event(kind))
    assert meter.spent_on(Quota.USES) == ({SpentKey(Quota.USES, purpose): 1} if purpose else {})


@pytest.mark.parametrize(
    ("token", "purpose"),
    [
        (Ask("/order late", 8).pack(), Purpose.PAGE),
        (AckAlert("a1").pack(), Purpose.ALERT),
        (ApproveCase("c1", "abcd").pack(), Purpose.APPROVAL),
        ("nonsense", Purpose.OTHER),
    ],
)
def test_clicks(meter: MonthlyMeter, token: str, purpose: Purpose) -> None:
    count_click(meter, Click(track_id="t", user_id="u", corp_id="c", token=token, space_id="cidA"))
    assert meter.spent_on(Quota.USES) == {SpentKey(Quota.CLICKS, purpose, "cidA"): 1}
