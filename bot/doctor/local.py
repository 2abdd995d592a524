"""Local checks: keys, database, ERPs, the company's card templates, and the product index."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from bot.access.policy import READ_ONLY
from bot.bootstrap.access import AccessNotChosen, make_access_policy
from bot.bootstrap.closed_groups import find_closed
from bot.bootstrap.database import look_into_database, make_database
from bot.bootstrap.erps import examine_source
from bot.bootstrap.factories import make_renderer, templates
from bot.bootstrap.preflight import ACCESS_RULES, PartReview, review_parts
from bot.bootstrap.rules import KINDS, find_lost, follow_approvals
from bot.cards.samples import load_sample
from bot.charts.fonts import PLACES, find_font
from bot.chat.answers.card_probes import CardProbe, say_outcome
from bot.chat.registry import Commands
from bot.doctor.results import CheckGrade, CheckResult
from bot.erp.errors import Unsupported
from bot.erp.index.port import VERSION, SyncState
from bot.erp.index.search import oldest
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import APPROVER, Settings
from bot.store.audit.chain import AuditWitness
from bot.store.audit.journal import AuditJournal
from bot.store.audit.log import StoredAudit
from bot.store.chat.accounts import StoredErpAccounts
from bot.store.chat.card_probes import StoredCardProbes
from bot.store.data_keys import CompanyKeySource, KeyFile
from bot.store.database import check_folder
from bot.store.erp.product_index import StoredProductIndex
from bot.store.errors import DatabaseIsNewer, StoreUnavailable
from bot.store.people import StoredOrganisation
from bot.store.revisions import check_version, is_current
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.names import KnownNames
from bot.words.phrase import Phrase, join_words, phrase
from bot.words.sealing import WrongDataKey

_AUDIT_ENTRIES = 1_000
"""Entries of the audit log that are checked: enough for its end."""

_SAMPLE = 1
"""Records per area: enough for a read test. ``dingerp erp check`` reads more."""


def check_keys(settings: Settings) -> CheckResult:
    """Check that the app's keys are present."""
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


async def check_database(settings: Settings) -> AsyncIterator[CheckResult]:
    """Check that this version can use the database with its key; nothing is changed."""
    what = phrase("Database")
    database = None
    try:
        database = make_database(settings, looking=True)
        revision = await database.revision()
        check_version(revision)
        check_folder(settings.database)
        database.keys.source.read()
        if is_current(revision):
            await database.unlock()
    except WrongDataKey as error:
        remedy = phrase("Set DINGERP_DATA_KEY or DINGERP_DATA_KEY_FILE to the key that this database was sealed with.")
        yield CheckResult(phrase("Data key"), CheckGrade.BAD, phrase("%(text)s", text=error.detail), remedy)
        return
    except DatabaseIsNewer as error:
        remedy = phrase("Install that version again, or restore a backup with `dingerp db restore`.")
        yield CheckResult(what, CheckGrade.BAD, phrase("%(text)s", text=error.detail), remedy)
        return
    except (SQLAlchemyError, OSError, DingerpError) as error:
        why = error.detail if isinstance(error, DingerpError) else type(error).__name__
        remedy = phrase(
            "Check DINGERP_DATABASE_URL, or that the folder %(folder)s can be written.", folder=settings.data_dir
        )
        yield CheckResult(what, CheckGrade.BAD, phrase("cannot be used (%(error)s)", error=why), remedy)
        return
    finally:
        if database is not None:
            await database.close()
    yield CheckResult(what, CheckGrade.GOOD, _state_of(revision))
    yield _key_result(database.keys.source)


def _state_of(revision: str | None) -> Phrase:
    if revision is None:
        return phrase("not there yet; the first start makes it")
    if not is_current(revision):
        return phrase("reached; the next start brings it from revision %(old)s to this version", old=revision)
    return phrase("reached and up to date")


def _key_result(source: CompanyKeySource) -> CheckResult:
    what = phrase("Data key")
    if not source.read():
        return CheckResult(what, CheckGrade.GOOD, phrase("not there yet; the first start makes it"))
    if isinstance(source, KeyFile) and source.ours:
        return CheckResult(
            what,
            CheckGrade.GOOD,
            phrase(
                "it fits the database and lies beside it in %(file)s; better is a place that backups do not reach"
                " (DINGERP_DATA_KEY_FILE), with a copy: without it the database cannot be read",
                file=source.path,
            ),
        )
    return CheckResult(what, CheckGrade.GOOD, phrase("it fits the database and lies elsewhere"))


