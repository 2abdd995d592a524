"""The configuration of fields: where each comes from, checked against the shape of its record when it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.erp.mapped import schema
from bot.erp.mapped.schema import MONEY, FieldKind, FieldSpec, Schema
from bot.erp.model import Area, Progress

EPOCH, EPOCH_MS = "epoch", "epoch_ms"
ZONED, NAIVE = "zoned", "naive"


def known_zone(name: str) -> str:
    """Return the name of a time zone; raises `ValueError` for one that does not exist."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}, an example is Asia/Shanghai") from error
    return name


def known_format(text: str) -> str:
    """Return how times are written; raises `ValueError` for what is neither a pattern nor one of the words."""
    if text and "%" not in text and text not in (EPOCH, EPOCH_MS):
        raise ValueError(f"{text!r} is no format; examples are %d.%m.%Y, {EPOCH} and {EPOCH_MS}")
    return text


def known_time_format(text: str) -> str:
    """Return how times of changes are compared; raises `ValueError` for neither a pattern nor a word."""
    if text not in ("", ZONED, NAIVE, EPOCH, EPOCH_MS) and "%" not in text:
        raise ValueError(
            f"{text!r} is none of {ZONED}, {NAIVE}, {EPOCH}, {EPOCH_MS}, and no pattern such as %Y-%m-%d %H:%M:%S"
        )
    return text


Zone = Annotated[str, AfterValidator(known_zone)]
TimeFormat = Annotated[str, AfterValidator(known_time_format)]


