"""Sentences about one partner's debt, or ours to them: 这个客户还欠多少, 我们欠它多少, 逾期多少 on a partner's card.

The line covers the whole partner, whatever the current document, on the side given by the words or the partner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import DEBTS, LISTED, SIDES
from bot.understanding.following.continued import named_in
from bot.understanding.following.follow_up import FollowUp, said_in
from bot.understanding.following.follow_up_words import PRONOUN
from bot.understanding.lines.trade_finding import WE_OWE, trade_of_debt
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.vocabulary import Trade
from bot.words.phrase import phrase

_OWED = re.compile(r"欠|\bow(?:e|es|ed|ing)\b", re.IGNORECASE)
_OVERDUE = re.compile(r"逾期|\boverdue\b", re.IGNORECASE)
_SOMEBODY = re.compile(r"(?:它|他|她)们?的?|\b(?:they|them|their|it|he|she)\b", re.IGNORECASE)
"""Whoever owes or is owed is a partner: 它还欠多少 after an order is of its customer."""
_OF_A_CUSTOMER = re.compile(r"客户|customer|client", re.IGNORECASE)
_OF_A_VENDOR = re.compile(r"供应商|供货商|vendor|supplier", re.IGNORECASE)
_OF_A_PARTNER = re.compile(r"家|他|她|公司|客户|供应商|customer|vendor|supplier", re.IGNORECASE)
_HOW_MUCH = re.compile(r"多少(?!天|日|个|件|单|张)|钱|款|账|付|\bhow much\b|\bpay", re.IGNORECASE)
_NOT_OF_MONEY = re.compile(
    r"应[付收]|货|料|订单|采购单|单子|交期|生产|额度|信用|谁|哪几?[家个]|最|账龄|图|排|天|\b(?:orders?|deliver|goods|parts|days|who|which|most|chart|limit|credit)",
    re.IGNORECASE,
)
"""Asks of goods that are owed, of somebody else, of the whole list, or of more than a debt."""
_LISTS = LISTED & SIDES.keys()
"""Lists of which 逾期的 are a part, in the days that the line before names."""


_POINTED = re.compile(
    r"(?:这|那|该|此)(?:个|家|位)?(?P<who>客户|供应商|供货商)|^那?(?:它的)?(?P<alone>客户|供应商|供货商)呢?$"
    r"|\b(?:this|that) (?P<english>customer|client|vendor|supplier)\b",
    re.IGNORECASE,
)
_RECORDS = {Trade.SALE: "customer", Trade.PURCHASE: "vendor"}
_WHICH = {
    Trade.SALE: phrase("It is not clear which customer is meant."),
    Trade.PURCHASE: phrase("It is not clear which vendor is meant."),
}
_NOBODY_THERE = {
    Trade.SALE: phrase("What was shown last has no customer."),
    Trade.PURCHASE: phrase("What was shown last has no vendor."),
}


@dataclass(frozen=True, slots=True)
class _Partner:
    name: str
    trade: Trade
    named_by_line: bool
    """Whether the line before is of the partner, so that a sentence need not say of whom it is."""


def owed(follow_up: FollowUp) -> Reading | None:
    """Return the open or overdue invoices or bills of the partner meant by a question about a debt."""
    text, said = follow_up.text, follow_up.scan
    is_owed, overdue = _OWED.search(text), _OVERDUE.search(text)
    if not (is_owed or overdue) or _NOT_OF_MONEY.search(text) or text.startswith("/"):
        return None
    partner, pronoun = _partner_of(follow_up), _pronoun(text, owes=is_owed is not None)
    if partner is None or not (pronoun or _needs_no_pronoun(follow_up, partner, owes=is_owed is not None)):
        return None
    if named_in(follow_up.saying(PRONOUN.sub(" ", text)).scan) or any(
        span.kind is not SpanKind.CUE for span in said.spans
    ):
        return None
    side = _side(text, partner.trade)
    if side is None or not follow_up.may_use(DEBTS[side]):
        return None
    line = command_line(DEBTS[side], "overdue" if overdue else "open", partner.name, *follow_up.parts.stores)
    return follow_up.reading(line, Understood("document", pronoun or text, follow_up.last.line), *said_in(said))


def of_nobody_there(follow_up: FollowUp) -> Reading | None:
    """Return the choice that says that the partner pointed to is not there: 这家供应商, after an order."""
    pointed = _POINTED.search(follow_up.text)
    if pointed is None or follow_up.text.startswith("/") or not follow_up.words:
        return None
    said = pointed["who"] or pointed["alone"] or pointed["english"]
    meant = Trade.PURCHASE if _OF_A_VENDOR.search(said) else Trade.SALE
    there = _partner_of(follow_up)
    if there is None and pointed["alone"]:
        return None  # 供应商呢 may ask for another ranking
    if there and there.trade is meant and pointed["alone"] and follow_up.may_use(_RECORDS[meant]):
        return follow_up.reading(command_line(_RECORDS[meant], there.name))
    if there and (there.trade is meant or follow_up.grammar.vocabulary.trade(there.name) is None):
        return None  # who both buys and sells may be meant as either
    own = command_line(_RECORDS[there.trade], there.name) if there else follow_up.last.line
    lines = [line for line in (own, command_line(_RECORDS[meant])) if follow_up.may_use(line[1:].split()[0])]
    if not lines or named_in(follow_up.saying(pointed.re.sub(" ", follow_up.text)).scan):
        return None
    reading = follow_up.reading(lines[0], Understood("document", pointed[0], follow_up.last.line))
    return replace(
        reading, alternatives=tuple(lines[1:]), unsure=True, unsupported=(_NOBODY_THERE if there else _WHICH)[meant]
    )


def _pronoun(text: str, *, owes: bool) -> str:
    """Return the words that mean a partner; empty if there are none, or if they may also mean a document."""
    said = [
        match.group() for pattern in ((PRONOUN, _SOMEBODY) if owes else (PRONOUN,)) for match in pattern.finditer(text)
    ]
    return next((each for each in said if owes or _OF_A_PARTNER.search(each)), "")


def _needs_no_pronoun(follow_up: FollowUp, partner: _Partner, *, owes: bool) -> bool:
    """Return whether the debt is that of the partner whose record or list is shown: 逾期多少 on a customer's card."""
    if not partner.named_by_line:
        return False
    if owes:
        return not (WE_OWE.search(follow_up.text) and partner.trade is Trade.SALE)
    return follow_up.before.command not in _LISTS or _HOW_MUCH.search(follow_up.text) is not None


def _partner_of(follow_up: FollowUp) -> _Partner | None:
    """Return the partner of the previous line, otherwise the one its document leads to."""
    words, vocabulary, command = follow_up.parts.words, follow_up.grammar.vocabulary, follow_up.before.command or ""
    if len(words) == 1 and vocabulary.knows_partner(words[0]):
        trade = SIDES.get(command) or vocabulary.trade(words[0])
        return None if trade is None else _Partner(words[0], trade, named_by_line=True)
    for line in follow_up.last.links:
        parsed = follow_up.grammar.commands.parse(line)
        if parsed.command in ("customer", "vendor") and parsed.rest:
            return _Partner(parsed.rest, SIDES[parsed.command], named_by_line=False)
    return None


def _side(text: str, trade: Trade) -> Trade | None:
    """Return whose debt is meant: by the words, otherwise by the partner.

    None if the words name a customer or vendor, and the partner is the other.
    """
    other = _OF_A_VENDOR if trade is Trade.SALE else _OF_A_CUSTOMER
    if other.search(text):
        return None
    return trade_of_debt(text) or trade
