"""Sentences that go on from the last question: 那北京仓呢, 它的采购单, 第二个, "what about SKU124"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.chat.days import names_days
from bot.chat.parsing import command_line, normalise, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.exporting import EXPORT, as_export, drop_export, export_reading, wants_the_last
from bot.understanding.following.another import is_another, of_another_number
from bot.understanding.following.bounds import follow_within
from bot.understanding.following.continued import AGAINST, DATED, HOLDING, LAST_YEAR, continued, named_in, parts_of
from bot.understanding.following.goods import of_every_partner, of_goods, ranked_on_the_same_days
from bot.understanding.following.holding import of_its_documents, product_before
from bot.understanding.following.lists import moved_otherwise, ranked_again, ranked_of_others, widened
from bot.understanding.following.shown_documents import OF_THIS, document_of
from bot.understanding.following.subjects import for_a_customer, of_another_document, said_in
from bot.understanding.following.wishes import all_ended, wished
from bot.understanding.grammar import Grammar
from bot.understanding.limits.comparisons import REPORT, compare_again
from bot.understanding.limits.left_out import Comparison
from bot.understanding.lines.command_kinds import BILLED_BY
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.recognition import NAMED, OF_PARTNERS
from bot.understanding.scanning.spans import Scan, SpanKind
from bot.understanding.vocabulary import Trade
from bot.understanding.wishes import find_wish

_NUMERALS = "一二三四五六七八九十"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ROW = re.compile(
    rf"(?:看看|看一下|看|打开|要|查|选|就)?第\s*(?P<chinese>[{_NUMERALS}]|\d{{1,2}})\s*(?:个|条|张|单|项|笔|行|种)?(?:吧|呢|的)?"
    rf"|(?:show |open )?(?:the )?(?P<english>{'|'.join(_ORDINALS)}|last)(?: one)?(?: please)?",
    re.IGNORECASE,
)
_WITHOUT_A_SUBJECT = frozenset({"help", "whoami", "watches", "subscriptions"})
"""Commands after which nothing goes on: they are about the asker, and not about the business."""
GOES_ON = re.compile(
    r"^(?:算了(?:吧|不看了)?[\s,，]*(?:改|先|就)?(?:看看?|查一?下?)?|那么?|换成|换|改成|改|再看看?|再查一?下?)(?!个|张|家|单)|呢$"
    r"|^不(?:要|看|是)[^\s,，]{1,6}[\s,，]+(?:就|我|)(?:要|看|是)(?=[^\s])"
    r"|^(?:and|what about|how about|then)\b|^in (?=[a-z]+$)"
    r"|^(?:only |just )?(?:of|from|by) (?=[^\s,?]+(?: [^\s,?]+)?\??$)"
    r"|,? (?:for )?(?:the )?same (?:customer|client)$|同一?个?客户的?$",
    re.IGNORECASE,
)
_OF_WHOM = re.compile(r"^(?:only |just )?(?:of|from|by) ", re.IGNORECASE)
_PART_OF_THE_LIST = re.compile(
    r"的(?:[吗呢吧么]|有吗|有没有|有哪些|(?:还)?有?(?:几[个张笔单家条]|多少)|(?:就|也)(?:行|好|可以|要)|都(?:要|看|给我|列出来|发我))?$"
    r"|^(?:the |still |only )*(?:not (?:yet )?(?:shipped|delivered|paid|received|arrived|done)(?: yet)?"
    r"|unpaid|unshipped|overdue|late|open) ?(?:ones?)?$"
    r"|^(?:只看|只要|只查|就看|光看|单看)|也(?:看|查)(?:看|查|下|一下)?$|^(?:only|just|from)\b|\bonly$",
    re.IGNORECASE,
)
"""Said of a list that is there: 延期的, 只看深圳仓."""
_SOME_OF_THEM = re.compile(r"哪[些几个]|有没有|有几|有[^，,]*的[吗么没]|\bwhich\b|\bany\b", re.IGNORECASE)
_DRAWN = re.compile(r"画|图|\b(?:chart|graph|plot|draw)\b", re.IGNORECASE)
_OF_THE_DOCUMENT = re.compile(
    r"[了吗没吧谁几呢哪]|记录$|[批签审][掉了]|多少|什么时候|啥时候|何时|怎么|为什么|为啥|哪天|到哪"
    r"|(?:什么|啥)(?:产品|东西|料)?$"
    r"|^(?:paid|shipped|delivered|invoiced|received|approved|finished|arrived|done)(?: yet)?\s*\??$"
    r"|\b(?:it|has|have|is|was|did|does|when|where|who|why|how|tracking|eta)\b|单号$|快递$|物流$",
    re.IGNORECASE,
)
"""Asked of a document that is there: 开票没, 批了吧."""
_OF_SEVERAL = re.compile(
    r"哪些|什么货|有什么|有[^，,]*的[吗么没]|清单|列表|所有|全部|几[张个笔]|\b(?:list|all|any|which|orders|invoices)\b",
    re.IGNORECASE,
)
_ANY_OF_THEM = re.compile("有没有(?P<which>[^，,]*的)$")
_OPENED = re.compile(
    r"(?:帮我|给我|我)?(?:打开|点开|调出来|看看|看一下|看下|看详情|详情|明细)(?:看看|看一下|看下|瞧瞧|吧|呗)*"
    r"|(?:open|show)(?: it| me)?(?: please| pls)?",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"^(?!.*(?:[吗么没谁?？]|为什么|为啥|怎么)).*(?:不行|不同意|不批|驳回|退回|打回|拒绝|不通过)"
    r"|^(?:please |pls |ok |no )*(?:reject|decline|refuse|turn (?:it|this) down|send it back|don'?t approve)\b",
    re.IGNORECASE,
)
"""Turns down the purchase order that is there, with a reason or without: its card has the button for it."""
_AND_THIS, _GOODS = "呢", "货"
"""票呢 and 货呢 are said of the document that is there."""
_PAID_FOR = frozenset({"invoice", "bill"})
_TOLD_BY: Mapping[str, frozenset[str]] = {
    "delivery": frozenset({"arrivals", "customer", "product"}),
    "why": frozenset({"pending"}),
    "order": frozenset({"arrivals", "mo", "invoice", "payment", "price", "bill", "customer", "product"}),
    "invoice": frozenset({"arrivals", "payment", "bill", "order", "price", "customer", "product"}),
    "po": frozenset(
        {"arrivals", "delivery", "order", "pending", "invoice", "bill", "mo", "price", "vendor", "product"}
    ),
    "receipt": frozenset({"arrivals", "vendor", "product"}),
    "mo": frozenset({"order", "arrivals", "delivery", "po"}),
    "bill": frozenset({"arrivals", "payment", "invoice", "price", "vendor", "product"}),
}
"""What the card of a document tells that words of other commands ask: 什么时候到期, 做到哪一步."""
_OF_ITS_OWN_CARD = frozenset({"customer", "vendor", "product"})
"""What the card of a document tells before those of the documents that belong to it."""
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
_OF_ONE_PRODUCT = frozenset({"stock", "price", "arrivals", "product", "mo"})
"""Commands about a product, which a question may leave out that follows another one about it: 多少钱, 够不够500个."""
_ENOUGH = re.compile(r"够|\benough\b", re.IGNORECASE)
_OF_ALL = re.compile(
    r"哪(?!个仓|边|里|些料|些材料|些物料)|什么货|有什么|清单|列表|所有|全部"
    r"|\b(?:what(?! price| rate| cost)|which|list|all|any)\b",
    re.IGNORECASE,
)
_NUMBERED_ALIKE = frozenset({"order", "po"})
_OF_NOW = re.compile(r"最近|上次|上一次|现在|目前|还|总共|一共|\b(?:last|now|still|ever|in total)\b", re.IGNORECASE)
_OF_ITS_NUMBER = frozenset(
    {
        *(("order", "delivery"), ("delivery", "order"), ("po", "why"), ("why", "po")),
        *(("po", "receipt"), ("receipt", "po")),
    }
)
"""Commands that are asked by the number of a document of another one."""
PRONOUN = re.compile(
    r"(?:它|他|她)们?(?:这家)?的?|(?:这|那)家|(?:这|那|该)(?:个|家|张|单|款)?(?:客户|供应商|产品|公司|货)的?|(?:这|那|该)(?:个|家|张|单|款)?的"
    r"|\b(?:its|their|his|her|(?:from|to|of|with) them)\b|\b(?:this|that) (?:customer|vendor|supplier)(?:'s)?\b",
    re.IGNORECASE,
)
_OF_A_PARTNER = re.compile(r"家|客户|供应商|customer|vendor|supplier", re.IGNORECASE)
_PARTNERS = {"客户": "customer", "供应商": "vendor", "customer": "customer", "vendor": "vendor", "supplier": "vendor"}
"""What a document's partner is called in a sentence → the command that tells of it, to which the document leads."""


