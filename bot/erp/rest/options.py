"""Options of a source of the vendor ``rest``: its account, and the requests of each area."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from bot.erp.http import HttpOptions
from bot.erp.mapped import sources
from bot.erp.mapped.areas import sections_of
from bot.erp.mapped.sources import ConfigPart, Fields, SomeParts, SourceDefaults
from bot.erp.rest.accounts import (
    Account,
    EnvelopeOptions,
    NoAccount,
)
from bot.erp.rest.requests import (
    ChangesRead,
    DocumentRead,
    ListRead,
    LookupList,
    ProductRead,
    RowsRead,
    Short,
    WriteTemplate,
)


class SupplyPart(ConfigPart):
    """Who supplies a product."""

    at: str = Field(min_length=1, description="Where the list is, inside what `details` finds, else `one`.")
    fields: sources.SupplyFields


class UsePart(ConfigPart):
    """What a product is made of, or what it goes into."""

    at: str = Field(min_length=1, description="Where the list is, inside what `details` finds, else `one`.")
    fields: sources.UseFields


class ProductCalls(ConfigPart):
    """Products."""

    one: Annotated[ProductRead | None, Short] = Field(None, description="One by `{sku}`, where stock does not hold it.")
    list: Annotated[ListRead, Short]
    changes: ChangesRead | None = None
    fields: sources.ProductFields
    details: Annotated[ProductRead | None, Short] = Field(
        None, description="What is told of a product's vendors and components, where `one` does not tell it."
    )
    supplies: SupplyPart | None = None
    components: UsePart | None = None
    used_in: UsePart | None = None


class WarehouseFields(ConfigPart):
    """What each warehouse has."""

    at: str = Field("", description="Where the list is, inside what `one` finds; empty: that is the list itself.")
    fields: sources.PlaceFields


class LotFields(ConfigPart):
    """What is in stock of a product by batch or serial number."""

    at: str = Field(min_length=1, description="Where the list is, inside what `one` finds.")
    fields: sources.LotFields


class StockCalls(ConfigPart):
    """Stock of one product."""

    one: Annotated[ProductRead, Short]
    product: str = Field("", description="Where the product is inside of it, by `products.fields`; empty: ask for it.")
    changes: ChangesRead | None = None
    fields: sources.StockFields = Field({}, validate_default=False)
    places: WarehouseFields | None = None
    lots: LotFields | None = None

    @model_validator(mode="after")
    def _figures(self) -> StockCalls:
        if self.places is None and "on_hand" not in self.fields:
            raise ValueError('without places, fields must map on_hand; an example: on_hand = "stock"')
        return self


class OrderLines(ConfigPart):
    """Lines of a sales order."""

    at: str = Field(min_length=1, description="Where the list is inside the order.")
    fields: sources.OrderLineFields


class PurchaseLines(ConfigPart):
    """Lines of a purchase order."""

    at: str = Field(min_length=1, description="Where the list is inside the order.")
    fields: sources.PurchaseLineFields


class RecordRequests(ConfigPart):
    """Records of one kind."""

    one: Annotated[DocumentRead, Short]
    list: Annotated[ListRead, Short]
    fields: Fields

    @model_validator(mode="after")
    def _all_lists(self) -> RecordRequests:
        for name in ("late", "overdue", "pending"):
            if name in type(self).model_fields and getattr(self, name) is None and self.list.pages_itself:
                raise ValueError(f"{name} is missing: list pages itself, and {name} cannot be picked out of one page")
        return self


class DocumentRequests(RecordRequests):
    """Documents, whose changes may be told."""

    changes: ChangesRead | None = None


class OfProduct(ListRead):
    """Records with a product."""

    needs = frozenset({"sku"})


class SalesCalls(DocumentRequests):
    """Sales orders."""

    fields: sources.SalesFields
    lines: OrderLines | None = None
    of_product: Annotated[OfProduct | None, Short] = Field(
        None, description="Those with a line of the product `{sku}`."
    )
    late: Annotated[ListRead | None, Short] = Field(None, description="What may be late, instead of all of `list`.")


class InvoiceCalls(DocumentRequests):
    """Customer invoices."""

    fields: sources.InvoiceFields
    overdue: Annotated[ListRead | None, Short] = None


class PurchaseCalls(DocumentRequests):
    """Purchase orders, and how they are decided."""

    fields: sources.PurchaseFields
    lines: PurchaseLines | None = None
    of_product: Annotated[OfProduct | None, Short] = Field(
        None, description="Those with a line of the product `{sku}`."
    )
    late: Annotated[ListRead | None, Short] = None
    pending: Annotated[ListRead | None, Short] = None
    approve: WriteTemplate | None = None
    reject: WriteTemplate | None = None

    @model_validator(mode="after")
    def _shows_decisions(self) -> PurchaseCalls:
        decides = self.approve is not None or self.reject is not None
        if decides and not {"version", "changed_at"} & self.fields.keys():
            raise ValueError('fields: to decide, version or changed_at must be mapped; an example: version = "version"')
        return self


class ProductionCalls(DocumentRequests):
    """Production orders."""

    fields: sources.ProductionFields
    late: Annotated[ListRead | None, Short] = None


class CustomerCalls(RecordRequests):
    """Customers."""

    fields: sources.CustomerFields


class VendorCalls(RecordRequests):
    """Vendors."""

    fields: sources.VendorFields


class BillCalls(DocumentRequests):
    """Invoices by vendors."""

    fields: sources.BillFields
    overdue: Annotated[ListRead | None, Short] = None


class SettledDocuments(ConfigPart):
    """What a payment settles."""

    at: str = Field(min_length=1, description="Where the list is inside the payment.")
    fields: sources.SettledFields


class PaymentCalls(DocumentRequests):
    """Receipts and payments."""

    fields: sources.PaymentFields
    lines: SettledDocuments | None = None


class DeliveryLines(ConfigPart):
    """Lines of a delivery."""

    at: str = Field(min_length=1, description="Where the list is inside the delivery.")
    fields: sources.DeliveryLineFields


class OfOrder(ListRead):
    """What was moved for an order."""

    knows = ListRead.knows | {"number", "id"}

    @model_validator(mode="after")
    def _of_which_order(self) -> OfOrder:
        if not self.used() & {"number", "id"}:
            raise ValueError('uses neither {number} nor {id} of the order; an example: params = { order = "{number}" }')
        return self


class DeliveryCalls(DocumentRequests):
    """What leaves for customers."""

    fields: sources.DeliveryFields
    lines: DeliveryLines | None = None
    late: Annotated[ListRead | None, Short] = None
    of_order: Annotated[OfOrder, Short] = Field(description="Those of the sales order `{number}`, with lines.")


class ReceiptLines(ConfigPart):
    """Lines of a receipt."""

    at: str = Field(min_length=1, description="Where the list is inside the receipt.")
    fields: sources.ReceiptLineFields


class ReceiptCalls(RecordRequests):
    """What came in from vendors: no drafts, and nothing that was cancelled."""

    fields: sources.ReceiptFields
    lines: ReceiptLines | None = None
    of_order: Annotated[OfOrder, Short] = Field(description="Those of the purchase order `{number}`, with lines.")


class SomeProducts(ListRead):
    """Records of all products, or of one."""

    knows = ListRead.knows | {"sku"}


class OfWarehouse(ListRead):
    """What a warehouse has."""

    knows = ListRead.knows | {"warehouse", "id"}


class ListPriceRead(ConfigPart):
    """List price and standard cost."""

    one: Annotated[ProductRead | None, Short] = Field(None, description="By `{sku}`; empty: the product's own record.")
    fields: sources.ListPriceFields


class PricePointRows(RowsRead):
    """What customers paid, or what was paid to vendors."""

    list: Annotated[OfProduct, Short]
    fields: sources.PricePointFields


class PriceCalls(SomeParts):
    """What a product costs; at least one of them."""

    list_price: ListPriceRead | None = None
    sales: PricePointRows | None = None
    purchases: PricePointRows | None = None


class ArrivalRows(RowsRead):
    """What is on its way by one kind of document."""

    list: Annotated[SomeProducts, Short]
    fields: sources.ArrivalFields


class ArrivalCalls(SomeParts):
    """What is on its way; at least one of them."""

    purchases: ArrivalRows | None = None
    productions: ArrivalRows | None = None


class StoredRows(RowsRead):
    """The stock of a warehouse."""

    list: Annotated[OfWarehouse, Short]
    fields: sources.StoredFields


class NeededRows(RowsRead):
    """Stock of what may be short."""

    fields: sources.NeededFields


class WarehouseCalls(ConfigPart):
    """Warehouses, what is in stock there, and what is short."""

    list: Annotated[ListRead, Short]
    fields: sources.WarehouseFields
    contents: StoredRows | None = None
    shortages: NeededRows | None = None


class RestOptions(HttpOptions, SourceDefaults):
    """Options of a source of the vendor ``rest``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account = NoAccount()
    headers: dict[str, str] = Field({}, description="Headers of every request, such as a tenant's name.")
    envelope: EnvelopeOptions | None = None
    error: str = Field("", description="Where an answer says in words what went wrong.")
    time_format: sources.TimeFormat = Field(
        "zoned", description="How `{since}` is written: `zoned`, `naive`, `epoch`, `epoch_ms` or a pattern."
    )
    lookups: dict[str, LookupList] = Field({}, description="Lists in which fields with `lookup` find what ids mean.")
    most_rows: int = Field(5_000, ge=1, le=100_000, description="Records that one list may have at most.")
    products: ProductCalls | None = None
    stock: StockCalls | None = None
    sales: SalesCalls | None = None
    finance: InvoiceCalls | None = None
    purchasing: PurchaseCalls | None = None
    production: ProductionCalls | None = None
    customers: CustomerCalls | None = None
    vendors: VendorCalls | None = None
    bills: BillCalls | None = None
    payments: PaymentCalls | None = None
    deliveries: DeliveryCalls | None = None
    receipts: ReceiptCalls | None = None
    prices: PriceCalls | None = None
    arrivals: ArrivalCalls | None = None
    warehouses: WarehouseCalls | None = None

    @property
    def _asks_for_products(self) -> bool:
        details = self.products and (self.products.supplies or self.products.components or self.products.used_in)
        return self.prices is not None or bool(details)

    @property
    def _stock_has_products(self) -> bool:
        return self.stock is not None and bool(self.stock.product)

    @model_validator(mode="after")
    def _complete(self) -> RestOptions:
        if self.stock is not None and self.products is None:
            raise ValueError("stock needs products too: products.fields say where name and unit are")
        if self.stock is not None and not self.stock.product and self.products and self.products.one is None:
            raise ValueError('stock has no product, so products.one is needed; an example: one = "/products/{sku}"')
        if self._asks_for_products and not (self.products and (self.products.one or self._stock_has_products)):
            raise ValueError('prices and details need products.one too; an example: one = "/products/{sku}"')
        if not sections_of(self):
            raise ValueError('no area is mapped; an example: [erp.NAME.sales] one = "/orders/{number}"')
        self.complete(sections_of(self))
        return self
