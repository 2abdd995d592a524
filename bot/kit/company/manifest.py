"""The demo ERP's manifest and options."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


class DemoOptions(BaseModel):
    """Options of a source of the vendor ``demo``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = Field("", description="SQLite file, `:memory:` or SQLite URL; empty: a file in the data folder.")
    today: date | None = Field(None, description="The day that a new company is made for; empty: today.")
    latency: float = Field(0.0, ge=0, le=60, description="Seconds added to every call, to stand for a remote ERP.")
    living: bool = Field(False, description="Whether the company lives: sales, receipts, payments, due dates.")
    days_per_hour: float = Field(6.0, gt=0, le=240, description="Days of the company in an hour, while it lives.")


async def _open(context: AdapterContext, options: DemoOptions) -> Erp:
    # Imported here, so that the options can be listed without loading the database library.
    from bot.kit.company.adapter import open_demo
    from bot.kit.company.sales import ZONE

    return await open_demo(
        options.database or context.data_dir / f"erp-{context.name}.sqlite3",
        today=options.today or context.now().astimezone(ZONE).date(),
        now=context.now,
        latency=options.latency,
        name=context.name,
        days_per_hour=options.days_per_hour if options.living else 0.0,
    )


def _database(context: AdapterContext, options: DemoOptions) -> str:
    file = options.database or str(context.data_dir / f"erp-{context.name}.sqlite3")
    if "://" in file:
        return file
    return "" if file == ":memory:" else f"sqlite:///{file}"


vendor = Vendor(title="Demo company", options=DemoOptions, open=_open, database=_database)
