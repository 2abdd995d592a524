"""The doctor's look at home: keys, database, ERPs, card templates of the company's own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from bot.assembly.erps import open_hub
from bot.assembly.parts import renderer
from bot.cards.samples import load
from bot.chat.registry import Commands
from bot.doctor.finding import Finding, Grade
from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.phrase import phrase
from bot.settings import Settings
from bot.store.database import Database


def look_at_keys(settings: Settings) -> Finding:
    """Check that the app's keys are there."""
    what = phrase("App keys")
    if settings.keys_missing:
        return Finding(
            what,
            Grade.BAD,
            phrase("client id or client secret is missing"),
            phrase(
                "Copy both from the app's page “Credentials” on open-dev.dingtalk.com into "
                "DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET."
            ),
        )
    return Finding(what, Grade.GOOD, phrase("both are set"))


async def look_at_database(settings: Settings) -> Finding:
    """Open the database and bring it up to date."""
    what = phrase("Database")
    try:
        database = Database(settings.database)
        try:
            await database.migrate()
        finally:
            await database.close()
    except (SQLAlchemyError, OSError, DingerpError) as error:
        return Finding(
            what,
            Grade.BAD,
            phrase("cannot be used (%(error)s)", error=type(error).__name__),
            phrase(
                "Check DINGERP_DATABASE_URL, or that the folder %(folder)s can be written.", folder=settings.data_dir
            ),
        )
    return Finding(what, Grade.GOOD, phrase("reached and up to date"))


async def look_at_erps(settings: Settings) -> AsyncIterator[Finding]:
    """Reach every configured source."""
    if not settings.erp:
        yield Finding(
            phrase("ERP"),
            Grade.BAD,
            phrase("none is configured"),
            phrase("Set DINGERP_ERP__MAIN__VENDOR; the vendor “demo” is the embedded company."),
        )
        return
    zone = ZoneInfo(settings.zone)
    async with AsyncExitStack() as stack:
        try:
            hub = await open_hub(stack, settings, Metrics(), lambda: datetime.now(zone))
        except DingerpError as error:
            yield Finding(
                phrase("ERP"), Grade.BAD, phrase("%(text)s", text=error.detail), phrase("Correct the settings.")
            )
            return
        started = time.monotonic()
        for source, trouble in (await hub.check()).items():
            what = phrase("ERP “%(source)s”", source=source)
            if trouble is None:
                took = round((time.monotonic() - started) * 1000)
                yield Finding(what, Grade.GOOD, phrase("answers (%(ms)s ms)", ms=took))
            else:
                yield Finding(what, Grade.BAD, trouble.tell(), phrase("%(text)s", text=trouble.detail))


def look_at_own_templates(settings: Settings) -> list[Finding]:
    """Draw every card template of the company's own."""
    if settings.cards.folder is None:
        return []
    what = phrase("Your card templates")
    Commands.discover()  # their modules define the views of the samples
    broken = renderer(settings).broken_templates(load, ZoneInfo(settings.zone))
    if not broken:
        return [Finding(what, Grade.GOOD, phrase("all can be drawn"))]
    return [
        Finding(
            what,
            Grade.BAD,
            phrase("%(file)s: %(why)s", file=one.path.name, why=one.why),
            phrase("Until it is mended the built-in card is shown."),
        )
        for one in broken
    ]
