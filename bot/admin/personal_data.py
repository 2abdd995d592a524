"""Exports and erases the bot's data on a person."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import orjson

from bot.access.audit import AuditKind
from bot.admin.database import OperatorAction, open_database, require_database
from bot.outbox.place import Place, PlaceKind
from bot.settings import Settings
from bot.store.outbox.ledger import CardLedger
from bot.store.personal_data import ErasureReport, erase_person, export_person


async def export_data(settings: Settings, user_id: str) -> list[str]:
    """Return one JSON line for each row about a person."""
    action = OperatorAction(command="data export", detail=user_id, kind=AuditKind.EXPORT)
    async with open_database(settings, action) as found:
        database = require_database(found)
        rows = await database.run(lambda connection: list(export_person(connection, user_id)))
    return [orjson.dumps({"table": table, **row}).decode() for table, row in rows]


async def erase_data(settings: Settings, user_id: str, now: datetime) -> list[str]:
    """Erase a person, and return what happened to their rows."""
    async with open_database(settings, OperatorAction(command="data erase", detail=user_id)) as found:
        database = require_database(found)
        report = await database.run(partial(erase_person, user_id=user_id, now=now))
        own_chat = Place(PlaceKind.PERSON, user_id)
        await asyncio.to_thread(CardLedger(settings.data_dir).forget, str(own_chat))
    return list(_lines(report))


def _lines(report: ErasureReport) -> list[str]:
    return [
        *(f"{table}: {count} erased" for table, count in report.erased.items() if count),
        *(f"{table}: {count} kept, evidence of decisions" for table, count in report.kept.items() if count),
    ] or ["nothing is known of this person"]
