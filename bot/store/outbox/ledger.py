"""The ledger: existing cards, recorded in a file outside the database, so that a database which lost its last writes is
noticed at the start, and the cards unknown to it are reviewed.

SQLite without its log, a restored file and PostgreSQL at an older point all look intact. The missing cards still stand
in people's chats: one that nothing follows any more would ask for a decision for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.mechanisms.private_files import make_private_file, make_private_folder, replace_private_file
from bot.outbox.delivery import LOST_TRACK, DeliveryState, DeliveryStepKind
from bot.store.outbox.queries import step
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import chunks, insert_into
from bot.store.tables import DELIVERY, DELIVERY_STEP, HEARTBEAT
from bot.store.transactions import begin_immediate

log = structlog.get_logger(__name__)

LEDGER_FILE: Final = "cards.ledger"
"""The file name in the data folder."""

MOST_CARDS: Final = 20_000
"""The newest cards kept when the file is rewritten."""
LARGEST: Final = 16_000_000
"""Bytes beyond which that happens while the bot runs; a card takes some 400."""

CLOCKS_DIFFER_MS: Final = 3_000
"""The possible clock difference of processes that share a database; heartbeats are further apart."""

REVIEW_AFTER_MS: Final = 120_000
"""The delay before an unknown card is checked: by then the ERPs have been asked anew for waiting orders."""

_D = DELIVERY.c
_BEAT_DIGITS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedCard:
    """A card as recorded, in the columns of its delivery; ``shown`` is 0 for a removed one."""

    card: str
    place: str
    also: str
    kind: str
    ref: str
    urgency: int
    via: str
    shown: int
    made_as: str
    making: int
    standing: str
    track: str
    changed_ms: int


_COLUMNS: Final = tuple(field.name for field in fields(NotedCard))


@dataclass(frozen=True, slots=True)
class LostWrites:
    """A database lacks its last writes: ``cards`` are reviewed; ``since`` is when it was certainly complete, None if
    unknown; ``until`` is the last known write.
    """

    cards: int
    since: datetime | None
    until: datetime


class CardLedger:
    """Keeps the ledger in a folder. The first line is the last heartbeat, each other one a card; for each card the last
    line counts.

    Nothing waits for the disk: a power cut may lose the last lines, as it may lose the last commits.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / LEDGER_FILE
        self._writing = Lock()
        self._is_told = False

    def beat(self, at_ms: int) -> None:
        """Record the time of a heartbeat stored in the database. Raises `OSError`."""
        with self._writing:
            self._prepare()
            with self.file.open("r+b") as stream:
                stream.write(_beat_line(at_ms))

    def note(self, cards: Sequence[NotedCard]) -> None:
        """Append cards in their current state. Raises `OSError`."""
        with self._writing:
            self._prepare()
            with self.file.open("ab") as stream:
                stream.write(b"".join(map(_card_line, cards)))
                size = stream.tell()
        if size > LARGEST:
            self.tidy()

    def try_to(self, write: Callable[[], None]) -> None:
        """Write, or log once that it failed: the only harm is that a loss in the database would go unnoticed."""
        try:
            write()
        except OSError as error:
            if not self._is_told:
                log.warning("outbox.not_noted", file=str(self.file), error=error.strerror)
            self._is_told = True
        else:
            self._is_told = False

    def read(self) -> tuple[NotedCard, ...]:
        """Return the existing cards, the last recorded last. Raises `OSError`.

        An unreadable line was cut off by a crash.
        """
        found: dict[str, NotedCard] = {}
        for line in self._lines()[1:]:
            if (card := _read_card(line)) is not None:
                found.pop(card.card, None)
                found[card.card] = card
        return tuple(card for card in found.values() if card.shown)[-MOST_CARDS:]

    def last_beat(self) -> int:
        """Return the time of the last heartbeat in milliseconds; 0 for none. Raises `OSError`."""
        first = next(iter(self._lines()), b"").strip()
        return int(first) if first.isdigit() else 0

    def forget(self, place: str) -> int:
        """Delete all lines about cards at a place, and return the number of cards. Raises `OSError`."""
        with self._writing:
            cards = self.read()
            left = [card for card in cards if place not in (card.place, *card.also.splitlines())]
            self._replace(left)
        return len(cards) - len(left)

    def tidy(self) -> None:
        """Drop outdated lines. Raises `OSError`."""
        with self._writing:
            self._replace(self.read())

    def _replace(self, cards: Iterable[NotedCard]) -> None:
        if self.file.exists():
            lines = [_beat_line(self.last_beat()), *map(_card_line, cards)]
            replace_private_file(self.file, b"".join(lines).decode())

    def _prepare(self) -> None:
        if not self.file.exists():
            make_private_folder(self.file.parent)
            make_private_file(self.file)
            self.file.write_bytes(_beat_line(0))

    def _lines(self) -> list[bytes]:
        try:
            return self.file.read_bytes().splitlines()
        except FileNotFoundError:
            return []


