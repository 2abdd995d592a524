"""The documents that contain a named product: SKU123被哪些订单占用, 哪些采购单买了RM-42."""

from __future__ import annotations

import re

from bot.understanding.lines.weighing import SAYS_OUTRIGHT
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, SpanKind

_WHICH_FIRST = ("po", "order")
"""采购订单 holds the word of the other side."""
_OF_ITS_OWN = frozenset({"mo", "audit"})
"""Commands whose words hold that for orders, such as 生产订单, or that tell of people whose ids look like codes."""
_WHICH = re.compile(r"哪|谁|占|\b(?:which|who|what)\b", re.IGNORECASE)


def product_documents_asked(recognition: Recognition, scan: Scan, usable: frozenset[str] | None) -> str:
    """Return the command whose documents of a product are asked for; empty if none are.

    Beside a customer or vendor, a product is bought or sold: its price is more likely. If the words ask for something
    else outright, such as 库存, the documents are only meant by "which documents".
    """
    if not scan.of_kind(SpanKind.PRODUCT) or scan.of_kind(SpanKind.DOCUMENT) or partners_or_people(scan):
        return ""
    text = scan.text.casefold()
    said = (name for name in _WHICH_FIRST if (words := recognition.sentences.holding.get(name)) and words.search(text))
    command = next(said, "")
    if not command or (usable is not None and command not in usable):
        return ""
    outright = {cue.command for cue in recognition.cues_in(scan) if cue.weight >= SAYS_OUTRIGHT} - {"order", "po"}
    is_other = not outright.isdisjoint(_OF_ITS_OWN) or (outright and not _WHICH.search(text))
    return "" if is_other else command
