"""What the vendor ``sql`` is and how a source of it is configured."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from bot.erp.mapped import origins
from bot.erp.mapped.origins import Defaults, Fields, Part
from bot.erp.mapped.sections import sections_of
from bot.erp.port import Erp
from bot.erp.sql.statements import listed, pages_itself, query
from bot.erp.vendors import Surroundings, Vendor

Single = Annotated[str, query("number")]
Lines = Annotated[str, query("", "number id")]
OfProduct = Annotated[str, query("sku")]
Search = Annotated[str, query("", "text like")]
Listed = Annotated[str, query("", "text like today limit offset"), AfterValidator(listed)]
Changed = Annotated[str, query("since limit", columns="key changed_at", ordered=True)]


class ProductQueries(Part):
    """Products: one by ``:sku``, and a search."""

    one: OfProduct = Field(description="One product by `:sku`.")
    list: Search = Field(description="Products; may use `:text` or `:like`.")
    changes: Changed | None = Field(None, description="Columns `key` and `changed_at`, by `:since` and `:limit`.")
    fields: origins.ProductFields


class PlaceQueries(Part):
    """What each warehouse has of a product."""

    query: OfProduct = Field(description="One row for each warehouse, by `:sku`.")
    fields: origins.PlaceFields


class StockQueries(Part):
    """Stock, per warehouse and in total; at least one of them."""

    places: PlaceQueries | None = None
    total: OfProduct | None = Field(None, description="One row: reorder point, time, and figures of all warehouses.")
    changes: Changed | None = None
    fields: origins.StockFields = Field({}, validate_default=False)

    @model_validator(mode="after")
    def _something(self) -> StockQueries:
        if self.places is None and self.total is None:
            raise ValueError('needs places or total; an example: [erp.NAME.stock.places] query = "SELECT …"')
        if (self.total is None) != (not self.fields):
            raise ValueError("total and fields belong together: fields are the columns of total")
        if self.places is None and "on_hand" not in self.fields:
            raise ValueError('without places, fields must map on_hand; an example: on_hand = "on_hand"')
        return self


class DocumentQueries(Part):
    """Documents of one kind."""

    one: Single = Field(description="One document by `:number`.")
    list: Listed = Field(description="Documents; may use `:text`, `:like`, `:today`, or page by `:limit`, `:offset`.")
    changes: Changed | None = None
    fields: Fields

    @model_validator(mode="after")
    def _all_lists(self) -> DocumentQueries:
        for name in ("late", "overdue", "pending"):
            if name in type(self).model_fields and getattr(self, name) is None and pages_itself(self.list):
                raise ValueError(
                    f"{name} is missing: list pages by itself, and {name} cannot be picked out of one page; an "
                    f'example: {name} = "SELECT … WHERE due_on < :today"'
                )
        return self


class OrderLineQuery(Part):
    """Lines of a sales order."""

    query: Lines = Field(description="The lines by `:number` or `:id`, in order.")
    fields: origins.OrderLineFields


class PurchaseLineQuery(Part):
    """Lines of a purchase order."""

    query: Lines = Field(description="The lines by `:number` or `:id`, in order.")
    fields: origins.PurchaseLineFields


class SalesQueries(DocumentQueries):
    """Sales orders."""

    fields: origins.SalesFields
    lines: OrderLineQuery | None = None
    late: Listed | None = Field(None, description="Orders that may be late, where `list` is not to be read for it.")


class InvoiceQueries(DocumentQueries):
    """Customer invoices."""

    fields: origins.InvoiceFields
    overdue: Listed | None = None


class PurchaseQueries(DocumentQueries):
    """Purchase orders."""

    fields: origins.PurchaseFields
    lines: PurchaseLineQuery | None = None
    late: Listed | None = None
    pending: Listed | None = None


class ProductionQueries(DocumentQueries):
    """Production orders."""

    fields: origins.ProductionFields
    late: Listed | None = None


class SqlOptions(Defaults):
    """Options of a source of the vendor ``sql``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(description="SQLAlchemy URL, such as `postgresql://reader:…@db/company`.")
    timeout: float = Field(4.0, gt=0, le=120, description="Seconds that one question may take.")
    connections: int = Field(4, ge=1, le=32, description="Connections that are held at most.")
    most_rows: int = Field(20_000, ge=1, le=200_000, description="Rows that one query may give at most.")
    time_format: origins.TimeFormat = Field(
        "",
        description="How columns of changes hold times: `zoned`, `naive`, `epoch`, `epoch_ms` or a pattern; "
        "empty: `zoned` for PostgreSQL, text for SQLite, `naive` for others.",
    )
    products: ProductQueries | None = None
    stock: StockQueries | None = None
    sales: SalesQueries | None = None
    finance: InvoiceQueries | None = None
    purchasing: PurchaseQueries | None = None
    production: ProductionQueries | None = None

    @model_validator(mode="after")
    def _complete(self) -> SqlOptions:
        if self.stock is not None and self.products is None:
            raise ValueError("stock needs products too: name and unit are read there")
        if not sections_of(self):
            raise ValueError('no area is mapped; an example: [erp.NAME.sales] one = "SELECT …"')
        self.complete(sections_of(self))
        return self


async def _open(surroundings: Surroundings, options: SqlOptions) -> Erp:
    # Imported here, so that the options can be listed without loading the database library.
    from bot.erp.sql.adapter import SqlErp

    return SqlErp(surroundings, options)


vendor = Vendor(title="SQL database", options=SqlOptions, open=_open)
