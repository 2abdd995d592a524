"""Fixtures that open the adapter over a fake Odoo of any release."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.erp.odoo.adapter import OdooErp
from bot.erp.odoo.manifest import vendor
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.odoo import DATABASE, FakeOdoo
from tests.erp.fakes.odoo_engine import OdooModel
from tests.erp.fakes.odoo_records import BOT
from tests.erp.fakes.odoo_states import offer

Open = Callable[..., Awaitable[tuple[OdooErp, FakeOdoo]]]


def changed(server: FakeOdoo, model: str, *, without: frozenset[str] = frozenset(), **values: Any) -> None:
    """Let each record of a model hold other values, and let the model lack some fields."""
    genuine = server.models

    def models(name: str) -> OdooModel | None:
        found = genuine(name)
        if found is None or name != model:
            return found
        records = [{**record, **{key: make(record) for key, make in values.items()}} for record in found.records]
        fields = {**dict.fromkeys(values, "char"), **found.fields}
        return replace(found, fields={k: t for k, t in fields.items() if k not in without}, records=records)

    server.models = models


def of_services(server: FakeOdoo, number: str) -> None:
    """Let a purchase order be of services alone, which have no transfers."""
    changed(server, "purchase.order", picking_ids=lambda row: [] if row["name"] == number else row["picking_ids"])
    if server.records.release >= (16, 0):
        changed(
            server,
            "purchase.order",
            receipt_status=lambda row: None if row["name"] == number else row["receipt_status"],
        )
    changed(
        server,
        "purchase.order.line",
        qty_received_method=lambda row: "manual" if row["order_id"].name == number else "stock_moves",
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def open_odoo(clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a fake of the named release and an adapter for it; ``server`` replaces the fake."""
    opened: list[OdooErp | FakeOdoo] = []

    async def open_odoo(
        release: tuple[int, int] = (19, 0), *, server: FakeOdoo | None = None, **options: Any
    ) -> tuple[OdooErp, FakeOdoo]:
        if server is None:
            company = ReferenceCompany(now=clock.now)
            offer(company)
            server = FakeOdoo(company, clock, release)
        if not server.url:
            await server.start()
            opened.append(server)
        settings = {"url": server.url, "database": DATABASE, "user": BOT, "key": SECRET, "company": 1, **options}
        context = AdapterContext(name="main", data_dir=tmp_path, now=clock.now)
        erp = await vendor.open(context, vendor.options.model_validate(settings))
        assert isinstance(erp, OdooErp)
        opened.insert(0, erp)
        return erp, server

    yield open_odoo
    for resource in opened:
        if isinstance(resource, FakeOdoo):
            await resource.stop()
        else:
            await resource.close()
