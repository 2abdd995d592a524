"""The documents kept of the ERPs, followed as long as the bot runs."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.alerts.intake.source_poller import supervise
from bot.bootstrap.erps import query_database
from bot.bootstrap.infrastructure import Infrastructure
from bot.erp.hub import ErpHub
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.read_model.stock_days import StockHistory
from bot.store.erp.read_model import StoredDocuments
from bot.store.erp.stock_days import StoredStockDays


async def start_read_model(base: Infrastructure, hub: ErpHub) -> ReadModel:
    """Return what answers from the documents kept. Unless the settings say so, none are, and it says that."""
    wanted = base.settings.read_model
    store = StoredDocuments(base.database, query_database(base.stack, base.settings, base.database))
    await store.keep_only(base.settings.erp if wanted.enabled else ())
    if wanted.enabled:
        followers = [_follower(base, hub, store, source) for source in hub.sources]
        runs = {
            f"documents of {each.source}": partial(each.run, wanted.seconds) for each in followers if each.has_areas
        }
        if runs:
            await base.run_in_background(supervise(runs), "read_model")
    return ReadModel(store, hub)


def build_stock_history(base: Infrastructure) -> StockHistory:
    """Return what notes the stock that polling reads, and tells it day by day."""
    wanted = base.settings.read_model
    keep = timedelta(days=wanted.stock_days if wanted.enabled else 0)
    return StockHistory(StoredStockDays(base.database), now=base.now, keep=keep)


def _follower(base: Infrastructure, hub: ErpHub, store: StoredDocuments, source: str) -> DocumentFollower:
    keep = timedelta(days=base.settings.read_model.keep_days)
    areas = area_followers(hub.source_client(source), store, now=base.now, keep=keep)
    return DocumentFollower(source, areas, store, metrics=base.metrics, now=base.now)
