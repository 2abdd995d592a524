"""The dispatcher: whatever is asked, one view with one bounded outcome; and what a defect becomes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from structlog.testing import capture_logs

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.actions import Ask
from bot.cards.notices import (
    BadArgumentNotice,
    DeniedNotice,
    ErpDownNotice,
    ExternalNotice,
    FailedNotice,
    HintNotice,
    NotFoundNotice,
    UnknownCommandNotice,
)
from bot.cards.view import View
from bot.chat.arguments import Term, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.failures import QuestionOutcome
from bot.chat.registry import Commands, command
from bot.erp.errors import AuthFailed, NotFound, RateLimited, UnknownOutcome, Unsupported
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import phrase
from tests.chat.test_line import typed
from tests.commands.company import NOW

PERSON = Person(user_id="keeper01", name="王仓")
GROUP = Conversation("cidGroup==", ConversationKind.GROUP)


HINT = HintNotice(problem=phrase("Help"))


@dataclass
class StubErp:
    """A collaborator: what the command ``check`` does next."""

    error: Exception | None = None
    view: View | Ask = HINT
    seconds: float = 0
    asked: QuestionContext | None = None


@command("check", aliases=("盘点",), examples=("/check bolts",), changes=False, summary=phrase("Help"))
async def check(bolts: Word, *, erp: StubErp, context: QuestionContext) -> View | Ask:
    erp.asked = context
    await asyncio.sleep(erp.seconds)
    if erp.error:
        raise erp.error
    return erp.view


@command("post", writes=True, examples=("/post",), summary=phrase("Help"))
async def post() -> View:
    return HintNotice(problem=phrase("Help"))


@command("find", changes=False, summary=phrase("Help"))
async def find(text: Term, *, erp: StubErp) -> View | Ask:
    if text == "circle":
        return Ask("circle")
    raise NotFound(text)


@pytest.fixture
def erp() -> StubErp:
    return StubErp()


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy()


@pytest.fixture
def dispatcher(erp: StubErp, policy: AccessPolicy) -> QuestionDispatcher:
    return QuestionDispatcher(
        commands=Commands([check, post, find]),
        policy=lambda: policy,
        collaborators={StubErp: erp},
        seconds=0.02,
        reference=lambda: "abc123",
    )


def context(line: str, *, offset: int = 0) -> QuestionContext:
    return QuestionContext(person=PERSON, conversation=GROUP, line=line, offset=offset, now=NOW)


def shown(answer: PreparedAnswer) -> tuple[type[View], str, str]:
    return type(answer.view), answer.command, answer.outcome


async def test_a_question_is_answered_by_the_view_of_its_command(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    question = context("盘点 bolts", offset=3)
    answer = await dispatcher.view_for(question)
    assert (answer.view, answer.command, answer.outcome) == (erp.view, "check", "answered")
    assert erp.asked == question


@pytest.mark.parametrize("line", ["", "/check bolts", "nonsense", "/post"])
async def test_people_from_outside_are_told_that_it_is_for_members(dispatcher: QuestionDispatcher, line: str) -> None:
    question = replace(context(line), person=Person(user_id=None, name="guest"))
    assert shown(await dispatcher.view_for(question)) == (ExternalNotice, "none", "denied")


async def test_writing_is_denied_unless_a_rule_grants_it(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/post"))
    assert shown(answer) == (DeniedNotice, "post", "denied")
    assert isinstance(answer.view, DeniedNotice)
    assert answer.view.ask == ("admin",)


async def test_bad_arguments_show_the_usage_and_an_example(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/check"))
    assert shown(answer) == (BadArgumentNotice, "check", "bad_argument")
    assert isinstance(answer.view, BadArgumentNotice)
    assert (str(answer.view.usage), answer.view.examples) == ("/check <text>", ("/check bolts",))


@pytest.mark.parametrize("line", ["/check " + "x" * 161, "/check " + "面" * 54, "盘点" + "面" * 5000])
async def test_a_line_that_no_button_could_repeat_is_too_long(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert shown(answer) == (BadArgumentNotice, "check", "bad_argument")


async def test_a_misspelt_command_is_suggested_with_its_arguments(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/chekc bolts"))
    assert shown(answer) == (UnknownCommandNotice, "none", "unknown_command")
    assert answer.view.buttons()[0].does == Ask("/check bolts")


@pytest.mark.parametrize("line", ["?!", "……", "x" * 5000, "/" + "x" * 5000, "天气", "/chekc " + "x" * 5000])
async def test_what_nobody_understands_is_an_unknown_command(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert shown(answer) == (UnknownCommandNotice, "none", "unknown_command")
    assert isinstance(answer.view, UnknownCommandNotice)
    assert len(answer.view.typed) <= 24
    assert answer.view.example == "/check bolts"


async def test_a_bare_number_that_there_is_not_was_meant_as_a_number(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("SO-9999"))
    assert shown(answer) == (NotFoundNotice, "find", "not_found")


@pytest.mark.parametrize(
    ("error", "view", "outcome"),
    [
        (NotFound("bolts"), NotFoundNotice, "not_found"),
        (NothingFound("bolts", ("/check nuts",)), NotFoundNotice, "not_found"),
        (RateLimited(source="main"), ErpDownNotice, "erp_down"),
        (AuthFailed(source="main"), ErpDownNotice, "erp_down"),
        (Unsupported(source="main"), ErpDownNotice, "erp_down"),
        (UnknownOutcome(source="main"), ErpDownNotice, "erp_down"),
        (DingerpError("strange"), FailedNotice, "failed"),
        (KeyError("bolts"), FailedNotice, "failed"),
        (TypeError("bolts"), FailedNotice, "failed"),
    ],
)
async def test_every_error_becomes_its_notice(
    dispatcher: QuestionDispatcher, erp: StubErp, error: Exception, view: type[View], outcome: str
) -> None:
    erp.error = error
    with capture_logs() as logs:
        answer = await dispatcher.view_for(context("/check bolts"))
    assert shown(answer) == (view, "check", outcome)
    assert len(logs) == (1 if view is FailedNotice else 0)


async def test_the_closest_are_offered_as_buttons(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = NothingFound("bolts", ("/check nuts", "/check washers"))
    buttons = (await dispatcher.view_for(context("/check bolts"))).view.buttons()
    assert [button.does for button in buttons] == [Ask("/check nuts"), Ask("/check washers")]


async def test_only_what_may_help_is_offered_again(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = RateLimited(source="main")
    buttons = (await dispatcher.view_for(context("/check bolts", offset=8))).view.buttons()
    assert [button.does for button in buttons] == [Ask("/check bolts", 8)]
    erp.error = AuthFailed(source="main")
    assert not (await dispatcher.view_for(context("/check bolts"))).view.buttons()


async def test_a_defect_is_logged_once_under_the_reference_that_the_person_sees(
    dispatcher: QuestionDispatcher, erp: StubErp
) -> None:
    erp.error = ZeroDivisionError("the price was 3")
    with capture_logs() as logs:
        answer = await dispatcher.view_for(context("/check bolts"))
    assert isinstance(answer.view, FailedNotice)
    assert answer.view.reference == "abc123"
    (entry,) = logs
    assert (entry["reference"], entry["command"], entry["exc_info"]) == ("abc123", "check", erp.error)


async def test_an_answer_that_takes_too_long_is_given_up(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.seconds = 30
    answer = await dispatcher.view_for(context("/check bolts"))
    assert shown(answer) == (ErpDownNotice, "check", "erp_down")
    assert [button.does for button in answer.view.buttons()] == [Ask("/check bolts")]


async def test_a_time_out_inside_a_command_is_no_time_out_of_ours(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = TimeoutError("of its own")
    with capture_logs():
        assert (await dispatcher.view_for(context("/check bolts"))).outcome == "failed"


async def test_whoever_stops_waiting_stops_the_command(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.seconds = 30
    task = asyncio.create_task(dispatcher.view_for(context("/check bolts")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestInsteadOf:
    """A command may name the line that is answered in its place."""

    async def test_the_access_policy_is_asked_again(self, dispatcher: QuestionDispatcher, erp: StubErp) -> None:
        erp.view = Ask("/post", 4)
        assert shown(await dispatcher.view_for(context("/check bolts"))) == (DeniedNotice, "post", "denied")

    @pytest.mark.parametrize("line", ["/check bolts", "circle"])
    async def test_a_circle_is_a_defect(self, dispatcher: QuestionDispatcher, erp: StubErp, line: str) -> None:
        erp.view = Ask("/check bolts")
        with capture_logs():
            assert (await dispatcher.view_for(context(line))).outcome == "failed"


class TestRules:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"check"}), roles=frozenset({"keeper"})),))

    async def test_a_denial_says_why_and_whom_to_ask(self, dispatcher: QuestionDispatcher) -> None:
        answer = await dispatcher.view_for(context("/check"))
        assert isinstance(answer.view, DeniedNotice)
        assert "keeper" in str(answer.view.reason)
        assert answer.view.ask == ("keeper",)

    async def test_what_the_person_may_not_use_is_not_suggested(self, dispatcher: QuestionDispatcher) -> None:
        answer = await dispatcher.view_for(context("/chekc bolts"))
        assert isinstance(answer.view, UnknownCommandNotice)
        assert answer.view.suggestions == ()


def test_a_collaborator_that_is_missing_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="StubErp"):
        QuestionDispatcher(commands=Commands([check]), policy=AccessPolicy, collaborators={}, seconds=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed)
async def test_any_line_is_answered(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert answer.outcome in set(QuestionOutcome) - {QuestionOutcome.FAILED}
    for button in answer.view.buttons():
        assert isinstance(button.does, Ask)
        button.does.pack()
