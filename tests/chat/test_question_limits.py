"""Questions within limits, and what the audit log has of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Annotated, ClassVar

from bot.access.audit import AuditKind
from bot.access.grants import FULL_GRANT
from bot.access.limits import Allowance, LimitReached, ReadingLimits
from bot.access.people import Person
from bot.access.shared_limits import OwnLimits
from bot.cards.notices import DeniedNotice, ExternalNotice, LimitNotice, LimitReport, NotFoundNotice
from bot.cards.view import ListView, View
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Message
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.limit_reports import DailyReports, LimitReportComposer, owed_reports
from bot.chat.questions.limits import LimitedQuestions
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase
from tests.recording_audit import RecordingAudit
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 17, 0, 30, tzinfo=timezone(timedelta(hours=8)))
GROUP = Conversation("cidA==", ConversationKind.GROUP)
CLERK = Person(user_id="sales01", name="李销")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(View):
    card: ClassVar[str] = "shown"

    number: str = ""
    customer: Annotated[str, FieldClass.PARTNER] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownList(ListView):
    card: ClassVar[str] = "shown_list"

    rows: tuple[Shown, ...]


@dataclass(slots=True)
class Answers:
    """Answers every line with the document of that number; some lines are special."""

    asked: list[str] = field(default_factory=list)

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return None

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        self.asked.append(context.line)
        match context.line:
            case "denied":
                return PreparedAnswer(DeniedNotice(reason=phrase("Not for you.")), "order", "denied", rule="sales only")
            case "external":
                return PreparedAnswer(ExternalNotice(), "none", "denied")
            case "guess":
                unknown = NotFoundNotice(what="SO-7")
                return PreparedAnswer(unknown, "order", "not_found", FULL_GRANT, "own orders", guessed="SO-7")
            case page if page.startswith("page"):
                first = 8 * int(page.removeprefix("page "))
                rows = tuple(Shown(number=f"SO-{number}") for number in range(first, first + 8))
                return PreparedAnswer(ShownList(rows=rows, total=800, line="/order"), "order", "answered", FULL_GRANT)
            case "approve":
                return PreparedAnswer(Shown(number="PO-1"), "approve", "answered", FULL_GRANT, "default")
            case number:
                return PreparedAnswer(Shown(number=number, customer="ACME"), "order", "answered", FULL_GRANT, "default")


class Desk:
    def __init__(self, questions: int = 0, row: int = 0) -> None:
        allowance = Allowance(questions_minute=questions, documents_day=0, documents_row=row, row=timedelta(minutes=10))
        free = Allowance(questions_minute=0, documents_day=0, documents_row=0, row=timedelta(minutes=10))
        self.audit, self.metrics, self.answers = RecordingAudit(), Metrics(), Answers()
        self.told: list[tuple[str, LimitReached]] = []
        self.questions = LimitedQuestions(
            self.answers,
            limits=OwnLimits(ReadingLimits(person=allowance, conversation=free)),
            writing={"approve"},
            audit=self.audit,
            metrics=self.metrics,
            reached=lambda context, reached: self.told.append((context.line, reached)),
        )

    async def ask(self, line: str, person: Person = CLERK) -> View:
        context = QuestionContext(person=person, conversation=GROUP, line=line, now=NOW)
        return (await self.questions.view_for(context)).view


async def test_an_answer_is_recorded_with_what_it_shows() -> None:
    desk = Desk()
    await desk.ask("SO-1")
    (entry,) = desk.audit.entries
    assert (entry.kind, entry.at, entry.actor, entry.action) == (AuditKind.QUESTION, NOW, "sales01", "order")
    assert (entry.conversation, entry.documents, entry.shown) == ("cidA==", ("SO-1",), (FieldClass.PARTNER,))
    assert (entry.rule, entry.outcome) == ("default", "answered")
    assert "ACME" not in repr(entry)


async def test_an_answer_about_no_document_is_not_recorded() -> None:
    desk = Desk()
    await desk.questions.view_for(QuestionContext(person=CLERK, conversation=GROUP, line="", now=NOW))
    assert [entry.documents for entry in desk.audit.entries] == [()]
    assert desk.audit.entries[0].shown == (FieldClass.PARTNER,)


@each_row(
    ("line", "person", "actor", "rule", "detail"),
    [
        ("denied", CLERK, "sales01", "sales only", "Not for you."),
        ("external", Person(user_id=None, name="客户"), "external", "", "not known as a member"),
        ("external", Person(user_id=None, name="", claimed_id="left01"), "left01", "", "not known as a member"),
    ],
)
async def test_a_refusal_is_recorded_with_its_rule(
    line: str, person: Person, actor: str, rule: str, detail: str
) -> None:
    desk = Desk()
    await desk.ask(line, person)
    (entry,) = desk.audit.entries
    assert (entry.kind, entry.actor, entry.rule, entry.detail) == (AuditKind.REFUSAL, actor, rule, detail)
    assert entry.documents == ()


async def test_a_number_that_may_only_be_hidden_is_recorded_and_counted() -> None:
    desk = Desk(row=1)
    assert isinstance(await desk.ask("guess"), NotFoundNotice)
    (entry,) = desk.audit.entries
    assert (entry.kind, entry.actor, entry.action, entry.documents, entry.rule, entry.outcome) == (
        AuditKind.REFUSAL,
        "sales01",
        "order",
        ("SO-7",),
        "own orders",
        "not_found",
    )
    assert isinstance(await desk.ask("SO-8"), LimitNotice)


async def test_too_many_questions_are_refused_before_anything_is_read() -> None:
    desk = Desk(questions=2)
    for line in ("SO-1", "SO-2", "SO-3"):
        last = await desk.ask(line)
    assert isinstance(last, LimitNotice)
    assert str(last.reason) == "You asked 2 questions within a minute, which is the limit."
    assert last.until == datetime(2026, 11, 24, 17, 2, tzinfo=NOW.tzinfo)
    assert desk.answers.asked == ["SO-1", "SO-2"]
    entry = desk.audit.entries[-1]
    assert (entry.kind, entry.rule, entry.outcome) == (AuditKind.REFUSAL, "limits.person.questions_minute", "limited")
    labels = {"limit": "questions_minute", "whose": "person"}
    assert desk.metrics.registry.get_sample_value("dingerp_limits_reached_total", labels) == 1
    assert [line for line, _ in desk.told] == ["SO-3"]


async def test_who_floods_is_told_once_until_they_may_ask_again() -> None:
    desk = Desk(questions=1)

    async def refuse(after: int, *, clicked: bool = False, where: Conversation = GROUP) -> bool:
        now = NOW + timedelta(seconds=after)
        context = QuestionContext(person=CLERK, conversation=where, line="SO-1", now=now, clicked=clicked)
        answer = await desk.questions.view_for(context)
        assert isinstance(answer.view, LimitNotice) == (answer.outcome == "limited")
        return answer.is_told_already

    own_chat = Conversation("cidOwn==", ConversationKind.DIRECT)
    assert [await refuse(after) for after in (0, 1, 2, 59)] == [False, False, True, True]
    assert not await refuse(30, where=own_chat)
    assert await refuse(31, where=own_chat)
    assert not await refuse(40, clicked=True)
    assert [await refuse(after) for after in (60, 61, 62)] == [False, False, True]
    assert len(desk.told) == 8


async def test_each_question_about_too_many_documents_is_told() -> None:
    desk = Desk(row=1)
    context = QuestionContext(person=CLERK, conversation=GROUP, line="SO-1", now=NOW)
    told = [await desk.questions.view_for(replace(context, line=f"SO-{n}")) for n in range(3)]
    assert [answer.outcome for answer in told] == ["answered", "limited", "limited"]
    assert not any(answer.is_told_already for answer in told)


async def test_too_many_documents_are_not_shown_but_known_ones_and_decisions_are() -> None:
    desk = Desk(row=2)
    for line in ("SO-1", "SO-2"):
        assert isinstance(await desk.ask(line), Shown)
    assert isinstance(await desk.ask("SO-3"), LimitNotice)
    assert isinstance(await desk.ask("SO-1"), Shown)
    assert isinstance(await desk.ask("approve"), Shown)
    assert "SO-3" not in [number for entry in desk.audit.entries for number in entry.documents]


async def test_rows_of_lists_are_no_documents_that_somebody_opened() -> None:
    """An accountant turns the pages of a list, and the boss sees what was approved: neither copies the ERP so."""
    desk = Desk(row=2)
    for page in range(30):
        assert isinstance(await desk.ask(f"page {page}"), ShownList)
    assert len(desk.audit.entries[-1].documents) == 8, "what was shown is recorded all the same"
    for line in ("SO-1", "SO-2"):
        assert isinstance(await desk.ask(line), Shown)
    refused = await desk.ask("SO-3")
    assert isinstance(refused, LimitNotice)
    assert "/export" in str(refused.way)
    assert isinstance(await desk.ask("page 31"), ShownList)


async def test_who_was_told_long_ago_is_forgotten() -> None:
    desk = Desk(questions=1)
    for number in range(50):
        person, now = Person(user_id=f"clerk{number}", name="某人"), NOW + timedelta(minutes=2 * number)
        for _ in range(3):
            await desk.questions.view_for(QuestionContext(person=person, conversation=GROUP, line="SO-1", now=now))
    assert len(desk.questions._told) <= 2


async def test_outsiders_are_not_counted() -> None:
    desk = Desk(questions=1)
    for _ in range(3):
        assert isinstance(await desk.ask("external", Person(user_id=None, name="客户")), ExternalNotice)


async def test_administrators_are_told_once_a_day_of_each_person() -> None:
    told: list[str] = []
    reports = DailyReports(lambda context, reached: told.append(f"{context.person.user_id} {context.now:%d}"))
    for days in (0, 1):
        for person in (CLERK, CLERK, Person(user_id="buyer01", name="赵采")):
            context = QuestionContext(person=person, conversation=GROUP, line="", now=NOW + timedelta(days=days))
            reports(context, None)  # type: ignore[arg-type]  # only passed on
    assert told == ["sales01 24", "buyer01 24", "sales01 25", "buyer01 25"]


async def test_the_report_says_who_and_which_limit() -> None:
    desk = Desk(questions=1)
    await desk.ask("SO-1")
    await desk.ask("SO-2")
    context = QuestionContext(person=CLERK, conversation=GROUP, line="SO-2", now=NOW)
    boss = Place(PlaceKind.PERSON, "boss01")
    (owed,) = owed_reports(context, desk.told[0][1], [boss])
    (again,) = owed_reports(context, desk.told[0][1], [boss])
    assert owed.card == again.card == "limit_report:sales01:2026-11-24:person:boss01"
    assert NOW.tzinfo is not None
    composed = await LimitReportComposer(NOW.tzinfo).compose(owed.ref)
    assert composed.view == LimitReport(
        name="李销", user_id="sales01", rule="limits.person.questions_minute", allowed=1, at=NOW
    )
    assert composed.revision == owed.revision
