"""The gate: what programs ask leave for, and the key that signs the answers."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, command_group, read_settings

commands = command_group("What programs ask leave for.")


@commands.command("list")
def list_requests(
    state: Annotated[str, typer.Option("--state", help="Only those in a state, such as pending or uncertain.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most how many.")] = 50,
    config: ConfigOption = None,
) -> None:
    """List requests, the newest first."""
    from bot.admin.gate import list_requests as list_all

    settings = read_settings(config)
    print("\n".join(asyncio.run(list_all(settings, state, limit, zone=ZoneInfo(settings.zone)))))


@commands.command("show")
def show_request(
    request: Annotated[str, typer.Argument(help="Id of the request, as `dingerp gate list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """Show one request: its facts, who decided by which rule, and what came of it."""
    from bot.admin.gate import show_request as show

    settings = read_settings(config)
    print("\n".join(asyncio.run(show(settings, request, zone=ZoneInfo(settings.zone)))))


@commands.command("rotate")
def rotate_key(config: ConfigOption = None) -> None:
    """Sign with a new key from now on; the old one stays published until nothing that it signed is good."""
    from bot.admin.gate import rotate_key as rotate

    print(asyncio.run(rotate(read_settings(config))))
