"""A sentence with what was found in it: the spans, each of one kind, and what is left to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.chat.days import names_days, names_missing_day, names_month_in_digits

MASK = "\x00"


class SpanKind(StrEnum):
    """What a part of a sentence stands for."""

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
    """A part of a sentence: as it was written, and what it stands for."""

    kind: SpanKind
    start: int
    text: str
    value: str = ""
    command: str = ""
    """The command that shows a document."""


@dataclass(slots=True)
class Scan:
    """A sentence with what was found in it so far; ``rest`` is as long as the text, with what was found masked."""

    text: str
    rest: str
    spans: list[Span] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Scan:
        """Begin with nothing found."""
        return cls(text, text.casefold() if len(text.casefold()) == len(text) else text)

    def take(self, kind: SpanKind, start: int, end: int, value: str = "", command: str = "") -> None:
        """Note a span and mask it."""
        self.spans.append(Span(kind, start, self.text[start:end], value or self.text[start:end], command))
        self.rest = self.rest[:start] + MASK * (end - start) + self.rest[end:]

    def drop(self, start: int, end: int) -> None:
        """Mask what means nothing."""
        self.rest = self.rest[:start] + MASK * (end - start) + self.rest[end:]

    def respell(self, rest: str) -> None:
        """Go on with other characters in as many places; what was found stays as it was written."""
        both = zip(self.text, self.rest, rest, strict=True)
        self.text = "".join(new if new != old else written for written, old, new in both)
        self.rest = rest

    def of_kind(self, kind: SpanKind) -> list[Span]:
        """Return the spans of one kind in their order."""
        return sorted((span for span in self.spans if span.kind is kind), key=lambda span: span.start)

    @property
    def has_subject(self) -> bool:
        """Whether anything is named that a question can be about."""
        return any(span.kind not in {SpanKind.CUE, SpanKind.DATE, SpanKind.OFF_TOPIC} for span in self.spans)


def days_said(scan: Scan, *, months: bool) -> str:
    """Return the first days that a sentence names, with ``months`` also a month in digits; empty without any."""
    named = (names_days, names_missing_day, *([names_month_in_digits] if months else []))
    dates = (span.text for span in scan.of_kind(SpanKind.DATE))
    return next((text for text in dates if any(says(text) for says in named)), "")
