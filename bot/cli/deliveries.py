"""Deliveries."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, LimitOption, OutputFormat, SinceOption, command_group, read_settings

commands = command_group("The cards that are owed to groups and persons, and the events that are owed to programs.")


@commands.command("search")
def search_deliveries(
    config: ConfigOption = None,
    since: SinceOption = "",
    place: Annotated[str, typer.Option(help="Only at group:cid…, person:userId or receiver:name.")] = "",
    state: Annotated[str, typer.Option(help="Only queued, done, folded or dead.")] = "",
    event: Annotated[str, typer.Option(help="Only what was owed for this event, such as main/E-1.")] = "",
    limit: LimitOption = 50,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """List the deliveries of cards, the last changed first."""
    from bot.admin import deliveries as tool
    from bot.admin.inputs import read_at, read_place, read_since

    settings = read_settings(config)
    zone = ZoneInfo(settings.zone)
    wanted = tool.DeliverySearch(
        place=read_place(place),
        state=tool.read_state(state),
        fact=event,
        since=read_since(since, read_at("", zone)) if since else None,
        limit=limit,
    )
    print("\n".join(asyncio.run(tool.search_deliveries(settings, wanted, zone=zone, form=as_.value))))


@commands.command("show")
def show_delivery(
    card: Annotated[str, typer.Argument(help="The card, as `dingerp deliveries search` names it.")],
    config: ConfigOption = None,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Tell every step that the delivery of a card took."""
    from bot.admin import deliveries as tool

    settings = read_settings(config)
    print("\n".join(asyncio.run(tool.show_delivery(settings, card, zone=ZoneInfo(settings.zone), form=as_.value))))


@commands.command("replay")
def replay_deliveries(
    cards: Annotated[list[str] | None, typer.Argument(help="Cards whose delivery is dead.")] = None,
    config: ConfigOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead deliveries.")] = False,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Queue dead deliveries anew; the running bot sends them within seconds."""
    from bot.admin import deliveries as tool
    from bot.admin.inputs import read_at

    settings = read_settings(config)
    now = read_at("", ZoneInfo(settings.zone))
    lines = asyncio.run(tool.replay_deliveries(settings, cards or [], everything=everything, now=now, form=as_.value))
    print("\n".join(lines))
