"""The scale beside the bars: a few round numbers that hold the lowest and the highest value, and always zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_MOST_STEPS = 4
_ROUND = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Scale:
    """Marks at equal distances, from the lowest to the highest."""

    marks: tuple[Decimal, ...]

    @property
    def low(self) -> Decimal:
        """The lowest mark."""
        return self.marks[0]

    @property
    def high(self) -> Decimal:
        """The highest mark."""
        return self.marks[-1]

    def share(self, value: Decimal) -> Decimal:
        """Return where a value lies between the lowest mark (0) and the highest (1)."""
        return (value - self.low) / (self.high - self.low)


def scale_of(values: Iterable[Decimal]) -> Scale:
    """Return the scale for some values."""
    found = [Decimal(), *values]
    low, high = min(found), max(found)
    step = _step((high - low) or Decimal(1))
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = max((high / step).to_integral_value(ROUND_CEILING), first + 1)
    return Scale(tuple(step * number for number in range(int(first), int(last) + 1)))


def _step(extent: Decimal) -> Decimal:
    """Return the smallest round step that needs no more than `_MOST_STEPS`."""
    least = extent / _MOST_STEPS
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * each for each in _ROUND if power * each >= least)
