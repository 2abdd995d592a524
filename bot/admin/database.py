"""Opens the bot's database for an operator, whether the bot runs or not, and records that in the audit log."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.access.audit import AuditEntry, AuditKind
from bot.admin.output import count_noun
from bot.bootstrap.database import make_database, wait_until_unused
from bot.settings import Settings
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.engines import sqlite_file
from bot.store.errors import DatabaseInUse, StoreUnavailable
from bot.store.held_rights import hold_rights
from bot.store.owner import own_database
from bot.store.revisions import check_version, is_current, latest_revision
from bot.words.errors import ConfigurationError

_LOOKS, _LOOK_PAUSE = 10, 0.2

_NAMED = 3
"""How many users of the database are named."""

# Seeing the kind of another user's process takes a privilege that we may lack.
_OTHERS: Final = text(
    "SELECT usename, coalesce(host(client_addr), CASE WHEN backend_type IS NOT NULL THEN 'this machine' END) AS place"
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND usename IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """An operator's action on the bot's data: the command, the documents named, and other options in words."""

    command: str
    documents: tuple[str, ...] = ()
    detail: str = ""
    kind: AuditKind = AuditKind.OPERATOR


@asynccontextmanager
async def open_database(settings: Settings, action: OperatorAction | None) -> AsyncIterator[Database | None]:
    """Open the bot's database and record the purpose; None if no bot has used it yet.

    Without a ``action`` the caller records it. Raises `ConfigurationError` for a database of another version, with
    another key, or that cannot be used.
    """
    file = sqlite_file(settings.database)
    if file is not None and not file.exists():
        yield None
        return
    database = make_database(settings)
    try:
        revision = await database.revision()
        check_version(revision)
        if revision is not None and not is_current(revision):
            raise ConfigurationError("the database is of an older version; `dingerp db upgrade` brings it to this one")
        if revision is not None:
            await database.unlock()
            if action is not None:
                await record_action(settings, database, action)
        yield None if revision is None else database
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    finally:
        await database.close()


async def record_action(settings: Settings, database: Database, action: OperatorAction) -> None:
    """Record an operator's action under their account on this machine. Raises `StoreUnavailable`."""
    audit = audit_log(settings, database)
    audit.record(operator_entry(settings, action))
    await audit.flush()


def audit_log(settings: Settings, database: Database) -> StoredAudit:
    """Return the audit log of a database."""
    return StoredAudit(database, AuditWitness(settings.data_dir), on_older=hold_rights)


def operator_entry(settings: Settings, action: OperatorAction) -> AuditEntry:
    """Return the audit entry for the operator's current action."""
    return AuditEntry(
        kind=action.kind,
        at=datetime.now(ZoneInfo(settings.zone)),
        actor=operator(),
        action=action.command,
        documents=action.documents,
        detail=action.detail,
    )


def operator() -> str:
    """Return the user of this shell: the account on this machine, and the one behind ``sudo``."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # in a container, user ids need not have a name
        account = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{account} ({behind})" if behind else account


def require_database(database: Database | None) -> Database:
    """Return the database. Raises `ConfigurationError` if no bot has used it yet."""
    if database is None:
        raise ConfigurationError("there is no database yet; `dingerp run` makes it, and so does `dingerp db upgrade`")
    return database


@asynccontextmanager
async def using(database: Database, *, named: str = "the database") -> AsyncIterator[Database]:
    """Close the database afterwards. Raises `ConfigurationError` where it cannot be used."""
    try:
        yield database
    except StoreUnavailable as error:
        raise ConfigurationError(f"{named} cannot be used: {error.detail}") from error
    finally:
        await database.close()


async def require_alone(database: Database) -> None:
    """Check that nobody else is connected to a PostgreSQL database. Raises `DatabaseInUse`.

    A connection that has just ended stays listed for a moment.
    """
    for _ in range(_LOOKS):
        others = await database.run(_others)
        if not others:
            return
        await asyncio.sleep(_LOOK_PAUSE)
    raise DatabaseInUse(f"others use the database ({_named(others)}); stop every bot that does first")


def _others(connection: Connection) -> list[str]:
    """Return the other connections; PostgreSQL shows their origin only to privileged users."""
    return [f"{row.usename} from {row.place or 'an address unknown'}" for row in connection.execute(_OTHERS)]


def _named(others: list[str]) -> str:
    first = ", ".join(list(dict.fromkeys(others))[:_NAMED])
    return f"{count_noun(len(others), 'connection', 'connections')}: {first}"


async def upgrade_database(settings: Settings) -> str:
    """Upgrade the database to this version while no bot uses it, and create its key if there is none.

    Returns the new revision. Raises `ConfigurationError`.
    """
    with own_database(sqlite_file(settings.database)):
        database = make_database(settings)
        try:
            await wait_until_unused(database)
            await database.migrate()
            await database.unlock()
            await record_action(settings, database, OperatorAction(command="db upgrade", detail=latest_revision()))
        except StoreUnavailable as error:
            raise ConfigurationError(f"the database cannot be used: {error.detail}") from error
        finally:
            await database.close()
    return latest_revision()
