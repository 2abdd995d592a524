"""Sentences that repeat the question for another subject: SO-1044呢, 138呢, 天河, 美居拿多少 after a price."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import DATED
from bot.understanding.following.follow_up import GOES_ON, FollowUp
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


_CODE = re.compile(r"(?P<before>[A-Za-z]{1,10}[-_/.#]?)(?P<digits>\d{2,})")


def is_replacement(follow_up: FollowUp) -> bool:
    """Return whether a text is only the name of another partner or person, after a list for one; or of a warehouse.

    天河, after the late deliveries of 鹭岛, means those of 天河; 成都仓, after some stock, means that there.
    """
    grammar, before, scan = follow_up.grammar, follow_up.before, follow_up.scan
    if len(scan.spans) != 1 or not says_itself(scan) or before.command is None:
        return False
    words = follow_up.parts.words
    if scan.spans[0].kind is SpanKind.WAREHOUSE:
        return before.command == "stock" and len(words) == 1
    known = {SpanKind.PARTNER: grammar.vocabulary.knows_partner, SpanKind.PERSON: grammar.vocabulary.person}
    knows = known.get(scan.spans[0].kind)
    if before.command not in DATED or knows is None or len(words) != 1 or not knows(words[0]):
        return False
    trades = {grammar.vocabulary.trade(words[0]), grammar.vocabulary.trade(scan.spans[0].value)}
    return len(trades - {None}) < len(Trade)  # no vendor has sales orders


def of_replaced_number(follow_up: FollowUp) -> Reading | None:
    """Return the last question about one product or document, for another whose digits alone are given: 138呢 after
    SKU137.
    """
    command, words, known = follow_up.before.command, follow_up.words, follow_up.grammar.vocabulary
    if command is None or not words or not follow_up.may_use(command):
        return None
    match = _CODE.fullmatch(words[0])
    if match is None or not (known.product(words[0]) or known.document(words[0])):
        return None
    digits = follow_up.text.strip(" ?？呢的那")
    if not digits.isdecimal() or len(digits) != len(match["digits"]):
        return None
    code = f"{match['before']}{digits}"
    return follow_up.reading(command_line(command, code, *words[1:]), Understood("number", follow_up.text, code))
