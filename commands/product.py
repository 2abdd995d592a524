"""/product: what a product is, who supplies it, what it is made of, and what it goes into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Table
from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.links import more_buttons, offered, offered_by_product, product_document_buttons
from bot.chat.parsing import command_line
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.records.rankings import RankedBy, RankingRequest, list_best_products
from bot.chat.registry import Commands, command
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, export_buttons, freshness, table_of_lines
from bot.erp.hub import ErpHub
from bot.erp.model.goods import ComponentUse, ProductDetails
from bot.read_model.queries import ReadModel
from bot.words.columns import Column
from bot.words.disclosure import ClassedBy, FieldClass, cut_part
from bot.words.phrase import phrase


class ProductWord(Term):
    """A product's code, or part of its code or name."""

    placeholder = phrase("SKU")


class ProductList(Keyword, changes=False):
    """The lists of products that have a name."""

    BEST = phrase("best"), "top", "排行", "排名", "畅销", "销售排行", "销量排行", "销量排名", "销量最好"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductUse:
    """A product that this one is made of, or (``inside`` is false) that is made of it."""

    use: ComponentUse
    inside: bool


_COLUMNS = (
    Column(phrase("Bill of materials"), lambda row: phrase("Made of") if row.inside else phrase("Goes into")),
    Column(phrase("Product"), lambda row: row.use.sku),
    Column(phrase("Name"), lambda row: row.use.name),
    Column(phrase("Quantity"), lambda row: row.use.quantity),
    Column(phrase("Unit"), lambda row: row.use.unit),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView(ListView):
    """The master data of one product; ``rows`` are its components and the products that it goes into."""

    card: ClassVar[str] = "product"

    details: ProductDetails
    rows: Annotated[tuple[ProductUse, ...], FieldClass.MATERIALS]
    total: Annotated[int, ClassedBy("rows_class")]
    shows_vendors: bool = True
    more: tuple[str, ...] = ()
    document_lists: tuple[str, ...] = ()
    freshness: Freshness

    @property
    def rows_class(self) -> FieldClass | None:
        """What the number of rows tells, if there are any."""
        return FieldClass.MATERIALS if self.total else None

    def row_buttons(self) -> Sequence[Button]:
        return [
            *more_buttons(self.more, self.details.product.sku),
            *ask_buttons("product", (row.use.sku for row in self.rows)),
        ]

    def buttons(self) -> Sequence[Button]:
        files = export_buttons(self.line) if self.total else []
        return (*ListView.buttons(self), *erp_link_buttons(self.details.url), *files)

    def spare_buttons(self) -> Sequence[Button]:
        return product_document_buttons(self.document_lists, self.details.product.sku)

    def table(self) -> Table | None:
        return table_of_lines(_COLUMNS, self, as_of=self.freshness.as_of) if self.total else None


@command(
    "product",
    aliases=("商品", "产品", "sp", "物料", "料号", "item"),
    examples=("/product SKU123", "/商品 落地电风扇", "/product best", "/商品 排行 上个月"),
    shows=("stock", "order", "po"),
    changes=False,
    summary=phrase("What a product is, who supplies it, what it is made of; or what sells best"),
    place=32,
)
async def product(
    text: ProductWord | None = None,
    *,
    which: ProductList | None = None,
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
    commands: Commands,
) -> View:
    """Show the master data of a product, or what sells best."""
    if which:
        asked = RankingRequest.read("product", which, RankedBy.PRODUCTS, text or "", context.today)
        if asked:
            return await list_best_products(asked, erp=erp, kept=kept, policy=policy, context=context)
        text = ProductWord(commands.parse(context.line).rest)
    if not text:
        raise BadArgument(phrase("Something is missing after the command."))
    found = await ProductLookup(command="product", erp=erp, context=context).read(text, erp.product)
    if isinstance(found, ProductChoice):
        return found
    stock, bought = (policy.decide_area(context.person, name, context.conversation.id) for name in ("stock", "po"))
    details, of_stock = cut_part(replace(found.value, supplies=()), stock.grant.fields)
    supplies, of_orders = cut_part(found.value.supplies if bought.allowed else (), bought.grant.fields)
    details = replace(details, supplies=supplies)
    rows = (
        *(ProductUse(use=use, inside=True) for use in details.components),
        *(ProductUse(use=use, inside=False) for use in details.used_in),
    )
    return ProductView(
        details=details,
        rows=rows[context.offset : context.offset + (context.rows or ProductView.page_size)],
        total=len(rows),
        offset=context.offset,
        shows_vendors=bought.allowed,
        withheld=of_stock | of_orders,
        line=command_line("product", details.product.sku),
        more=offered(erp, "stock", "price", "arrivals", of=found),
        document_lists=offered_by_product(erp, of=found),
        freshness=freshness(found),
    )
