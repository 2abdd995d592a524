"""Lines of lists, rankings, figures and lookups by name: everything without a number or code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from bot.chat.days import Days, names_days, names_days_ahead, read_days
from bot.chat.parsing import command_line
from bot.understanding.command_kinds import (
    ALONE,
    BARE,
    HOW_TO,
    NAMED_ONLY,
    OF_PRODUCTS,
    OWED,
    OWNED,
    RANKED,
    RANKED_BY_DAYS,
    RECORDS_OF_PARTNERS,
    TRAIL,
)
from bot.understanding.lines.documents import DocumentLines
from bot.understanding.lines.named_lists import AGEING, LATE, OPEN, NamedLists, soon
from bot.understanding.lines.products import likeliest_of_products
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.spoken_names import NAMES, SpokenNames, joined, stores_meant, stores_typed
from bot.understanding.lines.weighing import DECISIVE, SAYS_OUTRIGHT, SAYS_WHAT_TO_DO, Weighed, Weighing
from bot.understanding.scanning.recognition import Recognition, in_order, says_itself
from bot.understanding.scanning.spans import Scan, Span, SpanKind, days_said

MOST_ALTERNATIVES = 3
_NEAR = 1
"""Difference of weights at which the second reading is offered too."""
_NUMBER_OF_SOMETHING = re.compile(r"(?!1[3-9]\d{9}$)\d{4,}(?: \d{4,})*")
"""Digits that may be a document's or product's: no telephone number, and not 666."""
_OF_THE_WHOLE_COMPANY = frozenset({"report", "chart"})
"""Commands that answer for no single customer, vendor or product."""
_OWNED = OWNED | {"report"}
"""Commands about documents that are somebody's; where figures are asked for, these are the orders."""
_OWN = re.compile(
    r"(?<![给帮替])我(?:的|名下|手[上里头]的|(?:这|这里|这边|这儿)的|自己的|下的|跟的|负责的|经手的|签的|开的|(?:个人|自己)?(?:卖|签|接)了?(?=多少|几|的)"
    r"|(?:还|手上|手里|名下)?有(?:哪些|几个|几张|多少|什么))|(?:^|看|列|查|把)手[上里头]的(?=单|采购单)|\b(?:my|mine)\b",
    re.IGNORECASE,
)
_ME = re.compile(r"我|\b(?:i|me|my)\b", re.IGNORECASE)
_SOME_DAY = date(2026, 1, 14)
"""A day on which 下星期 and 下周 are the same."""


