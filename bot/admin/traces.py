"""``dingerp trace``: what one question, click, page or request did, found by its reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import tzinfo

from bot.access.audit import RecordedEntry, search_for
from bot.admin.database import OperatorAction, audit_log, open_database, require_database
from bot.admin.output import align_columns, as_json, count_noun, escape_invisible, format_exact, format_second
from bot.mechanisms.tracing import Trace, TracedLine, read_reference
from bot.settings import Settings
from bot.store.traces import StoredTraces
from bot.words.errors import ConfigurationError


async def show_trace(settings: Settings, text: str, *, zone: tzinfo, form: str) -> list[str]:
    """Return lines on the trace with a reference, with its entry in the audit log; ``form`` is ``text`` or ``json``.

    Raises `ConfigurationError` for an unknown reference.
    """
    reference = read_reference(text)
    if reference is None:
        raise ConfigurationError(f"{text!r} is no reference, which has eight letters and digits, such as 3F7K2Q9A")
    async with open_database(settings, OperatorAction(command="trace", detail=reference)) as database:
        ready = require_database(database)
        trace = await StoredTraces(ready).find(reference)
        if trace is None:
            kept = count_noun(settings.trace.keep_days, "day", "days")
            raise ConfigurationError(
                f"no trace {reference}: traces are kept for {kept}, the newest {settings.trace.keep_rows}"
                " (`trace` in the settings), and written a second after the answer"
            )
        audit = audit_log(settings, ready)
        asked = [(line, await audit.search(search_for(line))) for line in trace.lines]
    if form == "json":
        lines = [
            {**asdict(line), "at": format_exact(line.at, zone), "audit": list(map(_facts, entries))}
            for line, entries in asked
        ]
        return [as_json({**asdict(trace), "at": format_exact(trace.at, zone), "lines": lines})]
    return list(_lines(trace, asked, zone))


def _facts(kept: RecordedEntry) -> dict[str, object]:
    entry = kept.entry
    return {"actor": entry.actor, "conversation": entry.conversation, "documents": entry.documents, "rule": entry.rule}


def _lines(trace: Trace, asked: Sequence[tuple[TracedLine, Sequence[RecordedEntry]]], zone: tzinfo) -> Iterator[str]:
    yield f"{trace.reference}: {trace.what} at {format_second(trace.at, zone)}, {trace.took} ms"
    yield escape_invisible(f"{trace.command or 'no command'}: {trace.outcome}; rule: {trace.rule or 'none'}")
    for line, entries in asked:
        yield ""
        yield from map(escape_invisible, _asked(line, entries))
    if trace.steps:
        yield ""
        rows = [
            (f"+{step.began} ms", step.name, step.subject, step.outcome, f"{step.took} ms")
            for step in sorted(trace.steps, key=lambda step: step.began)
        ]
        yield from align_columns([("after", "step", "of", "outcome", "took"), *rows])
    if trace.left_out:
        yield f"{count_noun(trace.left_out, 'further step is', 'further steps are')} not kept."


def _asked(line: TracedLine, entries: Sequence[RecordedEntry]) -> Iterator[str]:
    if line.line:
        yield f"asked: {line.line}" + (f", read as {line.read_as}" if line.read_as else "")
    yield f"command {line.command or 'none'}, {line.outcome}; rule: {line.rule or 'none'}"
    for kept in entries:
        about = ", ".join(kept.entry.documents) or "no single document"
        yield f"shown to {kept.entry.actor} in {kept.entry.conversation}: {about}"
    if not entries:
        yield "The audit log has no entry of it: it showed no documents."
