"""Sentences that repeat the question for another subject: SO-1044呢 after the invoices of SO-1023, 美居拿多少 after a
price.
"""

from __future__ import annotations

import re

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading
from bot.understanding.following.going_on import GOES_ON
from bot.understanding.following.turn import Turn
from bot.understanding.scanning.recognition import says_itself
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.vocabulary import Trade

_FOR_WHOM = re.compile(r"拿|卖给|给|什么价|啥价|多少|报|\bfor\b", re.IGNORECASE)


def of_another_document(turn: Turn) -> Reading | None:
    """Return the last question about a document, for another of its kind: SO-1044呢, after the invoices of SO-1023."""
    bare, goes_on = GOES_ON.subn("", turn.text)
    command = turn.before.command
    old = turn.grammar.vocabulary.document(turn.words[0]) if goes_on and len(turn.words) == 1 else None
    turn = turn.saying(bare.strip())
    if old is None or command is None or not turn.may_use(command):
        return None
    if len(turn.scan.spans) != 1 or not says_itself(turn.scan):
        return None
    new = turn.scan.spans[0]
    is_alike = new.kind is SpanKind.DOCUMENT and new.command == old[0] != command
    return turn.reading(command_line(command, new.value)) if is_alike else None


def for_a_customer(turn: Turn) -> Reading | None:
    """Return the price for a customer, after one of a product: 美居拿多少, "for Müller"; None for anything else."""
    if turn.before.command != "price" or not turn.words or not turn.may_use("price"):
        return None
    customers = turn.scan.of_kind(SpanKind.PARTNER)
    others = [span for span in turn.scan.spans if span.kind not in {SpanKind.PARTNER, SpanKind.CUE}]
    if len(customers) != 1 or others or turn.grammar.vocabulary.trade(customers[0].value) is Trade.PURCHASE:
        return None
    is_asked = _FOR_WHOM.search(turn.text)
    return turn.reading(command_line("price", turn.words[0], customers[0].value)) if is_asked else None