@dataclass(frozen=True)
class ListLines:
    """Finds the possible lists of a sentence, their owners, and their days."""

    recognition: Recognition
    weighing: Weighing
    lists: NamedLists
    names: SpokenNames
    documents: DocumentLines

    def of(self, asked: Weighed, ranked: Sequence[str]) -> Iterable[tuple[str, int]]:
        """Yield lines with their weights; ``ranked`` are the commands supported by words, the most likely first."""
        if several := self._several(asked.scan, ranked):
            for each in several:
                yield from islice(self.of(asked.only(each, several), ranked), 1)
        elif not ranked:
            yield from self._of_a_name(asked.scan)
        elif topic := _topic(asked.weights):
            yield command_line(HOW_TO, topic), DECISIVE
        else:
            yield from self._likeliest(asked, self._meant(asked, ranked))

    def _several(self, scan: Scan, ranked: Sequence[str]) -> list[Span]:
        """Return several named partners, warehouses or days: each has its own line."""
        if partners := self.names.several_partners(scan):
            return partners
        return next((each for each in (stores_meant(scan), self._days(scan, ranked)) if len(each) > 1), [])

    def _days(self, scan: Scan, ranked: Sequence[str]) -> list[Span]:
        """Return the days of a sentence, each once, if its first command lists documents by day."""
        if not ranked or not self.recognition.takes(Days, ranked[0]):
            return []
        dates = [span for span in reversed(scan.of_kind(SpanKind.DATE)) if names_days(span.text)]
        named = {read_days(span.text, _SOME_DAY) or span.text.casefold(): span for span in dates}
        return in_order(named.values())

    def _of_a_name(self, scan: Scan) -> Iterable[tuple[str, int]]:
        """Yield the lookup for a name without a question: the stock of goods, or whatever has this name."""
        if self.names.are_goods(scan) and (stores_meant(scan) or quantity_needed(scan)):
            goods = joined(scan, SpanKind.NAME)
            yield command_line("stock", goods, *stores_typed(scan), quantity_needed(scan)), 1
            return
        named, digits = joined(scan, *NAMES), scan.of_kind(SpanKind.DIGITS)
        is_number = len(digits) == len(scan.spans) and says_itself(scan)
        bare = " ".join(span.value for span in digits) if is_number else ""
        if _NUMBER_OF_SOMETHING.fullmatch(bare) or (len(named) > 1 and self.recognition.is_known(scan)):
            yield command_line(BARE, bare or named), 1

    def _meant(self, asked: Weighed, ranked: Sequence[str]) -> list[str]:
        """Return the possible commands of a sentence, the most likely first."""
        scan, weights = asked.scan, asked.weights
        named = joined(scan, *NAMES)
        if not named and asked.weight("chart") >= DECISIVE:
            return ["chart"]  # a picture is asked for outright, and the other words say of what
        if not named and asked.weight("pending") >= DECISIVE and _ME.search(scan.text):
            return ["pending"]  # what waits for the asker, of whatever kind
        apart = _OF_THE_WHOLE_COMPANY if named else NAMED_ONLY  # its figures would be those of all
        meant = [name for name in ranked if name not in apart or (not named and self._ranking(name, scan))]
        of_products = likeliest_of_products(meant, weights)
        if of_products and weights[of_products[0]] == weights[meant[0]] and self.names.are_goods(scan):
            meant = of_products
        return [name for name in meant if name != TRAIL]  # of nothing that is named by a number

    def _likeliest(self, asked: Weighed, meant: Sequence[str]) -> Iterable[tuple[str, int]]:
        """Yield the lines of the commands with the most weight."""
        scan, weights = asked.scan, asked.weights
        named = joined(scan, *NAMES)
        known = bool(named) and self.recognition.is_known(scan)
        for name in meant[:MOST_ALTERNATIVES]:
            least = 1 if known and name in OF_PRODUCTS + RECORDS_OF_PARTNERS else SAYS_WHAT_TO_DO
            if weights[name] < least or weights[meant[0]] - weights[name] > _NEAR:
                break
            if name == HOW_TO and named and weights[name] < SAYS_OUTRIGHT:
                break  # a greeting for somebody else
            yield self._line(name, scan), weights[name]

    def _line(self, name: str, scan: Scan) -> str:
        """Return the line of a command with the parts of a sentence."""
        several = self.names.goods(scan) if name == "stock" and not scan.of_kind(SpanKind.PARTNER) else []
        scan = self.names.without_unknown_names(name, scan)
        cues = [cue for cue in self.recognition.cues_in(scan) if cue.command == name]
        if fixed := next((cue.fixed for cue in cues if cue.fixed), ""):
            return self.lists.with_days(command_line(name, *fixed.split()), name, scan)
        if name in ALONE:
            return command_line(name, next((cue.keyword for cue in cues if cue.keyword), ""))
        if of_number := self._by_number(name, scan):
            return of_number
        if coming := self._coming_goods(name, scan):
            return self.lists.with_days(command_line("arrivals", coming), "arrivals", scan)
        if name == "promise":
            line = command_line(name, joined(scan, SpanKind.NAME), quantity_needed(scan))
            return self.lists.with_days(line, name, scan)
        if name == "price":
            return command_line(name, joined(scan, SpanKind.NAME), joined(scan, SpanKind.PARTNER, SpanKind.PERSON))
        if name == "shortage":
            return self._shortage(scan)
        if name == "stock":
            return self._stock(scan, several)
        return self._ranked(name, scan) if name in RANKED else self._listed(name, scan)

    def _by_number(self, name: str, scan: Scan) -> str:
        """Return the line of a document given by digits alone; empty if there is none."""
        said = scan.of_kind(SpanKind.DIGITS)
        digits = said[0].value if said else joined(scan, *NAMES)
        if not digits.isdecimal() or (said and self.names.are_goods(scan)):
            return ""  # 工业壁扇650够吗
        number = self._number("order" if name == "invoice" and self.documents.names_order(scan) else name, digits)
        moved = name == "order" and self.documents.asks_for_delivery(scan, self._moved(scan))
        return command_line("delivery" if moved else name, number)

    def _moved(self, scan: Scan) -> int:
        return self.weighing.weigh(scan, None).get("delivery", 0)

    def _number(self, command: str, digits: str) -> str:
        """Return the full number of a document given by digits alone."""
        shapes = self.recognition.vocabulary.documents.get(command, ())
        return f"{shapes[0].prefix}{digits.zfill(shapes[0].width)}" if len(shapes) == 1 else digits

    def _coming_goods(self, name: str, scan: Scan) -> str:
        """Return the goods whose arrival a sentence asks about; empty for anything else."""
        comes = name == "po" and any(cue.command == "arrivals" for cue in self.recognition.cues_in(scan))
        known = (comes or name == "arrivals") and self.recognition.names_known_goods(scan)
        return joined(scan, SpanKind.NAME) if known else ""

    def _shortage(self, scan: Scan) -> str:
        if scan.of_kind(SpanKind.PLACE) and not scan.of_kind(SpanKind.NAME):
            return command_line("shortage", *stores_typed(scan))
        named = joined(scan, *NAMES)
        known = named and self.recognition.is_known(scan)
        return command_line("stock", named, quantity_needed(scan)) if known else command_line("shortage")

    @staticmethod
    def _stock(scan: Scan, several: Sequence[str]) -> str:
        stores = stores_typed(scan)
        if len(several) > 1:
            return command_line("stock", *several, *stores[:1])
        goods = joined(scan, SpanKind.NAME, SpanKind.PARTNER) if stores else joined(scan, *NAMES)
        return command_line("stock", goods, *stores, quantity_needed(scan) if goods else "")

    def _ranked(self, name: str, scan: Scan) -> str:
        """Return the line of one ranked customer, vendor or product, or of the whole ranking."""
        named = joined(scan, *NAMES)
        if named or not (ranking := self._ranking(name, scan)):
            return command_line(name, named)  # nobody who is named is ranked
        days = days_said(scan, months=True) if ranking in RANKED_BY_DAYS else ""
        return f"{command_line(name, ranking)} {days}".rstrip()

    def _ranking(self, name: str, scan: Scan) -> str:
        """Return the keyword of the ranking that a sentence asks for; empty for others."""
        return self.lists.named(name, scan) if name in RANKED else ""

    def _listed(self, name: str, scan: Scan) -> str:
        """Return the line of a list: its owner, its selection, and its days."""
        named = joined(scan, *NAMES)
        if not named and name in _OWNED and (own := _OWN.search(_without_days(scan))):
            name = "order" if name == "report" else name  # there are figures of the company, and lists of a person's
            named = "mine" if own[0].isascii() else "我的"
        name = paid_or_to_pay(name, scan)
        keyword = self.lists.named(name, scan)
        if keyword == AGEING:
            return command_line(name, keyword)  # it is of now, whatever days are named
        due_soon = self.lists.are_due_soon(name, scan)
        if due_soon or (keyword == LATE and self.lists.is_due_later(name, scan)):
            keyword = OPEN if OPEN in self.recognition.sentences.lists[name] else ""  # nothing due today is late
        line = command_line(name, keyword, named)
        return f"{line} {soon(scan.text)}" if due_soon else self.lists.with_days(line, name, scan)


