"""A sentence after a question: its content, the subject of the previous line, and the words by which it goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from bot.chat.days import Days
from bot.chat.parsing import ParsedLine, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.change_requests import ChangeRequest, find_change_request
from bot.understanding.exporting import listed_by
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import without_bounds
from bot.understanding.limits.comparisons import AGAINST, REPORT
from bot.understanding.scanning.spans import Scan, SpanKind

NEED = "×"
"""Begins the quantity that is needed, in a line."""


class PartsOfLine(NamedTuple):
    """The parts of a line: its subject, warehouse, named list, days, and the quantity needed."""

    words: list[str]
    stores: list[str]
    listed: str
    days: str
    need: str


def parts_of(grammar: Grammar, line: ParsedLine) -> PartsOfLine:
    """Return the parts of a line."""
    command = line.command or ""
    words = list(split(without_bounds(line.rest)[0], listed=command == "stock"))
    days = Days.take_marked(words) or ""
    listed = next((word for word in words if word in grammar.sentences.lists.get(command, ())), "")
    stores = [word for word in words if word.startswith("@")]
    need = next((word for word in words if word.startswith(NEED)), "")
    said = {listed, need, *stores, *(AGAINST if command == REPORT else ())}
    return PartsOfLine([word for word in words if word not in said], stores, listed, days, need)


@dataclass(frozen=True)
class FollowUp:
    """A normalised text after a question, read with the commands ``usable`` (None: all)."""

    grammar: Grammar
    text: str
    last: LastQuestion
    usable: frozenset[str] | None = None

    def saying(self, text: str) -> FollowUp:
        """Return the turn with another text."""
        return replace(self, text=text)

    def says(self, what: str) -> bool:
        """Return whether the text contains any of the words for something (`Sentences.says`)."""
        return self.grammar.sentences.says(what, self.text)

    def on_the_list(self) -> FollowUp:
        """Return the turn after the list itself, if it was exported."""
        return replace(self, last=replace(self.last, line=listed_by(self.last.line, self.grammar.commands)))

    @cached_property
    def before(self) -> ParsedLine:
        """The previous line."""
        return self.grammar.commands.parse(self.last.line)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the previous line."""
        return tuple(split(self.before.rest))

    @cached_property
    def parts(self) -> PartsOfLine:
        """The parts of the previous line."""
        return parts_of(self.grammar, self.before)

    @property
    def subject(self) -> list[str]:
        """The subject of the previous line; for a price the product, not its customer."""
        return self.parts.words[:1] if self.before.command == "price" else self.parts.words

    @property
    def names_a_document(self) -> bool:
        """Whether the previous line names a document by its number."""
        return any(self.grammar.vocabulary.document(word) for word in self.words)

    @property
    def scan(self) -> Scan:
        """The scan of the text."""
        return self.grammar.recognition.scan(self.text)

    @cached_property
    def change(self) -> ChangeRequest | None:
        """The change the text asks for; None for a question, and for a typed line."""
        return (
            None
            if self.text.startswith("/")
            else find_change_request(self.text.casefold(), self.grammar.sentences.wishes)
        )

    @cached_property
    def weights(self) -> Mapping[str, int]:
        """The weight of each command, without a subject."""
        return self.grammar.lines.weigh(self.scan, self.usable)

    @property
    def asked(self) -> str:
        """The command with the most weight; empty if none has any."""
        return max(self.weights, key=lambda name: self.weights[name], default="")

    def may_use(self, command: str | None) -> bool:
        """Return whether the asker has this command."""
        return command is not None and (self.usable is None or command in self.usable)

    def reading(self, line: str, *understood: Understood) -> Reading:
        """Return a line as the reading of the text; without ``understood``, all of the text supports it."""
        return Reading(line=line, by=ReadBy.CONTEXT, understood=understood or said_in(self.scan))


def said_in(scan: Scan) -> tuple[Understood, ...]:
    """Return the understood parts of a sentence."""
    return tuple(Understood(span.kind.value, span.text, span.value) for span in scan.spans)


GOES_ON = re.compile(
    r"^(?:算了(?:吧|不看了)?[\s,，]*(?:改|先|就)?(?:看看?|查一?下?)?|那么?|换成|换|改成|改|再看看?|再查一?下?)(?!个|张|家|单)|呢$"
    r"|^不(?:要|看|是)[^\s,，]{1,6}[\s,，]+(?:就|我|)(?:要|看|是)(?=[^\s])"
    r"|^(?:and|what about|how about|then)\b|^in (?=[a-z]+$)"
    r"|^(?:only |just )?(?:of|from|by) (?=[^\s,?]+(?: [^\s,?]+)?\??$)"
    r"|,? (?:for )?(?:the )?same (?:customer|client)$|同一?个?客户的?$",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"(?:它|他|她)们?(?:这家)?的?|(?:这|那)家|(?:这|那|该)(?:个|家|张|单|款)?(?:客户|供应商|产品|公司|货)的?|(?:这|那|该)(?:个|家|张|单|款)?的"
    r"|\b(?:its|their|his|her|(?:from|to|of|with) them)\b|\b(?:this|that) (?:customer|vendor|supplier)(?:'s)?\b",
    re.IGNORECASE,
)
OF_SEVERAL = re.compile(
    r"哪些|什么货|有什么|有[^，,]*的[吗么没]|清单|列表|所有|全部|几[张个笔]|\b(?:list|all|any|which|orders|invoices)\b",
    re.IGNORECASE,
)
ANY_OF_THEM = re.compile("有没有(?P<which>[^，,]*的)$")
"""Ask for several, and not for the one that is there: 有没有延期的."""


def refers_back(follow_up: FollowUp) -> bool:
    """Return whether a sentence has no meaning without the previous question."""
    return PRONOUN.search(follow_up.text) is not None


def names_nobody_unknown(follow_up: FollowUp) -> bool:
    """Return whether all unrecognised names in a text are names of goods."""
    return all(follow_up.grammar.vocabulary.knows_product(span.value) for span in follow_up.scan.of_kind(SpanKind.NAME))