def check_parts(settings: Settings, known: KnownNames) -> list[CheckResult]:
    """Check everything `run` builds from the settings alone. `check_access_rules` says more about these rules."""
    return [result for review in review_parts(settings, known) for result in _part_results(review)]


def _part_results(review: PartReview) -> Iterator[CheckResult]:
    part = review.part
    if review.error is not None and part is not ACCESS_RULES:
        words = phrase("%(text)s", text=review.error.explain())
        yield CheckResult(part.what, CheckGrade.BAD, words, phrase("Correct the settings."))
    elif review.doubts:
        remedy = phrase("Correct what is misspelt; what is right needs nothing.")
        yield CheckResult(part.what, CheckGrade.NOTE, phrase("%(text)s", text=join_words(review.doubts)), remedy)
    elif part is not ACCESS_RULES:
        yield CheckResult(part.what, CheckGrade.GOOD, phrase("can be used"))


async def check_chart_font(settings: Settings) -> CheckResult:
    """Check that charts can be painted; without a font they are written as text."""
    what = phrase("Charts")
    wanted = settings.cards.chart_font
    font = await asyncio.to_thread(find_font, (wanted,) if wanted else PLACES)
    if font is not None:
        return CheckResult(what, CheckGrade.GOOD, phrase("painted with %(font)s", font=font.path))
    remedy = phrase(
        "Install a font with Chinese letters (on Debian: fonts-noto-cjk), or name its file in cards.chart_font."
    )
    if wanted:
        words = phrase("%(font)s cannot be read or has no Chinese letters: charts are told in words", font=wanted)
        return CheckResult(what, CheckGrade.BAD, words, remedy)
    words = phrase("no font with Chinese letters was found: charts are told in words")
    return CheckResult(what, CheckGrade.NOTE, words, remedy)


async def check_organisation(settings: Settings) -> list[CheckResult]:
    """Check that the bot knows its organisation; no result if the database fails."""
    what = phrase("Organisation")
    if settings.dingtalk.corp_id:
        return [CheckResult(what, CheckGrade.GOOD, phrase("%(corp_id)s", corp_id=settings.dingtalk.corp_id))]
    try:
        async with look_into_database(settings) as database:
            learnt = await StoredOrganisation(database, settings.dingtalk.client_id).load()
    except DingerpError:
        return []  # the check of the database says why
    if learnt:
        return [CheckResult(what, CheckGrade.GOOD, phrase("%(corp_id)s, by the first message", corp_id=learnt))]
    return [CheckResult(what, CheckGrade.GOOD, phrase("not known yet, the first message will tell"))]


async def check_card_probes(settings: Settings) -> list[CheckResult]:
    """Report people's answers to the probe cards of each template in use; no result if the database fails."""
    try:
        async with look_into_database(settings) as database:
            if not is_current(await database.revision()):
                return []
            probes = StoredCardProbes(database)
            await probes.load()
    except (SQLAlchemyError, OSError, DingerpError):
        return []  # the check of the database says why
    return [_probe_result(template, probes.known().get(template)) for template in sorted(templates(settings).ids)]


def _probe_result(template: str, probe: CardProbe | None) -> CheckResult:
    what = phrase("Trial of the cards (%(template)s)", template=template)
    words = say_outcome({} if probe is None else {template: probe}, (template,))
    if probe is None or probe.private_values is None or probe.own_answers is None:
        remedy = phrase(
            "Until somebody has looked, what not everybody may see comes on cards of their own: each is a call."
            " `dingerp doctor --probe` sends a card that asks an administrator."
        )
        return CheckResult(what, CheckGrade.NOTE, words, remedy)
    return CheckResult(what, CheckGrade.GOOD, words)


