"""Sentences that ask something new although a question came before: 谁还欠我们钱, after an order.

A card that silently answered for the order would be wrong. An ambiguous sentence is answered by itself, with its part
for the current subject as a button.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.chat.parsing import split
from bot.chat.questions.reading import Reading
from bot.understanding.command_kinds import BY_STATE
from bot.understanding.following.documents import OF_THIS
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.following.follow_up_words import GOES_ON, PRONOUN
from bot.understanding.limits.bounds import AMOUNTS
from bot.understanding.limits.comparisons import REPORT
from bot.understanding.lines.named_lists import DONE
from bot.understanding.scanning.recognition import end_of
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.spoken_words import SpokenWords
from bot.understanding.typed import command_of
from bot.understanding.vocabulary import Trade

_ASKED = "了|吗|付|收|发|到|什么|哪|怎"
"""Follows a word that only begins a question: 票付了没."""
_OF_ALL = re.compile(
    r"谁家?\S{0,6}?(?:欠|没付|没给|没结|没打|还没|逾期|超期|拖|货款|款|账|帐)|(?:催|欠)谁|最多的是(?:谁|哪[几家]\S?)$|都有谁"
    r"|(?:我们|咱们?|公司)\S{0,4}?(?:欠|付|拖|逾期|过期|超期|该|要)|欠(?:我们|咱们?)钱?最多"
    r"|(?:供应商|客户)(?!手|什么时候)\S{0,8}?(?:欠|付|没|晚|延|逾期|多少)|[付欠]给?供应商"
    r"|我(?:现在|名下|手上|自己)?的?\S{0,2}(?:单|名下)|在手|手上还?有|在途有多少"
    r"|车间|排产表|生产计划|生产什么|哪些料"
    r"|\bwho\b.{0,20}\b(?:ow(?:e|es|ing)|paid|pay|paying|late|chase)\b|\b(?:customers|clients|vendors|suppliers)\b"
    r"|\b(?:do|should|must|have) we (?:still )?(?:have to |need to )?(?:pay|owe|reorder|buy)\b(?! it\b)"
    r"|\bwhat (?:\S+ )?(?:is|are) (?:the \S+ |in transit|on (?:the|its) way|coming|arriving|being made)",
    re.IGNORECASE,
)
"""Asks about all customers, vendors or goods, or about the asker's own."""
_GOODS_THAT_COME = re.compile(
    r"^(?!.*(?:什么时候|啥时候|几时|何时|多久|哪天|几号)).*(?:"
    r"(?<![没未])(?:在途的?|要到的?|到的)(?:货|物料|料)|(?<!再)来货|[要有]\S{0,2}货(?:来|到)|[要有][^，,]{0,2}到货"
    r"|到货(?:计划|清单)|^(?:[今明后](?:天|日)?|[本这下]个?(?:周|星期|礼拜|月)\S{0,2})到货|^到货情况|\bgoods\b)",
    re.IGNORECASE,
)
"""Asks what comes, and not when something comes."""
_FOR_ME = re.compile(
    r"^(?!.*(?:为什么|为啥|\bwhy\b)).*(?:(?:有|哪些|啥|几|等|轮到|要)\S{0,6}?我|我\S{0,6}?(?:有|哪些|什么|啥|几)|待办|有\S{0,3}要批|还有啥没批|审批有没有新"
    r"|waiting for my|\bi\b|\bmy\b)",
    re.IGNORECASE,
)
_PURCHASES = re.compile(
    r"采[购够]|进项|应付|供应商|在途|到货|\bpurchase|\bbills?\b|\bsuppliers?\b|\bvendors?\b", re.IGNORECASE
)
_SALES = re.compile(r"销售|应收|客户|\bsales\b|\bcustomers?\b", re.IGNORECASE)
_ELLIPTIC = re.compile(
    r"^(?:还有(?!多少|几|哪)|再|算了|不够)|^(?:then|only|just)\b|\b(?:same|it|them)\b", re.IGNORECASE
)
_WHICH_REPORT = re.compile(r"[日周月]报|\b(?:daily|weekly|monthly)\b", re.IGNORECASE)
_CONCERNING = re.compile("[跟和与]\\S+?[有相]关")
_OF_THINGS = re.compile("货|料|产品|款|它|东西")
_ON_ITS_WAY = re.compile(r"\bon (?:its|their) way\b", re.IGNORECASE)
_ANYBODY = re.compile(r"\b(?:which|who|whose|any\w*|[a-z]{3,}s)\b", re.IGNORECASE)
_WHICH = re.compile(r"哪些|什么|啥|几个|\b(?:list|what|which|all)\b", re.IGNORECASE)
_OWN = frozenset({"watches", "subscriptions", "help", "whoami"})
_BUYING = frozenset({"po", "bill", "arrivals"})
_RANKED = frozenset({"owing", "best", "payable", "biggest"})


