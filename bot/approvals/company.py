"""Who is who, as far as rules ask, gathered before a unit of work begins: inside of it nobody waits for a directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

_NO_CHAIN: Mapping[str, tuple[str, ...]] = MappingProxyType({})

_LONGEST = 20
"""Managers above each other that are asked for; longer chains exist in no company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What the directory says about somebody. ``manager`` is a userId, ``department`` a name; empty for none."""

    manager: str = ""
    department: str = ""


class Staff(Protocol):
    """The organisation's directory; answers are cached behind it for minutes."""

    async def member(self, user_id: str) -> Member | None:
        """Return a member's entry, None for somebody outside; raises a `DingerpError` when it does not say."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Implements `bot.approvals.ruling.Company` by what was known when it was taken."""

    roles: Mapping[str, tuple[str, ...]]
    accounts: Mapping[tuple[str, str], str]
    """userId and source → ERP account."""
    people: Mapping[tuple[str, str], str]
    """Source and ERP account without capitals → userId."""
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_CHAIN)

    def members_of(self, role: str) -> tuple[str, ...]:
        """Return the userIds with a role, in a stable order."""
        return self.roles.get(role, ())

    def managers_of(self, user_id: str) -> tuple[str, ...]:
        """Return the chain of managers, nearest first; empty for people who were not asked about."""
        return self.chains.get(user_id, ())

    def person_of(self, source: str, account: str) -> str:
        """Return the userId behind an ERP account; accounts that differ in capitals alone are one person's."""
        return self.people.get((source, account.casefold()), "")

    def account_of(self, user_id: str, source: str) -> str:
        """Return the person's ERP account."""
        return self.accounts.get((user_id, source), "")


class Organisation:
    """Takes snapshots. Roles and accounts are configured; managers and departments come from the directory."""

    def __init__(
        self,
        *,
        roles: Mapping[str, Iterable[str]],
        accounts: Mapping[str, Mapping[str, str]],
        staff: Staff | None = None,
    ) -> None:
        """``roles`` maps a role to userIds, ``accounts`` a userId to its account at each source."""
        by_source = [(user, source, account) for user, own in accounts.items() for source, account in own.items()]
        self._today = Snapshot(
            roles={role: tuple(sorted(members)) for role, members in roles.items()},
            accounts={(user, source): account for user, source, account in by_source},
            people={(source, account.casefold()): user for user, source, account in reversed(by_source)},
        )
        self._staff = staff

    def today(self) -> Snapshot:
        """Return who has which role and account; it costs nothing, and knows no managers."""
        return self._today

    async def around(self, user_id: str) -> tuple[Snapshot, str]:
        """Return the same with somebody's chain of managers, and their department.

        Raises a `DingerpError` when the directory does not say: a rule that goes by managers must not be guessed at.
        """
        if self._staff is None or not user_id:
            return self._today, ""
        entry = await self._staff.member(user_id)
        chain: list[str] = []
        above = entry
        while above is not None and above.manager and len(chain) < _LONGEST:
            if above.manager in (user_id, *chain):
                break  # directories do hold loops
            chain.append(above.manager)
            above = await self._staff.member(above.manager)
        known = self._today
        snapshot = Snapshot(known.roles, known.accounts, known.people, {user_id: tuple(chain)})
        return snapshot, entry.department if entry is not None else ""
