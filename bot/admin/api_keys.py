"""Makes, lists and revokes the keys by which programs ask."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.access.api_keys import API_KEY, EVERY_COMMAND, GATE_SCOPE, PROPOSE_SCOPE, events_scope, make_key
from bot.admin.database import OperatorAction, open_database, operator, record_action, require_database
from bot.bootstrap.exports import askable
from bot.chat.held_rights import HeldRight, HeldRightKind
from bot.chat.parsing import parse_duration
from bot.chat.registry import installed_commands
from bot.settings import Settings
from bot.store.api_keys import StoredApiKeys
from bot.store.held_rights import drop_held, find_held
from bot.store.tables import PERSON
from bot.words.errors import ConfigurationError
from bot.words.spelling import most_alike

LONGEST = timedelta(days=366)
"""For how long a key may be good: what is forgotten ends by itself."""


async def add_key(settings: Settings, owner: str, scopes: Collection[str], expires: str, now: datetime) -> list[str]:
    """Make a key and return what is printed. Raises `ConfigurationError` for what it could not be made of."""
    if not owner.strip():
        raise ConfigurationError("--owner is the userId of a person: a key without an owner could see nothing")
    key, token = make_key(owner.strip(), _known(settings, scopes), now=now, expires_at=_end(expires, now))
    opens = ", ".join(sorted(key.scopes))
    detail = f"key {key.id} of {key.user_id}, {opens}, until {key.expires_at:%Y-%m-%d %H:%M}"
    async with open_database(settings, None) as found:
        database = require_database(found)
        known = await database.read(partial(_is_known, user_id=key.user_id))
        await record_action(settings, database, OperatorAction(command=f"{API_KEY} add", detail=detail))
        await StoredApiKeys(database).put(key)
    return [
        token,
        f"{key.id}: asks as {key.user_id}, opens {opens}, until {key.expires_at:%Y-%m-%d %H:%M}; "
        "keep the line above, nobody can show it again",
        *(() if known else (f"the bot does not know {key.user_id} yet: the key opens nothing until it does",)),
    ]


def _is_known(connection: Connection, user_id: str) -> bool:
    """Return whether a person is known as a member. Raises `ConfigurationError` for one who has left."""
    row = connection.execute(select(PERSON).where(PERSON.c.user_id == user_id)).one_or_none()
    if row is not None and row.left_us is not None and (row.checked_us is None or row.checked_us <= row.left_us):
        raise ConfigurationError(f"{user_id} has left the organisation")
    return row is not None


async def list_keys(settings: Settings, now: datetime) -> list[str]:
    """Return a line for each key."""
    async with open_database(settings, None) as found:
        database = require_database(found)
        keys, held = await StoredApiKeys(database).all(), await database.read(_held)
    lines = [_told_held(right) for right in held]
    for key in keys:
        expires, seen = (at and at.astimezone(now.tzinfo) for at in (key.ends_at, key.seen_at))
        ended = "expired" if key.ends_at <= now else "until"
        used = f"last used {seen:%Y-%m-%d %H:%M}" if seen else "never used"
        by = f", by a login for {key.login.client!r}" if key.login else ""
        lines.append(
            f"{key.id}  {key.user_id}  {', '.join(sorted(key.scopes))}  {ended} {expires:%Y-%m-%d %H:%M}, {used}{by}"
        )
    return lines or ["there are no keys, so there is no API"]


async def revoke_key(settings: Settings, key_id: str) -> str:
    """End a key. Raises `ConfigurationError` where there is none with this id."""
    async with open_database(settings, None) as found:
        database = require_database(found)
        ended = await StoredApiKeys(database).end(key_id, datetime.now(UTC))
        # One that waits since a backup was restored would come back with its owner's word.
        held = [right for right in await database.read(_held) if right.about.startswith(f"{key_id}: ")]
        owner = ended.user_id if ended else held[0].user_id if held else None
        if owner is None:
            raise ConfigurationError(f"there is no key {key_id}; `dingerp api key list` shows them")
        await database.run(partial(drop_held, rights=held, by=operator(), now=datetime.now(UTC)))
        detail = f"key {key_id} of {owner}"
        await record_action(settings, database, OperatorAction(command=f"{API_KEY} revoke", detail=detail))
    return f"{key_id} of {owner} is revoked"


def _told_held(right: HeldRight) -> str:
    key, _, scopes = right.about.partition(": ")
    return f"{key}  {right.user_id}  {scopes}  waits for its owner's /restored"


def _held(connection: Connection) -> tuple[HeldRight, ...]:
    """Return the keys that wait since a backup was restored."""
    return tuple(right for right in find_held(connection) if right.kind is HeldRightKind.API_KEY)


def _known(settings: Settings, scopes: Collection[str]) -> frozenset[str]:
    """Return the commands that a key is to open: each there is, and none that changes something; or another door."""
    asking = {command.name for command in askable(installed_commands()).values() if command.only_asks}
    doors = {GATE_SCOPE, PROPOSE_SCOPE, *map(events_scope, settings.event_sources)}
    for scope in scopes:
        if scope not in {EVERY_COMMAND, *doors, *asking}:
            alike = most_alike(scope, sorted({*asking, *doors}), limit=1)
            mean = f"; did you mean {alike[0]}?" if alike else ""
            raise ConfigurationError(f"--scope {scope} is no command that asks, nor another door{mean}")
    return frozenset(scopes)


def _end(expires: str, now: datetime) -> datetime:
    """Return when a key ends: after a length of time, or with a day."""
    try:
        last = date.fromisoformat(expires)
    except ValueError:
        length = parse_duration(expires)
        ends = None if length is None else now + length
    else:
        ends = datetime.combine(last + timedelta(days=1), time(0), tzinfo=now.tzinfo)
    if ends is None:
        raise ConfigurationError(f"--expires {expires} is no time; examples are 90d and {(now + LONGEST / 4):%Y-%m-%d}")
    if not now < ends <= now + LONGEST:
        raise ConfigurationError(f"--expires {expires}: a key ends within {LONGEST.days} days from now")
    return ends
