"""Warehouses as people call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bot.erp.errors import Ambiguous, NotFound

W = TypeVar("W")


def pick_warehouse(warehouses: Iterable[W], wanted: str, names: Callable[[W], tuple[str, str]], *, source: str) -> W:
    """Return the warehouse with this code or name, else the only one whose name holds it.

    ``names`` returns code and name. Raises `NotFound`, and `Ambiguous` where several fit.
    """
    known = [(warehouse, *names(warehouse)) for warehouse in warehouses]
    folded = wanted.strip().casefold()
    # People say 上海仓 for 上海成品仓库.
    part = folded.removesuffix("库").removesuffix("仓") or folded
    exact = [warehouse for warehouse, code, name in known if folded in (code.casefold(), name.casefold())]
    found = exact or [warehouse for warehouse, _, name in known if part and part in name.casefold()]
    if not found:
        raise NotFound(wanted, source=source)
    if len(found) > 1:
        raise Ambiguous(wanted, len(found), source=source)
    return found[0]
