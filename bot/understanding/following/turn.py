"""A sentence after a question: what it says, and what the line before it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from bot.chat.days import Days
from bot.chat.parsing import ParsedLine, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.exporting import listed_by
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import without_bounds
from bot.understanding.limits.comparisons import REPORT
from bot.understanding.scanning.spans import Scan
from bot.understanding.wishes import Wish, find_wish

NEED = "×"
"""Begins the quantity that is needed, in a line."""
LAST_YEAR = frozenset({"yoy", "同比"})
AGAINST = LAST_YEAR | {"sequential", "环比"}
"""What says with which days a report compares."""


class PartsOfLine(NamedTuple):
    """A line taken apart: its subject, its warehouse, its named list, its days, and the quantity that is needed."""

    words: list[str]
    stores: list[str]
    listed: str
    days: str
    need: str


def parts_of(grammar: Grammar, line: ParsedLine) -> PartsOfLine:
    """Take a line apart."""
    command = line.command or ""
    words = list(split(without_bounds(line.rest)[0], listed=command == "stock"))
    days = Days.take_marked(words) or ""
    listed = next((word for word in words if word in grammar.sentences.lists.get(command, ())), "")
    stores = [word for word in words if word.startswith("@")]
    need = next((word for word in words if word.startswith(NEED)), "")
    said = {listed, need, *stores, *(AGAINST if command == REPORT else ())}
    return PartsOfLine([word for word in words if word not in said], stores, listed, days, need)


@dataclass(frozen=True)
class Turn:
    """A normalised text after a question, read with the commands ``usable`` (None: all)."""

    grammar: Grammar
    text: str
    last: LastQuestion
    usable: frozenset[str] | None = None

    def saying(self, text: str) -> Turn:
        """Return the turn as if another text was said."""
        return replace(self, text=text)

    def on_the_list(self) -> Turn:
        """Return the turn after the list itself, where it was exported."""
        return replace(self, last=replace(self.last, line=listed_by(self.last.line, self.grammar.commands)))

    @cached_property
    def before(self) -> ParsedLine:
        """The line before."""
        return self.grammar.commands.parse(self.last.line)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the line before."""
        return tuple(split(self.before.rest))

    @cached_property
    def parts(self) -> PartsOfLine:
        """The line before, taken apart."""
        return parts_of(self.grammar, self.before)

    @property
    def subject(self) -> list[str]:
        """Of whom or what the line before is; of a price, the product, and not for whom it is."""
        return self.parts.words[:1] if self.before.command == "price" else self.parts.words

    @property
    def names_a_document(self) -> bool:
        """Whether the line before names a document by its number."""
        return any(self.grammar.vocabulary.document(word) for word in self.words)

    @property
    def scan(self) -> Scan:
        """What was found in the text."""
        return self.grammar.recognition.scan(self.text)

    @cached_property
    def wish(self) -> Wish | None:
        """What the text wants changed; None where it only asks, and for a typed line."""
        return None if self.text.startswith("/") else find_wish(self.text.casefold(), self.grammar.sentences.wishes)

    @cached_property
    def weights(self) -> Mapping[str, int]:
        """How much speaks for each command, of nobody in particular."""
        return self.grammar.lines.weigh(self.scan, self.usable)

    @property
    def asked(self) -> str:
        """The command for which most speaks; empty where nothing does."""
        return max(self.weights, key=lambda name: self.weights[name], default="")

    def may_use(self, command: str | None) -> bool:
        """Whether there is such a command for the asker."""
        return command is not None and (self.usable is None or command in self.usable)

    def reading(self, line: str, *understood: Understood) -> Reading:
        """Return a line as what the text asks for; without ``understood``, all of the text says so."""
        return Reading(line=line, by=ReadBy.CONTEXT, understood=understood or said_in(self.scan))


def said_in(scan: Scan) -> tuple[Understood, ...]:
    """Return what a sentence was understood to say, part by part."""
    return tuple(Understood(span.kind.value, span.text, span.value) for span in scan.spans)
