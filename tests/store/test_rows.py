"""Rows of today's format are read as they always were, and everything comes back as it was stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType, NoneType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.event import Event
from bot.approvals.case import AuditRow, Case, CaseCard, ExternalDecision
from bot.erp.kinds import DECIDED, Kind
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts import rows as alert_rows
from bot.store.approvals import rows as approval_rows
from bot.store.record_codec import RecordCodec
from bot.store.row_times import from_ms, to_ms, to_ms_up
from bot.words.phrase import Phrase
from tests.store import stored_examples as examples

STORED: dict[str, Any] = json.loads((Path(__file__).parent / "rows" / "examples.json").read_text(encoding="utf-8"))


def row(values: dict[str, Any]) -> Any:
    """Return values as a row of the database: its columns are attributes."""
    return SimpleNamespace(**values)


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON parsed: the order of keys is of no meaning."""
    return {
        name: json.loads(value) if name in {"body", "event", "hands"} and value else value
        for name, value in values.items()
    }


@pytest.mark.parametrize(
    ("stored", "case", "stamp"),
    [
        (STORED["cases"][0], examples.SMALL_CASE, 0),
        (STORED["cases"][1], examples.FULL_CASE, 5),
    ],
)
def test_cases(stored: dict[str, Any], case: Case, stamp: int) -> None:
    assert approval_rows.case_of(row(stored)) == case
    assert plain(approval_rows.case_row(case, stamp)) == plain(stored)


def test_a_case_of_the_first_version_has_the_decider_s_name_alone() -> None:
    body = json.loads(STORED["cases"][1]["body"])
    del body["there"]
    stored = STORED["cases"][1] | {"body": json.dumps(body)}
    assert approval_rows.case_of(row(stored)).elsewhere == ExternalDecision(by="Zoe")
    nobody = stored | {"body": json.dumps(body | {"elsewhere": ""})}
    assert approval_rows.case_of(row(nobody)).elsewhere is None


def test_votes_and_decisions() -> None:
    case = examples.FULL_CASE
    assert approval_rows.vote_rows(case) == STORED["votes"]
    assert case.decision is not None
    assert approval_rows.decision_row(case.id, case.decision) == STORED["decision"]


@pytest.mark.parametrize(
    ("stored", "card"), [*zip(STORED["case_cards"], examples.CASE_CARDS, strict=True)], ids=["shared", "private"]
)
def test_cards_of_cases(stored: dict[str, Any], card: CaseCard) -> None:
    assert approval_rows.card_of(row(stored)) == card
    assert approval_rows.card_row(card) == stored


def test_the_record_of_cases() -> None:
    assert approval_rows.audit_of(row(STORED["audit"])) == examples.AUDIT
    assert approval_rows.audit_row(examples.AUDIT) == STORED["audit"]


@pytest.mark.parametrize(
    ("stored", "event"),
    [*zip(STORED["events"], (examples.SMALL_EVENT, examples.FULL_EVENT), strict=False)],
    ids=["small", "full"],
)
def test_events(stored: str, event: Event) -> None:
    assert alert_rows.event_of(stored) == event
    assert json.loads(alert_rows.event_text(event)) == json.loads(stored)


def test_an_event_that_only_the_exact_way_can_carry() -> None:
    stored, event = STORED["events"][2], examples.EXACT_EVENT
    assert stored.startswith(" ")
    assert alert_rows.event_text(event).startswith(" ")
    assert alert_rows.event_of(stored) == alert_rows.event_of(alert_rows.event_text(event)) == event


@pytest.mark.parametrize(
    ("stored", "alert", "due_at", "number"),
    [
        (STORED["alerts"][0], examples.SMALL_ALERT, None, 1),
        (STORED["alerts"][1], examples.FULL_ALERT, examples.SEEN, 2),
    ],
    ids=["small", "full"],
)
def test_alerts(stored: dict[str, Any], alert: Alert, due_at: datetime | None, number: int) -> None:
    assert alert_rows.alert_of(row(stored)) == alert
    assert plain(alert_rows.alert_row(alert, due_at, number)) == plain(stored)


@pytest.mark.parametrize("number", [1, 2])
def test_cards_of_alerts(number: int) -> None:
    stored, card = STORED["alert_cards"][number - 1], examples.ALERT_CARDS[number - 1]
    assert alert_rows.card_of(row(stored), card.alerts) == card
    assert alert_rows.card_row(card, number) == stored


def test_a_digest_of_before_news_was_counted() -> None:
    stored, card = STORED["alert_cards"][1], examples.ALERT_CARDS[1]
    earlier = stored | {"digest": stored["digest"].replace(",9,1,0]", ",9,1]")}
    assert earlier != stored
    assert alert_rows.card_of(row(earlier), card.alerts) == card


def test_mutes_and_notes() -> None:
    assert alert_rows.mute_of(row(STORED["mute"])) == examples.MUTE
    assert alert_rows.mute_row(examples.MUTE) == STORED["mute"]
    assert list(alert_rows.notes_of(row(STORED["note"]))) == [examples.NOTE], "a row of an older version"


