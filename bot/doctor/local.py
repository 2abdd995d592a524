"""Local checks: keys, database, ERPs, the company's card templates, and the index of products."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from bot.bootstrap.erps import open_hub
from bot.bootstrap.factories import make_renderer
from bot.cards.samples import load_sample
from bot.chat.registry import Commands
from bot.doctor.results import CheckGrade, CheckResult
from bot.erp.errors import Unsupported
from bot.erp.index.port import VERSION, SyncState
from bot.erp.index.search import oldest
from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.phrase import Phrase, phrase
from bot.settings import Settings
from bot.store.database import Database
from bot.store.organisation import StoredOrganisation
from bot.store.product_index import StoredProductIndex


def check_keys(settings: Settings) -> CheckResult:
    """Check that the app's keys are there."""
    what = phrase("App keys")
    if settings.keys_missing:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("client id or client secret is missing"),
            phrase(
                "Copy both from the app's page “Credentials” on open-dev.dingtalk.com into "
                "DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET."
            ),
        )
    return CheckResult(what, CheckGrade.GOOD, phrase("both are set"))


async def check_database(settings: Settings) -> CheckResult:
    """Open the database and bring it up to date."""
    what = phrase("Database")
    try:
        database = Database(settings.database)
        try:
            await database.migrate()
        finally:
            await database.close()
    except (SQLAlchemyError, OSError, DingerpError) as error:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("cannot be used (%(error)s)", error=type(error).__name__),
            phrase(
                "Check DINGERP_DATABASE_URL, or that the folder %(folder)s can be written.", folder=settings.data_dir
            ),
        )
    return CheckResult(what, CheckGrade.GOOD, phrase("reached and up to date"))


async def check_organisation(settings: Settings) -> list[CheckResult]:
    """Check that the bot knows its organisation; nothing where the database fails."""
    what = phrase("Organisation")
    if settings.dingtalk.corp_id:
        return [CheckResult(what, CheckGrade.GOOD, phrase("%(corp_id)s", corp_id=settings.dingtalk.corp_id))]
    try:
        database = Database(settings.database)
        try:
            learnt = await StoredOrganisation(database, settings.dingtalk.client_id).load()
        finally:
            await database.close()
    except DingerpError:
        return []  # the check of the database says why
    if learnt:
        return [CheckResult(what, CheckGrade.GOOD, phrase("%(corp_id)s, by the first message", corp_id=learnt))]
    return [CheckResult(what, CheckGrade.GOOD, phrase("not known yet, the first message will tell"))]


async def check_erps(settings: Settings) -> AsyncIterator[CheckResult]:
    """Reach every configured source."""
    if not settings.erp:
        yield CheckResult(
            phrase("ERP"),
            CheckGrade.BAD,
            phrase("none is configured"),
            phrase("Set DINGERP_ERP__MAIN__VENDOR; the vendor “demo” is the embedded company."),
        )
        return
    zone = ZoneInfo(settings.zone)
    async with AsyncExitStack() as stack:
        try:
            hub = await open_hub(stack, settings, Metrics(), lambda: datetime.now(zone))
        except DingerpError as error:
            yield CheckResult(
                phrase("ERP"), CheckGrade.BAD, phrase("%(text)s", text=error.detail), phrase("Correct the settings.")
            )
            return
        started = time.monotonic()
        for source, trouble in (await hub.check()).items():
            what = phrase("ERP “%(source)s”", source=source)
            if trouble is None:
                took = round((time.monotonic() - started) * 1000)
                yield CheckResult(what, CheckGrade.GOOD, phrase("answers (%(ms)s ms)", ms=took))
            else:
                yield CheckResult(what, CheckGrade.BAD, trouble.tell(), phrase("%(text)s", text=trouble.detail))


def check_own_templates(settings: Settings) -> list[CheckResult]:
    """Draw every card template that the company wrote."""
    if settings.cards.folder is None:
        return []
    what = phrase("Your card templates")
    Commands.discover()  # their modules define the views of the samples
    samples = partial(load_sample, custom=settings.cards.folder)
    broken = make_renderer(settings).broken_templates(samples, ZoneInfo(settings.zone))
    if not broken:
        return [CheckResult(what, CheckGrade.GOOD, phrase("all can be drawn"))]
    return [
        CheckResult(
            what,
            CheckGrade.BAD,
            phrase("%(file)s: %(why)s", file=template.path.name, why=template.why),
            phrase("Until it is mended the built-in card is shown."),
        )
        for template in broken
    ]


async def check_index(settings: Settings) -> list[CheckResult]:
    """Check the age of each source's index; nothing where the index is off or the database fails."""
    if not settings.index.enabled:
        return []
    try:
        database = Database(settings.database)
        try:
            store = StoredProductIndex(database, database)
            positions = await store.positions()
            counts = {source: await store.count(source) for source in settings.erp}
        finally:
            await database.close()
    except DingerpError:
        return []  # the check of the database says why
    longest = oldest(settings.index.seconds)
    return [_index_result(source, positions.get(source), counts[source], longest) for source in settings.erp]


def _index_result(source: str, position: SyncState | None, count: int, longest: timedelta) -> CheckResult:
    what = phrase("Index of “%(source)s”", source=source)
    if position is not None and position.trouble == Unsupported.__name__:
        return CheckResult(what, CheckGrade.NOTE, phrase("none, since this ERP does not tell which products changed"))
    if position is None or position.synced_at is None or position.version != VERSION:
        words = phrase("not filled yet, %(count)s products so far", count=count)
        return _graded_result(what, words, position, well=position is None or not position.trouble)
    age = datetime.now(UTC) - position.synced_at
    words = phrase("%(count)s products, %(minutes)s min old", count=count, minutes=age // timedelta(minutes=1))
    return _graded_result(what, words, position, well=age <= longest)


def _graded_result(what: Phrase, words: Phrase, position: SyncState | None, *, well: bool) -> CheckResult:
    if well:
        return CheckResult(what, CheckGrade.GOOD, words)
    if position is not None and position.trouble:
        remedy = phrase(
            "The last attempt ended with %(error)s; until it works the ERP is asked.", error=position.trouble
        )
    else:
        remedy = phrase("The running bot brings it up to date; until then the ERP is asked.")
    return CheckResult(what, CheckGrade.NOTE, words, remedy)
