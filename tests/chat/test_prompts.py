"""Questions that the next message answers: whose, where, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.prompts import PROMPT_LIFETIME, OpenPrompts, may_be_reply
from bot.chat.registry import Commands
from tests.commands.company import NOW
from tests.commands.conftest import KEEPER
from tests.rows import each_row

GROUP = Conversation("cidGroup==", ConversationKind.GROUP)
ASKED = QuestionContext(person=KEEPER, conversation=GROUP, line="/reject PO-1", now=NOW, clicked=True)
MESSAGE = QuestionContext(person=KEEPER, conversation=GROUP, line="too dear", now=NOW)


async def asked() -> OpenPrompts:
    questions = OpenPrompts()
    await questions.put(ASKED, "/reject PO-1 #12345678")
    return questions


async def test_the_next_message_is_the_answer_once() -> None:
    questions = await asked()
    assert await questions.take(MESSAGE) == "/reject PO-1 #12345678"
    assert await questions.take(MESSAGE) is None


async def test_of_nobody_else_and_nowhere_else() -> None:
    questions = await asked()
    assert await questions.take(replace(MESSAGE, person=replace(KEEPER, user_id="buyer01"))) is None
    assert (
        await questions.take(replace(MESSAGE, conversation=Conversation("cidOther==", ConversationKind.GROUP))) is None
    )
    assert await questions.take(replace(MESSAGE, clicked=True)) is None
    direct = Conversation("cidDirect==", ConversationKind.DIRECT)
    assert await questions.take(replace(MESSAGE, conversation=direct)) == "/reject PO-1 #12345678"


async def test_not_for_long() -> None:
    questions = await asked()
    assert await questions.take(replace(MESSAGE, now=NOW + PROMPT_LIFETIME + timedelta(seconds=1))) is None
    assert await questions.take(MESSAGE) is None
    assert await (await asked()).take(replace(MESSAGE, now=NOW + PROMPT_LIFETIME)) is not None


async def test_a_newer_question_takes_the_place_of_the_one_before_and_may_be_dropped() -> None:
    questions = await asked()
    await questions.put(ASKED, "/reject PO-2")
    assert await questions.take(MESSAGE) == "/reject PO-2"
    await questions.put(ASKED, "/reject PO-2")
    await questions.drop(MESSAGE)
    assert await questions.take(MESSAGE) is None


@each_row(
    ("line", "answers"),
    [
        ("价格过高", True),
        ("库存充足，不需要", True),
        ("采购价太高了20%", True),
        ("这个型号还有库存", True),
        ("SKU123 太贵", True),
        ("too expensive", True),
        ("/stock SKU123", False),
        ("、库存 螺丝", False),
        ("/nonsense", False),
        ("库存 螺丝", False),
        ("库存SKU123", False),
        ("采购PO-1001", False),
        ("SKU123 的库存", False),
        ("帮助", False),
        ("你好", False),
        ("", False),
    ],
)
def test_reasons_may_begin_like_commands(line: str, answers: bool) -> None:
    assert may_be_reply(Commands.discover().parse(line), line) is answers
