"""Amount bounds in sentences: 金额超过10万的订单, "invoices between 10k and 50k", and the lines that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.chat.amounts import AmountBounds, Amounts, FoundAmounts, find_amounts, join_ranges
from bot.chat.arguments import Word
from bot.chat.errors import BadArgument
from bot.chat.parsing import MAX_LINE_BYTES, quote, split
from bot.chat.questions.reading import Understood
from bot.chat.records.documents import Documents
from bot.understanding.command_kinds import OWED
from bot.understanding.scanning.recognition import Recognition

AMOUNTS = "amounts"
"""The kind of what was understood of bounds."""
_ASKER = "我"
"""Commands whose documents have an amount that is still open."""
_ANY_AMOUNT = re.compile(
    r"(?:不管|无论|不论|不限|别管)(?:金额|多少钱?|大小|数额|钱){1,2}(?:大小|多少)?,?(?:都(?:要|看|行|可以|列出来|给我))?"
    r"|(?:金额)?(?:多少|大小)钱?(?:都要|都行|都看|不限|无所谓)|(?:任何|全部|所有|各种)金额的?(?:都要|都看)?|金额不限"
    r"|(?:去掉|取消|不要)金额(?:的?(?:限制|条件|范围))?"
    r"|(?:of |for )?(?:any|all) amounts?|(?:whatever|regardless of|no matter) (?:the )?(?:amount|size)"
    r"|no (?:amount )?limit|(?:without|drop|remove) the (?:amount|limit|bound|amount limit)",
    re.IGNORECASE,
)
"""Says that amounts of any size are wanted again."""
_OF_WHOM = re.compile(
    r"(?:的|哪些|哪个|几个|几家|\s|^)(?:客户|供应商|供货商|厂家|厂商)(?:都?有?(?:哪些|谁|几家|多少)|是谁|名单|列表|清单)?[吗呢啊]?$"
    r"|谁|哪(?:些|个|几)?家|哪些?个?(?:客户|供应商|公司)"
    r"|\bwho\b|\b(?:customers?|clients?|vendors?|suppliers?) (?:who|that|which|with|owing|owe|over|above|we owe)\b"
    r"|\b(?:customers|clients|vendors|suppliers)$"
    r"|\bwhich (?:customers?|clients?|vendors?|suppliers?|company|companies)\b",
    re.IGNORECASE,
)
"""Says that a bound is of what somebody owes or ordered in all, and not of single documents."""


_CODE_OF: Mapping[str, str] = {
    **dict.fromkeys(("usd", "美元", "美金", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("eur", "欧元", "euro", "euros"), "EUR"),
    **dict.fromkeys(("cny", "rmb", "人民币"), "CNY"),
    **dict.fromkeys(("gbp", "英镑"), "GBP"),
    **dict.fromkeys(("hkd", "港币", "港元"), "HKD"),
    **dict.fromkeys(("jpy", "日元", "日币"), "JPY"),
}
CURRENCY = re.compile(
    r"(?:(?<!多少)(?<![几成])(?:美元|美金|欧元|人民币|英镑|港[币元]|日[元币])(?:的|计价的?|结算的?)?"
    r"|(?<![a-z])(?:in )?(?:usd|eur|cny|rmb|gbp|hkd|jpy|dollars?|euros?)(?![a-z]))",
    re.IGNORECASE,
)
"""A currency in which a list's amounts are wanted: 欧元发票, "orders in USD"; not 多少美金 and 换成美元."""


_BIG = re.compile(
    r"大额?(?=(?:订?单|单子|发票|采购单|付款|收款|款)(?!位))"
    r"|(?<![a-z])(?:big|large|huge) (?=orders|invoices|bills|pos|payments)",
    re.IGNORECASE,
)
"""Says what the bound beside it says more exactly: 大单 超过十万的."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenBounds:
    """The amount bounds ``found`` in a sentence, and the ``rest`` without them."""

    rest: str
    found: tuple[FoundAmounts, ...] = ()
    text: str = ""

    @property
    def range(self) -> AmountBounds | None:
        """The bounds together; None if they may not be amounts, or do not combine."""
        certain = bool(self.found) and all(each.certain for each in self.found) and not _OF_WHOM.search(self.rest)
        return join_ranges(each.range for each in self.found) if certain else None

    @property
    def understood(self) -> tuple[Understood, ...]:
        """The understood parts."""
        said = self.range
        words = " ".join(self.text[each.start : each.end].strip() for each in self.found)
        return (Understood(AMOUNTS, words, said.typed),) if said else ()

    def held_by(self, line: str, recognition: Recognition) -> str:
        """Return a line with the bounds; empty if its command has no lists within amounts."""
        said, name = self.range, recognition.commands.parse(line).command
        if said is None or name is None or not recognition.takes(Amounts, name):
            return ""
        if said.of_balance and name not in OWED:
            return ""
        held = f"{line} {said.typed}"
        return held if len(held.encode()) <= MAX_LINE_BYTES else ""


def find_bounds(text: str) -> SpokenBounds:
    """Return the amount bounds in a normalised sentence."""
    folded = text.casefold()
    if len(folded) != len(text):
        return SpokenBounds(rest=text)
    found = tuple(find_amounts(folded))
    if not found:
        return SpokenBounds(rest=text)
    rest = text
    for each in reversed(found):
        said = text[each.start : each.end]
        # 未收超过5万的发票 are 未收的发票, but 提醒我十万以上的采购单 are not mine.
        before = f"{rest[: each.start]}{each.owed}"
        parts_name = said.endswith("的") and not before.endswith(_ASKER)
        between = "" if parts_name and before.endswith("的") else "的" if parts_name else " "
        rest = f"{before}{between}{rest[each.end :]}"
    return _in_currency(SpokenBounds(rest=_BIG.sub("", rest).strip(), found=found, text=text))


def _in_currency(bounds: SpokenBounds) -> SpokenBounds:
    """Return bounds in the one currency named apart from them: "usd orders over 20k"."""
    named = CURRENCY.findall(bounds.rest)
    if len(named) != 1 or any(each.range.currency for each in bounds.found):
        return bounds
    code = _CODE_OF[named[0].casefold().removeprefix("in ").rstrip("的").removesuffix("计价").removesuffix("结算")]
    first, *others = bounds.found
    found = (replace(first, range=replace(first.range, currency=code)), *others)
    return replace(bounds, rest=CURRENCY.sub(" ", bounds.rest).strip(), found=found)


def wants_any_amount(text: str) -> bool:
    """Return whether a sentence drops the bounds of the current list: 不管多少都要."""
    return _ANY_AMOUNT.fullmatch(text.strip("的呢吧 ,，")) is not None


def without_bounds(rest: str, *some: type[Word]) -> tuple[str, str]:
    """Return a command's arguments without what bounds its list, or without some of it, and this as typed."""
    words, taken = list(split(rest)), list[str]()
    try:
        for kind in some or (Amounts, *Documents.restrictions.values()):
            if bound := kind.take_marked(words):
                taken.append(bound.range.typed if isinstance(bound, Amounts) else quote(f"{kind.prefix}{bound}"))
    except BadArgument:
        return rest, ""  # the command says what is wrong
    return (" ".join(map(quote, words)), " ".join(taken)) if taken else (rest, "")
