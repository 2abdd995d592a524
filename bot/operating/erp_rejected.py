"""Shows the records that were kept aside because they cannot be right: what ``dingerp erp rejected`` does.

It reads the bot's own database and asks no ERP. What an ERP said is data here too: signs that a terminal would obey, or
that nobody would see, are written out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.model import Area
from bot.errors import ConfigurationError
from bot.operating.erp_check import unknown_source
from bot.operating.opening import opened
from bot.operating.writing import minute, visible
from bot.settings import Settings
from bot.store.erp_records import Rejected, read_rejected


async def show_rejected(
    settings: Settings, source: str, *, area: str, limit: int, form: str, with_record: bool
) -> list[str]:
    """Return the lines about the records seen last, at most ``limit``; empty ``source`` and ``area``: of all.

    ``form`` is ``text`` or ``json``. Raises `ConfigurationError` for a source or area that there is not, and for a
    database that cannot be read.
    """
    if area and area not in tuple(Area):
        raise ConfigurationError(f"no area {area!r}; there are: {', '.join(Area)}")
    records, count = await _read(settings, source, area, limit)
    if source not in ("", *settings.erp) and not (count or await _known(settings, source)):
        raise unknown_source(settings, source)
    zone = ZoneInfo(settings.zone)
    if form == "json":
        return [json.dumps([_fields(record, zone, with_record) for record in records], indent=2)]
    return list(_lines(records, count, zone, with_record))


async def _known(settings: Settings, source: str) -> bool:
    """Whether something was kept of a source that is no longer configured."""
    _, count = await _read(settings, source, "", 1)
    return count > 0


async def _read(settings: Settings, source: str, area: str, limit: int) -> tuple[list[Rejected], int]:
    async with opened(settings) as database:
        if database is None:
            return [], 0
        return await database.run(partial(read_rejected, source=source, area=area, limit=limit))


def _lines(records: Sequence[Rejected], count: int, zone: ZoneInfo, with_record: bool) -> Iterator[str]:
    if not count:
        yield "Nothing is kept aside: what was read so far could be used."
        return
    for record in records:
        what = " · ".join((record.source, record.area, record.key or "(no key)", f"{record.defect}: {record.why}"))
        yield visible(what)
        first, last = (minute(seen, zone) for seen in (record.first, record.last))
        yield f"    first seen {first}, last {last}"
        if with_record:
            yield f"    {visible(_readable(record.record))}"
    more = "; --limit shows more" if len(records) < count else ""
    yield f"{len(records)} of {count} that are kept aside{more}"


def _fields(record: Rejected, zone: ZoneInfo, with_record: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "source": record.source,
        "area": record.area,
        "key": record.key,
        "defect": record.defect,
        "why": record.why,
        "first_seen": _moment(record.first, zone),
        "last_seen": _moment(record.last, zone),
    }
    return fields | ({"record": _parsed(record.record)} if with_record else {})


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _parsed(record: str) -> Any:
    """Return a record as JSON; one that was too long to be kept whole as the text that is left of it."""
    try:
        return json.loads(record)
    except ValueError:
        return record


def _readable(record: str) -> str:
    parsed = _parsed(record)
    return f"{record} … (cut)" if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False)
