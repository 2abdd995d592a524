"""``dingerp audit``: search, verify and export the audit log, and accept a loss."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, replace
from datetime import tzinfo
from pathlib import Path

from bot.access.audit import AuditKind, AuditSearch, RecordedEntry
from bot.admin.audit_formats import AuditFormat, format_entries, row_of
from bot.admin.database import OperatorAction, audit_log, open_database, operator_entry, record_action, require_database
from bot.admin.output import align_columns, as_json, count_noun, escape_invisible, format_second
from bot.mechanisms.private_files import make_private_file
from bot.settings import Settings
from bot.store.audit.chain import ChainLink
from bot.store.audit.entries import ACCEPT
from bot.store.audit.log import StoredAudit
from bot.words.errors import ConfigurationError

_PAGE = 2_000
_NAMED = 20
"""How many breaks are named."""
_MOST_ACCEPTED = 100_000
"""How many get an entry of their own at once."""


def read_link(text: str) -> ChainLink:
    """Return a link as written by the log and by `verify_log`. Raises `ConfigurationError`."""
    try:
        return ChainLink.parse(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no link, which is NUMBER:HASH as the bot's log has it") from None


async def search_log(settings: Settings, wanted: AuditSearch, *, zone: tzinfo, form: str) -> list[str]:
    """Return lines on the matching entries, the newest first; ``form`` is ``text`` or ``json``."""
    action = OperatorAction(command="audit search", documents=_documents(wanted), detail=_said(wanted))
    async with open_database(settings, None) as database:
        ready = require_database(database)
        found = await audit_log(settings, ready).search(wanted)
        await record_action(settings, ready, action)
    if form == "json":
        return [as_json([row_of(kept, zone) for kept in found])]
    return list(_lines(found, wanted.limit, zone))


async def verify_log(settings: Settings, links: list[ChainLink], *, form: str) -> tuple[bool, list[str]]:
    """Return whether the log is intact, and lines that say so or name every break, the first one first.

    ``links`` are known from elsewhere, such as from the bot's log on another machine.
    """
    # Recorded afterwards: the entry about it would move the end under inspection.
    async with open_database(settings, None) as database:
        ready = require_database(database)
        found = await audit_log(settings, ready).verify(known=links)
        outcome = "; ".join(found.problems) or f"{found.entries} entries in good order"
        await record_action(settings, ready, OperatorAction(command="audit verify", detail=outcome))
    if form == "json":
        facts = {
            "entries": found.entries,
            "newest": str(found.last),
            "witnessed": found.witnessed,
            "broken": list(found.broken),
            "unguarded": list(found.unguarded),
            "unaccepted": list(found.unaccepted),
        }
        return not found.problems, [as_json(facts)]
    if found.problems:
        lines = [escape_invisible(problem) for problem in found.problems[:_NAMED]]
        more = len(found.problems) - len(lines)
        return False, [*lines, *([f"and {more} more"] if more else [])]
    unsure = [] if found.witnessed or links else ["no link is known outside the database: its end may be missing"]
    return True, [f"{count_noun(found.entries, 'entry', 'entries')} in good order, the newest {found.last}", *unsure]


async def export_log(
    settings: Settings, wanted: AuditSearch, *, zone: tzinfo, form: AuditFormat, out: Path | None
) -> tuple[bytes, str]:
    """Write the matching entries to ``out``, the oldest first; return what was written, and how much in words.

    Without ``out`` nothing is written: the caller prints it. Raises `ConfigurationError`.
    """
    action = OperatorAction(
        command="audit export", documents=_documents(wanted), detail=f"{form}: {_said(wanted)}", kind=AuditKind.EXPORT
    )
    async with open_database(settings, None) as database:
        ready = require_database(database)
        found = [kept async for kept in _all_entries(audit_log(settings, ready), wanted)]
        await record_action(settings, ready, action)
    content = format_entries(found, form, zone)
    if out is not None:
        _write(out, content)
    return content, count_noun(len(found), "entry", "entries")


async def accept_loss(settings: Settings, reason: str) -> list[str]:
    """Record who knows that the log is broken and why, and return what they accept.

    By then each break has an entry of its own, including those that only a full check finds now.
    """
    if not reason.strip():
        raise ConfigurationError("say why entries are missing: --reason 'backup of Monday restored'")
    async with open_database(settings, None) as database:
        log = audit_log(settings, require_database(database))
        broken = await log.inspect(None, noting=_MOST_ACCEPTED)
        action = OperatorAction(command=ACCEPT, detail=f"{reason}: {'; '.join(broken) or 'nothing was missing'}")
        link = await log.accept(operator_entry(settings, action))
    accepted = [f"accepted: {escape_invisible(problem)}" for problem in broken[:_NAMED]]
    more = [f"and {len(broken) - _NAMED} more"] if len(broken) > _NAMED else []
    return [*accepted, *more, f"the log goes on from {link}"]


async def _all_entries(log: StoredAudit, wanted: AuditSearch) -> AsyncIterator[RecordedEntry]:
    after = 0
    while page := await log.search(replace(wanted, after=after, limit=_PAGE)):
        for kept in page:
            yield kept
        after = page[-1].seq


def _write(out: Path, content: bytes) -> None:
    try:
        make_private_file(out)
        out.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from None


def _documents(wanted: AuditSearch) -> tuple[str, ...]:
    return (wanted.document,) if wanted.document else ()


def _said(wanted: AuditSearch) -> str:
    named = {name: value for name, value in asdict(wanted).items() if value and name != "limit"}
    return ", ".join(f"{name} {value}" for name, value in named.items()) or "everything"


def _lines(found: tuple[RecordedEntry, ...], limit: int, zone: tzinfo) -> Iterator[str]:
    if not found:
        yield "No such entry."
        return
    yield from align_columns(_columns(kept, zone) for kept in found)
    more = "; there may be more, --limit shows them" if len(found) == limit else ""
    yield f"{len(found)} found{more}"


def _columns(kept: RecordedEntry, zone: tzinfo) -> tuple[str, ...]:
    entry = kept.entry
    about = " ".join(entry.documents) or "–"
    shown = f"({', '.join(entry.shown)})" if entry.shown else ""
    reason = " ".join(filter(None, (shown, entry.outcome, f"[{entry.rule}]" if entry.rule else "", entry.detail)))
    return str(kept.seq), format_second(entry.at, zone), entry.kind.value, entry.actor, entry.action, about, reason
