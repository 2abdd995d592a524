"""Dialogues: what sentences mean after a question; one person's, in one conversation, for half an hour."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.access.people import Person
from bot.chat.context import QuestionContext
from bot.chat.days import names_missing_day
from bot.chat.errors import BadArgument
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dialogues import KEPT_FOR, DialogueKey, Dialogues, LastQuestion
from bot.chat.questions.reading import ReadBy
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.reader import GrammarReader
from bot.understanding.scanning.recognition import Recognition
from bot.understanding.scanning.spans import Scan
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row

from .test_sentences import SENTENCES

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def turns(file: Path) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    """Yield the line before, what its rows open, the sentence, and the line that it asks for."""
    last, rows = "", tuple[str, ...]()
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("rows: "):
            rows = tuple(line.removeprefix("rows: ").split(" | "))
        elif line.startswith("/"):
            last, rows = line, ()
        elif " => " in line:
            sentence, _, expected = line.partition(" => ")
            yield last, rows, sentence, expected


FILES = sorted(Path(__file__).parent.glob("dialogues*.txt"))
TURNS = {file.stem: tuple(turns(file)) for file in FILES}


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learn() -> Vocabulary:
        return vocabulary

    made = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(made.learn())
    return made


def test_there_are_enough_of_them() -> None:
    assert sum(map(len, TURNS.values())) >= 1100


# A test for each sentence would cost several times as much as the reading.
@each_row("file", TURNS)
def test_sentences_go_on(file: str, reader: GrammarReader, grammar: Grammar) -> None:
    readable, wrong = grammar.sentences.commands | {"find", "export"}, []
    for last, rows, sentence, expected in TURNS[file]:
        reading = reader.read(sentence, None, LastQuestion(line=last, rows=rows, at=NOW))
        line = reading.line if reading else "-"
        if line != expected or (reading and grammar.commands.parse(line).command not in readable):
            wrong.append(f"{last}, then {sentence}: {line}, not {expected}")
    assert wrong == []


@dataclass
class FakeDialogueStore:
    """A store that survives the dialogues."""

    kept: dict[DialogueKey, LastQuestion] = field(default_factory=dict)

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        return [(key, last) for key, last in self.kept.items() if last.at >= since]

    async def find(self, key: DialogueKey) -> LastQuestion | None:
        return self.kept.get(key)

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        self.kept.update(changed)


def context(user_id: str = "keeper01", conversation: str = "cid1", at: datetime = NOW) -> QuestionContext:
    return QuestionContext(
        person=Person(user_id=user_id, name=user_id),
        conversation=Conversation(conversation, ConversationKind.GROUP),
        line="",
        now=at,
    )


def test_nobody_goes_on_where_somebody_else_asked() -> None:
    known = Dialogues(FakeDialogueStore(), now=lambda: NOW)
    known.remember(context(), "/stock SKU123", ())
    known.remember(context("sales01"), "/order 宏达", ())
    assert known.last(context()) == LastQuestion(line="/stock SKU123", at=NOW)
    assert known.last(context("sales01")) == LastQuestion(line="/order 宏达", at=NOW)
    assert known.last(context("buyer01")) is None
    assert known.last(context(conversation="cid2")) is None


def test_a_question_is_forgotten_after_half_an_hour() -> None:
    known = Dialogues(FakeDialogueStore(), now=lambda: NOW)
    known.remember(context(), "/stock SKU123", ())
    assert known.last(context(at=NOW + KEPT_FOR)) is not None
    assert known.last(context(at=NOW + KEPT_FOR + timedelta(seconds=1))) is None


async def test_a_restart_keeps_it() -> None:
    store = FakeDialogueStore()
    known = Dialogues(store, now=lambda: NOW)
    known.remember(context(), "/order late", ("/order SO-1",))
    await known.save()
    restarted = Dialogues(store, now=lambda: NOW + timedelta(minutes=5))
    await restarted.load()
    last = restarted.last(replace(context(), now=NOW + timedelta(minutes=5)))
    assert last == LastQuestion(line="/order late", rows=("/order SO-1",), at=NOW)


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody types, and the line that it asks for."""

    person: str
    sentence: str
    line: str


