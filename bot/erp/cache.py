"""Answers kept: of the last seconds in memory, and last known ones outside the process for an ERP that is down."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

import orjson
from cachetools import TTLCache
from pydantic import TypeAdapter, ValidationError

from bot.erp.answer import Answer
from bot.erp.kinds import KINDS, Kind
from bot.erp.model import Product, Slice, StockLevel
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.recency import RecentItems
from bot.mechanisms.single_flight import SingleFlight

ReadKey = tuple[Hashable, ...]
"""Source, call, scope and arguments: callers with the same key share an answer."""

_HELD = 256
"""Answers of one source at most; the least recently used go first."""


class ReadCache:
    """The reads that brought an answer, for as many ``seconds`` after it as each source allows (0: none).

    Both clocks must allow it: one stands still while the machine sleeps, the other may be set back.
    """

    def __init__(
        self,
        seconds: Mapping[str, float],
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._landed: dict[str, TTLCache[ReadKey, tuple[SingleFlight[Any], datetime]]] = {
            source: TTLCache(_HELD, span, timer=monotonic) for source, span in seconds.items() if span
        }
        self._now = now
        self._metrics = metrics

    def get(self, source: str, call: str, key: ReadKey) -> SingleFlight[Any] | None:
        """Return the read of ``key`` that landed a moment ago, and count the call that it saves."""
        landed = self._landed.get(source)
        held = None if landed is None else landed.get(key)
        if landed is None or held is None:
            return None
        read, landed_at = held
        if not 0 <= (self._now() - landed_at).total_seconds() < landed.ttl:
            return None
        self._metrics.erp_cached.labels(source, call).inc()
        return read

    def put(self, source: str, key: ReadKey, read: SingleFlight[Any]) -> None:
        """Hold a read from now on."""
        landed = self._landed.get(source)
        if landed is not None:
            landed[key] = read, self._now()

    def drop(self, source: str) -> None:
        """Hold nothing of a source any longer."""
        if source in self._landed:
            self._landed[source].clear()


def _document_answers(kind: Kind[Any]) -> Mapping[str, Any]:
    record: Any = kind.record
    answers = {kind.call: record, kind.list_call: Slice[record]}
    return answers | {kind.order_call: tuple[record, ...]} if kind.order_call else answers


ANSWER_TYPES: Mapping[str, Any] = {
    "find_products": tuple[Product, ...],
    "stock": StockLevel,
    "product": ProductDetails,
    "prices": Prices,
    "arrivals": Slice[Arrival],
    "shortages": Slice[Shortage],
    "warehouse_stock": WarehouseContents,
} | {call: answer for kind in KINDS for call, answer in _document_answers(kind).items()}
"""What each call of the port brings."""


class LastKnownStore(Protocol):
    """Where last known answers are kept. Both calls return at once."""

    def put(self, source: str, call: str, asked: str, value: Any, as_of: datetime) -> None:
        """Keep an answer in place of an earlier one; it is written later."""
        ...

    def forget(self, source: str, call: str, asked: str) -> None:
        """Drop an answer that is no longer true."""
        ...

    def get(self, source: str, call: str, asked: str) -> tuple[Any, datetime] | None:
        """Return what an earlier process kept."""
        ...


class LastKnownAnswers:
    """The last answers, of this process (``size`` at most) or an earlier one."""

    def __init__(self, store: LastKnownStore | None, size: int) -> None:
        self._answers: RecentItems[ReadKey, Answer[Any]] = RecentItems(size)
        self._store = store

    def put(self, key: ReadKey, answer: Answer[Any]) -> None:
        """Keep an answer in place of an earlier one."""
        self._answers.put(key, answer)
        if self._store is not None:
            self._store.put(answer.source, str(key[1]), asked(key[2:]), answer.value, answer.as_of)

    def forget(self, key: ReadKey) -> None:
        self._answers.pop(key)
        if self._store is not None:
            self._store.forget(str(key[0]), str(key[1]), asked(key[2:]))

    def get(self, key: ReadKey) -> Answer[Any] | None:
        """Return the answer, None if there never was one."""
        answer = self._answers.get(key)
        if answer is not None or self._store is None:
            return answer
        stored = self._store.get(str(key[0]), str(key[1]), asked(key[2:]))
        return None if stored is None else Answer(stored[0], str(key[0]), stored[1])


def asked(args: tuple[Hashable, ...]) -> str:
    """Return the scope and the arguments of a call as the text by which its answer is found again."""
    return repr(args)


def dump(value: Any) -> str:
    """Return an answer as JSON."""
    return orjson.dumps(value, default=_json_default).decode()


def load(call: str, text: str) -> Any:
    """Return an answer as it was; None for what an earlier version wrote in another way."""
    if call not in ANSWER_TYPES:
        return None
    try:
        return _adapter(call).validate_json(text)
    except ValidationError:
        return None


def _json_default(value: object) -> object:
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(type(value).__name__)


@lru_cache(maxsize=len(ANSWER_TYPES))
def _adapter(call: str) -> TypeAdapter[Any]:
    return TypeAdapter(ANSWER_TYPES[call])
