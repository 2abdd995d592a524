"""Options of a source of the vendor ``sql``: its database, and the queries of each area."""

from __future__ import annotations

from typing import Annotated, Generic, TypeAlias, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bot.erp.mapped import sources
from bot.erp.mapped.areas import sections_of
from bot.erp.mapped.sources import ConfigPart, SomeParts, SourceDefaults
from bot.erp.sql.query import check_list_query, check_sales_query, check_view, pages_itself, query
from bot.words.secret_values import Secret

DocumentSql = Annotated[str, query("number")]
LinesSql = Annotated[str, query("", "number id")]
ProductSql = Annotated[str, query("sku")]
OfProductSql = Annotated[str, query("sku", "today")]
SearchSql = Annotated[str, query("", "text like")]
ListSql = Annotated[str, query("", "text like today limit offset"), AfterValidator(check_list_query)]
SalesSql = Annotated[str, query("sku", "text like limit"), AfterValidator(check_sales_query)]
BoughtSql = Annotated[str, query("sku", "limit")]
ComingSql = Annotated[str, query("", "sku today")]
ContentsSql = Annotated[str, query("warehouse", "text like")]
WholeSql = Annotated[str, query()]
ViewName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
ViewSql = Annotated[str, AfterValidator(check_view)]
ChangesSql = Annotated[str, query("since limit", columns="key changed_at", ordered=True)]

Q = TypeVar("Q")
F = TypeVar("F")
L = TypeVar("L")


class MappedQuery(ConfigPart, Generic[Q, F]):
    """A query, and where the fields of its rows come from."""

    query: Q
    fields: F


LinesOf: TypeAlias = MappedQuery[LinesSql, L]
"""The lines of one document by its ``:number`` or ``:id``, in order."""


class ProductQueries(ConfigPart):
    """Products: one by ``:sku``, and a search."""

    one: ProductSql = Field(description="One product by `:sku`.")
    list: SearchSql = Field(description="Products; may use `:text` or `:like`.")
    changes: ChangesSql | None = Field(None, description="Columns `key` and `changed_at`, by `:since` and `:limit`.")
    fields: sources.ProductFields
    supplies: MappedQuery[ProductSql, sources.SupplyFields] | None = Field(
        None, description="One row for each vendor of the product, by `:sku`."
    )
    components: MappedQuery[ProductSql, sources.UseFields] | None = Field(
        None, description="One row for each component of the product, by `:sku`."
    )
    used_in: MappedQuery[ProductSql, sources.UseFields] | None = Field(
        None, description="One row for each product that it goes into, by `:sku`."
    )


class StockQueries(ConfigPart):
    """Stock, per warehouse and in total; at least one of them."""

    places: MappedQuery[ProductSql, sources.PlaceFields] | None = Field(
        None, description="One row for each warehouse, by `:sku`."
    )
    lots: MappedQuery[ProductSql, sources.LotFields] | None = Field(
        None, description="One row for each lot in a warehouse, by `:sku`; without those used up."
    )
    total: ProductSql | None = Field(None, description="One row: reorder point, time, and figures of all warehouses.")
    changes: ChangesSql | None = None
    fields: sources.StockFields = Field({}, validate_default=False)

    @model_validator(mode="after")
    def _something(self) -> StockQueries:
        if self.places is None and self.total is None:
            raise ValueError('needs places or total; an example: [erp.NAME.stock.places] query = "SELECT …"')
        if (self.total is None) != (not self.fields):
            raise ValueError("total and fields belong together: fields are the columns of total")
        if self.places is None and "on_hand" not in self.fields:
            raise ValueError('without places, fields must map on_hand; an example: on_hand = "on_hand"')
        return self


class RecordQueries(ConfigPart, Generic[F]):
    """Records of one kind, such as customers."""

    one: DocumentSql = Field(description="One record by `:number`, of partners their code.")
    list: ListSql = Field(description="Records; may use `:text`, `:like`, `:today`, or page by `:limit`, `:offset`.")
    fields: F

    @model_validator(mode="after")
    def _all_lists(self) -> RecordQueries[F]:
        for name in ("late", "overdue", "pending"):
            if name in type(self).model_fields and getattr(self, name) is None and pages_itself(self.list):
                raise ValueError(
                    f"{name} is missing: list pages by itself, and {name} cannot be picked out of one page; an "
                    f'example: {name} = "SELECT … WHERE due_on < :today"'
                )
        return self


class DocumentQueries(RecordQueries[F], Generic[F]):
    """Documents, whose changes may be told."""

    changes: ChangesSql | None = None


class OrderQueries(DocumentQueries[F], Generic[F, L]):
    """Orders with lines, by customers or to vendors."""

    lines: LinesOf[L] | None = None
    of_product: OfProductSql | None = Field(
        None, description="The orders with a line of the product `:sku`, one row each, with the columns of `list`."
    )
    late: ListSql | None = Field(None, description="Orders that may be late, where `list` is not to be read for it.")


