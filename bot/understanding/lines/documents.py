"""Lines of documents named by number: the order, its delivery, its invoices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.chat.parsing import command_line
from bot.understanding.command_kinds import BARE, BILLED_BY, LINKED, REASON, TRAIL
from bot.understanding.lines.trade_finding import RECEIPT, TradeFinder
from bot.understanding.lines.weighing import DECISIVE, SAYS_OUTRIGHT, SAYS_WHAT_TO_DO, Weighed
from bot.understanding.scanning.recognition import Recognition
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.sentences import Cue

_OF_DOCUMENTS = re.compile(r"[货库款工产订]单$|单据$|记录$|(?:orders|receipts|notes)$")
"""Ends what documents are called: 送货单 and 收款记录, and neither 入库 nor 水单."""
_LACKING = frozenset({"order", "mo"})
"""Commands of documents that may lack something: MO-1缺什么料."""
_WITH_REASONS = _LACKING | {"po", "bill"}
_BILLED = re.compile(r"票|账单|\b(?:(?:re|un)?invoic(?:e|es|ed|ing)|bill|bills|billed)\b", re.IGNORECASE)


@dataclass(frozen=True)
class DocumentLines:
    """Selects among documents with the same number."""

    recognition: Recognition
    trades: TradeFinder

    def of(self, documents: Iterable[Span], asked: Weighed) -> Iterable[tuple[str, int]]:
        """Yield the lines of documents with their weights."""
        for document in documents:
            name = self._asked_of(document, asked)
            if self.asks_why(document.command, asked):
                yield command_line(REASON, document.value), DECISIVE + 1
            if asked.may_use(name):
                yield command_line(name, document.value), DECISIVE

    def asks_why(self, command: str, asked: Weighed) -> bool:
        """Return whether it is asked why a document is not done, or what it lacks."""
        lacks = command in _LACKING and asked.weight("shortage")
        return bool(lacks or (command in _WITH_REASONS and asked.weight(REASON)))

    def _asked_of(self, document: Span, asked: Weighed) -> str:
        name = document.command or BARE
        if asked.weight(TRAIL) >= SAYS_WHAT_TO_DO:
            return TRAIL
        if linked := next((each for each in LINKED.get(name, ()) if self._names(each, asked)), ""):
            return linked
        if name == "order" and self.asks_for_delivery(asked.scan, asked.weight("delivery")):
            name = "delivery"
        if name == "po" and self.trades.has_receipts and asked.weight(RECEIPT) >= SAYS_WHAT_TO_DO:
            name = RECEIPT
        billed = BILLED_BY.get(name, "")
        return billed if billed and asked.may_use(billed) and self.asks_for_bills(asked.scan) else name

    def _names(self, command: str, asked: Weighed) -> bool:
        """Return whether documents of a command are named, as the asker may see them: 报价单, "payments"."""
        names = self.recognition.commands[command].names
        words = (text for text, cue in self._cues(asked) if cue.command == command)
        called = (
            _OF_DOCUMENTS.search(word) or (word in names and (word.isascii() or word[-1] == "单")) for word in words
        )
        return asked.may_use(command) and any(called)

    def _cues(self, asked: Weighed) -> Iterator[tuple[str, Cue]]:
        for span in asked.scan.of_kind(SpanKind.CUE):
            yield from ((span.value.casefold(), cue) for cue in self.recognition.cues_of(span))

    def asks_for_delivery(self, scan: Scan, moved: int) -> bool:
        """Return whether a question about an order means its delivery: 订单 and 这单 occur in all of them.

        ``moved`` is the weight of deliveries.
        """
        ordered = sum(weight for weight in self._words_for_orders(scan) if weight < SAYS_OUTRIGHT)
        return self.trades.has_deliveries and (moved > ordered or moved == ordered == SAYS_WHAT_TO_DO)

    def names_order(self, scan: Scan) -> bool:
        """Return whether a number is described as an order's: 1088这单开票没."""
        return any(weight >= SAYS_WHAT_TO_DO for weight in self._words_for_orders(scan))

    def _words_for_orders(self, scan: Scan) -> list[int]:
        return [cue.weight for cue in self.recognition.cues_in(scan) if cue.command == "order"]

    def asks_for_bills(self, scan: Scan) -> bool:
        """Return whether a question about orders means their invoices: SO-1001的票开了吗."""
        return any(_BILLED.search(span.value) for span in scan.of_kind(SpanKind.CUE))

    def asks_for_bills_of_orders(self, scan: Scan) -> bool:
        """Return whether orders are named, and their invoices asked for."""
        ordered = any(span.command in BILLED_BY for span in scan.of_kind(SpanKind.DOCUMENT))
        return ordered and self.asks_for_bills(scan)
