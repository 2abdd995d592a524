"""What events say of the organisation's directory."""

from __future__ import annotations

from typing import Any

from dingtalk_stream import EventMessage

from bot.dingtalk.contact_events import ContactChange, ContactNews, read_contact_change
from tests.rows import each_row


def event(header: str | None, data: dict[str, Any], corp_id: str | None = None) -> EventMessage:
    message = EventMessage()
    message.headers.event_type, message.headers.event_corp_id, message.data = header, corp_id, data
    return message


@each_row(
    ("kind", "news"),
    [
        ("user_leave_org", ContactNews.LEFT),
        ("user_add_org", ContactNews.CHANGED),
        ("user_modify_org", ContactNews.CHANGED),
        ("user_active_org", ContactNews.CHANGED),
        ("label_user_change", ContactNews.CHANGED),
        ("org_admin_add", ContactNews.CHANGED),
        ("org_admin_remove", ContactNews.CHANGED),
        ("label_conf_modify", ContactNews.ROLES_CHANGED),
        ("label_conf_del", ContactNews.ROLES_CHANGED),
        ("org_dept_create", ContactNews.DEPARTMENTS_CHANGED),
        ("org_dept_modify", ContactNews.DEPARTMENTS_CHANGED),
        ("org_dept_remove", ContactNews.DEPARTMENTS_CHANGED),
    ],
)
def test_kinds(kind: str, news: ContactNews) -> None:
    expected = ContactChange(news=news, user_ids=("u1",))
    assert read_contact_change(event(kind, {"userId": ["u1"]})) == expected
    assert read_contact_change(event(None, {"EventType": kind, "userId": ["u1"]})) == expected


@each_row(
    "data",
    [
        {"userId": ["u1", "u2"]},
        {"UserId": ["u1", "u2", "u1"]},
        {"userIdList": ["u1", "u2"]},
        {"UserIdList": '["u1","u2"]'},
        {"user_ids": ["u1", None, "u2", {}]},
        {"userId": "u1", "userIdList": ["u2"]},
    ],
)
def test_every_spelling_of_the_people(data: dict[str, Any]) -> None:
    change = read_contact_change(event("user_leave_org", data))
    assert change is not None
    assert change.user_ids == ("u1", "u2")


@each_row(("header", "data"), [("dingcorp", {}), (None, {"CorpId": "dingcorp"}), ("", {"corpId": "dingcorp"})])
def test_the_organisation_stands_in_the_header_or_in_the_data(header: str | None, data: dict[str, Any]) -> None:
    change = read_contact_change(event("user_leave_org", data, header))
    assert change is not None
    assert (change.corp_id, change.user_ids) == ("dingcorp", ())


@each_row("kind", ["bpms_task_change", "org_change", "label_conf_add", "", None])
def test_other_events_are_not_about_people(kind: str | None) -> None:
    assert read_contact_change(event(kind, {"userId": ["u1"]})) is None
