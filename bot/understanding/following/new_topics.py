"""Sentences that ask something new although a question came before: 谁还欠我们钱, after an order.

A card that silently answered for the order would be wrong. An ambiguous sentence is answered by itself, with its part
for the current subject as a button.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.parsing import split
from bot.chat.questions.reading import Reading
from bot.understanding.command_kinds import BY_STATE, REASON
from bot.understanding.following.documents import OF_THIS
from bot.understanding.following.follow_up import GOES_ON, PRONOUN, FollowUp
from bot.understanding.limits.bounds import AMOUNTS
from bot.understanding.lines.named_lists import DONE
from bot.understanding.scanning.recognition import end_of
from bot.understanding.scanning.spans import SpanKind
from bot.understanding.typed import command_of
from bot.understanding.vocabulary import Trade

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
_CONCERNING = re.compile("[跟和与]\\S+?[有相]关")
_OF_THINGS = re.compile("货|料|产品|款|它|东西")
_ON_ITS_WAY = re.compile(r"\bon (?:its|their) way\b", re.IGNORECASE)
_ANYBODY = re.compile(r"\b(?:which|who|whose|any\w*|[a-z]{3,}s)\b", re.IGNORECASE)
_WHICH = re.compile(r"哪些|什么|啥|几个|\b(?:list|what|which|all)\b", re.IGNORECASE)
_LATE = frozenset({"late", "overdue", "expired"})
"""Lists of what is late: 逾期没发的 are several, and 逾期了吗 asks of one."""
_OF_ONE_SIDE = frozenset({"received", "paid"})
"""Lists that a document has too: what was received for an invoice."""
_OWN = frozenset({"watches", "subscriptions", "help", "whoami"})
_BUYING = frozenset({"po", "bill", "arrivals"})
_RANKED = frozenset({"owing", "best", "payable", "biggest"})


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
    if following and command_of(following.line) == REASON and follow_up.says("why"):
        return None  # 怎么还没发 asks of the order, and not for what is open
    question = _Question(follow_up, alone, following)
    if GOES_ON.search(text) or (question.command in (None, "find") and not _CONCERNING.search(text)):
        return None
    if PRONOUN.search(_ON_ITS_WAY.sub(" ", text)):
        return alone if speaks_for_itself(follow_up) else None
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
        words, said = self.follow_up.grammar.sentences, self.follow_up.scan.text.casefold()  # 发漂 is a 发票
        if words.of_all.search(said) or (said.endswith("的") and not _LATE.isdisjoint(self._lists)):
            return True
        several = len(self.follow_up.scan.of_kind(SpanKind.CUE)) > 1
        return bool(self._lists) and (several or words.papers.search(said) is not None)

    @property
    def _lists(self) -> frozenset[str]:
        """The named lists that the sentence asks for by itself, without those that a document has too."""
        said, lists = split(self.alone.line.removeprefix("/")), self.follow_up.grammar.sentences.lists
        listed = (word for name in said[:2] for word in lists.get(name, ()))  # an export names the command of its list
        return frozenset(said).intersection(listed) - _OF_ONE_SIDE

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
