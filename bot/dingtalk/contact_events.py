"""Reads DingTalk's events about changes in the organisation's directory.

Docs: platform/dingtalk/directory.md#events
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.dingtalk.payload import items, part, text
from bot.dingtalk.sdk import EventMessage


class ContactNews(StrEnum):
    """The kind of news in an event."""

    LEFT = "left"
    CHANGED = "changed"
    """People joined, or their departments, roles or administrator rights changed."""
    ROLES_CHANGED = "roles_changed"
    """The roles themselves changed, which may concern everybody with one."""
    DEPARTMENTS_CHANGED = "departments_changed"


_NEWS = {
    "user_leave_org": ContactNews.LEFT,
    "user_add_org": ContactNews.CHANGED,
    "user_modify_org": ContactNews.CHANGED,
    "user_active_org": ContactNews.CHANGED,
    "label_user_change": ContactNews.CHANGED,
    "org_admin_add": ContactNews.CHANGED,
    "org_admin_remove": ContactNews.CHANGED,
    "label_conf_modify": ContactNews.ROLES_CHANGED,
    "label_conf_del": ContactNews.ROLES_CHANGED,
    "org_dept_create": ContactNews.DEPARTMENTS_CHANGED,
    "org_dept_modify": ContactNews.DEPARTMENTS_CHANGED,
    "org_dept_remove": ContactNews.DEPARTMENTS_CHANGED,
}

_USER_KEYS = frozenset({"userid", "userids", "useridlist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChange:
    """A change in the directory of ``corp_id`` (empty if the event names none). ``user_ids`` are the people it
    names.
    """

    news: ContactNews
    user_ids: tuple[str, ...]
    corp_id: str = ""


def event_kind(event: EventMessage) -> str:
    """Return the type of an event, which in stream mode may be in the header alone."""
    return text(getattr(event.headers, "event_type", None)) or text(part(event.data).get("EventType"))


def read_contact_change(event: EventMessage) -> ContactChange | None:
    """Return the directory change in an event; None for all other events."""
    data = part(event.data)
    news = _NEWS.get(event_kind(event))
    if news is None:
        return None
    corp_id = text(getattr(event.headers, "event_corp_id", None)) or text(data.get("CorpId") or data.get("corpId"))
    return ContactChange(news=news, user_ids=tuple(dict.fromkeys(_user_ids(data))), corp_id=corp_id)


def _user_ids(data: object) -> Iterator[str]:
    for key, value in part(data).items():
        # The spelling differs between the sources: userId, UserId, UserIdList.
        if text(key).replace("_", "").lower() in _USER_KEYS:
            listed = items(value)
            yield from filter(None, map(text, listed or [value]))
