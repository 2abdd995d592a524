"""Every type of event as a card, in every state and language; and cards of many alerts, whatever is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bot.alerts import labels as labels_module
from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, CardWithAlerts, UserStamp, Watch
from bot.alerts.event import (
    Effect,
    Event,
    EventType,
    correlate,
)
from bot.alerts.intake.schemas import SCHEMAS, Custom
from bot.alerts.view_builder import build_alert_view, build_card_view, build_list_view
from bot.alerts.views import AlertAssignees, AlertReply, AlertSnooze
from bot.cards.budget import Budget, buttons_size
from bot.cards.card import Card
from bot.cards.language import LANGUAGE_CODES
from bot.cards.renderer import CardRenderer
from bot.erp.model import Area, Money
from bot.outbox.place import Place
from bot.words.disclosure import SHARED_FIELDS, FieldClass, cut
from bot.words.phrase import phrase
from bot.words.severity import Severity
from tests.rows import each_row

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 17, 0, tzinfo=ZONE)
SINCE = NOW - timedelta(hours=3)


def event(event_type: str, data: Mapping[str, object], **fields: Any) -> Event:
    """Return an event as intake makes it of the data that a schema let pass."""
    schema = SCHEMAS[EventType(event_type)] if event_type in SCHEMAS else Custom
    checked = schema.model_validate({name: value for name, value in data.items() if name != "items"})
    made: dict[str, Any] = {
        "source": "main",
        "id": "e1",
        "type": event_type,
        "subject": str(getattr(checked, schema.named_by)) if schema.named_by else "cold store",
        "at": SINCE,
        "received_at": SINCE,
        "severity": schema.severity,
        "warehouse": checked.warehouse,
        "customer": checked.customer,
        "supplier": checked.supplier,
        "owner": checked.owner,
        "amount": Money(checked.amount, checked.currency) if checked.amount is not None else None,
        "quantity": checked.figure,
        "due_on": checked.due_on,
        "title": checked.headline,
        "link": checked.link,
        "data": MappingProxyType(checked.model_dump(mode="json", exclude_defaults=True)),
    }
    return Event(**(made | fields))


def alert(of: Event, **fields: Any) -> Alert:
    made: dict[str, Any] = {
        "id": "0193a2b4c5d67e8f90a1b2c3d4e5f607",
        "key": "k",
        "event": of,
        "state": AlertState.OPEN,
        "severity": of.severity,
        "opened_at": SINCE,
        "last_at": NOW - timedelta(minutes=5),
    }
    return Alert(**(made | fields))


def as_text(card: Card) -> str:
    buttons = " ".join(f"[{button.text}]" for button in card.buttons)
    return f"{card.title}\n----\n{card.body}\n----\n{card.tips}\n{buttons}"


def assert_within(card: Card) -> None:
    assert len(card.body.encode()) <= Budget().body_bytes
    assert len(card.title.encode()) <= Budget().title_bytes
    assert buttons_size(card.buttons) <= Budget().buttons_bytes


_STATES = {
    Effect.OPENS: (AlertState.OPEN, AlertState.RESOLVED),
    Effect.RESOLVES: (AlertState.INFORMED, AlertState.RESOLVED),
    Effect.INFORMS: (AlertState.INFORMED,),
}


@each_row("code", LANGUAGE_CODES)
@each_row("event_type", [*EventType, "custom.cold_store"])
def test_every_type(event_type: str, code: str, renderer: CardRenderer, snapshot: SnapshotAssertion) -> None:
    schema = SCHEMAS[EventType(event_type)] if event_type in SCHEMAS else Custom
    of = event(event_type, schema.example)
    shown = _STATES[correlate(of).effect]
    over = NOW - timedelta(minutes=4)
    alerts = [
        alert(of, state=state, resolved_at=over if state is AlertState.RESOLVED else None, count=number)
        for number, state in enumerate(shown, 1)
    ]
    cards = [renderer.render(build_alert_view(one, NOW), code, zone=ZONE) for one in alerts]
    for card in cards:
        assert_within(card)
    assert "\n\n".join(map(as_text, cards)) == snapshot(name=f"{event_type}-{code}")


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_news_and_watches_and_cards_that_moved(code: str, renderer: CardRenderer, snapshot: SnapshotAssertion) -> None:
    low = event("stock.low", {"sku": "SKU1", "available": "5"})
    news = alert(event("order.created", {"number": "SO-1"}), state=AlertState.INFORMED)
    watched = alert(low, key="watch:keeper01|stock|sku1|<#main")
    views = [
        build_alert_view(news, NOW, late=True),
        build_alert_view(watched, NOW),
        build_alert_view(replace(watched, state=AlertState.RESOLVED, resolved_at=NOW), NOW),
        build_alert_view(alert(low), NOW, moved=True),
    ]
    assert "\n\n".join(as_text(renderer.render(view, code, zone=ZONE)) for view in views) == snapshot


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_what_is_watched_from_now_on(code: str, renderer: CardRenderer, snapshot: SnapshotAssertion) -> None:
    order = Watch(user_id="keeper01", area=Area.SALES, subject="SO-1001", title="宏达 *机电*", made_at=NOW)
    reply = AlertReply(
        title=phrase("You are watching %(what)s", what=order.subject),
        watches=(order,),
        lines=(phrase("At every change of its state"),),
    )
    views = [reply, cut(reply, SHARED_FIELDS - {FieldClass.PARTNER})]
    assert "\n\n".join(as_text(renderer.render(view, code, zone=ZONE)) for view in views) == snapshot


def test_everything_at_once_fits(renderer: CardRenderer) -> None:
    full = event(
        "po.submitted",
        {
            "number": "PO-" + "9" * 60,
            "supplier": "宁波*标准*件厂|二部" * 20,
            "amount": "98000.00",
            "currency": "CNY",
            "due_on": "2026-11-20",
            "requester": "buyer01",
            "pending_for": ["manager01"] * 50,
            "link": "https://erp.example.com/" + "a" * 900,
        },
        owner="赵采" * 40,
    )
    mark = UserStamp("keeper01", "王仓" * 60, NOW)
    busy = alert(full, acknowledged=mark, assigned=mark, snoozed=mark, snoozed_until=NOW + timedelta(hours=1), step=3)
    view = build_alert_view(busy, NOW, told=("陈经理" * 40,) * 3, back="b" * 32)
    for code in LANGUAGE_CODES:
        card = renderer.render(view, code, zone=ZONE)
        assert_within(card)
        assert len(card.buttons) >= 4


def test_texts_of_a_sender_are_no_markup(renderer: CardRenderer) -> None:
    hostile = "**bold** <font color=red>x</font>\n# @all\n- item\n@all [a](https://evil.example)\n" + "长" * 60_000
    data = {"title": "<b>*T*</b> | x", "text": hostile, "facts": {"[k](https://evil.example)": "`v` <a atId=all>"}}
    body = renderer.render(build_alert_view(alert(event("custom.x", data)), NOW), "en", zone=ZONE).body
    assert "＊＊bold＊＊ ＜font color=red＞x＜/font＞" in body
    assert "](" not in body
    assert "<a" not in body
    assert "\n- " not in body
    assert "＠all" in body


@each_row(
    ("event_type", "data", "labels"),
    [
        ("stock.low", {"sku": "S"}, []),
        ("stock.low", {"sku": "S", "quantity": "3"}, ["Available"]),
        ("stock.low", {"sku": "S", "on_hand": "3", "incoming": "4"}, ["On hand", "Incoming"]),
        ("stock.out", {"sku": "S", "available": "0", "warehouse": "SH"}, ["Available", "Warehouse"]),
        ("invoice.overdue", {"number": "I", "due_on": "2026-11-20"}, ["Due", "Days overdue"]),
        ("invoice.overdue", {"number": "I", "due_on": "2026-11-24"}, ["Due"]),
        ("invoice.paid", {"number": "I", "due_on": "2026-11-20", "paid_on": "2026-11-23"}, ["Due", "Received on"]),
        ("order.late", {"number": "O", "due_on": "2026-11-20"}, ["Promised", "Days late"]),
        ("order.created", {"number": "O", "due_on": "2026-11-20", "status": "open"}, ["Promised", "Status"]),
        ("po.decided", {"number": "P", "decision": "rejected", "reason": "x"}, ["Decision", "Reason"]),
        ("custom.x", {"title": "T", "facts": {"a": "1", "b": ""}}, ["a"]),
        ("custom.x", {"title": "T", "facts": {str(n): "1" for n in range(40)}}, [str(n) for n in range(6)]),
    ],
)
def test_only_what_is_known_is_shown(event_type: str, data: Mapping[str, object], labels: list[str]) -> None:
    shown = labels_module.facts(event(event_type, data), NOW.date())
    assert [str(fact.label) for fact in shown] == labels


def test_states_are_told_in_words(renderer: CardRenderer) -> None:
    changes = [
        "status: open → partly_delivered",
        "due_on: 2026-12-05 → 2026-12-12",
        "delivery: none → partial",
        "own words: a → b",
        "remark",
    ]
    data = {"number": "SO-1", "status": "partly_delivered", "changes": changes}
    body = renderer.render(build_alert_view(alert(event("order.changed", data)), NOW), "zh_CN", zone=ZONE).body
    assert "partly" not in body
    assert "状态：部分发货" in body
    assert "状态：待发货 → 部分发货" in body
    assert "到期日：2026-12-05 → 2026-12-12" in body
    assert "own words: a → b" in body
    theirs = labels_module.facts(event("order.changed", {"number": "SO-1", "status": "To Deliver"}), NOW.date())
    assert [fact.value for fact in theirs] == ["To Deliver"]


@each_row("kind", ["order.late", "production.late", "invoice.overdue"])
def test_what_is_over_is_not_late(kind: str) -> None:
    late = event(kind, {"number": "X", "due_on": "2026-11-20"})
    labels = [
        [str(fact.label) for fact in labels_module.facts(late, NOW.date(), is_over=over)] for over in (False, True)
    ]
    delay = "Days overdue" if kind == "invoice.overdue" else "Days late"
    assert delay in labels[0]
    assert delay not in labels[1]
    assert delay.replace("Days", "Days it was") in labels[1]


def test_figures_are_exact_and_nonsense_is_left_out() -> None:
    low = event("stock.low", {"sku": "S", "available": "0.100000001", "unit": "t"})
    assert labels_module.facts(low, NOW.date())[0].value == Decimal("0.100000001")
    odd = replace(
        low, quantity=None, data=MappingProxyType({"available": "many", "reorder_point": "NaN", "on_hand": None})
    )
    assert labels_module.facts(odd, NOW.date()) == ()
    paid = event("invoice.paid", {"number": "I"})
    assert labels_module.facts(replace(paid, data=MappingProxyType({"paid_on": "soon"})), date(2026, 11, 24)) == ()


def posted(alerts: tuple[Alert, ...], **fields: Any) -> CardWithAlerts:
    made: dict[str, Any] = {
        "id": "0193a2b4c5d67e8f90a1b2c3d4e5f6aa",
        "place": Place.parse("group:cidA=="),
        "route": "r",
        "group": "g",
        "alerts": tuple(one.id for one in alerts),
        "state": CardState.SHOWN,
        "opened_at": SINCE,
        "shown_at": SINCE,
    }
    return CardWithAlerts(AlertCard(**(made | fields)), alerts)


def test_what_is_about_nothing_in_particular_is_named_by_its_title(renderer: CardRenderer) -> None:
    bare = alert(replace(event("custom.x", {"title": "Power cut"}), subject=""))
    other = replace(bare, id="2")
    views = [
        build_list_view((bare,), NOW, line="/alerts"),
        build_card_view(posted((bare, other), group="digest:1"), NOW),
        build_card_view(posted((bare, other)), NOW),
        AlertSnooze(id="1", headline="Power cut", subject=""),
        AlertAssignees(id="1", headline="Power cut", subject="", rows=(), total=0, line="/alerts 1 assign"),
    ]
    for view in views:
        assert view is not None
        card = renderer.render(view, "en", zone=ZONE)
        assert "****" not in card.body
        assert "Power cut" in card.body or view.card == "alert_digest"
    listed = renderer.render(views[0], "en", zone=ZONE)  # type: ignore[arg-type]  # it is there
    assert [button.text for button in listed.buttons] == ["Power cut", "Export"]


def test_delays_are_counted_up_to_the_end() -> None:
    late = event("order.late", {"number": "O", "due_on": "2026-11-10"})
    over = alert(late, state=AlertState.RESOLVED, resolved_at=datetime(2026, 11, 13, 17, 0, tzinfo=UTC))
    assert [fact.value for fact in build_alert_view(alert(late), NOW).facts][1:] == [Decimal(14)]
    assert [fact.value for fact in build_alert_view(over, NOW).facts][1:] == [Decimal(4)]


def test_what_nobody_saw_before_it_was_over_is_not_shown() -> None:
    one = alert(event("stock.low", {"sku": "S"}), state=AlertState.RESOLVED, resolved_at=NOW)
    assert build_card_view(posted((one,), state=CardState.CLOSED, shown_at=None), NOW) is None
    assert build_card_view(posted((one,), state=CardState.CLOSED), NOW) is not None
    assert build_card_view(posted(()), NOW) is None


texts = st.text(max_size=80)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([*EventType, "custom.x"]),
            texts,
            texts,
            st.sampled_from(Severity),
            st.sampled_from(AlertState),
            st.one_of(st.none(), st.decimals(-(10**40), 10**40, allow_nan=False)),
        ),
        min_size=1,
        max_size=30,
    ),
    code=st.sampled_from(LANGUAGE_CODES),
    offset=st.integers(0, 12),
)
def test_any_alerts_fit_on_any_card(renderer: CardRenderer, rows: list[Any], code: str, offset: int) -> None:
    alerts = tuple(
        Alert(
            id=f"{number:032x}",
            key=str(number),
            event=Event(
                source="main",
                id=str(number),
                type=event_type,
                subject=subject,
                at=SINCE.astimezone(UTC),
                received_at=SINCE,
                severity=severity,
                title=title,
                customer=title,
                quantity=figure,
                data=MappingProxyType({"unit": title, "text": subject}),
            ),
            state=state,
            severity=severity,
            opened_at=SINCE,
            last_at=SINCE,
            resolved_at=NOW if state is AlertState.RESOLVED else None,
        )
        for number, (event_type, subject, title, severity, state, figure) in enumerate(rows)
    )
    views = [
        build_list_view(alerts, NOW, line="/alerts", offset=min(offset, len(alerts) - 1)),
        build_alert_view(alerts[0], NOW),
    ]
    for view in (*views, build_card_view(posted(alerts), NOW), build_card_view(posted(alerts, group="digest:x"), NOW)):
        assert view is not None
        assert_within(renderer.render(view, code, zone=ZONE))


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_finding_10_what_was_reported_once_is_not_counted(code: str, renderer: CardRenderer) -> None:
    once, often = (
        renderer.render(
            build_alert_view(alert(event("stock.low", SCHEMAS[EventType("stock.low")].example), count=count), NOW),
            code,
            zone=ZONE,
        )
        for count in (1, 3)
    )
    assert "3" in often.tips
    assert "1 次" not in once.tips
    assert "Reported" not in once.tips
