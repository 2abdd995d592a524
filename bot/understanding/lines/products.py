"""Lines of products, by code or name, and of warehouses: stock, prices, arrivals and production."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.parsing import command_line
from bot.understanding.command_kinds import AT_WAREHOUSES, LISTED_BY_PRODUCT, OF_PRODUCTS, RECORDS_OF_PARTNERS, TRAIL
from bot.understanding.lines.named_lists import LATE, NamedLists
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.spoken_names import SpokenNames, joined, stores_typed
from bot.understanding.lines.trade_finding import TradeFinder
from bot.understanding.lines.weighing import DECISIVE, SAYS_OUTRIGHT, SAYS_WHAT_TO_DO, Weighed
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.vocabulary import Trade

_OF_MONEY = ("bill", "payment")
_ON_DAYS = LISTED_BY_PRODUCT | {"mo", "arrivals", "promise"}
_WITH_QUANTITY = frozenset({"stock", "promise"})
"""Commands that list what there is of a product, on some days too."""
_OF_SALES_OR_DEBTS = re.compile(
    r"销|卖|订单|业绩|账|帐|\b(?:sales|sold|sell|orders?|age?ing|receivables|payables)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class ProductLines:
    """Finds the question about products, and the part that one line holds."""

    recognition: Recognition
    trades: TradeFinder
    lists: NamedLists
    names: SpokenNames

    def of(self, products: list[Span], asked: Weighed, ranked: Sequence[str]) -> Iterable[tuple[str, int]]:
        """Yield the lines of products with their weights; without products, those of the named warehouses.

        ``ranked`` are the commands supported by words, the most likely first.
        """
        scan = asked.scan
        if products and self.draws_stock(scan, asked.weights):
            yield self.lists.with_days(command_line("chart", "stock", products[0].value), "chart", scan), DECISIVE
            return
        if held := product_documents_asked(self.recognition, scan, asked.usable):
            yield from ((self._on_days(command_line(held, each.value), scan), DECISIVE) for each in products)
            return
        command = self._command(products, asked, ranked)
        if command != "stock" and len(products) > 1:
            for product in products:
                yield from self.of([product], asked.only(product, products), ranked)
            return
        words = [span.value for span in products] or self.names.goods(scan)
        if command == "shortage" and any(words):
            command = "stock"  # whether one product is short
        if command == "stock" and products:
            words += self.names.goods_beside(products, scan)
        stores = stores_typed(scan) if command in AT_WAREHOUSES else ()
        apart = command != "stock" and len(words) > 1  # they tell of one product
        customer = _customer(scan) if command == "price" else ""
        needed = quantity_needed(scan) if command in _WITH_QUANTITY and len(words) == 1 and words[0] else ""
        for several in [[word] for word in words] if apart else [words]:
            if any(several) or stores:
                for store in stores or ("",):
                    yield self._on_days(command_line(command, *several, customer, store, needed), scan), DECISIVE

    def _command(self, products: list[Span], asked: Weighed, ranked: Sequence[str]) -> str:
        """Return the question about products: their stock, unless a sentence asks for something else."""
        said = likeliest_of_products(ranked, asked.weights)
        if products and not said and max(map(asked.weight, _OF_MONEY)) >= SAYS_WHAT_TO_DO:
            said = ["price"]  # what is paid for a product
        if products and said[:1] == ["shortage"]:
            said = said[1:]  # 补货 of one product is its stock, or when it arrives
        if asked.weight("promise") >= SAYS_WHAT_TO_DO and quantity_needed(asked.scan):
            return "promise"  # 交货 alone asks for a delivery
        if products and asked.weight(TRAIL) > max(map(asked.weight, said), default=0):
            return TRAIL  # ids of people look like codes
        command = said[0] if said else "stock"
        is_sold = products and self._names_a_buyer(asked.scan) and asked.weight("stock") < SAYS_WHAT_TO_DO
        return "price" if command == "stock" and is_sold and asked.may_use("price") else command

    def _names_a_buyer(self, scan: Scan) -> bool:
        """Return whether a sentence names a customer, and no vendor."""
        return bool(scan.of_kind(SpanKind.PARTNER)) and self.trades.trade_of(scan) is Trade.SALE

    def _on_days(self, line: str, scan: Scan) -> str:
        """Return the line of a product with the list and days of a sentence: RM-11下周有到货吗."""
        name, _, rest = line.removeprefix("/").partition(" ")
        if name not in _ON_DAYS:
            return line
        keyword = self.lists.named(name, scan)
        if keyword == LATE and self.lists.is_due_later(name, scan):
            keyword = ""  # nothing that is due today is late
        return self.lists.with_days(f"{command_line(name, keyword)} {rest}", name, scan)

    def draws_stock(self, scan: Scan, weights: Mapping[str, int]) -> bool:
        """Return whether a chart of a product is asked for: only its stock has one."""
        return weights.get("chart", 0) >= SAYS_OUTRIGHT and not self.draws_sales(scan)

    @staticmethod
    def draws_sales(scan: Scan) -> bool:
        """Return whether a chart of sales or debts is asked for."""
        return _OF_SALES_OR_DEBTS.search(scan.text) is not None


def likeliest_of_products(ranked: Iterable[str], weights: Mapping[str, int]) -> list[str]:
    """Return the commands about products, the most likely first: 没货了, 什么时候来 asks for its arrival."""
    return sorted((name for name in ranked if name in OF_PRODUCTS), key=lambda name: (-weights[name], name == "stock"))


def _customer(scan: Scan) -> str:
    """Return the customer of a price question."""
    codes = [span.value for span in scan.of_kind(SpanKind.DOCUMENT) if span.command in RECORDS_OF_PARTNERS]
    return codes[0] if codes else joined(scan, SpanKind.PARTNER)


_WHICH_FIRST = ("po", "order")
"""采购订单 holds the word of the other side."""
_OF_ITS_OWN = frozenset({"mo", "audit"})
"""Commands whose words hold that for orders, such as 生产订单, or that tell of people whose ids look like codes."""
_WHICH = re.compile(r"哪|谁|占|\b(?:which|who|what)\b", re.IGNORECASE)


def product_documents_asked(recognition: Recognition, scan: Scan, usable: frozenset[str] | None) -> str:
    """Return the command whose documents of a product are asked for; empty if none are.

    Beside a customer or vendor, a product is bought or sold: its price is more likely. If the words ask for something
    else outright, such as 库存, the documents are only meant by "which documents".
    """
    if not scan.of_kind(SpanKind.PRODUCT) or scan.of_kind(SpanKind.DOCUMENT) or partners_or_people(scan):
        return ""
    text = scan.text.casefold()
    said = (name for name in _WHICH_FIRST if (words := recognition.sentences.holding.get(name)) and words.search(text))
    command = next(said, "")
    if not command or (usable is not None and command not in usable):
        return ""
    outright = {cue.command for cue in recognition.cues_in(scan) if cue.weight >= SAYS_OUTRIGHT} - {"order", "po"}
    is_other = not outright.isdisjoint(_OF_ITS_OWN) or (outright and not _WHICH.search(text))
    return "" if is_other else command
