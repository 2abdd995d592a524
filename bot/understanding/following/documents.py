"""Sentences about the one document of the previous line: 开票没, 批了吧, 打开看看, 该发票."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.chat.parsing import command_line, split
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import BILLED_BY, OWED, REASON, TELLS
from bot.understanding.following.follow_up import ANY_OF_THEM, GOES_ON, OF_SEVERAL, FollowUp
from bot.understanding.grammar import Grammar
from bot.understanding.lines.weighing import Weighed
from bot.understanding.scanning.spans import SpanKind

OF_THIS = re.compile(
    r"^把它|^(?:把)?(?:这|那|该|此)(?:张|个|笔|票|份)?(?:订单|单子|单|发票|采购单|工单|生产单|账单)(?:的|它)?|^(?:原来的|对应的|相应的|原)",
)
"""Says that it is about the document that is there."""
_OF_THE_DOCUMENT = re.compile(
    r"[了吗没吧谁几呢哪]|记录$|[批签审][掉了]|多少|什么时候|啥时候|何时|怎么|哪天|到哪"
    r"|(?:什么|啥)(?:产品|东西|料)?$"
    r"|^(?:paid|shipped|delivered|invoiced|received|approved|finished|arrived|done)(?: yet)?\s*\??$"
    r"|\b(?:it|has|have|is|was|did|does|when|where|who|how|tracking|eta)\b|单号$|快递$|物流$",
    re.IGNORECASE,
)
"""Asked of a document that is there: 开票没, 批了吧."""
_OPENED = re.compile(
    r"(?:帮我|给我|我)?(?:打开|点开|调出来|看看|看一下|看下|看详情|详情|明细)(?:看看|看一下|看下|瞧瞧|吧|呗)*"
    r"|(?:open|show)(?: it| me)?(?: please| pls)?",
    re.IGNORECASE,
)
_ASKS_WHO_REFUSED = re.compile("[吗么没谁?？]|为什么|为啥|怎么")
_COURTEOUSLY = re.compile("(?:please |pls |ok |no )*", re.IGNORECASE)
_AND_THIS, _GOODS = "呢", "货"
"""票呢 and 货呢 are said of the document that is there."""
_TOLD_BY: Mapping[str, frozenset[str]] = {
    **TELLS,
    "delivery": frozenset({"arrivals", "customer", "product"}),
    "why": frozenset({"pending"}),
    "order": frozenset({"arrivals", "mo", "invoice", "payment", "price", "bill", "customer", "product"}),
    "invoice": frozenset({"arrivals", "payment", "bill", "order", "price", "customer", "product"}),
    "po": frozenset(
        {"arrivals", "delivery", "order", "pending", "invoice", "bill", "mo", "price", "vendor", "product"}
    ),
    "receipt": frozenset({"arrivals", "vendor", "product"}),
    "mo": frozenset({"order", "arrivals", "delivery", "po", "shortage"}),
    "bill": frozenset({"arrivals", "payment", "invoice", "price", "vendor", "product"}),
}
"""What the card of a document tells that words of other commands ask: 什么时候到期, 做到哪一步."""
_OF_ITS_OWN_CARD = frozenset({"customer", "vendor", "product"})
"""What the card of a document tells before those of the documents that belong to it."""
_NUMBERED_ALIKE = frozenset({"order", "po"})
_OF_ITS_NUMBER = frozenset(
    {
        *(("order", "delivery"), ("delivery", "order"), ("po", "why"), ("why", "po")),
        *(("po", "receipt"), ("receipt", "po")),
    }
)
"""Commands that are asked by the number of a document of another one."""


def document_of(grammar: Grammar, line: str) -> tuple[str, str] | None:
    """Return the command that shows the document of a line by its number, and the number; None for any other line."""
    words = split(grammar.commands.parse(line).rest)
    if len(words) != 1:
        return None
    delivery = grammar.vocabulary.delivery(words[0])
    return ("delivery", delivery) if delivery else grammar.vocabulary.document(words[0])


def of_the_document(follow_up: FollowUp) -> Reading | None:
    """Return the line for a question without a name, after one about a document: 开票没, 批了吧, 打开看看."""
    document, command, lines = (
        document_of(follow_up.grammar, follow_up.last.line),
        follow_up.before.command,
        follow_up.grammar.lines,
    )
    if not document or command is None:
        return None
    kind, number = document[0], follow_up.words[0]
    text, of_this = OF_THIS.subn("", follow_up.text)
    of_this += text.endswith(_AND_THIS)
    follow_up = follow_up.saying(GOES_ON.sub("", text).strip())
    text, scan = follow_up.text, follow_up.scan
    shown = Understood("document", text, number)
    is_decided = kind == "po" and _turns_down(follow_up) and not scan.of_kind(SpanKind.DOCUMENT)
    if is_decided or _OPENED.fullmatch(text):
        return follow_up.reading(command_line(kind, number), shown)
    asks_why = follow_up.says("why")
    if not (of_this or asks_why or _OF_THE_DOCUMENT.search(text)) or OF_SEVERAL.search(text):
        return None
    if text == _GOODS and kind == "order" and follow_up.may_use("delivery"):
        return follow_up.reading(command_line("delivery", number), shown)
    if any(span.kind is not SpanKind.CUE for span in scan.spans):
        return None
    if any_of_them := ANY_OF_THEM.search(text):
        listed = follow_up.grammar.recognition.scan(any_of_them["which"])
        if lines.lists.only_lists_are_named(command, listed):
            return None
    billed = BILLED_BY.get(kind, "")
    if billed and follow_up.may_use(billed) and lines.documents.asks_for_bills(scan):
        return follow_up.reading(command_line(billed, number))
    if (
        asks_why
        and follow_up.may_use(REASON)
        and lines.documents.asks_why(kind, Weighed(scan, follow_up.weights, follow_up.usable))
    ):
        return follow_up.reading(command_line(REASON, number))
    line = _line_that_tells(follow_up, kind, number)
    return follow_up.reading(line) if line else None


def _turns_down(follow_up: FollowUp) -> bool:
    """Return whether a text rejects a purchase order, with or without a reason; in English the verb comes first."""
    text = follow_up.text
    return any(
        _COURTEOUSLY.fullmatch(text, 0, match.start()) if match[0].isascii() else not _ASKS_WHO_REFUSED.search(text)
        for match in follow_up.grammar.sentences.refusals.find_all(text.casefold())
    )


def _line_that_tells(follow_up: FollowUp, kind: str, number: str) -> str:
    """Return the line that answers a question about a document; empty if there is none.

    That is a command that takes the number, a line the document leads to, or a card that contains the answer.
    """
    asked, before, last = follow_up.asked, follow_up.before.command or "", follow_up.last
    is_numbered_so = (
        asked == "audit"
        or (asked == "payment" and kind in OWED)
        or (asked == "delivery" and kind == "order")
        or ((before, asked) in _OF_ITS_NUMBER and kind in _NUMBERED_ALIKE)
    )
    if is_numbered_so:
        return command_line(asked, number)
    told = {kind: command_line(kind, number), before: last.line}
    if asked in told:
        return told[asked]
    leads_to = [line for line in last.links if follow_up.grammar.commands.parse(line).command == asked]
    if len(leads_to) == 1:
        return leads_to[0]
    tellers = (kind, before) if asked in _OF_ITS_OWN_CARD else (before, kind)
    return next((told[name] for name in tellers if asked in _TOLD_BY.get(name, ())), "")
