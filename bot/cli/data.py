"""What the database keeps: its key, and what it knows of a person."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from getpass import getpass
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, command_group, read_settings
from bot.words.errors import ConfigurationError

commands = command_group("The key of the database, and what it knows of a person.")


@commands.command("new-key")
def print_new_key() -> None:
    """Print a new key for DINGERP_DATA_KEY or the file that DINGERP_DATA_KEY_FILE names."""
    from bot.words.sealing import CompanyKey

    print(CompanyKey.generate().text)


@commands.command("seal")
def seal(config: ConfigOption = None) -> None:
    """Read a secret from standard input and print it sealed, for the configuration."""
    from bot.admin.data_keys import seal_setting

    secret = getpass("secret: ") if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n").removesuffix("\r")
    print(seal_setting(read_settings(config), secret))


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


@commands.command("export")
def export_person(
    user: Annotated[str, typer.Argument(help="userId of the person.")],
    config: ConfigOption = None,
) -> None:
    """Print all rows about a person, a line of JSON for each."""
    from bot.admin.personal_data import export_data

    lines = asyncio.run(export_data(read_settings(config), user))
    for line in lines:
        print(line)
    if not lines:
        print("nothing is known of this person", file=sys.stderr)


@commands.command("erase")
def erase_person(
    user: Annotated[str, typer.Argument(help="userId of the person.")],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; nothing brings it back.")] = False,
) -> None:
    """Erase a person; votes and decisions stay, as evidence of what the company decided."""
    from bot.admin.personal_data import erase_data

    if not yes:
        raise ConfigurationError("`dingerp data export` shows what would be erased; write --yes to erase it")
    print("\n".join(asyncio.run(erase_data(read_settings(config), user, datetime.now(UTC)))))
