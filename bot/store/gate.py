"""What programs ask leave for, in the bot's database: a change and its entry in the audit log are one transaction."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.access.audit import AuditEntry
from bot.approvals.plan import ApprovalPlan, Vote
from bot.gate.cards import GATE_SOURCE, gate_cards
from bot.gate.request import GateConflict, GateRequest, GateState
from bot.gate.verdict import SigningKey
from bot.outbox.delivery import Delivery
from bot.store.approvals.rows import PLAN, VOTE
from bot.store.audit.entries import append_entries
from bot.store.chat.standing_answers import redraw_answers
from bot.store.database import Database
from bot.store.outbox.queue import enqueue
from bot.store.record_codec import PlainCodec, RecordCodec, pack_body
from bot.store.row_times import duration_from_us, duration_to_us, from_us, to_us
from bot.store.tables import GATE_KEY, GATE_REQUEST
from bot.store.transactions import StoredTransactions, begin_immediate
from bot.store.unreadable_rows import read_readable
from bot.words.phrase import Phrase, pack_words, phrase, unpack_words

_R, _K = GATE_REQUEST.c, GATE_KEY.c
_BODY = RecordCodec(
    GateRequest,
    {
        datetime: PlainCodec(to_us, from_us),
        timedelta: PlainCodec(duration_to_us, duration_from_us),
        Phrase: PlainCodec(pack_words, unpack_words),
        ApprovalPlan: PLAN,
        Vote: VOTE,
    },
    skip={"id", "key", "asked_as", "gate_class", "state", "asked_at"},
)
"""A row's JSON: the fields without columns."""
_COUNTED = (GateState.PENDING, GateState.ALLOWED, GateState.USED, GateState.UNCERTAIN)
_LOCK = text("SELECT pg_advisory_xact_lock(:area, hashtext(:budget))")
_LOCK_AREA = 0x67617465
"""Distinguishes the locks of budgets from other advisory locks in the database."""
_ONE_KEY = text("SELECT pg_advisory_xact_lock(:area, 0)")


class StoredGateRequests:
    """Implements `bot.gate.request.GateRepository` within one transaction; `flush` writes the cards and the log.

    Answers that show a request are drawn again when it changes.
    """

    def __init__(self, connection: Connection, now: datetime, *, locking: bool = True) -> None:
        """Without ``locking`` it is read-only."""
        self.now = now
        self._connection = connection
        self._locking = locking
        self._known: dict[str, tuple[str, GateRequest]] = {}
        """The requests by id that are stored, each with its JSON."""
        self._changed: dict[tuple[str, str], datetime] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._entries: list[AuditEntry] = []

    def find(self, request: str) -> GateRequest | None:
        return self._one(_R.id == request)

    def asked_as(self, key: str, asked_as: str) -> GateRequest | None:
        return self._one(_R.key_id == key, _R.asked_as == asked_as)

    def granted_since(self, key: str, gate_class: str, begin: datetime) -> int:
        self._lock(_LOCK, budget=f"{key} {gate_class}")
        counted = (
            _R.key_id == key,
            _R.gate_class == gate_class,
            _R.asked_us >= to_us(begin),
            _R.state.in_([state.value for state in _COUNTED]),
        )
        return int(self._connection.scalar(select(func.count()).where(*counted)) or 0)

    def put(self, request: GateRequest) -> None:
        row = _row(request, *self._known.get(request.id, ("", None)))
        self._changed[GATE_SOURCE, request.id] = self.now
        if request.id in self._known:
            self._connection.execute(update(GATE_REQUEST).where(_R.id == request.id).values(row))
        else:
            try:
                self._connection.execute(insert(GATE_REQUEST).values(row))
            except IntegrityError as error:
                raise GateConflict(request.id) from error
        self._known[request.id] = row["body"], request

    def waiting(self, limit: int) -> Sequence[GateRequest]:
        query = select(GATE_REQUEST).where(_R.state == GateState.PENDING.value, _R.due_us.is_not(None))
        rows = self._connection.execute(query.order_by(_R.due_us, _R.id).limit(limit))
        return [_request(row) for row in rows]

    def newest(self, states: Sequence[GateState], limit: int) -> Sequence[GateRequest]:
        """Return requests in these states, or in any if none is given, the newest first; for operators."""
        query = select(GATE_REQUEST).order_by(_R.asked_us.desc(), _R.id).limit(limit)
        if states:
            query = query.where(_R.state.in_([state.value for state in states]))
        return [_request(row) for row in self._connection.execute(query)]

    def due(self, limit: int) -> Sequence[str]:
        query = select(_R.id).where(_R.due_us <= to_us(self.now)).order_by(_R.due_us).limit(limit)
        return self._connection.execute(query).scalars().all()

    def signing_keys(self) -> Sequence[SigningKey]:
        found = self._signing_keys()
        if not found and self._locking:
            self._lock(_ONE_KEY)
            if not (found := self._signing_keys()):
                found = [add_signing_key(self._connection, self.now)]
        return found

    def record(self, entry: AuditEntry) -> None:
        self._entries.append(entry)

    def deliver(self, delivery: Delivery) -> None:
        self._deliveries[delivery.card] = delivery

    def flush(self) -> None:
        """Write the queued cards and the entries."""
        enqueue(self._connection, *self._deliveries.values(), now=self.now)
        redraw_answers(self._connection, self._changed, self.now)
        if self._entries:
            # Last, since all processes wait for the end of the one chain.
            append_entries(self._connection, self._entries)
        self._deliveries, self._entries, self._changed = {}, [], {}

    def _one(self, *conditions: Any) -> GateRequest | None:
        query = select(GATE_REQUEST).where(*conditions)
        row = self._connection.execute(query.with_for_update() if self._locking else query).one_or_none()
        if row is None:
            return None
        request = _request(row)
        self._known[row.id] = row.body, request
        return request

    def _signing_keys(self) -> list[SigningKey]:
        rows = self._connection.execute(select(GATE_KEY).order_by(_K.made_us.desc(), _K.id))
        return [SigningKey(b64decode(row.secret), from_us(row.made_us)) for row in rows]

    def _lock(self, lock: Any, **values: str) -> None:
        if self._locking and self._connection.dialect.name == "postgresql":
            self._connection.execute(lock, {"area": _LOCK_AREA, **values})


