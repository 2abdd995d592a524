"""The weight of the words of a sentence for each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.understanding.command_kinds import EVERYDAY_LISTS, HOW_TO
from bot.understanding.lines.named_lists import LATE
from bot.understanding.lines.trade_finding import TradeFinder
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.sentences import LIST_WEIGHT
from bot.understanding.vocabulary import Trade

SAYS_WHAT_TO_DO = 2
"""Weight from which words say which command is meant."""
SAYS_OUTRIGHT = 4
DECISIVE = 6
_OF_GOODS_ALONE = frozenset({"stock", "price", "product", "shortage", "mo"})


@dataclass(frozen=True)
class Weighed:
    """A scanned sentence, with the weight of each command ``usable`` (None: all)."""

    scan: Scan
    weights: Mapping[str, int]
    usable: frozenset[str] | None

    def weight(self, command: str) -> int:
        """Return the weight of a command."""
        return self.weights.get(command, 0)

    def may_use(self, command: str) -> bool:
        """Return whether the asker may use a command."""
        return self.usable is None or command in self.usable

    def only(self, meant: Span, several: list[Span]) -> Weighed:
        """Return it restricted to one of several items in the sentence."""
        spans = [span for span in self.scan.spans if span is meant or span not in several]
        return replace(self, scan=Scan(self.scan.text, self.scan.rest, spans))


@dataclass(frozen=True)
class Weighing:
    """Weighs commands by words, and by the partners named."""

    recognition: Recognition
    trades: TradeFinder

    def weigh(self, scan: Scan, usable: frozenset[str] | None, about: str = "") -> dict[str, int]:
        """Return the weight of each command; ``about`` is a partner meant but not named."""
        weights: dict[str, int] = {}
        named = partners_or_people(scan)
        trade = self.trades.trade_of(scan) if named or not about else self.recognition.vocabulary.trade(about)
        others = self.trades.others(trade, scan)
        barred = self.barred(scan)
        for cue in self.recognition.cues_in(scan):
            command = others.get(cue.command, cue.command)
            if command == "report" and named:
                # Figures are of the company; lists are somebody's.
                command = "po" if trade is Trade.PURCHASE else "order"
            if command == "delivery" and cue.keyword == LATE and not self.trades.has_deliveries:
                command = "order"  # an ERP that tells of no deliveries knows which orders are late
            listed = cue.keyword and cue.weight <= LIST_WEIGHT and cue.command in EVERYDAY_LISTS - {HOW_TO}
            if not listed and command not in barred and (usable is None or command in usable):
                weights[command] = weights.get(command, 0) + cue.weight
        return weights

    def barred(self, scan: Scan) -> frozenset[str]:
        """Return the commands that a sentence cannot mean: nobody asks for the stock of a customer."""
        named = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        known = self.recognition.vocabulary.knows_product
        goods = scan.of_kind(SpanKind.PRODUCT) or any(known(span.value) for span in named)
        return _OF_GOODS_ALONE if partners_or_people(scan) and not goods else frozenset()
