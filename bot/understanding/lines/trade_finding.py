"""The side of the business of the partners named: 宝钢的订单 are purchase orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.chat.days import names_days_ahead, names_days_over
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, SpanKind, days_said
from bot.understanding.unsupported_topics import UnsupportedTopic, is_done
from bot.understanding.vocabulary import Trade

_ON_THE_OTHER_SIDE = {
    Trade.PURCHASE: {"customer": "vendor", "order": "po", "delivery": "po", "invoice": "bill"},
    Trade.SALE: {"vendor": "customer", "po": "order", "arrivals": "order", "bill": "invoice"},
}
"""What a word speaks for that is said of a vendor or customer: 宝钢的订单 are purchase orders."""
RECEIPT = "receipt"
_ASKED_OF_WHAT_CAME_IN: Mapping[Trade | None, tuple[str, ...]] = {
    None: ("po", "arrivals"),
    Trade.PURCHASE: ("po", "order", "delivery", "arrivals"),
    Trade.SALE: (),
}
"""The commands whose words are said of what came in on days that are named, by whom a sentence names."""
_VENDORS = re.compile(r"供应商|供货商|供方|\b(?:vendors?|suppliers?)\b", re.IGNORECASE)
OF_ONE = (SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT)
"""What a card tells by itself."""
_RECEIPTS = re.compile(r"\breceipts?\b", re.IGNORECASE)


WE_OWE = re.compile(
    r"(?:我们|咱们?|公司|我司|我方)[^,，欠]{0,4}欠(?!我|咱)|欠(?:它|他|她|这|那|该|人家)"
    r"|\b(?:we|i)(?: still| now)? owe\b|\bowe (?:them|it|him|her|this|that)\b",
    re.IGNORECASE,
)
THEY_OWE = re.compile(r"欠(?:着|了|)(?:我|咱|公司)|\bowes? us\b", re.IGNORECASE)
_GOODS = re.compile(r"货|料|件|单|\b(?:goods|parts|deliver|orders?)", re.IGNORECASE)
"""May be owed like money."""


_OVERDUE_MONEY = re.compile(
    r"(?:逾期|超期|过期)[^,，]{0,4}(?:多少|钱|款|账)|\bhow much\b.{0,40}\boverdue\b", re.IGNORECASE
)
"""Asks how much is overdue, and of goods how many: 宝钢逾期多少."""


def trade_of_debt(text: str) -> Trade | None:
    """Return the side of the business of a debt, if the words tell it."""
    if WE_OWE.search(text):
        return Trade.PURCHASE
    return Trade.SALE if THEY_OWE.search(text) else None


@dataclass(frozen=True)
class TradeFinder:
    """Tells whether a sentence is about selling or buying."""

    recognition: Recognition

    def others(self, trade: Trade | None, scan: Scan) -> Mapping[str, str]:
        """Return the alternative commands for the words; the arrival of a vendor's goods is a question about the
        goods.
        """
        others = _ON_THE_OTHER_SIDE[trade] if trade else {}
        days = days_said(scan, months=True) if trade is Trade.PURCHASE else ""
        if days and names_days_over(days):
            others = {**others, "arrivals": "po"}  # what comes on days that are over is there, or late
        if trade is not Trade.PURCHASE and (teller := self._tells_days_of(scan)):
            others = {**others, "order": teller}
        if trade is Trade.PURCHASE and _OVERDUE_MONEY.search(scan.text) and not _GOODS.search(scan.text):
            others = {**others, **dict.fromkeys(("order", "po", "delivery", "arrivals"), "bill")}
        if trade is Trade.PURCHASE and _RECEIPTS.search(scan.text):
            others = {**others, "payment": RECEIPT}  # a vendor pays us nothing
        if self._tells_what_came_in(trade, scan):
            others = {**others, **dict.fromkeys(_ASKED_OF_WHAT_CAME_IN[trade], RECEIPT)}
        if self.recognition.names_known_goods(scan):
            return {name: other for name, other in others.items() if name != "arrivals"}
        return others

    def _tells_days_of(self, scan: Scan) -> str:
        """Return the command for the documents of actions on days: 昨天发货的订单."""
        days = days_said(scan, months=False)
        if not days or names_days_ahead(days) or any(scan.of_kind(kind) for kind in OF_ONE):
            return ""
        text = scan.text.casefold()
        for command, words in self.recognition.sentences.deeds.items():
            known = command != RECEIPT and (command != "delivery" or self.has_deliveries)
            if known and any(is_done(text, match) for match in words.find_all(text)):
                return command
        return ""

    def _tells_what_came_in(self, trade: Trade | None, scan: Scan) -> bool:
        """Return whether a sentence asks for received goods: 昨天到货的 were received, 今天到货的 may still arrive.

        For today, only words of a completed action mean received goods: 今天收了哪些货.
        """
        days = days_said(scan, months=False)
        if not (self.has_receipts and days) or names_days_ahead(days) or any(scan.of_kind(kind) for kind in OF_ONE):
            return False
        if self.names_goods(scan):
            return False  # receipts are not listed by product
        sentences, text = self.recognition.sentences, scan.text.casefold()
        said = [sentences.deeds.get(RECEIPT)]
        if names_days_over(days):
            said.append(sentences.gaps.get(UnsupportedTopic.RECEIVED))
            if trade is Trade.PURCHASE:
                said.append(sentences.deeds.get("delivery"))  # what a vendor brought came in
        return any(is_done(text, match) for words in said if words for match in words.find_all(text))

    def names_goods(self, scan: Scan) -> bool:
        """Return whether a name may also be that of goods: 电机."""
        named = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        return any(self.recognition.vocabulary.knows_product(span.value) for span in named)

    @property
    def has_receipts(self) -> bool:
        """Whether the ERPs report goods receipts, or nothing is known about them yet."""
        documents = self.recognition.vocabulary.documents
        return bool(documents.get(RECEIPT)) or not documents

    @property
    def has_deliveries(self) -> bool:
        """Whether the ERPs report deliveries, or nothing is known about them yet."""
        vocabulary = self.recognition.vocabulary
        return bool(vocabulary.deliveries) or not vocabulary.documents

    def trade_of(self, scan: Scan) -> Trade | None:
        """Return the side of the business of the partners named."""
        named = partners_or_people(scan)
        owing = None if _GOODS.search(scan.text) else trade_of_debt(scan.text)
        if named and owing:
            return owing
        trades = {self.recognition.vocabulary.trade(span.value) for span in named}
        if not named and not scan.of_kind(SpanKind.PRODUCT) and _VENDORS.search(scan.text):
            return Trade.PURCHASE
        return trades.pop() if len(trades) == 1 else None
