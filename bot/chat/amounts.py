"""Amount bounds of a list in everyday wording: >100000, 十万以上, 5-10万, "between 10k and 50k", "above 1 lakh".

以上, 以下 and 以内 include the amount itself; 超过 and 低于 do not. 元 and 块 apply to any currency, 美金, ¥ or
EUR to one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import NamedTuple, Self

from bot.chat.arguments import Word
from bot.chat.errors import BadArgument
from bot.chat.numerals import DIGITS, read_numerals
from bot.erp.model import Money
from bot.words.phrase import phrase

_MOST_WORDS = 6
"""The most words of a typed amount: between 10k and 50k USD."""
_CERTAIN, _CERTAIN_RANGE, _ROUND = 1000, 10_000, 100
"""From the first on, a bare number is money, and so is a range of round ones up to the second: others count something
else.
"""
_YEARS = range(1990, 2100)
_BEYOND, _FROM, _BELOW, _UNTIL = ">", ">=", "<", "<="
_BALANCE = "balance"
_MEANS_A_BOUND = re.compile(r"(?:balance|余额)?(?:>=?|<=)\S+|\d[\d.,]*\.\.\d[\d.,]*", re.IGNORECASE)
"""An unambiguous bound: >abc, or 50000..10000, which is empty."""
_EXAMPLES = {"bound": ">100000", "range": "10000..50000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountBounds:
    """Bounds of a document's amount in its own currency: ``least`` (or ``beyond`` it) and ``most`` (or ``below`` it).

    A ``currency`` selects only its documents. ``of_balance``: the open part of the document counts.
    """

    least: Decimal | None = None
    most: Decimal | None = None
    beyond: bool = False
    below: bool = False
    currency: str = ""
    of_balance: bool = False

    def holds(self, money: Money | None) -> bool:
        """Return whether an amount is within the bounds; an unknown one is not."""
        if money is None or self.currency not in {"", money.currency}:
            return False
        amount = money.amount
        enough = self.least is None or amount > self.least or (amount == self.least and not self.beyond)
        return enough and (self.most is None or amount < self.most or (amount == self.most and not self.below))

    def joined(self, other: AmountBounds) -> AmountBounds | None:
        """Return the intersection, one bounding from above and one from below; None if they do not combine."""
        lower, upper = (self, other) if self.most is None else (other, self)
        apart = lower.most is None and upper.least is None and lower.least is not None and upper.most is not None
        if not apart or len({self.currency, other.currency} - {""}) > 1:
            return None
        return AmountBounds(
            least=lower.least,
            most=upper.most,
            beyond=lower.beyond,
            below=upper.below,
            currency=self.currency or other.currency,
            of_balance=self.of_balance or other.of_balance,
        )

    @property
    def typed(self) -> str:
        """The bounds as typed, in one word."""
        if self.least is not None and self.most is not None and not (self.beyond or self.below):
            bounds = f"{_plain(self.least)}..{_plain(self.most)}"
        else:
            lower = "" if self.least is None else f"{_BEYOND if self.beyond else _FROM}{_plain(self.least)}"
            upper = "" if self.most is None else f"{_BELOW if self.below else _UNTIL}{_plain(self.most)}"
            bounds = lower + upper
        return f"{_BALANCE if self.of_balance else ''}{bounds}{self.currency}"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


class Amounts(Word):
    """Amounts that restrict a list, typed anywhere in a line: >100000, 十万以上, 10000..50000, balance>5000."""

    placeholder = phrase(">amount")
    anywhere = True

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the words that bound an amount out of a line; raises `BadArgument` for a bound that is not an amount."""
        if not any(map(_LOOKS_SO.search, words)):
            return None
        for size in range(min(_MOST_WORDS, len(words)), 0, -1):
            for i in range(len(words) - size + 1):
                text = " ".join(words[i : i + size])
                if read_amounts(text):
                    del words[i : i + size]
                    return cls(text)
        if wrong := next(filter(_MEANS_A_BOUND.fullmatch, words), ""):
            raise BadArgument(
                phrase("“%(text)s” is no bound of an amount. Write %(bound)s or %(range)s.", text=wrong, **_EXAMPLES)
            )
        return None

    @property
    def range(self) -> AmountBounds:
        """The bounds that are meant."""
        found = read_amounts(self)
        assert found is not None, "it was taken as some"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAmounts:
    """A text span that bounds an amount. ``certain``: it is money, not a number of days, goods or documents.

    ``owed`` are the words right before it that select the open part.
    """

    start: int
    end: int
    range: AmountBounds
    certain: bool
    owed: str = ""


