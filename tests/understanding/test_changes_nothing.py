"""No sentence ever changes anything, whatever words of commands stand in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.cards.notices import HintNotice
from bot.cards.view import View
from bot.chat.arguments import Signature
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import AnyCommand, Commands
from bot.understanding.grammar import Grammar
from bot.understanding.language_model.reply import check_line
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from bot.words.phrase import phrase

from .test_sentences import SENTENCES

ALL = Commands.discover()
DEEDS = tuple(word for command in ALL.values() if not command.only_asks for word in command.names)
PARTS = st.one_of(
    st.sampled_from(DEEDS),
    st.deferred(lambda: st.sampled_from(tuple(Sentences.load(ALL).cues))),
    st.sampled_from(
        ["PO-1001", "SO-1001", "SKU123", "stock.low", "2h", "en", "中文", "宏达", "螺丝", "上海仓", "张三"]
    ),
    st.sampled_from(
        ["请", "帮我", "把", "给", "都", "一下", "吧", "了", "吗", "不要", "马上", "please", "the", "and", "!", "，"]
    ),
    st.text(max_size=4),
)
SPOKEN = st.tuples(st.lists(PARTS, min_size=1, max_size=6), st.sampled_from(["", " "])).map(
    lambda parts: parts[1].join(parts[0])
)


def recording(command: AnyCommand, ran: Callable[[AnyCommand], None]) -> AnyCommand:
    """Return a command that notes its calls and does nothing else."""

    async def function(*words: object, **named: object) -> View:
        ran(command)
        return HintNotice(problem=phrase("Help"))

    return replace(command, function=function, signature=Signature(command.signature.parameters, {}))


class Bot:
    """A dispatcher with all commands, which anybody may use and none of which does anything."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ran: list[AnyCommand] = []
        self.runner = asyncio.Runner()
        commands = Commands(recording(command, self.ran.append) for command in ALL.values())

        async def learn() -> Vocabulary:
            return vocabulary

        reader = GrammarReader(commands, lambda: Sentences.load(commands), learn)
        self.runner.run(reader.learn())
        self.dispatcher = QuestionDispatcher(
            commands=commands, policy=AccessPolicy, collaborators={}, seconds=60.0, reader=reader
        )

    def say(self, sentence: str) -> None:
        context = QuestionContext(
            person=Person(user_id="boss01", name="王磊"),
            conversation=Conversation("cid1", ConversationKind.GROUP),
            line=sentence,
            now=datetime(2026, 3, 2, 9, tzinfo=UTC),
        )
        self.runner.run(self.dispatcher.view_for(context))


@pytest.fixture(scope="session")
def bot(vocabulary: Vocabulary) -> Iterator[Bot]:
    bot = Bot(vocabulary)
    yield bot
    bot.runner.close()


def is_typed(sentence: str) -> bool:
    """Whether somebody typed a command: at the start, or after a slash."""
    begins = re.sub(r"^[\s,，!/\\、]+", "", sentence).casefold()
    return "/" in sentence or "\\" in sentence or "、" in sentence or any(begins.startswith(word) for word in DEEDS)


@given(SPOKEN)
@settings(deadline=None)
def test_words_of_deeds_in_a_sentence_do_nothing(bot: Bot, sentence: str) -> None:
    assume(not is_typed(sentence))
    bot.say(sentence)
    assert all(command.only_asks for command in bot.ran)


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.soak)])
def test_the_sentences_of_the_table_do_nothing(bot: Bot, every: int) -> None:
    said, before = [sentence for sentence, _ in SENTENCES[::every] if not is_typed(sentence)], len(bot.ran)
    for sentence in said:
        bot.say(sentence)
    assert len(bot.ran) - before > len(said) // 2
    assert all(command.only_asks for command in bot.ran)


@given(SPOKEN)
@settings(deadline=None)
def test_the_grammar_names_no_deed(grammar: Grammar, sentence: str) -> None:
    reading = grammar.read(sentence)
    if reading is None or is_typed(sentence):
        return
    for line in (reading.line, *reading.alternatives):
        name = ALL.parse(line).command
        assert name is not None
        assert ALL[name].only_asks


@given(SPOKEN, SPOKEN)
@settings(deadline=None)
def test_no_answer_of_a_model_is_a_deed(sentence: str, answer: str) -> None:
    for line in (answer, f"/{answer}", sentence, f"/{sentence}"):
        checked = check_line(line, sentence, ALL, frozenset(ALL))
        name = ALL.parse(checked).command if checked else None
        assert name is None or ALL[name].only_asks
