"""Events: what came in, what it would have led to, and sending one by hand."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, LimitOption, OutputFormat, SinceOption, command_group, read_settings
from bot.words.errors import ConfigurationError

commands = command_group("The events that came in.")


@commands.command("search")
def search_events(
    config: ConfigOption = None,
    since: SinceOption = "",
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type, or stock.* for all that begin so.")] = "",
    subject: Annotated[str, typer.Option(help="Only about this SKU or document.")] = "",
    state: Annotated[str, typer.Option(help="Only waiting, done or rejected.")] = "",
    limit: LimitOption = 50,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """List the events that came in, newest first, also those that could not be understood."""
    from bot.admin import events as tool
    from bot.admin.inputs import read_at, read_since
    from bot.store.alerts.events import EventSearch

    settings = read_settings(config)
    zone = ZoneInfo(settings.zone)
    wanted = EventSearch(
        source=source,
        type=type_,
        subject=subject,
        state=tool.read_event_state(state),
        since=read_since(since, read_at("", zone)) if since else None,
        limit=limit,
    )
    print("\n".join(asyncio.run(tool.search_events(settings, wanted, zone=zone, form=as_.value))))


@commands.command("show")
def show_event(
    event: Annotated[str, typer.Argument(help="Source and id, such as main/E-1, or the event's number.")],
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Lines of the history at most.")] = 200,
    data: Annotated[bool, typer.Option("--data", help="Also print the event as it came; it may hold prices.")] = False,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Tell the history of an event, from its receipt to the clicks on its cards."""
    from bot.admin import events as tool

    settings = read_settings(config)
    lines = asyncio.run(
        tool.show_event(settings, event, zone=ZoneInfo(settings.zone), limit=limit, form=as_.value, with_data=data)
    )
    print("\n".join(lines))


def replay_events(
    config: ConfigOption = None,
    rules: Annotated[Path | None, typer.Option(help="File of the rules; by default the one in force.")] = None,
    since: SinceOption = "7d",
    before: Annotated[str, typer.Option(help="How much before that is played too, to know what was open then.")] = "7d",
    source: Annotated[str, typer.Option(help="List only cards about events of this source.")] = "",
    type_: Annotated[str, typer.Option("--type", help="List only cards about this type, such as stock.*.")] = "",
    subject: Annotated[str, typer.Option(help="List only cards about this SKU or document.")] = "",
    place: Annotated[str, typer.Option(help="List only cards at group:cid… or person:userId.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Cards that are listed at most.")] = 50,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Say what kept events would have led to under these rules, and how many API calls, without sending."""
    from bot.admin.inputs import read_at, read_place, read_since, read_span
    from bot.admin.replay import CardFilter, replay
    from bot.admin.replay_report import describe_replay
    from bot.mechanisms.log import configure_logging

    settings = read_settings(config)
    # The bot's own code works here, and what it logs is not about the bot that runs.
    configure_logging("error", settings.log.format)
    card_filter = CardFilter(source=source, type=type_, subject=subject, place=read_place(place))
    now = read_at("", ZoneInfo(settings.zone))
    result = asyncio.run(replay(settings, rules, read_since(since, now), now, before=read_span(before)))
    print("\n".join(describe_replay(result, card_filter, limit=limit, settings=settings, form=as_.value)))


def send_events(
    file: Annotated[str, typer.Argument(help="File with CloudEvents as JSON; - or nothing: standard input.")] = "",
    config: ConfigOption = None,
    source: Annotated[str, typer.Option(help="Name of the source that they come from.")] = "main",
    title: Annotated[str, typer.Option(help="Instead of a file: what happened, in a few words.")] = "",
    text: Annotated[str, typer.Option(help="More about it.")] = "",
    severity: Annotated[str, typer.Option(help="info, warning or critical.")] = "",
    type_: Annotated[str, typer.Option("--type", help="A type of your own.")] = "custom.note",
    subject: Annotated[str, typer.Option(help="What it is about: alerts with the same one are one matter.")] = "",
    fact: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the card's list; several times.")] = None,
    link: Annotated[str, typer.Option(help="Where it is seen; https.")] = "",
    resolved: Annotated[
        bool | None, typer.Option("--over/--open", help="Whether it is over or stays open; without: news.")
    ] = None,
    id_: Annotated[str, typer.Option("--id", help="The event's id; the same one again changes nothing.")] = "",
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Hand events over by hand, as a webhook would; exit code 1 if one cannot be understood."""
    import secrets

    from bot.admin import event_sender as tool
    from bot.admin.inputs import read_at, read_content, read_events

    settings = read_settings(config)
    if title and file:
        raise ConfigurationError("either a file or --title, not both")
    if title:
        note = tool.CustomEvent(
            title=title,
            text=text,
            severity=severity,
            type=type_,
            subject=subject,
            facts=fact or (),
            link=link,
            resolved=resolved,
            id=id_,
        )
        at = read_at("", ZoneInfo(settings.zone))
        events: list[object] = [tool.build_event(note, at=at, new_id=secrets.token_hex(8))]
    elif file in ("", "-"):
        events = read_events(sys.stdin.buffer.read(), "standard input")
    else:
        events = read_events(read_content(Path(file)), file)
    fine, lines = asyncio.run(tool.send_events(settings, events, source=source, form=as_.value))
    print("\n".join(lines))
    raise SystemExit(int(not fine))
