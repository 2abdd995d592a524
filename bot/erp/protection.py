"""How a source is spared and how much is believed of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """``rate`` calls per second at most (0: as many as there are).

    After ``failures`` reads in a row that failed (0: never) the source is left alone for ``pause`` seconds.
    ``negative_stock``: its stock on hand may be below zero. For ``cache`` seconds it is not asked the same again.
    """

    rate: float = 0.0
    failures: int = 5
    pause: float = 15.0
    negative_stock: bool = False
    cache: float = 0.0
