"""What a sentence says and its line cannot hold is told on the card: nothing is left out without a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from bot.cards.notices import WithheldNotice
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import Reading, without_knowledge
from bot.chat.registry import Commands
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row
from tests.understanding.test_dialogues import TURNS
from tests.understanding.test_sentences import words_told

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lines_of(name: str) -> Iterator[str]:
    return (line for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#")


def told(reading: Reading | None) -> str:
    """Return a reading as the table has it."""
    if reading is None:
        return "-"
    lines = " or ".join((reading.line, *(reading.alternatives if reading.unsure else ())))
    unknown = f" | not found: {', '.join(reading.unknown)}" if reading.unknown else ""
    unheld = f" | left out: {', '.join(reading.unheld)}" if reading.unheld else ""
    return f"{'? ' if reading.unsure else ''}{lines}{unknown}{unheld}"


def test_what_no_line_holds_is_told(grammar: Grammar) -> None:
    table = [line.partition(" => ") for line in lines_of("left_out.txt")]
    assert len(table) >= 100
    assert [f"{sentence} => {told(grammar.read(sentence))}" for sentence, _, _ in table] == [
        f"{sentence} => {expected}" for sentence, _, expected in table
    ]


def test_words_of_every_day_are_told_where_no_line_holds_them(grammar: Grammar) -> None:
    talk = dict(line.partition(" => ")[::2] for line in lines_of("everyday_talk.txt"))
    assert {sentence: words_told(grammar.read(sentence)) for sentence in talk} == talk


def test_of_dialogues_only_what_is_left_out_is_told(grammar: Grammar) -> None:
    read = {
        sentence: follow(grammar, sentence, LastQuestion(line=last, rows=rows, at=NOW))
        for last, rows, sentence, _ in chain.from_iterable(TURNS.values())
    }
    told_words = {turn: words for turn, reading in read.items() if (words := words_told(reading))}
    assert told_words == {"which open orders wait for it": "wait", "谁提的陈立的有没有": "提"}


@each_row(
    ("last", "sentence", "expected"),
    [
        ("/order 宏达", "那大疆和申力呢", "/order 申力 | not found: 大疆"),
        ("/order 宏达", "上个月和这个月的呢", "/order 宏达 上个月 | left out: 这个月"),
        ("/stock SKU123", "what about SKU124 in mars", "/stock SKU124 | not found: mars"),
    ],
)
def test_a_sentence_that_goes_on_tells_it_too(last: str, sentence: str, expected: str, grammar: Grammar) -> None:
    assert told(follow(grammar, sentence, LastQuestion(line=last, at=NOW))) == expected


def test_who_may_see_no_names_is_not_told_which_the_company_has(grammar: Grammar) -> None:
    reading = grammar.read("宏达和大疆的最大的订单")
    assert reading is not None
    hidden = without_knowledge(reading)
    assert (hidden.unknown, hidden.unheld) == ((), ("大疆",))


def test_the_card_tells_it_after_the_line() -> None:
    answer = PreparedAnswer(
        WithheldNotice(), "stock", "answered", read_as="/stock SKU123", unknown=("大疆",), unheld=("上个月",)
    )
    assert str(answer.reading) == (
        "Read as /stock SKU123. Not known here: “大疆” (/find searches the ERP for names). "
        "Not taken into account: “上个月”"
    )


def test_before_anything_is_learnt_no_name_is_said_not_to_be_found(commands: Commands) -> None:
    reading = Grammar(commands, Sentences.load(commands), Vocabulary()).read("李雷的SKU123还有多少")
    assert reading is not None
    assert (reading.unknown, reading.unheld) == ((), ("李雷",))