def follow(grammar: Grammar, sentence: str, last: LastQuestion, usable: frozenset[str] | None = None) -> Reading | None:
    """Return the line that a sentence asks for after ``last``; None where it does not go on from there."""
    text = normalise(sentence)
    reading = _follow(grammar, text, last, usable)
    if reading is None or reading.wish or reading.by is not ReadBy.CONTEXT:
        return reading
    wanted = drop_export(text)
    said = GOES_ON.sub(" ", _ROW.sub(" ", text if wanted is None else wanted, count=1)).strip()
    missing = Comparison(grammar.recognition, grammar.recognition.scan(said), (reading.line,)).left_out()
    return replace(reading, unknown=missing.unknown, unheld=missing.unheld)


def _follow(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    if (exported := grammar.commands.parse(last.line)).command == EXPORT and exported.rest:
        last = replace(last, line=f"/{exported.rest}")
    wanted = None if text.startswith("/") else drop_export(text)
    if not text.startswith("/") and (limited := _limited(grammar, text, last, usable)):
        return limited
    if ended := all_ended(grammar, text, last):
        return ended
    if wish := None if text.startswith("/") else find_wish(text.casefold(), grammar.sentences.wishes):
        return wished(grammar, wish, text, last, usable)
    if wanted is not None:
        return _exported(grammar, wanted, last, usable)
    if bounded := follow_within(grammar, text, last, lambda part, before: follow(grammar, part, before, usable)):
        return bounded
    if (row := _ROW.match(text)) and not names_days(text):
        chosen = _row(row, text, last) if row.end() == len(text) else _of_a_row(grammar, row, text, last, usable)
        if chosen or row.end() == len(text) or row[0].casefold().strip() != "last":
            return chosen  # last purchase price is of no row
    if grammar.commands.parse(last.line).command in _WITHOUT_A_SUBJECT:
        return None
    if compared := _compared(grammar, text, last, usable):
        return compared
    if held := of_its_documents(grammar, text, last, usable):
        return held
    pronoun = PRONOUN.search(text)
    if pronoun and (linked := _linked(grammar, text, pronoun[0], last, usable)):
        return linked
    rest, goes_on = GOES_ON.subn("", text)
    if told := (
        _of_the_document(grammar, text, last, usable)
        or (of_another_document(grammar, rest.strip(), last, usable) if goes_on else None)
        or of_another_number(grammar, text, last, usable)
        or ranked_again(grammar, rest.strip(), last, usable)
        or ranked_of_others(grammar, text, last, usable)
        or widened(grammar, text, last, usable)
        or for_a_customer(grammar, text, last, usable)
        or of_every_partner(grammar, text, last, usable)
        or of_goods(grammar, text, last, usable)
        or ranked_on_the_same_days(grammar, text, last, usable)
    ):
        return told
    drawn = grammar.commands.parse(last.line).command == "report" and _DRAWN.search(text)
    is_part = GOES_ON.search(text) or _names_days_of_a_list(grammar, text, last) or is_another(grammar, text, last)
    if not (pronoun or drawn or is_part):
        return (
            _of_the_same(grammar, text, last, usable)
            or _of_the_partner(grammar, text, last, usable)
            or _of_the_list(grammar, text, last, usable)
        )
    bare = GOES_ON.sub(" ", PRONOUN.sub(" ", text)).strip()
    if _OF_WHOM.match(text) and not _is_known(grammar, bare):
        return None
    if not bare or not (pronoun or text.endswith(bare) or _is_known(grammar, bare)):
        return None  # 今天天气呢 only ends like it
    reading = continued(grammar, bare, last, usable, with_subject=pronoun is not None)
    return reading or moved_otherwise(grammar, text.strip(" ?？"), last, usable)


def _limited(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return what comes nearest to what no line tells of what was asked before: 毛利呢, after a product's price."""
    scan = grammar.recognition.scan(text)
    if any(span.kind in NAMED for span in scan.spans) or (limit := grammar.limits.find(scan)) is None:
        return None
    if limit.is_pointed_to and document_of(grammar, last.line):
        return None
    readings = [reading for each in limit.instead if (reading := follow(grammar, each, last, usable))]
    lines = dict.fromkeys([*(reading.line for reading in readings if not reading.unsure), last.line])
    line, *others = lines
    return Reading(
        line=line,
        by=ReadBy.CONTEXT,
        alternatives=tuple(others),
        unsure=True,
        gap=limit.said,
        understood=said_in(scan),
    )


def _names_days_of_a_list(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    """Whether a text names days and nothing else, after a list: 上个月的."""
    shown = any(grammar.vocabulary.document(word) for word in split(grammar.commands.parse(last.line).rest))
    return not shown and names_days(text.rstrip("的 "))


def _compared(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the last report compared with other days, or of the same days a year ago: 同比呢, 去年同期呢."""
    before = grammar.commands.parse(last.line)
    if before.command != REPORT or (usable is not None and REPORT not in usable):
        return None
    words = before.rest.split()
    said = " ".join(word for word in words if word not in AGAINST) or "month"
    scan = grammar.recognition.scan(text)
    found = compare_again(scan, said, year_on_year=not LAST_YEAR.isdisjoint(words))
    return Reading(line=found.lines[0], by=ReadBy.CONTEXT, understood=said_in(scan)) if found else None


def _linked(
    grammar: Grammar, text: str, pronoun: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return what a document leads to and a sentence asks for: 它的收款, 这个客户还欠多少; None for anything else."""
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


def _of_the_same(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line of a question that names nothing, after one about a product; None for what asks about all."""
    before = grammar.commands.parse(last.line)
    of_one = before.command in _OF_ONE_PRODUCT or (before.command in HOLDING and product_before(grammar, last))
    if before.command is None or not of_one or _OF_ALL.search(text):
        return None
    scan = grammar.recognition.scan(text)
    words, *_ = parts_of(grammar, before.command, before.rest)
    words = words[:1] if before.command == "price" else words  # and not for whom the price is
    if before.command == "mo" and not all(_is_product(grammar, word) for word in words):
        return None
    asked = max(weights := grammar.lines.weigh(scan, usable), key=lambda name: weights[name], default="")
    if not asked and _ENOUGH.search(text) and scan.of_kind(SpanKind.QUANTITY):
        asked = "stock"
    spoken = all(span.kind in {SpanKind.CUE, SpanKind.QUANTITY, SpanKind.DIGITS} for span in scan.spans)
    if len(words) != 1 or asked not in _OF_ONE_PRODUCT or not spoken or grammar.commands.parse(text).slashed:
        return None
    if usable is not None and asked not in usable:
        return None
    if asked != before.command and weights.get(asked, 0) < SAYS_WHAT_TO_DO:
        line = command_line(asked, words[0], quantity_needed(scan))
        return Reading(line=line, by=ReadBy.CONTEXT, understood=said_in(scan))
    return continued(grammar, text, last, usable, with_subject=True)


def _is_product(grammar: Grammar, word: str) -> bool:
    """Whether products are called so, or have such a code."""
    return grammar.vocabulary.knows_product(word) or grammar.vocabulary.product(word) is not None


def _of_the_document(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line of a question that names nothing, after one about a document: 开票没, 批了吧, 打开看看."""
    before = grammar.commands.parse(last.line)
    words = split(before.rest)
    document = document_of(grammar, last.line)
    if not document or before.command is None:
        return None
    opened = command_line(document[0], words[0])
    text, of_this = OF_THIS.subn("", text)
    of_this += text.endswith(_AND_THIS)
    text = GOES_ON.sub("", text).strip()
    if _OPENED.fullmatch(text):
        return Reading(line=opened, by=ReadBy.CONTEXT, understood=(Understood("document", text, words[0]),))
    if document[0] == "po" and _DECIDES.search(text) and not grammar.recognition.scan(text).of_kind(SpanKind.DOCUMENT):
        return Reading(line=opened, by=ReadBy.CONTEXT, understood=(Understood("document", text, words[0]),))
    if not (of_this or _OF_THE_DOCUMENT.search(text)) or _OF_SEVERAL.search(text):
        return None
    if text == _GOODS and document[0] == "order" and (usable is None or "delivery" in usable):
        left = command_line("delivery", words[0])
        return Reading(line=left, by=ReadBy.CONTEXT, understood=(Understood("document", text, words[0]),))
    scan = grammar.recognition.scan(text)
    if any(span.kind is not SpanKind.CUE for span in scan.spans):
        return None
    if any_of_them := _ANY_OF_THEM.search(text):
        listed = grammar.recognition.scan(any_of_them["which"])
        if grammar.lines.lists.only_lists_are_named(before.command, listed):
            return None
    weights = grammar.lines.weigh(scan, usable)
    asked = max(weights, key=lambda name: weights[name], default="")
    leads_to = [line for line in last.links if grammar.commands.parse(line).command == asked]
    billed = BILLED_BY.get(document[0], "")
    is_numbered_so = asked == "audit" or (asked == "payment" and document[0] in _PAID_FOR)
    is_numbered_so |= asked == "delivery" and document[0] == "order"
    is_numbered_so |= (before.command, asked) in _OF_ITS_NUMBER and document[0] in _NUMBERED_ALIKE
    if billed and (usable is None or billed in usable) and grammar.lines.documents.asks_for_bills(scan):
        line: str | None = command_line(billed, words[0])
    elif is_numbered_so:
        line = command_line(asked, words[0])
    elif asked == before.command:
        line = last.line
    elif asked == document[0]:
        line = opened
    elif len(leads_to) == 1:
        line = leads_to[0]
    else:
        told = {before.command: last.line, document[0]: opened}
        told = dict(reversed(told.items())) if asked in _OF_ITS_OWN_CARD else told
        line = next((line for name, line in told.items() if asked in _TOLD_BY.get(name, ())), None)
    return Reading(line=line, by=ReadBy.CONTEXT, understood=said_in(scan)) if line else None


def _of_the_partner(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line of a question that leaves out whom it is about, after one about a partner: 还欠多少, 最近收款."""
    before = grammar.commands.parse(last.line)
    if before.command is None:
        return None
    words, _, _, days, _ = parts_of(grammar, before.command, before.rest)
    named = len(words) == 1 and grammar.vocabulary.knows_partner(words[0])
    if not (_LEAVES_OUT.search(text) or (named and _PART_OF_THE_RECORD.search(text))):
        return None
    of_them = _THEM.search(text) is not None
    if not of_them and _OF_EVERYBODY.search(_TO_US.sub("", text)):
        return None
    scan = grammar.recognition.scan(text)
    weights = grammar.lines.weigh(scan, usable, about=" ".join(words))
    asked = max(weights, key=lambda name: weights[name], default="")
    if (
        not named
        or asked not in OF_PARTNERS | {"delivery", "receipt"}
        or any(span.kind is not SpanKind.CUE and not (of_them and span.kind is SpanKind.DATE) for span in scan.spans)
    ):
        return None
    reading = continued(grammar, text, last, usable, with_subject=True)
    same_days = days and asked != before.command and {asked, before.command} <= DATED and not _OF_NOW.search(text)
    if reading and same_days and not grammar.lines.lists.named(asked, scan):
        return replace(reading, line=f"{reading.line} {days}")
    return reading


def _of_the_list(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line for a part of the list that is there; None where another one may be meant."""
    before = grammar.commands.parse(last.line)
    any_of_them = _ANY_OF_THEM.search(text)
    text = any_of_them["which"] if any_of_them else text
    scan = grammar.recognition.scan(text)
    some = before.command is not None and _SOME_OF_THEM.search(text) and not scan.of_kind(SpanKind.DATE)
    part = some and grammar.lines.lists.only_lists_are_named(before.command or "", scan)
    if not (part or _PART_OF_THE_LIST.search(text)) or not _is_known(grammar, text):
        return None
    of_several = _OF_SEVERAL.search(text) or any_of_them
    if any(grammar.vocabulary.document(word) for word in split(before.rest)) and not of_several:
        return None
    reading = continued(grammar, text, last, usable, with_subject=False)
    return reading if reading and grammar.commands.parse(reading.line).command == before.command else None


def _exported(grammar: Grammar, wanted: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line that exports the list that is there, or the one that follows from it."""
    if wants_the_last(wanted):
        line = as_export(last.line, grammar.commands)
        understood = (Understood("cue", EXPORT, EXPORT),)
        return Reading(line=line, by=ReadBy.CONTEXT, understood=understood) if line else None
    inner = follow(grammar, wanted, last, usable)
    return export_reading(inner, grammar.commands) if inner else None


def late_in_the_list(grammar: Grammar, sentence: str, last: LastQuestion, alone: Reading | None) -> Reading | None:
    """Return what is late or due of the list that is there: 快到期的呢; None where it may be of any other."""
    text, before = normalise(sentence), grammar.commands.parse(last.line)
    if alone is None or not alone.by_work or not (GOES_ON.search(text) or _PART_OF_THE_LIST.search(text)):
        return None
    for line in (alone.line, *alone.alternatives):
        parsed = grammar.commands.parse(line)
        if parsed.command is not None and parsed.command == before.command:
            words, *_ = parts_of(grammar, parsed.command, before.rest)
            _, _, listed, days, _ = parts_of(grammar, parsed.command, parsed.rest)
            if any(grammar.vocabulary.document(word) for word in words):
                return None
            goes_on = f"{command_line(parsed.command, listed, *words)} {days}".rstrip()
            return Reading(line=goes_on, by=ReadBy.CONTEXT, understood=alone.understood)
    return None


def refers_back(sentence: str) -> bool:
    """Return whether a sentence means nothing without what was asked before it."""
    return PRONOUN.search(normalise(sentence)) is not None


def _is_known(grammar: Grammar, text: str) -> bool:
    names = grammar.recognition.scan(text).of_kind(SpanKind.NAME)
    return all(grammar.vocabulary.knows_product(span.value) for span in names)


def _row(match: re.Match[str], text: str, last: LastQuestion) -> Reading | None:
    english, chinese = (match["english"] or "").casefold(), match["chinese"] or ""
    if english == "last":
        number = len(last.rows)
    elif english:
        number = _ORDINALS.index(english) + 1
    else:
        number = int(chinese) if chinese.isdecimal() else _NUMERALS.index(chinese) + 1
    if not 1 <= number <= len(last.rows):
        return None
    understood = (Understood("row", text, str(number)),)
    return Reading(line=last.rows[number - 1], by=ReadBy.CONTEXT, understood=understood)


def _of_a_row(
    grammar: Grammar, match: re.Match[str], text: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return what is asked of a row: 第二个什么价, 第一个给我看看; None for what only begins like one."""
    chosen = _row(match, match[0], last)
    if chosen is None or not match[0].strip():
        return None
    rest = text[match.end() :].strip()
    subject = split(grammar.commands.parse(chosen.line).rest)[:1]
    asked = grammar.read(f"{subject[0]} {rest}", usable) if subject and rest else None
    if asked is None or asked.unsure or not set(subject) <= set(split(grammar.commands.parse(asked.line).rest)):
        return None
    return replace(asked, by=ReadBy.CONTEXT, alternatives=())