async def check_audit(settings: Settings) -> list[CheckResult]:
    """Check the end of the audit log; no result if the database fails, or no bot has used it yet."""
    what = phrase("Audit log")
    try:
        async with look_into_database(settings) as database:
            if not is_current(await database.revision()):
                return []
            try:
                found = await StoredAudit(database, AuditWitness(settings.data_dir)).check_end(_AUDIT_ENTRIES)
            except StoreUnavailable as error:
                words = phrase("cannot be read (%(error)s)", error=error.detail)
                return [CheckResult(what, CheckGrade.BAD, words, _UNREADABLE_AUDIT)]
    except (SQLAlchemyError, OSError, DingerpError):
        return []  # the check of the database says why
    if found.problems:
        remedy = phrase(
            "`dingerp audit verify` names every broken place; if a backup was restored, record that with"
            " `dingerp audit accept`."
        )
        return [CheckResult(what, CheckGrade.BAD, phrase("%(text)s", text=found.problems[0]), remedy)]
    if waiting := _journal_lines(settings):
        words = phrase("%(num)d entries could not be written yet and wait in audit.waiting", num=waiting)
        return [CheckResult(what, CheckGrade.BAD, words, phrase("The bot's log and `/readyz` say why."))]
    if not found.witnessed and found.entries:
        words = phrase("no audit.head in the data folder: nobody would notice if its last entries were removed")
        remedy = phrase(
            "The running bot writes it anew with the next entry; `dingerp audit verify` checks the whole log."
        )
        return [CheckResult(what, CheckGrade.NOTE, words, remedy)]
    words = phrase("its newest %(count)s entries are whole; `dingerp audit verify` checks all", count=found.entries)
    return [CheckResult(what, CheckGrade.GOOD, words)]


_UNREADABLE_AUDIT = phrase("Its tables are not those of this version: restore a backup with `dingerp db restore`.")


def _journal_lines(settings: Settings) -> int:
    """Return the number of entries waiting beside the database because it did not accept them."""
    try:
        return len(AuditJournal(settings.data_dir).read())
    except OSError:
        return 0


async def check_erps(settings: Settings) -> AsyncIterator[CheckResult]:
    """Connect to every configured source, check its setup and read a few records of every area."""
    if not settings.erp:
        yield CheckResult(
            phrase("ERP"),
            CheckGrade.BAD,
            phrase("none is configured"),
            phrase("Set DINGERP_ERP__MAIN__VENDOR; the vendor “demo” is the embedded company."),
        )
        return
    for source in settings.erp:
        what = phrase("ERP “%(source)s”", source=source)
        started = time.monotonic()
        try:
            report = await examine_source(settings, source, sample=_SAMPLE)
        except DingerpError as error:
            yield CheckResult(
                phrase("ERP"), CheckGrade.BAD, phrase("%(text)s", text=error.detail), phrase("Correct the settings.")
            )
            continue
        for problem in report.problems:
            grade = CheckGrade.BAD if problem.is_fatal else CheckGrade.NOTE
            yield CheckResult(what, grade, problem.words, problem.remedy)
        if not report.problems:
            took = round((time.monotonic() - started) * 1000)
            yield CheckResult(what, CheckGrade.GOOD, phrase("answers, and every area can be read (%(ms)s ms)", ms=took))


def check_own_templates(settings: Settings) -> list[CheckResult]:
    """Render every card template written by the company."""
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
            phrase("Until it is fixed, the built-in card is shown."),
        )
        for template in broken
    ]


def check_access_rules(settings: Settings, known: KnownNames) -> CheckResult:
    """Read the access rules as the bot does at its start."""
    what = phrase("Access rules")
    try:
        policy = make_access_policy(settings, NamesInForce(known, lambda doubt: None))
    except AccessNotChosen as error:
        remedy = phrase("Three ready files to choose from: docs/how-to/configure-access.md")
        return CheckResult(what, CheckGrade.BAD, phrase("%(text)s", text=error.explain()), remedy)
    except ConfigurationError as error:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("%(text)s", text=error.explain()),
            phrase("Correct them; `dingerp access check` names every error."),
        )
    deciding = READ_ONLY if policy.read_only else _who_decides(settings, known)
    if policy.closed:
        words = phrase(
            "%(count)s are in force, and no rule allows %(commands)s to anybody. %(deciding)s",
            count=len(policy.rules),
            commands=tuple(f"/{command}" for command in policy.closed),
            deciding=deciding,
        )
    elif not policy.rules:
        words = phrase("none; every member may ask everything and sees all of it. %(deciding)s", deciding=deciding)
    else:
        words = phrase("%(count)s are in force. %(deciding)s", count=len(policy.rules), deciding=deciding)
    return CheckResult(what, CheckGrade.GOOD, words)