def test_lines_of_the_story_share_a_row() -> None:
    lines = [examples.NOTE, replace(examples.NOTE, what="shown", fact="", card="c2", at=examples.SEEN)]
    stored = alert_rows.note_row(lines)
    assert list(alert_rows.notes_of(row(stored))) == lines
    assert set(alert_rows.note_keys(lines)) == {examples.NOTE.fact, examples.NOTE.alert}


@pytest.mark.parametrize(
    ("stored", "watch"), [*zip(STORED["watches"], examples.WATCHES, strict=True)], ids=["document", "stock"]
)
def test_watches(stored: dict[str, Any], watch: Watch) -> None:
    assert alert_rows.watch_of(row(stored)) == watch
    assert alert_rows.watch_row(watch) == stored


def test_what_is_due_at_a_stored_time_does_not_seem_due_before() -> None:
    due = examples.OPENED + timedelta(microseconds=1)
    assert from_ms(to_ms_up(due)) > due > from_ms(to_ms(due))
    assert to_ms(None) is from_ms(None) is None


def test_the_examples_leave_no_field_at_its_default() -> None:
    """A new field of a record has to be added to the examples, or nobody sees how it is stored."""
    pairs: list[tuple[Any, Any]] = [
        (examples.SMALL_CASE, examples.FULL_CASE),
        (examples.SMALL_EVENT, examples.FULL_EVENT),
        (examples.SMALL_ALERT, examples.FULL_ALERT),
        examples.ALERT_CARDS,
        examples.CASE_CARDS,
    ]
    for small, full in pairs:
        optional = [
            field.name for field in fields(small) if (field.default, field.default_factory) != (MISSING, MISSING)
        ]
        assert [name for name in optional if getattr(small, name) == getattr(full, name)] == []


def test_a_field_of_a_type_that_nobody_can_store_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="Place"):
        RecordCodec(CaseCard, {})


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
JSON_VALUES = st.none() | st.booleans() | WORDS | st.integers(-(2**63), 2**63 - 1) | st.lists(WORDS, max_size=2)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    int: st.integers(0, 2**31),
    bool: st.booleans(),
    object: JSON_VALUES,
    date: st.dates(),
    datetime: TIMES,
    timedelta: st.timedeltas(timedelta(0), timedelta(days=900)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    Place: st.builds(Place, st.sampled_from(PlaceKind), st.from_regex("[A-Za-z0-9+/=]{1,20}", fullmatch=True)),
    Kind[Any]: st.sampled_from(DECIDED),
    Phrase: st.builds(Phrase, WORDS, st.dictionaries(WORDS, WORDS, max_size=2).map(MappingProxyType)),
}


def drawn(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for any value of a type, for all fields of dataclasses also where they have defaults."""
    if hint in SIMPLE:
        return SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: drawn(hints[field.name]) for field in fields(hint)})
    first, *others = get_args(hint)
    match get_origin(hint):
        case origin if origin is tuple:
            return st.lists(drawn(first), max_size=2).map(tuple)
        case origin if origin is frozenset:
            return st.frozensets(drawn(first), max_size=3)
        case origin if origin is Mapping:
            return st.dictionaries(WORDS, drawn(others[0]), max_size=2).map(MappingProxyType)
    return st.one_of(*(st.none() if each is NoneType else drawn(each) for each in (first, *others)))


def whole_milliseconds(record: Any) -> Any:
    """Return a record with its times, also those of its parts, as the tables of alerts hold them."""
    if isinstance(record, datetime):
        return from_ms(to_ms_up(record))
    if not is_dataclass(record) or isinstance(record, type):
        return record
    return replace(record, **{field.name: whole_milliseconds(getattr(record, field.name)) for field in fields(record)})


@given(drawn(Case))
def test_any_case_comes_back(case: Case) -> None:
    levels = tuple(replace(level, number=number) for number, level in enumerate(case.plan.levels, 1))
    case = replace(case, id=f"{case.id}-7", plan=replace(case.plan, levels=levels))
    assert approval_rows.case_of(row(approval_rows.case_row(case, 1))) == case


@given(drawn(Alert), drawn(AlertCard))
def test_any_alert_and_any_card_come_back(alert: Alert, card: AlertCard) -> None:
    alert, card = whole_milliseconds(alert), whole_milliseconds(card)
    assert alert_rows.alert_of(row(alert_rows.alert_row(alert, None, 1))) == alert
    assert alert_rows.card_of(row(alert_rows.card_row(card, 1)), card.alerts) == card


@given(drawn(Watch), drawn(Mute), drawn(AuditRow))
def test_any_small_record_comes_back(watch: Watch, mute: Mute, line: AuditRow) -> None:
    watch, mute = whole_milliseconds(watch), whole_milliseconds(mute)
    assert alert_rows.watch_of(row(alert_rows.watch_row(watch))) == watch
    assert alert_rows.mute_of(row(alert_rows.mute_row(mute))) == mute
    assert approval_rows.audit_of(row(approval_rows.audit_row(line))) == line
