"""``dingerp gate``: what programs ask leave for, and the key that signs the answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import partial

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.output import align_columns, escape_invisible, format_second
from bot.gate.facts import flat
from bot.gate.request import GateRequest, GateState
from bot.settings import Settings
from bot.store.gate import StoredGateRequests, add_signing_key
from bot.store.program_asks import StoredAskTransactions
from bot.words.errors import ConfigurationError


async def list_requests(settings: Settings, state: str, limit: int, *, zone: tzinfo) -> list[str]:
    """Return a line for each request as it is now. Raises `ConfigurationError` for an unknown state."""
    known = [each.value for each in GateState]
    if state and state not in known:
        raise ConfigurationError(f"--state {state}: there are {', '.join(known)}")
    states, now = [GateState(state)] if state else [], datetime.now(UTC)
    async with open_database(settings, OperatorAction(command="gate list", detail=state)) as database:
        gate = StoredAskTransactions(require_database(database), lambda: now, StoredGateRequests)
        found = [each.at(now) for each in await gate.query(lambda unit: unit.newest(states, limit))]
    rows = [
        (each.id, _told(each), each.gate_class, f"{each.key} of {each.owner}", format_second(each.asked_at, zone))
        for each in found
    ]
    return list(align_columns([("id", "state", "class", "key", "asked"), *rows])) if rows else ["there are no requests"]


async def show_request(settings: Settings, request: str, *, zone: tzinfo) -> list[str]:
    """Return what is known of a request. Raises `ConfigurationError` where there is none with this id."""
    now = datetime.now(UTC)
    async with open_database(settings, OperatorAction(command="gate show", detail=request)) as database:
        gate = StoredAskTransactions(require_database(database), lambda: now, StoredGateRequests)
        found = await gate.query(lambda unit: unit.find(request))
    if found is None:
        raise ConfigurationError(f"there is no request {request}; `dingerp gate list` shows them")
    return [escape_invisible(line) for line in _lines(found.at(now), zone)]


async def rotate_key(settings: Settings) -> str:
    """Make the key that signs from now on, and return what is printed."""
    async with open_database(settings, OperatorAction(command="gate rotate")) as database:
        key = await require_database(database).run(partial(add_signing_key, now=datetime.now(UTC)))
    return f"{key.id} signs from now on"


def _lines(found: GateRequest, zone: tzinfo) -> Iterator[str]:
    yield f"{found.id}: {_told(found)}. {found.reason}"
    yield f"{found.gate_class}: {found.action}"
    yield f"asked by key {found.key} of {found.owner} at {format_second(found.asked_at, zone)}"
    yield f"ends at {format_second(found.expires_at, zone)}; rule: {found.rule or 'none'}, rules {found.policy}"
    for vote in found.votes:
        instead = f" for {vote.on_behalf_of}" if vote.on_behalf_of else ""
        yield f"{vote.verdict} by {vote.user_id}{instead} at level {vote.level}, {format_second(vote.at, zone)}"
    yield f"facts, SHA-256 {found.digest}:"
    yield from (f"  {fact.name} = {fact.value}" for fact in flat(found.facts))
    if found.used_at is not None:
        yield f"used at {format_second(found.used_at, zone)}" + (f"; note: {found.note}" if found.note else "")


def _told(found: GateRequest) -> str:
    return found.state.value if found.outcome is None else f"{found.state.value}, {found.outcome.value}"
