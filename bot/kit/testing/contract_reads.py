"""Contract cases of single records and of search: what the company has is what the adapter tells, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from bot.erp.errors import NotFound, UnknownFinish, Unsupported
from bot.erp.kinds import KINDS, PURCHASE_ORDERS, Kind
from bot.erp.model import Area, Money, Product, StockLevel
from bot.erp.port import Capability, Erp, Filter, ListQuery, Period, verdicts_on
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import ContractBase, OpenErp, case
from bot.kit.testing.erp_checks import (
    case_variants,
    expect_not_found,
    filters_of,
    read_list,
    sample_evenly,
)

T = TypeVar("T")

EACH_KIND = ("kind", KINDS)
EACH_NAMED = ("kind", [kind for kind in KINDS if kind.filters])
"""Kinds that have lists by name."""
EACH_MOVED = ("kind", [kind for kind in KINDS if kind.order_call])
"""Kinds of which an order tells its own."""
STOCK = (Capability.STOCK,)

_ALL = 10_000


class ReadsContract(ContractBase):
    """Reading products, stock and single documents."""

    @case("open.check", "The source is reachable, has a name and offers what it is said to")
    async def test_check(self, erp: Erp) -> None:
        await erp.check()
        assert erp.name == "main"
        assert erp.capabilities == self.offers

    @case("open.close", "Closing twice, or without having asked anything, is harmless")
    async def test_close(self, open_erp: OpenErp) -> None:
        idle, used = await open_erp(), await open_erp()
        await used.check()
        for erp in (idle, used, used):
            await erp.close()

    # Products

    @case("products.all", "Every product reads exactly as the ERP has it")
    async def test_products(self, erp: Erp, company: ReferenceCompany) -> None:
        wanted = {product.sku: product for product in self.expected_records(company, Area.PRODUCTS)}
        found = await erp.find_products("", limit=500)
        assert {product.sku: product for product in found} == wanted
        assert len(found) == len(wanted)

    @case("products.search", "Products are found by code, name, spec and barcode, in any case")
    async def test_search(self, erp: Erp, company: ReferenceCompany) -> None:
        # By every text with a special character, and by plain texts in turn; each in another spelling, so that all
        # fields are searched in all spellings.
        for n, product in enumerate(self.expected_records(company, Area.PRODUCTS)):
            for m, text in enumerate((product.sku, product.name, product.spec, product.barcode)):
                if not text or (_is_plain(text) and n % 4 != m):
                    continue
                known = case_variants(text)
                spelling = known[(n + m) % len(known)]
                assert product in await erp.find_products(spelling, limit=500), (spelling, product.sku)

    @case("products.part", "Part of a code, name, spec or barcode is enough")
    async def test_part(self, erp: Erp, company: ReferenceCompany) -> None:
        product: Product = self.gaps.expected(company.products["SKU123"])
        for text in filter(None, (product.sku[2:], product.name[4:-2], product.spec[1:4], product.barcode[3:9])):
            assert product in await erp.find_products(text, limit=500), text

    @case("products.best", "The exact code comes first")
    async def test_best(self, erp: Erp, company: ReferenceCompany) -> None:
        for product in filter(None, map(self.gaps.expected, _representative(company.products))):
            assert (await erp.find_products(product.sku, limit=1))[0] == product

    @case("products.limit", "A search keeps its limit, and finding nothing is no error")
    async def test_limit(self, erp: Erp) -> None:
        assert len(await erp.find_products("", limit=3)) == 3
        assert len(await erp.find_products("screw", limit=4)) == 4
        assert await erp.find_products("no such product at all", limit=3) == ()

    @case("text.literal", "Signs of query languages are plain text")
    async def test_literal(self, erp: Erp, company: ReferenceCompany) -> None:
        for text in ("%", "_", "'", '"; --', "\\", "%%%__", "' or '1'='1", "*RAL", "({", "#1", "&"):
            found = await erp.find_products(text, limit=500)
            for product in found:
                assert text in "\n\n".join((product.sku, product.name, product.spec, product.barcode)), text
            wanted = {p.sku for p in self.expected_records(company, Area.PRODUCTS) if text in p.sku + "\0" + p.name}
            assert wanted <= {product.sku for product in found}, text

    # Stock

    @case(
        "stock.exact", "Stock reads exactly as the ERP has it: in total, per warehouse, with reorder point", needs=STOCK
    )
    async def test_stock(self, erp: Erp, company: ReferenceCompany, clock: Clock) -> None:
        for level in _representative(company.stock):
            if self.gaps.expected(level) is None or self.gaps.expected(level.product) is None:
                continue
            found = await erp.stock(level.product.sku)
            told = level if Capability.LOTS in self.offers else replace(level, lots=())
            self.assert_same(_by_place(found), _by_place(told))
            assert found.source == "main"
            assert found.as_of.tzinfo is not None
            assert found.as_of <= clock.now()
            places = [place.code for place in found.per_warehouse]
            assert len(places) == len(set(places))

    @case(
        "stock.lots",
        "Lots are told by warehouse, those that expire first before the others",
        needs=(Capability.STOCK, Capability.LOTS),
    )
    async def test_lots(self, erp: Erp, company: ReferenceCompany) -> None:
        for sku, level in company.stock.items():
            if level.lots:
                assert (await erp.stock(sku)).lots == self.gaps.expected(level).lots

    @case("stock.case", "A code is taken in any case", needs=STOCK)
    async def test_stock_case(self, erp: Erp) -> None:
        levels = [await erp.stock(spelling) for spelling in case_variants("SKU123")]
        assert [level.product.sku for level in levels] == ["SKU123"] * len(levels)

    @case("stock.odd", "A code with slashes, quotes, blanks or Chinese characters is read like any other", needs=STOCK)
    async def test_stock_odd(self, erp: Erp, company: ReferenceCompany) -> None:
        odd = [p.sku for p in self.expected_records(company, Area.PRODUCTS) if not p.sku.startswith("SKU")]
        for sku in odd:
            assert (await erp.stock(sku)).product.sku == sku

    @case(
        "stock.disabled",
        "A product that is out of use is told by its code, and said to be so",
        needs=STOCK,
        tells="Product.is_active",
    )
    async def test_disabled_product(self, erp: Erp, company: ReferenceCompany) -> None:
        level = company.stock["SKU201"]
        disabled = replace(level.product, is_active=False)
        company.products[disabled.sku] = disabled
        company.set_stock(replace(level, product=disabled))
        assert not (await erp.stock("SKU201")).product.is_active
        assert (await erp.stock("SKU202")).product.is_active

    @case("stock.not_found", "An unknown code is not found", needs=STOCK)
    async def test_stock_not_found(self, erp: Erp) -> None:
        for sku in ("NO-SUCH-SKU", "SKU12", "SKU12%", "SKU12_", "", "' or '1'='1", "../SKU123", "SKU" * 200):
            await expect_not_found(erp.stock, sku)

    # Documents

    @case("read.exact", "A document reads exactly as the ERP has it, with its lines", over=EACH_KIND)
    async def test_document(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        for record in company.documents(kind).values():
            told = self.gaps.expected(record)
            if told is None:
                continue
            found = await erp.document(kind, told.number)
            self.assert_same(found, record)
            check_types(found)
            assert found.source == "main"
            assert found.id

    @case("read.types", "Amounts are exact numbers, times have a zone", over=EACH_KIND)
    async def test_types(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        # A few are enough: `read.exact` checks the types of all documents.
        for record in sample_evenly(self.expected_documents(company, kind), 4):
            check_types(await erp.document(kind, record.number))
        for listed in (await read_list(erp, kind, ListQuery(limit=_ALL))).items:
            check_types(listed)

    @case("read.case", "A number is taken in any case", over=EACH_KIND)
    async def test_number_case(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        record = self.expected_documents(company, kind)[0]
        for spelling in case_variants(record.number):
            assert (await erp.document(kind, spelling)).number == record.number

    @case(
        "read.changed_by",
        "A purchase order tells the account of the person who changed it last, alone and in a list",
        needs=(Capability.PURCHASE_ORDERS,),
        tells="Review.changed_by",
    )
    async def test_changed_by(self, erp: Erp, company: ReferenceCompany, clock: Clock) -> None:
        number = self.waiting_numbers(company)[0]
        for by, account in (("carla", self.colleague), ("anna", self.approver), ("dora", self.requester)):
            clock.advance(60)
            company.set_total(number, Decimal(70 + len(by)), by=by)
            listed = await erp.documents(PURCHASE_ORDERS, ListQuery(text=number, limit=5))
            told = [order.review.changed_by for order in listed.items if order.number == number]
            assert [(await erp.document(PURCHASE_ORDERS, number)).review.changed_by, *told] == [account, account]

    @case("read.not_found", "An unknown number is not found, whatever characters it is made of", over=EACH_KIND)
    async def test_not_found(self, erp: Erp, kind: Kind[Any]) -> None:
        for number in ("NO-SUCH-NUMBER", "", "%", "*", "_", "' or '1'='1", "../x", "0", "9" * 40, "号码"):
            with pytest.raises(NotFound):
                await erp.document(kind, number)

    @case("refuse.kind", "What is not offered is refused by name", over=EACH_KIND, refusal=True)
    async def test_refused_kind(self, erp: Erp, kind: Kind[Any]) -> None:
        if kind.capability not in self.offers:
            with pytest.raises(Unsupported):
                await read_list(erp, kind, ListQuery())
            with pytest.raises(Unsupported):
                await erp.document(kind, "SO-1001")
            return
        if kind.by_product not in self.offers:
            with pytest.raises(Unsupported):
                await read_list(erp, kind, ListQuery(product="SKU123"))
        waits = {Filter.PENDING} if verdicts_on(erp, kind) else set()
        for unknown in set(Filter) - set(filters_of(kind)) - waits:
            with pytest.raises(Unsupported):
                await read_list(erp, kind, ListQuery(filter=unknown))
        if Filter.DONE in kind.filters and Capability.FINISHED_DAYS not in self.offers:
            with pytest.raises(UnknownFinish):
                await read_list(erp, kind, ListQuery(filter=Filter.DONE, during=Period(date.min, date.max)))


def _is_plain(text: str) -> bool:
    return text.isascii() and text.replace(" ", "").isalnum()


def _representative(by_sku: Mapping[str, T]) -> list[T]:
    """Return what there is of each product, but of the many screws only of three: those differ in figures alone."""
    screws = [sku for sku in by_sku if sku.startswith("SKU2")]
    wanted = by_sku.keys() - screws | set(sample_evenly(screws, 3))
    return [record for sku, record in by_sku.items() if sku in wanted]


def _by_place(level: StockLevel) -> StockLevel:
    """Return the level with its warehouses by code: their order is the ERP's affair."""
    return replace(level, per_warehouse=tuple(sorted(level.per_warehouse, key=lambda place: place.code)))


def check_types(value: Any) -> None:
    """Check every value of a record, its parts included."""
    match value:
        case Money():
            assert len(value.currency) == 3
            assert value.currency.isupper()
            check_types(value.amount)
        case Decimal():
            assert value.is_finite()
        case datetime():
            assert value.tzinfo is not None
        case tuple():
            for item in value:
                check_types(item)
        case _ if hasattr(value, "__dataclass_fields__"):
            for name in value.__dataclass_fields__:
                check_types(getattr(value, name))
        case _:
            assert not isinstance(value, float)
