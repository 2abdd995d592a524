"""An ERP behind HTTP that outlives the bots and counts all writes.

`RemoteErp` is the ERP itself, in the test process. The module run as a program is ``dingerp`` with an adapter for it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any, TypeVar

import aiohttp
import structlog
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from bot.app import running, stop_signal
from bot.erp import vendors
from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import NotFound, Unavailable, UnknownOutcome
from bot.erp.kinds import PURCHASE_ORDERS, Kind
from bot.erp.model import (
    Decision,
    DecisionResult,
    Product,
    PurchaseOrder,
    Quantities,
    ReviewState,
    Slice,
    StockLevel,
)
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.vendors import AdapterContext, Vendor
from bot.mechanisms.log import configure_logging
from bot.mechanisms.metrics import Metrics
from bot.settings import load_settings
from bot.web.server import METRICS, serving
from tests.approvals.fake_erp import FakeApprovalErp
from tests.bare_records import with_review

T = TypeVar("T")

VENDOR = "remote"
BEGAN, SPEED = "TEST_CLOCK_BEGAN", "TEST_CLOCK_SPEED"
"""Variables of a clock that runs fast from a moment on (seconds since 1970): the same for all processes.

A broken-off write is checked after a minute; the fast clock makes that minute short.
"""

_ORDER = TypeAdapter(PurchaseOrder)
_PAGE = TypeAdapter(Slice[PurchaseOrder])
_DECISION = TypeAdapter(Decision)
_RESULT = TypeAdapter(tuple[DecisionResult, PurchaseOrder | None])

_PATIENCE = aiohttp.ClientTimeout(total=10)

log = structlog.get_logger(__name__)


class RemoteErp:
    """Serves a `FakeApprovalErp`; every call takes ``seconds``, and a write happens halfway through."""

    def __init__(self, now: Callable[[], datetime], seconds: float = 0.0) -> None:
        self.erp = FakeApprovalErp(now)
        self.seconds = seconds
        self.asked = 0
        """The number of writes that began; they are finished even if the caller is gone."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port of this machine; gives the address."""
        app = web.Application()
        app[METRICS] = Metrics()
        app.add_routes(
            [
                web.get("/orders", self._list),
                web.get("/orders/{number}", self._show),
                web.post("/decide", self._decide),
            ]
        )
        async with serving(app, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}"

    async def _list(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.seconds)
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        text = request.query["text"].casefold()
        waiting = request.query["filter"] == Filter.PENDING.value
        found = [
            replace(order, lines=())
            for order in self.erp.orders.values()
            if (order.status is ReviewState.WAITING or not waiting) and text in order.vendor.casefold()
        ]
        page = Slice(items=tuple(map(_bare, found[offset : offset + limit])), total=len(found))
        return _json(_PAGE.dump_json(page))

    async def _show(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.seconds)
        order = self.erp.orders.get(request.match_info["number"].upper())
        return web.Response(status=404) if order is None else _json(_ORDER.dump_json(_bare(order)))

    async def _decide(self, request: web.Request) -> web.Response:
        decision = _DECISION.validate_json(await request.read())
        self.asked += 1
        await asyncio.sleep(self.seconds / 2)
        result = self.erp.apply(decision)
        await asyncio.sleep(self.seconds / 2)
        seen = _bare(result.document) if isinstance(result.document, PurchaseOrder) else None
        return _json(_RESULT.dump_json((replace(result, document=None), seen)))


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _bare(order: PurchaseOrder) -> PurchaseOrder:
    """Return the order with mappings that can be written as JSON; they are empty in a `FakeApprovalErp`."""
    return with_review(replace(order, extra={}), people={})


