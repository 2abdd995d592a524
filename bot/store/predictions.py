"""Predictions about changed rules, and the cases that are counted four weeks later from what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection

from bot.efficiency.findings import FOUR_WEEKS, FindingTopic
from bot.efficiency.predictions import Prediction
from bot.rulefiles.versions import VersionState
from bot.store.approvals.rows import case_of
from bot.store.database import Database
from bot.store.efficiency import KEPT
from bot.store.record_codec import DECIMAL, IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.row_times import from_ms, to_ms, to_us
from bot.store.statements import replace_into
from bot.store.tables import ALERT_CARD, APPROVAL_CASE, PREDICTION, RULE_VERSION
from bot.store.unreadable_rows import read_readable
from bot.words.phrase import Phrase, pack_words, unpack_words

_P, _V = PREDICTION.c, RULE_VERSION.c
_PHRASE = PlainCodec(
    lambda words: orjson.dumps(pack_words(words)).decode(), lambda kept: unpack_words(orjson.loads(kept))
)
_KINDS = PlainCodec(lambda kinds: orjson.dumps(sorted(kinds)).decode(), lambda kept: frozenset(orjson.loads(kept)))
_PREDICTION = RecordCodec(
    Prediction,
    {**IN_MILLISECONDS, Phrase: _PHRASE, frozenset[str]: _KINDS, Decimal: DECIMAL},
    names={"made_at": "made_ms", "begins_at": "begins_ms"},
)


class StoredPredictions:
    """Implements `bot.efficiency.port.PredictionStore`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def keep(self, prediction: Prediction) -> None:
        row = _PREDICTION.write(prediction)
        await self._database.run(
            lambda connection: connection.execute(replace_into(PREDICTION, connection.dialect.name), [row])
        )

    async def all(self) -> Sequence[Prediction]:
        query = select(PREDICTION).order_by(_P.made_ms.desc(), _P.sha256)
        rows = await self._database.read(lambda connection: read_readable(connection, PREDICTION, query))
        return [_PREDICTION.read_row(row) for row in rows]

    async def measure(self) -> None:
        await self._database.run(partial(_measure, self._now()))


def _measure(now: datetime, connection: Connection) -> None:
    connection.execute(delete(PREDICTION).where(_P.made_ms < to_ms(now - KEPT)))
    in_force = _V.sha256 == _P.sha256, _V.state == VersionState.PUBLISHED.value, _V.published_ms >= _P.made_ms
    begins = select(func.min(_V.published_ms)).where(*in_force).scalar_subquery()
    connection.execute(update(PREDICTION).where(_P.begins_ms.is_(None)).values(begins_ms=begins))
    over = _P.cases.is_(None), _P.begins_ms <= to_ms(now - FOUR_WEEKS)
    for row in connection.execute(select(_P.sha256, _P.topic, _P.subject, _P.begins_ms).where(*over)).all():
        begins_at = from_ms(row.begins_ms)
        rules = _RULES[FindingTopic(row.topic)](connection, begins_at, begins_at + FOUR_WEEKS)
        counted = {"cases": rules.count(row.subject), "all_cases": len(rules)}
        connection.execute(update(PREDICTION).where(_P.sha256 == row.sha256).values(**counted))


def _rules_of_cards(connection: Connection, begins: datetime, ends: datetime) -> Sequence[str]:
    """Return the rule of each card of alerts that began in some time."""
    card = ALERT_CARD.c
    query = select(card.route).where(card.opened_ms >= to_ms(begins), card.opened_ms < to_ms(ends))
    return list(connection.scalars(query))


def _rules_of_documents(connection: Connection, begins: datetime, ends: datetime) -> Sequence[str]:
    """Return the rule of each document of which a case was opened in some time: of several the newest."""
    case = APPROVAL_CASE.c
    opened = case.opened_us >= to_us(begins), case.opened_us < to_us(ends)
    rows = read_readable(connection, APPROVAL_CASE, select(APPROVAL_CASE).where(*opened).order_by(case.opened_us))
    newest: dict[tuple[str, ...], Any] = {(row.source, row.kind, row.folded): row for row in rows}
    return [case_of(row).plan.rule for row in newest.values()]


_RULES = {FindingTopic.ALERTS: _rules_of_cards, FindingTopic.APPROVALS: _rules_of_documents}
