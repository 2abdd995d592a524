"""Finds the product that somebody means: by its code, or by a part of its name that only one has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from bot.cards.actions import Ask
from bot.cards.notices import Suggestion
from bot.cards.tables import Table
from bot.cards.view import Button, ListView
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.lookup import SEARCH_LIMIT, find_closest
from bot.chat.view_parts import Freshness, freshness, table_of_lines
from bot.erp.answer import Answer
from bot.erp.errors import Ambiguous, NotFound
from bot.erp.hub import ErpHub
from bot.erp.model import Product
from bot.words.columns import Column
from bot.words.phrase import phrase
from bot.words.spelling import other_spellings, words_of

T = TypeVar("T")

MAX_PICKS = 40
"""Products that a list to choose from can hold; with more hits, people should type more of the name."""


_COLUMNS = (
    Column(phrase("Product"), "sku"),
    Column(phrase("Name"), "name"),
    Column(phrase("Specification"), "spec"),
    Column(phrase("Category"), "category"),
    Column(phrase("Unit"), "unit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChoice(ListView):
    """Products to choose from, because several fit what was asked for. ``more``: there are even more than ``total``.

    ``rest`` is what else was typed, which ``command`` is asked with again.
    """

    card: ClassVar[str] = "picks"

    asked: str
    rows: tuple[Product, ...]
    warehouse: str = ""
    command: str = "stock"
    rest: tuple[str, ...] = ()
    more: bool
    freshness: Freshness

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ("stock",)

    def row_buttons(self) -> Sequence[Button]:
        return [Button(product.sku, Ask(command_line(self.command, product.sku, *self.rest))) for product in self.rows]

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, as_of=self.freshness.as_of, more=self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLookup:
    """Finds products for ``command``; ``rest`` is what else was typed after it, empty words for what was not."""

    command: str
    erp: ErpHub
    context: QuestionContext
    warehouse: str = ""
    rest: tuple[str, ...] = ()

    async def read(self, word: str, read: Callable[[str], Awaitable[Answer[T]]]) -> Answer[T] | ProductChoice:
        """Return what ``read`` brings of the product that ``word`` means, or products to choose from.

        ``read`` takes a code and raises `NotFound`. Raises `NothingFound` where nothing fits.
        """
        # Nearly all codes have a digit: a name costs one call less.
        codes = (word, *other_spellings(word)) if any(char.isdigit() for char in word) else ()
        for code in codes:
            try:
                return await read(code)
            except (NotFound, Ambiguous):
                continue
        meant = await self.find(word)
        return meant if isinstance(meant, ProductChoice) else await read(meant.value.sku)

    async def find(self, word: str) -> Answer[Product] | ProductChoice:
        """Return the one product that ``word`` means, or products to choose from; raises `NothingFound` for none."""
        for text in dict.fromkeys((word, *other_spellings(word), words_of(word))):
            hits = await self.erp.find_products(text, limit=MAX_PICKS + 1)
            exact = [product for product in hits.value if product.sku.casefold() == text.casefold()]
            chosen = exact or hits.value
            if len(chosen) == 1:
                return Answer(chosen[0], hits.source, hits.as_of, hits.stale, hits.failures, hits.notes)
            if chosen:
                return self.picks(word, hits)
        raise NothingFound(word, await self.closest(word), hits.notes)

    async def closest(self, word: str) -> tuple[Suggestion, ...]:
        """Return the products whose codes are most like ``word``."""
        names: dict[str, str] = {}

        async def search(text: str) -> list[str]:
            hits = (await self.erp.find_products(text, limit=SEARCH_LIMIT)).value
            found = {hit.sku: hit.name for hit in hits if hit.sku.casefold() != word.casefold()}
            names.update(found)
            return [*found]

        return tuple(
            Suggestion(command_line(self.command, sku, *self.rest), f"{sku} {names[sku]}".strip())
            for sku in await find_closest(word, search)
        )

    def picks(self, word: str, hits: Answer[tuple[Product, ...]]) -> ProductChoice:
        """Return the products of ``hits`` to choose from."""
        products, offset = hits.value[:MAX_PICKS], self.context.offset
        return ProductChoice(
            asked=word,
            rows=products[offset : offset + (self.context.rows or ProductChoice.page_size)],
            total=len(products),
            offset=offset,
            line=command_line(self.command, word, *self.rest),
            warehouse=self.warehouse,
            command=self.command,
            rest=self.rest,
            more=len(hits.value) > MAX_PICKS,
            freshness=freshness(hits),
        )
