"""Sentences about what a document leads to, or about whom a line names: 它的收款, 这个客户还欠多少, 这家怎么样."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.following.continued import named_in, parts_of
from bot.understanding.following.documents import document_of
from bot.understanding.following.going_on import PRONOUN
from bot.understanding.following.subjects import said_in
from bot.understanding.grammar import Grammar
from bot.understanding.lines.command_kinds import BILLED_BY
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.recognition import OF_PARTNERS
from bot.understanding.scanning.spans import Scan
from bot.understanding.vocabulary import Trade

_OF_A_PARTNER = re.compile(r"家|客户|供应商|customer|vendor|supplier", re.IGNORECASE)
_PARTNERS = {"客户": "customer", "供应商": "vendor", "customer": "customer", "vendor": "vendor", "supplier": "vendor"}
"""What a document's partner is called in a sentence → the command that tells of it, to which the document leads."""


def linked(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return what a document leads to and a sentence asks for with a pronoun; None for anything else."""
    match = PRONOUN.search(text)
    return _linked(grammar, text, match[0], last, usable) if match else None


def _linked(
    grammar: Grammar, text: str, pronoun: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    parsed = [(grammar.commands.parse(line), line) for line in last.links]
    partner = next((before for before, _ in parsed if before.command in _PARTNERS.values()), None)
    if partner is None and _OF_A_PARTNER.search(pronoun):
        return _record(grammar, text, pronoun, last, usable)
    scan = grammar.recognition.scan(PRONOUN.sub(" ", text))
    if its_bills := _its_bills(grammar, scan, pronoun, last, usable):
        return its_bills
    leads_to = {before.command for before, _ in parsed} | (OF_PARTNERS if partner else set())
    weights = grammar.lines.weigh(scan, usable, about=partner.rest if partner else "")
    command = max(sorted(weights.keys() & leads_to), key=lambda name: weights[name], default="")
    if not weights and partner and any(word in pronoun.casefold() for word in _PARTNERS):
        command = partner.command or ""
    line = next((line for before, line in parsed if before.command == command), "")
    if not line and partner and command in OF_PARTNERS:
        line = command_line(command, partner.rest)
    if not line or (usable is not None and command not in usable) or named_in(scan):
        return None
    understood = (Understood("document", pronoun, last.line), *said_in(scan))
    return Reading(line=line, by=ReadBy.CONTEXT, understood=understood)


def _its_bills(
    grammar: Grammar, scan: Scan, pronoun: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return the invoices of the order that is there: 它的发票; None where its customer is meant."""
    words = split(grammar.commands.parse(last.line).rest)
    document = document_of(grammar, last.line)
    billed = BILLED_BY.get(document[0], "") if document else ""
    if not billed or (usable is not None and billed not in usable) or _OF_A_PARTNER.search(pronoun):
        return None
    if named_in(scan) or not grammar.lines.documents.asks_for_bills(scan):
        return None
    understood = (Understood("document", pronoun, last.line), *said_in(scan))
    return Reading(line=command_line(billed, words[0]), by=ReadBy.CONTEXT, understood=understood)


def _record(
    grammar: Grammar, text: str, pronoun: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return the record of the partner whom the line before names, if only they are asked about: 这家怎么样."""
    before = grammar.commands.parse(last.line)
    words, *_ = parts_of(grammar, before.command or "", before.rest)
    trade = grammar.vocabulary.trade(words[0]) if len(words) == 1 else None
    scan = grammar.recognition.scan(PRONOUN.sub(" ", text))
    weights = grammar.lines.weigh(scan, usable, about=" ".join(words))
    if trade is None or max(weights.values(), default=0) >= SAYS_WHAT_TO_DO or named_in(scan):
        return None
    command = "vendor" if trade is Trade.PURCHASE else "customer"
    if usable is not None and command not in usable:
        return None
    understood = (Understood("document", pronoun, last.line), *said_in(scan))
    return Reading(line=command_line(command, words[0]), by=ReadBy.CONTEXT, understood=understood)
