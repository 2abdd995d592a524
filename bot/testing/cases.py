"""The cases of a contract: each has an id that stays, a title, and what an adapter must offer for it to apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from bot.erp.port import Capability
from bot.testing.gaps import Gaps

F = TypeVar("F", bound=Callable[..., Any])

NO_NETWORK = "embedded: no network"


@dataclass(frozen=True, slots=True)
class Case:
    """One promise of the port. ``over`` names a parameter and its values, each of which is a row of the table."""

    id: str
    title: str
    needs: tuple[Capability, ...] = ()
    network: bool = False
    over: tuple[str, Sequence[Any]] | None = None
    refusal: bool = False
    """Whether it is about what is not offered, and so applies in any case."""
    tells: str = ""
    """The field that it is about: it does not apply to a vendor that never tells that."""

    def row(self, value: Any) -> str:
        """Return the id of the row of a value of the parameter."""
        return self.id if self.over is None else f"{self.id}[{value}]"

    def values(self) -> Sequence[Any]:
        """Return the values of the parameter; one that does not matter where there is none."""
        return (None,) if self.over is None else self.over[1]


def case(
    id: str,  # noqa: A002  # a case's id is its id
    title: str,
    *,
    needs: Sequence[Capability] = (),
    network: bool = False,
    over: tuple[str, Sequence[Any]] | None = None,
    refusal: bool = False,
    tells: str = "",
) -> Callable[[F], F]:
    """Make a test a case of the contract."""

    def mark(function: F) -> F:
        found = Case(id, title, tuple(needs), network, over, refusal, tells)
        function.contract_case = found  # type: ignore[attr-defined]  # read back by `cases_of`
        if over is None:
            return function
        spread: F = pytest.mark.parametrize(over[0], over[1], ids=str)(function)
        return spread

    return mark


def cases_of(contract: type) -> list[Case]:
    """Return the cases that pytest runs of a contract class, in the order in which they are written down."""
    members: dict[str, Any] = {}
    for base in contract.__mro__:
        members = members | {name: member for name, member in vars(base).items() if name not in members}
    return [member.contract_case for member in members.values() if hasattr(member, "contract_case")]


def gap(known: Case, value: Any, *, offers: frozenset[Capability], gaps: Gaps, embedded: bool) -> str | None:
    """Return why a row does not apply to an adapter, or None."""
    for name in (known.row(value), known.id):
        if name in gaps.cases:
            return gaps.cases[name]
    if embedded and known.network:
        return NO_NETWORK
    if known.refusal:
        return None
    for capability in (*known.needs, getattr(value, "capability", None)):
        if capability is not None and capability not in offers:
            return f"not offered: {capability}"
    return gaps.fields.get(known.tells)
