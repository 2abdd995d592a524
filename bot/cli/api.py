"""The keys by which programs ask."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, command_group, read_settings

commands = command_group("The door for programs.")
keys = command_group("The keys by which programs ask, each with an owner whose rights it has.")
commands.add_typer(keys, name="key")

ScopeOption = Annotated[
    list[str],
    typer.Option(
        "--scope",
        help="A command that the key opens, such as order; several times; * for all; gate and propose to ask people.",
    ),
]


@keys.command("add")
def add_key(
    owner: Annotated[str, typer.Option("--owner", help="userId of the person as whom the program asks.")],
    scope: ScopeOption,
    expires: Annotated[str, typer.Option("--expires", help="When it ends: 90d, or a day such as 2027-03-31.")],
    config: ConfigOption = None,
) -> None:
    """Make a key, and print its token, which is shown this once."""
    from bot.admin.api_keys import add_key as add

    settings = read_settings(config)
    print("\n".join(asyncio.run(add(settings, owner, scope, expires, datetime.now(ZoneInfo(settings.zone))))))


@keys.command("list")
def list_keys(config: ConfigOption = None) -> None:
    """List the keys: whose they are, what they open, and when they end and were last used."""
    from bot.admin.api_keys import list_keys as list_all

    settings = read_settings(config)
    print("\n".join(asyncio.run(list_all(settings, datetime.now(ZoneInfo(settings.zone))))))


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Id of the key, as `dingerp api key list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """End a key at once."""
    from bot.admin.api_keys import revoke_key as revoke

    print(asyncio.run(revoke(read_settings(config), key)))
