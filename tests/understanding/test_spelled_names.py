"""Customers and vendors are found by pinyin and first letters, in sentences and in what is typed after a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.notices import ChoiceNotice, HintNotice
from bot.cards.view import View
from bot.chat.arguments import Term
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.failures import QuestionOutcome
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.chat.registry import Commands, command
from bot.understanding.grammar import Grammar
from bot.understanding.vocabulary import SpelledNames, Vocabulary
from bot.words.phrase import phrase
from tests.rows import each_row

HONGDA = "杭州宏达机电设备有限公司"


@each_row(
    ("sentence", "line"),
    [
        ("hongda的发票", f"/invoice {HONGDA}"),
        ("hzhd欠多少钱", f"/invoice open {HONGDA}"),
        ("hzhd的订单", f"/order {HONGDA}"),
        ("orders of hzhd", f"/order {HONGDA}"),
        ("szjm的订单", "/order 苏州精密紧固件有限公司"),
        ("yxgs的订单", "/order yxgs"),
    ],
)
def test_a_name_that_is_spelled_in_a_sentence(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line


@each_row(
    ("typed", "lines"),
    [
        ("/customer hongda", (f"/customer {HONGDA}",)),
        ("/customer HZHD", (f"/customer {HONGDA}",)),
        ("/客户 hzhd", (f"/customer {HONGDA}",)),
        ("/order late hzhd", (f"/order late {HONGDA}",)),
        ("/order hzhd 10月", (f"/order {HONGDA} 10月",)),
        ("/customer 宏达", ()),
        ("/customer Northwind", ()),
        ("/customer xyzzy", ()),
        ("/customer x", ()),
        ("/customer", ()),
        ("/stock hzhd", ()),
    ],
)
def test_a_name_that_is_spelled_after_a_command(typed: str, lines: tuple[str, ...], grammar: Grammar) -> None:
    assert grammar.typed.spell_out(typed) == lines


def test_several_names_are_offered_and_no_more_than_a_few(grammar: Grammar) -> None:
    assert len(set(grammar.typed.spell_out("/customer yxgs"))) == 4


def test_each_name_is_found_once() -> None:
    names = SpelledNames.of({"甲": "\nhd\nhdhd", "乙": "", "丙": "\nxhd", "丁": "\nhx"})
    assert names.names("hd", 5) == ("甲", "丙")
    assert names.names("hd", 1) == ("甲",)
    assert names.names("zz", 5) == SpelledNames.of({}).names("zz", 5) == ()


class SpellingReader:
    """Reads no sentence and spells out one line."""

    def __init__(self, spelled: Mapping[str, tuple[str, ...]]) -> None:
        self.spelled = spelled

    def read(
        self, sentence: str, usable: frozenset[str] | None = None, last: LastQuestion | None = None
    ) -> Reading | None:
        return None

    def spell_out(self, line: str) -> tuple[str, ...]:
        return self.spelled.get(line, ())


@command("partner", examples=("/partner 宏达",), changes=False, summary=phrase("Help"))
async def partner(text: Term) -> View:
    """Know two partners; the asker may not see any other."""
    if text not in {"宏达", "华东"}:
        raise NothingFound(text)
    return HintNotice(problem=phrase("Help"))


async def ask(line: str, *spelled: str, clicked: bool = False) -> tuple[QuestionOutcome | str, str, tuple[str, ...]]:
    dispatcher = QuestionDispatcher(
        commands=Commands([partner]),
        policy=AccessPolicy,
        collaborators={},
        seconds=60.0,
        reader=SpellingReader({"/partner hd": spelled}),
    )
    context = QuestionContext(
        person=Person(user_id="keeper01", name="王磊"),
        conversation=Conversation("cid1", ConversationKind.GROUP),
        line=line,
        now=datetime(2026, 3, 2, 9, tzinfo=UTC),
    )
    answer = await dispatcher.view_for(replace(context, clicked=clicked))
    buttons = answer.view.buttons() if isinstance(answer.view, ChoiceNotice) else ()
    return answer.outcome, answer.read_as, tuple(str(button.label) for button in buttons)


async def test_the_only_name_is_answered_and_the_card_says_so() -> None:
    assert await ask("/partner hd", "/partner 宏达") == ("answered", "/partner 宏达", ())


async def test_several_names_become_buttons() -> None:
    assert await ask("/partner hd", "/partner 宏达", "/partner 华东") == (
        "hint",
        "",
        ("/partner 宏达", "/partner 华东"),
    )


async def test_a_name_that_the_asker_may_not_see_is_not_told() -> None:
    assert await ask("/partner hd", "/partner 海德", "/partner 宏达") == ("answered", "/partner 宏达", ())
    assert await ask("/partner hd", "/partner 海德") == ("not_found", "", ())


async def test_a_button_is_answered_as_it_stands() -> None:
    assert await ask("/partner hd", "/partner 宏达", clicked=True) == ("not_found", "", ())


@command("search", examples=("/search 宏达",), changes=False, summary=phrase("Help"))
async def search(text: Term) -> Ask:
    """Lead to the one partner that there is."""
    if not text.startswith("宏"):
        raise NothingFound(text)
    return Ask("/partner 宏达")


class SearchingReader(SpellingReader):
    """Takes a sentence for a search."""

    def read(
        self, sentence: str, usable: frozenset[str] | None = None, last: LastQuestion | None = None
    ) -> Reading | None:
        return Reading(line="/search 宏达", by=ReadBy.GRAMMAR, understood=(Understood("cue", "?", "?"),))


@pytest.mark.parametrize(
    ("line", "reader"),
    [("宏达?", SearchingReader({})), ("/search hd", SpellingReader({"/search hd": ("/search 宏达",)}))],
)
async def test_a_search_for_a_name_that_was_read_opens_the_only_hit(line: str, reader: SpellingReader) -> None:
    dispatcher = QuestionDispatcher(
        commands=Commands([partner, search]), policy=AccessPolicy, collaborators={}, seconds=60.0, reader=reader
    )
    asker, where = Person(user_id="keeper01", name="王磊"), Conversation("cid1", ConversationKind.DIRECT)
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    answer = await dispatcher.view_for(QuestionContext(person=asker, conversation=where, line=line, now=now))
    assert (answer.outcome, answer.command, answer.read_as) == ("answered", "partner", "/search 宏达")


@each_row("part", ["hong", "hongda", "ongd", "daho", "gdah", "zhao", "hd", "longer than any"])
def test_letters_are_found_wherever_they_stand(part: str) -> None:
    spellings = {
        str(place): f"\n{word}" for place, word in enumerate(("hongda", "xhongdaho", "ongdang", "zhaohong", "hd"))
    }
    holding = tuple(name for name, spelling in spellings.items() if part in spelling)
    assert SpelledNames.of(spellings).names(part, 2) == holding[:2]


@each_row(
    ("typed", "name"),
    [("oneil", "O'Neil"), ("muller", "Müller"), ("Mueller", "Müller"), ("dohler", "Döhler"), ("Meier", None)],
)
def test_names_are_typed_without_accents_and_apostrophes(typed: str, name: str | None) -> None:
    known = Vocabulary(partners=("O'Neil Ltd", "Müller & Söhne GmbH", "Döhler AG"))
    assert known.partner(typed) == name
