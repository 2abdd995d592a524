"""From CloudEvents to events: what is refused and why, what is understood, and how several become parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.alerts.event import Effect, Event, correlate
from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import EventState, UnreadableEvent
from bot.erp.model import Money
from bot.words.severity import Severity
from tests.alerts.intake.samples import NOW, cloud_event, kept, stored
from tests.rows import each_row


def only(event: dict[str, Any]) -> Event:
    (part,) = split_events(stored(event))
    return part


def data(**values: Any) -> dict[str, Any]:
    return cloud_event(data=values)


def test_a_good_event_waits_as_it_came() -> None:
    one = kept(cloud_event())

    assert (one.state, one.reason, one.key) == (EventState.WAITING, "", ("main", "/erp/main", "E-1"))
    assert (one.type, one.subject, one.via) == ("stock.low", "SKU123", "webhook")
    assert one.at == datetime(2026, 11, 24, 3, 59, tzinfo=UTC)
    assert decode_json(one.raw) == cloud_event()


def test_everything_a_rule_may_ask_for_is_in_the_normal_form() -> None:
    part = only(
        cloud_event(
            type="invoice.overdue",
            subject=None,
            severity="critical",
            data={
                "number": 4711,
                "customer": "上海水泵厂",
                "amount": Decimal("12800.00"),
                "currency": "CNY",
                "due_on": "2026-10-31 00:00:00",
                "company": "C1",
                "owner": "sales01",
                "category": "pumps",
                "link": "https://erp.example.com/4711",
                "tags": {"region": "华东"},
                "unheard_of": [1, 2],
            },
        )
    )
    assert part == Event(
        source="main",
        id="E-1",
        type="invoice.overdue",
        subject="4711",
        at=datetime(2026, 11, 24, 3, 59, tzinfo=UTC),
        received_at=NOW,
        severity=Severity.CRITICAL,
        company="C1",
        customer="上海水泵厂",
        category="pumps",
        owner="sales01",
        amount=Money(Decimal("12800.00"), "CNY"),
        due_on=date(2026, 10, 31),
        link="https://erp.example.com/4711",
        data=part.data,
        tags={"region": "华东"},
    )
    assert part.data["amount"] == "12800.00"
    assert part.data["due_on"] == "2026-10-31"
    assert "unheard_of" not in part.data


@each_row(
    ("event", "reason"),
    [
        (cloud_event(id=None), "id is missing"),
        (cloud_event(id=""), "id is missing"),
        (cloud_event(id=7), "id must be text"),
        (cloud_event(id="x" * 201), "id is longer than 200 characters"),
        (cloud_event(id="a\x00b"), "id holds control or invisible characters"),
        (cloud_event(id="a\u200bb"), "id holds control or invisible characters"),
        (cloud_event(id="\ud800"), "id holds control or invisible characters"),
        (cloud_event(id="  "), "id holds control or invisible characters"),
        (cloud_event(source=None), "source is missing"),
        (cloud_event(specversion=None), "specversion must be 1.0"),
        (cloud_event(specversion="0.3"), "specversion must be 1.0"),
        (cloud_event(type=None), "type is missing"),
        (cloud_event(type="stock.gone"), "type is not known here"),
        (cloud_event(type="custom."), "type must be custom. and then small letters, digits, dots, _ and -"),
        (cloud_event(type="custom.Ä"), "type must be custom. and then small letters, digits, dots, _ and -"),
        (cloud_event(subject=["a"]), "subject must be text"),
        (cloud_event(subject="s" * 50_000), "subject is longer than 200 characters"),
        (cloud_event(subject=None), "neither subject nor data.sku names what it is about"),
        (cloud_event(severity="fatal"), "severity must be info, warning or critical"),
        (cloud_event(severity=["info"]), "severity must be info, warning or critical"),
        (cloud_event(time="yesterday"), "time must be such as 2026-11-24T08:00:00+08:00"),
        (cloud_event(time=1764000000), "time must be such as 2026-11-24T08:00:00+08:00"),
        (cloud_event(time="2026-11-24T08:00:00"), "time needs an offset, such as Z or +08:00"),
        (cloud_event(time="2026-11-24T04:05:01Z"), "time is in the future"),
        (cloud_event(time="9999-12-31T23:59:59-23:59"), "time is in the future"),
        (cloud_event(time="0001-01-01T00:00:00+23:59"), "time is more than 366 days ago"),
        (cloud_event(data="text"), "data must be an object"),
        (cloud_event(data_base64="aGk="), "data must be JSON"),
        (cloud_event(datacontenttype="text/xml"), "data must be JSON"),
        (data(available="12,5"), "data.available: Input should be a valid decimal"),
        (data(available=12.5), "data.available: must be text or an exact number"),
        (data(available=True), "data.available: must be text or an exact number"),
        (data(available="NaN"), "data.available: Input should be a finite number"),
        (
            data(available=Decimal("1E+400")),
            "data.available: Decimal input should have no more than 24 digits in total",
        ),
        (
            data(available="1." + "0" * 9 + "1"),
            "data.available: Decimal input should have no more than 9 decimal places",
        ),
        (data(due_on="31.10.2026"), "data.due_on: must be a date as text, such as 2026-11-24"),
        (data(due_on=1764000000), "data.due_on: must be a date as text, such as 2026-11-24"),
        (data(amount="5"), "data: amount needs a currency"),
        (data(amount="5", currency="yuan"), "data.currency: String should match pattern '^([A-Z]{3})?$'"),
        (data(warehouse="w" * 201), "data.warehouse: String should have at most 200 characters"),
        (data(warehouse=["SH"]), "data.warehouse: Input should be a valid string"),
        (data(resolved="yes"), "data.resolved: Input should be a valid boolean"),
        (data(items="many"), "data.items must be a list of objects"),
        (data(items=[1]), "data.items must be a list of objects"),
        (data(items=[{"sku": str(n)} for n in range(501)]), "data.items has more than 500 entries"),
        (data(items=[{}, {"available": "x"}]), "data.items.1.available: Input should be a valid decimal"),
        (data(name="half \ud800"), "a text holds half a character"),
        (cloud_event(type="custom.cold", data={}), "data.title: Field required"),
        (cloud_event(type="custom.cold", data={"title": ""}), "data.title: String should have at least 1 character"),
        (cloud_event(type="po.decided", data={}), "data.decision: Field required"),
        ("text", "not a JSON object"),
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        (UnreadableEvent("{broken", "no JSON"), "no JSON"),
    ],
)
def test_what_cannot_be_understood_is_kept_with_the_reason(event: object, reason: str) -> None:
    one = kept(event)

    assert (one.state, one.reason) == (EventState.REJECTED, reason)
    assert one.id
    one.raw.encode()


def test_reasons_do_not_repeat_prices() -> None:
    one = kept(cloud_event(type="invoice.overdue", data={"number": "INV-7", "amount": "98765,43", "currency": "CNY"}))

    assert one.state is EventState.REJECTED
    assert "98765" not in one.reason


def test_data_that_is_nested_too_deeply_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(17):
        deep = {"x": deep}

    assert kept(cloud_event(data=deep)).reason == "nested deeper than 16 levels"


def test_an_event_without_a_usable_id_has_one_of_its_content() -> None:
    first, again, other = (kept(cloud_event(id=None, subject=subject)) for subject in ("A", "A", "B"))

    assert first.id.startswith("sha256:")
    assert first.key == again.key
    assert first.key != other.key


def test_a_time_within_the_tolerance_of_clocks_is_taken() -> None:
    assert kept(cloud_event(time="2026-11-24T04:04:59Z")).at == NOW + timedelta(minutes=4, seconds=59)
    assert kept(cloud_event(time=None)).at == NOW


@each_row(
    ("kind", "severity"),
    [
        ("stock.low", "warning"),
        ("stock.out", "critical"),
        ("invoice.overdue", "warning"),
        ("invoice.paid", "info"),
        ("order.created", "info"),
        ("order.changed", "info"),
        ("order.late", "warning"),
        ("po.submitted", "warning"),
        ("po.changed", "warning"),
        ("production.late", "warning"),
        ("production.done", "info"),
    ],
)
def test_the_severity_of_those_that_name_none(kind: str, severity: str) -> None:
    assert only(cloud_event(type=kind, data={})).severity == severity
    assert only(cloud_event(type=kind, data={}, severity="info")).severity == "info"


@each_row(
    ("figures", "resolved"),
    [
        ({"available": "49.9", "reorder_point": 50}, False),
        ({"available": "50", "reorder_point": 50}, True),
        ({"available": "10", "on_hand": 90, "reorder_point": 50}, False),
        ({"on_hand": 90, "reorder_point": 50}, True),
        ({"available": "90"}, False),
        ({"resolved": True}, True),
        ({"resolved": False, "available": "90", "reorder_point": 50}, False),
    ],
)
def test_stock_is_over_when_there_is_enough_again(figures: dict[str, Any], resolved: bool) -> None:
    part = only(data(**figures))

    assert part.resolved is resolved
    assert correlate(part).effect is (Effect.RESOLVES if resolved else Effect.OPENS)


def test_custom_events_stay_open_only_where_they_can_be_resolved() -> None:
    news = only(cloud_event(type="custom.news", subject=None, data={"title": "Stock-taking tonight"}))
    alarm = only(cloud_event(type="custom.cold-store.2", data={"title": "Too warm", "resolved": False}))
    over = only(cloud_event(type="custom.cold-store.2", data={"title": "Too warm", "resolved": True}))

    assert (news.subject, news.severity, correlate(news).effect) == ("Stock-taking tonight", "info", Effect.INFORMS)
    assert (alarm.severity, correlate(alarm).effect) == ("warning", Effect.OPENS)
    assert correlate(over).effect is Effect.RESOLVES
    assert correlate(over).key == correlate(alarm).key


def test_facts_become_text() -> None:
    facts = {"t": Decimal("7.40"), "n": 3, "on": True, "none": None, "huge": Decimal("1E+900000000")}
    part = only(cloud_event(type="custom.x", data={"title": "x", "facts": facts}))

    assert part.data["facts"] == {"t": "7.40", "n": "3", "on": "true", "none": "", "huge": "1E+900000000"}


def test_items_become_parts_with_their_own_subject_warehouse_and_owner() -> None:
    parts = split_events(
        stored(
            cloud_event(
                subject=None,
                data={
                    "company": "C1",
                    "owner": "buyer01",
                    "reorder_point": 50,
                    "items": [
                        {"sku": "A", "warehouse": "SH", "available": "5"},
                        {"sku": "A", "warehouse": "BJ", "available": "7", "owner": "buyer02"},
                        {"sku": "B", "warehouse": "SH", "available": "60", "company": "C2"},
                    ],
                },
            )
        )
    )
    assert [(each.part, each.subject, each.warehouse, each.owner, each.company, each.resolved) for each in parts] == [
        (0, "A", "SH", "buyer01", "C1", False),
        (1, "A", "BJ", "buyer02", "C1", False),
        (2, "B", "SH", "buyer01", "C2", True),
    ]
    assert len({correlate(each).key for each in parts}) == 3
    assert {each.id for each in parts} == {"E-1"}
    assert all("items" not in each.data for each in parts)


def test_words_for_people_are_cut_and_codes_are_not() -> None:
    part = only(cloud_event(type="custom.x", data={"title": "t" * 50_000, "text": "x" * 50_000}))

    assert (len(part.title), len(str(part.data["text"]))) == (200, 2_000)
    assert part.title.endswith("…")


def test_control_characters_and_invisible_marks_are_taken_out_of_texts() -> None:
    part = only(cloud_event(data={"name": " M8\x00 螺\u200b丝\ufeff\x1b[31m "}))

    assert part.title == "M8 螺丝[31m"


def test_an_empty_field_means_that_there_is_none() -> None:
    part = only(data(available="", due_on=" ", amount=None, warehouse=None))

    assert (part.quantity, part.due_on, part.amount, part.warehouse) == (None, None, None, "")


def test_the_data_of_an_event_can_be_read_again_without_change() -> None:
    first = only(cloud_event(data={"available": Decimal("0.10"), "reorder_point": "1e2", "tags": {"a": "b"}}))
    again = only(cloud_event(data=dict(first.data)))

    assert again == first


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "sku",
        "number",
        "items",
        "amount",
        "currency",
        "due_on",
        "available",
        "resolved",
        "tags",
        "facts",
        "title",
        "link",
    ]
)
SPOILT = st.fixed_dictionaries(
    {},
    optional={
        "id": ANY,
        "source": ANY,
        "time": ANY | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        "subject": ANY,
        "severity": ANY,
        "specversion": ANY,
        "type": ANY | st.sampled_from(["custom.x", "po.decided", "invoice.paid", "stock.out"]),
        "data": st.dictionaries(FIELDS, ANY, max_size=6) | ANY,
        "datacontenttype": ANY,
    },
)


@given(SPOILT | ANY)
@example({"datacontenttype": b""})
@example({"datacontenttype": Decimal(0)})
@example({"datacontenttype": 0})
def test_nothing_that_may_come_breaks_the_door(event: object) -> None:
    handed = cloud_event(**{str(k): v for k, v in event.items()}) if isinstance(event, dict) else event
    one = kept(handed)

    for text in (one.id, one.origin, one.type, one.subject, one.reason, one.raw):
        assert "\x00" not in text
        text.encode()
    assert one.id
    if one.state is EventState.WAITING:
        assert split_events(stored(handed))
    else:
        assert one.reason