def review_cards(
    connection: Connection, noted: Collection[NotedCard], last_beat: int, now: datetime
) -> LostWrites | None:
    """Queue the cards unknown to the database as recorded; None if it lacks nothing.

    A card without any stored data comes to say so; every other one shows its state in the database.
    """
    begin_immediate(connection)
    beat = connection.scalar(select(HEARTBEAT.c.at_ms)) or 0
    known = _read_known(connection, [card.card for card in noted])
    lost = [card for card in noted if _is_newer(card, known.get(card.card))]
    if not lost and last_beat - beat <= CLOCKS_DIFFER_MS:
        return None
    at = to_ms(now)
    for some in chunks(lost):
        _queue(connection, some, at)
    until = max([last_beat, *(card.changed_ms for card in lost)])
    return LostWrites(cards=len(lost), since=from_ms(beat or None), until=from_ms(until))


def _read_known(connection: Connection, cards: Sequence[str]) -> Mapping[str, Any]:
    columns = select(_D.card, _D.shown, _D.changed_ms)
    return {row.card: row for some in chunks(cards) for row in connection.execute(columns.where(_D.card.in_(some)))}


def _is_newer(card: NotedCard, row: Any) -> bool:
    """Return whether a card has a state that its row does not know; one waiting to be redrawn is safe anyway."""
    return row is None or (row.changed_ms < card.changed_ms and 0 <= row.shown < card.shown)


def _queue(connection: Connection, cards: Sequence[NotedCard], at: int) -> None:
    adding = insert_into(DELIVERY, connection.dialect.name)
    as_it_stands = {name: adding.excluded[name] for name in ("also", "made_as", "making", "standing", "track", "via")}
    again = {name: adding.excluded[name] for name in ("shown", "state", "due_ms", "next_ms", "changed_ms")}
    queued = adding.on_conflict_do_update(index_elements=["card"], set_=as_it_stands | again)
    connection.execute(queued, [_row(card, at) for card in cards])
    why = "shown before the database lost it"
    steps = [step(card.card, at, DeliveryStepKind.QUEUED, card.shown, detail=why) for card in cards]
    connection.execute(insert(DELIVERY_STEP), steps)


def _row(card: NotedCard, at: int) -> dict[str, Any]:
    """Return a row that updates the card, with a revision older than any new state."""
    noted = {name: getattr(card, name) for name in _COLUMNS}
    later = at + REVIEW_AFTER_MS
    return noted | {
        "fact": "",
        "state": DeliveryState.QUEUED,
        "wanted": 0,
        "shown": LOST_TRACK,
        "doubt": 0,
        "tries": 0,
        "due_ms": later,
        "next_ms": later,
        "lease": "",
        "lease_ms": 0,
        "changed_ms": at,
        "reason": "",
        "trouble": "",
    }


def _beat_line(at_ms: int) -> bytes:
    return f"{at_ms:0{_BEAT_DIGITS}d}\n".encode()


def _card_line(card: NotedCard) -> bytes:
    return orjson.dumps([getattr(card, name) for name in _COLUMNS]) + b"\n"


def _read_card(line: bytes) -> NotedCard | None:
    try:
        values = orjson.loads(line)
        return NotedCard(**dict(zip(_COLUMNS, values, strict=True)))
    except (ValueError, TypeError):
        return None