def read_amounts(text: str) -> AmountBounds | None:
    """Return the bounds in a text; None if it contains anything else, or is ambiguous."""
    folded = text.casefold().strip()
    found = tuple(find_amounts(folded))
    if (
        not found
        or not all(each.certain for each in found)
        or not _SAYS_NO_MORE.fullmatch(without_amounts(folded, found))
    ):
        return None
    return join_ranges(each.range for each in found)


def join_ranges(ranges: Iterable[AmountBounds]) -> AmountBounds | None:
    """Return the intersection of all bounds; None if there are none, or they do not combine."""
    whole, *others = ranges
    for each in others:
        if (both := whole.joined(each)) is None:
            return None
        whole = both
    return whole


def without_amounts(text: str, found: Iterable[FoundAmounts]) -> str:
    """Return a text without its bounds."""
    for each in sorted(found, key=lambda each: -each.start):
        text = f"{text[: each.start]} {text[each.end :]}"
    return text.strip()


def find_amounts(text: str) -> Iterator[FoundAmounts]:
    """Yield the spans of a lower-case text that bound amounts, from left to right, without overlaps."""
    if not _LOOKS_SO.search(text):
        return
    patterns = _patterns()
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], FoundAmounts | None]], ...] = (
        (patterns.shared, _read_shared),
        (patterns.between, _read_range),
        (patterns.compared, _read_compared),
        (patterns.upwards, _read_compared),
        (patterns.about, _read_about),
    )
    found = [each for pattern, read in readers for match in pattern.finditer(text) if (each := read(match))]
    end = 0
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if each.start >= end:
            yield each
            end = each.end


