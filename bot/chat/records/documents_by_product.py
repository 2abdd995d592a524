"""Documents that have a line of a product: a word that names no document may name what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic

from bot.chat.conditions import Conditions, ListCondition
from bot.chat.days import DayRange
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.records.lookup import FETCH_LIMIT, DocumentList, DocumentLookup, NoDocument, OneDocument
from bot.chat.records.own_documents import OWN_WORDS
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.erp.errors import NotListedByProduct, NotPermitted, Unsupported
from bot.erp.kinds import D, Kind
from bot.erp.model import Product
from bot.erp.port import Filter
from bot.words.phrase import phrase
from bot.words.spelling import words_of

_AMOUNTS_OF_WHOLE_ORDERS = phrase("An amount is of a whole order, not of one product in it. Try it without amounts.")
_OF_WHOLE_ORDERS = phrase("The orders of one product are not narrowed any further. Ask for one of the two alone.")


@dataclass(frozen=True, slots=True)
class DocumentsByProduct(Generic[D]):
    """Looks documents of a kind up as ``lookup`` does, and else those with a line of the product that a text names.

    ``products`` finds it; where several fit, they are the answer, to choose from.
    """

    lookup: DocumentLookup[D]
    kind: Kind[D]
    products: ProductLookup

    async def look_up(
        self, text: str, wanted: Filter, *, days: DayRange | None
    ) -> OneDocument[D] | DocumentList[D] | ProductChoice:
        """Return what `DocumentLookup.look_up` does, and raise what it raises.

        Raises `NotListedByProduct` where the text is the code of a product, and no ERP can be asked for it.
        """
        hit = await self.lookup.find(text, wanted, days=days)
        is_empty = isinstance(hit, DocumentList) and not hit.found.value.total
        nothing = isinstance(hit, NoDocument) or is_empty
        meant = await self._meant(text) if nothing and text and text.casefold() not in OWN_WORDS else None
        if meant is not None and isinstance(hit, DocumentList) and not self._is_code(text, meant):
            return hit  # the text names documents, although none of them is on the list
        if meant is not None and self.lookup.bounded_by:
            amounts = ListCondition.AMOUNTS in self.lookup.bounded_by
            raise BadArgument(_AMOUNTS_OF_WHOLE_ORDERS if amounts else _OF_WHOLE_ORDERS)
        if isinstance(meant, ProductChoice):
            return meant
        if meant is not None:
            return await self._of(meant, wanted, days)
        if isinstance(hit, NoDocument):
            raise NothingFound(text, await self.lookup.closest(text), hit.notes)
        return hit

    async def _meant(self, text: str) -> Product | ProductChoice | None:
        """Return the product that a text names, or several; None where there is none to ask about."""
        try:
            found = await self.products.find(text)
        except (NothingFound, Unsupported, NotPermitted):
            return None
        is_code = not isinstance(found, ProductChoice) and _is_code(text, found.value)
        assert self.kind.by_product is not None
        if not self.products.erp.offers(self.kind.by_product):
            if is_code:
                raise NotListedByProduct(f"no {self.kind.list_call} of a product")
            return None
        if not is_code and not _is_named(text, found.rows if isinstance(found, ProductChoice) else (found.value,)):
            return None
        return found if isinstance(found, ProductChoice) else found.value

    @staticmethod
    def _is_code(text: str, meant: Product | ProductChoice) -> bool:
        return isinstance(meant, Product) and _is_code(text, meant)

    async def _of(self, product: Product, wanted: Filter, days: DayRange | None) -> DocumentList[D]:
        context = self.products.context
        asked = Conditions(product=product.sku, wanted=wanted, days=days)
        listed = await self.lookup.read(asked, offset=context.offset, limit=context.rows or FETCH_LIMIT)
        if not listed.found.value.total:
            listed = await self.lookup.told_empty(listed, asked)
        return replace(listed, product=product)


def _is_named(text: str, products: Sequence[Product]) -> bool:
    """Return whether a text says the code, name or size of one of the products.

    Figures alone are somewhere in the sizes and bar codes of many: as a rule they are a number. First letters and
    pinyin may as well be those of a customer.
    """
    said = [f"{product.sku} {product.name} {product.spec}".casefold() for product in products]
    words = words_of(text).casefold().split()
    return any(map(str.isalpha, text)) and any(all(word in each for word in words) for each in said)


def _is_code(text: str, product: Product) -> bool:
    return product.sku.casefold() == text.casefold()
