"""The reading of a sentence: a command line, which is shown on the card and runs with the asker's rights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from bot.chat.parsing import quote, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.words.phrase import Phrase


class ReadBy(StrEnum):
    """What read a sentence."""

    COMMAND = "command"
    GRAMMAR = "grammar"
    CONTEXT = "context"
    """The grammar, with the person's previous question."""
    MODEL = "model"
    """A language model, where the grammar found nothing or two likely readings."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A part of a sentence: its kind, its text, and its meaning."""

    kind: str
    text: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The line that a sentence asks for, and the understood parts.

    ``alternatives`` are other possible lines; ``unsure``: the first of them is as likely as ``line``, or ``line``
    leaves out part of the sentence. Then ``unsupported`` says which part.
    """

    line: str
    by: ReadBy
    alternatives: tuple[str, ...] = ()
    unsure: bool = False
    unsupported: Phrase | None = None
    by_work: bool = False
    """Whether the asker's work selects the line: for anything late."""
    understood: tuple[Understood, ...] = ()
    change: str = ""
    """The line that makes the requested change: it is shown, and never run by a sentence."""
    wants_erp: bool = False
    """Whether the sentence asks for a change that only the ERP makes."""
    unknown: tuple[str, ...] = ()
    """Unknown names in the sentence that are not in the line."""
    unheld: tuple[str, ...] = ()
    """Other parts of the sentence that the line cannot hold: a bound, an exception, further days."""
    unclear: tuple[str, ...] = ()
    """The words of ``unsupported`` that ask for something else than the line."""

    def inherited(self, last: LastQuestion | None) -> frozenset[str]:
        """Return the words of the line that are left from the ``last`` question: the sentence does not hold them."""
        if self.by is not ReadBy.CONTEXT or last is None:
            return frozenset()
        said = {word for part in self.understood for word in split(part.value)}
        return frozenset(split(self.line)).intersection(split(last.line)) - said


def named_as_typed(reading: Reading, sentence: str) -> Reading:
    """Return a reading with partners' names as the asker wrote them, so that it reveals no full name."""
    names = {
        part.value: part.text
        for part in reading.understood
        if part.kind == "partner" and part.value.casefold() not in sentence.casefold()
    }

    def as_typed(line: str) -> str:
        for name, typed in names.items():
            line = line.replace(quote(name), quote(typed)).replace(name, typed)
        return line

    lines = tuple(dict.fromkeys(map(as_typed, (reading.line, *reading.alternatives))))
    return replace(
        reading,
        line=lines[0],
        alternatives=lines[1:],
        unsure=reading.unsure and (len(lines) > 1 or not reading.alternatives),
    )


def without_knowledge(reading: Reading) -> Reading:
    """Return a reading that does not reveal which of the left-out words are names known to the company."""
    return replace(reading, unknown=(), unheld=(*reading.unknown, *reading.unheld))


def settle(reading: Reading, asked: Reading, commands: Commands) -> Reading:
    """Return the one of several likely readings that a model ``asked`` chooses too; all of them if it chooses none."""
    meant = commands.parse(asked.line)
    lines = (reading.line, *reading.alternatives)
    line = next((line for line in lines if commands.parse(line) == meant), "")
    return replace(reading, line=line, by=asked.by, alternatives=(), unsure=False) if line else reading


def of_work(reading: Reading, commands: Commands, own: Collection[str], usable: Collection[str]) -> Reading:
    """Return a reading ``by_work`` with the lines of the asker's ``own`` commands, otherwise with all ``usable``
    ones.
    """
    lines = [line for line in (reading.line, *reading.alternatives) if _subject(line, commands) in usable]
    meant = [line for line in lines if _subject(line, commands) in own] or lines
    if not meant:
        return reading  # the answer says what they may not ask
    return replace(reading, line=meant[0], alternatives=tuple(meant[1:]), unsure=len(meant) > 1)


def _subject(line: str, commands: Commands) -> str | None:
    """Return the command of a line, or of the list that it exports."""
    parsed = commands.parse(line)
    return commands.parse(f"/{parsed.rest}").command if parsed.command == "export" else parsed.command


class NameSpelling(Protocol):
    """Resolves abbreviated names; implemented by `bot.understanding`."""

    def spell_out(self, line: str) -> tuple[str, ...]:
        """Return the possible lines of a typed one with a name in pinyin or first letters."""
        ...


class SentenceReader(NameSpelling, Protocol):
    """Reads sentences; implemented by `bot.understanding`."""

    def read(
        self, sentence: str, usable: frozenset[str] | None = None, last: LastQuestion | None = None
    ) -> Reading | None:
        """Return the reading of a sentence with the commands ``usable`` (None: all); None if there is none.

        ``last`` is the person's previous question. The line never names a command that may change anything.
        """
        ...


class SentenceModel(Protocol):
    """Reads what rules cannot, at a cost; implemented by `bot.understanding.language_model`."""

    async def read(self, sentence: str, conversation_id: str, usable: frozenset[str]) -> Reading | None:
        """Return the reading of a sentence with the commands ``usable``; None if there is none.

        The line never names a command that may change anything. Raises nothing but cancellation.
        """
        ...
