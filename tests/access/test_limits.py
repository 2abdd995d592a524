"""How much one person and one conversation may ask and see."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from bot.access.limits import Allowance, LimitedParty, LimitKind, LimitReached, ReadingLimits

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 24, 17, 0, tzinfo=ZONE)
ROW = timedelta(minutes=10)


def allowance(questions: int = 0, day: int = 0, row: int = 0) -> Allowance:
    return Allowance(questions_minute=questions, documents_day=day, documents_row=row, row=ROW)


def limits(person: Allowance | None = None, conversation: Allowance | None = None) -> ReadingLimits:
    return ReadingLimits(person=person or allowance(), conversation=conversation or allowance())


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_questions_within_a_minute() -> None:
    counted = limits(allowance(questions=3))
    for second in (0, 10, 20):
        assert counted.take_question("u1", "cidA==", NOW + timedelta(seconds=second)) is None
    refused = counted.take_question("u1", "cidB==", NOW + timedelta(seconds=30))
    assert refused == LimitReached(
        kind=LimitKind.QUESTIONS_MINUTE, whose=LimitedParty.PERSON, allowed=3, row=ROW, until=after(1)
    )
    assert refused.rule == "limits.person.questions_minute"
    assert counted.take_question("u2", "cidA==", NOW + timedelta(seconds=30)) is None
    assert counted.take_question("u1", "cidA==", after(1)) is None
    again = counted.take_question("u1", "cidA==", NOW + timedelta(seconds=61))
    assert again is not None
    assert again.until == NOW + timedelta(seconds=70)


def test_what_is_refused_does_not_count() -> None:
    counted = limits(allowance(questions=1))
    assert counted.take_question("u1", "cidA==", NOW) is None
    for second in range(1, 60):
        assert counted.take_question("u1", "cidA==", NOW + timedelta(seconds=second)) is not None
    assert counted.take_question("u1", "cidA==", after(1)) is None


def test_a_conversation_has_limits_of_its_own() -> None:
    counted = limits(allowance(questions=10), allowance(questions=2))
    assert counted.take_question("u1", "cidA==", NOW) is None
    assert counted.take_question("u2", "cidA==", NOW) is None
    refused = counted.take_question("u3", "cidA==", NOW)
    assert refused is not None
    assert refused.rule == "limits.conversation.questions_minute"
    assert counted.take_question("u3", "cidB==", NOW) is None


def test_documents_of_a_day_until_midnight_where_the_company_is() -> None:
    counted = limits(allowance(day=3))
    assert counted.take_documents("u1", "cidA==", ("A", "B", "C"), NOW) is None
    assert counted.take_documents("u1", "cidA==", ("C", "A"), after(1)) is None
    refused = counted.take_documents("u1", "cidA==", ("A", "D"), after(1))
    assert refused is not None
    assert (refused.kind, refused.until) == (LimitKind.DOCUMENTS_DAY, datetime(2026, 11, 25, tzinfo=ZONE))
    assert counted.take_documents("u1", "cidA==", (), after(1)) is None
    assert counted.take_documents("u1", "cidA==", ("D",), refused.until) is None


def test_different_documents_in_a_row() -> None:
    counted = limits(allowance(row=3))
    for minute, number in enumerate("ABC"):
        assert counted.take_documents("u1", "cidA==", (number,), after(minute)) is None
    refused = counted.take_documents("u1", "cidA==", ("D",), after(3))
    assert refused is not None
    assert (refused.kind, refused.until) == (LimitKind.DOCUMENTS_ROW, after(10))
    assert counted.take_documents("u1", "cidA==", ("A",), after(4)) is None
    later = counted.take_documents("u1", "cidA==", ("D", "E"), after(10))
    assert later is not None
    assert later.until == after(12)
    assert counted.take_documents("u1", "cidA==", ("D", "E"), after(12)) is None


def test_one_page_is_always_shown() -> None:
    page = tuple(f"SO-{number}" for number in range(8))
    counted = limits(allowance(day=5, row=5))
    assert counted.take_documents("u1", "cidA==", page, NOW) is None
    assert counted.take_documents("u1", "cidA==", page, after(1)) is None
    assert counted.take_documents("u1", "cidA==", ("SO-9",), after(1)) is not None


def test_300_orders_are_not_read_in_one_go() -> None:
    counted = limits(allowance(30, 500, 60), allowance(120, 2_000, 240))
    read = 0
    for number in range(300):
        now = NOW + timedelta(milliseconds=9 * number)
        if counted.take_question("u1", "cidA==", now) is None:
            read += counted.take_documents("u1", "cidA==", (f"SO-{number}",), now) is None
    assert read == 30


def test_parties_that_were_idle_are_forgotten_the_next_day() -> None:
    counted = limits(allowance(30, 500, 60))
    for number in range(100):
        counted.take_question(f"u{number}", "cidA==", NOW)
        counted.take_documents(f"u{number}", "cidA==", ("A",), NOW)
    counted.take_question("u1", "cidA==", NOW + timedelta(days=1))
    assert set(counted._people._usage) == {"u1"}
