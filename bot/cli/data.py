"""What the database keeps: its key, and what it knows of a person."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, command_group, read_settings

commands = command_group("What the database keeps: its key.")


@commands.command("new-key")
def print_new_key() -> None:
    """Print a new key for DINGERP_DATA_KEY or the file that DINGERP_DATA_KEY_FILE names."""
    from bot.sealing import CompanyKey

    print(CompanyKey.generate().text)


@commands.command("rotate-key")
def rotate_key(
    config: ConfigOption = None,
    stopped: Annotated[
        bool, typer.Option("--stopped", help="The bot is stopped: drop the old data key at once.")
    ] = False,
) -> None:
    """Change the key of the database, and seal everything again."""
    from bot.admin.data_keys import rotate_key as change

    print("\n".join(asyncio.run(change(read_settings(config), datetime.now(UTC), stopped=stopped))))
