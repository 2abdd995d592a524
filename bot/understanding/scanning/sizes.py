"""Sizes of goods in everyday wording: 十二寸 is 12寸, 四乘十二 is 4×12, 60瓦 is 60W, 650 beside 工业壁扇 is 650mm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from bot.chat.records.demand import read_amount

_NUMERALS = "零〇一二两三四五六七八九十百千半"
_NUMBER = rf"\d+(?:\.\d+)?|[{_NUMERALS}]+"
_ALIKE = (
    ("寸", "英寸", "吋", "inches", "inch", '"'),
    ("w", "瓦", "watts", "watt"),
    ("v", "伏"),
    ("mm", "毫米"),
    ("cm", "厘米", "公分"),
    ("米", "公尺", "m"),
    ("oz", "盎司", "ounces", "ounce"),
    ("号", "#"),
    ("件", "pcs"),
)
"""Units that are the same, however a product's specification writes them."""
_SAME_UNITS: Mapping[str, tuple[str, ...]] = {unit: alike for alike in _ALIKE for unit in alike}
_COUNTED = frozenset({"米", "公尺", "m", "号", "#", "件", "pcs"})
"""Units of quantities and days too: they name a size beside goods of that size alone."""
_UNITS = "|".join(re.escape(unit) for unit in sorted(_SAME_UNITS, key=len, reverse=True))
_WITH_UNIT = re.compile(rf"(?<![\w.×*])({_NUMBER})\s*({_UNITS})(?![a-z])", re.IGNORECASE)
_AFTER_CHINESE = re.compile(rf"(?<=[\u3400-\u9fff])({_NUMBER})\s*({_UNITS})(?![a-z])", re.IGNORECASE)
_SIGN = r"\s*(?:×|x|\*|乘以?|by)\s*"
_TIMES = re.compile(rf"(?<![0-9.{_NUMERALS}])(?P<sides>(?:{_NUMBER})(?:{_SIGN}(?:{_NUMBER}))+)(?![a-z])", re.IGNORECASE)
_SIDES = re.compile(_SIGN, re.IGNORECASE)
_SAID_TIMES = re.compile(rf"(?<=[\d{_NUMERALS}])乘以?(?=[\d{_NUMERALS}])")
_THREAD = re.compile(rf"(?<![a-z0-9])m([{_NUMERALS}]+)(?![{_NUMERALS}个件])", re.IGNORECASE)
_AT_THE_END = re.compile(r"(?<=[\u3400-\u9fff])(\d+(?:\.\d+)?)(?=的|$)")
_BEFORE_GOODS = re.compile(r"(?<![\w.,×*#-])(\d+(?:\.\d+)?)(?=[\u3400-\u9fff])")
_GOES_ON = re.compile(r"(?!的)[\u3400-\u9fff]")
_ONE_NUMBER = re.compile(r"[^\d]*(\d+(?:\.\d+)?)[^\d]*")
_PART = 2
"""Signs of a name beside which a number may be the size of what is called so."""
_PARTS = (_PART, 3, 4)


@dataclass(frozen=True)
class Sizes:
    """Writes the sizes in a sentence as the company's products do; anything else stays as said.

    ``goods_of`` maps sizes to names of goods, ``known`` tells whether a text is part of a name or specification.
    """

    goods_of: Mapping[str, tuple[str, ...]]
    known: Callable[[str], bool]

    def mend(self, text: str) -> str:
        """Return a text with sizes in the products' spelling."""
        text = _TIMES.sub(self._times, text)
        text = _THREAD.sub(self._thread, text)
        for pattern in (_WITH_UNIT, _AFTER_CHINESE):
            text = pattern.sub(self._with_unit, text)
        for pattern in (_AT_THE_END, _BEFORE_GOODS):
            text = pattern.sub(self._alone, text)
        return text

    def is_beside_goods(self, size: str, text: str, start: int, end: int, part: int = _PART) -> bool:
        """Return whether goods of a size are named right beside a place in a text: 5号 in 5号纸箱.

        ``part`` is the number of characters of their name required there.
        """
        before = text[:start].rstrip(" 的")[-part:]
        after = text[end:].lstrip(" 的")[:part]
        names = self._folded.get(size.casefold(), ())
        return any(len(said) == part and said in name for said in (before, after) for name in names)

    def of(self, name: str, size: str) -> bool:
        """Return whether there are goods with a part of a name and a size."""
        return any(name.casefold() in each for each in self._folded.get(size.casefold(), ()))

    @cached_property
    def _folded(self) -> Mapping[str, tuple[str, ...]]:
        return {size.casefold(): tuple(map(str.casefold, names)) for size, names in self.goods_of.items()}

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        return {size.casefold(): size for size in self.goods_of}

    @cached_property
    def _by_number(self) -> Mapping[str, tuple[str, ...]]:
        """Sizes with a single number, by that number: 650 is 650mm, and 5.5 is Φ5.5."""
        found: dict[str, tuple[str, ...]] = {}
        for size in self.goods_of:
            if match := _ONE_NUMBER.fullmatch(size):
                found[match[1]] = (*found.get(match[1], ()), size)
        return found

    def _times(self, match: re.Match[str]) -> str:
        numbers = [_digits(side) for side in _SIDES.split(match["sides"])]
        size = "×".join(numbers)
        is_size = all(numbers) and (self.known(size) or _SAID_TIMES.search(match[0]))
        return size if is_size else match[0]

    def _thread(self, match: re.Match[str]) -> str:
        size = f"M{_digits(match[1])}"
        return size if self.known(size) else match[0]

    def _with_unit(self, match: re.Match[str]) -> str:
        number, unit = _digits(match[1]), match[2].casefold()
        if not number:
            return match[0]
        # A product may write its size without a blank or in other units.
        known = next((size for each in _SAME_UNITS[unit] if (size := f"{number}{each}") in self._folded), None)
        if unit in _COUNTED:
            beside = known and self.is_beside_goods(known, match.string, *match.span())
            return self.written(known) if beside and known else match[0]
        size = self.written(known) if known else match[0] if match[1][0].isdecimal() else f"{number}{match[2]}"
        # The sign after a size belongs to another word: 寸活 of 12寸活动扳手 is no 存货.
        return f"{size} " if _GOES_ON.match(match.string, match.end()) else size

    def written(self, size: str) -> str:
        """Return a size in the products' spelling."""
        return self._spellings[size.casefold()]

    def _alone(self, match: re.Match[str]) -> str:
        """Return the size behind a bare number, for goods named beside it."""
        sizes = self._by_number.get(_digits(match[1]), ())
        beside: list[str] = []
        for part in _PARTS:  # 扳手 alone may be of several sizes with this number, 两用扳手 of one
            beside = [size for size in sizes if self.is_beside_goods(size, match.string, *match.span(), part)]
            if len(beside) <= 1:
                break
        if len(beside) != 1:
            return match[0]
        # The sign after a size belongs to the goods: 650壁扇 is 650mm 壁扇.
        return f"{beside[0]} " if _GOES_ON.match(match.string, match.end()) else beside[0]


def sizes_of(products: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """Return the names of goods by size, from the words with a digit in names and specifications."""
    found: dict[str, dict[str, None]] = {}
    for name, specification in products:
        for word in chain(specification.split(), name.split()):
            if any(map(str.isdecimal, word)):
                found.setdefault(word, {})[name] = None
    return {size: tuple(names) for size, names in found.items()}


def _digits(number: str) -> str:
    """Return a number in digits; empty if it is none."""
    amount = read_amount(number)
    return "" if amount is None else f"{amount.normalize():f}"
