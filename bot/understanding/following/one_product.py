"""Sentences that leave out which product they are about: 多少钱, 够不够500个, 哪些单要用, after the stock of SKU123."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import command_line
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.following.continued import HOLDING, continued, parts_of
from bot.understanding.following.subjects import said_in
from bot.understanding.grammar import Grammar
from bot.understanding.lines.holding import holding_asked
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


def of_its_documents(
    grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None = None
) -> Reading | None:
    """Return the list of the documents that hold what the line before is of; None where it is of no product."""
    product = product_before(grammar, last)
    if not product or not (_IT.search(text) or _WANTED.search(text)):
        return None
    whole = _IT.sub(product, text, count=1) if _IT.search(text) else f"{product} {text}"
    if not holding_asked(grammar.recognition, grammar.recognition.scan(whole), usable):
        return None
    reading = grammar.read(whole, usable)
    return replace(reading, by=ReadBy.CONTEXT) if reading and not reading.unsure else None


def product_before(grammar: Grammar, last: LastQuestion) -> str:
    """Return the code of the one product that the line before is of; empty where it is of anything else."""
    before = grammar.commands.parse(last.line)
    words, *_ = parts_of(grammar, before.command or "", before.rest)
    words = words[:1] if before.command == "price" else words  # and not for whom the price is
    return words[0] if len(words) == 1 and is_code(grammar, words[0]) else ""


def is_code(grammar: Grammar, word: str) -> bool:
    """Whether a word is the code of a product, and no document is called so."""
    return grammar.vocabulary.product(word) is not None and grammar.vocabulary.document(word) is None


def of_the_product(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line of a question that names nothing, after one about a product; None for what asks about all."""
    before = grammar.commands.parse(last.line)
    of_one = before.command in _OF_ONE_PRODUCT or (before.command in HOLDING and product_before(grammar, last))
    if before.command is None or not of_one or _OF_ALL.search(text):
        return None
    scan = grammar.recognition.scan(text)
    words, *_ = parts_of(grammar, before.command, before.rest)
    words = words[:1] if before.command == "price" else words  # and not for whom the price is
    if before.command == "mo" and not all(_is_product(grammar, word) for word in words):
        return None
    asked = max(weights := grammar.lines.weigh(scan, usable), key=lambda name: weights[name], default="")
    if not asked and _ENOUGH.search(text) and scan.of_kind(SpanKind.QUANTITY):
        asked = "stock"
    spoken = all(span.kind in {SpanKind.CUE, SpanKind.QUANTITY, SpanKind.DIGITS} for span in scan.spans)
    if len(words) != 1 or asked not in _OF_ONE_PRODUCT or not spoken or grammar.commands.parse(text).slashed:
        return None
    if usable is not None and asked not in usable:
        return None
    if asked != before.command and weights.get(asked, 0) < SAYS_WHAT_TO_DO:
        line = command_line(asked, words[0], quantity_needed(scan))
        return Reading(line=line, by=ReadBy.CONTEXT, understood=said_in(scan))
    return continued(grammar, text, last, usable, with_subject=True)


def _is_product(grammar: Grammar, word: str) -> bool:
    """Whether products are called so, or have such a code."""
    return grammar.vocabulary.knows_product(word) or grammar.vocabulary.product(word) is not None