class RemoteErpAdapter(DocumentCalls):
    """Implements the part of `bot.erp.port.Erp` that approvals need."""

    capabilities = frozenset(
        {Capability.PURCHASE_ORDERS, Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK}
    )

    def __init__(self, name: str, url: str, *, stocked: bool = False) -> None:
        """``stocked``: it tells the stock of every product that it is asked for."""
        self.name = name
        if stocked:
            self.capabilities = self.capabilities | {Capability.STOCK}
        self._url = url
        self._session = aiohttp.ClientSession(timeout=_PATIENCE, connector=aiohttp.TCPConnector(limit=100))

    async def find_products(self, _text: str, *, limit: int) -> tuple[Product, ...]:
        """Return none: it has no products."""
        return ()

    async def stock(self, sku: str) -> StockLevel:
        """Return the same for each product."""
        return StockLevel(
            product=Product(sku=sku, name="螺丝", unit="个"),
            total=Quantities(on_hand=Decimal(7)),
            per_warehouse=(),
            reorder_point=None,
            as_of=datetime.now(UTC),
            source=self.name,
        )

    async def document(self, kind: Kind[Any], number: str) -> Any:
        """Return one order; raises `NotFound` and `Unavailable`."""
        assert kind == PURCHASE_ORDERS
        return replace(await self._read(_ORDER, f"/orders/{number}"), source=self.name)

    async def documents(self, kind: Kind[Any], query: ListQuery) -> Slice[Any]:
        """Return orders; raises `Unavailable`."""
        assert kind == PURCHASE_ORDERS
        asked = {"filter": query.filter.value, "text": query.text, "offset": query.offset, "limit": query.limit}
        page = await self._read(_PAGE, "/orders", **asked)
        return replace(page, items=tuple(replace(order, source=self.name) for order in page.items))

    async def decide(self, decision: Decision) -> DecisionResult:
        """Write once; raises `UnknownOutcome` when no answer comes."""
        try:
            async with self._session.post(f"{self._url}/decide", data=_DECISION.dump_json(decision)) as answer:
                answer.raise_for_status()
                result, order = _RESULT.validate_json(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnknownOutcome(type(error).__name__, source=self.name) from error
        return replace(result, document=order and replace(order, source=self.name))

    async def check(self) -> None:
        await self.purchase_orders(ListQuery(limit=1))

    async def close(self) -> None:
        await self._session.close()

    async def _read(self, kind: TypeAdapter[T], path: str, **asked: str | int) -> T:
        try:
            async with self._session.get(f"{self._url}{path}", params=asked) as answer:
                if answer.status == 404:
                    raise NotFound(path, source=self.name)
                answer.raise_for_status()
                return kind.validate_json(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(type(error).__name__, source=self.name) from error


class _Options(BaseModel):
    url: str
    stocked: bool = False


async def _open(context: AdapterContext, options: _Options) -> RemoteErpAdapter:
    return RemoteErpAdapter(context.name, options.url, stocked=options.stocked)


vendor = Vendor(title="Remote ERP", options=_Options, open=_open)  # type: ignore[arg-type]  # a part of the port


def fast_clock(began: float, speed: float) -> datetime:
    """Return the time on a clock that has run ``speed`` times as fast since ``began``, seconds of the Unix epoch."""
    return datetime.fromtimestamp(began, UTC) + timedelta(seconds=(time.time() - began) * speed)


async def _run_fast(began: float, speed: float) -> None:
    """Do what ``dingerp run`` does, with a fast clock."""
    settings, stop = load_settings(), stop_signal()
    configure_logging(settings.log.level, settings.log.format)
    async with running(settings, clock=partial(fast_clock, began, speed)) as app:
        log.info("bot.running", port=app.port)
        await stop.wait()


if __name__ == "__main__":
    # As an installed package would declare it.
    vendors._OURS[VENDOR] = EntryPoint(VENDOR, "tests.scenario.approvals.remote_erp:vendor", vendors.GROUP)
    if BEGAN in os.environ:
        asyncio.run(_run_fast(float(os.environ[BEGAN]), float(os.environ[SPEED])))
    else:
        from bot.cli import main

        main()
