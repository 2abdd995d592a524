"""The rules of alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, OutputFormat, command_group, read_settings

commands = command_group("The rules by which alerts find their places.")


@commands.command("check")
def check_routes(
    file: Annotated[Path | None, typer.Argument(help="File of the rules; by default the one in force.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read the alert rules and name every error with its line; exit code 1 if there is one."""
    from bot.admin.route_check import check_rules

    fine, lines = check_rules(read_settings(config), file)
    print("\n".join(lines))
    raise SystemExit(int(not fine))


@commands.command("test")
def explain_routes(
    event: Annotated[Path, typer.Argument(help="File with one CloudEvent, or a list of them, as JSON.")],
    config: ConfigOption = None,
    rules: Annotated[Path | None, typer.Option(help="File of the rules; by default the one in force.")] = None,
    at: Annotated[str, typer.Option(help="When it would come, such as 2026-10-01T08:30; by default now.")] = "",
    source: Annotated[str, typer.Option(help="Name of the source that it would come from.")] = "main",
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Say where an event would go, when and why, without sending; exit code 1 if it cannot be understood."""
    from bot.admin.route_check import try_routes

    fine, lines = try_routes(read_settings(config), event, rules=rules, at=at, source=source, form=as_.value)
    print("\n".join(lines))
    raise SystemExit(int(not fine))
