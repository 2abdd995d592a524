"""Many ERPs as one: asks every source that can answer, and makes the best of slow, failing and unreachable ones.

A read is bounded in time, retried where that helps, shared by all callers of the same moment, counted, and remembered:
when the ERP is down, a question is answered with the last known value, marked as stale. Callers share answers only
within a *scope*, the ERP account in whose name they ask. A decision goes to one source, once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import SecretStr

from bot.erp.answer import Answer as Answer  # part of the hub's interface
from bot.erp.answer import SourceAnswer
from bot.erp.books import Books, InSeveralBooks, KnownBooks, books_of
from bot.erp.cache import LastKnownAnswers, LastKnownStore, ReadCache, ReadKey
from bot.erp.calls import CallRunner
from bot.erp.decider_keys import KeyOwners
from bot.erp.decision_writer import DecisionWriter
from bot.erp.document_calls import DocumentAnswers
from bot.erp.errors import Ambiguous, ErpError, NotFound, Unavailable, Unsupported
from bot.erp.goods.port import ArrivalQuery, GoodsReader, ShortageQuery, WarehouseQuery
from bot.erp.goods.questions import GoodsQuestions
from bot.erp.index.search import ProductIndex
from bot.erp.kinds import D, Kind, created_kind, decided_kind, kind_followed, kind_of
from bot.erp.limits import SourceLimits
from bot.erp.merging import ProductCodes
from bot.erp.model import (
    Area,
    Decision,
    DecisionOutcome,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    ErpUser,
    Followed,
    Product,
    Slice,
    StockLevel,
)
from bot.erp.model.goods import (
    Arrival,
    ComponentUse,
    Prices,
    ProductDetails,
    Shortage,
    WarehouseContents,
)
from bot.erp.multi_source import MultiSource
from bot.erp.narrowing import NOT_NARROWED, Narrowing, Narrowings
from bot.erp.port import GOODS, Capability, Creates, Erp, ListQuery, does_create, verdicts_on
from bot.erp.reader_lists import ListsByProduct, NarrowedLists
from bot.erp.shared_reads import SharedReads
from bot.erp.source_client import SourceClient
from bot.erp.units import Units
from bot.erp.validation import Quarantine, Validator
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import add_step
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, phrase

T = TypeVar("T")
R = TypeVar("R", bound=ErpRecord)

_SAME_CODE = 5
"""Hits that are read when a code is searched for: the product itself comes first."""

_MANY = 100
"""Products that are searched for a reader of some categories, who may see fewer of them."""

_NAMES_WITHHELD = phrase("You may not see customers and vendors here, so nothing is found by their names.")


def default_scope() -> str:
    """Return the only scope by default: a source is asked as the account that it is configured with."""
    return ""


class ErpHub(DocumentAnswers):
    """The configured sources, in the order of preference."""

    def __init__(
        self,
        sources: Sequence[Erp],
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
        timeout: float = 5.0,
        timeouts: Mapping[str, float] = MappingProxyType({}),
        write_timeout: float = 20.0,
        protections: Mapping[str, SourceLimits] = MappingProxyType({}),
        products: ProductCodes | None = None,
        units: Units | None = None,
        quarantine: Quarantine | None = None,
        kept: LastKnownStore | None = None,
        index: ProductIndex | None = None,
        scope: Callable[[], str] = default_scope,
        rng: Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        copies: int = 512,
    ) -> None:
        """``timeout`` is in seconds for a whole read with its repeats; ``timeouts`` has it for single sources.

        ``write_timeout`` bounds a decision, ``copies`` the answers that are remembered. ``protections``
        are limits of single sources, ``products`` and ``units`` what makes their answers one, ``quarantine`` keeps
        the records that cannot be right, ``kept`` what was answered last beyond this process. ``index`` answers
        searches for products in place of the sources that it knows. ``scope`` returns the scope of the question at
        hand, such as a context variable's ``get``: a read runs in a copy of its caller's context, so an adapter finds
        the same there. Raises `ConfigurationError` when two sources share a name.
        """
        self._all = tuple(sources)
        self._sources = {source.name: source for source in sources}
        if len(self._sources) != len(sources):
            raise ConfigurationError("two ERP sources have the same name")
        self._able = {
            capability: tuple(source for source in sources if _offers(source, capability)) for capability in Capability
        }
        self._calls = CallRunner(
            self._sources,
            metrics=metrics,
            timeout=timeout,
            timeouts=timeouts,
            write_timeout=write_timeout,
            protections=protections,
            rng=rng or Random(),  # noqa: S311  # spreads repeats in time
            monotonic=monotonic,
            sleep=sleep,
        )
        self._now = now
        self._scope = scope
        self._books = KnownBooks(self._sources)
        self._validators = {
            name: Validator(
                name,
                now=now,
                units=units,
                negative_stock=protections.get(name, SourceLimits()).negative_stock,
                quarantine=quarantine,
            )
            for name in self._sources
        }
        self._last_known = LastKnownAnswers(kept, copies)
        self._reads = SharedReads(
            self._calls,
            self._validators,
            recent=ReadCache(
                {name: guard.cache for name, guard in protections.items()},
                metrics=metrics,
                now=now,
                monotonic=monotonic,
            ),
            last_known=self._last_known,
            index=index,
            now=now,
        )
        self._decisions = DecisionWriter(self._calls, self._reads, self._remember, now=now)
        self._codes, self._units, self._monotonic = products or ProductCodes(), units or Units(), monotonic
        self._narrowings = NOT_NARROWED
        self._several = self._merge_sources()
        self._goods = self._goods_questions()

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the sources, in the order of preference."""
        return tuple(self._sources)

    def narrowed(self, narrowing: Narrowing) -> ErpHub:
        """Return the hub for a reader who may see some documents only, in single answers, lists and searches.

        What lies outside is not found, and a source without a visible document is not asked. It shares everything with
        this hub. Single sources (`reread`, `source_client`, …) and decisions are not narrowed.
        """
        hub = copy(self)
        hub._narrowings = Narrowings((*self._narrowings, narrowing))
        hub._several = hub._merge_sources()
        hub._goods = hub._goods_questions()
        return hub

    def within(self, books: Books) -> ErpHub:
        """Return the hub for questions about some books alone; it shares everything with this hub."""
        if not books:
            return self
        hub = copy(self)
        hub._all = tuple(source for source in self._all if source.name == books.source)
        hub._able = {
            capability: tuple(source for source in able if source.name == books.source)
            for capability, able in self._able.items()
        }
        hub._goods = hub._goods_questions()
        return hub

    def beside(self, record: ErpRecord) -> ErpHub:
        """Return the hub for what is in the same books as a record of an answer."""
        return self.within(books_of(record))

    def books_named(self, name: str, *, whole: bool = False) -> tuple[Books, ...]:
        """Return the books of the reader that ``name`` may mean, as a part of a name unless ``whole``: none, one or
        several.
        """
        return self._books.meant_by(name, self._in_books(), whole=whole)

    @property
    def book_names(self) -> tuple[str, ...]:
        """Return all names of books that the reader may use; none where all documents are in the same books."""
        return self._books.names(self._in_books())

    def addressed(self, record: R, source: str) -> R:
        """Return a record of a source that tells in which books it is, where there are several."""
        names = self._books.names_of(source)
        return replace(record, source=source, books=names) if names else record

    def addressed_all(self, found: Slice[R]) -> Slice[R]:
        """Return records that know their sources, each as `addressed` does."""
        return replace(found, items=tuple(self.addressed(record, record.source) for record in found.items))

    def _in_books(self) -> tuple[str, ...]:
        return tuple(source.name for source in self._visible(tuple(Area), self._all))

    def _placed(self, value: T, source: str) -> T:
        """Return an answer whose records tell in which books they are, where there are several."""
        if isinstance(value, ErpRecord):
            return self.addressed(value, source)
        items: Any = value.items if isinstance(value, Slice) else value
        if not isinstance(items, tuple) or not items or not isinstance(items[0], ErpRecord):
            return value
        if not self._books.names_of(source):
            return value
        placed: Any = tuple(self.addressed(item, source) for item in items)
        return replace(value, items=placed) if isinstance(value, Slice) else placed

    def visible_sources(self, area: Followed) -> tuple[str, ...]:
        kind = kind_followed(area)
        return tuple(source.name for source in self._visible(kind.areas, self._able[kind.capability]))

    def is_narrowed(self, area: Followed) -> bool:
        return self._narrowings.concern(kind_followed(area), ListQuery(text="anybody"))

    def hides_documents(self, area: Followed) -> bool:
        """Return whether there may be documents of an area that the reader may not see at all."""
        return self._narrowings.concern(kind_followed(area), ListQuery())

    def finds(self, document: Any, query: ListQuery, source: str) -> bool:
        """Return whether a list may show the reader a document of a source."""
        return self._narrowings.find(document, query, source)

    async def find_products(self, text: str, *, limit: int) -> Answer[tuple[Product, ...]]:
        sources = self._visible((Area.STOCK,), self._all)
        if self._all and not sources:
            return self._nothing(())
        most = max(limit, _MANY) if self._narrowings else limit
        if self._is_alone:
            found = await self._ask(
                sources, "find_products", (text, most), lambda erp: erp.find_products(text, limit=most)
            )
        else:
            found = await self._several.find_products(sources, text, limit=most)
        return replace(found, value=found.value[:limit]) if self._narrowings else found

    async def stock(self, sku: str) -> Answer[StockLevel]:
        """Return one product's stock, at all sources together where several have it; raises `NotFound`."""
        return await self._found(self._stock(sku), Capability.STOCK)

    async def _stock(self, sku: str) -> Answer[StockLevel]:
        able = self._able[Capability.STOCK]
        sources = self._visible((Area.STOCK,), able)
        if able and not sources:
            raise NotFound(sku)
        if not self._is_alone:
            return await self._several.stock(sources, sku)
        return await self._ask(sources, "stock", (sku.casefold(),), lambda erp: erp.stock(sku), sku)

    async def product(self, sku: str) -> Answer[ProductDetails]:
        """Return the master data of a product; of its materials those that the reader may see. Raises `NotFound`."""
        found = await self._found(self._goods.product(sku), Capability.PRODUCT_DETAILS, is_one=True)
        if not self._narrowings.by_category:
            return found
        details = found.value
        components, used_in = await asyncio.gather(
            self._visible_uses(details.components, found.source), self._visible_uses(details.used_in, found.source)
        )
        shown = replace(details, components=components, used_in=used_in, used_in_total=len(used_in))
        return replace(found, value=shown)

    async def _visible_uses(self, uses: Sequence[ComponentUse], source: str) -> tuple[ComponentUse, ...]:
        """Return those that are products in the reader's categories, which a bill of materials does not tell."""
        codes = [self._goods.codes.from_source(use.sku, source).casefold() for use in uses]
        found = await asyncio.gather(*(self.find_products(code, limit=_SAME_CODE) for code in codes))
        visible = [{product.sku.casefold() for product in hits.value} for hits in found]
        return tuple(use for use, code, hits in zip(uses, codes, visible, strict=True) if code in hits)

    async def prices(self, sku: str, *, customer: str = "") -> Answer[Prices]:
        """Return what a product costs, and cost in the last documents; raises `NotFound`."""
        return await self._found(self._goods.prices(sku, customer), Capability.PRICES)

    async def arrivals(self, query: ArrivalQuery) -> Answer[Slice[Arrival]]:
        """Return goods on their way; documents that the reader may not see are not named."""
        return await self._found(self._goods.arrivals(query), Capability.ARRIVALS)

    async def shortages(self, query: ShortageQuery) -> Answer[Slice[Shortage]]:
        return await self._found(self._goods.shortages(query), Capability.SHORTAGES)

    async def warehouse_stock(self, query: WarehouseQuery) -> Answer[WarehouseContents]:
        """Return the stock of a warehouse; raises `NotFound`."""
        return await self._found(self._goods.warehouse_stock(query), Capability.WAREHOUSE_STOCK)

    async def of_order(self, kind: Kind[D], order_number: str) -> Answer[tuple[D, ...]]:
        """Return what was moved for one order; raises `NotFound` for an order that the reader may not see."""
        assert kind.origin is not None
        number, order = order_number, partial(self.document, kind.origin)
        able = self._able[kind.capability]
        sources = self._visible(kind.areas, able)
        if able and not sources:
            raise NotFound(number)
        if len(self._all) > 1:  # in which books the order is, as far as the reader may see it
            origin = (await order(number)).source
            sources = tuple(source for source in sources if source.name == origin)
        key = (number.casefold(),)
        found = await self._ask(sources, kind.order_call, key, lambda erp: erp.of_order(kind, number), number)
        if self._narrowings and not found.value:
            await order(number)  # not everybody may learn that there is such an order
        return found

    @property
    def _is_alone(self) -> bool:
        """Whether there is a single source, which calls products as we do."""
        return len(self._all) == 1 and not self._codes

    def offers(self, capability: Capability, *, at: Collection[str] = ()) -> bool:
        """Return whether any source can do this, among those named ``at`` where some are."""
        return any(not at or source.name in at for source in self._able[capability])

    def silences(self, capability: Capability, areas: tuple[Area, ...]) -> tuple[Phrase, ...]:
        """Return a sentence for each source that may have something for the reader in these areas and does not tell it.

        That the others have nothing is not that there is nothing.
        """
        able = {source.name for source in self._able[capability]}
        silent = [source.name for source in self._visible(areas, self._all) if source.name not in able]
        return tuple(phrase("%(source)s does not tell this: what it has is not known.", source=name) for name in silent)

    def silences_about(self, *areas: Followed) -> tuple[Phrase, ...]:
        """Return `silences` about the documents of areas, each once."""
        kinds = map(kind_followed, areas)
        return tuple(
            {str(each): each for kind in kinds for each in self.silences(kind.capability, kind.areas)}.values()
        )

    def silent_about(self, areas: Iterable[Followed]) -> Mapping[str, tuple[Followed, ...]]:
        """Return each source that does not tell all of these documents, with those that it does not tell.

        Sources without anything for the reader are left out.
        """
        found: dict[str, list[Followed]] = {}
        for area in areas:
            kind = kind_followed(area)
            able = {source.name for source in self._able[kind.capability]}
            for source in self._visible(kind.areas, self._all):
                if source.name not in able:
                    found.setdefault(source.name, []).append(area)
        return {source: tuple(silent) for source, silent in found.items()}

    def narrows(self, area: Area) -> bool:
        """Return whether the reader may see or find some documents of an area only: sums over them are not whole."""
        return self._narrowings.narrow(area)

    async def reread(self, source: str, kind: Kind[D], number: str) -> D:
        """Return a document as one source has it now, asked anew; raises `NotFound` and `Unsupported`.

        A decision must not rest on an answer that somebody else got a moment ago.
        """
        erp, asked_at = self._source(source, kind.capability), self._now()
        document = await self.source_client(source).document(kind, number)
        self._remember(erp, number, document, asked_at)
        return document

    async def categories(self, source: str, skus: Sequence[str]) -> frozenset[str]:
        """Return the categories of products at one source; raises when it does not answer: rules depend on it."""
        found: set[str] = set()
        client = self.source_client(source)
        for sku in dict.fromkeys(skus):
            products = await client.find_products(sku, limit=_SAME_CODE)
            found |= {
                product.category
                for product in products
                if product.category and product.sku.casefold() == sku.casefold()
            }
        return frozenset(found)

    def source_client(self, source: str, *, seen: Callable[[str, StockLevel], None] | None = None) -> SourceClient:
        """Return one source by itself, for polling; raises `Unsupported` for an unknown name."""
        return SourceClient(self._known(source), self._calls, self._validators[source], today=self.today, seen=seen)

    def today(self) -> date:
        """Return the day as of which all lists are: the organisation's, wherever a source is."""
        return self._now().date()

    async def users_of(self, source: str) -> tuple[ErpUser, ...]:
        """Return the accounts of one source; raises `Unsupported` where its adapter does not list them."""
        return await self.source_client(source).users()

    async def owner_of_key(self, source: str, account: str, key: SecretStr) -> str:
        """Return the account that somebody's own key belongs to; `SourceClient.owner_of_key` says what it raises."""
        return await self.source_client(source).owner_of_key(account, key)

    def takes_keys(self, source: str) -> bool:
        """Return whether people decide with keys of their own there."""
        return isinstance(self._sources.get(source), KeyOwners)

    @property
    def troubles(self) -> Mapping[str, str]:
        """For each source the class of the error that made its last read fail; empty where it answered."""
        return self._calls.troubles

    async def check(self) -> dict[str, ErpError | None]:
        """Reach every source; returns the error of each that fails."""
        answers = await asyncio.gather(*map(self._check, self._all))
        return dict(zip(self._sources, answers, strict=True))

    async def decide(self, source: str, decision: Decision) -> DecisionResult:
        """Let a source decide, once, even if the caller is cancelled meanwhile.

        A write that is not confirmed in time is `DecisionOutcome.UNKNOWN` with the document as it reads then.
        """
        erp = self._sources.get(source)
        if erp is None or decision.verdict not in verdicts_on(erp, decided_kind(decision.kind)):
            return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, document=None)
        return await self._decisions.decide(erp, decision)

    def creating(self, kind: Kind[Any]) -> tuple[str, ...]:
        """Return the sources that create documents of a kind and may have some for the reader."""
        return tuple(source.name for source in self._visible(kind.areas, self._all) if does_create(source, kind))

    async def create(self, source: str, draft: DocumentDraft) -> ErpRecord:
        """Let a source create a document, once, even if the caller is cancelled meanwhile (`bot.erp.port.Creates`).

        A write that is not confirmed in time is `UnknownOutcome`.
        """
        return await self._decisions.create(self._creator(source, created_kind(draft.kind)), draft)

    async def find_created(self, source: str, kind: Kind[D], mark: str) -> D | None:
        """Return the document that a source created with a mark; None if there is none (yet)."""

        async def find(erp: Erp) -> D | None:
            assert isinstance(erp, Creates), "only such a source is asked"
            return await erp.find_created(kind, mark)

        return await self._calls.read(self._creator(source, kind), "find_created", find)

    def _creator(self, source: str, kind: Kind[Any]) -> Erp:
        erp = self._source(source, kind.capability)
        if not does_create(erp, kind):
            raise Unsupported(f"no creating by /{kind.command} here", source=source)
        return erp

    async def close(self) -> None:
        """Let decisions under way finish, end the reads and close the sources."""
        await self._decisions.finish()
        self._calls.end()
        await self._reads.close()
        for source in self._all:
            await source.close()

    def _known(self, name: str) -> Erp:
        erp = self._sources.get(name)
        if erp is None:
            raise Unsupported("no such source", source=name)
        return erp

    def _source(self, name: str, capability: Capability) -> Erp:
        erp = self._sources.get(name)
        if erp is None or capability not in erp.capabilities:
            raise Unsupported(f"no {capability} here", source=name)
        return erp

    def _merge_sources(self) -> MultiSource:
        return MultiSource(self._ask_source, self._codes, self._units, self._scope, self._monotonic)

    def _goods_questions(self) -> GoodsQuestions:
        return GoodsQuestions(
            self._read_source,
            lambda capability: self._visible((Area.STOCK,), self._able[capability]),
            self._codes,
            self._books,
            self._narrowings,
        )

    def _visible(self, areas: tuple[Area, ...], sources: tuple[Erp, ...]) -> tuple[Erp, ...]:
        """Return the sources that may have documents for the reader in any of the areas."""
        return tuple(source for source in sources if self._narrowings.may_ask(areas, source.name))

    def _nothing(self, value: T) -> Answer[T]:
        return Answer(value, "", self._now())

    async def document(self, kind: Kind[D], number: str) -> Answer[D]:
        """Return the document with a number; raises `NotFound`, `InSeveralBooks` where several sources have it, and
        `Ambiguous` where one has it several times.
        """
        return await self._found(self._one_document(kind, number), kind.capability, kind.areas, is_one=True)

    async def _one_document(self, kind: Kind[D], number: str) -> Answer[D]:
        able = self._able[kind.capability]
        sources = self._visible(kind.areas, able)
        if able and not sources:
            raise NotFound(number)
        return await self._ask(sources, kind.call, (number.casefold(),), lambda erp: erp.document(kind, number), number)

    async def _found(
        self,
        answered: Awaitable[Answer[T]],
        capability: Capability,
        areas: tuple[Area, ...] = (Area.STOCK,),
        *,
        is_one: bool = False,
    ) -> Answer[T]:
        """Return an answer that names the sources that do not tell such things: what it counts is not all there is.

        One record (``is_one``) is of the source that has it: only where there is none others are named.
        """
        try:
            answer = await answered
        except NotFound as error:
            if not (silences := self.silences(capability, areas)):
                raise
            raise NotFound(error.what, source=error.source, notes=(*error.notes, *silences)) from error
        if is_one:
            return answer
        silences = self.silences(capability, areas)
        return replace(answer, notes=(*answer.notes, *silences)) if silences else answer

    async def documents(self, kind: Kind[D], query: ListQuery) -> Answer[Slice[D]]:
        asked = replace(query, today=self.today())
        return await self._found(self._list(kind, asked), kind.capability, kind.areas)

    async def _list(self, kind: Kind[D], query: ListQuery) -> Answer[Slice[D]]:
        able = self._able[kind.capability]
        if query.product and able:
            return await self._of_product(self._visible(kind.areas, able), kind, query)
        if able and self._narrowings.concern(kind, query):
            return await self._narrowed_documents(self._visible(kind.areas, able), kind, query)
        if not self._is_alone:
            return await self._several.documents(able, kind, query)
        return await self._ask(able, kind.list_call, (query,), lambda erp: erp.documents(kind, query))

    async def _of_product(self, sources: tuple[Erp, ...], kind: Kind[D], query: ListQuery) -> Answer[Slice[D]]:
        narrowed = self._narrowed_lists(kind) if self._narrowings.concern(kind, query) else None
        lists = ListsByProduct(self._read_source, self._codes, self._several, narrowed)
        return await lists.read(sources, kind, query) or self._nothing(Slice(items=(), total=0))

    async def _narrowed_documents(self, sources: tuple[Erp, ...], kind: Kind[D], query: ListQuery) -> Answer[Slice[D]]:
        if not sources:
            return self._nothing(Slice(items=(), total=0))
        read = self._narrowed_lists(kind).read
        found: Answer[Slice[D]] = await self._several.documents(sources, kind, query, read)
        if found.value.total or not self._narrowings.withhold_names(kind, query):
            return found
        return replace(found, notes=(*found.notes, _NAMES_WITHHELD))

    def _narrowed_lists(self, kind: Kind[Any]) -> NarrowedLists:
        # Documents of several areas are not narrowed by the text of one of them.
        text = "" if kind.area_of else self._narrowings.search_text(kind.area)
        return NarrowedLists(self._read_source, self.finds, text=text)

    async def _ask(
        self,
        sources: Sequence[Erp],
        call: str,
        args: ReadKey,
        read: Callable[[Erp], Awaitable[T]],
        what: str = "",
    ) -> Answer[T]:
        """Ask ``sources`` at the same time and return the best answer; ``what`` is not found where it is not visible.

        Raises `InSeveralBooks` where several have a document, be it as an old copy.
        """
        if not sources:
            raise Unsupported(f"no source offers {call}")
        flights = [(source, self._reads.start(source, self._key(source, call, args), read)) for source in sources]
        found: list[Answer[T]] = []
        missing: NotFound | None = None
        errors: list[ErpError] = []
        for source, flight in flights:
            answer = await flight.wait()
            if isinstance(answer, NotFound):
                missing = missing or NotFound(what or answer.what, source=answer.source)
                continue
            if isinstance(answer, ErpError):
                errors.append(answer)
                known = self._last_known.get(self._key(source, call, args)) if answer.retry else None
                if known is None:
                    continue
                add_step(f"erp {call}", source.name, "copy", 0)
                answer = replace(known, stale=True)
            answer = replace(answer, value=self._placed(answer.value, source.name))
            if self._narrowings:
                kept = self._narrowings.keep(answer.value, source.name)
                if kept is None:
                    missing = missing or NotFound(what)
                    continue
                if kept is not answer.value:
                    answer = replace(answer, value=kept)
            found.append(answer)
        if unclear := next((error for error in errors if isinstance(error, Ambiguous)), None):
            raise unclear
        if not found:
            # A source that did not answer may well have what the others lack.
            raise errors[0] if errors else missing or Unavailable(f"nobody answered {call}")
        if len(found) > 1:
            raise InSeveralBooks(what, (self._books.names_of(each.source) for each in found))
        (answer,) = found
        return replace(answer, failures=tuple(map(self._note, errors))) if errors else answer

    async def _ask_source(
        self, source: Erp, call: str, args: ReadKey, read: Callable[[Erp], Awaitable[Any]]
    ) -> SourceAnswer[Any] | NotFound:
        """Return what the reader may see of a source's answer."""
        answer = await self._read_source(source, call, args, read)
        if not self._narrowings or isinstance(answer, NotFound) or answer.value is None:
            return answer
        kept = self._narrowings.keep(answer.value, source.name)
        if kept is None and answer.error is None:
            return NotFound(str(args[0]))
        # A source that does not answer says the same about a hidden document as about one never asked for.
        return replace(answer, value=kept)

    async def _read_source(
        self, source: Erp, call: str, args: ReadKey, read: Callable[[Erp], Awaitable[Any]]
    ) -> SourceAnswer[Any] | NotFound:
        """Return the answer of one source, or its last known answer if it fails."""
        key = self._key(source, call, args)
        answer = await self._reads.start(source, key, read).wait()
        if isinstance(answer, NotFound):
            return answer
        if isinstance(answer, Answer):
            value = self._placed(answer.value, source.name)
            return SourceAnswer(source=source.name, value=value, as_of=answer.as_of, notes=answer.notes)
        copy = self._last_known.get(key) if answer.retry else None
        if copy is None:
            return SourceAnswer(source=source.name, value=None, error=answer)
        add_step(f"erp {call}", source.name, "copy", 0)
        value = self._placed(copy.value, source.name)
        return SourceAnswer(source=source.name, value=value, as_of=copy.as_of, error=answer)

    def _note(self, error: ErpError) -> Phrase:
        if len(self._all) == 1:
            return error.tell()
        return phrase("%(source)s: %(reason)s", source=error.source, reason=error.tell())

    def _key(self, source: Erp, call: str, args: ReadKey) -> ReadKey:
        return (source.name, call, self._scope(), *args)

    async def _check(self, source: Erp) -> ErpError | None:
        try:
            await self._calls.once(source, "check", lambda erp: erp.check())
        except ErpError as error:
            return error
        return None

    def _remember(self, source: Erp, number: str, document: ErpRecord, as_of: datetime) -> None:
        key = self._key(source, kind_of(document).call, (number.casefold(),))
        self._last_known.put(key, Answer(document, source.name, as_of))


def _offers(source: Erp, capability: Capability) -> bool:
    return capability in source.capabilities and (capability not in GOODS or isinstance(source, GoodsReader))