def _topic(weights: Mapping[str, int]) -> str:
    """Return the command whose usage a sentence asks about."""
    topics = {name: weight for name, weight in weights.items() if name != HOW_TO and weight >= SAYS_WHAT_TO_DO}
    return max(topics, key=lambda name: topics[name], default="") if weights.get(HOW_TO, 0) >= DECISIVE else ""


def _without_days(scan: Scan) -> str:
    """Return a text without its days: 我上周下的单子 becomes 我下的单子."""
    text = scan.text
    for span in sorted(scan.of_kind(SpanKind.DATE), key=lambda span: -span.start):
        text = text[: span.start] + text[span.start + len(span.text) :]
    return text


_PAYING = "付"
_MOVED = re.compile(
    "(?!.*(?:票|账单|没有|应(?!商)))(?:.*?[^没未要该应])??(?:付给|付了(?!吗|没)|付款了|打款|汇了|打了|收到|收了)"
)
"""Says that money moved, where no document is named on which it is owed."""
_PAID_ALREADY = re.compile(
    "(?<![要该应没未需待得])付给[^要该应没未，,]{1,16}的(?:钱|款|货款)(?![^，,]*(?:没付|未付|票))"
)
_MOVED_IN_THESE_DAYS = re.compile(
    "(?!.*(?:票|账单|(?<!没)有没有|[天周月年]份?的(?:款|钱|账|货款)))(?:.*?[^没未])?(?:付|打|汇|转|收|回|进)(?:款|钱|账)?了(?:吗|没有?|么)"
)
"""Asks whether money moved, and not whether what is owed of these days was paid: 宏达这个月付了没."""


def paid_or_to_pay(name: str, scan: Scan) -> str:
    """Return the command for payments on past days, or on future ones."""
    days = [span.text for span in scan.of_kind(SpanKind.DATE)]
    if name == "payment" and any(map(names_days_ahead, days)):
        return "bill" if _PAYING in scan.text else "invoice"
    if name in OWED and any(map(names_days, days)):
        moved = _MOVED.match(scan.text) or _MOVED_IN_THESE_DAYS.match(scan.text)
        return "payment" if moved and not any(map(names_days_ahead, days)) else name
    if name in OWED and _PAID_ALREADY.search(scan.text):
        return "payment"
    return name
