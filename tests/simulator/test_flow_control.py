"""The months of the simulated platform's quotas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.flow_control import FlowControl


def test_both_quotas_begin_anew_with_the_month_in_china() -> None:
    moments = [datetime(2026, 11, 30, 15, 59, tzinfo=UTC)]
    flow = FlowControl(SimulatorConfig(quota_limit=1, now=lambda: moments[-1]))
    assert (flow.within_quota(), flow.within_quota()) == (True, False)
    flow.use(2)
    assert (flow.render()["month"], flow.render()["used"], flow.render()["uses"]) == ("2026-11", 1, 2)
    moments.append(moments[-1] + timedelta(minutes=1))
    assert (flow.within_quota(), flow.within_quota()) == (True, False)
    flow.use()
    assert (flow.render()["month"], flow.render()["used"], flow.render()["uses"]) == ("2026-12", 1, 1)
    assert flow.billed_calls == 2
