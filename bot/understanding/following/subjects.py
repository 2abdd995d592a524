"""Sentences that repeat the question for another subject: SO-1044呢 after the invoices of SO-1023, 美居拿多少 after a
price.
"""

from __future__ import annotations

import re

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.following.follow_up_words import GOES_ON
from bot.understanding.scanning.recognition import says_itself
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.vocabulary import Trade

_FOR_WHOM = re.compile(r"拿|卖给|给|什么价|啥价|多少|报|\bfor\b", re.IGNORECASE)


def of_another_document(follow_up: FollowUp) -> Reading | None:
    """Return the last question about a document, for another of its kind: SO-1044呢, after the invoices of SO-1023."""
    bare, goes_on = GOES_ON.subn("", follow_up.text)
    command = follow_up.before.command
    old = follow_up.grammar.vocabulary.document(follow_up.words[0]) if goes_on and len(follow_up.words) == 1 else None
    follow_up = follow_up.saying(bare.strip())
    if old is None or command is None or not follow_up.may_use(command):
        return None
    if len(follow_up.scan.spans) != 1 or not says_itself(follow_up.scan):
        return None
    new = follow_up.scan.spans[0]
    is_alike = new.kind is SpanKind.DOCUMENT and new.command == old[0] != command
    return follow_up.reading(command_line(command, new.value)) if is_alike else None


def for_a_customer(follow_up: FollowUp) -> Reading | None:
    """Return the price for a customer, after one of a product: 美居拿多少, "for Müller"; None for anything else."""
    if follow_up.before.command != "price" or not follow_up.words or not follow_up.may_use("price"):
        return None
    customers = follow_up.scan.of_kind(SpanKind.PARTNER)
    others = [span for span in follow_up.scan.spans if span.kind not in {SpanKind.PARTNER, SpanKind.CUE}]
    if len(customers) != 1 or others or follow_up.grammar.vocabulary.trade(customers[0].value) is Trade.PURCHASE:
        return None
    is_asked = _FOR_WHOM.search(follow_up.text)
    return follow_up.reading(command_line("price", follow_up.words[0], customers[0].value)) if is_asked else None
