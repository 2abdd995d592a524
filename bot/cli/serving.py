"""Commands that run until they are asked to end, the doctor, and the upgrade of the database."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, command_group, read_settings, run_until_interrupted
from bot.words.errors import ConfigurationError


def run(config: ConfigOption = None) -> None:
    """Connect to DingTalk and answer, until SIGTERM or Ctrl-C."""
    # Nearly all that a start makes stays. `run_until_stopped` enables collections again.
    gc.disable()
    settings = read_settings(config)
    if settings.keys_missing:
        raise ConfigurationError("DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET are not set; see `dingerp doctor`")
    if not settings.erp:
        raise ConfigurationError("no ERP is configured; DINGERP_ERP__MAIN__VENDOR=demo gives the embedded company")
    from bot.app import run_until_stopped

    run_until_interrupted(run_until_stopped(settings))


def demo(
    config: ConfigOption = None,
    port: Annotated[int, typer.Option(help="Port of the chat page.")] = 8787,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the chat page.")] = True,
    still: Annotated[bool, typer.Option("--still", help="Let nothing happen in the company by itself.")] = False,
) -> None:
    """Start a DingTalk on localhost, the bot and the embedded company, and open the chat page."""
    from bot.kit.demo import run_demo

    run_until_interrupted(run_demo(read_settings(config), port=port, browser=browser, still=still))


def setup(
    config: ConfigOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing; exit code 1 for that.")] = False,
    start: Annotated[bool, typer.Option("--run/--no-run", help="Start the bot when its files are written.")] = True,
) -> None:
    """Set the bot up on pages, from nothing to the first answer; it prints their address."""
    from bot.doctor import CheckGrade, describe_results
    from bot.setup.running import check_setup, run_setup

    # The file that is named may be still to be written.
    settings = read_settings(config if config is None or config.exists() else None)
    if check:
        findings = check_setup(settings)
        for line in describe_results(findings, settings.language):
            print(line)
        raise SystemExit(int(any(finding.grade is CheckGrade.BAD for finding in findings)))
    written: list[bool] = []

    async def serve() -> None:
        written.append(await run_setup(settings, config, lambda text: print(text, flush=True)))

    run_until_interrupted(serve())
    if written == [True] and start:
        run(config)


def simulator(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8787,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    unlimited: Annotated[bool, typer.Option(help="Lift DingTalk's limits of calls, for load tests.")] = False,
) -> None:
    """Start only the DingTalk on localhost; any bot on any official Stream SDK can connect to it."""
    from bot.kit.demo import run_simulator

    run_until_interrupted(run_simulator(host=host, port=port, unlimited=unlimited))


def doctor(
    config: ConfigOption = None,
    group: Annotated[str, typer.Option(help="openConversationId of a group that the bot should be in.")] = "",
    probe: Annotated[
        bool, typer.Option("--probe", help="Send a card to an administrator, who taps what they see; a bot must run.")
    ] = False,
    to: Annotated[str, typer.Option(help="userId of who gets that card; by default the first administrator.")] = "",
) -> None:
    """Check everything that an answer needs and say in plain words what to mend; exit code 1 if something fails."""
    from bot.doctor import CheckGrade, describe_results, run_checks

    settings = read_settings(config)
    if probe:
        from bot.admin.card_probes import send_probes

        asked = asyncio.run(send_probes(settings, to, lambda: datetime.now(ZoneInfo(settings.zone))))
        print(f"{asked} has a card in their own chat with the bot; the running bot takes what they tap")
        return
    findings = asyncio.run(run_checks(settings, group=group))
    for line in describe_results(findings, settings.language):
        print(line)
    raise SystemExit(int(any(finding.grade is CheckGrade.BAD for finding in findings)))


database_commands = command_group("The bot's own database.")


@database_commands.command("check")
def check(config: ConfigOption = None) -> None:
    """Look through the database, also beside a running bot; nothing is changed."""
    from bot.admin.backups import check_database

    revision = asyncio.run(check_database(read_settings(config)))
    print(f"the database is whole and at revision {revision}" if revision else "there is no database yet")


@database_commands.command("backup")
def back_up(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is replaced.")], config: ConfigOption = None
) -> None:
    """Save the database to a file, also beside a running bot."""
    from bot.admin.backups import back_up

    revision = asyncio.run(back_up(read_settings(config), file))
    print(f"{file} holds the database at revision {revision}")


@database_commands.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.")], config: ConfigOption = None
) -> None:
    """Put a backup in the place of the database, while no bot runs; rights in it wait for a confirmation."""
    from bot.admin.backups import report_restore, restore

    settings = read_settings(config)
    revision, kept = asyncio.run(restore(settings, file, datetime.now(ZoneInfo(settings.zone))))
    print(f"the database is that of {file}, at revision {revision}")
    if kept is not None:
        print(f"the one before is kept as {kept}; delete it when all is well")
    print("\n".join(asyncio.run(report_restore(settings, file))))


@database_commands.command("confirm")
def confirm(
    config: ConfigOption = None,
    user: Annotated[str, typer.Option(help="userId of the person whose rights are to work again.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Those of all people.")] = False,
) -> None:
    """List the rights that wait since a backup was restored, or let them work again."""
    from bot.admin.backups import confirm_rights, list_held

    settings = read_settings(config)
    now = datetime.now(ZoneInfo(settings.zone))
    work = confirm_rights(settings, user, now) if user or everybody else list_held(settings)
    print("\n".join(asyncio.run(work)))


@database_commands.command("copy")
def copy(
    to: Annotated[str, typer.Option("--to", help="SQLAlchemy URL of an empty database, or env:NAME, or file:PATH.")],
    config: ConfigOption = None,
) -> None:
    """Copy everything into an empty database, such as from SQLite to PostgreSQL, while no bot runs."""
    from bot.admin.database_copy import copy_database

    print("\n".join(asyncio.run(copy_database(read_settings(config), to))))


@database_commands.command("upgrade")
def upgrade(config: ConfigOption = None) -> None:
    """Bring the database to this version (``run`` does it by itself)."""
    from bot.admin.database import upgrade_database

    print(f"database is at revision {asyncio.run(upgrade_database(read_settings(config)))}")
