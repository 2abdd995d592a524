"""The ERPs."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, OutputFormat, command_group, read_settings

commands = command_group("The ERPs.")


@commands.command("check")
def check_erp(
    source: Annotated[str, typer.Argument(help="Name of the source in the configuration.")],
    config: ConfigOption = None,
    sample: Annotated[int, typer.Option(min=1, help="Records of each area that are read.")] = 100,
) -> None:
    """Check the set-up, read a sample of all areas, and report what is wrong.

    Exit code 2 if the source cannot be used, 1 if a part of it cannot or a record is rejected.
    """
    from bot.admin.erps import check_source

    report, lines = asyncio.run(check_source(read_settings(config), source, sample=sample))
    print("\n".join(lines))
    raise SystemExit(report.exit_code)


@commands.command("rejected")
def show_rejected_records(
    source: Annotated[str, typer.Argument(help="Name of the source in the configuration; without it, of all.")] = "",
    config: ConfigOption = None,
    area: Annotated[str, typer.Option(help="Only of products, stock, sales, finance, purchasing or production.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Records at most, those seen last first.")] = 50,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
    record: Annotated[
        bool, typer.Option("--record", help="Also print each record as the ERP told it; it may hold prices.")
    ] = False,
) -> None:
    """Show the records of ERPs that cannot be right and were kept aside, with the reason."""
    from bot.admin.erps import show_rejected

    settings = read_settings(config)
    lines = asyncio.run(show_rejected(settings, source, area=area, limit=limit, form=as_.value, with_record=record))
    print("\n".join(lines))
