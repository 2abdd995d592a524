"""The one document that a line before shows, and the words that mean it: 这单, 该发票."""

from __future__ import annotations

import re

from bot.chat.parsing import split
from bot.understanding.grammar import Grammar

OF_THIS = re.compile(
    r"^把它|^(?:把)?(?:这|那|该|此)(?:张|个|笔|票|份)?(?:订单|单子|单|发票|采购单|工单|生产单|账单)(?:的|它)?|^(?:原来的|对应的|相应的|原)",
)
"""Says that it is about the document that is there."""


def document_of(grammar: Grammar, line: str) -> tuple[str, str] | None:
    """Return the command that shows the document of a line by its number, and the number; None for anything else."""
    words = split(grammar.commands.parse(line).rest)
    if len(words) != 1:
        return None
    delivery = grammar.vocabulary.delivery(words[0])
    return ("delivery", delivery) if delivery else grammar.vocabulary.document(words[0])
