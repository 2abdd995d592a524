"""Options of a source of the vendor ``rest``: its account, and the requests of each area."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from bot.erp.http import HttpOptions
from bot.erp.mapped import sources
from bot.erp.mapped.areas import sections_of
from bot.erp.mapped.sources import ConfigPart, Fields, SomeParts, SourceDefaults
from bot.erp.rest.query import places
from bot.secret_values import Secret


def _known_pattern(text: str) -> str:
    """Return a regular expression; raises `ValueError` for an invalid one."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}; an example: [A-Z0-9-]+") from None
    return text


class RequestTemplate(ConfigPart):
    """One request: its texts may have places for values, such as ``{number}``."""

    needs: ClassVar[frozenset[str]] = frozenset()
    knows: ClassVar[frozenset[str]] = frozenset()

    path: str = Field(min_length=1, description="Behind the source's `url`; values in it are escaped.")
    params: dict[str, str] = Field({}, description="Parameters of the address.")
    headers: dict[str, str] = Field({}, description="Further headers.")
    body: dict[str, Any] | list[Any] | None = Field(None, description="JSON that is sent.")

    @model_validator(mode="after")
    def _known_places(self) -> RequestTemplate:
        if "://" in self.path:
            raise ValueError("path: stands behind the source's url and is no address of its own; an example: /orders")
        used = self.used()
        unknown = sorted(used - self.knows - self.needs)
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(self.knows | self.needs)) or "none"
            raise ValueError(f"unknown place {{{unknown[0]}}}; known here are {known}")
        for name in sorted(self.needs - used):
            raise ValueError(f'does not use {{{name}}}; an example: path = "/things/{{{name}}}"')
        return self

    def used(self) -> frozenset[str]:
        """Return the names of the places in it."""
        return places([self.path, self.params, self.headers, self.body])


class ReadTemplate(RequestTemplate):
    """A request that changes nothing. A text alone is short for ``{ path = "…" }``."""

    method: Literal["GET", "POST"] = "GET"
    reads: bool = Field(
        False, description="Must be true for POST: you say that it changes nothing, and may be repeated."
    )
    at: str = Field(
        "", description="Where in the answer it is: a dotted path or JSON pointer; empty: the answer itself."
    )

    missing: tuple[int, ...] = Field(
        (), description="Statuses by which the API says that there is no such record, or that a list is empty."
    )
    pattern: Annotated[str, AfterValidator(_known_pattern)] = Field(
        "", description="What codes and numbers look like; for one that does not, the API is not asked: there is none."
    )

    @model_validator(mode="after")
    def _only_reads(self) -> ReadTemplate:
        if self.method == "POST" and not self.reads:
            raise ValueError("method: POST may change something; if this one only searches, say reads = true")
        if self.method == "GET" and self.body is not None:
            raise ValueError('body: GET has none; an example: method = "POST", reads = true')
        return self


class ProductRead(ReadTemplate):
    """One product or its stock."""

    needs = frozenset({"sku"})


class DocumentRead(ReadTemplate):
    """One document."""

    needs = frozenset({"number"})


class Paging(ConfigPart):
    """How a long list is read in parts."""

    by: Literal["offset", "page", "cursor", "next"] = Field(
        description="What the next part is asked by: `{offset}`, `{page}`, `{cursor}`, or an address that it names."
    )
    size: int = Field(100, ge=1, le=10_000, description="Records asked for at once, for `{limit}`.")
    first: int = Field(1, ge=0, le=1, description="Number of the first page.")
    next: str = Field("", description="Where the next cursor or address is; empty for `next`: the header Link.")


class ListRead(ReadTemplate):
    """Records of one kind, in parts if need be."""

    knows = frozenset({"text", "today", "limit", "offset", "page", "cursor"})

    total: str = Field("", description="Where the answer says how many there are in all.")
    paging: Paging | None = None
    pages_itself: bool = Field(
        False, description="The API filters by `{text}` and sorts as the list wants: only the part shown is asked for."
    )

    @model_validator(mode="after")
    def _pages(self) -> ListRead:
        used, by = self.used(), self.paging.by if self.paging else ""
        if by in ("offset", "page", "cursor") and by not in used:
            raise ValueError(f'paging: by {by} needs {{{by}}}; an example: params = {{ {by} = "{{{by}}}" }}')
        if not by and used & {"offset", "page", "cursor"}:
            raise ValueError('paging is missing; an example: paging = { by = "offset", size = 100 }')
        if by == "cursor" and self.paging and not self.paging.next:
            raise ValueError('paging.next is missing: where the next cursor is; an example: next = "meta.next_cursor"')
        if self.pages_itself and not (by == "offset" and self.total and {"limit", "text"} <= used):
            raise ValueError(
                "pages_itself needs {text}, {offset}, {limit} and total; an example: params = "
                '{ q = "{text}", offset = "{offset}", limit = "{limit}" }, total = "total"'
            )
        return self


