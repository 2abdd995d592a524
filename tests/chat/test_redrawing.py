"""Cards of answers that are drawn again: by the present rules, and never by carrying out a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, ClassVar, cast

import pytest

from bot.access.grants import FULL_GRANT, Grant
from bot.cards.view import View
from bot.chat.answers.redrawing import AnswerComposer
from bot.chat.answers.standing_answers import CardReaders, StandingAnswer, StandingAnswers
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.registry import Commands
from bot.words.disclosure import HIDDEN, SHARED_FIELDS, FieldClass

from .audience_parts import answer_to, make_audiences, make_people

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
GROUP = Conversation("cidA==", ConversationKind.GROUP, "Orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(View):
    card: ClassVar[str] = "deal"

    number: str = "SO-1"
    amount: Annotated[str, FieldClass.AMOUNT] = "¥9"


@dataclass
class Kept:
    """One card that stands, the answer to a line."""

    line: str = "/order SO-1"
    readers: CardReaders = CardReaders.ALL

    async def find(self, track_id: str) -> StandingAnswer | None:
        return StandingAnswer(
            track_id=track_id,
            conversation=GROUP,
            user_id="sales01",
            line=self.line,
            readers=self.readers,
            made_as="deal",
            at=NOW,
        )


@dataclass
class Handler:
    """Answers every line with a deal, of which the asker may see what is granted."""

    grant: Grant = FULL_GRANT
    asked: list[str] = field(default_factory=list)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        self.asked.append(context.line)
        return answer_to("order", self.grant, view=Deal())


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands.discover()


def composer(commands: Commands, kept: Kept, handler: Handler) -> AnswerComposer:
    return AnswerComposer(
        cast(StandingAnswers, kept),
        handler=cast(QuestionHandler, handler),
        commands=commands,
        people=make_people(),
        audiences=make_audiences(),
        now=lambda: NOW,
    )


@pytest.mark.parametrize(
    ("readers", "granted", "amount"),
    [
        (CardReaders.ASKER, FULL_GRANT, "¥9"),
        (CardReaders.ASKER, Grant(fields=SHARED_FIELDS), HIDDEN),
        (CardReaders.ALL, FULL_GRANT, HIDDEN),
        (CardReaders.ALL_AND_ASKER, FULL_GRANT, HIDDEN),
    ],
)
async def test_a_card_shows_what_its_readers_may_see_now(
    commands: Commands, readers: CardReaders, granted: Grant, amount: object
) -> None:
    drawn = await composer(commands, Kept(readers=readers), Handler(granted)).compose("q1")

    assert isinstance(drawn.view, Deal)
    assert drawn.view.amount is amount or drawn.view.amount == amount
    assert drawn.own == ()


@pytest.mark.parametrize("line", ["/approve PO-1", "/alerts a1 ack", "what is this"])
async def test_a_line_that_does_not_only_ask_is_not_carried_out_again(commands: Commands, line: str) -> None:
    handler = Handler()

    drawn = await composer(commands, Kept(line), handler).compose("q1")

    assert (drawn.view, handler.asked) == (None, [])
