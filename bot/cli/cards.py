"""Looking at cards."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, command_group, read_settings

commands = command_group("Look at cards without sending them.")


class CardFormat(StrEnum):
    """How a card is shown."""

    TEXT = "text"
    JSON = "json"
    PNG = "png"


@commands.command("render")
def render_card(
    name: Annotated[str, typer.Argument(help="Card name, as the file in templates/cards.")],
    config: ConfigOption = None,
    lang: Annotated[str, typer.Option(help="zh_CN or en.")] = "zh_CN",
    as_: Annotated[CardFormat, typer.Option("--as", help="What to print; png is written to a file.")] = CardFormat.TEXT,
    out: Annotated[Path | None, typer.Option(help="File for png; by default <name>.png.")] = None,
) -> None:
    """Render a card from the sample beside its template."""
    from bot.preview import show_card

    print(asyncio.run(show_card(read_settings(config), name, language=lang, form=as_.value, out=out)))


@commands.command("list")
def list_cards(config: ConfigOption = None) -> None:
    """List the cards there are."""
    from bot.preview import card_names

    print("\n".join(card_names(read_settings(config))))
