"""Sentences that continue goods or a warehouse and omit them: 上海的够不够, 缺啥, 多少钱, 哪些单要用."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.days import Days, names_days
from bot.chat.parsing import command_line, split
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.command_kinds import AT_WAREHOUSES, BY_STATE, LISTED_BY_PRODUCT, RANKED, RANKED_BY_DAYS
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import NEED, FollowUp
from bot.understanding.lines.products import product_documents_asked
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.spans import SpanKind

_OF_GOODS = frozenset({"stock", "price", "arrivals", "product", "mo"})
_ON_DAYS = frozenset({"arrivals", "mo"})
_SPOKEN = frozenset({SpanKind.CUE, SpanKind.QUANTITY, SpanKind.DIGITS})
_PLACED = frozenset({SpanKind.WAREHOUSE, SpanKind.PLACE})
_OF_ALL = re.compile(
    r"哪(?!个仓|边|里|些料|些材料|些物料)|什么货|什么东西|缺什么|缺啥|有什么|有啥|清单|列表|所有|全部"
    r"|\b(?:what(?! do we have| price| rate| cost)|which|list|all|any|everything)\b",
    re.IGNORECASE,
)
"""Asks for all goods, and not for those of the line before."""
_ASKS = re.compile(r"多少|有没有|还有|[吗没么不]$|够|能|会|几|\b(?:is|are|will|does|how|when|enough)\b", re.IGNORECASE)
_WE_HAVE = re.compile(r"\bdo we have\b", re.IGNORECASE)
_FIGURES = frozenset({"report", "chart"}) | RANKED
_OF_EVERY_PARTNER = re.compile(
    r"(?:那|就|再)?(?:看|查|列)?(?:所有|全部|全体)的?(?:客户|供应商|厂家|公司|人)的?[呢吧]?"
    r"|(?:for |of )?all (?:of )?(?:the )?(?:customers|clients|vendors|suppliers)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Before:
    """The names in the previous line: its goods, its warehouse, and the quantity needed."""

    command: str
    goods: tuple[str, ...]
    store: str
    need: str

    @classmethod
    def of(cls, follow_up: FollowUp) -> _Before | None:
        """Return the parts of a line; None if it names anything but goods and a warehouse."""
        grammar, command = follow_up.grammar, follow_up.before.command or ""
        words = list(split(follow_up.before.rest, listed=command == "stock"))
        Days.take_marked(words)
        is_of_stock = command == "chart" and words[:1] == ["stock"]
        if command not in _OF_GOODS | set(AT_WAREHOUSES) and not is_of_stock:
            return None
        listed = ("stock",) if is_of_stock else grammar.sentences.lists.get(command, ())
        store = next((word for word in words if word.startswith("@")), "")
        need = next((word for word in words if word.startswith(NEED)), "")
        goods = tuple(word for word in words if word not in {store, need, *listed})
        goods = goods[:1] if command == "price" else goods  # and not for whom the price is
        known = all(grammar.vocabulary.knows_product(word) or grammar.vocabulary.product(word) for word in goods)
        return cls(command, goods, store, need) if known else None


def of_goods(follow_up: FollowUp) -> Reading | None:
    """Return the question about the goods or warehouse of the previous line; None if anything else is named."""
    before, lines = _Before.of(follow_up), follow_up.grammar.lines
    if before is None or (_OF_ALL.search(follow_up.text) and before.goods):
        return None
    scan, asked = follow_up.scan, follow_up.asked
    if follow_up.weights.get(asked, 0) < SAYS_WHAT_TO_DO or not follow_up.may_use(asked):
        return None
    if not before.goods:
        return _at_the_warehouse(follow_up, before)
    kinds = {span.kind for span in scan.spans} - _SPOKEN
    if asked == "chart" and not kinds and len(before.goods) == 1 and not lines.products.draws_sales(scan):
        return follow_up.reading(command_line("chart", "stock", *before.goods))
    if asked == "shortage":
        asked = "stock"
    if asked not in _OF_GOODS:
        return None
    if kinds and kinds <= _PLACED and asked == "stock" and _ASKS.search(follow_up.text):
        stores = [f"@{span.value}" for span in scan.spans if span.kind in _PLACED]
        need = quantity_needed(scan) or (before.need if len(before.goods) == 1 else "")
        return follow_up.reading(command_line("stock", *before.goods, stores[0], need)) if len(stores) == 1 else None
    on_days = kinds == {SpanKind.DATE} and asked in _ON_DAYS and _ASKS.search(follow_up.text)
    if on_days and any(names_days(span.text) for span in scan.of_kind(SpanKind.DATE)) and len(before.goods) == 1:
        line = command_line(asked, lines.lists.named(asked, scan) if asked in BY_STATE else "", *before.goods)
        return follow_up.reading(lines.lists.with_days(line, asked, scan))
    if kinds or (len(before.goods) == 1 and before.command != "chart" and not _WE_HAVE.search(follow_up.text)):
        return None
    if asked == "stock":
        return follow_up.reading(command_line("stock", *before.goods))
    line, *others = (command_line(asked, each) for each in before.goods)
    return replace(follow_up.reading(line), alternatives=tuple(others), unsure=bool(others))


def _at_the_warehouse(follow_up: FollowUp, before: _Before) -> Reading | None:
    """Return the other question about a warehouse after its full stock: 缺啥, after everything in it."""
    asked = follow_up.asked
    other = asked in AT_WAREHOUSES and asked != before.command and before.command in AT_WAREHOUSES
    if not before.store or not other or any(span.kind is not SpanKind.CUE for span in follow_up.scan.spans):
        return None
    return follow_up.reading(command_line(asked, before.store))


def ranked_on_the_same_days(follow_up: FollowUp) -> Reading | None:
    """Return a ranking on the days of the previous figures: 谁买得最多, after the sales of last month."""
    words = list(follow_up.words)
    days = Days.take_marked(words) if follow_up.before.command in _FIGURES else None
    if not days:
        return None
    reading = follow_up.grammar.read(follow_up.text, follow_up.usable)
    if reading is None or reading.unsure or reading.by is ReadBy.COMMAND:
        return None
    parsed = follow_up.grammar.commands.parse(reading.line)
    if parsed.command not in RANKED or parsed.rest not in RANKED_BY_DAYS:
        return None  # it ranks by what is of now, names somebody, or has days of its own
    return Reading(line=f"{reading.line} {days}", by=ReadBy.CONTEXT, understood=reading.understood)


def of_every_partner(follow_up: FollowUp) -> Reading | None:
    """Return the current list for all customers or vendors instead of one: 所有供应商的."""
    command = follow_up.before.command
    if command is None or command in RANKED or not follow_up.may_use(command):
        return None
    words = list(follow_up.words)
    days = Days.take_marked(words) or ""
    kept = [word for word in words if not follow_up.grammar.vocabulary.knows_partner(word)]
    if len(kept) == len(words) or not _OF_EVERY_PARTNER.fullmatch(follow_up.text.strip(" .。!！")):
        return None
    return follow_up.reading(
        f"{command_line(command, *kept)} {days}".rstrip(), Understood("cue", follow_up.text, command)
    )


_IT = re.compile(
    r"(?:它|(?:这|那)(?:个|款|种)(?:产品|商品|货|料)?)|\b(?:it|its|this product|that product)\b", re.IGNORECASE
)
_WANTED = re.compile(
    r"要用|占[用着了]|在等|谁(?:还|都|又)?(?:订|买|要|定)(?:了|过|的)|\b(?:who (?:ordered|needs|wants)|waiting for)\b",
    re.IGNORECASE,
)
"""Says that something is wanted, and not what: 哪些单要用, 谁订了."""
_OF_ONE_PRODUCT = frozenset({"stock", "price", "arrivals", "product", "mo"})
"""Commands about a product, which a question may leave out that follows another one about it: 多少钱, 够不够500个."""
_ENOUGH = re.compile(r"够|\benough\b", re.IGNORECASE)


def of_its_documents(follow_up: FollowUp) -> Reading | None:
    """Return the list of documents that contain the previous line's product; None if it has none."""
    grammar, text, product = follow_up.grammar, follow_up.text, _product_before(follow_up)
    if not product or not (_IT.search(text) or _WANTED.search(text)):
        return None
    whole = _IT.sub(product, text, count=1) if _IT.search(text) else f"{product} {text}"
    if not product_documents_asked(grammar.recognition, grammar.recognition.scan(whole), follow_up.usable):
        return None
    reading = grammar.read(whole, follow_up.usable)
    return replace(reading, by=ReadBy.CONTEXT) if reading and not reading.unsure else None


