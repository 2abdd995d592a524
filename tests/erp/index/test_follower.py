"""Following sources: every change once, whatever happens between two batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.erp.errors import Invalid, NotFound, Unavailable, Unsupported
from bot.erp.index.follower import FULL_SCAN_INTERVAL, run_followers
from bot.erp.index.port import VERSION
from bot.erp.model import Area, Changes, Product
from bot.store.erp.product_index import StoredProductIndex
from bot.store.errors import StoreUnavailable
from tests.erp.index.catalogue import Clock, MutableCatalogue, screw
from tests.erp.index.conftest import IndexBot

OpenBot = Callable[..., IndexBot]


def many(count: int, name: str = "螺丝") -> list[Product]:
    return [screw(f"SKU-{number:04}", name) for number in range(count)]


class BatchCatalogue(MutableCatalogue):
    """Can be asked for many products at once."""

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        self._called(f"products {len(skus)}")
        return tuple(self.products[sku] for sku in skus if sku in self.products)


class Shortsighted(MutableCatalogue):
    """Has a product that its search does not find."""

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        found = await super().find_products(text, limit=limit)
        return tuple(product for product in found if product.sku != "HIDDEN")


async def kept(bot: IndexBot, source: str = "main") -> set[str]:
    return {product.sku for product in await bot.store.search(source, "", limit=10_000)}


async def test_nothing_is_left_out_and_nothing_is_asked_twice_at_equal_times(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(50))
    bot = open_bot(erp)
    follower = bot.follower("main", batch=7)
    await follower.catch_up()
    assert await kept(bot) == set(erp.products)
    assert erp.asked.count("changes") == 8
    # As late as the last one, at the same time: neither missed nor a reason to read the others again.
    erp.save(screw("SKU-0000", "垫圈"), screw("A-1", "弹簧"))
    erp.times["SKU-0000"] += timedelta(microseconds=1)
    erp.asked.clear()
    await follower.catch_up()
    assert erp.asked == ["changes", "find A-1", "find SKU-0000"]
    assert await bot.found("垫圈") == ["SKU-0000"]
    assert await bot.found("弹簧") == ["A-1"]


async def test_codes_that_begin_alike_are_read_with_one_question(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(150))
    bot = open_bot(erp)
    await bot.follow()
    assert erp.asked == ["changes", "find sku-0"]
    assert len(await kept(bot)) == 150


async def test_a_source_with_a_call_for_many_products_is_asked_by_code(open_bot: OpenBot, clock: Clock) -> None:
    erp = BatchCatalogue("main", clock, [*many(1_500), screw("*568", "无编码的弹簧")])
    bot = open_bot(erp)
    await bot.follow()
    assert erp.asked == ["changes", "products 600", "changes", "products 600", "changes", "products 301"]
    assert await kept(bot) == set(erp.products)
    assert await bot.found("弹簧") == ["*568"]
    clock.advance(seconds=60)
    erp.close_down("SKU-0007")
    await bot.follow()
    assert await kept(bot) == set(erp.products)


async def test_what_a_search_does_not_find_is_gone_only_when_the_source_says_so(
    open_bot: OpenBot, clock: Clock
) -> None:
    erp = Shortsighted("main", clock, [*many(3), screw("HIDDEN")])
    bot = open_bot(erp)
    await bot.follow()
    assert await kept(bot) == set(erp.products)
    clock.advance(seconds=60)
    erp.close_down("HIDDEN")
    await bot.follow()
    assert await kept(bot) == set(erp.products)


async def test_a_crash_between_batches_goes_on_where_it_was(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(40))
    before = open_bot(erp)
    erp.fail(Unavailable("gone"), after=4)
    await before.follower("main", batch=10).catch_up()
    assert len(await kept(before)) == 20, "two batches of a question each for changes and products"
    assert not before.index.ready("main"), "what is half filled is not used"
    erp.mend()
    erp.asked.clear()
    after = open_bot(erp)
    await after.follower("main", batch=10).catch_up()
    assert erp.asked.count("changes") == 2
    assert await kept(after) == set(erp.products)
    assert after.index.ready("main")


async def test_a_batch_that_is_not_stored_is_read_again(
    open_bot: OpenBot, clock: Clock, store: StoredProductIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = MutableCatalogue("main", clock, many(5))
    bot = open_bot(erp)

    async def lost(*_: object, **__: object) -> bool:
        raise StoreUnavailable("OperationalError")

    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(store, "advance", lost)
        await bot.follow()
    assert [entry["event"] for entry in logs] == ["index.not_kept"]
    assert await kept(bot) == set()
    await bot.follow()
    assert await kept(bot) == set(erp.products)


async def test_renamed_and_archived_products(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(5))
    bot = open_bot(erp)
    await bot.follow()
    clock.advance(seconds=60)
    erp.rename("SKU-0003", "轴承")
    erp.close_down("SKU-0001")
    await bot.follow()
    assert await bot.found("zc") == ["SKU-0003"]
    assert await bot.found("螺丝") == ["SKU-0000", "SKU-0002", "SKU-0004"]
    assert await bot.found("ls") == ["SKU-0000", "SKU-0002", "SKU-0004"]


@pytest.mark.parametrize(("batch", "batches"), [(10, 3), (200, 1)])
async def test_what_was_deleted_is_gone_after_the_next_walk(
    open_bot: OpenBot, clock: Clock, batch: int, batches: int
) -> None:
    erp = MutableCatalogue("main", clock, many(30))
    bot = open_bot(erp)
    follower = bot.follower("main", batch=batch)
    await follower.catch_up()
    erp.delete("SKU-0007")
    clock.advance(seconds=60)
    await follower.catch_up()
    assert "SKU-0007" in await kept(bot), "nobody has told it"
    clock.advance(hours=FULL_SCAN_INTERVAL / timedelta(hours=1))
    erp.asked.clear()
    await follower.catch_up()
    assert erp.asked.count("changes") == batches
    assert await kept(bot) == set(erp.products)


async def test_a_walk_is_used_only_when_it_has_ended(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(30))
    bot = open_bot(erp)
    follower = bot.follower("main", batch=10)
    await follower.catch_up()
    erp.delete("SKU-0007")
    clock.advance(hours=FULL_SCAN_INTERVAL / timedelta(hours=1))
    erp.fail(Unavailable("gone"), after=3)
    await follower.catch_up()
    assert len(await kept(bot)) == 30, "half a walk takes nothing away"
    erp.mend()
    await follower.catch_up()
    assert await kept(bot) == set(erp.products)


async def test_a_silent_source_is_noted_once_and_followed_on_when_it_is_back(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(3))
    bot = open_bot(erp)
    await bot.follow()
    erp.fail(Unavailable("down"))
    with capture_logs() as logs:
        await bot.follow()
        await bot.follow()
    assert [entry["error"] for entry in logs if entry["event"] == "index.not_followed"] == ["Unavailable"]
    assert (await bot.store.positions())["main"].trouble == "Unavailable"
    assert await bot.found("螺丝") == ["SKU-0000", "SKU-0001", "SKU-0002"], "a fresh index answers in its place"
    erp.mend()
    clock.advance(seconds=60)
    erp.save(screw("NEW-1", "弹簧"))
    await bot.follow()
    assert (await bot.store.positions())["main"].trouble == ""
    assert await bot.found("弹簧") == ["NEW-1"]


async def test_what_takes_the_source_too_long_is_asked_in_smaller_pieces(open_bot: OpenBot, clock: Clock) -> None:
    class Slow(MutableCatalogue):
        async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
            if limit > 5:
                raise Unavailable("no answer in time")
            return await super().find_products(text, limit=limit)

    erp = Slow("main", clock, many(20))
    bot = open_bot(erp)
    follower = bot.follower("main", batch=16)
    for _ in range(20):
        await follower.catch_up()
        clock.advance(seconds=60)
    assert await kept(bot) == set(erp.products)


async def test_a_source_that_promises_more_and_does_not_move_on_is_not_asked_for_ever(
    open_bot: OpenBot, clock: Clock
) -> None:
    class Stuck(MutableCatalogue):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            return replace(await super().changed_since(area, cursor, limit=limit), more=True)

    erp = Stuck("main", clock, many(3))
    bot = open_bot(erp)
    await bot.follow()
    assert erp.asked.count("changes") == 2
    assert not bot.index.ready("main"), "it may have more"


async def test_a_source_that_tells_no_changes_is_left_alone(open_bot: OpenBot, clock: Clock) -> None:
    class Mute(MutableCatalogue):
        capabilities = MutableCatalogue.capabilities - {"changed_since"}  # type: ignore[assignment]

    class Unable(MutableCatalogue):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            raise Unsupported(f"{area} tell no time of change", source=self.name)

    for kind in (Mute, Unable):
        erp = kind("main", clock, many(3))
        bot = open_bot(erp)
        assert not await bot.followers["main"].catch_up()
        assert (await bot.store.positions())["main"].trouble == "Unsupported"
        assert await bot.found("螺丝") == ["SKU-0000", "SKU-0001", "SKU-0002"]
        assert erp.asked == ["find 螺丝"]


async def test_a_cursor_that_the_source_does_not_know_starts_anew(open_bot: OpenBot, clock: Clock) -> None:
    bot = open_bot(MutableCatalogue("main", clock, many(3)))
    await bot.follow()

    class Other(MutableCatalogue):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            if cursor.startswith("["):
                raise Invalid("not a cursor of this ERP")
            return replace(await super().changed_since(area, cursor.removeprefix("x"), limit=limit), cursor="x")

    other = open_bot(Other("main", clock, [screw("B-1", "轴承")]))
    await other.follow()
    assert await kept(other) == {"B-1"}
    assert other.index.ready("main")


async def test_an_index_of_another_making_is_made_anew(open_bot: OpenBot, clock: Clock) -> None:
    bot = open_bot(MutableCatalogue("main", clock, many(3)))
    await bot.follow()
    stored = (await bot.store.positions())["main"]
    await bot.store.advance(stored, replace(stored, version=VERSION - 1))
    again = open_bot(*bot.sources)
    await again.index.load(await again.store.positions())
    assert not again.index.ready("main")
    bot.sources[0].asked.clear()
    await again.follow()
    assert again.index.ready("main")
    assert bot.sources[0].asked == ["changes", "find sku-000"]


async def test_two_bots_on_one_database_do_not_undo_each_other(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(3))
    one, other = open_bot(erp), open_bot(erp)
    await one.follow()
    late = (await one.store.positions())["main"]
    clock.advance(seconds=60)
    erp.rename("SKU-0001", "轴承")
    await other.follow()
    stale = replace(late, cursor="[stale]")
    assert not await one.store.advance(late, stale, gone=["sku-0001"])
    assert "SKU-0001" in await kept(one)
    erp.asked.clear()
    assert await one.followers["main"].catch_up(unless_within=30)
    assert erp.asked == [], "the other one has just done it"
    assert await one.found("轴承") == ["SKU-0001"]


async def test_two_sources_are_kept_apart(open_bot: OpenBot, clock: Clock) -> None:
    main = MutableCatalogue("main", clock, [screw("A-1"), screw("A-2", "螺丝刀")])
    shop = MutableCatalogue("shop", clock, [screw("A-1", "螺丝 特价"), screw("B-1", "螺丝帽")])
    bot = open_bot(main, shop)
    await bot.follow()
    for source in (main, shop):
        source.asked.clear()
    assert await bot.found("螺丝") == ["A-1", "B-1", "A-2"], "each source's best first, a product once"
    shop.fail(Unavailable("down"))
    assert await bot.found("ls") == ["A-1", "B-1", "A-2"]
    assert main.asked == shop.asked == []
    await bot.store.keep_only(["main"])
    assert await kept(bot, "shop") == set()
    assert await kept(bot) == {"A-1", "A-2"}
    assert set(await bot.store.positions()) == {"main"}


async def test_readings_are_looked_up_once(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1", "不锈钢螺丝 𠀀 M8")])
    bot = open_bot(erp)
    await bot.follow()
    assert bot.dictionary == sorted("不锈钢螺丝𠀀")
    clock.advance(seconds=60)
    erp.save(screw("A-2", "不锈钢螺母 𠀀"))
    await bot.follow()
    assert bot.dictionary[6:] == ["母"]


async def test_an_adapter_that_crashes_ends_only_its_own_following(open_bot: OpenBot, clock: Clock) -> None:
    broken, sound = MutableCatalogue("broken", clock, many(2)), MutableCatalogue("sound", clock, many(2))
    broken.fail(RuntimeError("modified"))
    bot = open_bot(broken, sound)

    class Once:
        """Ends after the first round, so that the test need not wait."""

        def __init__(self, name: str) -> None:
            self.source = name

        async def run(self, pause: float) -> None:
            await bot.followers[self.source].catch_up()

    with capture_logs() as logs:
        await run_followers([Once("broken"), Once("sound")], 60)  # type: ignore[list-item]
    assert [entry["part"] for entry in logs if entry["event"] == "index.crashed"] == ["index broken"]
    assert bot.index.ready("sound")
    assert not bot.index.ready("broken")


async def test_a_found_product_is_asked_live_when_it_is_opened(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, many(1))
    bot = open_bot(erp)
    await bot.follow()
    erp.delete("SKU-0000")
    erp.asked.clear()
    assert await bot.found("螺丝") == ["SKU-0000"]
    with pytest.raises(NotFound):
        await bot.hub.stock("SKU-0000")
    assert erp.asked == ["stock SKU-0000"]
