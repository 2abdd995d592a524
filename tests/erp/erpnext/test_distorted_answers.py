"""Whatever an ERP answers: a record, or an error that the bot knows; `make soak` tries 20 000 answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from aiohttp import web

from bot.erp.calls import CallRunner
from bot.erp.erpnext.adapter import ErpNextErp
from bot.erp.errors import ErpError
from bot.erp.limits import SourceLimits
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.mechanisms.metrics import Metrics
from tests.erp.fakes import erpnext as fake
from tests.scenario.distortion import Distorter

SEEDS = range(1, 11)
SOME = pytest.param(0, 200, id="some")
MANY = [pytest.param(seed, 2_000, id=f"2000 of {seed}", marks=pytest.mark.soak) for seed in SEEDS]


def reads(erp: ErpNextErp, company: ReferenceCompany) -> list[Callable[[], Awaitable[object]]]:
    """Return one call of each kind."""
    numbers = {
        erp.order: next(iter(company.orders)),
        erp.invoice: next(iter(company.invoices)),
        erp.purchase_order: next(iter(company.purchases)),
        erp.production_order: next(iter(company.productions)),
        erp.stock: next(iter(company.products)),
    }
    lists = (erp.orders, erp.invoices, erp.purchase_orders, erp.production_orders)
    query = ListQuery(filter=Filter.ALL, offset=0, limit=5)
    return [
        *(lambda read=read, number=number: read(number) for read, number in numbers.items()),  # type: ignore[misc]
        *(lambda read=read: read(query) for read in lists),  # type: ignore[misc]
        lambda: erp.find_products("SKU", limit=5),
    ]


def runner_of(clock: Clock) -> CallRunner:
    """Return what calls sources for the hub."""
    return CallRunner(
        ["main"],
        metrics=Metrics(),
        timeout=30.0,
        timeouts={},
        write_timeout=30.0,
        protections={"main": SourceLimits(failures=10**9)},
        rng=Random(0),
        monotonic=time.monotonic,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize(("seed", "count"), [SOME, *MANY])
async def test_an_answer_is_a_record_or_a_known_error(
    seed: int, count: int, erp: ErpNextErp, company: ReferenceCompany, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    distorter = Distorter(random)
    answers = 0

    def distorted(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
        nonlocal answers
        answers += 1
        body = distorter.write(distorter.bend(data)).encode("utf-8", "surrogatepass")
        return web.Response(body=body, status=status, headers=headers, content_type="application/json")

    await erp.check()
    monkeypatch.setattr(fake, "_answer", distorted)
    calls, runner = reads(erp, company), runner_of(clock)
    while answers < count:
        call = random.choice(calls)
        with suppress(ErpError):
            await runner.read(erp, "read", lambda _, call=call: call())  # type: ignore[misc]
