"""The command line. Each command imports only what it needs: quick ones load no database and no network."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli import api, audit, cards, data, deliveries, erps, events, gate, mcp, rules, serving, traces, understanding
from bot.cli.options import say_in_terminal
from bot.mechanisms.version import installed_version
from bot.words.errors import DingerpError


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dingerp {installed_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def _rooted() -> typer.Typer:
    """Return the command line without any commands."""
    rooted = typer.Typer(
        help="Brings a company's ERP into its DingTalk groups.", no_args_is_help=True, add_completion=False
    )
    rooted.callback()(_root)
    return rooted


_SERVING = {
    function.__name__: function
    for function in (serving.run, serving.setup, serving.demo, serving.simulator, serving.doctor)
}

cli = _rooted()
for function in _SERVING.values():
    cli.command()(function)
cli.command()(understanding.understand)
cli.command()(mcp.mcp)
cli.command()(traces.trace)
cli.command("send")(events.send_events)
cli.command("replay")(events.replay_events)
cli.add_typer(cards.commands, name="card")
cli.add_typer(serving.database_commands, name="db")
cli.add_typer(data.commands, name="data")
cli.add_typer(erps.commands, name="erp")
cli.add_typer(rules.access_commands, name="access")
cli.add_typer(rules.route_commands, name="routes")
cli.add_typer(rules.policy_commands, name="policy")
cli.add_typer(rules.question_commands, name="questions")
cli.add_typer(events.commands, name="events")
cli.add_typer(deliveries.commands, name="deliveries")
cli.add_typer(audit.commands, name="audit")
cli.add_typer(api.commands, name="api")
cli.add_typer(gate.commands, name="gate")


GC_THRESHOLDS = (50_000, 20, 50)
"""How many new objects trigger a collection, and how many collections one of older objects: answers leave hardly any
cycles behind."""


def main() -> None:
    """Entry point of ``dingerp``: an operator's mistake is one line and an exit code, not a traceback."""
    # Half a million objects come with the modules and stay: collecting them repeatedly took a tenth of the start.
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        _asked(sys.argv[1:2])(standalone_mode=True)
    except DingerpError as error:
        print(f"dingerp: {_told(error)}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def _told(error: DingerpError) -> str:
    """Return what went wrong, in the language of the terminal where the error has words in it."""
    words = error.explain()
    return str(error) if isinstance(words, str) else say_in_terminal(words)


def _asked(word: Sequence[str]) -> typer.Typer:
    """Return the command line for what is typed first: a bot's start need not wait until all commands are made."""
    serves = _SERVING.get("".join(word))
    if serves is None:
        return cli
    alone = _rooted()
    alone.command()(serves)
    return alone
