"""The configured ERPs as one hub, with their product index and kept documents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.alerts.intake.source_poller import supervise
from bot.bootstrap.database import make_database
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.receivers import receivers_of
from bot.erp.decider_keys import NO_DECIDER_KEYS, DeciderKeys
from bot.erp.hub import ErpHub
from bot.erp.index.follower import IndexFollower, run_followers
from bot.erp.index.search import ProductIndex, oldest
from bot.erp.limits import SourceLimits
from bot.erp.merging import ProductCodes
from bot.erp.source_check import SourceChecker, SourceReport
from bot.erp.units import Units
from bot.erp.validation import Validator
from bot.erp.vendors import open_source
from bot.mechanisms.background import BackgroundTasks, Runs
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.read_model.stock_days import StockHistory
from bot.settings import Settings
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from bot.store.erp.read_model import StoredDocuments
from bot.store.erp.records import StoredErpRecords
from bot.store.erp.stock_days import StoredStockDays


async def open_hub(
    stack: AsyncExitStack,
    settings: Settings,
    metrics: Metrics,
    now: Callable[[], datetime],
    records: StoredErpRecords | None = None,
    index: ProductIndex | None = None,
    keys: DeciderKeys = NO_DECIDER_KEYS,
) -> ErpHub:
    """Open every configured source until ``stack`` ends. ``records``, ``index`` and people's own ``keys`` outlive the
    process.
    """
    timeouts = {name: source.timeout for name, source in settings.erp.items()}
    protections = {
        name: SourceLimits(
            rate=source.rate / settings.replicas,
            failures=source.breaker_failures,
            pause=source.breaker_seconds,
            negative_stock=source.negative_stock,
            cache=source.cache_seconds,
        )
        for name, source in settings.erp.items()
    }
    async with AsyncExitStack() as opened:
        sources = []
        for name, source in settings.erp.items():
            erp = await open_source(
                name,
                source.vendor,
                source.options,
                data_dir=settings.data_dir,
                now=now,
                timeout=source.timeout,
                keys=keys,
            )
            opened.push_async_callback(erp.close)
            sources.append(erp)
        hub = ErpHub(
            sources,
            timeouts=timeouts,
            protections=protections,
            products=ProductCodes(settings.products),
            units=Units(settings.units),
            quarantine=records,
            kept=records,
            index=index,
            metrics=metrics,
            now=now,
        )
        opened.pop_all()  # from here on the hub closes them
    stack.push_async_callback(hub.close)
    return hub


async def examine_source(settings: Settings, name: str, *, sample: int) -> SourceReport:
    """Return the report on a configured source; raises `ConfigurationError` for unusable settings."""
    source, zone = settings.erp[name], ZoneInfo(settings.zone)

    def now() -> datetime:
        return datetime.now(zone)

    erp = await open_source(
        name, source.vendor, source.options, data_dir=settings.data_dir, now=now, timeout=source.timeout
    )
    try:
        inspector = Validator(name, now=now, units=Units(settings.units), negative_stock=source.negative_stock)
        return await SourceChecker(erp, inspector, sample=sample, timeout=source.timeout).examine()
    finally:
        await erp.close()


async def start_erps(base: Infrastructure, keys: DeciderKeys) -> ErpHub:
    """Open every source, with its last known answers; ``keys`` are people's own."""
    records = StoredErpRecords(base.database, keep=timedelta(days=base.settings.retention.answer_days))
    await records.load()
    await base.run_in_background(records.run, "erp_records", Runs.EVERYWHERE)
    return await open_hub_with_index(
        base.stack, base.background, base.settings, base.metrics, base.now, base.database, records, keys
    )


async def open_hub_with_index(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    metrics: Metrics,
    now: Callable[[], datetime],
    database: Database,
    records: StoredErpRecords,
    keys: DeciderKeys,
) -> ErpHub:
    """Open every source, and keep the product index if the settings say so."""
    if not settings.index.enabled:
        return await open_hub(stack, settings, metrics, now, records, keys=keys)
    store = StoredProductIndex(database, query_database(stack, settings, database))
    await store.keep_only(settings.erp)
    pause = settings.index.seconds
    index = ProductIndex(store, metrics=metrics, now=now, oldest=oldest(pause))
    await index.load(await store.positions())
    hub = await open_hub(stack, settings, metrics, now, records, index, keys)
    followers = [IndexFollower(hub.source_client(source), store, index, now=now) for source in hub.sources]
    await stack.enter_async_context(
        background.running(partial(run_followers, followers, pause), "index", Runs.EVERYWHERE)
    )
    return hub


def query_database(stack: AsyncExitStack, settings: Settings, database: Database) -> Database:
    """Return the database for searches and other long reads.

    SQLite's one thread serves the inbox, where a search of 20 ms would delay acknowledgements.
    """
    if database.dialect != "sqlite":
        return database
    searches = make_database(settings)
    stack.push_async_callback(searches.close)
    return searches


async def start_read_model(base: Infrastructure, hub: ErpHub) -> ReadModel:
    """Return the read model of kept documents. Unless enabled in the settings it keeps none, and says so."""
    wanted = base.settings.read_model
    reads = query_database(base.stack, base.settings, base.database)
    store = StoredDocuments(
        base.database,
        reads,
        receivers=receivers_of(base.settings),
        names_source=len(base.settings.erp) > 1,
        now=base.now,
    )
    await store.keep_only(base.settings.erp if wanted.enabled else ())
    if wanted.enabled:
        followers = [_follower(base, hub, store, source) for source in hub.sources]
        runs = {
            f"documents of {each.source}": partial(each.run, wanted.seconds) for each in followers if each.has_areas
        }
        if runs:
            await base.run_in_background(partial(supervise, runs), "read_model", Runs.WITH_LEAD)
    return ReadModel(store, hub)


def build_stock_history(base: Infrastructure) -> StockHistory:
    """Return the daily history of stock seen by polling."""
    wanted = base.settings.read_model
    keep = timedelta(days=wanted.stock_days if wanted.enabled else 0)
    return StockHistory(StoredStockDays(base.database), now=base.now, keep=keep)


def _follower(base: Infrastructure, hub: ErpHub, store: StoredDocuments, source: str) -> DocumentFollower:
    keep = timedelta(days=base.settings.read_model.keep_days)
    areas = area_followers(hub.source_client(source), store, now=base.now, keep=keep)
    return DocumentFollower(source, areas, store, metrics=base.metrics, now=base.now)