class ChangesRead(ListRead):
    """What changed since a time, oldest first."""

    needs = frozenset({"since"})
    fields: sources.ChangeFields


class WriteTemplate(RequestTemplate):
    """A request that changes something; it is sent once."""

    knows = frozenset({"number", "id", "version", "by", "reason", "task_id"})

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    text: str = Field("", description="Where the answer has the ERP's own words.")


class LookupList(ConfigPart):
    """A list in which ids of other records are looked up, such as customers; it is read every ten minutes."""

    list: ListRead
    key: str = Field(min_length=1, description="Where a record has the id.")
    value: str = Field(min_length=1, description="Where it has what is shown instead.")


def _from_text(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


_Short = BeforeValidator(_from_text)


class RowsRead(ConfigPart):
    """Rows of a list: its records, or what stands inside of them."""

    list: Annotated[ListRead, _Short]
    inside: str = Field("", description="The list inside each record whose items are the rows; the record is at `^`.")
    only: dict[str, tuple[str, ...]] = Field(
        {}, description='Rows count only with one of these values there: `{ state = ["open"], code = ["{sku}"] }`.'
    )

    @model_validator(mode="after")
    def _known_values(self) -> RowsRead:
        unknown = sorted(places(self.only) - type(self.list).needs - type(self.list).knows)
        if unknown:
            raise ValueError(f"only: unknown place {{{unknown[0]}}}; it can use the places of list")
        return self


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

    one: Annotated[ProductRead | None, _Short] = Field(
        None, description="One by `{sku}`, where stock does not hold it."
    )
    list: Annotated[ListRead, _Short]
    changes: ChangesRead | None = None
    fields: sources.ProductFields
    details: Annotated[ProductRead | None, _Short] = Field(
        None, description="What is told of a product's vendors and components, where `one` does not tell it."
    )
    supplies: SupplyPart | None = None
    components: UsePart | None = None
    used_in: UsePart | None = None


class WarehouseFields(ConfigPart):
    """What each warehouse has."""

    at: str = Field("", description="Where the list is, inside what `one` finds; empty: that is the list itself.")
    fields: sources.PlaceFields


class StockCalls(ConfigPart):
    """Stock of one product."""

    one: Annotated[ProductRead, _Short]
    product: str = Field("", description="Where the product is inside of it, by `products.fields`; empty: ask for it.")
    changes: ChangesRead | None = None
    fields: sources.StockFields = Field({}, validate_default=False)
    places: WarehouseFields | None = None

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

    one: Annotated[DocumentRead, _Short]
    list: Annotated[ListRead, _Short]
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


class SalesCalls(DocumentRequests):
    """Sales orders."""

    fields: sources.SalesFields
    lines: OrderLines | None = None
    late: Annotated[ListRead | None, _Short] = Field(None, description="What may be late, instead of all of `list`.")


class InvoiceCalls(DocumentRequests):
    """Customer invoices."""

    fields: sources.InvoiceFields
    overdue: Annotated[ListRead | None, _Short] = None


class PurchaseCalls(DocumentRequests):
    """Purchase orders, and how they are decided."""

    fields: sources.PurchaseFields
    lines: PurchaseLines | None = None
    late: Annotated[ListRead | None, _Short] = None
    pending: Annotated[ListRead | None, _Short] = None
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
    late: Annotated[ListRead | None, _Short] = None


class CustomerCalls(RecordRequests):
    """Customers."""

    fields: sources.CustomerFields


class VendorCalls(RecordRequests):
    """Vendors."""

    fields: sources.VendorFields


class BillCalls(DocumentRequests):
    """Invoices by vendors."""

    fields: sources.BillFields
    overdue: Annotated[ListRead | None, _Short] = None


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


class OrderDeliveries(ListRead):
    """The deliveries of a sales order."""

    needs = frozenset({"number"})
    knows = ListRead.knows | {"id"}


class DeliveryCalls(DocumentRequests):
    """What leaves for customers."""

    fields: sources.DeliveryFields
    lines: DeliveryLines | None = None
    late: Annotated[ListRead | None, _Short] = None
    of_order: Annotated[OrderDeliveries, _Short] = Field(description="Those of the sales order `{number}`, with lines.")


class OfProduct(ListRead):
    """Records with a product."""

    needs = frozenset({"sku"})


class SomeProducts(ListRead):
    """Records of all products, or of one."""

    knows = ListRead.knows | {"sku"}


class OfWarehouse(ListRead):
    """What a warehouse has."""

    knows = ListRead.knows | {"warehouse", "id"}


class ListPriceRead(ConfigPart):
    """List price and standard cost."""

    one: Annotated[ProductRead | None, _Short] = Field(None, description="By `{sku}`; empty: the product's own record.")
    fields: sources.ListPriceFields


class PricePointRows(RowsRead):
    """What customers paid, or what was paid to vendors."""

    list: Annotated[OfProduct, _Short]
    fields: sources.PricePointFields


class PriceCalls(SomeParts):
    """What a product costs; at least one of them."""

    list_price: ListPriceRead | None = None
    sales: PricePointRows | None = None
    purchases: PricePointRows | None = None


class ArrivalRows(RowsRead):
    """What is on its way by one kind of document."""

    list: Annotated[SomeProducts, _Short]
    fields: sources.ArrivalFields


class ArrivalCalls(SomeParts):
    """What is on its way; at least one of them."""

    purchases: ArrivalRows | None = None
    productions: ArrivalRows | None = None


class StoredRows(RowsRead):
    """What lies in a warehouse."""

    list: Annotated[OfWarehouse, _Short]
    fields: sources.StoredFields


class NeededRows(RowsRead):
    """Stock of what may be short."""

    fields: sources.NeededFields


class WarehouseCalls(ConfigPart):
    """Warehouses, what lies there, and what is short."""

    list: Annotated[ListRead, _Short]
    fields: sources.WarehouseFields
    contents: StoredRows | None = None
    shortages: NeededRows | None = None


class NoAccount(ConfigPart):
    """An API that asks nobody who they are."""

    kind: Literal["none"] = "none"


class BearerAccount(ConfigPart):
    """A token that does not run out, as ``Authorization: Bearer …``."""

    kind: Literal["bearer"]
    token: Secret


class BasicAccount(ConfigPart):
    """User and password in every request."""

    kind: Literal["basic"]
    user: str
    password: Secret


class HeaderAccount(ConfigPart):
    """A key in a header of its own."""

    kind: Literal["header"]
    name: str = Field("X-API-Key", pattern=r"^[A-Za-z0-9-]+$")
    key: Secret


class QueryAccount(ConfigPart):
    """A key in the address."""

    kind: Literal["query"]
    name: str
    key: Secret


class OAuth2Account(ConfigPart):
    """OAuth 2 client credentials (RFC 6749, 4.4); the token is renewed when it is refused."""

    kind: Literal["oauth2"]
    token_path: str = Field(description="Behind `url`, or a whole address.")
    client_id: str
    client_secret: Secret
    scope: str = ""
    send: Literal["header", "body"] = Field("header", description="Where the credentials go.")


class LoginAccount(ConfigPart):
    """A login that answers with a token, renewed when it is refused."""

    kind: Literal["login"]
    path: str
    user: str
    password: Secret
    body: dict[str, Any] = Field({"user": "{user}", "password": "{password}"}, description="JSON that is sent.")
    token: str = Field("token", description="Where the answer has the token.")
    header: str = Field("Authorization", description="The header that takes it.")
    prefix: str = Field("Bearer ", description="What stands before it there.")


Account = Annotated[
    NoAccount | BearerAccount | BasicAccount | HeaderAccount | QueryAccount | OAuth2Account | LoginAccount,
    Field(discriminator="kind"),
]

Meaning = Literal[
    "auth_expired", "auth_failed", "not_permitted", "not_found", "conflict", "rate_limited", "unavailable", "invalid"
]


class EnvelopeOptions(ConfigPart):
    """For APIs that answer 200 to everything and say in the body what came of it."""

    at: str = Field(min_length=1, description="Where the code is.")
    good: tuple[str, ...] = Field(min_length=1, description="Codes of success, such as `0`.")
    errors: dict[str, Meaning] = Field({}, description="Code → what it means; others are `invalid`.")


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