@lru_cache(maxsize=4)
def _of_a_list(late_words: SpokenWords, papers: SpokenWords) -> re.Pattern[str]:
    """Return the pattern of words that select documents or goods, whoever owns them."""
    late, paper = f"{late_words.in_chinese}|过期|拖|晚|超", papers.in_chinese
    return re.compile(
        rf"(?:{late}|到期|账期|[没未该应]\S{{1,6}}?)\S{{0,4}}?的(?:\S{{0,4}}?)(?:{paper})(?!{_ASKED})"
        rf"|(?:{late})(?:未付|未收)?(?:{paper})(?!{_ASKED})"
        rf"|(?:工单|生产单?|采购单?|发货|出货|车间|供应商|客户|货)\S{{0,6}}?(?:{late}|没完|到期)\S{{0,6}}?(?:的|哪|单|没|$)"
        rf"|(?:哪[几些]?|几|多少)(?:张|笔|个)?(?:单|订单|工单|采[购够]单|货|应付|应收)\S{{0,3}}?(?:{late}|[没该卡])"
        rf"|^(?:看看|看下|我们?)?最[近新]的?(?:几[张笔个])?(?:{paper})"
        r"|(?:订单|应收|应付|账款|帐款|该付的钱)\S{0,4}?(?:有|还有|是)(?:多少|几|哪些)"
        rf"|(?:有没有|有)\S{{0,6}}?(?:{late})\S?的?(?:{paper})"
        rf"|(?:该\S{{1,3}}没\S{{1,3}}|没按时\S{{1,3}}|(?:{late})没\S|账期过了还没付|[发交]晚了?)的|应\S未\S的|哪些货?该"
        r"|(?:订单|采购单?|工单|生产|发票|账单|发货单?)[里中那]?边?有没有\S+的|仓\S{0,5}?(?:缺|补货|不够)的$"
        r"|\b(?:orders|shipments|deliveries|bills|pos)\b|\boverdue production\b"
        r"|\b(?:late|overdue|delayed) \w+ orders\b",
        re.IGNORECASE,
    )


def speaks_for_itself(follow_up: FollowUp) -> bool:
    """Return whether a sentence's pronoun refers to a name in it: 宏达这个客户, "has O'Neil got their goods"."""
    pronoun = PRONOUN.search(follow_up.text)
    if pronoun is None:
        return False
    before = {span.kind for span in follow_up.scan.spans if end_of(span) <= pronoun.start()}
    if pronoun[0].isascii():
        named = before & {SpanKind.PARTNER, SpanKind.PERSON}
        return bool(named or _ANYBODY.search(follow_up.text[: pronoun.start()]))
    of_things = _OF_THINGS.search(pronoun[0]) is not None
    if SpanKind.PARTNER in before or (before & {SpanKind.DOCUMENT, SpanKind.DELIVERY} and not of_things):
        return True
    return SpanKind.PRODUCT in before and of_things


def asks_anew(follow_up: FollowUp, alone: Reading | None, following: Reading | None) -> Reading | None:
    """Return the self-contained reading of a sentence that does not continue the last question; None if it may.

    ``following`` is its reading as a continuation: a part of the same list is an alternative.
    """
    text = follow_up.text
    if alone is None or alone.unsure or text.startswith("/") or OF_THIS.search(text) or _ELLIPTIC.search(text):
        return None
    question = _Question(follow_up, alone, following)
    if GOES_ON.search(text) or (question.command in (None, "find") and not _CONCERNING.search(text)):
        return None
    if PRONOUN.search(_ON_ITS_WAY.sub(" ", text)):
        return alone if speaks_for_itself(follow_up) else None
    if question.command == REPORT and _WHICH_REPORT.search(text):
        return alone
    if question.is_of_the_asker() or question.ranks_all() or question.draws_another():
        return alone
    if question.is_of_the_other_trade() or question.names_another():
        return alone
    if question.asks_for_a_list():
        return replace(alone, alternatives=(*question.narrower(), *alone.alternatives))
    return None


