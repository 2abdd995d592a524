"""Options of a source of the vendor ``rest``: its account, and the requests of each area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, Field, model_validator

from bot.erp.http import HttpOptions
from bot.erp.mapped import sources
from bot.erp.mapped.areas import sections_of
from bot.erp.mapped.sources import ConfigPart, SomeParts, SourceDefaults
from bot.erp.model import Verdict
from bot.erp.rest.accounts import Account, EnvelopeOptions, NoAccount
from bot.erp.rest.requests import (
    ChangesRead,
    DocumentRead,
    DraftRead,
    ListRead,
    LookupList,
    PaidRead,
    ProductRead,
    RowsRead,
    Short,
    WriteTemplate,
)

F = TypeVar("F")
L = TypeVar("L")


class ListedPart(ConfigPart, Generic[F]):
    """A list inside of a record, such as the lines of a document."""

    at: str = Field(min_length=1, description="Where the list is inside the record.")
    fields: F


class ProductCalls(ConfigPart):
    """Products; what is told of their vendors and components is inside what `details` finds, else `one`."""

    one: Annotated[ProductRead | None, Short] = Field(None, description="One by `{sku}`, where stock does not hold it.")
    list: Annotated[ListRead, Short]
    changes: ChangesRead | None = None
    fields: sources.ProductFields
    details: Annotated[ProductRead | None, Short] = Field(
        None, description="What is told of a product's vendors and components, where `one` does not tell it."
    )
    supplies: ListedPart[sources.SupplyFields] | None = None
    components: ListedPart[sources.UseFields] | None = None
    used_in: ListedPart[sources.UseFields] | None = None


class WarehouseFields(ListedPart[sources.PlaceFields]):
    """What each warehouse has."""

    at: str = Field("", description="Where the list is, inside what `one` finds; empty: that is the list itself.")


class StockCalls(ConfigPart):
    """Stock of one product."""

    one: Annotated[ProductRead, Short]
    product: str = Field("", description="Where the product is inside of it, by `products.fields`; empty: ask for it.")
    changes: ChangesRead | None = None
    fields: sources.StockFields = Field({}, validate_default=False)
    places: WarehouseFields | None = None
    lots: ListedPart[sources.LotFields] | None = Field(None, description="By batch or serial number, inside of `one`.")

    @model_validator(mode="after")
    def _figures(self) -> StockCalls:
        if self.places is None and "on_hand" not in self.fields:
            raise ValueError('without places, fields must map on_hand; an example: on_hand = "stock"')
        return self


class RecordRequests(ConfigPart, Generic[F]):
    """Records of one kind, such as customers."""

    one: Annotated[DocumentRead, Short]
    list: Annotated[ListRead, Short]
    fields: F

    @property
    def lists_pending(self) -> bool:
        """Whether there is a list of what waits for a decision."""
        return False

    @model_validator(mode="after")
    def _all_lists(self) -> RecordRequests[F]:
        for name in ("late", "overdue", *(("pending",) if self.lists_pending else ())):
            if name in type(self).model_fields and getattr(self, name) is None and self.list.pages_itself:
                raise ValueError(f"{name} is missing: list pages itself, and {name} cannot be picked out of one page")
        return self


class DocumentRequests(RecordRequests[F], Generic[F]):
    """Documents, whose changes may be told."""

    changes: ChangesRead | None = None
    draft: DraftRead | None = Field(
        None, description="One without a number yet, by the `{id}` that the group of `pattern` finds in its name."
    )


class OfProduct(ListRead):
    """Records with a product."""

    needs = frozenset({"sku"})


class DecidedCalls(DocumentRequests[F], Generic[F]):
    """Documents that may be decided, and how."""

    told_by: ClassVar[str] = "review"
    """The field that tells whether one waits."""

    pending: Annotated[ListRead | None, Short] = Field(None, description="What waits, instead of all of `list`.")
    approve: WriteTemplate | None = None
    reject: WriteTemplate | None = None

    @property
    def acts(self) -> Mapping[Verdict, WriteTemplate]:
        """How verdicts are written, as far as they can be."""
        given = {Verdict.APPROVE: self.approve, Verdict.REJECT: self.reject}
        return {verdict: act for verdict, act in given.items() if act is not None}

    @property
    def lists_pending(self) -> bool:
        return bool(self.acts)

    @model_validator(mode="after")
    def _shows_decisions(self) -> DecidedCalls[F]:
        fields = set[str](self.fields)  # type: ignore[call-overload]  # fields are a mapping
        if self.acts and not {"version", "changed_at"} & fields:
            raise ValueError('fields: to decide, version or changed_at must be mapped; an example: version = "version"')
        if self.acts and self.told_by not in fields:
            raise ValueError(f'fields: to decide, {self.told_by} must be mapped; an example: {self.told_by} = "state"')
        return self


class OrderCalls(DecidedCalls[F], Generic[F, L]):
    """Orders with lines, by customers or to vendors."""

    lines: ListedPart[L] | None = None
    of_product: Annotated[OfProduct | None, Short] = Field(
        None, description="Those with a line of the product `{sku}`."
    )
    late: Annotated[ListRead | None, Short] = Field(None, description="What may be late, instead of all of `list`.")


class PurchaseCalls(OrderCalls[sources.PurchaseFields, sources.PurchaseLineFields]):
    """Purchase orders, whose state is that of their approval."""

    told_by: ClassVar[str] = "status"

    @property
    def lists_pending(self) -> bool:
        return True


class InvoiceCalls(DocumentRequests[F], Generic[F]):
    """Invoices to customers, or bills by vendors."""

    overdue: Annotated[ListRead | None, Short] = None
    paid: PaidRead | None = Field(
        None, description="What was paid on the unpaid `{id}`, if no field tells what is open: one request for each."
    )

    @model_validator(mode="after")
    def _one_rest(self) -> InvoiceCalls[F]:
        if self.paid is not None and "open_amount" in self.fields:  # type: ignore[operator]  # fields are a mapping
            raise ValueError("paid: is for answers that do not tell what is open, and fields map open_amount")
        return self


class BillCalls(InvoiceCalls[sources.BillFields], DecidedCalls[sources.BillFields]):
    """Bills by vendors."""


class ProductionCalls(DocumentRequests[sources.ProductionFields]):
    """Production orders."""

    late: Annotated[ListRead | None, Short] = None


class PaymentCalls(DocumentRequests[sources.PaymentFields]):
    """Receipts and payments."""

    lines: ListedPart[sources.SettledFields] | None = Field(None, description="The invoices or bills that one settles.")


class OfOrder(ListRead):
    """What was moved for an order."""

    knows = ListRead.knows | {"number", "id"}

    @model_validator(mode="after")
    def _of_which_order(self) -> OfOrder:
        if not self.used() & {"number", "id"}:
            raise ValueError('uses neither {number} nor {id} of the order; an example: params = { order = "{number}" }')
        return self


class DeliveryCalls(DocumentRequests[sources.DeliveryFields]):
    """What leaves for customers."""

    lines: ListedPart[sources.DeliveryLineFields] | None = None
    late: Annotated[ListRead | None, Short] = None
    of_order: Annotated[OfOrder, Short] = Field(description="Those of the sales order `{number}`, with lines.")


class ReceiptCalls(DocumentRequests[sources.ReceiptFields]):
    """What came in from vendors: no drafts, and nothing that was cancelled."""

    lines: ListedPart[sources.ReceiptLineFields] | None = None
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


class PriceCalls(SomeParts):
    """What a product costs, and what customers paid or was paid to vendors; at least one of them."""

    list_price: ListPriceRead | None = None
    sales: RowsRead[OfProduct, sources.PricePointFields] | None = None
    purchases: RowsRead[OfProduct, sources.PricePointFields] | None = None


class ArrivalCalls(SomeParts):
    """What is on its way by each kind of document; at least one of them."""

    purchases: RowsRead[SomeProducts, sources.ArrivalFields] | None = None
    productions: RowsRead[SomeProducts, sources.ArrivalFields] | None = None


class WarehouseCalls(ConfigPart):
    """Warehouses, what is in stock there, and what may be short."""

    list: Annotated[ListRead, Short]
    fields: sources.WarehouseFields
    contents: RowsRead[OfWarehouse, sources.StoredFields] | None = None
    shortages: RowsRead[ListRead, sources.NeededFields] | None = None


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
    sales: OrderCalls[sources.SalesFields, sources.OrderLineFields] | None = None
    finance: InvoiceCalls[sources.InvoiceFields] | None = None
    purchasing: PurchaseCalls | None = None
    production: ProductionCalls | None = None
    customers: RecordRequests[sources.CustomerFields] | None = None
    vendors: RecordRequests[sources.VendorFields] | None = None
    bills: BillCalls | None = None
    payments: PaymentCalls | None = None
    deliveries: DeliveryCalls | None = None
    receipts: ReceiptCalls | None = None
    quotations: OrderCalls[sources.QuotationFields, sources.OrderLineFields] | None = None
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
