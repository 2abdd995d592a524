"""Which lines only ask, by command and keyword; and that the others run only when somebody types or presses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.bootstrap.exports import exportable
from bot.cards.actions import Ask
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, HintNotice
from bot.cards.renderer import CardRenderer
from bot.cards.samples import load_sample
from bot.cards.view import View
from bot.chat.arguments import Keyword, Signature, Word
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Picture
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.reading import ReadBy, Reading
from bot.chat.registry import AnyCommand, Commands, command
from bot.understanding.language_model.reply import check_line
from bot.words.phrase import phrase
from commands.new import new
from tests.rows import each_row

ALL = Commands.discover()

CHANGING = {
    *(
        "approve",
        "away",
        "bind",
        "clarify",
        "confirm",
        "lang",
        "mute",
        "nudge",
        "reject",
        "subscribe",
        "unbind",
        "unmute",
        "unsubscribe",
        "unwatch",
        "watch",
    ),
}
"""Commands that may never say that they only ask."""
WORDS = {
    "restored": ("keep", "drop"),
    "alerts": ("ack", "snooze", "1h", "4h", "tomorrow", "until", "assign"),
    "pending": ("forward",),
}
"""Keywords with which a command that only asks changes something, and may never say that they do not."""


def test_what_changes_something_says_so() -> None:
    assert {name for name in CHANGING if ALL[name].only_asks} == set()
    assert {name: tuple(map(str, ALL[name].changing_keywords)) for name in WORDS} == WORDS


def spelled(keyword: Keyword) -> Iterator[str]:
    yield from sorted(keyword.words)


LINES = (
    *(line for name, known in ALL.items() if not known.only_asks for line in (*known.examples, f"/{name} X 1")),
    *(
        f"/{name} X-1 boss01 {word}"
        for name, known in ALL.items()
        for keyword in known.changing_keywords
        for word in spelled(keyword)
    ),
    *(f"/{name} {word} X-1" for name in WORDS for word in WORDS[name]),
    "/待我审批 PO-1 boss01 转交",
    "/alerts A-1 ack @main",
    "/alerts @main ack A-1 @berlin",
    '/alerts A-1 "ack"',
    "/预警 A-1 明天",
    *new.examples,
)
"""Every line that changes something, with each of its words."""


@each_row("line", LINES)
def test_lines_that_change_something(line: str) -> None:
    assert not ALL.only_asks(line)
    assert not ALL.only_asks(f"/export {line[1:]}")
    assert not ALL.only_asks(f"/导出 /export {line[1:]}")
    assert check_line(line, line, ALL, frozenset(ALL)) is None


@each_row(
    "line",
    # What is begun is shown first, and kept for that.
    [example for known in ALL.values() if known.only_asks and known is not new for example in known.examples],
)
def test_examples_of_what_only_asks(line: str) -> None:
    assert ALL.only_asks(line)


class Undeclared(Keyword):
    """Says nothing of itself."""

    OTHER = phrase("other")


def test_what_says_nothing_of_itself_changes_something() -> None:
    @command("new", summary=phrase("Help"))
    async def new() -> View: ...

    @command("list", changes=False, summary=phrase("Help"))
    async def listing(word: Word | None = None, *, kind: Undeclared | None = None) -> View: ...

    known = Commands([new, listing])
    assert not known.only_asks("/new")
    assert known.only_asks("/list x")
    assert not known.only_asks("/list x other")


def test_no_card_is_drawn_again_by_a_line_that_changes_something() -> None:
    views = map(load_sample, CardRenderer(languages=load_languages()).names())
    again = [following.again.line for view in views if (following := view.following())]
    assert len(again) > 3
    assert all(map(ALL.only_asks, again))


class Ways:
    """A bot whose commands note that they ran, and all ways to it on which nobody types or presses a line."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.commands = Commands(self._recording(each) for each in ALL.values())
        rule = AccessRule(name="all", commands=frozenset({"*", *ALL}), roles=frozenset({"*"}))
        self.policy = AccessPolicy((rule,))
        self.line = ""

    def _recording(self, known: AnyCommand) -> AnyCommand:
        async def function(*words: object, **named: object) -> View:
            self.ran.append(known.name)
            return HintNotice(problem=phrase("Help"))

        return replace(known, function=function, signature=Signature(known.signature.parameters, {}))

    def dispatcher(self, **more: Any) -> QuestionDispatcher:
        kinds = {"commands": self.commands, "policy": lambda: self.policy, "collaborators": {}, "seconds": 60.0}
        return QuestionDispatcher(**{**kinds, **more})

    def context(self, line: str, **more: Any) -> QuestionContext:
        return QuestionContext(
            person=Person(user_id="boss01", name="王磊"),
            conversation=Conversation("cid1", ConversationKind.DIRECT),
            line=line,
            now=datetime(2026, 3, 2, 9, tzinfo=UTC),
            **more,
        )

    # A reader, a model and pictures that all say the line.

    def read(self, text: str, *_: object) -> Reading | None:
        return Reading(line=self.line, by=ReadBy.GRAMMAR)

    def spell_out(self, line: str) -> tuple[str, ...]:
        return (self.line,)

    async def codes_in(self, picture: Picture) -> tuple[str, ...]:
        return (self.line,)


class Model:
    """A language model that gives the line whatever it is asked."""

    def __init__(self, line: str) -> None:
        self.line = line

    async def read(self, sentence: str, conversation: str, usable: frozenset[str]) -> Reading | None:
        return Reading(line=self.line, by=ReadBy.MODEL)


def test_what_is_answered_for_others_only_asks_and_asks_nobody_else() -> None:
    asking = {name for name, known in ALL.items() if known.only_asks}
    assert {*exportable(ALL)} == asking - {"export", "subscriptions"}


async def by_file_or_subscription(ways: Ways, line: str) -> None:
    for known in (ways.commands, exportable(ways.commands)):
        await ways.dispatcher(commands=known, only_asks=True).view_for(ways.context(line))


async def by_sentence(ways: Ways, line: str) -> None:
    ways.line = line
    answer = await ways.dispatcher(reader=ways).view_for(ways.context("今天的事情怎么样了"))
    assert isinstance(answer.view, BadArgumentNotice)
    assert line in str(answer.view.problem)


async def by_model(ways: Ways, line: str) -> None:
    await ways.dispatcher(model=Model(line)).view_for(ways.context("明天又要被念叨"))


async def by_picture(ways: Ways, line: str) -> None:
    ways.line = line
    picture = Picture("code", "robot")
    await ways.dispatcher(pictures=ways).view_for(ways.context("", picture=picture))


@pytest.mark.parametrize("way", [by_file_or_subscription, by_sentence, by_model, by_picture])
async def test_nothing_that_changes_runs_unless_somebody_types_or_presses_it(way: Any) -> None:
    ways = Ways()
    for line in LINES:
        await way(ways, line)
        assert not [name for name in ways.ran if name not in {"find", "help"}], line


async def test_what_somebody_types_or_presses_runs() -> None:
    ways = Ways()
    for clicked in (False, True):
        await ways.dispatcher().view_for(ways.context("/pending PO-1 boss01 forward", clicked=clicked))
    assert ways.ran == ["pending", "pending"]


async def test_a_command_that_only_asks_leads_to_nothing_else() -> None:
    @command("look", changes=False, summary=phrase("Help"))
    async def look() -> View | Ask:
        return Ask("/mute stock.low 2h")

    ways = Ways()
    known = Commands([*ways.commands.values(), look])
    answer = await ways.dispatcher(commands=known).view_for(ways.context("/look"))
    assert isinstance(answer.view, BadArgumentNotice)
    assert ways.ran == []