@dataclass(frozen=True)
class _Question:
    """A sentence with its two readings, after a line."""

    follow_up: FollowUp
    alone: Reading
    following: Reading | None

    @property
    def command(self) -> str | None:
        return self.follow_up.grammar.commands.parse(self.alone.line).command

    @property
    def before(self) -> str | None:
        return self.follow_up.before.command

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the names and numbers of the previous line."""
        return tuple(self.follow_up.parts.words)

    def is_of_the_asker(self) -> bool:
        """Return whether it is about the asker's watches, subscriptions or approvals."""
        if self.command in _OWN and _WHICH.search(self.follow_up.text):
            return True
        if self.following and self.following.change and not self.alone.change:
            return False
        if self.alone.change:
            deeds = (self.alone.change, self.following.change if self.following else "")
            says_of_what = not self.following or not self.following.change or len(split(self.alone.change)) > 1
            return self.following is not None and says_of_what and len(set(map(command_of, deeds))) > 1
        return self.command in _OWN or (self.command == "pending" and _FOR_ME.search(self.follow_up.text) is not None)

    def ranks_all(self) -> bool:
        """Return whether all are ranked, not only the current partner."""
        ranked = not _RANKED.isdisjoint(split(self.follow_up.grammar.commands.parse(self.alone.line).rest))
        narrowed = split(self.follow_up.grammar.commands.parse(self.following.line).rest) if self.following else []
        return ranked and not set(self.subjects).isdisjoint(narrowed)

    def draws_another(self) -> bool:
        """Return whether a chart is requested by its own words, and not for the current report."""
        read = self.following and self.follow_up.grammar.commands.parse(self.following.line).command
        drawn = self.command == "chart" and self.before == "report" and read is not None
        named = bool(self.follow_up.scan.of_kind(SpanKind.PRODUCT))
        return drawn and (read != "chart" or named)

    def is_of_the_other_trade(self) -> bool:
        """Return whether purchases are asked for after a customer, or sales after a vendor."""
        vocabulary = self.follow_up.grammar.vocabulary
        partner = self.subjects[0] if len(self.subjects) == 1 and vocabulary.knows_partner(self.subjects[0]) else ""
        if not partner or self.before in _BUYING:
            return False
        trade = vocabulary.trade(partner)
        if trade is Trade.PURCHASE:
            return _SALES.search(self.follow_up.text) is not None
        return trade is Trade.SALE and _PURCHASES.search(self.follow_up.text) is not None

    def asks_for_a_list(self) -> bool:
        """Return whether a list is asked for, after one document or product or a line about all."""
        if not self.is_of_one():
            return False
        if any(part.kind == AMOUNTS for part in self.alone.understood):
            return True
        if self.command in BY_STATE and DONE in split(self.alone.line) and self.before != self.command:
            return True  # what was made need not be what is there: a raw material is not
        if self.command == "arrivals" and _GOODS_THAT_COME.search(self.follow_up.text):
            return True
        said, words = self.follow_up.scan.text, self.follow_up.grammar.sentences  # 发漂 is a 发票
        return bool(_of_a_list(words.late, words.papers).search(said) or _OF_ALL.search(said))

    def names_another(self) -> bool:
        """Return whether a customer, vendor or colleague is named after a document, or a general question is asked."""
        spans = self.follow_up.scan.spans
        named = any(span.kind in {SpanKind.PARTNER, SpanKind.PERSON} for span in spans)
        return (
            _CONCERNING.search(self.follow_up.text) is not None
            or (named and self._is_of_a_document())
            or self._drops_one()
        )

    def _drops_one(self) -> bool:
        """Return whether the continuing line omits a partner named in the sentence: HT-108给航天精工怎么报的."""
        goes_on = split(self.follow_up.grammar.commands.parse(self.following.line).rest) if self.following else []
        words = split(self.follow_up.grammar.commands.parse(self.alone.line).rest)
        return bool(goes_on) and any(
            self.follow_up.grammar.vocabulary.knows_partner(word) for word in {*words} - {*goes_on}
        )

    def is_of_one(self) -> bool:
        """Return whether the previous line is about documents or products by number or name."""
        vocabulary = self.follow_up.grammar.vocabulary
        goods = (vocabulary.product(word) or vocabulary.knows_product(word) for word in self.subjects)
        return self._is_of_a_document() or (bool(self.subjects) and all(goods))

    def _is_of_a_document(self) -> bool:
        vocabulary = self.follow_up.grammar.vocabulary
        return any(vocabulary.document(word) or vocabulary.delivery(word) for word in self.subjects)

    def narrower(self) -> tuple[str, ...]:
        """Return the part of the same list for the current subject."""
        if self.following is None or self.following.line == self.alone.line:
            return ()
        same = self.follow_up.grammar.commands.parse(self.following.line).command == self.command
        return (self.following.line,) if same else ()
