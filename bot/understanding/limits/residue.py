"""What a sentence says and its line does not: every word is used by the line, filler, or told on the card.

A line with less than the sentence answers more than was asked, and the figures do not show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from bot.chat.days import names_days, read_days
from bot.chat.parsing import split
from bot.understanding.command_kinds import EVERYDAY_LISTS, LISTED
from bot.understanding.limits.bounds import find_bounds, without_bounds
from bot.understanding.limits.comparisons import AGAINST, REPORT, is_told
from bot.understanding.scanning.finding import restrictions_in
from bot.understanding.scanning.leftovers import unread
from bot.understanding.scanning.recognition import Recognition, end_of, in_order
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.sentences import LIST_WEIGHT, Cue
from bot.words.phrase import Phrase, phrase

_OF_THE_ASKER = frozenset({"help", "whoami", "lang", "subscriptions", "watches"})
"""Commands that no name and no day restricts."""
_OF_NOW = frozenset({"stock", "shortage", "alerts", "pending", "customer", "vendor", "product", "chart", "today"})
"""Commands that tell what is now, whatever days are named."""
_WITH_ITS_DAYS = frozenset({"arrivals", "mo", "po", "delivery", "receipt", "order", "why", "audit"})
"""Commands that tell of one product or document what happens on which day."""
_MONTHS = "月"
_RECEIVED = "收"
_MEANT = 2
"""Weight from which a word asks for a command."""
_OF_SEVERAL = re.compile("[一几半]")
"""Begins a quantity that restricts nothing: 几个 asks, and 一个 is a thing."""
_MOST = re.compile(
    r"最(?:大|小|多|少|高|低|贵|便宜|早|晚|长|久)"
    r"|(?<![a-z])(?:largest|biggest|smallest|highest|lowest|oldest|earliest|cheapest|longest)(?![a-z])"
)
_NOT = re.compile(r"(?:(?<!有)没有?|尚未|未|不)$|(?<![a-z])(?:not|without|never)(?: been| yet| any)* $")
_UNDONE = re.compile("(?<!有)(?:没有?|尚未|未(?!来))[^\\s,，。的了吗]{1,5}(?=的.)")
_DUE = re.compile(r"到期|\bdue\b")
_NUMERAL = re.compile("[发备]?[0-9.,]*[零〇一二两三四五六七八九十百千万]*k?")
"""A number, which a line of needed goods has in digits."""
_SAME = re.compile("(?:就是|也就是|即|是)?(?:这|那)?[个种款把批些]?")
"""Stands between a code and what it is called."""
_GOODS = frozenset({SpanKind.PRODUCT, SpanKind.NAME})
_NUMBERED = frozenset({SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT})
_SUBJECTS = _NUMBERED | {SpanKind.NAME, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE, SpanKind.WAREHOUSE}
_SOME_DAYS = (date(2024, 1, 31), date(2027, 8, 11))
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OtherQuestion:
    """A word of a sentence that asks for another command than that of its line."""

    text: str
    command: str


@dataclass(frozen=True, slots=True)
class Residue:
    """The words of a sentence that its line does not use, as written, each once."""

    unknown: tuple[str, ...] = ()
    """Words that nobody knows: mostly names."""
    unheld: tuple[str, ...] = ()
    """Known words that the line cannot hold."""
    others: tuple[OtherQuestion, ...] = ()
    """Words that ask for something else."""


def residue(recognition: Recognition, scan: Scan, lines: Sequence[str]) -> Residue:
    """Return what none of ``lines``, the readings of one sentence, uses of it."""
    return _Check(recognition, scan, lines).residue()


def not_clear(words: Iterable[str]) -> Phrase:
    """Return what a card says of words that may ask for something else."""
    return phrase("It is not clear what “%(words)s” means here.", words=", ".join(words))


@dataclass(frozen=True)
class _Check:
    """Compares a sentence with its possible lines."""

    recognition: Recognition
    scan: Scan
    lines: Sequence[str]

    def residue(self) -> Residue:
        if self._command in _OF_THE_ASKER:
            return Residue()
        others = [span for span in self._of_kinds({SpanKind.CUE}) if not self._is_used(span)]
        new = [self.scan.text[start:end] for start, end in self._unread()]
        known = [word for word in new if word.casefold() in self.recognition.sentences.known_words]
        unheld = in_order(
            (
                *self._subjects(),
                *(span for span in others if self._strongest(span).weight < LIST_WEIGHT),
                *self._days(),
                *self._numbers(),
                *self._conditions(),
            )
        )
        texts = dict.fromkeys((*(span.text for span in unheld), *self._restrictions(), *known))
        unknown = dict.fromkeys(word for word in new if word not in known)
        asked = [
            OtherQuestion(self._as_said(span), self._strongest(span).command)
            for span in others
            if self._strongest(span).weight >= LIST_WEIGHT
        ]
        if not (self.recognition.vocabulary.goods or self.recognition.vocabulary.partners):
            return Residue(unheld=tuple(unknown | texts), others=tuple(asked))  # nothing is learnt yet
        return Residue(tuple(unknown), tuple(texts), tuple(asked))

    def _unread(self) -> Iterator[tuple[int, int]]:
        """Yield the places of words that are no part of a line, and that mean something.

        Beside a number only what may be a name counts: of its document the card tells all.
        """
        held = [
            span
            for span in self.scan.spans
            if span.kind is not SpanKind.NAME or self._holds(span) or self._is_name(span)
        ]
        known = self.recognition.sentences.known_words
        for start, end in unread(self.scan, held, self.recognition.sentences.without_meaning):
            word = self.scan.text[start:end].casefold()
            is_name = end - start > 1 and word not in known
            is_needed = _NUMERAL.fullmatch(word) and any("×" in line for line in self.lines)
            if (is_name or not self._is_of_one_document) and not is_needed:
                yield start, end

    def _meant(self, span: Span) -> list[Cue]:
        """Return what a word asks for, and not what it only makes likelier."""
        if not self.recognition.sentences.without_meaning.isdisjoint((span.value.casefold(), span.text.casefold())):
            return []
        cues = (cue for cue in self.recognition.cues_of(span) if cue.weight >= _MEANT)
        return [cue for cue in cues if not cue.keyword or cue.command not in EVERYDAY_LISTS]

    def _strongest(self, span: Span) -> Cue:
        return max(self._meant(span), key=lambda cue: cue.weight)

    def _is_used(self, span: Span) -> bool:
        """Return whether a line answers what a word asks for."""
        if self._is_of_one_document or not self._meant(span):
            return True
        if _DUE.search(self.lines[0]) and self._is_due_soon(span):
            return True
        return any(
            self._is_told(cue, line) and not self._is_of_the_other_side(cue, line, span.text)
            for line in self.lines
            for cue in self.recognition.cues_of(span)
        )

    @staticmethod
    def _is_of_the_other_side(cue: Cue, line: str, word: str) -> bool:
        """Return whether a word of what is received is said of what is paid: 未收 of bills."""
        return _RECEIVED in word and {cue.command, line.removeprefix("/").partition(" ")[0]} == {"invoice", "bill"}

    def _is_due_soon(self, span: Span) -> bool:
        """Return whether a word is one of 快逾期, which a line holds as days."""
        found = self.recognition.sentences.due_soon.find_all(self.scan.text.casefold())
        return any(match.start() < end_of(span) and span.start < match.end() for match in found)

    def _is_told(self, cue: Cue, line: str) -> bool:
        command, _, rest = line.removeprefix("/").partition(" ")
        tells, said = self.recognition.sentences.tells, rest.split()
        told = {command, *said, *(other for word in (command, *said) for other in tells.get(word, ()))}
        if not cue.keyword:
            return cue.command in told
        return cue.keyword in told or f"{cue.command}:{cue.keyword}" in told

    def _as_said(self, span: Span) -> str:
        """Return a word with what denies it: 没开票."""
        denied = _NOT.search(self.scan.rest[: span.start])
        return self.scan.text[denied.start() if denied else span.start : end_of(span)]

    @property
    def _command(self) -> str:
        return self.lines[0].removeprefix("/").partition(" ")[0]

    @cached_property
    def _said(self) -> str:
        return " ".join(word for line in self.lines for word in split(line)).casefold()

    def _holds(self, span: Span) -> bool:
        return span.value.casefold() in self._said or span.text.casefold() in self._said

    def _of_kinds(self, kinds: Iterable[SpanKind]) -> list[Span]:
        return [span for span in self.scan.spans if span.kind in kinds]

    @cached_property
    def _is_of_one_document(self) -> bool:
        if self._command not in _WITH_ITS_DAYS | LISTED:
            return False
        documents = self._of_kinds({SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.DIGITS})
        # A sentence that goes on does not name it again: 不同意 after PO-1080.
        is_number = self.recognition.vocabulary.document
        return any(map(self._holds, documents)) or any(map(is_number, split(self.lines[0].partition(" ")[2])))

    def _subjects(self) -> Iterator[Span]:
        """Yield known names and numbers that no line holds. A document and its partner count as one, and so do
        goods.
        """
        held = [span for span in self._of_kinds(_SUBJECTS) if self._holds(span)]
        kinds = _NUMBERED if self._is_of_one_document else _SUBJECTS
        for span in self._of_kinds(kinds):
            goods = span.kind is SpanKind.NAME or self.recognition.vocabulary.knows_product(span.text)
            same = goods and any(other.kind in _GOODS and self._are_one(span, other) for other in held)
            if span.kind is SpanKind.NAME and not self._is_name(span):
                continue
            if not same and not self._holds(span):
                yield span

    def _is_name(self, span: Span) -> bool:
        """Return whether the company has something of this name that is not an everyday word too, such as hold."""
        is_word = span.text.casefold() in self.recognition.sentences.known_words
        return not is_word and self.recognition.is_in_a_name(span.value)

    def _are_one(self, span: Span, other: Span) -> bool:
        """Return whether a code and a name mean the same goods: SKU125这个螺丝."""
        first, last = in_order((span, other))
        between = self.scan.text[end_of(first) : last.start].strip()
        return SpanKind.PRODUCT in {span.kind, other.kind} and _SAME.fullmatch(between) is not None

    def _days(self) -> Iterator[Span]:
        """Yield days that restrict a question and are missing from its line."""
        dates = [span for span in self._of_kinds({SpanKind.DATE}) if names_days(span.text)]
        held = [span for span in dates if self._holds(span)]
        told = self._is_of_one_document or (
            self._command in _WITH_ITS_DAYS and any(map(self._holds, self._of_kinds({SpanKind.PRODUCT})))
        )
        for span in dates:
            if told or span in held or self._is_taken_back(span):
                continue
            if any(_are_the_same(span.text, other.text) for other in held):
                continue
            if self._command in _OF_NOW and _includes_today(span.text):
                continue
            if self._command == REPORT and any(_is_right_before(span.text, other.text) for other in held):
                continue  # a report compares with the days before
            if self._command == REPORT and self._compares_with(span.text):
                continue
            yield span

    def _compares_with(self, days: str) -> bool:
        """Return whether a report compares with these days."""
        rest = self.lines[0].partition(" ")[2]
        return not AGAINST.isdisjoint(split(rest)) or is_told(rest, days)

    def _is_taken_back(self, span: Span) -> bool:
        return self.scan.text[: span.start].casefold().rstrip().endswith("not")

    def _numbers(self) -> Iterator[Span]:
        """Yield quantities and numbers missing from all lines, which write a quantity of goods as ×500."""
        if self._is_of_one_document or any("×" in line for line in self.lines):
            return
        for span in self._of_kinds({SpanKind.QUANTITY, SpanKind.DIGITS}):
            asked = _OF_SEVERAL.match(span.text) or self.scan.text.endswith("多少", 0, span.start)
            if not asked and not self._holds(span):
                months = self.scan.text.startswith(_MONTHS, end_of(span))
                yield replace(span, text=f"{span.text}{_MONTHS}") if months else span

    def _conditions(self) -> Iterator[Span]:
        """Yield restrictions for which there is no list: the largest order, what is not done."""
        command, _, rest = self.lines[0].removeprefix("/").partition(" ")
        if command not in LISTED or self._is_of_one_document:
            return
        listed = not set(rest.split()).isdisjoint(self.recognition.sentences.lists.get(command, ()))
        for span in () if listed else self._of_kinds({SpanKind.CUE}):
            if (said := self._as_said(span)) != span.text:
                yield replace(span, text=said)
        for pattern in (_MOST,) if listed else (_MOST, _UNDONE):
            for match in pattern.finditer(self.scan.text.casefold()):
                yield Span(SpanKind.CUE, match.start(), self.scan.text[match.start() : match.end()])

    def _restrictions(self) -> Iterator[str]:
        if not self._is_of_one_document:
            within = any(without_bounds(line.partition(" ")[2])[1] for line in self.lines)
            text = find_bounds(self.scan.text).rest if within else self.scan.text
            yield from restrictions_in(text)


def _includes_today(text: str) -> bool:
    """Return whether the days in a text include the current day."""
    found = [(read_days(text, today), today) for today in _SOME_DAYS]
    return all(days is not None and days.period.first <= today <= days.period.last for days, today in found)


def _are_the_same(text: str, other: str) -> bool:
    """Return whether two texts name the same days: 下周 and 下星期."""
    return all(read_days(text, today) == read_days(other, today) is not None for today in _SOME_DAYS)


def _is_right_before(text: str, later: str) -> bool:
    """Return whether the days of one text end where those of the other begin."""
    found = [(read_days(text, today), read_days(later, today)) for today in _SOME_DAYS]
    return all(
        one is not None and other is not None and one.period.last + _DAY == other.period.first for one, other in found
    )
