"""Options of a source of the vendor ``sql``: its database, and the queries of each area."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bot.erp.mapped import sources
from bot.erp.mapped.areas import sections_of
from bot.erp.mapped.sources import ConfigPart, Fields, SomeParts, SourceDefaults
from bot.erp.sql.query import check_list_query, check_sales_query, check_view, pages_itself, query
from bot.secret_values import Secret

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


class SupplyQuery(ConfigPart):
    """Who supplies a product."""

    query: ProductSql = Field(description="One row for each vendor of the product, by `:sku`.")
    fields: sources.SupplyFields


class UseQuery(ConfigPart):
    """What a product is made of, or what it goes into."""

    query: ProductSql = Field(description="One row for each component, or each product with it, by `:sku`.")
    fields: sources.UseFields


class ProductQueries(ConfigPart):
    """Products: one by ``:sku``, and a search."""

    one: ProductSql = Field(description="One product by `:sku`.")
    list: SearchSql = Field(description="Products; may use `:text` or `:like`.")
    changes: ChangesSql | None = Field(None, description="Columns `key` and `changed_at`, by `:since` and `:limit`.")
    fields: sources.ProductFields
    supplies: SupplyQuery | None = None
    components: UseQuery | None = None
    used_in: UseQuery | None = None


class PlaceQueries(ConfigPart):
    """What each warehouse has of a product."""

    query: ProductSql = Field(description="One row for each warehouse, by `:sku`.")
    fields: sources.PlaceFields


class LotQuery(ConfigPart):
    """What is in stock there of a product by batch or serial number."""

    query: ProductSql = Field(description="One row for each lot in a warehouse, by `:sku`; without those used up.")
    fields: sources.LotFields


class StockQueries(ConfigPart):
    """Stock, per warehouse and in total; at least one of them."""

    places: PlaceQueries | None = None
    lots: LotQuery | None = None
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


class RecordQueries(ConfigPart):
    """Records of one kind."""

    one: DocumentSql = Field(description="One record by `:number`, of partners their code.")
    list: ListSql = Field(description="Records; may use `:text`, `:like`, `:today`, or page by `:limit`, `:offset`.")
    fields: Fields

    @model_validator(mode="after")
    def _all_lists(self) -> RecordQueries:
        for name in ("late", "overdue", "pending"):
            if name in type(self).model_fields and getattr(self, name) is None and pages_itself(self.list):
                raise ValueError(
                    f"{name} is missing: list pages by itself, and {name} cannot be picked out of one page; an "
                    f'example: {name} = "SELECT … WHERE due_on < :today"'
                )
        return self


class DocumentQueries(RecordQueries):
    """Documents, whose changes may be told."""

    changes: ChangesSql | None = None


class OrderLineQuery(ConfigPart):
    """Lines of a sales order."""

    query: LinesSql = Field(description="The lines by `:number` or `:id`, in order.")
    fields: sources.OrderLineFields


class PurchaseLineQuery(ConfigPart):
    """Lines of a purchase order."""

    query: LinesSql = Field(description="The lines by `:number` or `:id`, in order.")
    fields: sources.PurchaseLineFields


class SalesQueries(DocumentQueries):
    """Sales orders."""

    fields: sources.SalesFields
    lines: OrderLineQuery | None = None
    of_product: OfProductSql | None = Field(
        None, description="The orders with a line of the product `:sku`, one row each, with the columns of `list`."
    )
    late: ListSql | None = Field(None, description="Orders that may be late, where `list` is not to be read for it.")


class InvoiceQueries(DocumentQueries):
    """Customer invoices."""

    fields: sources.InvoiceFields
    overdue: ListSql | None = None


class PurchaseQueries(DocumentQueries):
    """Purchase orders."""

    fields: sources.PurchaseFields
    lines: PurchaseLineQuery | None = None
    of_product: OfProductSql | None = Field(
        None, description="The orders with a line of the product `:sku`, one row each, with the columns of `list`."
    )
    late: ListSql | None = None
    pending: ListSql | None = None


class ProductionQueries(DocumentQueries):
    """Production orders."""

    fields: sources.ProductionFields
    late: ListSql | None = None


class CustomerQueries(RecordQueries):
    """Customers."""

    fields: sources.CustomerFields


class VendorQueries(RecordQueries):
    """Vendors."""

    fields: sources.VendorFields


class BillQueries(DocumentQueries):
    """Invoices by vendors."""

    fields: sources.BillFields
    overdue: ListSql | None = None


class SettledQuery(ConfigPart):
    """What a payment settles."""

    query: LinesSql = Field(description="The invoices or bills by the payment's `:number` or `:id`.")
    fields: sources.SettledFields


class PaymentQueries(DocumentQueries):
    """Receipts and payments."""

    fields: sources.PaymentFields
    lines: SettledQuery | None = None


class DeliveryLineQuery(ConfigPart):
    """Lines of a delivery."""

    query: LinesSql = Field(description="The lines by `:number` or `:id`, in order.")
    fields: sources.DeliveryLineFields


class DeliveryQueries(DocumentQueries):
    """What leaves for customers."""

    fields: sources.DeliveryFields
    lines: DeliveryLineQuery | None = None
    late: ListSql | None = None
    of_order: DocumentSql = Field(description="The deliveries of the sales order `:number`.")


class ReceiptLineQuery(ConfigPart):
    """Lines of a receipt."""

    query: LinesSql = Field(description="The lines by `:number` or `:id`, in order.")
    fields: sources.ReceiptLineFields


class ReceiptQueries(RecordQueries):
    """What came in from vendors: no drafts, and nothing that was cancelled."""

    fields: sources.ReceiptFields
    lines: ReceiptLineQuery | None = None
    of_order: DocumentSql = Field(description="The receipts of the purchase order `:number`.")


class ListPriceQuery(ConfigPart):
    """List price and standard cost."""

    query: ProductSql = Field(description="One row by `:sku`.")
    fields: sources.ListPriceFields


class SaleQuery(ConfigPart):
    """What customers paid for a product."""

    query: SalesSql = Field(description="One row for each line of a confirmed order, by `:sku`, `:like` the customer.")
    fields: sources.PricePointFields


class PurchaseQuery(ConfigPart):
    """What was paid for a product."""

    query: BoughtSql = Field(description="One row for each line of an approved order, by `:sku`.")
    fields: sources.PricePointFields


class PriceQueries(SomeParts):
    """What a product costs; at least one of them."""

    list_price: ListPriceQuery | None = None
    sales: SaleQuery | None = None
    purchases: PurchaseQuery | None = None


class ComingQuery(ConfigPart):
    """What is on its way by one kind of document."""

    query: ComingSql = Field(description="One row for each open line; may use `:sku`, which is empty for all.")
    fields: sources.ArrivalFields


class ArrivalQueries(SomeParts):
    """What is on its way; at least one of them."""

    purchases: ComingQuery | None = None
    productions: ComingQuery | None = None


class ContentsQuery(ConfigPart):
    """The stock of a warehouse."""

    query: ContentsSql = Field(description="One row for each product, by the code `:warehouse`; may use `:like`.")
    fields: sources.StoredFields


class ShortageRows(ConfigPart):
    """Stock of what may be short."""

    query: WholeSql = Field(description="One row for each product and warehouse; may leave out what is not short.")
    fields: sources.NeededFields


class WarehouseQueries(ConfigPart):
    """Warehouses, what is in stock there, and what is short."""

    list: WholeSql = Field(description="All warehouses.")
    fields: sources.WarehouseFields
    contents: ContentsQuery | None = None
    shortages: ShortageRows | None = None


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
    sales: SalesQueries | None = None
    finance: InvoiceQueries | None = None
    purchasing: PurchaseQueries | None = None
    production: ProductionQueries | None = None
    customers: CustomerQueries | None = None
    vendors: VendorQueries | None = None
    bills: BillQueries | None = None
    payments: PaymentQueries | None = None
    deliveries: DeliveryQueries | None = None
    receipts: ReceiptQueries | None = None
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
