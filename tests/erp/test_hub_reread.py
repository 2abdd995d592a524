"""Orders as their source has them now, for deciders; categories for the rules that depend on them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from bot.erp.errors import NotFound, Unavailable, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.limits import SourceLimits
from bot.erp.model import Product
from bot.mechanisms.metrics import Metrics
from tests.erp.hub_sources import Clock, Source, purchase


def hub_of(*sources: Any) -> ErpHub:
    clock = Clock()
    return ErpHub(
        sources,
        metrics=Metrics(),
        now=clock.now,
        rng=Random(1),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        protections={source.name: SourceLimits(cache=60) for source in sources},
    )


async def test_what_is_decided_on_is_asked_anew_and_shown_to_the_next_who_asks() -> None:
    source = Source(purchase_order=[purchase(), purchase(version="2"), purchase(version="3")])
    hub = hub_of(source)
    assert (await hub.purchase_order("PO-1001")).value.review.version == "1"
    assert (await hub.reread("main", PURCHASE_ORDERS, "PO-1001")).review.version == "2"
    assert (await hub.reread("main", PURCHASE_ORDERS, "PO-1001")).review.version == "3"
    assert source.calls == ["purchase_order"] * 3
    await hub.close()


async def test_an_old_answer_stands_for_nothing_when_the_source_is_silent() -> None:
    source = Source(purchase_order=[purchase(), Unavailable("down"), Unavailable("down"), Unavailable("down")])
    hub = hub_of(source)
    await hub.purchase_order("PO-1001")
    with pytest.raises(Unavailable):
        await hub.reread("main", PURCHASE_ORDERS, "PO-1001")
    await hub.close()


async def test_what_was_reread_is_the_last_known_state_for_questions() -> None:
    source = Source(purchase_order=[purchase(version="2"), Unavailable("down"), Unavailable("x"), Unavailable("y")])
    hub = hub_of(source)
    await hub.reread("main", PURCHASE_ORDERS, "po-1001")
    found = await hub.purchase_order("PO-1001")
    assert (found.value.review.version, found.stale) == ("2", True)
    await hub.close()


async def test_what_is_not_there() -> None:
    hub = hub_of(Source(purchase_order=NotFound("PO-9")))
    with pytest.raises(NotFound):
        await hub.reread("main", PURCHASE_ORDERS, "PO-9")
    with pytest.raises(Unsupported):
        await hub.reread("other", PURCHASE_ORDERS, "PO-9")
    await hub.close()


async def test_categories_are_those_of_the_very_codes() -> None:
    screw = Product(sku="SKU1", name="螺丝", unit="个", category="紧固件")
    hits = (screw, replace(screw, sku="SKU12", category="电缆"))
    source = Source(find_products=[hits, (replace(screw, sku="SKU2", category=""),), Unavailable("down")])
    hub = hub_of(source)
    assert await hub.categories("main", ["sku1", "SKU2", "sku1"]) == {"紧固件"}
    assert source.calls == ["find_products"] * 2
    with pytest.raises(Unavailable):
        await hub.categories("main", ["SKU1"])
    await hub.close()


async def test_nothing_is_asked_of_a_source_that_is_closed() -> None:
    """Reads that several share may go on after all who asked have gone, at a stop."""
    source = Source(purchase_order=[purchase()])
    hub = hub_of(source)
    await hub.close()
    with pytest.raises(Unavailable):
        await hub.reread("main", PURCHASE_ORDERS, "PO-1001")
    assert source.calls == []
