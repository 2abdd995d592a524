"""The names of a sentence in their line form: joined, listed, or left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from bot.understanding.command_kinds import OF_PRODUCTS
from bot.understanding.scanning.recognition import Recognition, are_beside, end_of, in_order, partners_or_people
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.vocabulary import Vocabulary

NAMES = (SpanKind.NAME, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE)
_BETWEEN = r"\s*(?:和|跟|与|及|以及|还有|还是|或者?|、|,|，|and|or|vs\.?)\s*"
_AND = re.compile(_BETWEEN, re.IGNORECASE)
_IN_A_LIST = re.compile(rf"{_BETWEEN}(?:[^,，;；]{{1,16}}?{_BETWEEN})?", re.IGNORECASE)
"""Stands between two of a list, with somebody whom nobody knows: 宏达、华为、申力."""


@dataclass(frozen=True)
class SpokenNames:
    """Decides which names of a sentence belong together, and which belong in no line."""

    recognition: Recognition

    @property
    def _knows(self) -> Vocabulary:
        return self.recognition.vocabulary

    def goods(self, scan: Scan) -> list[str]:
        """Return the names of goods, listed ones separately: 螺丝和螺母; other adjacent words are one name.

        In a list with known goods, further ones may be known only to the ERP.
        """
        names = scan.of_kind(SpanKind.NAME)
        known = any(self._knows.knows_product(span.value) for span in names)
        if len(names) > 1 and known and _are_listed(scan, names) and all(map(self._may_be_goods, names)):
            return [span.value for span in names]
        return [joined(self.without_unknown_names("stock", scan), SpanKind.NAME)]

    def goods_beside(self, products: list[Span], scan: Scan) -> list[str]:
        """Return the names of goods beside a code, joined by 和: SKU125和螺丝."""
        return [span.value for span in scan.of_kind(SpanKind.NAME) if self._are_goods_and(span, products, scan)]

    def _are_goods_and(self, name: Span, products: list[Span], scan: Scan) -> bool:
        pairs = (in_order((name, product)) for product in products)
        return any(_are_joined(scan, first, last) for first, last in pairs) and self._may_be_goods(name)

    def _may_be_goods(self, name: Span) -> bool:
        """Return whether a name may be one of goods, or is unknown."""
        is_word = name.text.casefold() in self.recognition.sentences.everyday
        return self._knows.knows_product(name.value) or not (is_word or self._knows.knows_partner(name.value))

    def are_goods(self, scan: Scan) -> bool:
        """Return whether products are named, and no partner."""
        named = bool(scan.of_kind(SpanKind.NAME)) and not scan.of_kind(SpanKind.PARTNER)
        return named and self.recognition.is_known(scan)

    def several_partners(self, scan: Scan) -> list[Span]:
        """Return several partners named side by side; empty if one name contains both."""
        partners = partners_or_people(scan)
        if len(partners) < 2 or not _are_listed(scan, partners):
            return []
        one = any(self._knows.partner_with(first.value, last.value) for first, last in pairwise(partners))
        return [] if one else partners

    def without_unknown_names(self, command: str, scan: Scan) -> Scan:
        """Leave out unknown names, except beside the known one in the command's place for a name.

        Beside goods given by size alone (M10) every word counts, and the words after a name may belong to it.
        """
        names = scan.of_kind(SpanKind.NAME)
        unknown = [span for span in names if not self.recognition.is_name(span.value)]
        found = [span for span in names if span not in unknown]
        known = [span for span in found if not any(map(str.isdecimal, span.value))]
        if command not in OF_PRODUCTS:
            known += partners_or_people(scan)
        apart = [span for span in unknown if known and not any(are_beside(scan, span, other) for other in found)]
        apart += [span for span in unknown if span.text.casefold() in self.recognition.sentences.everyday]
        return Scan(scan.text, scan.rest, [span for span in scan.spans if span not in apart]) if apart else scan


def joined(scan: Scan, *kinds: SpanKind) -> str:
    """Return the names of these kinds as one; a place is kept as written."""
    spans = [span for span in in_order(scan.spans) if span.kind in kinds]
    return " ".join(span.text if span.kind is SpanKind.PLACE else span.value for span in spans)


def stores_meant(scan: Scan) -> list[Span]:
    """Return the meant warehouses, each once: named directly, or by their places."""
    spans = in_order((*scan.of_kind(SpanKind.WAREHOUSE), *scan.of_kind(SpanKind.PLACE)))
    named = [span for span in spans if span.kind is SpanKind.WAREHOUSE]
    beside = {span for pair in pairwise(spans) if _are_joined(scan, *pair) for span in pair}
    meant = [span for span in spans if not named or span in named or span in beside]
    return [*{span.value: span for span in reversed(meant)}.values()][::-1]


def stores_typed(scan: Scan) -> tuple[str, ...]:
    """Return the meant warehouses in their typed form."""
    return tuple(f"@{span.value}" for span in stores_meant(scan))


def _are_joined(scan: Scan, first: Span, last: Span) -> bool:
    return _AND.fullmatch(scan.text, end_of(first), last.start) is not None


def _are_listed(scan: Scan, spans: list[Span]) -> bool:
    return all(_IN_A_LIST.fullmatch(scan.text, end_of(first), last.start) for first, last in pairwise(spans))
