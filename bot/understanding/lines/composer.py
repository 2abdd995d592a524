"""Command lines from what was found in a sentence: which commands it may mean, and what of it each one takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice, pairwise

from bot.chat.days import Days, names_days, read_days
from bot.chat.parsing import command_line
from bot.chat.registry import Commands
from bot.understanding.lines.holding import holding_asked
from bot.understanding.lines.money_moved import paid_or_to_pay
from bot.understanding.lines.named_lists import AGEING, LATE, OPEN, NamedLists, soon
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.sides import RECEIPT, Sides
from bot.understanding.scanning.recognition import (
    RECORDS_OF_PARTNERS,
    Recognition,
    are_beside,
    end_of,
    in_order,
    partners_or_people,
    says_itself,
)
from bot.understanding.scanning.spans import Scan, Span, SpanKind, days_said
from bot.understanding.sentences import LIST_WEIGHT, Sentences
from bot.understanding.vocabulary import Trade, Vocabulary

_NEAR = 1
"""Difference of weights at which the second reading is offered too."""
_OF_PRODUCTS = ("stock", "mo", "price", "arrivals", "product", "shortage")
_OF_MONEY = ("bill", "payment")
_LISTED_BY_PRODUCT = frozenset({"mo", "arrivals", "order", "po"})
"""Commands that list what there is of a product, on some days too."""
_OF_GOODS_ALONE = frozenset({"stock", "price", "product", "shortage", "mo"})
AT_WAREHOUSES = ("stock", "shortage")
"""Commands that take a warehouse."""
_BETWEEN = r"\s*(?:和|跟|与|及|以及|还有|还是|或者?|、|,|，|and|or|vs\.?)\s*"
_AND = re.compile(_BETWEEN, re.IGNORECASE)
_IN_A_LIST = re.compile(rf"{_BETWEEN}(?:[^,，;；]{{1,16}}?{_BETWEEN})?", re.IGNORECASE)
"""Stands between two of a list, with somebody whom nobody knows: 宏达、华为、申力."""
RANKED = frozenset({"customer", "vendor", "product"})
"""Commands that tell of one, or rank all."""
SAYS_WHAT_TO_DO = 2
"""Weight from which words say which command is meant."""
SAYS_OUTRIGHT = 4
DECISIVE = 6
MOST_ALTERNATIVES = 3
_NAMES = (SpanKind.NAME, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE)
BARE = "find"
"""The command that looks up a name of which nothing is asked."""
_NUMBER_OF_SOMETHING = re.compile(r"(?!1[3-9]\d{9}$)\d{4,}(?: \d{4,})*")
"""Digits that may be a document's or product's: no telephone number, and not 666."""
_OF_SALES_OR_DEBTS = re.compile(
    r"销|卖|订单|业绩|账|帐|\b(?:sales|sold|sell|orders?|age?ing|receivables|payables)\b", re.IGNORECASE
)
_TRAIL = "audit"
"""The command that tells who saw or changed what a number names."""
BILLED_BY = {"order": "invoice", "po": "bill"}
"""Orders, and the command that finds their invoices by their numbers."""
_BILLED = re.compile(r"票|账单|\b(?:(?:re|un)?invoic(?:e|es|ed|ing)|bill|bills|billed)\b", re.IGNORECASE)
_HOW_TO = "help"
_OF_THE_WHOLE_COMPANY = frozenset({"report", "chart"})
"""Commands that answer for no single customer, vendor or product."""
_SIZE_FIRST = re.compile(r'"(?P<size>[^\s"]*\d[^\s"]*) (?P<goods>[^"]+)"')
"""Goods after their size in a line, as they are often said: 14寸管钳."""
_OWNED = frozenset({"order", "po"})
"""Commands about documents that are somebody's."""
_OWN = re.compile(
    r"(?<![给帮替])我(?:的|名下|手[上里头]的|(?:这|这里|这边|这儿)的|自己的|下的|跟的|负责的|经手的|签的|开的|(?:个人|自己)?(?:卖|签|接)了?(?=多少|几|的)"
    r"|(?:还|手上|手里|名下)?有(?:哪些|几个|几张|多少|什么))|(?:^|看|列|查|把)手[上里头]的(?=单|采购单)|\b(?:my|mine)\b",
    re.IGNORECASE,
)
_ME = re.compile(r"我|\b(?:i|me|my)\b", re.IGNORECASE)
ALONE = frozenset({"help", "whoami", "lang", "alerts", "pending", "watches", "subscriptions"})
"""Commands that are asked without a document or a name."""
_NAMED_ONLY = frozenset({"price", "product"})
"""Commands that mean nothing without a product."""
RANKED_BY_DAYS = frozenset({"best", "biggest"})
"""Rankings by what was ordered on some days; what is owed is of now."""
_EVERYDAY_LISTS = (ALONE - {"help"}) | RANKED | {"chart"}
"""Commands whose lists are words of every day, such as 今天 or 销售: they do not speak for the command."""


