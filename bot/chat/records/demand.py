"""How much of a product somebody needs, typed as ``×500`` or ``*500个``, and what that is in the product's unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Self

from bot.chat.arguments import Word
from bot.chat.numerals import read_numerals
from bot.words.phrase import phrase

_TYPED = re.compile(r"[×*](?P<amount>\d{1,12}(?:\.\d{1,6})?)(?P<unit>[^\W\d_]{0,8})")
_LETTER = re.compile(r"[x✕*×]\s*(?=\d)", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"(?P<digits>\d{1,12}(?:\.\d{1,6})?)?(?P<signs>[零〇一二两三四五六七八九十百千万半]*)")
_AFTER_DIGITS = frozenset("十百千万")
_HALF = Decimal("0.5")
ENGLISH_MULTIPLE = r"(?:k|thousand|hundred|dozen|lakhs?|lacs?)(?![a-z])"
"""Letters and English words after a number that make more of it."""
_ENGLISH = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,6}})?)\s*({ENGLISH_MULTIPLE})", re.IGNORECASE)
_WORTH = {"k": 1000, "thousand": 1000, "hundred": 100, "dozen": 12, "lakh": 100_000, "lac": 100_000}
_PIECES = frozenset("个件只支根条块片张台套把颗粒枚") | {"pc", "pcs", "piece", "pieces", "ea", "each", "unit", "units"}
"""Words that count single things: people say 个 of what the ERP counts in 把."""
_MULTIPLES = {"百": 100, "千": 1000, "万": 10_000}
_SAME = {"公斤": "千克", "kg": "千克", "g": "克", "m": "米", "t": "吨", "l": "升"}


class Demand(Word):
    """A quantity that is needed, with its unit or none: ``×500``, ``×3箱``. It may stand anywhere in a line."""

    placeholder = phrase("×quantity")
    anywhere = True

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the first word that is such a quantity out of a line; an amount of zero does not count."""
        for place, word in enumerate(words):
            match = _TYPED.fullmatch(word)
            if match and Decimal(match["amount"]):
                del words[place]
                return cls(f"{Decimal(match['amount']).normalize():f}{match['unit']}")
        return None

    @classmethod
    def of_letter(cls, words: Sequence[str]) -> Self | None:
        """Return the quantity in words such as ``x500`` or ``x``, ``5``, ``箱``: keyboards have no ×.

        They may as well be a product's code, so a line keeps them until nothing is called so.
        """
        text = " ".join(words)
        typed, found = _LETTER.subn("×", text, count=1)
        return cls.take_marked([typed.replace(" ", "")]) if found and typed.startswith("×") else None

    @property
    def amount(self) -> Decimal:
        """The number alone."""
        match = _TYPED.fullmatch(f"×{self}")
        assert match is not None, "it was taken as one"
        return Decimal(match["amount"])

    @property
    def unit(self) -> str:
        """The unit as it was typed, empty where there is none."""
        return self.lstrip("0123456789.")

    def counted_in(self, unit: str) -> Decimal | None:
        """Return the amount in a product's unit; None where nobody knows how many of one make the other."""
        return counted_in(self.amount, self.unit, unit) if self.unit else self.amount


def counted_in(amount: Decimal, unit: str, other: str) -> Decimal | None:
    """Return an amount in another unit; None where nobody knows how many of one make the other."""
    (asked, single), (held, theirs) = _taken_apart(unit), _taken_apart(other)
    if single != theirs and not {single, theirs} <= _PIECES:
        return None
    return amount * asked / held


def _taken_apart(unit: str) -> tuple[int, str]:
    """Return how many single things a unit is, and of which kind: 千个 are 1000 个."""
    folded = unit.strip().casefold()
    if folded[:1] in _MULTIPLES and folded[1:] in _PIECES:
        return _MULTIPLES[folded[0]], folded[1:]
    return 1, _SAME.get(folded, folded)


def typed_demand(amount: Decimal, unit: str) -> str:
    """Return a needed quantity as it is typed in a line."""
    return f"×{amount.normalize():f}{unit}"


def read_amount(text: str) -> Decimal | None:
    """Return the number that a text is: 500, 1,200, 三百, 两千五, 1.5万, 半, 2k; None for all else, and for zero."""
    if english := _ENGLISH.fullmatch(_THOUSANDS.sub("", text.strip())):
        return Decimal(english[1]) * _WORTH[english[2].casefold().removesuffix("s")] or None
    match = _NUMBER.fullmatch(_THOUSANDS.sub("", text.strip()))
    if match is None:
        return None
    digits, signs = match["digits"], match["signs"]
    if signs == "半":
        return None if digits else _HALF
    worth = read_numerals(signs)
    if not digits:  # 百 alone is no number
        return Decimal(worth) if worth and signs not in _MULTIPLES else None
    if signs and signs not in _AFTER_DIGITS:
        return None
    return Decimal(digits) * (worth or 1) or None
