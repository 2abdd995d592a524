"""A JSON API behind the bot's port: its requests and the meaning of its answers stand in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotFound
from bot.erp.expiring import ExpiringValue
from bot.erp.http import Http
from bot.erp.keys import checked_key
from bot.erp.listing import D, Listing
from bot.erp.mapped import builders
from bot.erp.mapped.adapter import MappedErp, as_stored, is_encodable, is_plain, poll_start, searched_text
from bot.erp.mapped.areas import capabilities_of, mappings_of, sections_of
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader, matching
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    Product,
    PurchaseOrder,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.rest.client import RestClient
from bot.erp.rest.options import ChangesRead, ListRead, ProductCalls, RestOptions, WriteTemplate
from bot.erp.rest.query import as_list, look
from bot.erp.vendors import AdapterContext

_LOOKUPS_HOLD = timedelta(minutes=10)


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
        self._lookups = {
            name: ExpiringValue(partial(self._read_lookup, name), now=context.now, holds=_LOOKUPS_HOLD)
            for name in options.lookups
        }
        self._meanings: dict[str, Mapping[str, Any]] = {}
        self._reader = RecordReader(self.context, look, meaning=self._meaning)
        self._mapped = mappings_of(sections_of(options))
        self.capabilities = _capabilities(options)

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name, spec or barcode contains ``text``, best match first."""
        calls = self._products()
        if not is_encodable(text):
            return ()
        products = self._reader.many(self._mapped["products"], await self._all(calls.list, "products.list", text))
        return listing.find_products(products, text, limit=limit)

    async def _read_lookup(self, name: str) -> Mapping[str, Any]:
        """Return what the ids of a list mean."""
        calls = self._options.lookups[name]
        rows = await self._all(calls.list, f"lookups.{name}.list", "")
        return {str(look(row, calls.key)): look(row, calls.value) for row in rows}

    async def _learn(self, place: str) -> None:
        """Read the lists in which fields of a section are looked up, unless they were read a moment ago."""
        mapped: RecordMapping[Any] | None = self._mapped[place]
        wanted: set[str] = set()
        while mapped is not None:
            wanted |= {origin.lookup for origin in mapped.fields.values() if origin.lookup}
            mapped = mapped.lines
        for name in sorted(wanted):
            self._meanings[name] = await self._lookups[name].value()

    def _meaning(self, name: str, value: Any) -> Any:
        """Return what an id means; the id itself where its list does not have it."""
        return self._meanings.get(name, {}).get(str(value), value)

    def _products(self) -> ProductCalls:
        if self._options.products is None:
            self._refuse("products")
        return self._options.products

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock; raises `NotFound`."""
        calls, products = self._options.stock, self._products()
        if calls is None:
            self._refuse(Capability.STOCK)
        sku = self._checked_step(checked_key(sku, source=self.name))
        if calls.product:
            found = await self._api.one(calls.one, {"sku": sku}, what=sku)
            product = self._product(look(found, calls.product), sku)
        else:
            assert products.one is not None
            product = self._product(await self._api.one(products.one, {"sku": sku}, what=sku), sku)
            found = await self._level(product.sku)
        total = None
        if calls.fields:
            total = self._reader.single(self._mapped["stock"], found)
        places = []
        if calls.places is not None:
            rows = as_list(look(found, calls.places.at)) or []
            if not isinstance(rows, list):
                raise Invalid("stock.places.at leads to no list", source=self.name)
            await self._learn("stock.places")
            places = [self._reader.single(self._mapped["stock.places"], row) for row in rows]
        figures = frozenset(calls.places.fields) if calls.places else frozenset()
        return builders.stock_level(product, total, tuple(places), figures, self.context)

    async def _level(self, sku: str) -> Any:
        """Return the stock of an existing product; an empty list if the API has none."""
        assert self._options.stock is not None
        try:
            return await self._api.one(self._options.stock.one, {"sku": sku}, what=sku)
        except NotFound:
            return []

    def _product(self, found: Any, sku: str) -> Product:
        product: Product = self._reader.single(self._mapped["products"], self._picked("products", found, sku))
        return product

    def _picked(self, place: str, found: Any, key: str) -> Any:
        """Return the record of a key out of an answer, which may be a record or a list; raises `NotFound`."""
        rows = found if isinstance(found, list) else [found]
        picked = matching(rows, key, partial(self._reader.key, self._mapped[place]), source=self.name)
        if picked is None:
            raise NotFound(key, source=self.name)
        return picked

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject one revision of a purchase order, once, and read it again."""
        act = self._acts().get(decision.verdict)
        if act is None:
            return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, order=None)
        return await deciding.decide(decision, read=self.purchase_order, write=partial(self._write, act))

    def _acts(self) -> Mapping[Verdict, WriteTemplate | None]:
        purchasing = self._options.purchasing
        return {Verdict.APPROVE: purchasing.approve, Verdict.REJECT: purchasing.reject} if purchasing else {}

    async def _write(self, act: WriteTemplate, order: PurchaseOrder, decision: Decision) -> str:
        given = {
            "number": order.number,
            "id": order.id,
            "version": builders.own_version(order.version),
            "by": decision.by,
            "reason": decision.reason,
            "task_id": order.approval.task_id if order.approval else "",
        }
        return await self._api.act(act, given, what=order.number)

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
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
        first = next(section for area, section in sections.items() if area is not Area.STOCK)
        await self._api.part(first.list, self._asked(""), want=1)

    async def close(self) -> None:
        """Give connections back."""
        await self._api.close()

    async def read_document(self, kind: Listing[D], number: str) -> D:
        place = builders.section_of(kind)
        section = getattr(self._options, place)
        found = await self._api.one(section.one, {"number": self._checked_step(number)}, what=number)
        row = self._picked(place, found, number)
        at = getattr(getattr(section, "lines", None), "at", "")
        lines = (as_list(look(row, at)) or []) if at else []
        if not isinstance(lines, list):
            raise Invalid(f"{place}.lines.at leads to no list", source=self.name)
        await self._learn(place)
        document: D = self._reader.single(self._mapped[place], row, lines)
        return document

    def _checked_step(self, key: str) -> str:
        """Return a key that may stand in a path, where dots would lead elsewhere; raises `NotFound`."""
        if key in {".", ".."}:
            raise NotFound(key, source=self.name)
        return key

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        if not is_encodable(query.text + query.partner):
            return Slice(items=(), total=0)
        place = builders.section_of(kind)
        section, mapped = getattr(self._options, place), self._mapped[place]
        await self._learn(place)
        own: ListRead | None = getattr(section, query.filter, None) if query.filter is not Filter.ALL else None
        read: ListRead = own or section.list
        if read.pages_itself and is_plain(query):
            part = await self._api.part(read, self._asked(query.text), start=query.offset, want=query.limit)
            items = tuple(self._reader.many(mapped, part.items))
            return Slice(items=items, total=len(items) if part.total is None else part.total)
        name = f"{place}.{query.filter if own else 'list'}"
        documents = self._reader.many(mapped, await self._all(read, name, searched_text(query)))
        return kind.pick(documents, query, self.context.today())

    async def _all(self, read: ListRead, name: str, text: str) -> list[Any]:
        """Return all records of a list; raises `Invalid` where they are too many."""
        most = self._options.most_rows
        part = await self._api.part(read, self._asked(text), want=most + 1)
        if len(part.items) > most or (part.total or 0) > most:
            raise Invalid(f"{name} has more than {most} records: let the API choose, or page itself", source=self.name)
        return part.items

    def _asked(self, text: str) -> dict[str, Any]:
        return {"text": text, "today": self.context.today().isoformat()}


def _capabilities(options: RestOptions) -> frozenset[Capability]:
    """Return what the configured areas, fields and calls make possible."""
    acts = options.purchasing and (options.purchasing.approve, options.purchasing.reject)
    approve, reject = acts or (None, None)
    decides = {
        Capability.APPROVE: approve is not None,
        Capability.REJECT: reject is not None,
        Capability.VERSION_CHECK: approve is not None or reject is not None,
    }
    return capabilities_of(sections_of(options)) | {capability for capability, holds in decides.items() if holds}