_SOME_DAY = date(2026, 1, 14)
"""A day on which 下星期 and 下周 are the same."""


@dataclass(frozen=True)
class LineComposer:
    """Makes of what was found in a sentence the lines that it may ask for."""

    recognition: Recognition

    @property
    def commands(self) -> Commands:
        return self.recognition.commands

    @property
    def sentences(self) -> Sentences:
        return self.recognition.sentences

    @property
    def vocabulary(self) -> Vocabulary:
        return self.recognition.vocabulary

    @cached_property
    def sides(self) -> Sides:
        """On which side of the business those stand whom a sentence names."""
        return Sides(self.recognition)

    @cached_property
    def lists(self) -> NamedLists:
        """Which list of a command is meant, and of which days."""
        return NamedLists(self.recognition, self.sides)

    def weigh(self, scan: Scan, usable: frozenset[str] | None, about: str = "") -> dict[str, int]:
        """Return how much speaks for each command; ``about`` is somebody whom the sentence means and does not name."""
        weights: dict[str, int] = {}
        trade = self.sides.trade_of(scan) if partners_or_people(scan) or not about else self.vocabulary.trade(about)
        others = self.sides.others(trade, scan)
        barred = self.barred(scan)
        for cue in self.recognition.cues_in(scan):
            command = others.get(cue.command, cue.command)
            if command == "report" and partners_or_people(scan):
                command = (
                    "po" if trade is Trade.PURCHASE else "order"
                )  # figures are of the company; lists are somebody's
            if command == "delivery" and cue.keyword == LATE and not self.sides.has_deliveries:
                command = "order"  # an ERP that tells of no deliveries knows which orders are late
            listed = cue.keyword and cue.weight <= LIST_WEIGHT and cue.command in _EVERYDAY_LISTS
            if not listed and command not in barred and (usable is None or command in usable):
                weights[command] = weights.get(command, 0) + cue.weight
        return weights

    def barred(self, scan: Scan) -> frozenset[str]:
        """Return the commands that a sentence cannot mean: nobody asks for the stock of a customer."""
        named = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        goods = scan.of_kind(SpanKind.PRODUCT) or any(self.vocabulary.knows_product(span.value) for span in named)
        return _OF_GOODS_ALONE if partners_or_people(scan) and not goods else frozenset()

    def compose(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        """Yield lines with their weights, the likeliest first; alternatives of the same weight are as likely."""
        return ((self._with_sizes_last(line), weight) for line, weight in self._composed(scan, weights, usable))

    def _with_sizes_last(self, line: str) -> str:
        """Return a line in which goods stand before their size, as products are called: 管钳 14寸."""

        def turned(match: re.Match[str]) -> str:
            size, goods = match["size"], match["goods"]
            known = self.recognition.sizes.of(goods, size)
            return f'"{goods} {self.recognition.sizes.written(size)}"' if known else match[0]

        return _SIZE_FIRST.sub(turned, line)

    def _composed(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        ranked = sorted(weights, key=lambda name: (-weights[name], self.commands[name].place))
        documents, products = scan.of_kind(SpanKind.DOCUMENT), scan.of_kind(SpanKind.PRODUCT)
        deliveries = scan.of_kind(SpanKind.DELIVERY)
        if deliveries and (usable is None or "delivery" in usable):
            return [(command_line("delivery", span.value), DECISIVE) for span in deliveries]
        if products and any(name in weights for name in _NAMED_ONLY):
            documents = [span for span in documents if span.command not in RECORDS_OF_PARTNERS]
        if documents:
            found = list(self._of_documents(scan, documents, weights, usable))
            # Without a word of what is asked, the products beside a document are asked for as well.
            return (
                found
                if weights or not products
                else [*found, *self._of_products(scan, products, ranked, weights, usable)]
            )
        of_lists = ranked and ranked[0] not in _OF_PRODUCTS and weights[ranked[0]] >= SAYS_OUTRIGHT
        if products or (scan.of_kind(SpanKind.WAREHOUSE) and not of_lists):
            lines = self._of_products(scan, products, ranked, weights, usable)
            return [(self._on_days(line, scan), weight) for line, weight in lines]
        return self._of_lists(scan, ranked, weights)

    def _of_documents(
        self, scan: Scan, documents: list[Span], weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        for document in documents:
            name = document.command or BARE
            if name == "order" and self._asks_for_deliveries(scan, weights):
                name = "delivery"
            if name == "po" and self.sides.has_receipts and weights.get(RECEIPT, 0) >= SAYS_WHAT_TO_DO:
                name = RECEIPT
            billed = BILLED_BY.get(name, "")
            if billed and (usable is None or billed in usable) and self.asks_for_its_bills(scan):
                name = billed
            if weights.get(_TRAIL, 0) >= SAYS_WHAT_TO_DO:
                name = _TRAIL
            if name == "po" and weights.get("why", 0):
                yield command_line("why", document.value), DECISIVE + 1
            if usable is None or name in usable:
                yield command_line(name, document.value), DECISIVE

    def _asks_for_deliveries(self, scan: Scan, weights: Mapping[str, int]) -> bool:
        """Whether a question about an order is one of what left: 订单 and 这单 are said of it whatever is asked."""
        said = [cue.weight for cue in self.recognition.cues_in(scan) if cue.command == "order"]
        ordered = sum(weight for weight in said if weight < SAYS_OUTRIGHT)
        moved = weights.get("delivery", 0)
        return self.sides.has_deliveries and (moved > ordered or moved == ordered == SAYS_WHAT_TO_DO)

    def _names_orders(self, scan: Scan) -> bool:
        """Whether a number is said to be that of an order: 1088这单开票没."""
        said = (cue for cue in self.recognition.cues_in(scan) if cue.command == "order")
        return any(cue.weight >= SAYS_WHAT_TO_DO for cue in said)

    def asks_for_its_bills(self, scan: Scan) -> bool:
        """Whether a question about orders is one of their invoices: SO-1001的票开了吗."""
        return any(_BILLED.search(span.value) for span in scan.of_kind(SpanKind.CUE))

    def asks_for_bills_of_orders(self, scan: Scan) -> bool:
        """Whether orders are named, and their invoices asked for."""
        ordered = any(span.command in BILLED_BY for span in scan.of_kind(SpanKind.DOCUMENT))
        return ordered and self.asks_for_its_bills(scan)

    def _buyer(self, scan: Scan) -> bool:
        """Whether a customer stands in a sentence, and no vendor."""
        return bool(scan.of_kind(SpanKind.PARTNER)) and self.sides.trade_of(scan) is Trade.SALE

    def _of_products(
        self,
        scan: Scan,
        products: list[Span],
        ranked: list[str],
        weights: Mapping[str, int],
        usable: frozenset[str] | None,
    ) -> Iterable[tuple[str, int]]:
        asked = [name for name in ranked if name in _OF_PRODUCTS]
        asked.sort(key=lambda name: (-weights[name], name == "stock"))  # 没货了, 什么时候来 asks when it comes
        if products and self.draws_stock(scan, weights):
            yield self.lists.with_days(command_line("chart", "stock", products[0].value), "chart", scan), DECISIVE
            return
        if held := holding_asked(self.recognition, scan, usable):
            yield from ((command_line(held, product.value), DECISIVE) for product in products)
            return
        if products and not asked and max(weights.get(name, 0) for name in _OF_MONEY) >= SAYS_WHAT_TO_DO:
            asked = ["price"]  # what is paid for a product
        if products and asked[:1] == ["shortage"]:
            asked = asked[1:]  # 补货 of one product is its stock, or when it arrives
        command = asked[0] if asked else "stock"
        says_stock = weights.get("stock", 0) >= SAYS_WHAT_TO_DO
        if command == "stock" and products and not says_stock and self._buyer(scan):
            command = "price" if usable is None or "price" in usable else command
        if products and weights.get(_TRAIL, 0) > max((weights.get(name, 0) for name in asked), default=0):
            command = _TRAIL  # ids of people look like codes
        if command != "stock" and len(products) > 1:
            for product in products:
                rest = [span for span in scan.spans if span is product or span not in products]
                yield from self._of_products(Scan(scan.text, scan.rest, rest), [product], ranked, weights, usable)
            return
        words = [span.value for span in products] or self._goods_named(scan)
        if command == "shortage" and any(words):
            command = "stock"  # whether one product is short
        if command == "stock" and products:
            words += [span.value for span in scan.of_kind(SpanKind.NAME) if self._is_goods_and(span, products, scan)]
        stores = _stores_in(scan) if command in AT_WAREHOUSES else ()
        apart = command != "stock" and len(words) > 1  # they tell of one product
        customer = ""
        if command == "price":
            codes = [span.value for span in scan.of_kind(SpanKind.DOCUMENT) if span.command in RECORDS_OF_PARTNERS]
            customer = codes[0] if codes else _joined(scan, SpanKind.PARTNER)
        needed = quantity_needed(scan) if command == "stock" and len(words) == 1 and words[0] else ""
        for several in [[word] for word in words] if apart else [words]:
            if any(several) or stores:
                for store in stores or ("",):
                    yield command_line(command, *several, customer, store, needed), DECISIVE

    def _goods_named(self, scan: Scan) -> list[str]:
        """Return the names of goods, those of a list apart: 螺丝和螺母; other words beside each other are one name.

        In a list with known goods there may be some of which only the ERP knows.
        """
        names = scan.of_kind(SpanKind.NAME)
        listed = [_IN_A_LIST.fullmatch(scan.text, end_of(first), last.start) for first, last in pairwise(names)]
        known = any(self.vocabulary.knows_product(span.value) for span in names)
        if len(names) > 1 and all(listed) and known and all(map(self._may_be_goods, names)):
            return [span.value for span in names]
        return [_joined(self._without_strangers("stock", scan), SpanKind.NAME)]

    def _is_goods_and(self, name: Span, products: list[Span], scan: Scan) -> bool:
        """Whether goods stand beside a code with 和 between them: SKU125和螺丝."""
        pairs = (in_order((name, product)) for product in products)
        joined = any(_AND.fullmatch(scan.text, end_of(first), last.start) for first, last in pairs)
        return joined and self._may_be_goods(name)

    def _may_be_goods(self, name: Span) -> bool:
        """Whether a name is one of goods, or of nobody and nothing that is known."""
        knows = self.vocabulary
        is_word = name.text.casefold() in self.sentences.everyday
        return knows.knows_product(name.value) or not (is_word or knows.knows_partner(name.value))

    def _on_days(self, line: str, scan: Scan) -> str:
        """Return the line of a product with the list and the days that a sentence names: RM-11下周有到货吗."""
        name, _, rest = line.removeprefix("/").partition(" ")
        if name not in _LISTED_BY_PRODUCT:
            return line
        keyword = self.lists.named(name, scan)
        if keyword == LATE and self.lists.is_due_later(name, scan):
            keyword = ""  # nothing that is due today is late
        return self.lists.with_days(f"{command_line(name, keyword)} {rest}", name, scan)

    def draws_stock(self, scan: Scan, weights: Mapping[str, int]) -> bool:
        """Whether a picture of a product is asked for: there is one of its stock alone."""
        return weights.get("chart", 0) >= SAYS_OUTRIGHT and not _OF_SALES_OR_DEBTS.search(scan.text)

    @staticmethod
    def draws_sales(scan: Scan) -> bool:
        """Whether a picture of sales or debts is asked for."""
        return _OF_SALES_OR_DEBTS.search(scan.text) is not None

    def _of_lists(self, scan: Scan, ranked: list[str], weights: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        if others := self._several_partners(scan):
            for partner in others:
                rest = [span for span in scan.spans if span is partner or span not in others]
                yield from islice(self._of_lists(Scan(scan.text, scan.rest, rest), ranked, weights), 1)
            return
        for beside in (_store_spans(scan), self._several_days(scan, ranked)):
            if len(beside) > 1:
                for each in beside:
                    rest = [span for span in scan.spans if span is each or span not in beside]
                    yield from islice(self._of_lists(Scan(scan.text, scan.rest, rest), ranked, weights), 1)
                return
        stores = _store_spans(scan)
        named = _joined(scan, *_NAMES)
        if not ranked and self._is_product(scan) and (stores or quantity_needed(scan)):
            yield command_line("stock", _joined(scan, SpanKind.NAME), *_stores_in(scan), quantity_needed(scan)), 1
            return
        if not ranked:
            digits = scan.of_kind(SpanKind.DIGITS)
            is_number = len(digits) == len(scan.spans) and says_itself(scan)
            bare = " ".join(span.value for span in digits) if is_number else ""
            if _NUMBER_OF_SOMETHING.fullmatch(bare) or (len(named) > 1 and self.recognition.is_known(scan)):
                yield command_line(BARE, bare or named), 1
            return
        apart = _OF_THE_WHOLE_COMPANY if named else _NAMED_ONLY  # its figures would be those of all
        ranked = [name for name in ranked if name not in apart or (not named and self._ranking(name, scan))]
        if topic := self._topic(scan, weights):
            yield command_line(_HOW_TO, topic), DECISIVE
            return
        if weights.get("chart", 0) >= DECISIVE and not named:
            ranked = ["chart"]  # a picture is asked for outright, and the other words say of what
        elif weights.get("pending", 0) >= DECISIVE and not named and _ME.search(scan.text):
            ranked = ["pending"]  # what waits for the asker, of whatever kind
        if self._is_product(scan) and any(
            weights[name] == weights[ranked[0]] for name in ranked if name in _OF_PRODUCTS
        ):
            ranked = [name for name in ranked if name in _OF_PRODUCTS]
            ranked.sort(key=lambda name: (-weights[name], name == "stock"))  # 路上还有多少 asks for what comes
        ranked = [name for name in ranked if name != _TRAIL]  # of nothing that is named by a number
        for name in ranked[:MOST_ALTERNATIVES]:
            known = named and self.recognition.is_known(scan)
            least = 1 if known and name in _OF_PRODUCTS + RECORDS_OF_PARTNERS else SAYS_WHAT_TO_DO
            if weights[name] < least or weights[ranked[0]] - weights[name] > _NEAR:
                break
            if name == "help" and named and weights[name] < SAYS_OUTRIGHT:
                break  # a greeting for somebody else
            yield self._list_line(name, scan), weights[name]

    def _several_days(self, scan: Scan, ranked: list[str]) -> list[Span]:
        """Return the days that a sentence names, each once, where its first command lists documents of days."""
        if not ranked or not self.recognition.takes(Days, ranked[0]):
            return []
        dates = [span for span in reversed(scan.of_kind(SpanKind.DATE)) if names_days(span.text)]
        named = {read_days(span.text, _SOME_DAY) or span.text.casefold(): span for span in dates}
        return in_order(named.values())

    def _several_partners(self, scan: Scan) -> list[Span]:
        """Return the partners that a sentence names one beside the other; nothing where one name holds both."""
        partners = partners_or_people(scan)
        apart = [
            _IN_A_LIST.fullmatch(scan.text, end_of(first), last.start) is not None
            and not self.vocabulary.partner_with(first.value, last.value)
            for first, last in pairwise(partners)
        ]
        return partners if apart and all(apart) else []

    def _topic(self, scan: Scan, weights: Mapping[str, int]) -> str:
        """Return the command of which a sentence asks how it is used."""
        topics = {name: weight for name, weight in weights.items() if name != _HOW_TO and weight >= SAYS_WHAT_TO_DO}
        return max(topics, key=lambda name: topics[name], default="") if weights.get(_HOW_TO, 0) >= DECISIVE else ""

    def _without_strangers(self, name: str, scan: Scan) -> Scan:
        """Leave out names that nobody knows, apart from the known one that fills the command's place for a name.

        Beside goods of a size alone (M10) every word counts, and what follows a name may belong to it.
        """
        names = scan.of_kind(SpanKind.NAME)
        strangers = [span for span in names if not self.recognition.is_name(span.value)]
        known = [span for span in names if span not in strangers and not any(map(str.isdecimal, span.value))]
        if name not in _OF_PRODUCTS:
            known += partners_or_people(scan)
        found = [span for span in names if span not in strangers]
        apart = [span for span in strangers if known and not any(are_beside(scan, span, other) for other in found)]
        apart += [span for span in strangers if span.text.casefold() in self.sentences.everyday]
        return Scan(scan.text, scan.rest, [span for span in scan.spans if span not in apart]) if apart else scan

    def _list_line(self, name: str, scan: Scan) -> str:
        goods_named = self._goods_named(scan) if name == "stock" and not scan.of_kind(SpanKind.PARTNER) else []
        scan = self._without_strangers(name, scan)
        named = _joined(scan, *_NAMES)
        cues = [cue for cue in self.recognition.cues_in(scan) if cue.command == name]
        if fixed := next((cue.fixed for cue in cues if cue.fixed), ""):
            return command_line(name, fixed)
        if name in ALONE:
            return command_line(name, next((cue.keyword for cue in cues if cue.keyword), ""))
        digits = [span.value for span in scan.of_kind(SpanKind.DIGITS)] or [named]
        counted = bool(scan.of_kind(SpanKind.DIGITS)) and self._is_product(scan)  # 工业壁扇650够吗
        if digits[0].isdecimal() and not counted:
            number = self._number("order" if name == "invoice" and self._names_orders(scan) else name, digits[0])
            moved = name == "order" and self._asks_for_deliveries(scan, self.weigh(scan, None))
            return command_line("delivery" if moved else name, number)
        goods = _joined(scan, SpanKind.NAME) if self.recognition.names_known_goods(scan) else ""
        comes = name == "arrivals" or (
            name == "po" and any(cue.command == "arrivals" for cue in self.recognition.cues_in(scan))
        )
        if comes and goods:
            return self.lists.with_days(command_line("arrivals", goods), "arrivals", scan)
        if name == "price":
            return command_line(name, _joined(scan, SpanKind.NAME), _joined(scan, SpanKind.PARTNER, SpanKind.PERSON))
        if name == "shortage" and scan.of_kind(SpanKind.PLACE) and not scan.of_kind(SpanKind.NAME):
            return command_line(name, *_stores_in(scan))
        if name == "shortage":
            known = named and self.recognition.is_known(scan)
            return command_line("stock", named, quantity_needed(scan)) if known else command_line(name)
        if len(goods_named) > 1:
            return command_line(name, *goods_named, *_stores_in(scan)[:1])
        if name == "stock":
            goods = _joined(scan, SpanKind.NAME, SpanKind.PARTNER)
            if stores := _stores_in(scan):
                return command_line(name, goods, *stores, quantity_needed(scan) if goods else "")
            return command_line(name, named, quantity_needed(scan) if named else "")
        if not named and (name in _OWNED or name == "report") and (own := _OWN.search(_without_days(scan))):
            name = "order" if name == "report" else name  # there are figures of the company, and lists of a person's
            named = "mine" if own[0].isascii() else "我的"
        name = paid_or_to_pay(name, scan)
        keyword = self.lists.named(name, scan)
        if name in RANKED:
            ranking = "" if named else keyword  # nobody who is named is ranked
            days = days_said(scan, months=True) if ranking in RANKED_BY_DAYS else ""
            return f"{command_line(name, ranking)} {days}".rstrip() if ranking else command_line(name, named)
        if keyword == AGEING:
            return command_line(name, keyword)  # it is of now, whatever days are named
        due_soon = self.lists.are_due_soon(name, scan)
        if due_soon or (keyword == LATE and self.lists.is_due_later(name, scan)):
            keyword = OPEN if OPEN in self.sentences.lists[name] else ""  # nothing that is due today is late
        if due_soon:
            return f"{command_line(name, keyword, named)} {soon(scan.text)}"
        return self.lists.with_days(command_line(name, keyword, named), name, scan)

    def _ranking(self, name: str, scan: Scan) -> str:
        """Return the word for the list in which a command ranks what a sentence asks for; empty for others."""
        return self.lists.named(name, scan) if name in RANKED else ""

    def _number(self, command: str, digits: str) -> str:
        """Return the whole number of a document of which only the digits were said."""
        shapes = self.vocabulary.documents.get(command, ())
        return f"{shapes[0].prefix}{digits.zfill(shapes[0].width)}" if len(shapes) == 1 else digits

    def _is_product(self, scan: Scan) -> bool:
        """Whether products are named, and nobody."""
        named = bool(scan.of_kind(SpanKind.NAME)) and not scan.of_kind(SpanKind.PARTNER)
        return named and self.recognition.is_known(scan)


def _joined(scan: Scan, *kinds: SpanKind) -> str:
    """Return the names of these kinds; a place is said as it was written."""
    spans = [span for span in in_order(scan.spans) if span.kind in kinds]
    return " ".join(span.text if span.kind is SpanKind.PLACE else span.value for span in spans)


def _without_days(scan: Scan) -> str:
    """Return a text without the days in it: 我上周下的单子 are 我下的单子."""
    text = scan.text
    for span in sorted(scan.of_kind(SpanKind.DATE), key=lambda span: -span.start):
        text = text[: span.start] + text[span.start + len(span.text) :]
    return text


def _store_spans(scan: Scan) -> list[Span]:
    """Return the warehouses that are meant, each once: named outright, or by their places."""
    spans = in_order((*scan.of_kind(SpanKind.WAREHOUSE), *scan.of_kind(SpanKind.PLACE)))
    named = [span for span in spans if span.kind is SpanKind.WAREHOUSE]
    beside = {
        span for pair in pairwise(spans) if _AND.fullmatch(scan.text, end_of(pair[0]), pair[1].start) for span in pair
    }
    meant = [span for span in spans if not named or span in named or span in beside]
    return [*{span.value: span for span in reversed(meant)}.values()][::-1]


def _stores_in(scan: Scan) -> tuple[str, ...]:
    """Return the warehouses that are meant, as they are typed."""
    return tuple(f"@{span.value}" for span in _store_spans(scan))
