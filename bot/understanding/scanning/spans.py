"""A sentence with its recognised parts: the spans, each of one kind, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter

from bot.chat.days import names_days, names_missing_day, names_month_in_digits

MASK = "\x00"


class SpanKind(StrEnum):
    """The kind of a part of a sentence."""

    DOCUMENT = "document"
    DELIVERY = "delivery"
    PRODUCT = "product"
    DIGITS = "digits"
    PARTNER = "partner"
    PERSON = "person"
    WAREHOUSE = "warehouse"
    PLACE = "place"
    QUANTITY = "quantity"
    DATE = "date"
    OFF_TOPIC = "off_topic"
    CUE = "cue"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a sentence: its text, and its meaning."""

    kind: SpanKind
    start: int
    text: str
    value: str = ""
    command: str = ""
    """The command that shows a document."""


@dataclass(slots=True)
class Scan:
    """A sentence with the parts found so far; ``rest`` has the text's length, with found parts masked."""

    text: str
    rest: str
    spans: list[Span] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Scan:
        """Begin with nothing found."""
        return cls(text, text.casefold() if len(text.casefold()) == len(text) else text)

    def take(self, kind: SpanKind, start: int, end: int, value: str = "", command: str = "") -> None:
        """Record a span and mask it."""
        self.spans.append(Span(kind, start, self.text[start:end], value or self.text[start:end], command))
        self.rest = self.rest[:start] + MASK * (end - start) + self.rest[end:]

    def drop(self, start: int, end: int) -> None:
        """Mask a meaningless part."""
        self.rest = self.rest[:start] + MASK * (end - start) + self.rest[end:]

    def respell(self, rest: str) -> None:
        """Replace the rest by other characters of the same length; found parts keep their text."""
        both = zip(self.text, self.rest, rest, strict=True)
        self.text = "".join(new if new != old else written for written, old, new in both)
        self.rest = rest

    def of_kind(self, kind: SpanKind) -> list[Span]:
        """Return the spans of one kind in order."""
        return sorted([span for span in self.spans if span.kind is kind], key=attrgetter("start"))

    @property
    def has_subject(self) -> bool:
        """Return whether the sentence names a possible subject of a question."""
        return any(span.kind not in {SpanKind.CUE, SpanKind.DATE, SpanKind.OFF_TOPIC} for span in self.spans)


def days_said(scan: Scan, *, months: bool) -> str:
    """Return the first days of a sentence, with ``months`` also a month in digits; empty if there are none."""
    return next(iter(all_days_said(scan, months=months)), "")


def all_days_said(scan: Scan, *, months: bool) -> list[str]:
    """Return all days of a sentence, each once."""
    named = (names_days, names_missing_day, *([names_month_in_digits] if months else []))
    dates = (span.text for span in scan.of_kind(SpanKind.DATE))
    return [*dict.fromkeys(text for text in dates if any(says(text) for says in named))]
