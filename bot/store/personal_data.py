"""The database's data on a person: exported as stored, and erased unless it is evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, ColumnElement, Table, delete, select, update
from sqlalchemy.engine import Connection

from bot.outbox.delivery import DeliveryState, DeliveryStepKind
from bot.outbox.place import Place, PlaceKind
from bot.store.outbox.queries import read_places, stands_at, write_places
from bot.store.row_times import to_ms
from bot.store.statements import chunks
from bot.store.tables import (
    ABSENCE,
    AGENT_GRANT,
    ALERT,
    ALERT_WAIT,
    API_KEY,
    APPROVAL_AUDIT,
    APPROVAL_CARD,
    APPROVAL_DECISION,
    APPROVAL_PERSON,
    APPROVAL_VOTE,
    AUDIT,
    CREATION,
    DECISION_WAIT,
    DELIVERY,
    DELIVERY_STEP,
    DIALOGUE,
    ERP_ACCOUNT,
    ERP_KEY,
    ERP_KEY_LINK,
    HELD_RIGHT,
    INBOX,
    LANGUAGE,
    MUTE,
    PAGE_CONFIRMATION,
    PAGE_SESSION,
    PERSON,
    PROPOSAL,
    RULE_VERSION,
    STANDING_ANSWER,
    SUBSCRIPTION,
    UNREAD_SENTENCE,
    WATCH,
)
from bot.store.unread_sentences import asker_digests

ERASED = "erased"
"""Replaces the person where deleting the row would lose other people's data."""

_BATCH = 1_000


class ErasureReport(NamedTuple):
    """For each table, the number of rows erased, and of rows kept as evidence."""

    erased: Mapping[str, int]
    kept: Mapping[str, int]


_OWN: tuple[tuple[Table, Column[str]], ...] = (
    (PERSON, PERSON.c.user_id),
    (LANGUAGE, LANGUAGE.c.user_id),
    (DIALOGUE, DIALOGUE.c.user_id),
    (WATCH, WATCH.c.user_id),
    (STANDING_ANSWER, STANDING_ANSWER.c.user_id),
    (SUBSCRIPTION, SUBSCRIPTION.c.user_id),
    (ERP_ACCOUNT, ERP_ACCOUNT.c.user_id),
    (ERP_KEY, ERP_KEY.c.user_id),
    (ERP_KEY_LINK, ERP_KEY_LINK.c.user_id),
    (HELD_RIGHT, HELD_RIGHT.c.user_id),
    (ABSENCE, ABSENCE.c.user_id),
    (PAGE_SESSION, PAGE_SESSION.c.user_id),
    (API_KEY, API_KEY.c.user_id),
    (AGENT_GRANT, AGENT_GRANT.c.user_id),
    (PROPOSAL, PROPOSAL.c.owner),
    (PAGE_CONFIRMATION, PAGE_CONFIRMATION.c.user_id),
    (CREATION, CREATION.c.user_id),
)
"""Rows about this person alone."""

_SECRET = frozenset(
    {
        ERP_KEY.c.secret,
        ERP_KEY_LINK.c.digest,
        HELD_RIGHT.c.content,
        PAGE_SESSION.c.digest,
        PAGE_CONFIRMATION.c.session,
        API_KEY.c.digest,
        AGENT_GRANT.c.code,
        AGENT_GRANT.c.family,
        AGENT_GRANT.c.refresh,
    }
)
"""Columns that are never exported, not even for the person concerned: exports may be left lying around."""

_EVIDENCE: tuple[tuple[Table, Column[str]], ...] = (
    (APPROVAL_VOTE, APPROVAL_VOTE.c.user_id),
    (APPROVAL_DECISION, APPROVAL_DECISION.c.user_id),
    (APPROVAL_PERSON, APPROVAL_PERSON.c.user_id),
    (APPROVAL_CARD, APPROVAL_CARD.c.for_user),
    (APPROVAL_AUDIT, APPROVAL_AUDIT.c.user_id),
    (RULE_VERSION, RULE_VERSION.c.author),
    (RULE_VERSION, RULE_VERSION.c.publisher),
    (AUDIT, AUDIT.c.actor),
)
"""Who decided the company's purchases, and who could have; who wrote its rules; and who saw or did what, in a chain
that nobody changes."""


_FIGURES: tuple[tuple[Table, Column[str]], ...] = (
    (DECISION_WAIT, DECISION_WAIT.c.person),
    (ALERT_WAIT, ALERT_WAIT.c.person),
)
"""What counts in figures also without a name."""


