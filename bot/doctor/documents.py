"""Checks of the documents kept of each ERP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.bootstrap.database import look_into_database
from bot.doctor.results import CheckGrade, CheckResult
from bot.erp.errors import Unsupported
from bot.erp.index.search import oldest
from bot.read_model.records import FollowedArea
from bot.settings import Settings
from bot.store.erp.read_model import StoredDocuments
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase


async def check_read_model(settings: Settings) -> list[CheckResult]:
    """Check the age of each source's documents; no result if none are kept or the database fails."""
    if not settings.read_model.enabled:
        return []
    try:
        async with look_into_database(settings) as database:
            store = StoredDocuments(database, database)
            positions = (await store.positions()).values()
            counts = {source: await store.count(source) for source in settings.erp}
    except DingerpError:
        return []  # the check of the database gives the reason
    longest = oldest(settings.read_model.seconds)
    return [
        _documents_result(source, [each for each in positions if each.source == source], count, longest)
        for source, count in counts.items()
    ]


def _documents_result(source: str, followed: Sequence[FollowedArea], count: int, longest: timedelta) -> CheckResult:
    what = phrase("Documents of “%(source)s”", source=source)
    told = [each for each in followed if each.trouble != Unsupported.__name__]
    if followed and not told:
        return CheckResult(what, CheckGrade.NOTE, phrase("none, since this ERP does not tell which documents changed"))
    trouble = next((each.trouble for each in told if each.trouble), "")
    synced = [each.synced_at for each in told if each.synced_at is not None and each.complete_since is not None]
    if not told or len(synced) < len(told):
        return _graded_result(
            what, phrase("not all read yet, %(count)s so far", count=count), trouble, well=not trouble
        )
    age = datetime.now(UTC) - min(synced)
    words = phrase("%(count)s documents, %(minutes)s min old", count=count, minutes=age // timedelta(minutes=1))
    return _graded_result(what, words, trouble, well=age <= longest)


def _graded_result(what: Phrase, words: Phrase, trouble: str, *, well: bool) -> CheckResult:
    if well:
        return CheckResult(what, CheckGrade.GOOD, words)
    if trouble:
        remedy = phrase("The last attempt ended with %(error)s; until it works, reports are of before.", error=trouble)
    else:
        remedy = phrase("The running bot brings them up to date; until then, reports are of before.")
    return CheckResult(what, CheckGrade.NOTE, words, remedy)
