"""Which pushes count as uses of the month, and for what purpose (docs: platform/dingtalk/limits.md#not-counted)."""

from __future__ import annotations

from bot.cards.actions import AckAlert, Ask, AssignAlert, BadToken, SnoozeAlert, unpack
from bot.cards.card import Click
from bot.dingtalk.contact_events import event_kind
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.sdk import EventMessage
from bot.outbox.spending import Purpose, Quota

_FREE = frozenset(
    {
        *("user_add_org", "user_modify_org", "user_leave_org", "user_active_org"),
        *("org_dept_create", "org_dept_modify", "org_dept_remove", "org_change", "org_admin_add", "org_admin_remove"),
        *("label_user_change", "label_conf_add", "label_conf_del", "label_conf_modify"),
    }
)


def count_event(meter: MonthlyMeter, event: EventMessage) -> None:
    """Count an event, unless DingTalk does not."""
    kind = event_kind(event)
    if kind in _FREE:
        return
    directory = kind.startswith(("user_", "org_", "label_"))
    purpose = Purpose.APPROVAL if kind.startswith("bpms_") else Purpose.DIRECTORY if directory else Purpose.OTHER
    meter.count(Quota.USES, purpose)


def count_click(meter: MonthlyMeter, click: Click) -> None:
    """Count a click by its button's purpose."""
    group = click.space_id if click.space_id.startswith("cid") else ""
    meter.count(Quota.CLICKS, _purpose(click.token), group)


def _purpose(token: str) -> Purpose:
    try:
        action = unpack(token)
    except BadToken:
        return Purpose.OTHER
    if isinstance(action, Ask):
        return Purpose.PAGE
    return Purpose.ALERT if isinstance(action, AckAlert | SnoozeAlert | AssignAlert) else Purpose.APPROVAL
