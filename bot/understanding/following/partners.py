"""Sentences about the partner or the links of what is shown, which omit them: 还欠多少, 这个客户还欠多少, 它的收款.

A debt covers the whole partner, whatever the current document, on the side given by the words or the partner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.parsing import command_line
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import BILLED_BY, DATED, DEBTS, LISTED, OF_PARTNERS, RECORDS_OF_PARTNERS, SIDES
from bot.understanding.following.continued import continued, named_in
from bot.understanding.following.documents import document_of
from bot.understanding.following.follow_up import PRONOUN, FollowUp, said_in
from bot.understanding.lines.trade_finding import WE_OWE, trade_of_debt
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.vocabulary import Trade
from bot.words.phrase import phrase

_LEAVES_OUT = re.compile(
    r"^(?:还|有没有|最近|上次|上一次|多少|几|怎么|信用|额度|电话|联系|欠|付|逾期了|拖了)|(?:吗|没|没有|多少|多少钱|几个|几笔|几张|在哪[里儿]?|到哪[里儿]?了)[?？]?$"
    r"|\b(?:they|them|their)\b",
    re.IGNORECASE,
)
_THEM = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
"""Means those whom the line before names, whoever else is spoken of: "what we owe them"."""
_OF_EVERYBODY = re.compile(
    r"谁|哪(?![里儿]?了?$)|所有|全部|客户|供应商|我们|咱|公司|大家|一共|总共|我的|\b(?:who|which|all|we|our|us|my|customers?|vendors?|suppliers?)\b",
    re.IGNORECASE,
)
_TO_US = re.compile(r"(?<=[欠给])(?:我们|咱们?|公司)|(?<=owe )us\b|(?<=pay )us\b|(?<=paid )us\b", re.IGNORECASE)
"""Said of what one of them owes or pays: 还欠我们多少."""
_PART_OF_THE_RECORD = re.compile(
    r"^(?:[没未]|还没|逾期|过期|超期|到期|延期|拖)[^,，]{0,6}的?(?:发票|账单|票|订单|采购单|单子|货款|款)$"
    r"|^(?:订单|采购单|发票|账单|应收|应付|发货单?|收款|付款)(?:看一?下|看看|看一看|发我|拉一?下)$"
    r"|^(?:unpaid|overdue|open|late|outstanding) (?:invoices|bills|orders|purchase orders)$",
    re.IGNORECASE,
)
"""Said of the partner whose record is there: 没付的发票."""
_OF_NOW = re.compile(r"最近|上次|上一次|现在|目前|还|总共|一共|\b(?:last|now|still|ever|in total)\b", re.IGNORECASE)


def of_the_partner(follow_up: FollowUp) -> Reading | None:
    """Return the line of a question without a subject, after one about a partner: 还欠多少, 最近收款."""
    command, text, scan, words = follow_up.before.command, follow_up.text, follow_up.scan, follow_up.parts.words
    if command is None or len(words) != 1 or not follow_up.grammar.vocabulary.knows_partner(words[0]):
        return None
    if not (_LEAVES_OUT.search(text) or _PART_OF_THE_RECORD.search(text)):
        return None
    of_them = _THEM.search(text) is not None
    if not of_them and _OF_EVERYBODY.search(_TO_US.sub("", text)):
        return None
    spoken = {SpanKind.CUE, SpanKind.DATE} if of_them else {SpanKind.CUE}
    weights = follow_up.grammar.lines.weigh(scan, follow_up.usable, about=words[0])
    asked = max(weights, key=lambda name: weights[name], default="")
    if asked not in OF_PARTNERS or any(span.kind not in spoken for span in scan.spans):
        return None
    reading, days = continued(follow_up, with_subject=True), follow_up.parts.days
    same_days = days and asked != command and {asked, command} <= DATED and not _OF_NOW.search(text)
    if reading and same_days and not follow_up.grammar.lines.lists.named(asked, scan):
        return replace(reading, line=f"{reading.line} {days}")
    return reading


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


_SAYS_A_PARTNER = re.compile(r"家|客户|供应商|customer|vendor|supplier", re.IGNORECASE)
_CALLED = {"客户": "customer", "供应商": "vendor", "customer": "customer", "vendor": "vendor", "supplier": "vendor"}
"""What a document's partner is called in a sentence → the command that tells of it, to which the document leads."""


def linked(follow_up: FollowUp) -> Reading | None:
    """Return a document's link that a sentence asks for with a pronoun; None for anything else."""
    match = PRONOUN.search(follow_up.text)
    if match is None:
        return None
    parsed = [(follow_up.grammar.commands.parse(line), line) for line in follow_up.last.links]
    partner = next((before for before, _ in parsed if before.command in _CALLED.values()), None)
    pronoun, follow_up = match[0], follow_up.saying(PRONOUN.sub(" ", follow_up.text))
    if partner is None and _SAYS_A_PARTNER.search(pronoun):
        return _record(follow_up, pronoun)
    if its_bills := _its_bills(follow_up, pronoun):
        return its_bills
    leads_to = {before.command for before, _ in parsed} | (OF_PARTNERS if partner else set())
    weights = follow_up.grammar.lines.weigh(follow_up.scan, follow_up.usable, about=partner.rest if partner else "")
    command = max(sorted(weights.keys() & leads_to), key=lambda name: weights[name], default="")
    if not weights and partner and any(word in pronoun.casefold() for word in _CALLED):
        command = partner.command or ""
    line = next((line for before, line in parsed if before.command == command), "")
    if partner and command in OF_PARTNERS.difference(RECORDS_OF_PARTNERS) and _SAYS_A_PARTNER.search(pronoun):
        line = ""  # 这家还有别的单吗 asks for all of them
    if not line and partner and command in OF_PARTNERS:
        line = command_line(command, partner.rest)
    return _pointed_to(follow_up, pronoun, line) if line and follow_up.may_use(command) else None


def _its_bills(follow_up: FollowUp, pronoun: str) -> Reading | None:
    """Return the invoices of the current order: 它的发票; None if its customer is meant."""
    document = document_of(follow_up.grammar, follow_up.last.line)
    billed = BILLED_BY.get(document[0], "") if document else ""
    if not billed or not follow_up.may_use(billed) or _SAYS_A_PARTNER.search(pronoun):
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
