"""What programs ask leave for, in the bot's database."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection

from bot.approvals.plan import ApprovalPlan, Vote
from bot.gate.cards import GATE_SOURCE, gate_cards
from bot.gate.request import GateRequest, GateState
from bot.gate.verdict import SigningKey
from bot.outbox.delivery import Delivery
from bot.store.approvals.rows import PLAN, VOTE
from bot.store.program_asks import WITH_COLUMNS, StoredAsks
from bot.store.record_codec import PlainCodec, RecordCodec
from bot.store.row_times import duration_from_us, duration_to_us, from_us, to_us
from bot.store.tables import GATE_KEY, GATE_REQUEST
from bot.words.phrase import Phrase, pack_words, phrase, unpack_words

_R, _K = GATE_REQUEST.c, GATE_KEY.c
_ONE_KEY = "the key of verdicts"
"""What is locked while it is made."""
_COUNTED = (GateState.PENDING, GateState.ALLOWED, GateState.USED, GateState.UNCERTAIN)


class StoredGateRequests(StoredAsks[GateRequest]):
    """Implements `bot.gate.request.GateRepository`."""

    table = GATE_REQUEST
    columns = ("gate_class",)
    states = GateState
    source = GATE_SOURCE
    codec = RecordCodec(
        GateRequest,
        {
            datetime: PlainCodec(to_us, from_us),
            timedelta: PlainCodec(duration_to_us, duration_from_us),
            Phrase: PlainCodec(pack_words, unpack_words),
            ApprovalPlan: PLAN,
            Vote: VOTE,
        },
        skip={*WITH_COLUMNS, "gate_class"},
    )

    def cards_of(self, ask: GateRequest) -> Iterator[Delivery]:
        return gate_cards(ask, self.now)

    def granted_since(self, key: str, gate_class: str, begin: datetime) -> int:
        self.lock(f"{key} {gate_class}")
        counted = (
            _R.key_id == key,
            _R.gate_class == gate_class,
            _R.asked_us >= to_us(begin),
            _R.state.in_([state.value for state in _COUNTED]),
        )
        return int(self._connection.scalar(select(func.count()).where(*counted)) or 0)

    def waiting(self, limit: int) -> Sequence[GateRequest]:
        query = select(GATE_REQUEST).where(_R.state == GateState.PENDING.value, _R.due_us.is_not(None))
        return self.read(query.order_by(_R.due_us, _R.id).limit(limit))

    def newest(self, states: Sequence[GateState], limit: int) -> Sequence[GateRequest]:
        """Return requests in these states, or in any if none is given, the newest first; for operators."""
        query = select(GATE_REQUEST).order_by(_R.asked_us.desc(), _R.id).limit(limit)
        return self.read(query.where(_R.state.in_([state.value for state in states])) if states else query)

    def signing_keys(self) -> Sequence[SigningKey]:
        found = self._signing_keys()
        if not found and self._locking:
            self.lock(_ONE_KEY)
            if not (found := self._signing_keys()):
                found = [add_signing_key(self._connection, self.now)]
        return found

    def _signing_keys(self) -> list[SigningKey]:
        rows = self._connection.execute(select(GATE_KEY).order_by(_K.made_us.desc(), _K.id))
        return [SigningKey(b64decode(row.secret), from_us(row.made_us)) for row in rows]


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
    for found in requests.readable(_R.state.in_([GateState.PENDING.value, GateState.ALLOWED.value])):
        requests.put(found.moved(GateState.WITHDRAWN, phrase("A backup was restored: ask again.")))
    requests.flush()
