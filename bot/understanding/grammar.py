"""The company's own grammar: from the parts of a sentence to the command line it asks for."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf

from bot.chat.days import names_missing_day
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line, normalise
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.chat.registry import Commands
from bot.understanding.change_requests import ChangeRequest, find_change_request, line_of, shown_instead
from bot.understanding.command_kinds import BARE, BILLED_BY, BY_NUMBER, REASON
from bot.understanding.exporting import drop_export, export_reading, wants_the_last
from bot.understanding.likeness import NOTHING, Likeness, pieces_of
from bot.understanding.limits.bounds import SpokenBounds, find_bounds
from bot.understanding.limits.comparisons import REPORT, find_comparison, may_compare
from bot.understanding.limits.creators import SpokenCreator, find_creator
from bot.understanding.limits.limit_finding import Limit, LimitFinder
from bot.understanding.limits.parts import read_both
from bot.understanding.limits.residue import not_clear, residue
from bot.understanding.limits.unsupported_topic_finding import UnsupportedRequest, UnsupportedTopicFinder
from bot.understanding.lines.composer import LineComposer
from bot.understanding.lines.lateness import LatenessFinder
from bot.understanding.lines.lists import MOST_ALTERNATIVES
from bot.understanding.lines.products import product_documents_asked
from bot.understanding.lines.weighing import DECISIVE, SAYS_OUTRIGHT, SAYS_WHAT_TO_DO
from bot.understanding.remarks import is_remark
from bot.understanding.scanning.recognition import (
    NAMED,
    SHORTEST_NAME,
    Recognition,
    in_order,
    partners_or_people,
    says_itself,
)
from bot.understanding.scanning.spans import Scan, Span, SpanKind, days_said
from bot.understanding.sentences import IN_THE_ERP, LIST_WEIGHT, Sentences
from bot.understanding.typed import TypedLines, command_of, fits
from bot.understanding.unsupported_topics import UnsupportedTopic
from bot.understanding.vocabulary import Trade, Vocabulary
from bot.words.phrase import phrase

MAX_SENTENCE = 120
"""Characters of a sentence that is read: longer ones tell stories."""
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_OF_CODE = frozenset("<>{}|=`\\")
"""Signs of markup and programs, which hold words but are no sentences."""
_WORD, _CHOSEN_OUTRIGHT, _CHOSEN, _CHOSEN_BY_A_HINT, _AS_LIKELY = 0.3, 6.0, 2.5, 1.0, 0.25
"""What a word's weight, and that words chose a command (outright, or only questions and hints, where nothing is named),
count beside the logarithm of likeness; and the difference below which two are as likely. Measured on sentences that
were not learnt from: `docs/explanation/understanding.md`."""
_OF_THE_COMPANY_AND_NOTHING = 1.0
"""How much more a sentence that names something of the company must be like office talk."""
_OF_THE_COMPANY = frozenset({SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.WAREHOUSE})
"""What no sentence about anything else names."""
_LONG_NAME = 4
"""Signs from which an unknown name counts as one; shorter ones are mostly words."""
_UNKNOWN = "name"
"""The kind of a name that nobody knows."""
_OF_NO_PRODUCT = frozenset({"report", "order", "invoice", "delivery"})
"""Commands that tell what was sold, and not what of one product."""
_OF_A_PRODUCT = frozenset({"stock", "price"})
_CHANGES_NOTHING = phrase("A sentence changes nothing: please do it in the ERP.")
_NOTHING_NEAR = command_line("help", "examples")
"""Offered where nothing comes near: what can be asked."""
_NUMBERED = frozenset({SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT})


@dataclass(frozen=True)
class Grammar:
    """Reads sentences with the words of the commands and of one company. It is pure: it calls nothing outside."""

    commands: Commands
    sentences: Sentences
    vocabulary: Vocabulary
    likeness: Likeness = field(default_factory=Likeness.load)

    @cached_property
    def recognition(self) -> Recognition:
        """Finds names and words in a sentence."""
        return Recognition(self.commands, self.sentences, self.vocabulary)

    @cached_property
    def lines(self) -> LineComposer:
        """Builds lines from them."""
        return LineComposer(self.recognition)

    @cached_property
    def typed(self) -> TypedLines:
        """Recognises typed command lines."""
        return TypedLines(self.recognition, self.limits)

    @cached_property
    def late(self) -> LatenessFinder:
        """Finds questions for anything late, of any kind."""
        return LatenessFinder(self.lines)

    @cached_property
    def limits(self) -> LimitFinder:
        """Finds what no line can express."""
        return LimitFinder(self.recognition)

    @cached_property
    def gaps(self) -> UnsupportedTopicFinder:
        """Finds topics that no command covers."""
        return UnsupportedTopicFinder(self.lines)

    def prepare(self) -> Grammar:
        """Build the tables for reading, and return the grammar: for use in a thread other than the loop's."""
        self.recognition.prepare()
        return self

    def read(self, sentence: str, usable: frozenset[str] | None = None) -> Reading | None:
        """Return the line that ``sentence`` asks for, among the commands ``usable`` (None: all); None if there is none.

        The line never names a command that may write.
        """
        text = _ADDRESS.sub(" ", normalise(sentence)).strip()
        if not text or len(text) > MAX_SENTENCE:
            return None
        wanted = None if text.startswith("/") else drop_export(text)
        if wanted is not None and not wants_the_last(wanted) and (inner := self.read(wanted, usable)):
            return export_reading(inner, self.commands)
        if typed := self.typed.read(text):
            return Reading(line=typed, by=ReadBy.COMMAND)
        if not _OF_CODE.isdisjoint(text) and not _OF_CODE.isdisjoint(find_bounds(text).rest):
            return None
        if change := find_change_request(text.casefold(), self.sentences.wishes):
            return self._of_change_request(change, text, usable)
        return self._asked(text, usable)

    def _of_change_request(self, change: ChangeRequest, text: str, usable: frozenset[str] | None) -> Reading | None:
        """Return the subject of a request for a change, with the line that makes it."""
        scan = self.recognition.scan(text)
        named = bool(scan.of_kind(SpanKind.DOCUMENT) or scan.of_kind(SpanKind.PRODUCT))
        if change.command == IN_THE_ERP:
            return self._done_in_the_erp(change, text, scan, usable)
        asked = self._asked(text, usable)
        if asked and not change.outright and (change.command == "lang" or (change.command == "watch" and not named)):
            return asked
        about = " ".join(span.value for span in in_order(scan.spans) if span.kind in NAMED) if named else ""
        line = self._line_asked(about, usable) or shown_instead(change)
        if usable is not None and command_of(line) not in usable:
            return None
        understood = (Understood("cue", text, change.command),)
        done = line_of(change, scan, lambda rest: self._line_asked(rest, usable))
        return Reading(line=line, by=ReadBy.GRAMMAR, understood=understood, change=done)

    def _done_in_the_erp(
        self, change: ChangeRequest, text: str, scan: Scan, usable: frozenset[str] | None
    ) -> Reading | None:
        """Return the subject of a request that only the ERP can carry out; a choice if it names none."""
        if not any(span.kind in NAMED for span in scan.spans):
            scan = self.recognition.scan(normalise(change.rest))
        about = [span for span in in_order(scan.spans) if span.kind in NAMED]
        if {span.kind for span in about} <= {SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE}:
            about = [span for span in in_order(scan.spans) if span in about or span.kind is SpanKind.CUE]
        else:
            about = [span for span in about if span.kind is not SpanKind.PLACE]
        named = any(span.kind in NAMED for span in about)
        if not named or not (change.outright or any(span.kind in _NUMBERED for span in about)):
            asked = self._asked(text, usable)
            return (
                replace(asked, unsure=True, unsupported=_CHANGES_NOTHING)
                if asked and change.outright and not asked.unsupported
                else asked
            )
        asked = self._asked(normalise(" ".join(span.text for span in about)), usable, nearest=True)
        return replace(asked, wants_erp=True, unheld=()) if asked else None

    def _line_asked(self, text: str, usable: frozenset[str] | None) -> str:
        reading = self._asked(normalise(text), usable)
        return reading.line if reading and not reading.unsure else ""

    def _asked(self, text: str, usable: frozenset[str] | None, *, nearest: bool = False) -> Reading | None:
        """Return the reading of a sentence that is no typed line; a part that no line holds becomes a choice that says
        so.

        ``nearest``: the text is the nearest match of a gap that was already reported.
        """
        if not text or is_remark(text):
            return None
        text = self.limits.states.without_implied(text)
        creator = find_creator(text, self.recognition)
        if creator and (within := self._created_by(creator, usable, nearest=nearest)):
            return within
        bounds = find_bounds(text)
        if bounds.found and not self._is_of_one(bounds.rest):
            return self._within_amounts(bounds, usable, nearest=nearest)
        scan = self.recognition.scan(text)
        if (line := self.limits.side_by_side(scan)) and (usable is None or "compare" in usable):
            compared = Reading(line=line, by=ReadBy.GRAMMAR, understood=_understood(scan))
            return compared if nearest else self.with_residue(compared, scan, usable)
        if not nearest and (beyond := self._beyond(scan, usable)):
            return beyond
        if reading := self._compared(scan, usable) or self._late(scan, usable):
            return reading if nearest else self.with_residue(reading, scan, usable)
        found = self._found(scan, usable)
        if not found:
            return None
        line, *others = found
        if not nearest and (left_out := self._left_out(scan, line, usable)):
            return left_out
        weights = self.lines.weigh(scan, usable) if scan.of_kind(SpanKind.PRODUCT) else {}
        of_documents = any(weights.get(name, 0) >= SAYS_OUTRIGHT for name in _OF_NO_PRODUCT)
        leaves_out = of_documents and command_of(line) in _OF_A_PRODUCT
        reading = Reading(
            line=line,
            by=ReadBy.GRAMMAR,
            alternatives=tuple(others[:MOST_ALTERNATIVES]),
            unsure=leaves_out or (bool(others) and found[others[0]] >= found[line]),
            understood=_understood(scan),
        )
        return reading if nearest else self.with_residue(reading, scan, usable)

    def with_residue(self, reading: Reading, scan: Scan, usable: frozenset[str] | None) -> Reading:
        """Return a reading that tells what its line does not use of a sentence.

        It is a choice if that asks for another command, or if nothing of the sentence asks for this one.
        """
        lines = (reading.line, *(reading.alternatives if reading.unsure else ()))
        left = residue(self.recognition, scan, lines)
        asked = {each.text: self._line_beside(each.command, scan, usable) for each in left.others}
        asked = {word: line for word, line in asked.items() if not any(_is_in(line, each) for each in lines)}
        others = tuple(dict.fromkeys(line for line in asked.values() if line))
        unheld = (*left.unheld, *(word for word, line in asked.items() if not line))
        unclear = tuple(word for word, line in asked.items() if line)
        is_alone = reading.by is ReadBy.GRAMMAR and bool(left.unknown or unheld)
        if not unclear and is_alone and self._is_a_guess(command_of(reading.line), scan, usable):
            unclear = (*left.unknown, *unheld)
        if not unclear or reading.unsure:
            return replace(reading, unknown=left.unknown, unheld=tuple(dict.fromkeys((*unheld, *unclear))))
        return replace(
            reading,
            alternatives=tuple(dict.fromkeys((*others, *reading.alternatives)))[:MOST_ALTERNATIVES],
            unsure=True,
            unsupported=not_clear(unclear),
            unclear=unclear,
            unknown=tuple(word for word in left.unknown if word not in unclear),
            unheld=tuple(word for word in unheld if word not in unclear),
        )

    def _line_beside(self, name: str, scan: Scan, usable: frozenset[str] | None) -> str:
        """Return the line of another command that a word asks for; empty if it needs a number or cannot be answered."""
        line = "" if name in BY_NUMBER else self._line_of(name, scan, usable)
        return line if self.can_be_answered(line) else ""

    def can_be_answered(self, line: str) -> bool:
        """Return whether a line has all that its command needs, and nothing it does not accept; a wrong day is
        reported.
        """
        parsed = self.commands.parse(line)
        if parsed.command is None:
            return False
        try:
            self.commands[parsed.command].signature.parse(parsed.rest, mentions=False)
        except BadArgument:
            return names_missing_day(parsed.rest)
        return True

    def _is_a_guess(self, command: str, scan: Scan, usable: frozenset[str] | None) -> bool:
        """Return whether no word asks for a command, and nothing of the company is named: it is only likely."""
        return not self._names_anything(scan) and self.lines.weigh(scan, usable).get(command, 0) < SAYS_WHAT_TO_DO

    def _created_by(self, creator: SpokenCreator, usable: frozenset[str] | None, *, nearest: bool) -> Reading | None:
        """Return the reading of what somebody created; None if no line holds it."""
        asked = self._asked(creator.rest, usable, nearest=nearest)
        if asked is None or not (held := creator.held_by(asked.line, self.recognition)):
            return None
        others = filter(None, (creator.held_by(line, self.recognition) for line in asked.alternatives))
        understood = (*asked.understood, creator.understood)
        return replace(asked, line=held, alternatives=tuple(others), understood=understood)

    def _is_of_one(self, text: str) -> bool:
        """Return whether a text names a product, whose number is no amount, or a document, whose card has the
        answer.
        """
        scan = self.recognition.scan(text)
        return bool(scan.of_kind(SpanKind.PRODUCT) or scan.of_kind(SpanKind.DOCUMENT))

    def _within_amounts(self, bounds: SpokenBounds, usable: frozenset[str] | None, *, nearest: bool) -> Reading | None:
        """Return the reading within amounts; a choice if its list has no such bounds."""
        asked = self._asked(bounds.rest, usable, nearest=nearest)
        if asked is None:
            return None
        lines = (asked.line, *asked.alternatives)
        held = {line: bounds.held_by(line, self.recognition) for line in lines}
        line, *others = dict.fromkeys(held[line] or line for line in lines)
        gap = None if held[asked.line] else UnsupportedTopic.BOUND.said
        return replace(
            asked,
            line=line,
            alternatives=tuple(others),
            unsure=asked.unsure or gap is not None,
            unsupported=asked.unsupported or gap,
            understood=(*asked.understood, *bounds.understood),
        )

    def _beyond(self, scan: Scan, usable: frozenset[str] | None) -> Reading | None:
        """Return a choice if no line holds the question, or it asks twice; None otherwise."""
        of_office = scan.of_kind(SpanKind.OFF_TOPIC) and not self._is_of_the_company(scan)
        if not of_office and (limit := self.limits.find(scan)):
            return self._nearest_to(limit, scan, usable)
        if gap := self.gaps.find(scan, usable):
            return self._nearest(gap, scan, usable)
        return read_both(scan, lambda part: self._asked(part, usable, nearest=True), self.lines)

    def _left_out(self, scan: Scan, line: str, usable: frozenset[str] | None) -> Reading | None:
        """Return a choice if a line omits days or a rank in the sentence."""
        if left_out := self.gaps.left_out(scan, line):
            days = days_said(scan, months=True)
            rest = scan.text.replace(days, " ") if days and left_out is UnsupportedTopic.NOW_ONLY else scan.text
            return self._nearest(UnsupportedRequest(left_out, days, rest), scan, usable)
        limit = self.limits.left_out(scan, line)
        return self._nearest_to(limit, scan, usable) if limit else None

    def _compared(self, scan: Scan, usable: frozenset[str] | None) -> Reading | None:
        """Return the report that makes the sentence's comparison; None if it compares nothing, or concerns a
        partner.
        """
        if not may_compare(scan) or scan.of_kind(SpanKind.OFF_TOPIC) or (usable and REPORT not in usable):
            return None
        if self._names_anything(scan):
            return None
        found = find_comparison(scan, self.lines.weigh(scan, usable))
        if found is None:
            return None
        return Reading(
            line=found.lines[0],
            by=ReadBy.GRAMMAR,
            alternatives=found.lines[1 : MOST_ALTERNATIVES + 1],
            unsure=not found.holds_all,
            unsupported=None if found.holds_all else UnsupportedTopic.COMPARISON.said,
            understood=_understood(scan),
        )

    def _late(self, scan: Scan, usable: frozenset[str] | None) -> Reading | None:
        """Return the lists of everything late or due, from which the asker's work selects; None for other questions."""
        lines = [each for each in self.late.find(scan, usable) if usable is None or command_of(each) in usable]
        if not lines:
            return None
        line, *others = lines
        return Reading(
            line=line,
            by=ReadBy.GRAMMAR,
            alternatives=tuple(others),
            unsure=bool(others),
            by_work=True,
            understood=_understood(scan),
        )

    def _names_anything(self, scan: Scan) -> bool:
        return self._is_of_the_company(scan) or bool(partners_or_people(scan))

    def _nearest(self, found: UnsupportedRequest, scan: Scan, usable: frozenset[str] | None) -> Reading | None:
        """Return the nearest lines for a question that no line holds; None if there is none."""
        if scan.of_kind(SpanKind.OFF_TOPIC) and not self._is_of_the_company(scan):
            return None
        rest = self.recognition.scan(found.rest)
        named = self._names_anything(rest)
        products = tuple(span.value for span in scan.of_kind(SpanKind.PRODUCT))
        lines = [*found.topic.of_products(products, days_said(scan, months=True))]
        if found.topic is UnsupportedTopic.COMPARISON:
            orders = "po" if self.lines.trades.trade_of(scan) is Trade.PURCHASE else "order"
            lines += (line for line, _ in self._fitting(scan, {orders: DECISIVE}, usable))
        if not named or found.topic is UnsupportedTopic.RECEIVED_OF_PRODUCT:
            lines += found.topic.nearest(days_said(rest, months=True))
        has_own = found.topic in {
            UnsupportedTopic.COMPARISON,
            UnsupportedTopic.RECEIVED_OF_PRODUCT,
            UnsupportedTopic.TURNOVER,
        }
        if (named and not has_own) or not lines or found.topic is UnsupportedTopic.SETTLED:
            lists = self._found(rest, usable) or (
                self._found(scan, usable) if found.topic is UnsupportedTopic.STATE else {}
            )
            lines += (*found.topic.by_due_days(lists, days_said(rest, months=True)), *lists)
        lines = [each for each in dict.fromkeys(lines) if usable is None or command_of(each) in usable]
        if not lines:
            return None
        line, *others = lines
        return Reading(
            line=line,
            by=ReadBy.GRAMMAR,
            alternatives=tuple(others[:MOST_ALTERNATIVES]),
            unsure=True,
            unsupported=found.topic.said,
            understood=(*_understood(rest), Understood("gap", found.text, found.topic.value)),
        )

    def _unknown_beside(self, limit: Limit, scan: Scan, lines: Sequence[str]) -> tuple[str, ...]:
        """Return unknown names beside known ones, unless they are the part that no line holds."""
        if not partners_or_people(scan):
            return ()
        unknown = residue(self.recognition, scan, lines).unknown
        return tuple(name for name in unknown if name not in limit.words and limit.words not in name)

    def _nearest_to(self, limit: Limit, scan: Scan, usable: frozenset[str] | None) -> Reading | None:
        """Return the nearest lines as a choice that explains the limit; None without any."""
        near = [each for each in map(normalise, limit.instead) if not self._is_unknown_of_a_product(each)]
        readings = [reading for each in near if (reading := self._asked(each, usable, nearest=True))]
        if not readings and (whole := self._asked(scan.text, usable, nearest=True)):
            readings = [whole]
        found = dict.fromkeys(line for each in readings for line in (each.line, *each.alternatives))
        lines = tuple(found) or ((_NOTHING_NEAR,) if limit.is_clear else ())
        if not lines:
            return None
        return Reading(
            line=lines[0],
            by=ReadBy.GRAMMAR,
            alternatives=lines[1 : MOST_ALTERNATIVES + 1],
            unsure=True,
            unsupported=limit.said,
            understood=(*_understood(scan), Understood("gap", limit.words, "limit")),
            unknown=self._unknown_beside(limit, scan, lines),
        )

    def _is_unknown_of_a_product(self, text: str) -> bool:
        """Return whether a text asks for one product's turnover, which is as unknown as its margin."""
        found = self.gaps.find(self.recognition.scan(text), None)
        return found is not None and found.topic is UnsupportedTopic.TURNOVER

    def _found(self, scan: Scan, usable: frozenset[str] | None) -> Mapping[str, int]:
        """Return lines with their weights, the most likely first; equal weights are equally likely.

        Words choose the command, unless the sentence is much more similar to those of another one.
        """
        anchored = self._is_of_the_company(scan)
        if not scan.spans or (scan.of_kind(SpanKind.OFF_TOPIC) and not anchored):
            return {}  # likeness alone does not decide
        weights = self.lines.weigh(scan, usable)
        if not weights and all(span.kind is SpanKind.CUE for span in scan.spans):
            return {}  # words that name a list of anything, such as 全部
        found = dict(self._fitting(scan, weights, usable))
        leading = {command_of(line): line for line, weight in found.items() if weight == max(found.values())}
        kinds = {span.command for span in scan.of_kind(SpanKind.DOCUMENT)}
        several = len(found) > 1 and (not weights or len({command_of(line) for line in found}) == 1 or len(kinds) > 1)
        drawn = bool(scan.of_kind(SpanKind.PRODUCT)) and self.lines.products.draws_stock(scan, weights)
        held = product_documents_asked(self.recognition, scan, usable) in leading
        billed = leading.keys() <= set(BILLED_BY.values()) and self.lines.documents.asks_for_bills_of_orders(scan)
        # Those of purchase orders are known by their sentences: 为什么 asks for much else of them.
        reasoned = bool(kinds and leading) and leading.keys() <= {REASON} and "po" not in kinds
        if (
            several
            or reasoned
            or drawn
            or held
            or billed
            or says_itself(scan)
            or (leading and leading.keys().isdisjoint(self.likeness.commands))
        ):
            return found  # documents, names, and commands of which no sentences are known
        scores = self._scores(scan, weights, leading or {NOTHING: ""}, usable)
        if anchored:
            said = max(weights.values(), default=0) >= LIST_WEIGHT
            scores[NOTHING] = -inf if said else scores.get(NOTHING, -inf) - _OF_THE_COMPANY_AND_NOTHING
        if self._is_unlike(scan):
            return {} if scores.get(NOTHING, -inf) > min(scores.get(name, inf) for name in leading or ("",)) else found
        best = max(scores, key=lambda name: scores[name], default=NOTHING)
        if best in self.lines.weighing.barred(scan) and best not in leading:
            return found  # 上次卖给宏达多少 names no product
        line = "" if best == NOTHING else leading.get(best) or self._line_of(best, scan, usable)
        if line == "/stock" and weights.get("stock", 0) < SAYS_OUTRIGHT:
            return {}  # of nothing, and not asked for by name
        if not line or (best in leading and len(leading) == 1):
            return {} if best == NOTHING else found
        # A document's command may stand on the side of the business that the words do not mean.
        least = scores[best] - _AS_LIKELY
        near = [other for name, other in leading.items() if name != best and scores.get(name, -inf) > least]
        return dict.fromkeys((line, *near), DECISIVE)

    def _is_of_the_company(self, scan: Scan) -> bool:
        """Return whether a sentence names a number, partner, warehouse or goods of the company: also 订单1044."""
        names = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        named = any(
            self.recognition.is_in_a_name(span.value)
            if len(span.value) > SHORTEST_NAME
            else self.vocabulary.names_goods(span.value)
            for span in names
        )
        numbered = scan.of_kind(SpanKind.DIGITS) and any(
            cue.weight >= SAYS_OUTRIGHT for cue in self.recognition.cues_in(scan)
        )
        return named or bool(numbered) or any(span.kind in _OF_THE_COMPANY for span in scan.spans)

    def _is_unlike(self, scan: Scan) -> bool:
        """Return whether a sentence contains an unknown name whose characters resemble nothing known."""
        return any(not self._is_like_words(span.value) for span in scan.of_kind(SpanKind.NAME))

    def _is_like_words(self, name: str) -> bool:
        """Return whether an unrecognised piece is part of a known name, or short enough to be a word."""
        return len(name) < _LONG_NAME or self.recognition.is_name(name)

    def _line_of(self, name: str, scan: Scan, usable: frozenset[str] | None) -> str:
        """Return the line of a sentence for this command; empty if it cannot ask for it."""
        weights = {} if name == BARE else {name: DECISIVE}
        line = next((line for line, _ in self._fitting(scan, weights, usable)), "")
        return line if command_of(line) == name else ""

    def _fitting(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        return ((line, weight) for line, weight in self.lines.compose(scan, weights, usable) if fits(line))

    def _scores(
        self, scan: Scan, weights: Mapping[str, int], chosen: Container[str], usable: frozenset[str] | None
    ) -> dict[str, float]:
        """Return the score of each command: similarity, words, and a bonus for a choice by words."""
        trade = self.lines.trades.trade_of(scan)
        others = self.lines.trades.others(trade, scan)
        heaviest = max(weights.values(), default=0)
        bonus = _CHOSEN if scan.has_subject or heaviest >= LIST_WEIGHT else _CHOSEN_BY_A_HINT
        if heaviest >= DECISIVE:
            bonus = _CHOSEN_OUTRIGHT
        odds: dict[str, float] = {}
        for name, value in self.likeness.odds(self.pieces(scan)).items():
            meant = others.get(name, name)
            odds[meant] = max(value, odds.get(meant, -inf))
        return {
            name: value + _WORD * min(weights.get(name, 0), DECISIVE) + (bonus if name in chosen else 0.0)
            for name, value in odds.items()
            if usable is None or name in usable or name == NOTHING
        }

    def pieces(self, scan: Scan) -> list[str]:
        """Return the pieces of a sentence used for similarity."""
        return pieces_of(scan, self._kind_of)

    def pieces_without_names(self, scan: Scan) -> list[str]:
        """Return the pieces of a sentence with all its names treated as unknown."""
        known = (SpanKind.PARTNER, SpanKind.NAME)
        return pieces_of(scan, lambda span: _UNKNOWN if span.kind in known else self._kind_of(span))

    def _kind_of(self, span: Span) -> str:
        """Return the kind of a span for similarity; empty for an unknown name."""
        match span.kind:
            case SpanKind.DOCUMENT:
                return f"document_{span.command}"
            case SpanKind.PARTNER | SpanKind.PERSON:
                trade = self.vocabulary.trade(span.value)
                return f"{span.kind}_{trade.name.casefold()}" if trade else span.kind.value
            case SpanKind.NAME:
                if self.vocabulary.knows_product(span.value):
                    return "goods"
                return "" if self._is_like_words(span.value) else _UNKNOWN
            case _:
                return span.kind.value


def _is_in(line: str, other: str) -> bool:
    """Return whether a line asks for no more than another one: /mo 这周到期 than /mo SKU126 这周到期."""
    return bool(line) and set(line.split()) <= set(other.split())


def _understood(scan: Scan) -> tuple[Understood, ...]:
    return tuple(Understood(span.kind.value, span.text, span.value) for span in in_order(scan.spans))
