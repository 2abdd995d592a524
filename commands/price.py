"""/price: what a product costs by the list, what customers paid last, and what vendors took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Table
from bot.cards.view import Button, View
from bot.chat.arguments import PartnerTerm, Sku
from bot.chat.conditions import Conditions, ListCondition, WiderList, find_emptied
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.links import more_buttons, offered
from bot.chat.parsing import command_line
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_lookup import PartnerLookup
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.registry import command
from bot.chat.view_parts import EmptiedList, Freshness, document_buttons, export_buttons, freshness
from bot.erp.answer import Answer
from bot.erp.errors import Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import CUSTOMERS
from bot.erp.model.goods import PriceKind, Prices
from bot.words.columns import Column
from bot.words.disclosure import ClassedBy, FieldClass, cut
from bot.words.phrase import phrase


class CustomerTerm(PartnerTerm):
    """Part of a customer's name."""

    placeholder = phrase("customer")


_COLUMNS = (
    Column(phrase("Kind"), lambda row: phrase("Sale") if row.kind is PriceKind.SALE else phrase("Purchase")),
    Column(phrase("Day"), "day"),
    Column(phrase("Document"), "document"),
    Column(phrase("Partner"), "partner"),
    Column(phrase("Quantity"), "quantity"),
    Column(phrase("Unit"), "unit"),
    Column(phrase("Price"), "price"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView(EmptiedList, View):
    """The prices of one product, and which of them the reader may not see at all."""

    card: ClassVar[str] = "price"
    command: ClassVar[str] = "price"

    prices: Prices
    line: Annotated[str, ClassedBy("line_class")]
    """The line that gives the same prices."""
    shows_sales: bool = True
    shows_purchases: bool = True
    more: tuple[str, ...] = ()
    freshness: Freshness
    emptied: tuple[WiderList, ...] = ()
    """What was sold last to anybody, where this customer bought nothing."""

    @property
    def line_class(self) -> FieldClass | None:
        """What ``line`` tells: it repeats the customer."""
        return FieldClass.PARTNER if self.prices.customer else None

    @property
    def listed(self) -> int:
        return len(self.prices.sales)

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.TEXT: self.prices.customer}

    def line_without(self, by: frozenset[ListCondition]) -> str:
        return command_line(self.command, self.prices.product.sku)

    def buttons(self) -> Sequence[Button]:
        return (
            *document_buttons("order", ((point.document, point.books) for point in self.prices.sales[:2])),
            *document_buttons("po", ((point.document, point.books) for point in self.prices.purchases[:2])),
            *self.widening_buttons(),
            *more_buttons(self.more, self.prices.product.sku),
            *(export_buttons(self.line) if self.prices.sales or self.prices.purchases else []),
        )

    def table(self) -> Table | None:
        points = (*self.prices.sales, *self.prices.purchases)
        if not points:
            return None
        sku = self.prices.product.sku
        columns = (Column(phrase("Product"), lambda row: sku), *_COLUMNS)
        table = Table.of_rows(columns, points, total=len(points), as_of=self.freshness.as_of, key_of=str)
        # An order may have several equal lines of one product.
        return replace(table, keys=tuple(map(str, range(len(points)))))


@command(
    "price",
    aliases=("价格", "jg", "报价", "单价", "prices"),
    examples=("/price SKU123", "/价格 SKU123 宏达"),
    shows=("stock", "order", "po"),
    changes=False,
    summary=phrase("Prices of a product: list, last sales, last purchases"),
    place=24,
)
async def price(
    product: Sku,
    customer: CustomerTerm | None = None,
    *,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show what a product costs, and what this customer paid for it last."""
    found = await _find(product, customer or "", erp, context)
    if isinstance(found, ProductChoice):
        return found
    found = await _of_customer(found, erp)
    sku = found.value.product.sku

    async def count(part: Conditions) -> int:
        return len((await erp.prices(sku, customer=part.text)).value.sales)

    sales, purchases = (policy.decide_area(context.person, name, context.conversation.id) for name in ("order", "po"))
    bare = sales.allowed and found.value.customer and not found.value.sales
    whole = PriceView(
        prices=found.value,
        line=command_line("price", sku, found.value.customer),
        shows_sales=sales.allowed,
        shows_purchases=purchases.allowed,
        more=offered(erp, "stock", "product", of=found),
        freshness=freshness(found),
        emptied=await find_emptied(Conditions(text=found.value.customer), count) if bare else (),
    )
    # Each side of the company has rules of its own.
    sold = cut(replace(whole, prices=_sold(whole.prices)), sales.grant.fields)
    bought = cut(replace(whole, prices=_bought(whole.prices)), purchases.grant.fields)
    both = replace(sold.prices, purchases=bought.prices.purchases, standard_cost=bought.prices.standard_cost)
    return replace(sold, prices=both, withheld=sold.withheld | bought.withheld)


def _sold(prices: Prices) -> Prices:
    return replace(prices, purchases=(), standard_cost=None)


def _bought(prices: Prices) -> Prices:
    return replace(prices, sales=(), list_price=None)


async def _of_customer(found: Answer[Prices], erp: ErpHub) -> Answer[Prices]:
    """Return the prices of the customer who was named; raises `NothingFound` where there is no such customer."""
    named, sku = found.value.customer, found.value.product.sku
    if not named or found.value.sales:
        return found
    try:
        hit = await PartnerLookup(CUSTOMERS, erp, "price", (sku,)).look_up(named, offset=0)
    except Unsupported:
        return found
    if isinstance(hit, OneDocument) and hit.found.value.name != named:
        return await erp.prices(sku, customer=hit.found.value.name)
    return found


async def _find(product: str, customer: str, erp: ErpHub, context: QuestionContext) -> Answer[Prices] | ProductChoice:
    """Return the prices; a second word may be part of the product's name as well as a customer."""
    lookup = ProductLookup(command="price", erp=erp, context=context, rest=(customer,))
    try:
        found = await lookup.read(product, lambda sku: erp.prices(sku, customer=customer))
    except NothingFound:
        if not customer:
            raise
    else:
        if not customer or not isinstance(found, ProductChoice):
            return found
    whole = replace(lookup, rest=())
    return await whole.read(f"{product} {customer}", lambda sku: erp.prices(sku))
