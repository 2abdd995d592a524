"""Sentences about a document's links, or about a line's partner: 它的收款, 这个客户还欠多少, 这家怎么样."""

from __future__ import annotations

import re

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import BILLED_BY, OF_PARTNERS, RECORDS_OF_PARTNERS
from bot.understanding.following.continued import named_in
from bot.understanding.following.documents import document_of
from bot.understanding.following.follow_up import FollowUp, said_in
from bot.understanding.following.follow_up_words import PRONOUN
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.vocabulary import Trade

_OF_A_PARTNER = re.compile(r"家|客户|供应商|customer|vendor|supplier", re.IGNORECASE)
_PARTNERS = {"客户": "customer", "供应商": "vendor", "customer": "customer", "vendor": "vendor", "supplier": "vendor"}
"""What a document's partner is called in a sentence → the command that tells of it, to which the document leads."""


def linked(follow_up: FollowUp) -> Reading | None:
    """Return a document's link that a sentence asks for with a pronoun; None for anything else."""
    match = PRONOUN.search(follow_up.text)
    if match is None:
        return None
    parsed = [(follow_up.grammar.commands.parse(line), line) for line in follow_up.last.links]
    partner = next((before for before, _ in parsed if before.command in _PARTNERS.values()), None)
    pronoun, follow_up = match[0], follow_up.saying(PRONOUN.sub(" ", follow_up.text))
    if partner is None and _OF_A_PARTNER.search(pronoun):
        return _record(follow_up, pronoun)
    if its_bills := _its_bills(follow_up, pronoun):
        return its_bills
    leads_to = {before.command for before, _ in parsed} | (OF_PARTNERS if partner else set())
    weights = follow_up.grammar.lines.weigh(follow_up.scan, follow_up.usable, about=partner.rest if partner else "")
    command = max(sorted(weights.keys() & leads_to), key=lambda name: weights[name], default="")
    if not weights and partner and any(word in pronoun.casefold() for word in _PARTNERS):
        command = partner.command or ""
    line = next((line for before, line in parsed if before.command == command), "")
    if partner and command in OF_PARTNERS.difference(RECORDS_OF_PARTNERS) and _OF_A_PARTNER.search(pronoun):
        line = ""  # 这家还有别的单吗 asks for all of them
    if not line and partner and command in OF_PARTNERS:
        line = command_line(command, partner.rest)
    return _pointed_to(follow_up, pronoun, line) if line and follow_up.may_use(command) else None


def _its_bills(follow_up: FollowUp, pronoun: str) -> Reading | None:
    """Return the invoices of the current order: 它的发票; None if its customer is meant."""
    document = document_of(follow_up.grammar, follow_up.last.line)
    billed = BILLED_BY.get(document[0], "") if document else ""
    if not billed or not follow_up.may_use(billed) or _OF_A_PARTNER.search(pronoun):
        return None
    asked = follow_up.grammar.lines.documents.asks_for_bills(follow_up.scan)
    return _pointed_to(follow_up, pronoun, command_line(billed, follow_up.words[0])) if asked else None


def _record(follow_up: FollowUp, pronoun: str) -> Reading | None:
    """Return the record of the previous line's partner, if only they are asked about: 这家怎么样."""
    words = follow_up.parts.words
    trade = follow_up.grammar.vocabulary.trade(words[0]) if len(words) == 1 else None
    weights = follow_up.grammar.lines.weigh(follow_up.scan, follow_up.usable, about=" ".join(words))
    if trade is None or max(weights.values(), default=0) >= SAYS_WHAT_TO_DO:
        return None
    command = "vendor" if trade is Trade.PURCHASE else "customer"
    return _pointed_to(follow_up, pronoun, command_line(command, words[0])) if follow_up.may_use(command) else None


def _pointed_to(follow_up: FollowUp, pronoun: str, line: str) -> Reading | None:
    """Return a line that a pronoun points to; None if the sentence names another subject."""
    understood = (Understood("document", pronoun, follow_up.last.line), *said_in(follow_up.scan))
    return None if named_in(follow_up.scan) else follow_up.reading(line, *understood)
