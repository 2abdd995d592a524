"""Keeps the index up to date: follows each source's changes from where it stopped, one question after the other.

Codes come from a source's changes and products from its search, both within its rate, behind its breaker, and never
two at once. Each batch is stored together with the cursor behind it, so that a crash at any moment neither loses nor
repeats one.

Changes tell what is new or altered. What an ERP deletes it mostly does not tell, so once a day a source is walked
through from the beginning, and what the walk does not come upon is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.erp.errors import ErpError, Invalid, Unsupported
from bot.erp.index.folding import entries, fold, key_of
from bot.erp.index.pinyin import chinese, look_up
from bot.erp.index.port import VERSION, IndexEntry, IndexStore, Readings, SyncState
from bot.erp.index.product_reader import read_products
from bot.erp.index.search import ProductIndex
from bot.erp.model import Area, Changes, Product
from bot.erp.source_client import SourceClient
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

BATCH = 600
"""Changes that are read and stored at once: storing them takes about 30 ms, for which an acknowledgement may wait."""
FULL_SCAN_INTERVAL = timedelta(days=1)
_FRESH = 0.5
"""Of the pause: another process that has followed the source within that time has spared this one the work."""

LookUp = Callable[[Sequence[str]], Awaitable[Readings]]


class IndexFollower:
    """Follows one source."""

    def __init__(
        self,
        erp: SourceClient,
        store: IndexStore,
        index: ProductIndex,
        *,
        now: Callable[[], datetime],
        look_up: LookUp = look_up,
        batch: int = BATCH,
    ) -> None:
        self.source = erp.name
        self._erp = erp
        self._store = store
        self._index = index
        self._now = now
        self._look_up = look_up
        self._most = self._batch = batch
        index.expect(erp.name)

    async def run(self, pause: float, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Follow the source every ``pause`` seconds, unless it turns out not to offer changes of products."""
        while await self.catch_up(unless_within=pause * _FRESH):
            await sleep(pause)

    async def catch_up(self, *, unless_within: float = 0.0) -> bool:
        """Catch up with the source, unless that was done ``unless_within`` seconds ago; returns if it can be followed.

        Errors are logged and kept for the doctor; the next call goes on from where this one stopped.
        """
        try:
            stored = (await self._store.positions()).get(self.source)
            trouble = await self._catch_up(stored, unless_within)
            if trouble is not None:
                await self._note(trouble)
        except DingerpError as error:  # the store's own: nowhere to note it
            log.warning("index.not_kept", source=self.source, error=type(error).__name__)
            return True
        if isinstance(trouble, Unsupported):
            self._index.give_up(self.source)
            return False
        return True

    async def _catch_up(self, stored: SyncState | None, unless_within: float) -> ErpError | None:
        """Read and store batch after batch; returns the error that ended it."""
        if stored is not None:
            await self._index.update_state(stored)
            if self._is_fresh(stored, unless_within):
                return None
        position = self._start(stored)
        try:
            while True:
                began = self._now()
                changes = await self._changes(position)
                if changes is None:
                    # Most likely another ERP is behind the name now, and what was found is not there.
                    position = _restarted(position, synced_at=None)
                    await self._index.update_state(position)
                    continue
                reached = self._reach(position, changes, began)
                if not await self._store_batch(stored, reached, changes):
                    return None
                # A source that promises more and does not move on would be asked forever.
                stuck = reached.cursor == position.cursor
                stored = position = reached
                self._batch = min(self._most, self._batch * 2)
                if not changes.more or stuck:
                    await self._index.update_state(position)
                    return None
        except ErpError as error:
            # A batch that was too much for the ERP is smaller next time.
            self._batch = max(1, self._batch // 4)
            return error

    def _is_fresh(self, stored: SyncState, within: float) -> bool:
        return (
            not stored.walking
            and stored.version == VERSION
            and stored.synced_at is not None
            and self._now() - stored.synced_at < timedelta(seconds=within)
        )

    def _start(self, stored: SyncState | None) -> SyncState:
        if stored is None:
            return SyncState(source=self.source)
        if stored.version != VERSION:
            return _restarted(replace(stored, version=VERSION), synced_at=None)
        if not stored.walking and (stored.walked_at is None or self._now() - stored.walked_at >= FULL_SCAN_INTERVAL):
            return _restarted(stored, synced_at=stored.synced_at)
        return stored

    async def _changes(self, position: SyncState) -> Changes | None:
        """Return the next changes; None where the source does not understand its cursor any more."""
        try:
            return await self._erp.changed_since(Area.PRODUCTS, position.cursor, limit=self._batch)
        except Invalid:
            if not position.cursor:
                raise
            return None

    def _reach(self, position: SyncState, changes: Changes, began: datetime) -> SyncState:
        reached = replace(position, cursor=changes.cursor, trouble="")
        if changes.more:
            return reached
        walked_at = began if position.walking else position.walked_at
        return replace(reached, synced_at=began, walking=False, walked_at=walked_at)

    async def _store_batch(self, before: SyncState | None, reached: SyncState, changes: Changes) -> bool:
        codes = dict.fromkeys(change.key for change in changes.items)
        products = await self._products(codes)
        made = await self._entries(products)
        gone = {key_of(code) for code in codes} - {key_of(product.sku) for product in products}
        return await self._store.advance(before, reached, entries=made, gone=gone)

    async def _products(self, codes: Iterable[str]) -> Sequence[Product]:
        """Return the products with these codes, without those that the source says are gone."""
        wanted = {key_of(code): code for code in codes}
        read = await self._erp.read_products(list(wanted.values())) if wanted else ()
        if read is not None:
            return read
        found = await read_products(wanted.values(), self._search, most=self._batch)
        for key, product in found.items():
            if product is None:
                # A search need not find all that is there.
                found[key] = await self._erp.product(wanted[key])
        return [product for product in found.values() if product is not None]

    async def _search(self, text: str, limit: int) -> tuple[Product, ...]:
        return await self._erp.find_products(text, limit=limit)

    async def _entries(self, products: Sequence[Product]) -> list[IndexEntry]:
        if not products:
            return []
        characters = sorted({char for product in products for char in chinese(fold(product.name))})
        readings = dict(await self._store.readings(characters))
        unknown = [char for char in characters if char not in readings]
        if unknown:
            found = await self._look_up(unknown)
            await self._store.keep_readings(found)
            readings.update(found)
        return await asyncio.to_thread(entries, products, readings)

    async def _note(self, trouble: ErpError) -> None:
        """Note what is wrong, once."""
        stored = (await self._store.positions()).get(self.source)
        name = type(trouble).__name__
        if stored is not None and stored.trouble == name:
            return
        log.warning("index.not_followed", source=self.source, error=name, detail=trouble.detail)
        await self._store.advance(stored, replace(stored or SyncState(source=self.source), trouble=name))


async def run_followers(followers: Iterable[IndexFollower], pause: float) -> None:
    """Let each source be followed every ``pause`` seconds.

    A defect of an adapter ends the following of its source alone: questions can do without the index.
    """
    tasks = {asyncio.create_task(follower.run(pause), name=f"index {follower.source}") for follower in followers}
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled() and (error := task.exception()):
                    log.error("index.crashed", part=task.get_name(), exc_info=error)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _restarted(position: SyncState, *, synced_at: datetime | None) -> SyncState:
    return replace(position, cursor="", walk=position.walk + 1, walking=True, synced_at=synced_at)
