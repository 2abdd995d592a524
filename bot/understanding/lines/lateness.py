"""Questions for anything late or due, without a kind: 有什么逾期的, "what is late", 本周到期的."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

from bot.understanding.lines.composer import LineComposer
from bot.understanding.lines.named_lists import soon
from bot.understanding.scanning.recognition import end_of
from bot.understanding.scanning.spans import Scan, Span, SpanKind, days_said
from bot.understanding.spoken_words import SpokenWords

_LATE = ("order late", "delivery late", "po late", "mo late", "invoice overdue", "bill overdue")
_DUE = ("order open", "delivery", "po open", "mo", "invoice open", "bill open")
"""The lists of what is late, and of what is due on some days."""
_ON_DAYS = frozenset({"到期", "到期的", "到期了的", "due", "is due", "are due", "falling due"})
"""What is due on days, and by itself may be due already."""
_OF_SOMEBODY = re.compile(
    r"[我你您他她咱谁]|\b(?:i|i'm|im|i'll|i've|me|my|you|you're|he|she|who|whose)\b", re.IGNORECASE
)
"""Somebody is late, or what is late is somebody's."""
_DOCUMENTS = re.compile("[单票款账钱]")
"""Signs of words for documents and money."""
_OF_ANYTHING = frozenset({"stock", "product", "alerts", "help", "find"})
"""Commands for which such words speak as 有没有, 清单 and "what is"."""


@dataclass(frozen=True)
class LatenessFinder:
    """Recognises questions for anything late or due, and nothing else."""

    lines: LineComposer

    def find(self, scan: Scan, usable: frozenset[str] | None) -> tuple[str, ...]:
        """Return the lists of everything late, or due; empty if a sentence names a kind, or anything else."""
        text = scan.text.casefold()
        due, late = (words.search(text) for words in self._words)
        match = due or late
        if match is None or _OF_SOMEBODY.search(text) or self._is_part_of_a_word(scan, match):
            return ()
        days = days_said(scan, months=False)
        if due and due[0] in _ON_DAYS and not days:
            return ()
        if not self._says_nothing_else(text, usable):
            return ()
        if due is None:
            return tuple(f"/{each} {days}".rstrip() for each in _LATE)
        due_then = f" {soon(text)}" if not days else f" due {days}" if days.isascii() else f" {days}到期"
        return tuple(f"/{each}{due_then}" for each in _DUE)

    @property
    def _words(self) -> tuple[SpokenWords, SpokenWords]:
        return self.lines.sentences.due_soon, self.lines.sentences.late

    def _is_part_of_a_word(self, scan: Scan, match: re.Match[str]) -> bool:
        """Return whether the words are part of a longer word of a command: 谁逾期了 asks for invoices."""
        return any(
            self._is_part_of(span, match)
            for span in scan.of_kind(SpanKind.CUE)
            if span.start <= match.start() < end_of(span)
        )

    def _is_part_of(self, span: Span, match: re.Match[str]) -> bool:
        """Return whether a longer word contains the words, or they end after the name of a list: 发晚了的."""
        if match.end() <= end_of(span):
            return len(span.text) > len(match[0])
        return span.start < match.start() and any(cue.keyword for cue in self.lines.recognition.cues_of(span))

    def _says_nothing_else(self, text: str, usable: frozenset[str] | None) -> bool:
        """Return whether a text has only days and general words besides those for lateness."""
        for match in chain.from_iterable(words.find_all(text) for words in self._words):
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
        if _DOCUMENTS.search(text):
            return False
        scan = self.lines.recognition.scan(" ".join(text.split()))
        if any(span.kind not in {SpanKind.CUE, SpanKind.DATE} for span in scan.spans):
            return False
        return self.lines.weigh(scan, usable).keys() <= _OF_ANYTHING