class StoredGate(StoredTransactions[StoredGateRequests]):
    """Transactions on the requests."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        super().__init__(
            database,
            begin=begin_immediate,
            writing=lambda connection: StoredGateRequests(connection, now()),
            reading=lambda connection: StoredGateRequests(connection, now(), locking=False),
        )


def add_signing_key(connection: Connection, now: datetime) -> SigningKey:
    """Make the key that signs from now on."""
    key = SigningKey.new(now)
    values = {"id": key.id, "made_us": to_us(now), "secret": b64encode(key.secret).decode()}
    connection.execute(insert(GATE_KEY).values(values))
    return key


def drop_signing_keys(connection: Connection, replaced_before: datetime) -> int:
    """Delete the keys that were replaced before then, and so sign nothing that is still good; return their number."""
    made = connection.execute(select(_K.id, _K.made_us).order_by(_K.made_us.desc(), _K.id)).all()
    old = [row.id for newer, row in pairwise(made) if newer.made_us < to_us(replaced_before)]
    return connection.execute(delete(GATE_KEY).where(_K.id.in_(old))).rowcount if old else 0


def end_open_requests(connection: Connection, now: datetime) -> None:
    """Take back all that a restored backup brought back undecided or unused: it may have been used since."""
    requests = StoredGateRequests(connection, now)
    still_open = select(GATE_REQUEST).where(_R.state.in_([GateState.PENDING.value, GateState.ALLOWED.value]))
    for row in read_readable(connection, GATE_REQUEST, still_open):
        found = requests.find(row.id)
        assert found is not None, "it was there in this transaction"
        ended = found.moved(GateState.WITHDRAWN, phrase("A backup was restored: ask again."))
        requests.put(ended)
        for card in gate_cards(ended, now):
            requests.deliver(card)
    requests.flush()


def forget_requests(connection: Connection, before: datetime) -> int:
    """Delete requests of before then that time changes no more, and return their number. The audit log stays."""
    over = delete(GATE_REQUEST).where(_R.asked_us < to_us(before), _R.due_us.is_(None))
    return connection.execute(over).rowcount


def _row(request: GateRequest, body: str, known: GateRequest | None) -> dict[str, Any]:
    return {
        "id": request.id,
        "key_id": request.key,
        "asked_as": request.asked_as,
        "gate_class": request.gate_class,
        "state": request.state.value,
        "asked_us": to_us(request.asked_at),
        "due_us": None if request.due_at is None else to_us(request.due_at),
        "body": pack_body(_BODY.write(request), body, None if known is None else _BODY.write(known)),
    }


def _request(row: Any) -> GateRequest:
    return _BODY.read(
        orjson.loads(row.body),
        id=row.id,
        key=row.key_id,
        asked_as=row.asked_as,
        gate_class=row.gate_class,
        state=GateState(row.state),
        asked_at=from_us(row.asked_us),
    )
