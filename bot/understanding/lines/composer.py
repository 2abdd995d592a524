"""Command lines from the parts of a sentence: its possible commands, and what each one takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.chat.parsing import command_line
from bot.chat.registry import Commands
from bot.understanding.command_kinds import NAMED_ONLY, OF_PRODUCTS, RECORDS_OF_PARTNERS
from bot.understanding.lines.documents import DocumentLines
from bot.understanding.lines.lists import ListLines
from bot.understanding.lines.named_lists import NamedLists
from bot.understanding.lines.products import ProductLines
from bot.understanding.lines.spoken_names import SpokenNames
from bot.understanding.lines.trade_finding import TradeFinder
from bot.understanding.lines.weighing import DECISIVE, SAYS_OUTRIGHT, Weighed, Weighing
from bot.understanding.scanning.recognition import Recognition
from bot.understanding.scanning.spans import Scan, SpanKind
from bot.understanding.sentences import Sentences

_SIZE_FIRST = re.compile(r'"(?P<size>[^\s"]*\d[^\s"]*) (?P<goods>[^"]+)"')
"""Goods after their size in a line, as they are often said: 14寸管钳."""


@dataclass(frozen=True)
class LineComposer:
    """Builds the possible lines of a sentence from its parts."""

    recognition: Recognition

    @property
    def commands(self) -> Commands:
        return self.recognition.commands

    @property
    def sentences(self) -> Sentences:
        return self.recognition.sentences

    @cached_property
    def trades(self) -> TradeFinder:
        """Finds the side of the business of the partners named."""
        return TradeFinder(self.recognition)

    @cached_property
    def weighing(self) -> Weighing:
        """Weighs the commands by the words."""
        return Weighing(self.recognition, self.trades)

    @cached_property
    def lists(self) -> NamedLists:
        """Finds the named list of a command, and its days."""
        return NamedLists(self.recognition, self.trades)

    @cached_property
    def documents(self) -> DocumentLines:
        """Builds the lines of documents named by number."""
        return DocumentLines(self.recognition, self.trades)

    @cached_property
    def products(self) -> ProductLines:
        """Builds the lines of products and warehouses."""
        return ProductLines(self.recognition, self.trades, self.lists, self._names)

    @cached_property
    def _of_all_else(self) -> ListLines:
        return ListLines(self.recognition, self.weighing, self.lists, self._names, self.documents)

    @cached_property
    def _names(self) -> SpokenNames:
        return SpokenNames(self.recognition)

    def weigh(self, scan: Scan, usable: frozenset[str] | None, about: str = "") -> dict[str, int]:
        """Return the weight of each command; ``about`` is a partner meant but not named."""
        return self.weighing.weigh(scan, usable, about)

    def compose(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        """Yield lines with their weights, the most likely first; equal weights are equally likely."""
        composed = self._composed(Weighed(scan, weights, usable))
        return ((self._with_sizes_last(line), weight) for line, weight in composed)

    def _composed(self, asked: Weighed) -> Iterable[tuple[str, int]]:
        scan, weights = asked.scan, asked.weights
        ranked = sorted(weights, key=lambda name: (-weights[name], self.commands[name].place))
        documents, products = scan.of_kind(SpanKind.DOCUMENT), scan.of_kind(SpanKind.PRODUCT)
        deliveries = scan.of_kind(SpanKind.DELIVERY)
        if deliveries and asked.may_use("delivery"):
            return [(command_line("delivery", span.value), DECISIVE) for span in deliveries]
        if products and any(name in weights for name in NAMED_ONLY):
            documents = [span for span in documents if span.command not in RECORDS_OF_PARTNERS]
        if documents:
            # Without a word of what is asked, the products beside a document are asked for as well.
            beside = [] if weights or not products else self.products.of(products, asked, ranked)
            return [*self.documents.of(documents, asked), *beside]
        of_lists = ranked and ranked[0] not in OF_PRODUCTS and weights[ranked[0]] >= SAYS_OUTRIGHT
        if products or (scan.of_kind(SpanKind.WAREHOUSE) and not of_lists):
            return self.products.of(products, asked, ranked)
        return self._of_all_else.of(asked, ranked)

    def _with_sizes_last(self, line: str) -> str:
        """Return a line with goods before their size, as products are named: 管钳 14寸."""

        def turned(match: re.Match[str]) -> str:
            size, goods = match["size"], match["goods"]
            known = self.recognition.sizes.of(goods, size)
            return f'"{goods} {self.recognition.sizes.written(size)}"' if known else match[0]

        return _SIZE_FIRST.sub(turned, line)