class PurchaseQueries(OrderQueries[sources.PurchaseFields, sources.PurchaseLineFields]):
    """Purchase orders."""

    pending: ListSql | None = None


class InvoiceQueries(DocumentQueries[F], Generic[F]):
    """Invoices to customers, or bills by vendors."""

    overdue: ListSql | None = None


class ProductionQueries(DocumentQueries[sources.ProductionFields]):
    """Production orders."""

    late: ListSql | None = None


class PaymentQueries(DocumentQueries[sources.PaymentFields]):
    """Receipts and payments."""

    lines: LinesOf[sources.SettledFields] | None = Field(None, description="The invoices or bills that one settles.")


class DeliveryQueries(DocumentQueries[sources.DeliveryFields]):
    """What leaves for customers."""

    lines: LinesOf[sources.DeliveryLineFields] | None = None
    late: ListSql | None = None
    of_order: DocumentSql = Field(description="The deliveries of the sales order `:number`.")


class ReceiptQueries(DocumentQueries[sources.ReceiptFields]):
    """What came in from vendors: no drafts, and nothing that was cancelled."""

    lines: LinesOf[sources.ReceiptLineFields] | None = None
    of_order: DocumentSql = Field(description="The receipts of the purchase order `:number`.")


class PriceQueries(SomeParts):
    """What a product costs; at least one of them."""

    list_price: MappedQuery[ProductSql, sources.ListPriceFields] | None = Field(
        None, description="List price and standard cost: one row by `:sku`."
    )
    sales: MappedQuery[SalesSql, sources.PricePointFields] | None = Field(
        None, description="One row for each line of a confirmed order, by `:sku`, `:like` the customer."
    )
    purchases: MappedQuery[BoughtSql, sources.PricePointFields] | None = Field(
        None, description="One row for each line of an approved order, by `:sku`."
    )


class ArrivalQueries(SomeParts):
    """What is on its way: one row for each open line; may use ``:sku``, which is empty for all. At least one part."""

    purchases: MappedQuery[ComingSql, sources.ArrivalFields] | None = None
    productions: MappedQuery[ComingSql, sources.ArrivalFields] | None = None


class WarehouseQueries(ConfigPart):
    """Warehouses, what is in stock there, and what is short."""

    list: WholeSql = Field(description="All warehouses.")
    fields: sources.WarehouseFields
    contents: MappedQuery[ContentsSql, sources.StoredFields] | None = Field(
        None, description="One row for each product, by the code `:warehouse`; may use `:like`."
    )
    shortages: MappedQuery[WholeSql, sources.NeededFields] | None = Field(
        None, description="One row for each product and warehouse; may leave out what is not short."
    )


class SqlOptions(SourceDefaults):
    """Options of a source of the vendor ``sql``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Secret = Field(description="SQLAlchemy URL, such as `postgresql://reader:…@db/company`.")
    timeout: float = Field(4.0, gt=0, le=120, description="Seconds that one question may take.")
    connections: int = Field(4, ge=1, le=32, description="Connections that are held at most.")
    most_rows: int = Field(20_000, ge=1, le=200_000, description="Rows that one query may give at most.")
    time_format: sources.TimeFormat = Field(
        "",
        description="How columns of changes hold times: `zoned`, `naive`, `epoch`, `epoch_ms` or a pattern; "
        "empty: `zoned` for PostgreSQL, text for SQLite, `naive` for others.",
    )
    views: dict[ViewName, ViewSql] = Field(
        {}, description="Queries without parameters by names, under which other queries and later views read them."
    )
    products: ProductQueries | None = None
    stock: StockQueries | None = None
    sales: OrderQueries[sources.SalesFields, sources.OrderLineFields] | None = None
    finance: InvoiceQueries[sources.InvoiceFields] | None = None
    purchasing: PurchaseQueries | None = None
    production: ProductionQueries | None = None
    customers: RecordQueries[sources.CustomerFields] | None = None
    vendors: RecordQueries[sources.VendorFields] | None = None
    bills: InvoiceQueries[sources.BillFields] | None = None
    payments: PaymentQueries | None = None
    deliveries: DeliveryQueries | None = None
    receipts: ReceiptQueries | None = None
    quotations: OrderQueries[sources.QuotationFields, sources.OrderLineFields] | None = None
    prices: PriceQueries | None = None
    arrivals: ArrivalQueries | None = None
    warehouses: WarehouseQueries | None = None

    @model_validator(mode="after")
    def _complete(self) -> SqlOptions:
        if self.stock is not None and self.products is None:
            raise ValueError("stock needs products too: name and unit are read there")
        if self.prices is not None and self.products is None:
            raise ValueError("prices needs products too: name and unit are read there")
        if not sections_of(self):
            raise ValueError('no area is mapped; an example: [erp.NAME.sales] one = "SELECT …"')
        self.complete(sections_of(self))
        return self
