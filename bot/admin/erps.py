"""``dingerp erp check`` and ``dingerp erp rejected``: examine one source, and show its rejected records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.admin.database import OperatorAction, open_database
from bot.admin.inputs import read_choice
from bot.admin.output import escape_invisible, fields_of, format_minute
from bot.bootstrap.erps import examine_source
from bot.erp.model import Area
from bot.erp.source_check import SourceReport, report_lines
from bot.settings import Settings
from bot.store.erp.records import RejectedRecord, read_rejected
from bot.words.errors import ConfigurationError


def unknown_source(settings: Settings, name: str) -> ConfigurationError:
    """Return the error for a source that is not configured."""
    return ConfigurationError(f"no ERP source {name!r} is configured; there are: {', '.join(settings.erp) or 'none'}")


async def check_source(settings: Settings, name: str, *, sample: int) -> tuple[SourceReport, list[str]]:
    """Return the report on a source and its lines.

    Raises `ConfigurationError` for a source that is not configured.
    """
    if name not in settings.erp:
        raise unknown_source(settings, name)
    report = await examine_source(settings, name, sample=sample)
    return report, list(report_lines(report))


async def show_rejected(
    settings: Settings, source: str, *, area: str, limit: int, form: str, with_record: bool
) -> list[str]:
    """Return lines on the records seen last, at most ``limit``; empty ``source`` and ``area`` mean all.

    ``form`` is ``text`` or ``json``. Raises `ConfigurationError` for an unknown source or area, or if the database
    cannot be read.
    """
    read_choice(Area, "area", area)
    records, count = await _read_rejected(settings, source, area, limit)
    if source not in ("", *settings.erp) and not (count or await _has_rejected(settings, source)):
        raise unknown_source(settings, source)
    zone = ZoneInfo(settings.zone)
    if form == "json":
        return [json.dumps([_rejected_fields(record, zone, with_record) for record in records], indent=2)]
    return list(_rejected_lines(records, count, zone, with_record))


async def _has_rejected(settings: Settings, source: str) -> bool:
    """Return whether records of an unconfigured source are stored."""
    _, count = await _read_rejected(settings, source, "", 1)
    return count > 0


async def _read_rejected(settings: Settings, source: str, area: str, limit: int) -> tuple[list[RejectedRecord], int]:
    async with open_database(settings, OperatorAction(command="erp rejected", detail=source)) as database:
        if database is None:
            return [], 0
        return await database.run(partial(read_rejected, source=source, area=area, limit=limit))


def _rejected_lines(records: Sequence[RejectedRecord], count: int, zone: ZoneInfo, with_record: bool) -> Iterator[str]:
    if not count:
        yield "Nothing is kept aside: what was read so far could be used."
        return
    for record in records:
        what = " · ".join((record.source, record.area, record.key or "(no key)", f"{record.defect}: {record.why}"))
        yield escape_invisible(what)
        first, last = (format_minute(seen, zone) for seen in (record.first, record.last))
        yield f"    first seen {first}, last {last}"
        if with_record:
            yield f"    {escape_invisible(_readable(record.record))}"
    more = "; --limit shows more" if len(records) < count else ""
    yield f"{len(records)} of {count} that are kept aside{more}"


def _rejected_fields(record: RejectedRecord, zone: ZoneInfo, with_record: bool) -> dict[str, Any]:
    fields = fields_of(record, "source area key defect why", zone) | {
        "first_seen": _moment(record.first, zone),
        "last_seen": _moment(record.last, zone),
    }
    return fields | ({"record": _parsed(record.record)} if with_record else {})


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _parsed(record: str) -> Any:
    """Return a record as JSON; a truncated one as the remaining text."""
    try:
        return json.loads(record)
    except ValueError:
        return record


def _readable(record: str) -> str:
    parsed = _parsed(record)
    return f"{record} … (cut)" if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False)
