"""Sentences that omit their product: 多少钱, 够不够500个, 哪些单要用, after the stock of SKU123."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import command_line
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.command_kinds import LISTED_BY_PRODUCT
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.lines.product_documents import product_documents_asked
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.spans import SpanKind

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
_OF_ALL = re.compile(
    r"哪(?!个仓|边|里|些料|些材料|些物料)|什么货|有什么|清单|列表|所有|全部"
    r"|\b(?:what(?! price| rate| cost)|which|list|all|any)\b",
    re.IGNORECASE,
)


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