def _product_before(follow_up: FollowUp) -> str:
    """Return the code of the previous line's only product; empty if it has none."""
    words, knows = follow_up.subject, follow_up.grammar.vocabulary
    is_code = len(words) == 1 and knows.product(words[0]) is not None and knows.document(words[0]) is None
    return words[0] if is_code else ""


def of_the_product(follow_up: FollowUp) -> Reading | None:
    """Return the line of a question without a name, after one about a product; None for a question about all."""
    command, words = follow_up.before.command, follow_up.subject
    of_one = command in _OF_ONE_PRODUCT or (command in LISTED_BY_PRODUCT and _product_before(follow_up))
    if not of_one or len(words) != 1 or _OF_ALL.search(follow_up.text):
        return None
    knows, scan, asked = follow_up.grammar.vocabulary, follow_up.scan, follow_up.asked
    if command == "mo" and not (knows.knows_product(words[0]) or knows.product(words[0])):
        return None
    if not asked and _ENOUGH.search(follow_up.text) and scan.of_kind(SpanKind.QUANTITY):
        asked = "stock"
    spoken = all(span.kind in {SpanKind.CUE, SpanKind.QUANTITY, SpanKind.DIGITS} for span in scan.spans)
    if asked not in _OF_ONE_PRODUCT or not spoken or follow_up.grammar.commands.parse(follow_up.text).slashed:
        return None
    if not follow_up.may_use(asked):
        return None
    if asked != command and follow_up.weights.get(asked, 0) < SAYS_WHAT_TO_DO:
        return follow_up.reading(command_line(asked, words[0], quantity_needed(scan)))
    return continued(follow_up, with_subject=True)