async def check_closed_groups(settings: Settings) -> list[CheckResult]:
    """Name the groups that get alerts, approvals or subscriptions they may not see."""
    return [
        CheckResult(phrase("Cards in groups"), CheckGrade.NOTE, closed.words, closed.remedy)
        for closed in await find_closed(settings)
    ]


def _who_decides(settings: Settings, known: KnownNames) -> Phrase:
    """Return who approves and rejects purchase orders, which access rules do not say."""
    try:
        by_rules = follow_approvals(settings, NamesInForce(known, str)).in_force.content.decides
    except ConfigurationError:  # another check gives the reason
        by_rules = True
    if by_rules:
        return phrase("The approval rules say who decides purchase orders.")
    if not settings.approvers:
        return phrase("Nobody decides purchase orders from chat: the role “%(role)s” has no members.", role=APPROVER)
    return phrase(
        "Members of the role “%(role)s” decide purchase orders: %(people)s",
        role=APPROVER,
        people=tuple(sorted(settings.approvers)),
    )


async def check_lost_rules(settings: Settings, names: KnownNames) -> list[CheckResult]:
    """Check that the files of the rules in force at the last run still exist; no result if they do."""
    lost = await find_lost(settings, names, *KINDS)
    if not lost:
        return []
    words, remedy = phrase("%(text)s", text=lost), phrase("Correct the settings.")
    return [CheckResult(phrase("Files of rules"), CheckGrade.BAD, words, remedy)]


async def check_deciders(settings: Settings) -> list[CheckResult]:
    """Check that some approver could decide the waiting orders: under their own ERP account, or the bot's.

    No result if nobody decides in chat, or if the bot has an account to decide under.
    """
    if not settings.approvers or settings.approvals.technical_account:
        return []
    try:
        async with look_into_database(settings) as database:
            bound = await StoredErpAccounts(database).all()
    except DingerpError:
        bound = ()  # the check of the database says why
    known = {(account.user_id, account.source) for account in bound if account.account}
    known |= {(user_id, source) for user_id, accounts in settings.access.accounts.items() for source in accounts}
    without = [
        source for source in settings.erp if not any((user_id, source) in known for user_id in settings.approvers)
    ]
    what = phrase("Approvals")
    if not without:
        return [CheckResult(what, CheckGrade.GOOD, phrase("somebody can decide in each ERP"))]
    remedy = phrase(
        "Let an approver link their account with /bind, or set DINGERP_ACCESS__ACCOUNTS or"
        " DINGERP_APPROVALS__TECHNICAL_ACCOUNT."
    )
    words = phrase(
        "nobody of the role “%(role)s” has an account in %(sources)s: they cannot decide there",
        role=APPROVER,
        sources=", ".join(without),
    )
    return [CheckResult(what, CheckGrade.NOTE, words, remedy)]


def check_configured_keys(settings: Settings) -> list[CheckResult]:
    """Report people's own keys in the configuration: its readers can decide in their names."""
    found = [
        (name, sorted(keys))
        for name, source in settings.erp.items()
        if isinstance(keys := source.options.get("approvers"), dict) and keys
    ]
    return [
        CheckResult(
            phrase("ERP “%(source)s”", source=name),
            CheckGrade.NOTE,
            phrase("the configuration holds the keys of: %(people)s", people=", ".join(people)),
            phrase(
                "Set http.public_url, let these people enter their keys themselves (/bind %(source)s key), and take"
                " [erp.%(source)s.approvers] away.",
                source=name,
            ),
        )
        for name, people in found
    ]


async def check_index(settings: Settings) -> list[CheckResult]:
    """Check the age of each source's index; no result if the index is off or the database fails."""
    if not settings.index.enabled:
        return []
    try:
        async with look_into_database(settings) as database:
            store = StoredProductIndex(database, database)
            positions = await store.positions()
            counts = {source: await store.count(source) for source in settings.erp}
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