_MULTIPLES = {
    "百": 100,
    "千": 1000,
    "万": 10_000,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "k": 1000,
    "w": 10_000,
    "m": 10**6,
    "mn": 10**6,
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs"), 100_000),
    **dict.fromkeys(("crore", "crores"), 10**7),
}
_ENGLISH = {
    **{
        word: value
        for value, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1)
    },
    "a": 1,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "a hundred": 100,
}
_CURRENCIES = {
    **dict.fromkeys(("¥", "￥", "rmb", "cny", "人民币"), "CNY"),
    **dict.fromkeys(("$", "us$", "usd", "美元", "美金", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("€", "eur", "欧元", "euro", "euros"), "EUR"),
    **dict.fromkeys(("£", "gbp", "英镑"), "GBP"),
    **dict.fromkeys(("hk$", "hkd", "港币", "港元"), "HKD"),
    **dict.fromkeys(("jpy", "日元", "日币", "yen"), "JPY"),
    **dict.fromkeys(("₹", "inr", "卢比", "rs", "rs.", "rupee", "rupees"), "INR"),
}
_OF_ANY_CURRENCY = ("元", "块钱", "块", "圆", "yuan")


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NUMERALS = "零〇一二两三四五六七八九十百千万亿"
_LATIN_MULTIPLE = r"(?:thousand|lakhs?|lacs?|crores?|million|mn|[kwm])(?![a-z])"
_NUMBER = (
    rf"(?:(?:\d{{1,3}}(?:,\d{{2,3}})+|\d{{1,12}})(?:\.\d{{1,4}})?(?:\s?{_LATIN_MULTIPLE}|百万|千万|亿|[万千百](?:\d千?)?)?"
    rf"|(?=[百千万亿]*[一二两三四五六七八九十])[{_NUMERALS}]*[十百千万亿][{_NUMERALS}]*"
    r"|(?:百万|千万|[百千万亿])(?=[的元块了以美人]|[\s,，]|$|订|单|发票|采购|[收付应账回]款?)"
    rf"|(?:{_one_of(_ENGLISH)})\s(?:hundred|{_LATIN_MULTIPLE}))"
    rf"(?![\d{_NUMERALS}几多来余]|[.,/:]\d)"
)
_OTHER_UNITS = (
    r"天|日|个|件|只|张|笔|单|%|号|月|年|周|星期|礼拜|小时|分钟|点|公斤|千克|克|吨|米|套|台|箱|支|片|卷|把|桶|瓶|盒|包|捆|根|条|次|倍|家|位|行|项|种"
    r"|(?:kgs?|pcs|pieces?|units?|days?|weeks?|months?|years?|hours?|times|percent|tons?|boxes|rows|orders|customers"
    r"|vendors|suppliers)(?![a-z])"
)
"""Units that exclude money."""
_MONEY = (
    rf"(?:(?:{_one_of(_CURRENCIES)})\s?)?{_NUMBER}(?:\s?(?:{_one_of((*_CURRENCIES, *_OF_ANY_CURRENCY))})整?)?"
    rf"(?:/-)?(?![a-z])(?!\s*(?:{_OTHER_UNITS}))"
)
_BEFORE = {
    _FROM: r"(?<![早晚马以])上(?=[百千万])|不低于|不少于|不小于|不下于|大于(?:或)?等于|至少|最少|起码|>=|≥"
    r"|\b(?:at least|(?:no|not) (?:less|lower|smaller) than|not (?:below|under)|minimum(?: of)?)\b",
    _UNTIL: r"不超过|不超出|不高于|不大于|不多于|(?<!有)没有?超过|未超过|小于(?:或)?等于|至多|最多|顶多|<=|≤"
    r"|\b(?:at most|up to|(?:no|not) (?:more|greater|higher|bigger) than|not (?:over|above|exceeding)|within"
    r"|maximum(?: of)?)\b",
    _BEYOND: rf"超过了?|超出|大于|高于|多于|大过|[超过]了?(?=[\d{_NUMERALS}])|>"
    r"|\b(?:over|above|exceeding|exceeds?|beyond|in excess of|upwards of|(?:more|greater|bigger|larger|higher) than)\b",
    _BELOW: r"低于|小于|少于|不到|不足|不满|没到|未到|<|\b(?:below|under|(?:less|lower|smaller) than)\b",
}
"""Words before an amount that make it a bound: the longer ones first, since 不超过 contains 超过."""
_AFTER = {
    _FROM: r"[及或]?(?:以上|之上|往上)|\+|\b(?:or (?:more|above|higher|over)|and (?:up|above|over|more)|plus)\b",
    _UNTIL: r"[及或]?(?:以下|以内|之下|之内)|\b(?:or (?:less|below|under|lower)|and (?:below|under|less))\b",
}
_OWED = (
    r"(?:未收|没收|未付|没付|未结|余额|欠款|欠|待收|待付|尾款)(?:的?(?:金额|款项|款|额))?了?"
    r"|\b(?:outstanding|unpaid|open amount|balance(?: of)?|owing)\b"
)
_LEFT_OPEN = r"\s?(?:没收回来|余额|尾款|\b(?:outstanding|still (?:open|due|unpaid))\b)"
_TO = r"\s?(?:到|至|~|\.\.|-)\s?|\sto\s|\sand\s|\s?[和与]\s?"
_NOT_INSIDE = rf"(?<![a-z0-9.{_NUMERALS}几数多好])(?<!\d[,/:-])(?<![a-z][/:-])"
"""Not preceded by a longer number or a code."""
_KINDS = {"beyond": _BEYOND, "from": _FROM, "below": _BELOW, "until": _UNTIL}
_LOOKS_SO = re.compile(
    rf"(?:[<>≥≤+~到至和与]|-[¥$€£₹]|-[\d.,]+\s?(?:[百千万亿元块kwmlcuer])|-[{_NUMERALS}]|\.\.|[以之][上下内]|上|[超高低多少大小过出][于过出]?|[不未没][到足满])"
    r"|左右|约|概|差不多|[元块万]的|(?<![a-z])(?:about|around|approximately|roughly|so|over|above|exceed\w*|than|beyond|excess|upwards|least|most|below|under|within|up|to|between|m[ai][xn]imum"
    r"|plus|or|and)(?![a-z])",
    re.IGNORECASE,
)
"""Part of anything that may bound an amount: the patterns take some milliseconds to build, and few lines need them."""
_AMOUNT_IS_SAID = re.compile(
    r"(?:金额|总额|总价|价值|数额|额|\b(?:amount(?:s|ing)?|worth|valued?|values|total(?:s|ling|ing)?))(?:\s?(?:is|are|of|to|at|在|为|是|有))?\s?$"
)
_SAYS_NO_MORE = re.compile(r"(?:金额|总额|价值|amount|total|worth)?\s*(?:但是?|而?且|并且|but|and)?")
"""Words allowed beside complete bounds."""
_SOMETHING_ELSE = re.compile(
    r"(?:单价|价格|数量|毛利率?|利润率?|折扣|税额?|运费|库存|销量|账期|信用额度|额度|除了?|不要|不看|别看?|排除|不是"
    r"|\b(?:price|qty|quantity|margin|stock|discount|limit|except|excluding|not))[^,，。\s]{0,3}\s?$"
)
"""Words before a bound of another figure than the amount, or of an excluded one."""


class _Patterns(NamedTuple):
    """The patterns of amount bounds: 5-10万, 一万到五万, 超过十万, 十万以上; and of amounts that are not bounds."""

    shared: re.Pattern[str]
    between: re.Pattern[str]
    compared: re.Pattern[str]
    upwards: re.Pattern[str]
    about: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    def signs(words: dict[str, str]) -> str:
        order = (_FROM, _UNTIL, _BEYOND, _BELOW)
        names = {sign: name for name, sign in _KINDS.items()}
        return "|".join(f"(?P<{names[sign]}>{words[sign]})" for sign in order if sign in words)

    begin = rf"{_NOT_INSIDE}(?P<whole>between\s|from\s|从|在|介于)?"
    inside = r"(?P<inside>之?间)?的?"
    return _Patterns(
        shared=re.compile(
            rf"{begin}(?P<lower>\d{{1,3}}(?:\.\d)?|[一二两三四五六七八九])(?P<to>{_TO})(?P<upper>{_MONEY})(?!-\d){inside}"
        ),
        between=re.compile(rf"{begin}(?P<lower>{_MONEY})(?P<to>{_TO})(?P<upper>{_MONEY})(?!-\d){inside}"),
        compared=re.compile(
            rf"(?P<owed>(?:{_OWED})\s?)?(?:{signs(_BEFORE)})\s?(?P<amount>{_MONEY})(?!-\d)(?:以上|以下|以内)?(?P<left>(?={_LEFT_OPEN}))?(?:的(?!钱))?"
        ),
        upwards=re.compile(
            rf"(?P<owed>(?:{_OWED})\s?)?{_NOT_INSIDE}(?P<amount>{_MONEY})\s?(?:{signs(_AFTER)})(?P<left>(?={_LEFT_OPEN}))?(?:的(?!钱))?"
        ),
        about=re.compile(
            rf"(?:大约|大概|约|差不多|\b(?:about|around|approximately|roughly)\s)(?P<about>{_MONEY})"
            rf"|{_NOT_INSIDE}(?P<near>{_MONEY})\s?(?:左右|上下|\bor so\b)(?:的(?!钱))?"
            rf"|(?P<vague>(?:[几数]|[一二三四五六七八九十百\d]+[几多来]|[一二三四五六七八九]{{2}})[十百]*[千万][元块]?)"
            rf"(?!\s*(?:{_OTHER_UNITS}))(?:以上|以下|以内|左右)?的?"
            rf"|{_NOT_INSIDE}(?P<exact>{_MONEY})的(?=[^钱]*(?:单|票|款|账))"
        ),
    )


def _read_compared(match: re.Match[str]) -> FoundAmounts | None:
    sign = next(sign for name, sign in _KINDS.items() if match.groupdict().get(name))
    if (money := _read_money(match["amount"])) is None:
        return None
    owed, before = match["owed"] or "", match.string[: match.start()]
    upwards = sign in {_BEYOND, _FROM}
    found = AmountBounds(
        least=money.amount if upwards else None,
        most=None if upwards else money.amount,
        beyond=sign == _BEYOND,
        below=sign == _BELOW,
        currency=money.currency,
        of_balance=bool(owed) or match["left"] is not None,
    )
    typed = any(match[0].removeprefix(owed).startswith(mark) for mark in "<>≥≤")
    certain = typed or money.is_said or money.amount >= _CERTAIN or bool(owed) or _AMOUNT_IS_SAID.search(before)
    return FoundAmounts(
        start=match.start(),
        end=match.end(),
        range=found,
        certain=bool(certain) and not _SOMETHING_ELSE.search(before),
        owed=owed,
    )


def _read_about(match: re.Match[str]) -> FoundAmounts | None:
    """Read an approximate amount, such as 五万左右的, 十几万 or 五万块的: no list can be restricted by one."""
    money = None if match["vague"] else _read_money(match["about"] or match["near"] or match["exact"])
    if money and (money.amount < _CERTAIN or not (money.is_said or money.multiple >= _CERTAIN)):
        return None
    found = AmountBounds(least=money.amount, most=money.amount) if money else AmountBounds()
    return FoundAmounts(start=match.start(), end=match.end(), range=found, certain=False)


def _read_shared(match: re.Match[str]) -> FoundAmounts | None:
    """Read 5-10万, where the first number shares the multiple of the second."""
    upper = _read_money(match["upper"])
    if upper is None or upper.multiple == 1:
        return None
    first = match["lower"]
    lower = (Decimal(DIGITS[first]) if first in DIGITS else Decimal(first)) * upper.multiple
    return _range(match, replace(upper, amount=lower), upper) if lower < upper.amount else None


def _read_range(match: re.Match[str]) -> FoundAmounts | None:
    lower, upper = _read_money(match["lower"]), _read_money(match["upper"])
    return _range(match, lower, upper) if lower and upper else None


def _range(match: re.Match[str], lower: _SaidMoney, upper: _SaidMoney) -> FoundAmounts | None:
    """Return the bounds of a range; None for days, years or document numbers."""
    sign, whole, inside = match["to"].strip(), (match["whole"] or "").strip(), match["inside"]
    said = lower.is_said or upper.is_said or lower.multiple > 1 or upper.multiple > 1
    bare_years = not said and lower.amount in _YEARS and upper.amount in _YEARS
    apart = (sign == "and" and whole != "between") or (sign in {"和", "与"} and not inside)
    if apart or bare_years or lower.amount > upper.amount or len({lower.currency, upper.currency} - {""}) > 1:
        return None
    before = match.string[: match.start()]
    plain = sign != "-" and upper.amount >= (_CERTAIN if whole == "between" or inside else _CERTAIN_RANGE)
    is_round = not (lower.amount % _ROUND or upper.amount % _ROUND)
    if not (said or sign == ".." or _AMOUNT_IS_SAID.search(before) or (plain and is_round)):
        return None
    found = AmountBounds(least=lower.amount, most=upper.amount, currency=lower.currency or upper.currency)
    certain = not _SOMETHING_ELSE.search(before)
    return FoundAmounts(start=match.start(), end=match.end(), range=found, certain=certain)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SaidMoney:
    """A number as said, with its multiple: 10 and 万 in 10万. ``is_said``: a word for money is beside it."""

    amount: Decimal
    multiple: int
    currency: str
    is_said: bool


_OF_MONEY = re.compile(
    rf"(?P<before>{_one_of(_CURRENCIES)})?\s?(?P<number>.+?)\s?"
    rf"(?P<after>{_one_of((*_CURRENCIES, *_OF_ANY_CURRENCY))})?整?(?:/-)?"
)
_IN_DIGITS = re.compile(rf"(?P<digits>[\d,]+(?:\.\d+)?)\s?(?P<multiple>{_one_of(_MULTIPLES)})?(?:(?P<next>\d)千?)?")


def _read_money(text: str) -> _SaidMoney | None:
    match = _OF_MONEY.fullmatch(text.strip())
    if match is None or (number := _read_number(match["number"])) is None or not number[0]:
        return None
    named = {_CURRENCIES[word] for word in (match["before"], match["after"]) if word in _CURRENCIES}
    if len(named) > 1:
        return None
    is_said = bool(match["before"] or match["after"])
    return _SaidMoney(amount=number[0], multiple=number[1], currency="".join(named), is_said=is_said)


def read_figure(text: str) -> Decimal | None:
    """Return a number as people type it, such as 1,200 or 3万5; None for anything else."""
    found = _read_number(text.strip())
    return found[0] if found else None


def _read_number(text: str) -> tuple[Decimal, int] | None:
    """Return a number and its multiple: 10 and 万 for 10万; 3万5 is 35000."""
    if match := _IN_DIGITS.fullmatch(text):
        multiple = _MULTIPLES[match["multiple"]] if match["multiple"] else 1
        rest = int(match["next"]) * multiple // 10 if match["next"] else 0
        return Decimal(match["digits"].replace(",", "")) * multiple + rest, multiple
    word, _, latin = text.rpartition(" ")
    if word in _ENGLISH and latin in _MULTIPLES:
        return Decimal(_ENGLISH[word] * _MULTIPLES[latin]), _MULTIPLES[latin]
    amount = read_numerals(text)
    multiple = next((_MULTIPLES[sign] for sign in "亿万千百" if sign in text), 1)
    return None if amount is None else (Decimal(amount), multiple)
