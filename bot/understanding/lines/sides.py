"""On which side of the business those stand whom a sentence names: 宝钢的订单 are purchase orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.chat.days import names_days_ahead, names_days_over
from bot.understanding.gaps import is_done
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, SpanKind, days_said
from bot.understanding.vocabulary import Trade

_ON_THE_OTHER_SIDE = {
    Trade.PURCHASE: {"customer": "vendor", "order": "po", "delivery": "po", "invoice": "bill"},
    Trade.SALE: {"vendor": "customer", "po": "order", "arrivals": "order", "bill": "invoice"},
}
"""What a word speaks for that is said of a vendor or customer: 宝钢的订单 are purchase orders."""
_VENDORS = re.compile(r"供应商|供货商|供方|\b(?:vendors?|suppliers?)\b", re.IGNORECASE)
OF_ONE = (SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT)
"""What a card tells by itself."""
_OWED_TO_US = re.compile(
    r"(?:付|欠|打|汇|转|还)[^,，。我咱]{0,4}(?:我们|咱|我司|我方)|\b(?:owe|owes|owing|pay|pays|paid|paying) us\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sides:
    """Says whether a sentence is about selling or buying."""

    recognition: Recognition

    def others(self, trade: Trade | None, scan: Scan) -> Mapping[str, str]:
        """Return what words speak for instead; when goods of a vendor arrive is a question about the goods."""
        others = _ON_THE_OTHER_SIDE[trade] if trade else {}
        days = days_said(scan, months=True) if trade is Trade.PURCHASE else ""
        if days and names_days_over(days):
            others = {**others, "arrivals": "po"}  # what comes on days that are over is there, or late
        if trade is not Trade.PURCHASE and (teller := self._tells_days_of(scan)):
            others = {**others, "order": teller}
        if self.recognition.names_known_goods(scan):
            return {name: other for name, other in others.items() if name != "arrivals"}
        return others

    def _tells_days_of(self, scan: Scan) -> str:
        """Return the command for the documents of days on which something was done to an order: 昨天发货的订单."""
        days = days_said(scan, months=False)
        if not days or names_days_ahead(days) or any(scan.of_kind(kind) for kind in OF_ONE):
            return ""
        text = scan.text.casefold()
        for command, words in self.recognition.sentences.deeds.items():
            known = command != "delivery" or self.has_deliveries
            if known and any(is_done(text, match) for match in words.find_all(text)):
                return command
        return ""

    @property
    def has_deliveries(self) -> bool:
        """Whether the ERPs tell of deliveries, or nothing is known of them yet."""
        vocabulary = self.recognition.vocabulary
        return bool(vocabulary.deliveries) or not vocabulary.documents

    def trade_of(self, scan: Scan) -> Trade | None:
        """Return the side of the business on which those stand that a sentence names."""
        named = partners_or_people(scan)
        sides = {self.recognition.vocabulary.trade(span.value) for span in named}
        if not named and not scan.of_kind(SpanKind.PRODUCT) and _VENDORS.search(scan.text):
            return Trade.PURCHASE
        if not named and _OWED_TO_US.search(scan.text):
            return Trade.SALE
        return sides.pop() if len(sides) == 1 else None
