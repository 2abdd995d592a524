"""Traces."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, OutputFormat, read_settings


def trace(
    reference: Annotated[
        str, typer.Argument(help="The reference on a card or page, in a problem of the API, or in the log.")
    ],
    config: ConfigOption = None,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Tell what was asked, by which rule it was answered, who saw it, and each call with its time."""
    from bot.admin.traces import show_trace

    settings = read_settings(config)
    print("\n".join(asyncio.run(show_trace(settings, reference, zone=ZoneInfo(settings.zone), form=as_.value))))