def export_person(connection: Connection, user_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return each row about a person with the name of its table."""
    for table, column in (*_OWN, (ABSENCE, ABSENCE.c.substitute), (MUTE, MUTE.c.author), *_FIGURES, *_EVIDENCE):
        shown = [each for each in table.c if each not in _SECRET]
        for row in connection.execute(select(*shown).where(column == user_id)):
            yield table.name, _values(row)
    for row in connection.execute(select(DELIVERY).where(stands_at(_own_chat(user_id)))):
        yield DELIVERY.name, _values(row)
    for row in connection.execute(select(DELIVERY_STEP).where(*_clicks(user_id))):
        yield DELIVERY_STEP.name, _values(row)
    for condition in _asked_unread(connection, user_id):
        for row in connection.execute(select(UNREAD_SENTENCE).where(condition)):
            yield UNREAD_SENTENCE.name, _values(row)
    for row in _questions(connection, user_id):
        yield INBOX.name, _values(row)
    for row in _handled_alerts(connection, user_id):
        yield ALERT.name, {"id": row.id, "hands": row.hands}


def erase_person(connection: Connection, user_id: str, now: datetime) -> ErasureReport:
    """Delete what is the person's own, and replace them by `ERASED` where others are involved too.

    Mutes stay until they expire, and a card still queued for them is sent.
    """
    erased = {table.name: connection.execute(delete(table).where(column == user_id)).rowcount for table, column in _OWN}
    questions = [row.msg_id for row in _questions(connection, user_id)]
    for msg_id in questions:
        connection.execute(delete(INBOX).where(INBOX.c.msg_id == msg_id))
    erased[INBOX.name] = len(questions)
    erased[UNREAD_SENTENCE.name] = sum(
        connection.execute(delete(UNREAD_SENTENCE).where(condition)).rowcount
        for condition in _asked_unread(connection, user_id)
    )
    erased[DELIVERY.name] = _forget_deliveries(connection, _own_chat(user_id))
    clicks = update(DELIVERY_STEP).where(*_clicks(user_id)).values(detail=ERASED)
    erased[DELIVERY_STEP.name] = connection.execute(clicks).rowcount
    stood_in = update(ABSENCE).where(ABSENCE.c.substitute == user_id).values(substitute="")
    erased[ABSENCE.name] += connection.execute(stood_in).rowcount
    over = delete(MUTE).where(MUTE.c.author == user_id, MUTE.c.until_ms <= to_ms(now))
    mutes = connection.execute(over).rowcount
    in_force = update(MUTE).where(MUTE.c.author == user_id).values(author=ERASED)
    erased[MUTE.name] = mutes + connection.execute(in_force).rowcount
    for table, column in _FIGURES:
        # A name of its own, which leads to nobody: several may have voted on one case.
        nameless = update(table).where(column == user_id).values({column.name: f"{ERASED}-{token_hex(4)}"})
        erased[table.name] = connection.execute(nameless).rowcount
    alerts = _handled_alerts(connection, user_id)
    for row in alerts:
        hands = _without(row.hands, user_id)
        connection.execute(update(ALERT).where(ALERT.c.number == row.number).values(hands=hands))
    erased[ALERT.name] = len(alerts)
    kept = Counter[str]()
    for table, column in _EVIDENCE:
        kept[table.name] += len(connection.execute(select(column).where(column == user_id)).all())
    return ErasureReport(erased, kept)


def _values(row: Any) -> dict[str, Any]:
    """Return a row with plain strings as names: JSON does not support SQLAlchemy's own type."""
    return {str(name): value for name, value in row._mapping.items()}


def _own_chat(user_id: str) -> Place:
    return Place(PlaceKind.PERSON, user_id)


def _forget_deliveries(connection: Connection, own_chat: Place) -> int:
    """Delete what was sent to a person; a card shared with others stays theirs."""
    sent = DELIVERY.c.state != DeliveryState.QUEUED
    shared = connection.execute(select(DELIVERY).where(sent, DELIVERY.c.also != "", stands_at(own_chat))).all()
    for row in shared:
        places = [place for place in (Place.parse(row.place), *read_places(row.also)) if place != own_chat]
        left = {
            "place": str(places[0]),
            "also": write_places(places[1:]),
            "ref": "|".join(part for part in row.ref.split("|") if part != str(own_chat)),
            "standing": _standing_without(row.standing, own_chat.id),
        }
        connection.execute(update(DELIVERY).where(DELIVERY.c.card == row.card).values(left))
    alone = delete(DELIVERY).where(sent, DELIVERY.c.place == str(own_chat), DELIVERY.c.also == "")
    return connection.execute(alone).rowcount + len(shared)


def _standing_without(standing: str, user_id: str) -> str:
    """Return a to-do without a person."""
    if not standing.startswith("{"):
        return standing
    found = orjson.loads(standing)
    lists = {
        name: [user for user in value if user != user_id] for name, value in found.items() if isinstance(value, list)
    }
    return orjson.dumps({**found, **lists}).decode()


def _clicks(user_id: str) -> tuple[Any, ...]:
    return (DELIVERY_STEP.c.what == DeliveryStepKind.CLICKED, DELIVERY_STEP.c.detail == user_id)


def _asked_unread(connection: Connection, user_id: str) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of the rows that count what a person asked and the bot did not understand."""
    return (UNREAD_SENTENCE.c.asker.in_(some) for some in chunks(asker_digests(connection, user_id)))


def _questions(connection: Connection, user_id: str) -> list[Any]:
    """Return the unanswered questions: answered ones have lost their text and sender."""
    waiting = connection.execute(select(INBOX).where(INBOX.c.payload != ""))
    return [row for row in waiting if _sender(row.payload) == user_id]


def _sender(payload: str) -> object:
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return message.get("senderStaffId") if isinstance(message, dict) else None


def _handled_alerts(connection: Connection, user_id: str) -> list[Any]:
    """Return the alerts that the person acknowledged, snoozed, or was assigned: these columns are sealed, so all rows
    are read.
    """
    found: list[Any] = []
    last = 0
    while True:
        columns = select(ALERT.c.number, ALERT.c.id, ALERT.c.hands).where(ALERT.c.number > last)
        rows = connection.execute(columns.order_by(ALERT.c.number).limit(_BATCH)).all()
        found += [row for row in rows if user_id in _people(row.hands)]
        if len(rows) < _BATCH:
            return found
        last = rows[-1].number


def _people(hands: str) -> set[str]:
    return {stamp[0] for stamp in orjson.loads(hands).values()} if hands else set()


def _without(hands: str, user_id: str) -> str:
    stamps = orjson.loads(hands)
    gone = {name: [ERASED, ERASED, *stamp[2:]] if stamp[0] == user_id else stamp for name, stamp in stamps.items()}
    return orjson.dumps(gone).decode()
