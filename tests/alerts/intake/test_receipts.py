"""Purchase orders whose goods are late: an alert of their own beside the approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.alerts.event import EventType
from bot.alerts.intake.areas import AREAS
from bot.alerts.intake.areas.purchasing import RECEIPTS
from bot.alerts.intake.poll_state import NORMAL
from bot.erp.hub import ErpHub
from bot.erp.model import Progress, ReviewState
from bot.mechanisms.metrics import Metrics
from bot.settings import load_settings
from tests.bare_records import with_review
from tests.commands.company import NOW, TODAY, Company, purchase
from tests.rows import each_row

LATE = replace(purchase("PO-9", "苏州包装", ReviewState.APPROVED), due_on=TODAY - timedelta(days=3))


def test_a_late_purchase_is_an_alert_until_the_goods_are_there() -> None:
    record = RECEIPTS.judge(LATE, TODAY)
    assert (record.type, record.state, record.data["supplier"]) == (EventType.PO_LATE, "late", "苏州包装")
    assert "resolved" not in record.data


@each_row(
    "order",
    [
        replace(LATE, received=Progress.FULL),
        with_review(LATE, state=ReviewState.DONE),
        with_review(LATE, state=ReviewState.WAITING),
        replace(LATE, due_on=TODAY),
        replace(LATE, due_on=None),
    ],
)
def test_nothing_else_is_late(order: object) -> None:
    record = RECEIPTS.judge(order, TODAY)  # type: ignore[arg-type]
    assert (record.state, record.data["resolved"]) == (NORMAL, True)


async def test_the_list_of_late_purchases_is_polled() -> None:
    hub = ErpHub([Company()], metrics=Metrics(), now=lambda: NOW)
    page = await AREAS["receipts"].sweep(hub.source_client("main"), "", 50, TODAY)
    assert page is not None
    assert [(found.type, found.code) for found in page.findings] == [(EventType.PO_LATE, "PO-1002")]
    await hub.close()


def test_it_is_polled_unless_the_settings_say_otherwise() -> None:
    assert "receipts" in load_settings().poll.areas
