"""Units of quantity: which are equal or multiples of one another, according to the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation

from bot.words.errors import ConfigurationError

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_LONGEST_CHAIN = 16

_PIECES = """
个 件 只 支 根 条 块 片 张 台 套 副 双 对 把 颗 粒 枚 盒 箱 包 袋 桶 瓶 罐 卷 托 托盘
pc pcs piece pieces ea each unit units u nos nos. no. set sets pair pairs box boxes bag bags pack packs roll rolls
"""
_DIVISIBLE = """
打 百个 千个 万个 千件
米 毫米 厘米 千米 公里 平方米 立方米 升 毫升 千克 公斤 克 毫克 吨 小时 天 次
dozen
m mm cm km m² m2 m³ m3 l ml kg g mg t ton tonne lb oz h hour hours day days
"""
_WHOLE = frozenset(_PIECES.split())
COMMON = frozenset({*_WHOLE, *_DIVISIBLE.split()})
"""Units that need not be configured."""


def is_of_pieces(unit: str) -> bool:
    """Return whether a unit is of things that nobody divides."""
    return _folded(unit) in _WHOLE


class Units:
    """The table of units; codes are compared ignoring case and surrounding spaces."""

    def __init__(self, table: Mapping[str, str] | None = None) -> None:
        """``table`` maps a unit to a number and unit: ``{"千个": "1000 个", "pcs": "1 个"}``.

        Raises `ConfigurationError` for malformed entries and circular definitions.
        """
        self._steps = {_folded(unit): _parse(unit, text) for unit, text in (table or {}).items()}
        self._bases = {unit: self._resolve(unit) for unit in self._steps}
        self.listed = bool(self._steps)
        """Whether the configuration lists units, so that others may be reported as unknown."""
        self._known = COMMON | self._steps.keys() | {base for _, base in self._bases.values()}

    def knows(self, unit: str) -> bool:
        """Return whether a unit is configured or common."""
        return _folded(unit) in self._known

    def factor(self, unit: str, into: str) -> Decimal | None:
        """Return the factor that converts a quantity from ``unit`` to ``into``; None if it is unknown.

        Only exact factors are returned: conversion must not change a quantity.
        """
        unit, into = _folded(unit), _folded(into)
        if unit == into:
            return Decimal(1)
        from_factor, base = self._bases.get(unit, (Decimal(1), unit))
        into_factor, other = self._bases.get(into, (Decimal(1), into))
        if base != other:
            return None
        try:
            return _EXACT.divide(from_factor, into_factor)
        except Inexact:
            return None

    def best(self, units: Iterable[str]) -> str:
        """Return the one of ``units`` (at least one) that most of them can be converted to, the first of equals."""
        candidates = list(units)
        return max(candidates, key=lambda into: sum(self.factor(unit, into) is not None for unit in candidates))

    def _resolve(self, unit: str) -> tuple[Decimal, str]:
        factor, base = Decimal(1), unit
        for _ in range(_LONGEST_CHAIN):
            if base not in self._steps:
                return factor, base
            step, base = self._steps[base]
            factor = _EXACT.multiply(factor, step)
        raise ConfigurationError(f"units: {unit!r} is defined by itself")


def _parse(unit: str, text: str) -> tuple[Decimal, str]:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([^\d\s.,，].*?)\s*", text)
    if not match or not Decimal(match[1]):
        raise ConfigurationError(f"units: {unit!r} needs a number and a unit, such as '1000 个', not {text!r}")
    return Decimal(match[1]), _folded(match[2])


def _folded(unit: str) -> str:
    return unit.strip().casefold()
