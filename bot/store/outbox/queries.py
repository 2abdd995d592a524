"""State changes of outbox rows as SQL: when a new state is queued, and when an attempt has ended."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_
from sqlalchemy.sql import Executable

from bot.outbox.delivery import DeliveryFormat, DeliveryResult, DeliveryState, DeliveryStepKind, OutboxRow
from bot.outbox.place import Place
from bot.store.statements import insert_into
from bot.store.tables import DELIVERY

_D = DELIVERY.c

UNSEEN = and_(_D.state == DeliveryState.DEAD, _D.shown == 0, _D.doubt == 0)
"""Given up, and certainly not shown anywhere: it may start again, as a card."""

REQUEUED = {
    "via": case((and_(UNSEEN, _D.via == DeliveryFormat.TEXT), DeliveryFormat.CARD), else_=_D.via),
    "making": case((UNSEEN, _D.making + 1), else_=_D.making),
}
"""The changes of a dead delivery that is requeued."""


@lru_cache(maxsize=2)
def upsert(dialect: str) -> Executable:
    """Return the insert that queues a card, or merges into the queued one."""
    adding = insert_into(DELIVERY, dialect)
    new = adding.excluded
    queued = _D.state == DeliveryState.QUEUED
    newer = new.wanted > _D.wanted
    # A row being sent covers what is due already; later states keep their own time.
    served = and_(_D.lease != "", _D.due_ms <= new.changed_ms)
    fresh = or_(_D.state != DeliveryState.QUEUED, served)
    due = case((fresh, new.due_ms), (_D.due_ms < new.due_ms, _D.due_ms), else_=new.due_ms)
    # After a failure, or without budget, a row waits beyond its time; only something more urgent ends that.
    held_back = and_(queued, _D.lease == "", _D.next_ms > _D.due_ms, new.urgency >= _D.urgency)
    again_as = {name: case((newer, value), else_=_D[name]) for name, value in REQUEUED.items()}
    return adding.on_conflict_do_update(
        index_elements=["card"],
        set_={
            **again_as,
            "place": new.place,
            "also": new.also,
            "kind": new.kind,
            "ref": new.ref,
            "fact": new.fact,
            "urgency": case((and_(queued, _D.urgency < new.urgency), _D.urgency), else_=new.urgency),
            "state": case((newer, DeliveryState.QUEUED), else_=_D.state),
            "wanted": case((newer, new.wanted), else_=_D.wanted),
            "tries": case((queued, _D.tries), else_=0),
            "due_ms": due,
            "next_ms": case((held_back, _D.next_ms), else_=due),
            "changed_ms": new.changed_ms,
        },
    )


def write_places(places: Iterable[Place]) -> str:
    """Return places in the form of the column ``also``."""
    return "\n".join(map(str, places))


def read_places(stored: str) -> tuple[Place, ...]:
    """Return the places written by `write_places`."""
    return tuple(map(Place.parse, stored.splitlines()))


def stands_at(place: Place) -> ColumnElement[bool]:
    """Return the condition that a card is at a place, alone or with others."""
    lines = literal("\n") + _D.also + "\n"
    return or_(_D.place == str(place), lines.contains(f"\n{place}\n", autoescape=True))


def step(
    card: str, at: int, what: DeliveryStepKind, revision: int, *, late: int = 0, detail: str = ""
) -> dict[str, Any]:
    """Return a row of a delivery's steps."""
    return {"card": card, "at_ms": at, "what": what, "revision": revision, "late_ms": late, "detail": detail}


def settled_values(row: OutboxRow, result: DeliveryResult, at: int, again: int) -> dict[str, Any]:
    """Return the changes to a row after an attempt at ``at``; a state queued meanwhile stays queued."""
    values: dict[str, Any] = {"lease": "", "lease_ms": 0, "changed_ms": at, "reason": result.reason}
    values["trouble"] = result.trouble
    newer = _D.wanted > max(result.revision, row.wanted)
    doubt: dict[str, Any] = {"doubt": row.doubt} if result.certain and not row.shown else {}
    if not result.certain:
        values["track"] = result.track_id
    match result.what:
        case DeliveryStepKind.SENT | DeliveryStepKind.UPDATED | DeliveryStepKind.WRITTEN:
            shown = {"shown": result.revision, "made_as": result.made_as, "track": result.track_id}
            shown["standing"] = result.standing
            wanted = case((_D.wanted < result.revision, result.revision), else_=_D.wanted)
            return values | _ended(newer, DeliveryState.DONE) | shown | {"wanted": wanted, "doubt": 0}
        case DeliveryStepKind.KEPT | DeliveryStepKind.NOTHING:
            return values | _ended(newer, DeliveryState.DONE) | doubt
        case DeliveryStepKind.FOLDED | DeliveryStepKind.SEPARATED:
            # Other cards now show what their composer withdrew, whatever was queued before.
            return values | _ended(and_(newer, _D.state == DeliveryState.QUEUED), DeliveryState.FOLDED) | doubt
        case DeliveryStepKind.DEAD:
            return values | _ended(newer, DeliveryState.DEAD) | doubt
        case DeliveryStepKind.NO_CARD:
            return values | {"via": DeliveryFormat.TEXT, "doubt": 0, "next_ms": again}
        case DeliveryStepKind.GONE:
            gone = {"shown": 0, "doubt": 0, "made_as": "", "next_ms": again}
            return values | gone | {"tries": _D.tries + 1}
        case _:
            return values | doubt | {"next_ms": again, "tries": _D.tries + int(result.counts)}


def _ended(newer: Any, state: DeliveryState) -> dict[str, Any]:
    """Return the final state, or the queued one if a higher revision came during sending."""
    return {"state": case((newer, DeliveryState.QUEUED), else_=state), "tries": 0}