def script() -> Iterator[Turn | tuple[str, ...] | None]:
    """Yield turns, the lines that the rows of the last answer open, and None for a restart."""
    for line in (Path(__file__).parent / "group_talk.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("rows: "):
            yield tuple(line.removeprefix("rows: ").split(" | "))
        elif line == "restart":
            yield None
        elif line and not line.startswith("#"):
            person, _, rest = line.partition(": ")
            yield Turn(person, *rest.split(" => "))


@pytest.mark.parametrize("last", ["/stock SKU123", "/order SO-1001", "/order late", "/report month"])
@pytest.mark.parametrize("told", ["please, " * 10_000 + "x", "了" * 10_000 + "x", "那宏达呢" + "长" * 200])
def test_a_story_is_not_looked_through(
    last: str, told: str, reader: GrammarReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(recognition: Recognition, text: str) -> Scan:
        raise AssertionError("this takes seconds, in which nobody is answered")

    monkeypatch.setattr(Recognition, "scan", scan)
    assert reader.read(told, None, LastQuestion(line=last, rows=(), at=NOW)) is None


ASKED_BEFORE = (
    *("/report", "/report last week", "/report month yoy", "/chart sales", "/customer owing", "/vendor biggest 上个月"),
    *(
        "/order",
        "/order late",
        "/order 宏达 上个月",
        "/order >100000",
        "/order SO-1001",
        "/find 宏达",
        "/export order late",
    ),
    *(
        "/export order late",
        "/stock",
        "/stock SKU123",
        "/stock SKU123 SKU124",
        "/stock @上海仓",
        "/stock 螺丝 ×50",
        "/price SKU123",
    ),
    *("/invoice INV-7", "/bill overdue", "/payment", "/customer", "/customer 宏达", "/product best", "/shortage"),
    *("/po PO-1001", "/pending", "/why PO-1001", "/audit PO-1001", "/delivery SO-1001", "/arrivals", "/mo", "/alerts"),
    *("/mute stock.low 2h", "/watches", "/subscriptions", "/help", "/help lang", "/lang en", "/whoami"),
)


@pytest.mark.parametrize("every", [907, pytest.param(11, marks=pytest.mark.soak)])
def test_whatever_was_asked_before_what_is_read_can_be_answered(
    every: int, reader: GrammarReader, commands: Commands
) -> None:
    pairs = itertools.product((sentence for sentence, _ in SENTENCES), ASKED_BEFORE)
    for sentence, before in itertools.islice(pairs, 0, None, every):
        reading = reader.read(sentence, None, LastQuestion(line=before, rows=("SO-1001", "SO-1002"), at=NOW))
        if reading is None or reading.unsure:
            continue
        for line in (*([reading.line] if reading.by is ReadBy.CONTEXT else []), *reading.alternatives):
            parsed = commands.parse(line)
            assert parsed.command is not None, (before, sentence, line)
            assert commands[parsed.command].only_asks, (before, sentence, line)
            try:
                commands[parsed.command].signature.parse(parsed.rest, mentions=False)
            except BadArgument:
                assert names_missing_day(parsed.rest), (before, sentence, line)


@each_row("before", ["/report", "/order", "/customer owing", "/watches"])
def test_a_wish_after_a_list_is_about_what_it_names(before: str, reader: GrammarReader) -> None:
    reading = reader.read("SO-1001有变化告诉我", None, LastQuestion(line=before, rows=(), at=NOW))
    assert reading is not None
    assert (reading.line, reading.change) == ("/order SO-1001", "/watch SO-1001")


async def test_several_people_go_on_in_one_group_across_restarts(reader: GrammarReader) -> None:
    """Each goes on from their own last question, whatever the others asked meanwhile."""
    store, turn, played = FakeDialogueStore(), Turn("", "", ""), 0
    known = Dialogues(store, now=lambda: NOW)
    for step in script():
        if step is None:
            await known.save()
            known = Dialogues(store, now=lambda: NOW)
            await known.load()
        elif isinstance(step, Turn):
            turn, played = step, played + 1
            reading = reader.read(step.sentence, None, known.last(context(step.person)))
            assert reading is not None, step
            assert (step.person, step.sentence, reading.line) == (turn.person, turn.sentence, turn.line)
            known.remember(context(step.person), reading.line, ())
        else:
            known.remember(context(turn.person), turn.line, step)
    assert played >= 60
