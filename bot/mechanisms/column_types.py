"""Column types for SQLite and PostgreSQL: exact decimals as whole numbers scaled by a power of ten, and aware times."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

_LIMIT = 2**63 - 1
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
"""Rounds nothing, whatever the caller's own context."""

_RESCALING: frozenset[Callable[..., Any]] = frozenset(
    {operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow}
)


class ExactDecimal(TypeDecorator[Decimal]):
    """A column of `Decimal` with up to ``places`` digits after the point; the default 6 reaches 9.2 × 10¹².

    Comes back without trailing zeros (``1.50`` as ``1.5``, ``100`` as ``100``). Binding raises `ValueError` for NaN,
    infinities and values with more places or digits than fit, and `TypeError` for floats. Multiplying or dividing in
    SQL would silently change the scale and raises `TypeError`: do that in Python.
    """

    impl = BigInteger
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[Decimal]):
        """Refuses the operators that change the scale."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            if op in _RESCALING:
                raise TypeError(f"{op.__name__} on a scaled column would change its scale; compute it in Python")
            return super().operate(op, *other, **kwargs)

        def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:
            if op in _RESCALING:
                raise TypeError(f"{op.__name__} on a scaled column would change its scale; compute it in Python")
            return super().reverse_operate(op, other, **kwargs)

    comparator_factory = Comparator

    def __init__(self, places: int = 6) -> None:
        super().__init__()
        self.places = places
        self._one = 10**places

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Return the scaled whole number."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise TypeError(f"needs a Decimal or an int, not {type(value).__name__}")
        value = Decimal(value)
        if not value.is_finite():
            raise ValueError("a stored decimal must be finite")
        # Checked before scaling: the exponent of a hostile value could make the number itself enormous.
        if value and value.adjusted() + self.places > 18:
            raise ValueError(f"too large for a column with {self.places} places")
        try:
            whole = int(value.scaleb(self.places, _EXACT).to_integral_exact(context=_EXACT))
        except Inexact:
            raise ValueError(f"more than {self.places} places after the point") from None
        if abs(whole) > _LIMIT:
            raise ValueError(f"too large for a column with {self.places} places")
        return whole

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """Return the exact decimal; sums arrive as int from SQLite and as numeric from PostgreSQL."""
        if value is None:
            return None
        whole, rest = divmod(int(value), self._one)
        if not rest:
            return Decimal(whole)
        return Decimal(int(value)).scaleb(-self.places, _EXACT).normalize(_EXACT)


class UtcTime(TypeDecorator[datetime]):
    """A column of aware times, stored and returned in UTC to the microsecond; binding a naive one raises `ValueError`.

    SQLite keeps no offset: there it is fixed-width text, so that it sorts as time. PostgreSQL has ``timestamptz``.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the same moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
