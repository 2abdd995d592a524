"""Finds the owner of an ERP account by job number, mobile or mail, without any guessing.

A key counts if it is verified in DingTalk, leads to one open account, and belongs to one person. All keys of a person
that lead anywhere must lead to the same account: decisions are written under it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.access.staff_keys import MatchKey, StaffKeys, phone_number
from bot.erp.model import ErpUser


class MatchOutcome(StrEnum):
    """The outcome of the search for a person's account."""

    FOUND = "found"
    SEVERAL_ACCOUNTS = "several_accounts"
    SEVERAL_PEOPLE = "several_people"
    UNVERIFIED = "unverified"
    NONE = "none"
    """No key leads to an account; not reported for people who never had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMatch:
    """A person's account, or why it is unknown. ``key`` led there."""

    user_id: str
    name: str
    account: str = ""
    key: MatchKey | None = None
    outcome: MatchOutcome


_Hold = tuple[MatchKey, str]
"""A key with its value."""


def match_accounts(
    people: Sequence[StaffKeys], users: Iterable[ErpUser], keys: Collection[MatchKey]
) -> Iterator[AccountMatch]:
    """Yield the outcome for all people whose keys lead to an open account, verified or not."""
    accounts: dict[_Hold, set[str]] = defaultdict(set)
    for user in users:
        if user.is_active and user.account:
            for hold in _holds(_keys_of(user), keys):
                accounts[hold].add(user.account)
    holders: dict[_Hold, set[str]] = defaultdict(set)
    claimants: dict[str, set[str]] = defaultdict(set)
    for person in people:
        for hold in _holds(person.verified, keys):
            for account in accounts.get(hold, ()):
                claimants[account].add(person.user_id)
        for hold in (*_holds(person.verified, keys), *_holds(person.unverified, keys)):
            if hold in accounts:
                holders[hold].add(person.user_id)
    for person in people:
        leading = [hold for hold in _holds(person.verified, keys) if hold in accounts]
        unproven = [hold for hold in _holds(person.unverified, keys) if hold in accounts]
        if leading or unproven:
            yield _match(person, leading, unproven, accounts, holders, claimants)


def _match(
    person: StaffKeys,
    leading: Sequence[_Hold],
    unproven: Sequence[_Hold],
    accounts: Mapping[_Hold, set[str]],
    holders: Mapping[_Hold, set[str]],
    claimants: Mapping[str, set[str]],
) -> AccountMatch:
    candidates = set[str]().union(*(accounts[hold] for hold in leading))
    if len(candidates) > 1:
        return _unmatched(person, MatchOutcome.SEVERAL_ACCOUNTS)
    if any(len(holders[hold]) > 1 for hold in (*leading, *unproven)):
        return _unmatched(person, MatchOutcome.SEVERAL_PEOPLE)
    if not candidates:
        return _unmatched(person, MatchOutcome.UNVERIFIED)
    (account,) = candidates
    if len(claimants[account]) > 1:
        return _unmatched(person, MatchOutcome.SEVERAL_PEOPLE)
    return AccountMatch(
        user_id=person.user_id, name=person.name, account=account, key=leading[0][0], outcome=MatchOutcome.FOUND
    )


def _unmatched(person: StaffKeys, outcome: MatchOutcome) -> AccountMatch:
    return AccountMatch(user_id=person.user_id, name=person.name, outcome=outcome)


def _keys_of(user: ErpUser) -> Mapping[MatchKey, str]:
    return {
        MatchKey.JOB_NUMBER: user.job_number,
        MatchKey.MOBILE: phone_number(user.mobile),
        MatchKey.MAIL: user.mail,
    }


def _holds(values: Mapping[MatchKey, str], keys: Collection[MatchKey]) -> list[_Hold]:
    held = [(key, values.get(key, "").strip().casefold()) for key in MatchKey if key in keys]
    return [(key, value) for key, value in held if value]
