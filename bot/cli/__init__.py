"""The command line. Each command imports only what it needs: quick ones load no database and no network."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from bot.cli import cards, database, deliveries, erps, events, policy, routes, serving
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


for start in (serving.run, serving.demo, serving.simulator, serving.doctor):
    cli.command()(start)
cli.command("send")(events.send_events)
cli.command("replay")(events.replay_events)
cli.add_typer(cards.commands, name="card")
cli.add_typer(database.commands, name="db")
cli.add_typer(erps.commands, name="erp")
cli.add_typer(routes.commands, name="routes")
cli.add_typer(policy.commands, name="policy")
cli.add_typer(events.commands, name="events")
cli.add_typer(deliveries.commands, name="deliveries")


GC_THRESHOLDS = (50_000, 20, 50)
"""After how many new objects garbage is looked for, and how many times before older ones are looked through as well:
answers leave next to no cycles behind."""


def main() -> None:
    """Entry point of ``dingerp``: what the operator did wrong is one line and exit code 2, not a traceback."""
    # Half a million objects come with the modules and stay; to walk them again and again was a tenth of a start.
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        cli(standalone_mode=True)
    except DingerpError as error:
        print(f"dingerp: {error}", file=sys.stderr)
        raise SystemExit(2) from None
