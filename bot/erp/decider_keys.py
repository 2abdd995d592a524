"""People's own keys for an ERP, which they entered themselves: a decision is sent with the decider's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from pydantic import SecretStr


class DeciderKeys(Protocol):
    """Knows them; implemented by `bot.store.chat.accounts.StoredErpKeys`."""

    is_offered: bool
    """Whether people can enter keys at all: then a source may decide that has none in its configuration."""

    async def keys_of(self, source: str) -> Mapping[str, SecretStr]:
        """Return the keys at a source by account. Raises `bot.erp.errors.Unavailable` when they cannot be read."""
        ...


class NoDeciderKeys:
    """Implements `DeciderKeys` where nobody can enter a key."""

    is_offered = False

    async def keys_of(self, source: str) -> Mapping[str, SecretStr]:
        """Return none."""
        return {}


NO_DECIDER_KEYS = NoDeciderKeys()


@runtime_checkable
class KeyOwners(Protocol):
    """What an adapter offers besides the port that decides with people's own keys."""

    async def owner_of_key(self, account: str, key: SecretStr) -> str:
        """Return the account that a key belongs to, which should be ``account``.

        Raises `AuthFailed` or `NotPermitted` for a key that the ERP refuses, `Invalid` for a malformed one.
        """
        ...
