"""The statements of the alert repository, built once: building one costs more than running it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)

from bot.outbox.delivery import DeliveryFormat
from bot.outbox.ports import MarkerState
from bot.store.sealed_columns import SealedKeyStart
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, ALERT_NOTE_KEY, DELIVERY, MUTE, WATCH

_A, _C, _M, _N, _D = ALERT.c, ALERT_CARD.c, ALERT_CARD_MEMBER.c, ALERT_NOTE.c, DELIVERY.c

# As text: SQLite uses a partial index only for the exact expression it was created with.
_NOT_CLOSED: Final = text("alert_card.state <> 'closed'")
_HELD: Final = text("alert.held")
_OPEN: Final = text("alert.state = 'open'")

_SOME: Final[BindParameter[Any]] = bindparam("some", expanding=True)

_KEY_START: Final[ColumnClause[str]] = literal_column("substr(alert.key, 1, 18)")
_STARTS: Final[BindParameter[Any]] = bindparam("some", expanding=True, type_=SealedKeyStart("alert.key", 18))
_newest = select(func.max(_A.number)).where(_KEY_START.in_(_STARTS)).group_by(_KEY_START)
LATEST: Final = select(ALERT).where(_A.number.in_(_newest))
ALERTS: Final = select(ALERT).where(_A.id.in_(_SOME))
OPEN_ALERTS: Final = select(ALERT).where(_OPEN).order_by(_A.number.desc()).limit(bindparam("most", type_=Integer))
ENDED_ALERTS: Final = (
    select(ALERT)
    .where(text("alert.state <> 'open'"))
    .order_by(_A.number.desc())
    .limit(bindparam("most", type_=Integer))
)
DUE_ALERTS: Final = (
    select(_A.id)
    .where(_A.due_ms <= bindparam("now"))
    .order_by(_A.due_ms, _A.number)
    .limit(bindparam("most", type_=Integer))
)
LAST_ALERT: Final = select(func.max(_A.number))
INSERT_ALERT: Final = insert(ALERT).inline()
UPDATE_ALERT: Final = (
    update(ALERT)
    .where(_A.number == bindparam("which"))
    .values({name: bindparam(name) for name in _A.keys() if name not in ("number", "id", "key", "opened_ms", "pack")})  # noqa: SIM118 - the columns' names
)
HELD_ALERTS: Final = select(ALERT).where(_HELD)

CARDS: Final = select(ALERT_CARD).where(_C.id.in_(_SOME)).order_by(_C.number)
MEMBERSHIPS: Final = select(_M.card, _M.alert).where(_M.alert.in_(_SOME))
OPEN_ON: Final = (
    select(ALERT)
    .where(_A.id.in_(select(_M.alert).where(_M.card == bindparam("card"))), _A.state == "open")
    .order_by(_A.number.desc())
    .limit(bindparam("most", type_=Integer))
)
OPEN_CARD: Final = select(ALERT_CARD).where(
    _C.place == bindparam("place"), _C.shared == bindparam("shared"), _NOT_CLOSED
)
OPEN_CARDS_OF: Final = select(ALERT_CARD).where(_C.shared.in_(_SOME), _NOT_CLOSED)
# Rows of the queue that had to wait; there are few.
WAITING_DIGEST: Final = (
    select(ALERT_CARD)
    .join(DELIVERY, _D.card == _C.id)
    .where(
        text("delivery.state = 'queued'"),
        _D.place == bindparam("place"),
        _D.next_ms > bindparam("now"),
        and_(_D.shown == 0, _D.doubt == 0, _D.lease == ""),
        and_(_C.digest != "", _NOT_CLOSED),
    )
    .order_by(_C.number)
    .limit(1)
)
CARDS_AT: Final = (
    select(ALERT_CARD)
    .where(_C.place == bindparam("place"), _NOT_CLOSED)
    .order_by(_C.number.desc())
    .limit(bindparam("most", type_=Integer))
)
DUE_CARDS: Final = (
    select(_C.id)
    .where(_C.due_ms <= bindparam("now"))
    .order_by(_C.due_ms, _C.number)
    .limit(bindparam("most", type_=Integer))
)
LAST_CARD: Final = select(func.max(_C.number))
INSERT_CARD: Final = insert(ALERT_CARD).inline()
UPDATE_CARD: Final = (
    update(ALERT_CARD)
    .where(_C.number == bindparam("which"))
    .values({name: bindparam(name) for name in _C.keys() if name not in ("number", "id", "place", "opened_ms")})  # noqa: SIM118 - the columns' names
)

MEMBERS: Final = select(ALERT_CARD_MEMBER).where(_M.card.in_(_SOME)).order_by(_M.card, _M.position)
INSERT_MEMBER: Final = insert(ALERT_CARD_MEMBER).inline()
# Alerts already in the other digest stay there, and are deleted with their card.
MOVE_MEMBERS: Final = (
    update(ALERT_CARD_MEMBER)
    .where(_M.card == bindparam("which"), _M.alert.not_in(select(_M.alert).where(_M.card == bindparam("to"))))
    .values(card=bindparam("to"))
)
DELETE_MEMBERS: Final = delete(ALERT_CARD_MEMBER).where(_M.card == bindparam("which"))

NEXT_DUE: Final = select(
    func.min(
        union_all(select(func.min(_A.due_ms).label("due")).where(_A.due_ms.is_not(None)), select(func.min(_C.due_ms)))
        .subquery()
        .c.due
    )
)

MUTES: Final = (
    select(MUTE).where(MUTE.c.place == bindparam("place"), MUTE.c.until_ms > bindparam("now")).order_by(MUTE.c.made_ms)
)
WATCHES_ON: Final = select(WATCH).where(WATCH.c.folded.in_(_SOME)).order_by(WATCH.c.made_ms, WATCH.c.id)
WATCHES: Final = select(WATCH).order_by(WATCH.c.made_ms, WATCH.c.id)

STANDING_BOXES: Final = select(_D.ref).where(_D.via == DeliveryFormat.TOP, _D.standing == MarkerState.OPEN)

INSERT_NOTE: Final = insert(ALERT_NOTE).returning(_N.number)
INSERT_NOTE_KEY: Final = insert(ALERT_NOTE_KEY).inline()
DELETE_NOTE_KEY: Final = delete(ALERT_NOTE_KEY).where(
    ALERT_NOTE_KEY.c.key == bindparam("key"), ALERT_NOTE_KEY.c.note == bindparam("note")
)


def notes_with(key: str) -> Select[tuple[int]]:
    """Return the query for the history rows with lines about an event or an alert."""
    return select(ALERT_NOTE_KEY.c.note).where(ALERT_NOTE_KEY.c.key == key)


HISTORY: Final = select(ALERT_NOTE).order_by(_N.number).limit(bindparam("most", type_=Integer))
