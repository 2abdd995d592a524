"""The audit log."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import ConfigOption, LimitOption, OutputFormat, SinceOption, command_group, read_settings
from bot.words.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.access.audit import AuditSearch
    from bot.settings import Settings

commands = command_group("Who saw, decided and was refused what.")

WhoOption = Annotated[str, typer.Option(help="Only this user id, or account of the machine.")]
WhatOption = Annotated[str, typer.Option(help="Only this command or action, such as order or audit export.")]
DocumentOption = Annotated[str, typer.Option(help="Only about the document with this number.")]
UntilOption = Annotated[str, typer.Option(help="Before: 7d, 12h, or a time such as 2026-10-01T08:30.")]
KindOption = Annotated[
    str, typer.Option(help="Only question, decision, refusal, mute, rules, binding, export, login or operator.")
]


@commands.command("search")
def search_audit(
    config: ConfigOption = None,
    who: WhoOption = "",
    what: WhatOption = "",
    document: DocumentOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: LimitOption = 50,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """List entries, the newest first."""
    from bot.admin.audit import search_log

    settings = read_settings(config)
    wanted = _wanted(settings, who=who, what=what, document=document, kind=kind, since=since, until=until, limit=limit)
    print("\n".join(asyncio.run(search_log(settings, wanted, zone=ZoneInfo(settings.zone), form=as_.value))))


@commands.command("verify")
def verify_audit(
    config: ConfigOption = None,
    link: Annotated[list[str] | None, typer.Option(help="NUMBER:HASH that was noted elsewhere; several times.")] = None,
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Check that no entry was changed, removed or inserted; exit code 1 and the first broken one, if any was."""
    from bot.admin.audit import read_link, verify_log

    settings = read_settings(config)
    fine, lines = asyncio.run(verify_log(settings, [read_link(text) for text in link or ()], form=as_.value))
    print("\n".join(lines))
    raise SystemExit(int(not fine))


@commands.command("export")
def export_audit(
    form: Annotated[str, typer.Option("--format", help="csv, jsonl, xlsx or syslog.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="File to write; by default standard output.")] = None,
    config: ConfigOption = None,
    who: WhoOption = "",
    what: WhatOption = "",
    document: DocumentOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
) -> None:
    """Write entries for others, the oldest first."""
    from bot.admin.audit import export_log
    from bot.admin.audit_formats import AuditFormat

    settings = read_settings(config)
    if form not in tuple(AuditFormat):
        raise ConfigurationError(f"no format {form!r}; there are: {', '.join(AuditFormat)}")
    wanted = _wanted(settings, who=who, what=what, document=document, kind=kind, since=since, until=until, limit=1)
    zone = ZoneInfo(settings.zone)
    content, count = asyncio.run(export_log(settings, wanted, zone=zone, form=AuditFormat(form), out=out))
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        print(f"{count} in {out}")


@commands.command("accept")
def accept_audit_loss(
    reason: Annotated[str, typer.Option(help="Why entries are missing.")],
    config: ConfigOption = None,
) -> None:
    """Record that entries are missing, for example since a backup was restored, and go on from there."""
    from bot.admin.audit import accept_loss

    print("\n".join(asyncio.run(accept_loss(read_settings(config), reason))))


def _wanted(
    settings: Settings, *, who: str, what: str, document: str, kind: str, since: str, until: str, limit: int
) -> AuditSearch:
    from bot.access.audit import AuditKind, AuditSearch
    from bot.admin.inputs import read_at, read_choice, read_since

    now = read_at("", ZoneInfo(settings.zone))
    return AuditSearch(
        actor=who,
        action=what,
        document=document,
        kind=read_choice(AuditKind, "kind", kind),
        since=read_since(since, now) if since else None,
        until=read_since(until, now) if until else None,
        limit=limit,
    )
