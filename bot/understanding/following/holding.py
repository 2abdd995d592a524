"""Documents that hold the product of the line before: 它被哪些订单占用, after the stock of SKU123."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.following.continued import parts_of
from bot.understanding.grammar import Grammar
from bot.understanding.lines.holding import holding_asked

_IT = re.compile(
    r"(?:它|(?:这|那)(?:个|款|种)(?:产品|商品|货|料)?)|\b(?:it|its|this product|that product)\b", re.IGNORECASE
)
_WANTED = re.compile(
    r"要用|占[用着了]|在等|谁(?:还|都|又)?(?:订|买|要|定)(?:了|过|的)|\b(?:who (?:ordered|needs|wants)|waiting for)\b",
    re.IGNORECASE,
)
"""Says that something is wanted, and not what: 哪些单要用, 谁订了."""


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
