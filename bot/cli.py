"""The command line. Each command imports only what it needs: quick ones load no database and no network."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import ConfigurationError, DingerpError

if TYPE_CHECKING:
    from bot.settings import Settings

cli = typer.Typer(help="Brings a company's ERP into its DingTalk groups.", no_args_is_help=True, add_completion=False)
card_commands = typer.Typer(help="Look at cards without sending them.", no_args_is_help=True)
db_commands = typer.Typer(help="The bot's own database.", no_args_is_help=True)
erp_commands = typer.Typer(help="The ERPs.", no_args_is_help=True)
cli.add_typer(card_commands, name="card")
cli.add_typer(db_commands, name="db")
cli.add_typer(erp_commands, name="erp")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file; by default dingerp.toml, if there is one.")
]


class As(StrEnum):
    """How a card is shown."""

    TEXT = "text"
    JSON = "json"
    PNG = "png"


def main() -> None:
    """Entry point of ``dingerp``: what the operator did wrong is one line and exit code 2, not a traceback."""
    try:
        cli(standalone_mode=True)
    except DingerpError as error:
        print(f"dingerp: {error}", file=sys.stderr)
        raise SystemExit(2) from None


@cli.command()
def run(config: ConfigOption = None) -> None:
    """Connect to DingTalk and answer, until SIGTERM or Ctrl-C."""
    settings = _settings(config)
    if settings.keys_missing:
        raise ConfigurationError("DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET are not set; see `dingerp doctor`")
    if not settings.erp:
        raise ConfigurationError("no ERP is configured; DINGERP_ERP__MAIN__VENDOR=demo gives the embedded company")
    from bot.app import run_until_stopped

    _finish(run_until_stopped(settings))


@cli.command()
def demo(
    config: ConfigOption = None,
    port: Annotated[int, typer.Option(help="Port of the chat page.")] = 8787,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the chat page.")] = True,
) -> None:
    """Start a DingTalk on localhost, the bot and the embedded company, and open the chat page."""
    from bot.demo import run_demo

    _finish(run_demo(_settings(config), port=port, browser=browser))


@cli.command()
def simulator(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8787,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    unlimited: Annotated[bool, typer.Option(help="Lift DingTalk's limits of calls, for load tests.")] = False,
) -> None:
    """Start only the DingTalk on localhost; any bot on any official Stream SDK can connect to it."""
    from bot.demo import run_simulator

    _finish(run_simulator(host=host, port=port, unlimited=unlimited))


@cli.command()
def doctor(
    config: ConfigOption = None,
    group: Annotated[str, typer.Option(help="openConversationId of a group that the bot should be in.")] = "",
) -> None:
    """Check everything that an answer needs and say in plain words what to mend; exit code 1 if something fails."""
    from bot.doctor import Grade, describe, examine

    settings = _settings(config)
    findings = asyncio.run(examine(settings, group=group))
    for line in describe(findings, settings.language):
        print(line)
    raise SystemExit(int(any(finding.grade is Grade.BAD for finding in findings)))


@card_commands.command("render")
def render_card(
    name: Annotated[str, typer.Argument(help="Card name, as the file in templates/cards.")],
    config: ConfigOption = None,
    lang: Annotated[str, typer.Option(help="zh_CN or en.")] = "zh_CN",
    as_: Annotated[As, typer.Option("--as", help="What to print; png is written to a file.")] = As.TEXT,
    out: Annotated[Path | None, typer.Option(help="File for png; by default <name>.png.")] = None,
) -> None:
    """Render a card from the sample beside its template."""
    from bot.preview import show_card

    print(asyncio.run(show_card(_settings(config), name, language=lang, form=as_.value, out=out)))


@card_commands.command("list")
def list_cards(config: ConfigOption = None) -> None:
    """List the cards there are."""
    from bot.preview import card_names

    print("\n".join(card_names(_settings(config))))


@db_commands.command("upgrade")
def upgrade_database(config: ConfigOption = None) -> None:
    """Bring the database to this version (``run`` does it by itself)."""
    from bot.store.database import Database, head

    async def upgrade() -> None:
        database = Database(_settings(config).database)
        await database.migrate()
        await database.close()

    asyncio.run(upgrade())
    print(f"database is at revision {head()}")


@erp_commands.command("check")
def check_erp(
    source: Annotated[str, typer.Argument(help="Name of the source in the configuration.")],
    config: ConfigOption = None,
    sample: Annotated[int, typer.Option(min=1, help="Records of each area that are read.")] = 100,
) -> None:
    """Read a sample of all areas and report what is wrong with it; exit code 1 if a record is rejected."""
    from bot.erp_check import check_source

    report, lines = asyncio.run(check_source(_settings(config), source, sample=sample))
    print("\n".join(lines))
    raise SystemExit(int(report.rejected > 0))


def _settings(config: Path | None) -> Settings:
    from bot.log import configure_logging
    from bot.settings import load_settings

    settings = load_settings(config)
    configure_logging(settings.log.level, settings.log.format)
    return settings


def _finish(main_coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(main_coroutine)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
