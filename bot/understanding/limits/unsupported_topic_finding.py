"""Finds the topics of a sentence that no command covers, and the nearest lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.chat.days import names_days_over
from bot.understanding.command_kinds import DUE
from bot.understanding.limits.comparisons import compares, compares_with_usual
from bot.understanding.lines.composer import LineComposer
from bot.understanding.lines.trade_finding import OF_ONE
from bot.understanding.lines.weighing import SAYS_OUTRIGHT, SAYS_WHAT_TO_DO
from bot.understanding.scanning.finding import BOUND
from bot.understanding.scanning.recognition import Recognition, end_of, partners_or_people
from bot.understanding.scanning.spans import Scan, SpanKind, days_said
from bot.understanding.sentences import LIST_WEIGHT, Sentences
from bot.understanding.unsupported_topics import UnsupportedTopic, is_done
from bot.understanding.vocabulary import Trade

_OF_NOW = frozenset({"stock", "shortage", "customer", "vendor", "pending", "alerts"})
"""Commands that tell how something is now."""


@dataclass(frozen=True, slots=True)
class UnsupportedRequest:
    """An uncovered topic in a sentence, its words, and the sentence without them."""

    topic: UnsupportedTopic
    text: str
    rest: str


@dataclass(frozen=True)
class UnsupportedTopicFinder:
    """Finds topics that no command covers."""

    lines: LineComposer

    @property
    def _recognition(self) -> Recognition:
        return self.lines.recognition

    @property
    def _sentences(self) -> Sentences:
        return self.lines.sentences

    def find(self, scan: Scan, usable: frozenset[str] | None) -> UnsupportedRequest | None:
        """Return the uncovered topic of a sentence; None if a line holds all of it."""
        products = scan.of_kind(SpanKind.PRODUCT)
        if not products and (bound := BOUND.search(scan.text)):
            return UnsupportedRequest(UnsupportedTopic.BOUND, bound[0], BOUND.sub(" ", scan.text))
        if products and self.lines.weigh(scan, usable).get("report", 0) >= SAYS_OUTRIGHT:
            return UnsupportedRequest(UnsupportedTopic.TURNOVER, products[0].text, scan.text)
        if partners_or_people(scan) and not any(scan.of_kind(kind) for kind in OF_ONE) and compares(scan):
            return UnsupportedRequest(UnsupportedTopic.COMPARISON, scan.text, scan.text)
        if not any(words.search(scan.text.casefold()) for words in self._sentences.gaps.values()):
            return None  # names are looked up in all that the company has
        text, sold_to_us = self._without_names(scan), self.lines.trades.trade_of(scan) is Trade.PURCHASE
        for said, match in self._said(text):
            topic = (
                UnsupportedTopic.RECEIVED if said is UnsupportedTopic.SHIPPED and sold_to_us else said
            )  # what a vendor sent came in
            if topic is UnsupportedTopic.RECEIVED and self.lines.trades.has_receipts:
                topic = UnsupportedTopic.RECEIVED_OF_PRODUCT
            words = scan.text[match.start() : match.end()]
            rest = (
                scan.text if topic.step and topic is not UnsupportedTopic.CANCELLED else scan.text.replace(words, " ")
            )
            inside = [span for span in scan.spans if match.start() <= span.start and end_of(span) <= match.end()]
            beside = Scan(scan.text, scan.rest, [span for span in scan.spans if span not in inside])
            if self._is_meant(topic, scan, beside, usable):
                return UnsupportedRequest(topic, words, rest)
        return None

    def left_out(self, scan: Scan, line: str) -> UnsupportedTopic | None:
        """Return why a line omits days in the sentence; None if it does not."""
        command = line.removeprefix("/").partition(" ")[0]
        days = days_said(scan, months=True)
        if line.startswith("/chart stock") and not scan.of_kind(SpanKind.PRODUCT) and days:
            return UnsupportedTopic.NOW_ONLY  # a picture is of one product
        if command in _OF_NOW and compares_with_usual(scan.text):
            return UnsupportedTopic.NOW_ONLY
        if not days or days in line or scan.of_kind(SpanKind.DOCUMENT) or scan.of_kind(SpanKind.DELIVERY):
            return None
        return UnsupportedTopic.NOW_ONLY if command in _OF_NOW and names_days_over(days) else None

    def _said(self, text: str) -> Iterator[tuple[UnsupportedTopic, re.Match[str]]]:
        for topic in UnsupportedTopic:
            words = self._sentences.gaps.get(topic)
            for match in words.find_all(text) if words else ():
                if (topic.step is None and topic is not UnsupportedTopic.STATE) or is_done(text, match):
                    yield topic, match

    def _without_names(self, scan: Scan) -> str:
        """Return a lower-case sentence with names and numbers masked, which may look like words."""
        text = scan.text.casefold() if len(scan.text.casefold()) == len(scan.text) else scan.text
        for span in scan.spans:
            unknown = span.kind is SpanKind.NAME and not self._recognition.is_in_a_name(span.value)
            if span.kind not in {SpanKind.CUE, SpanKind.DATE, SpanKind.QUANTITY} and not unknown:
                end = span.start + len(span.text)
                text = text[: span.start] + "\x00" * len(span.text) + text[end:]
        return text

    def _is_meant(self, topic: UnsupportedTopic, scan: Scan, beside: Scan, usable: frozenset[str] | None) -> bool:
        """Return whether the words mean an uncovered topic, given the rest of the sentence."""
        if topic is UnsupportedTopic.SUBSTITUTE:
            return True
        if any(scan.of_kind(kind) for kind in OF_ONE):
            return False  # its card tells
        # 过期 in 快过期 speaks for invoices by itself.
        weights = self.lines.weigh(beside if topic is UnsupportedTopic.EXPIRY else scan, usable)
        top = max(weights, key=lambda name: weights[name], default="")
        if topic is UnsupportedTopic.EXPIRY:
            listed = top in DUE and weights[top] >= SAYS_WHAT_TO_DO  # 料 only hints at a purchase order
            return not self._recognition.is_known(scan) and not listed
        if topic is UnsupportedTopic.STATE:
            if self.lines.lists.tells_state(top, scan):
                return False
            listed = top in DUE and weights[top] >= SAYS_WHAT_TO_DO
            return listed and not self.lines.lists.named(top, beside)
        if topic is UnsupportedTopic.SHIPPED and self.lines.trades.has_deliveries:
            return False  # they tell
        if topic is UnsupportedTopic.RECEIVED_OF_PRODUCT and not self.lines.trades.names_goods(scan):
            return False  # they tell, too
        step = topic.step
        if step is None:
            return not partners_or_people(scan)
        days = days_said(scan, months=True)
        if not days or not step.is_past(days):
            return False
        is_of_it = any(weights.get(name, 0) >= SAYS_OUTRIGHT for name in step.commands)
        return is_of_it or top in step.commands or (step.says_what and weights.get(top, 0) < LIST_WEIGHT)
