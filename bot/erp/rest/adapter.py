"""A JSON API behind the bot's port: its requests and the meaning of its answers are in the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import deciding, kinds, listing
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.http import Http
from bot.erp.keys import checked_key
from bot.erp.kinds import D, Kind, review_of
from bot.erp.mapped import builders
from bot.erp.mapped.adapter import (
    MappedErp,
    as_stored,
    is_encodable,
    is_plain,
    once_each,
    poll_start,
    require_rest,
    searched_text,
)
from bot.erp.mapped.areas import capabilities_of, feeds_of, goods_parts, mappings_of, sections_of
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.reader import MappingContext, RecordMapping, matching
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionResult,
    ErpRecord,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.rest.client import RestClient
from bot.erp.rest.goods import RestGoods
from bot.erp.rest.mapping import RestRecords
from bot.erp.rest.options import DecidedCalls, ListedPart, ProductCalls, RestOptions
from bot.erp.rest.query import as_list, look
from bot.erp.rest.requests import ChangesRead, DraftRead, ListRead, PaidRead, WriteTemplate
from bot.erp.rest.settlement import all_settled, settled
from bot.erp.values import malformed_is_invalid
from bot.erp.vendors import AdapterContext


class RestErp(MappedErp):
    """Implements `bot.erp.port.Erp` on configured requests."""

    narrows_lists = True

    def __init__(self, context: AdapterContext, options: RestOptions) -> None:
        """Connect nowhere yet; raises `ConfigurationError` for certificates that cannot be read."""
        name = context.name
        super().__init__(
            MappingContext(name, ZoneInfo(options.zone), options.currency, options.unit, context.now, BadValues(name))
        )
        self._options = options
        self._api = RestClient(Http(options, now=context.now, source=name), options)
        self._mapped = mappings_of(sections_of(options))
        self._records = RestRecords(self._api, options, self._mapped, self.context, context.now)
        self._reader = self._records.reader
        self._goods = RestGoods(self._api, options, self._records, self._found_product, self._reorder_point)
        self.feeds = feeds_of(sections_of(options))
        self.capabilities = _capabilities(options)
        self.decides = {
            kind.command: frozenset(acts)
            for kind in kinds.DECIDED
            if kind != kinds.PURCHASE_ORDERS and (acts := _acts(options, kind))
        }

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        calls = self._products()
        if not is_encodable(text):
            return ()
        products = await self._records.many("products", await self._records.all(calls.list, "products.list", text=text))
        return listing.find_products(products, text, limit=limit)

    def _products(self) -> ProductCalls:
        if self._options.products is None:
            self._refuse("products")
        return self._options.products

    async def stock(self, sku: str) -> StockLevel:
        calls = self._options.stock
        if calls is None:
            self._refuse(Capability.STOCK)
        sku = self._checked_step(checked_key(sku, source=self.name))
        product, found = await self._found_product(sku)
        if not calls.product:
            found = await self._level(product.sku)
        total = None
        if calls.fields:
            total = self._reader.single(self._mapped["stock"], found)
        places = await self._parts(found, "stock.places", calls.places)
        lots = await self._parts(found, "stock.lots", calls.lots)
        figures = frozenset(calls.places.fields) if calls.places else frozenset()
        return builders.stock_level(product, total, tuple(places), figures, self.context, lots)

    async def _parts(self, found: Any, place: str, part: ListedPart[Any] | None) -> list[Any]:
        """Return what an answer about stock lists, such as its warehouses; nothing if it is not mapped."""
        if part is None:
            return []
        rows = as_list(look(found, part.at)) or []
        if not isinstance(rows, list):
            raise Invalid(f"{place}.at leads to no list", source=self.name)
        await self._records.learn(place, rows)
        return [self._reader.single(self._mapped[place], row) for row in rows]

    async def _found_product(self, sku: str) -> tuple[Product, Any]:
        """Return a product, and the answer that holds it: its stock where `stock.product` says so, else the product."""
        calls, products = self._options.stock, self._products()
        if calls is not None and calls.product:
            found = await self._api.one(calls.one, {"sku": sku}, what=sku)
            return await self._product(look(found, calls.product), sku), found
        assert products.one is not None
        found = await self._api.one(products.one, {"sku": sku}, what=sku)
        return await self._product(found, sku), self._picked("products", found, sku)

    async def _reorder_point(self, sku: str) -> Decimal | None:
        calls = self._options.stock
        if calls is None or "reorder_point" not in calls.fields:
            return None
        found = await self._level(sku)
        return self._reader.single(self._mapped["stock"], found).reorder_point if found else None

    async def product(self, sku: str) -> ProductDetails:
        self._check_capability(Capability.PRODUCT_DETAILS)
        with malformed_is_invalid(self.name):
            return await self._goods.product(self._checked_step(checked_key(sku, source=self.name)))

    async def prices(self, sku: str, *, customer: str) -> Prices:
        self._check_capability(Capability.PRICES)
        with malformed_is_invalid(self.name):
            return await self._goods.prices(self._checked_step(checked_key(sku, source=self.name)), customer)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._check_capability(Capability.ARRIVALS)
        with malformed_is_invalid(self.name):
            return await self._goods.arrivals(query) if is_encodable(query.sku) else Slice(items=(), total=0)

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[D]:
        assert kind.origin is not None
        section, is_known = builders.section_of(kind), kind.origin.capability in self.capabilities
        identity = number
        if is_known:
            order = await self.read_document(kind.origin, number)
            number, identity = order.number, order.id
        wanted = getattr(self._options, section).of_order
        rows = await self._records.all(wanted, f"{section}.of_order", number=number, id=identity)
        if not rows and not is_known:
            raise NotFound(number, source=self.name)
        return [await self._whole(section, row) for row in rows]

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        self._check_capability(Capability.SHORTAGES)
        with malformed_is_invalid(self.name):
            return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._check_capability(Capability.WAREHOUSE_STOCK)
        with malformed_is_invalid(self.name):
            return await self._goods.warehouse_stock(query)

    async def _level(self, sku: str) -> Any:
        """Return the stock of an existing product; an empty list if the API has none."""
        assert self._options.stock is not None
        try:
            return await self._api.one(self._options.stock.one, {"sku": sku}, what=sku)
        except NotFound:
            return []

    async def _product(self, found: Any, sku: str) -> Product:
        await self._records.learn("products", found if isinstance(found, list) else [found])
        product: Product = self._reader.single(self._mapped["products"], self._picked("products", found, sku))
        return product

    def _picked(self, place: str, found: Any, key: str) -> Any:
        """Return the record of a key out of an answer, which may be a record or a list; raises `NotFound`."""
        rows = found if isinstance(found, list) else [found]
        picked = matching(rows, key, partial(self._reader.key, self._mapped[place]), source=self.name)
        if picked is None:
            raise NotFound(key, source=self.name)
        return picked

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        write = partial(self._write, _acts(self._options, kind)[decision.verdict])
        return await deciding.decide(decision, read=partial(self.document, kind), write=write)

    async def _write(self, act: WriteTemplate, document: ErpRecord, decision: Decision) -> str:
        review = review_of(document)
        given = {
            "number": document.number,
            "id": document.id,
            "version": builders.own_version(review.version),
            "by": decision.by,
            "reason": decision.reason,
            "task_id": review.progress.task_id,
            "approvals": review.progress.level - 1,
        }
        return await self._api.act(act, given, what=document.number)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is not ours."""
        section = getattr(self._options, area)
        changes: ChangesRead | None = section and section.changes
        if changes is None:
            self._refuse(f"changes of {area}")
        at = TimeCursor.parse(cursor)
        since = as_stored(poll_start(at), self._options.time_format, self.context.zone)
        since_text = since if isinstance(since, int | str) else since.isoformat()
        given = {"since": since_text, "text": "", "today": self.context.today().isoformat()}
        part = await self._api.part(changes, given, want=at.fetch_size(limit))
        found = self._reader.many(RecordMapping(builders.change_builder(area), changes.fields), part.items)
        return self.next_changes(area, at, found, limit)

    async def check(self) -> None:
        """Log in and read the first records of the first list."""
        sections = sections_of(self._options)
        lists = [section.list for area, section in sections.items() if area != Area.STOCK and hasattr(section, "list")]
        lists += [part.list for _, _, _, part in goods_parts(sections) if hasattr(part, "list")]
        await self._api.part(lists[0], {"sku": "", **self._asked(ListQuery())}, want=1)

    async def close(self) -> None:
        """Give connections back."""
        await self._api.close()

    async def read_document(self, kind: Kind[D], number: str) -> D:
        place = builders.section_of(kind)
        section = getattr(self._options, place)
        draft: DraftRead | None = getattr(section, "draft", None)
        if draft is not None and (key := draft.id_in(number)):
            alone: D = await self._whole(place, await self._api.one(draft, {"id": key}, what=number))
            return alone
        found = await self._api.one(section.one, {"number": self._checked_step(number)}, what=number)
        document: D = await self._whole(place, self._picked(place, found, number))
        return document

    async def _whole(self, place: str, row: Any) -> Any:
        """Return the document of a record with its lines."""
        at = getattr(getattr(getattr(self._options, place), "lines", None), "at", "")
        lines = (as_list(look(row, at)) or []) if at else []
        if not isinstance(lines, list):
            raise Invalid(f"{place}.lines.at leads to no list", source=self.name)
        await self._records.learn(place, [row], lines)
        document = self._reader.single(self._mapped[place], row, lines)
        paid = self._paid(place)
        return document if paid is None else await settled(self._records, paid, place, document)

    def _paid(self, place: str) -> PaidRead | None:
        """Return how the payments of one document are asked for, where they alone tell what is open of it."""
        paid: PaidRead | None = getattr(getattr(self._options, place), "paid", None)
        return paid

    def _checked_step(self, key: str) -> str:
        """Return a key that may be in a path, where dots would lead elsewhere; raises `NotFound`."""
        if key in {".", ".."}:
            raise NotFound(key, source=self.name)
        return key

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if not is_encodable(query.text + query.partner + query.product):
            return Slice(items=(), total=0)
        place = builders.section_of(kind)
        section = getattr(self._options, place)
        if query.product:
            rows = await self._records.all(section.of_product, f"{place}.of_product", sku=query.product)
            whole = replace(query, product="")
            return kind.pick(once_each(await self._records.many(place, rows)), whole, query.day(self.context.today()))
        own: ListRead | None = getattr(section, query.filter, None) if query.filter is not Filter.ALL else None
        read: ListRead = own or section.list
        if read.pages_itself and is_plain(query):
            part = await self._api.part(read, self._asked(query), start=query.offset, want=query.limit)
            items = tuple(await self._records.many(place, part.items))
            return Slice(items=items, total=len(items) if part.total is None else part.total)
        paid, today = self._paid(place), query.day(self.context.today())
        if paid is None:
            require_rest(self._mapped[place], query, source=self.name)
        name = f"{place}.{query.filter if own else 'list'}"
        given = {**self._asked(query), "text": searched_text(query)}
        documents = await self._records.many(place, await self._records.all(read, name, **given))
        if paid is not None and query.filter is Filter.OVERDUE:
            documents = await all_settled(self._records, paid, place, documents, today, source=self.name)
        return kind.pick(documents, query, today)

    def _asked(self, query: ListQuery) -> dict[str, Any]:
        return {"text": query.text, "today": query.day(self.context.today()).isoformat()}


def _acts(options: RestOptions, kind: Kind[Any]) -> Mapping[Verdict, WriteTemplate]:
    """Return how verdicts on documents of a kind are written, as far as they can be."""
    calls: DecidedCalls[Any] | None = getattr(options, builders.section_of(kind))
    return calls.acts if calls is not None else {}


def _capabilities(options: RestOptions) -> frozenset[Capability]:
    """Return what the configured areas, fields and calls make possible."""
    acts = _acts(options, kinds.PURCHASE_ORDERS)
    decides = {
        Capability.APPROVE: Verdict.APPROVE in acts,
        Capability.REJECT: Verdict.REJECT in acts,
        Capability.VERSION_CHECK: bool(acts),
    }
    return capabilities_of(sections_of(options)) | {capability for capability, holds in decides.items() if holds}