class ConfigPart(BaseModel):
    """Base of all parts of these configurations: strict and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SomeParts(ConfigPart):
    """Base of sections that have nothing but parts; at least one of them."""

    @model_validator(mode="after")
    def _some_part(self) -> SomeParts:
        if not self.model_fields_set:
            raise ValueError(f"is empty: needs {' or '.join(type(self).model_fields)}")
        return self


class FieldSource(ConfigPart):
    """Where a field comes from. A text alone is short for ``{ from = "…" }``."""

    from_: str = Field("", alias="from", description="Column, or path inside the JSON.")
    default: str | int | None = Field(None, description="What it is where the ERP has nothing.")
    present: str | int | None = Field(
        None, description="What it is where the ERP has anything but 0: `2` for a level whose first approver is named."
    )
    lookup: str = Field("", description="The list of `lookups` in which the value stands, such as a customer's id.")
    words: dict[str, str] = Field({}, description="The ERP's word → ours; “” on the right: nothing.")
    format: Annotated[str, AfterValidator(known_format)] = Field(
        "", description="How dates and times are written: a pattern of strptime, `epoch` or `epoch_ms`."
    )
    zone: Zone | None = Field(None, description="Zone of times without one, where it is not the source's.")
    factor: Decimal | None = Field(None, description="Multiplies the number: `0.01` where the ERP keeps cents.")
    full: Decimal | None = Field(None, description="The number that means “all of it”: `100` for percentages.")
    split: str = Field(",", min_length=1, description="What stands between the names of a list in one text.")

    def word(self, text: str) -> str:
        """Return our word for a word of the ERP, in any case; an unknown word is returned as it is."""
        if not self.words:
            return text
        if text in self.words:
            return self.words[text]
        folded = text.casefold()
        return next((ours for theirs, ours in self.words.items() if theirs.casefold() == folded), text)


def _from_text(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


Fields = dict[str, Annotated[FieldSource, BeforeValidator(_from_text)]]
"""Field → where it comes from."""


def _checked(shape: Schema) -> Callable[[Fields], Fields]:
    def check(fields: Fields) -> Fields:
        for name, origin in fields.items():
            if name not in shape:
                raise ValueError(f"unknown field {name!r}; known are {', '.join(shape)}")
            _check_origin(name, shape[name], origin)
        for name, item in shape.items():
            if item.required and name not in fields:
                raise ValueError(f"{name!r} is missing; an example: {example(name, item)}")
        return fields

    return check


def _check_origin(name: str, item: FieldSpec, origin: FieldSource) -> None:
    if not origin.from_ and origin.default is None:
        raise ValueError(f"{name}: says neither where it comes from nor a default; an example: {example(name, item)}")
    unknown = sorted(set(origin.words.values()) - {*item.words, ""}) if item.words else []
    if unknown:
        raise ValueError(
            f"{name}.words: {unknown[0]!r} is none of {', '.join(item.words)}; an example: {example(name, item)}"
        )
    if origin.default is not None and item.words and str(origin.default) not in item.words:
        raise ValueError(f"{name}.default: {origin.default!r} is none of {', '.join(item.words)}")
    fitting: dict[str, frozenset[FieldKind | type[StrEnum]]] = {
        "format": frozenset({FieldKind.DAY, FieldKind.MOMENT}),
        "zone": frozenset({FieldKind.DAY, FieldKind.MOMENT}),
        "factor": frozenset({FieldKind.NUMBER}),
        "full": frozenset({Progress}),
        "split": frozenset({FieldKind.NAMES}),
    }
    for key, kinds in fitting.items():
        if key in origin.model_fields_set and item.kind not in kinds:
            raise ValueError(f"{name}.{key}: makes no sense here; {name} is a {_kind_name(item)}")


def _kind_name(item: FieldSpec) -> str:
    return str(item.kind) if isinstance(item.kind, FieldKind) else f"word ({', '.join(item.words)})"


def example(name: str, item: FieldSpec) -> str:
    """Return a line of configuration that shows how a field is mapped."""
    if item.words:
        return f'{name} = {{ from = "state", words = {{ "10" = "{item.words[0]}", "20" = "{item.words[1]}" }} }}'
    if item.kind in (FieldKind.DAY, FieldKind.MOMENT):
        return f'{name} = {{ from = "{name}", format = "%d.%m.%Y" }}'
    return f'{name} = "{name}"'


ProductFields = Annotated[Fields, AfterValidator(_checked(schema.PRODUCT))]
PlaceFields = Annotated[Fields, AfterValidator(_checked(schema.PLACE))]
LotFields = Annotated[Fields, AfterValidator(_checked(schema.LOT))]
StockFields = Annotated[Fields, AfterValidator(_checked(schema.STOCK))]
SalesFields = Annotated[Fields, AfterValidator(_checked(schema.SALES_ORDER))]
OrderLineFields = Annotated[Fields, AfterValidator(_checked(schema.ORDER_LINE))]
InvoiceFields = Annotated[Fields, AfterValidator(_checked(schema.INVOICE))]
PurchaseFields = Annotated[Fields, AfterValidator(_checked(schema.PURCHASE_ORDER))]
PurchaseLineFields = Annotated[Fields, AfterValidator(_checked(schema.PURCHASE_LINE))]
ProductionFields = Annotated[Fields, AfterValidator(_checked(schema.PRODUCTION_ORDER))]
CustomerFields = Annotated[Fields, AfterValidator(_checked(schema.CUSTOMER))]
VendorFields = Annotated[Fields, AfterValidator(_checked(schema.VENDOR))]
BillFields = Annotated[Fields, AfterValidator(_checked(schema.BILL))]
PaymentFields = Annotated[Fields, AfterValidator(_checked(schema.PAYMENT))]
SettledFields = Annotated[Fields, AfterValidator(_checked(schema.SETTLED))]
DeliveryFields = Annotated[Fields, AfterValidator(_checked(schema.DELIVERY))]
DeliveryLineFields = Annotated[Fields, AfterValidator(_checked(schema.DELIVERY_LINE))]
ReceiptFields = Annotated[Fields, AfterValidator(_checked(schema.RECEIPT))]
QuotationFields = Annotated[Fields, AfterValidator(_checked(schema.QUOTATION))]
ReceiptLineFields = Annotated[Fields, AfterValidator(_checked(schema.RECEIPT_LINE))]
SupplyFields = Annotated[Fields, AfterValidator(_checked(schema.SUPPLY))]
UseFields = Annotated[Fields, AfterValidator(_checked(schema.USE))]
ListPriceFields = Annotated[Fields, AfterValidator(_checked(schema.LIST_PRICE))]
PricePointFields = Annotated[Fields, AfterValidator(_checked(schema.PRICE_POINT))]
ArrivalFields = Annotated[Fields, AfterValidator(_checked(schema.ARRIVAL))]
WarehouseFields = Annotated[Fields, AfterValidator(_checked(schema.WAREHOUSE))]
StoredFields = Annotated[Fields, AfterValidator(_checked(schema.STORED))]
NeededFields = Annotated[Fields, AfterValidator(_checked(schema.NEEDED))]
ChangeFields = Annotated[Fields, AfterValidator(_checked(schema.CHANGE))]


class SourceDefaults(BaseModel):
    """Defaults for records without a zone, currency or unit; options of mapped sources inherit them."""

    zone: Zone = Field(description="Time zone of dates, and of times without one, such as Asia/Shanghai.")
    currency: str = Field("", pattern="^([A-Z]{3})?$", description="Currency of amounts that come without one.")
    unit: str = Field("", description="Unit of quantities that come without one.")

    def complete(self, sections: Mapping[str, Any]) -> None:
        """Check what single sections cannot; raises `ValueError` that names all amounts and quantities without unit."""
        found = []
        known = getattr(self, "lookups", {})
        for area, section in sections.items():
            parts = dict(_parts(area, section))
            found += [
                f"{area}: {name}.lookup: {origin.lookup!r} is none of lookups ({', '.join(known) or 'there are none'})"
                for part in parts.values()
                for name, origin in part.items()
                if origin.lookup and origin.lookup not in known
            ]
            if not self.unit and area in (Area.PRODUCTS, Area.PRODUCTION) and "unit" not in section.fields:
                found.append(
                    f'{area}.fields: has no unit; map it (unit = "unit") or give the source\'s own (unit = "PCS")'
                )
            if "currency" in getattr(section, "fields", {}):
                parts.pop(f"{area}.lines.fields", None)
            found += [
                f'{place}: has amounts and no currency; map it (currency = "currency") or give the source\'s own '
                '(currency = "CNY")'
                for place, fields in parts.items()
                if not self.currency and MONEY & fields.keys() and "currency" not in fields
            ]
        if found:
            raise ValueError("; ".join(found))


def _parts(area: str, section: BaseModel) -> Iterator[tuple[str, Fields]]:
    """Yield the fields of a section and of its parts, with their places."""
    for name in type(section).model_fields:
        part = getattr(section, name)
        if name == "fields":
            yield f"{area}.fields", part
        elif name != "changes" and hasattr(part, "fields"):
            yield f"{area}.{name}.fields", part.fields
