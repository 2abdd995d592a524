"""Whose bot this is: the organisation that alone may talk to it.

A userId is unique within one organisation only, and a group may hold people of several (docs:
platform/dingtalk/callbacks.md#who-clicked). So nothing counts before the bot knows its own organisation.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from bot.errors import DingerpError

log = structlog.get_logger(__name__)


class OrganisationStore(Protocol):
    """Keeps the organisation across restarts; implemented by `bot.store.organisation`."""

    async def load(self) -> str:
        """Return the corpId that is kept, empty for none. Like `keep` it may raise a `DingerpError`."""
        ...

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        """Keep the corpId and return the one that counts: an earlier one, unless it is kept ``instead`` of that."""
        ...


class OwnOrganisation:
    """The bot's organisation: configured, or learnt from the first message, which names it as ``chatbotCorpId``."""

    def __init__(self, configured: str = "", store: OrganisationStore | None = None) -> None:
        """Without ``store`` what is learnt is forgotten with the process."""
        self._configured = configured.strip()
        self._store = store
        self._own = self._configured
        self._kept = ""

    @property
    def is_known(self) -> bool:
        """Whether the organisation is configured or learnt."""
        return bool(self._own)

    def is_own(self, corp_id: str) -> bool:
        """Return whether this is the bot's organisation; while that is unknown, none is."""
        return bool(corp_id) and corp_id == self._own

    def admits(self, corp_id: str) -> bool:
        """Return whether a message may be taken whose ``chatbotCorpId`` this is; the first one says whose bot this is.

        A message without it is taken, since it came over the bot's own stream, but proves nothing about its sender.
        """
        if not corp_id:
            return True
        self._own = self._own or corp_id
        return corp_id == self._own

    async def load(self) -> None:
        """Read what an earlier run learnt; a configured organisation stands above it."""
        if self._store is not None:
            self._kept = await self._store.load()
            self._own = self._configured or self._kept

    async def save(self) -> None:
        """Keep what was learnt. After a failure, which is only logged, the next message tries again."""
        if self._store is None or not self._own or self._kept == self._own:
            return
        try:
            self._kept = await self._store.keep(self._own, instead=bool(self._configured))
        except DingerpError as error:
            log.warning("organisation.not_kept", error=type(error).__name__, detail=error.detail)
            return
        self._own = self._configured or self._kept
        if not self._configured:
            log.info("organisation.learnt", corp_id=self._own)
