"""The dispatcher: whatever is asked, one view with one bounded outcome; and what a defect becomes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from structlog.testing import capture_logs

from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRule
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
from bot.chat.dispatcher import QuestionDispatcher, QuestionOutcome
from bot.chat.errors import NothingFound
from bot.chat.message import Conversation, ConversationKind
from bot.chat.pipeline import PreparedAnswer
from bot.chat.registry import Commands, command
from bot.erp.errors import AuthFailed, NotFound, RateLimited, UnknownOutcome, Unsupported
from bot.errors import ConfigurationError, DingerpError
from bot.phrase import phrase
from tests.chat.test_line import typed
from tests.commands.company import NOW

PERSON = Person(user_id="keeper01", name="王仓")
GROUP = Conversation("cidGroup==", ConversationKind.GROUP)


WARM = HintNotice(problem=phrase("Help"))


@dataclass
class StubErp:
    """A collaborator: what the command ``bake`` does next."""

    error: Exception | None = None
    view: View | Ask = WARM
    seconds: float = 0
    asked: QuestionContext | None = None


@command("bake", aliases=("烤",), examples=("/bake bread",), summary=phrase("Help"))
async def bake(bread: Word, *, erp: StubErp, context: QuestionContext) -> View | Ask:
    erp.asked = context
    await asyncio.sleep(erp.seconds)
    if erp.error:
        raise erp.error
    return erp.view


@command("burn", writes=True, examples=("/burn",), summary=phrase("Help"))
async def burn() -> View:
    return HintNotice(problem=phrase("Help"))


@command("find", summary=phrase("Help"))
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
        commands=Commands([bake, burn, find]),
        policy=policy,
        collaborators={StubErp: erp},
        seconds=0.02,
        reference=lambda: "abc123",
    )


def context(line: str, *, offset: int = 0) -> QuestionContext:
    return QuestionContext(person=PERSON, conversation=GROUP, line=line, offset=offset, now=NOW)


def shown(answer: PreparedAnswer) -> tuple[type[View], str, str]:
    return type(answer.view), answer.command, answer.outcome


async def test_a_question_is_answered_by_the_view_of_its_command(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    question = context("烤 bread", offset=3)
    answer = await dispatcher.view_for(question)
    assert (answer.view, answer.command, answer.outcome) == (erp.view, "bake", "answered")
    assert erp.asked == question


@pytest.mark.parametrize("line", ["", "/bake bread", "nonsense", "/burn"])
async def test_people_from_outside_are_told_that_it_is_for_members(dispatcher: QuestionDispatcher, line: str) -> None:
    question = replace(context(line), person=Person(user_id=None, name="guest"))
    assert shown(await dispatcher.view_for(question)) == (ExternalNotice, "none", "denied")


async def test_writing_is_denied_unless_a_rule_grants_it(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/burn"))
    assert shown(answer) == (DeniedNotice, "burn", "denied")
    assert isinstance(answer.view, DeniedNotice)
    assert answer.view.ask == ("admin",)


async def test_bad_arguments_show_the_usage_and_an_example(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/bake"))
    assert shown(answer) == (BadArgumentNotice, "bake", "bad_argument")
    assert isinstance(answer.view, BadArgumentNotice)
    assert (str(answer.view.usage), answer.view.examples) == ("/bake <text>", ("/bake bread",))


@pytest.mark.parametrize("line", ["/bake " + "x" * 161, "/bake " + "面" * 54, "烤" + "面" * 5000])
async def test_a_line_that_no_button_could_repeat_is_too_long(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert shown(answer) == (BadArgumentNotice, "bake", "bad_argument")


async def test_a_misspelt_command_is_suggested_with_its_arguments(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("/bkae bread"))
    assert shown(answer) == (UnknownCommandNotice, "none", "unknown_command")
    assert answer.view.buttons()[0].does == Ask("/bake bread")


@pytest.mark.parametrize("line", ["?!", "……", "x" * 5000, "/" + "x" * 5000, "天气", "/bkae " + "x" * 5000])
async def test_what_nobody_understands_is_an_unknown_command(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert shown(answer) == (UnknownCommandNotice, "none", "unknown_command")
    assert isinstance(answer.view, UnknownCommandNotice)
    assert len(answer.view.typed) <= 24
    assert answer.view.example == "/bake bread"


async def test_a_bare_number_that_there_is_not_was_meant_as_a_number(dispatcher: QuestionDispatcher) -> None:
    answer = await dispatcher.view_for(context("SO-9999"))
    assert shown(answer) == (NotFoundNotice, "find", "not_found")


@pytest.mark.parametrize(
    ("error", "view", "outcome"),
    [
        (NotFound("bread"), NotFoundNotice, "not_found"),
        (NothingFound("bread", ("/bake rolls",)), NotFoundNotice, "not_found"),
        (RateLimited(source="main"), ErpDownNotice, "erp_down"),
        (AuthFailed(source="main"), ErpDownNotice, "erp_down"),
        (Unsupported(source="main"), ErpDownNotice, "erp_down"),
        (UnknownOutcome(source="main"), ErpDownNotice, "erp_down"),
        (DingerpError("strange"), FailedNotice, "failed"),
        (KeyError("bread"), FailedNotice, "failed"),
        (TypeError("bread"), FailedNotice, "failed"),
    ],
)
async def test_every_error_becomes_its_notice(
    dispatcher: QuestionDispatcher, erp: StubErp, error: Exception, view: type[View], outcome: str
) -> None:
    erp.error = error
    with capture_logs() as logs:
        answer = await dispatcher.view_for(context("/bake bread"))
    assert shown(answer) == (view, "bake", outcome)
    assert len(logs) == (1 if view is FailedNotice else 0)


async def test_the_closest_are_offered_as_buttons(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = NothingFound("bread", ("/bake rolls", "/bake cake"))
    buttons = (await dispatcher.view_for(context("/bake bread"))).view.buttons()
    assert [button.does for button in buttons] == [Ask("/bake rolls"), Ask("/bake cake")]


async def test_only_what_may_help_is_offered_again(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = RateLimited(source="main")
    buttons = (await dispatcher.view_for(context("/bake bread", offset=8))).view.buttons()
    assert [button.does for button in buttons] == [Ask("/bake bread", 8)]
    erp.error = AuthFailed(source="main")
    assert not (await dispatcher.view_for(context("/bake bread"))).view.buttons()


async def test_a_defect_is_logged_once_under_the_reference_that_the_person_sees(
    dispatcher: QuestionDispatcher, erp: StubErp
) -> None:
    erp.error = ZeroDivisionError("the price was 3")
    with capture_logs() as logs:
        answer = await dispatcher.view_for(context("/bake bread"))
    assert isinstance(answer.view, FailedNotice)
    assert answer.view.reference == "abc123"
    (entry,) = logs
    assert (entry["reference"], entry["command"], entry["exc_info"]) == ("abc123", "bake", erp.error)


async def test_an_answer_that_takes_too_long_is_given_up(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.seconds = 30
    answer = await dispatcher.view_for(context("/bake bread"))
    assert shown(answer) == (ErpDownNotice, "bake", "erp_down")
    assert [button.does for button in answer.view.buttons()] == [Ask("/bake bread")]


async def test_a_time_out_inside_a_command_is_no_time_out_of_ours(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.error = TimeoutError("of its own")
    with capture_logs():
        assert (await dispatcher.view_for(context("/bake bread"))).outcome == "failed"


async def test_whoever_stops_waiting_stops_the_command(dispatcher: QuestionDispatcher, erp: StubErp) -> None:
    erp.seconds = 30
    task = asyncio.create_task(dispatcher.view_for(context("/bake bread")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestInsteadOf:
    """A command may name the line that is answered in its place."""

    async def test_the_access_policy_is_asked_again(self, dispatcher: QuestionDispatcher, erp: StubErp) -> None:
        erp.view = Ask("/burn", 4)
        assert shown(await dispatcher.view_for(context("/bake bread"))) == (DeniedNotice, "burn", "denied")

    @pytest.mark.parametrize("line", ["/bake bread", "circle"])
    async def test_a_circle_is_a_defect(self, dispatcher: QuestionDispatcher, erp: StubErp, line: str) -> None:
        erp.view = Ask("/bake bread")
        with capture_logs():
            assert (await dispatcher.view_for(context(line))).outcome == "failed"


class TestRules:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"bake"}), roles=frozenset({"baker"})),))

    async def test_a_denial_says_why_and_whom_to_ask(self, dispatcher: QuestionDispatcher) -> None:
        answer = await dispatcher.view_for(context("/bake"))
        assert isinstance(answer.view, DeniedNotice)
        assert "baker" in str(answer.view.reason)
        assert answer.view.ask == ("baker",)

    async def test_what_the_person_may_not_use_is_not_suggested(self, dispatcher: QuestionDispatcher) -> None:
        answer = await dispatcher.view_for(context("/bkae bread"))
        assert isinstance(answer.view, UnknownCommandNotice)
        assert answer.view.suggestions == ()


def test_a_collaborator_that_is_missing_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="StubErp"):
        QuestionDispatcher(commands=Commands([bake]), policy=AccessPolicy(), collaborators={}, seconds=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed)
async def test_any_line_is_answered(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await dispatcher.view_for(context(line))
    assert answer.outcome in set(QuestionOutcome) - {QuestionOutcome.FAILED}
    for button in answer.view.buttons():
        assert isinstance(button.does, Ask)
        button.does.pack()
