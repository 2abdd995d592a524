"""Sentences that ask the same of another subject: SO-1044呢 after the invoices of SO-1023, 美居拿多少 after a price."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.following.going_on import GOES_ON
from bot.understanding.grammar import Grammar
from bot.understanding.scanning.recognition import says_itself
from bot.understanding.scanning.spans import Scan, SpanKind
from bot.understanding.vocabulary import Trade

_FOR_WHOM = re.compile(r"拿|卖给|给|什么价|啥价|多少|报|\bfor\b", re.IGNORECASE)


def of_another_document(
    grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return what was asked of one document, of another one of its kind: SO-1044呢, after the invoices of SO-1023."""
    before = grammar.commands.parse(last.line)
    words = split(before.rest)
    bare, goes_on = GOES_ON.subn("", text)
    old = grammar.vocabulary.document(words[0]) if goes_on and len(words) == 1 else None
    scan = grammar.recognition.scan(bare.strip())
    if old is None or len(scan.spans) != 1 or before.command is None:
        return None
    new = scan.spans[0]
    is_alike = new.kind is SpanKind.DOCUMENT and new.command == old[0] != before.command
    if not is_alike or not says_itself(scan):
        return None
    if usable is not None and before.command not in usable:
        return None
    return Reading(line=command_line(before.command, new.value), by=ReadBy.CONTEXT, understood=said_in(scan))


def for_a_customer(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the price for a customer, after one of a product: 美居拿多少, "for Müller"; None for anything else."""
    before = grammar.commands.parse(last.line)
    words = split(before.rest)
    if before.command != "price" or not words or (usable is not None and "price" not in usable):
        return None
    scan = grammar.recognition.scan(text)
    customers = scan.of_kind(SpanKind.PARTNER)
    others = [span for span in scan.spans if span.kind not in {SpanKind.PARTNER, SpanKind.CUE}]
    if len(customers) != 1 or others or grammar.vocabulary.trade(customers[0].value) is Trade.PURCHASE:
        return None
    if not _FOR_WHOM.search(text):
        return None
    line = command_line("price", words[0], customers[0].value)
    return Reading(line=line, by=ReadBy.CONTEXT, understood=said_in(scan))


def said_in(scan: Scan) -> tuple[Understood, ...]:
    """Return what a sentence was understood to say, part by part."""
    return tuple(Understood(span.kind.value, span.text, span.value) for span in scan.spans)
