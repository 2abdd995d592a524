"""The command line. Each command imports only what it needs: quick ones load no database and no network."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from bot.cli import cards, deliveries, erps, events, rules, serving
from bot.errors import DingerpError
from bot.version import installed_version

cli = typer.Typer(help="Brings a company's ERP into its DingTalk groups.", no_args_is_help=True, add_completion=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dingerp {installed_version()}")
        raise typer.Exit


@cli.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


for function in (serving.run, serving.demo, serving.simulator, serving.doctor):
    cli.command()(function)
cli.command("send")(events.send_events)
cli.command("replay")(events.replay_events)
cli.add_typer(cards.commands, name="card")
cli.add_typer(serving.database_commands, name="db")
cli.add_typer(erps.commands, name="erp")
cli.add_typer(rules.access_commands, name="access")
cli.add_typer(rules.route_commands, name="routes")
cli.add_typer(rules.policy_commands, name="policy")
cli.add_typer(events.commands, name="events")
cli.add_typer(deliveries.commands, name="deliveries")


GC_THRESHOLDS = (50_000, 20, 50)
"""How many new objects trigger a collection, and how many collections one of older objects: answers leave hardly any
cycles behind."""


def main() -> None:
    """Entry point of ``dingerp``: an operator's mistake is one line and exit code 2, not a traceback."""
    # Half a million objects come with the modules and stay: collecting them repeatedly took a tenth of the start.
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        cli(standalone_mode=True)
    except DingerpError as error:
        print(f"dingerp: {error}", file=sys.stderr)
        raise SystemExit(2) from None
