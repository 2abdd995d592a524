"""Questions asked by a picture of a code: they run as typed text does, and nothing but a search."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.cards.notices import ChoiceNotice, ExternalNotice, FailedNotice, HintNotice
from bot.cards.view import View
from bot.chat.arguments import Term
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Message, MessageKind, Picture, Sender
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.pictures import CODE_TOO_LONG, NO_CODE, TOO_LARGE, TOO_SLOW, PictureUnreadable
from bot.chat.registry import Commands, command
from bot.outbox.spending import Purpose, Spending, current_spending
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase
from tests.commands.company import NOW

PERSON = Person(user_id="keeper01", name="王仓")
GROUP = Conversation("cidGroup==", ConversationKind.GROUP)
PICTURE = Picture("mIof", "robot")
ASKED = QuestionContext(person=PERSON, conversation=GROUP, line="", now=NOW, picture=PICTURE)


@dataclass
class StubPictures:
    """Finds ``codes``, or fails."""

    codes: tuple[str, ...] = ()
    error: Exception | None = None
    seconds: float = 0.0
    spent: list[Spending] = field(default_factory=list)

    async def codes_in(self, picture: Picture) -> tuple[str, ...]:
        assert picture == PICTURE
        self.spent.append(current_spending())
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.codes


@dataclass
class Searches:
    """What was searched for, and whether anything was decided."""

    texts: list[str] = field(default_factory=list)
    decided: bool = False


@command("find", changes=False, summary=phrase("Help"))
async def find(text: Term, *, searches: Searches) -> View:
    searches.texts.append(text)
    return HintNotice(problem=phrase("Help"))


@command("approve", writes=True, summary=phrase("Help"))
async def approve(text: Term, *, searches: Searches) -> View:
    searches.decided = True
    return HintNotice(problem=phrase("Help"))


@pytest.fixture
def searches() -> Searches:
    return Searches()


@pytest.fixture
def pictures() -> StubPictures:
    return StubPictures()


@pytest.fixture
def dispatcher(pictures: StubPictures, searches: Searches) -> QuestionDispatcher:
    return QuestionDispatcher(
        commands=Commands([find, approve]),
        policy=AccessPolicy,
        collaborators={Searches: searches},
        seconds=0.05,
        reference=lambda: "abc123",
        pictures=pictures,
    )


@pytest.mark.parametrize(
    "code", ["6901234567892", "SO-1001", "M8 bolts", 'with "quotes"', "/approve PO-1", "同意 PO-1"]
)
async def test_a_code_is_searched_for_whatever_it_says(
    dispatcher: QuestionDispatcher, pictures: StubPictures, searches: Searches, code: str
) -> None:
    pictures.codes = (code,)
    answer = await dispatcher.view_for(ASKED)
    assert (answer.command, answer.outcome) == ("find", "answered")
    assert [text.replace('"', "") for text in searches.texts] == [code.replace('"', "")]
    assert not searches.decided
    assert answer.read_as.startswith("/find ")


async def test_the_call_is_counted_for_the_group(dispatcher: QuestionDispatcher, pictures: StubPictures) -> None:
    await dispatcher.view_for(ASKED)
    await dispatcher.view_for(replace(ASKED, conversation=Conversation("cidDirect==", ConversationKind.DIRECT)))
    assert pictures.spent == [Spending(Purpose.QUESTION, "cidGroup=="), Spending(Purpose.QUESTION)]


async def test_several_codes_are_a_choice(
    dispatcher: QuestionDispatcher, pictures: StubPictures, searches: Searches
) -> None:
    pictures.codes = ("SO-1001", "PO-1001", "x" * 200)
    view = (await dispatcher.view_for(ASKED)).view
    assert isinstance(view, ChoiceNotice)
    assert [suggestion.line for suggestion in view.suggestions] == ["/find SO-1001", "/find PO-1001"]
    assert not searches.texts


async def test_a_shelf_of_codes_gives_as_many_as_a_card_can_offer(
    dispatcher: QuestionDispatcher, pictures: StubPictures
) -> None:
    pictures.codes = tuple(f"SKU-{n}" for n in range(40))
    view = (await dispatcher.view_for(ASKED)).view
    assert isinstance(view, ChoiceNotice)
    assert len(view.suggestions) == 6


@pytest.mark.parametrize(
    ("codes", "problem"),
    [((), NO_CODE), (("https://example.com/" + "x" * 200,), CODE_TOO_LONG), ((" \n",), CODE_TOO_LONG)],
)
async def test_nothing_to_look_up(
    dispatcher: QuestionDispatcher, pictures: StubPictures, codes: tuple[str, ...], problem: Phrase
) -> None:
    pictures.codes = codes
    view = (await dispatcher.view_for(ASKED)).view
    assert isinstance(view, HintNotice)
    assert view.problem == problem


async def test_what_is_no_picture_gets_a_hint(dispatcher: QuestionDispatcher, pictures: StubPictures) -> None:
    pictures.error = PictureUnreadable(TOO_LARGE)
    with capture_logs() as logs:
        answer = await dispatcher.view_for(ASKED)
    assert isinstance(answer.view, HintNotice)
    assert (answer.view.problem, answer.outcome, logs) == (TOO_LARGE, "hint", [])


@pytest.mark.parametrize("error", [DingerpError("gone"), ValueError("defect")])
async def test_a_picture_that_cannot_be_fetched_is_told(
    dispatcher: QuestionDispatcher, pictures: StubPictures, error: Exception
) -> None:
    pictures.error = error
    with capture_logs() as logs:
        answer = await dispatcher.view_for(ASKED)
    assert isinstance(answer.view, FailedNotice)
    assert answer.view.reference == "abc123"
    assert [entry["event"] for entry in logs] == ["question.failed"]


async def test_a_picture_that_does_not_come_is_given_up(dispatcher: QuestionDispatcher, pictures: StubPictures) -> None:
    pictures.seconds = 60
    view = (await dispatcher.view_for(ASKED)).view
    assert isinstance(view, HintNotice)
    assert view.problem == TOO_SLOW


async def test_without_a_search_pictures_get_a_hint(pictures: StubPictures, searches: Searches) -> None:
    desk = QuestionDispatcher(
        commands=Commands([approve]),
        policy=AccessPolicy,
        collaborators={Searches: searches},
        seconds=1,
        pictures=pictures,
    )
    assert desk.hint_for(message(PICTURE)) is not None


async def test_pictures_of_outsiders_are_not_fetched(dispatcher: QuestionDispatcher, pictures: StubPictures) -> None:
    answer = await dispatcher.view_for(replace(ASKED, person=Person(user_id=None, name="张")))
    assert isinstance(answer.view, ExternalNotice)
    assert not pictures.spent


def message(picture: Picture | None) -> Message:
    return Message(
        msg_id="msg1",
        kind=MessageKind.PICTURE,
        text="",
        conversation=GROUP,
        sender=Sender(staff_id="keeper01", nick="王仓"),
        sent_at=NOW,
        robot_code="robot",
        picture=picture,
    )


def test_a_picture_is_a_question_if_it_can_be_fetched(dispatcher: QuestionDispatcher) -> None:
    assert dispatcher.hint_for(message(PICTURE)) is None
    assert dispatcher.hint_for(message(None)) is not None
